//! Reading and judging the topology that the command line names.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use miette::Diagnostic;
use switchover_topology::{Loaded, load, load_text};

use crate::exit::Exit;
use crate::failure::Failure;

/// How findings name the standard input.
const STDIN: &str = "<stdin>";

#[derive(Debug, thiserror::Error, Diagnostic)]
enum FileError {
    #[error("there is no topology `{}`", .0.display())]
    #[diagnostic(
        code(switchover::topology::not_found),
        help("name the topology file, or change to the folder that holds `switchover.kdl`")
    )]
    NotFound(PathBuf),
    #[error("there is no file `{}`", .0.display())]
    #[diagnostic(
        code(switchover::file::not_found),
        help("check the path: a relative one begins at the current folder")
    )]
    NoFile(PathBuf),
    #[error("`{}` is a folder", .0.display())]
    #[diagnostic(code(switchover::topology::is_folder), help("name a file in it, such as `{}`", .0.join("switchover.kdl").display()))]
    IsFolder(PathBuf),
}

/// Reads a topology and everything that it includes. What is wrong in it is in the answer; an error is only that there is
/// nothing to read.
pub(crate) fn read(file: &Path) -> Result<Loaded, Failure> {
    if file == Path::new("-") {
        let mut text = String::new();
        io::stdin()
            .lock()
            .read_to_string(&mut text)
            .map_err(Failure::stdin)?;
        return Ok(load_text(STDIN, text, Path::new("")));
    }
    match file.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::new(
            Exit::Failed,
            FileError::NotFound(file.to_owned()),
        )),
        Ok(metadata) if metadata.is_dir() => Err(Failure::new(
            Exit::Failed,
            FileError::IsFolder(file.to_owned()),
        )),
        // Any other trouble is found again, and told with its cause, while the file is read.
        Ok(_) | Err(_) => Ok(load(file)),
    }
}

/// Refuses a file that is not there. Other trouble is told with its cause while the file is read.
pub(crate) fn exists(file: &Path) -> Result<(), Failure> {
    match file.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::new(
            Exit::Failed,
            FileError::NoFile(file.to_owned()),
        )),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The topology's name as findings give it.
pub(crate) fn shown(file: &Path) -> String {
    if file == Path::new("-") {
        STDIN.to_owned()
    } else {
        file.display().to_string()
    }
}

/// The day by which acknowledgements expire: that of UTC, so that everybody who validates at one moment sees the same.
pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}
