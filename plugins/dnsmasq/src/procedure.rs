//! The steps: check the new file, put it in place, restart dnsmasq.

use switchover_sdk::{Change, Effect, Procedure, Step, Target, UndoStep, probe};

use crate::document::Document;
use crate::manifest::{RELOAD, Settings, TEST};
use crate::questions;

/// Writes the document.
pub(crate) fn procedure(
    target: &Target,
    settings: &Settings,
    document: &Document,
    changes: &[Change],
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
    let mut write = Step::new(
        "write",
        format!("write {file}"),
        Effect::write_text(file, document.text()),
    );
    if target.has_command(RELOAD) {
        // Undo goes backwards through the steps, so this belongs to the write: it runs when the file is back.
        write = write.undo(UndoStep::new(
            format!("restart dnsmasq with the previous {file}"),
            Effect::run(RELOAD, None),
        ));
        procedure.commit.push(write);
        procedure.commit.push(Step::new(
            "reload",
            format!("restart dnsmasq with the new {file}"),
            Effect::run(RELOAD, None),
        ));
    } else {
        procedure.commit.push(write);
    }
    if settings.probe.has("dhcp") {
        procedure.verify.extend(probe::offers(target));
    }
    if settings.probe.has("dns") {
        procedure
            .verify
            .extend(questions::steps(target, document, changes));
    }
    procedure
}
