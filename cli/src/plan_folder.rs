//! Plans of many sites: a folder with one file a site, named after the site's folder.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use miette::Diagnostic;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::fleet::{Fleet, TOPOLOGY};
use crate::plan_file::signature_of;

/// What a plan's name ends in.
pub(crate) const EXTENSION: &str = "json";

#[derive(Debug, thiserror::Error, Diagnostic)]
enum FolderError {
    #[error("`{}` is a file and can keep one plan, and there are many sites", .0.display())]
    #[diagnostic(
        code(switchover::plan::one_at_a_time),
        help(
            "name a folder: `--out plans` keeps a plan of each site in it, and `switchover apply plans` takes them"
        )
    )]
    IsFile(PathBuf),
    #[error("the plans of `{}` and of `{}` would both be `{}`", first.display(), second.display(), place.display())]
    #[diagnostic(
        code(switchover::plan::same_place),
        help("plans are named after the folders of their sites: plan one of the two by itself")
    )]
    SamePlace {
        first: PathBuf,
        second: PathBuf,
        place: PathBuf,
    },
    #[error("failed to make room for the plan `{}`", path.display())]
    #[diagnostic(
        code(switchover::plan::room),
        help("check the owner and permissions of the folder")
    )]
    Room {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Where the plans of a fleet's sites are kept.
pub(crate) struct PlanFolder {
    /// By the site's file.
    places: HashMap<PathBuf, PathBuf>,
}

impl PlanFolder {
    /// Makes room for the plans of these sites. What was kept of them before is removed: a site that cannot be planned
    /// now must not be applied as it was planned then.
    pub(crate) fn prepare(folder: &Path, fleet: &Fleet) -> Result<Self, Failure> {
        let refused = |error: FolderError| Failure::new(Exit::Usage, error);
        if folder.is_file() {
            return Err(refused(FolderError::IsFile(folder.to_owned())));
        }
        let mut taken: HashMap<PathBuf, &Path> = HashMap::new();
        let mut places = HashMap::new();
        for file in &fleet.files {
            let place = folder.join(name_of(file.strip_prefix(&fleet.top).unwrap_or(file)));
            if let Some(first) = taken.insert(place.clone(), file) {
                return Err(refused(FolderError::SamePlace {
                    first: first.to_owned(),
                    second: file.clone(),
                    place,
                }));
            }
            make_room(&place).map_err(|source| {
                let path = place.clone();
                Failure::new(Exit::Failed, FolderError::Room { path, source })
            })?;
            places.insert(file.clone(), place);
        }
        Ok(Self { places })
    }

    /// Where the plan of a site is kept.
    pub(crate) fn place(&self, file: &Path) -> Option<&Path> {
        self.places.get(file).map(PathBuf::as_path)
    }
}

fn make_room(place: &Path) -> io::Result<()> {
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    for file in [place.to_owned(), signature_of(place)] {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// `rome/switchover.kdl` is kept in `rome.json`, `fleet/site-a.kdl` in `fleet/site-a.json`.
fn name_of(file: &Path) -> PathBuf {
    let mut name = PathBuf::new();
    for part in file.components() {
        match part {
            Component::Normal(part) => name.push(part),
            // Never outside of the folder.
            Component::ParentDir => name.push("_"),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    if name.file_name().is_some_and(|last| last == TOPOLOGY) && name.components().count() > 1 {
        name.pop();
    } else {
        name.set_extension("");
    }
    // A folder may have a dot in its name.
    name.as_mut_os_string().push(".");
    name.as_mut_os_string().push(EXTENSION);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_named_after_the_folders_of_their_sites() {
        for (file, name) in [
            ("rome/switchover.kdl", "rome.json"),
            ("eu/rome.it/switchover.kdl", "eu/rome.it.json"),
            ("./switchover.kdl", "switchover.json"),
            ("fleet/site-a.kdl", "fleet/site-a.json"),
            ("../other/switchover.kdl", "_/other.json"),
            ("/srv/rome/switchover.kdl", "srv/rome.json"),
        ] {
            assert_eq!(name_of(Path::new(file)), Path::new(name), "{file}");
        }
    }
}
