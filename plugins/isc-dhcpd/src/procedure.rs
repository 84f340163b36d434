//! The steps: check the new file, put it in place, check the whole configuration, restart dhcpd.

use switchover_sdk::{Effect, Procedure, Step, Target, UndoStep, probe};

use crate::document::Document;
use crate::manifest::{RELOAD, Settings, TEST};

/// Writes the document. `main` says whether there is a file that includes it.
pub(crate) fn procedure(
    target: &Target,
    settings: &Settings,
    document: &Document,
    main: bool,
) -> Procedure {
    let file = settings.file.as_str();
    let mut procedure = Procedure::default();
    if target.has_command(TEST) {
        procedure.stage.push(Step::new(
            "test",
            format!("check the new {file}"),
            Effect::run(TEST, Some(file)),
        ));
    }
    procedure.commit.push(Step::new(
        "write",
        format!("write {file}"),
        Effect::write_text(file, document.text()),
    ));
    if target.has_command(TEST) && main {
        let main = &settings.main;
        procedure.commit.push(Step::new(
            "test-all",
            format!("check {main} with the new {file}"),
            Effect::run(TEST, Some(main)),
        ));
    }
    if target.has_command(RELOAD) {
        // Undone when the restart itself fails, too, and the file is back by then. A failed check restarts nothing.
        let reload = || Effect::run(RELOAD, None);
        procedure.commit.push(
            Step::new(
                "reload",
                format!("restart dhcpd with the new {file}"),
                reload(),
            )
            .undo(UndoStep::new(
                format!("restart dhcpd with the previous {file}"),
                reload(),
            )),
        );
    }
    if settings.probe.has("dhcp") {
        procedure.verify.extend(probe::offers(target));
    }
    procedure
}
