//! Findings of all sites, shown together: what is wrong in a file that sites share is told once.

use super::run::Ended;
use crate::failure::Failure;
use crate::report::{self, Groups, Shown};
use crate::terminal::Terminal;

/// Findings of sites, collected until they are shown.
pub(crate) struct Findings<'a> {
    terminal: &'a Terminal,
    groups: Groups<'a>,
    shown: Shown,
    /// They are what was asked for, and not beside it.
    data: bool,
}

impl<'a> Findings<'a> {
    /// They are told on stderr.
    pub(crate) fn told(terminal: &'a Terminal) -> Self {
        Self::new(terminal, Shown::on_stderr(terminal), false)
    }

    /// They are printed.
    pub(crate) fn printed(terminal: &'a Terminal, shown: Shown) -> Self {
        Self::new(terminal, shown, true)
    }

    fn new(terminal: &'a Terminal, shown: Shown, data: bool) -> Self {
        Self {
            terminal,
            groups: report::groups(shown.look),
            shown,
            data,
        }
    }

    /// Takes those of a site.
    pub(crate) fn take(&mut self, ended: &mut Ended) {
        ended.give_findings(&mut self.groups);
    }

    /// Whether whoever asked sees them.
    pub(super) fn are_printed(&self) -> bool {
        self.data
    }

    /// Shows them, if there are any.
    pub(crate) fn show(self) -> Result<(), Failure> {
        if self.groups.is_empty() {
            return Ok(());
        }
        let text = report::grouped(&self.groups, self.shown);
        if self.data {
            return self.terminal.data(&(text + "\n"));
        }
        self.terminal.error(&text);
        Ok(())
    }
}
