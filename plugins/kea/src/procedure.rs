//! The steps: test the whole new configuration, set it, and have Kea write its file.

use serde_json::json;
use switchover_sdk::{Effect, HttpRequest, Procedure, Step, Target, UndoStep, probe};

use crate::configuration::{Configuration, command};
use crate::manifest::{CONFIG_SET, CONFIG_TEST, CONFIG_WRITE, Settings};

/// From `before` to `after`.
pub(crate) fn procedure(
    target: &Target,
    settings: &Settings,
    before: &Configuration,
    after: &Configuration,
) -> Procedure {
    let call = Call { settings, before };
    let new = after.arguments();
    let test = call.step(
        "test",
        "test the new configuration",
        call.request(CONFIG_TEST, Some(&new)),
    );
    let set = call
        .step(
            "set",
            "set the new configuration",
            call.request(CONFIG_SET, Some(&new)),
        )
        .undo(call.restore());
    let mut commit = vec![set];
    if settings.persist {
        let request = || call.request(CONFIG_WRITE, None);
        // Undoing goes backwards through the steps, so this undo comes before that of `set`: it has to bring the old
        // configuration back by itself before it can have it written.
        commit.push(
            call.step("write", "write the configuration file", request())
                .undo(call.restore())
                .undo(call.undo("write the previous configuration file", request())),
        );
    }
    Procedure {
        stage: vec![test],
        commit,
        verify: match settings.probe.has("dhcp") {
            true => probe::offers_of_primaries(target).collect(),
            false => Vec::new(),
        },
    }
}

struct Call<'a> {
    settings: &'a Settings,
    before: &'a Configuration,
}

impl Call<'_> {
    /// A pointer into an answer of this server.
    fn pointer(&self, key: &str) -> String {
        if self.before.answers_in_array {
            format!("/0/{key}")
        } else {
            format!("/{key}")
        }
    }

    fn request(&self, name: &str, arguments: Option<&serde_json::Value>) -> HttpRequest {
        command(self.settings.control, name, arguments).reason(self.pointer("text"))
    }

    fn step(&self, id: &str, title: &str, request: HttpRequest) -> Step {
        Step::new(id, title, Effect::Http(request)).expect(self.pointer("result"), &json!(0))
    }

    fn undo(&self, title: &str, request: HttpRequest) -> UndoStep {
        UndoStep::new(title, Effect::Http(request)).expect(self.pointer("result"), &json!(0))
    }

    fn restore(&self) -> UndoStep {
        let old = self.before.arguments();
        self.undo(
            "set the previous configuration",
            self.request(CONFIG_SET, Some(&old)),
        )
    }
}
