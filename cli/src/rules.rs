//! Rules as commands and reports know them: switchover's own, and the findings that plugins declare.

use std::borrow::Cow;
use std::sync::OnceLock;

use switchover_plugin_host::Plugin;
use switchover_plugin_host::wit::{self, Basis, FindingKind};
use switchover_topology::{Severity, mistyped};

use crate::commands;
use crate::failure::Failure;
use crate::render::text::visible;
use crate::report::word;

/// More codes that begin in the same way are too many to choose from.
const MOST_NAMED: usize = 20;

/// A rule, whoever checks it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule<'a> {
    /// One of switchover's own.
    Own(&'static switchover_rules::Rule),
    /// A kind of finding that a plugin declares.
    Plugin(&'a Plugin, &'a FindingKind),
}

impl<'a> Rule<'a> {
    pub(crate) fn code(self) -> &'a str {
        match self {
            Self::Own(rule) => rule.code,
            Self::Plugin(_, kind) => &kind.code,
        }
    }

    pub(crate) fn name(self) -> &'a str {
        match self {
            Self::Own(rule) => rule.name,
            Self::Plugin(_, kind) => &kind.name,
        }
    }

    /// The gravest that its findings have, unless a topology asks for more.
    pub(crate) fn severity(self) -> Severity {
        match self {
            Self::Own(rule) => rule.severity,
            Self::Plugin(_, kind) => match kind.severity {
                wit::Severity::Error => Severity::Error,
                wit::Severity::Warning => Severity::Warning,
                wit::Severity::Note => Severity::Note,
            },
        }
    }

    /// When it is raised, in one line.
    pub(crate) fn summary(self) -> Cow<'a, str> {
        match self {
            Self::Own(rule) => rule.summary.into(),
            Self::Plugin(_, kind) => visible(&kind.summary),
        }
    }

    /// What it means, why, and what to do: Markdown that begins with a heading.
    pub(crate) fn explanation(self) -> Cow<'a, str> {
        match self {
            Self::Own(rule) => rule.explanation.into(),
            Self::Plugin(..) => {
                format!("# {} {}\n\n{}\n", self.code(), self.name(), self.text()).into()
            }
        }
    }

    /// The explanation, with what reports show of the rule below its heading, which is of this level.
    pub(crate) fn page(self, level: usize) -> String {
        format!(
            "{} {} {}\n\nSeverity: {}. {}\n\n{}\n",
            "#".repeat(level),
            self.code(),
            self.name(),
            word(self.severity()),
            self.origin(),
            self.text()
        )
    }

    /// The explanation below its heading.
    fn text(self) -> Cow<'a, str> {
        match self {
            Self::Own(rule) => {
                let text = rule.explanation.trim();
                text.split_once('\n')
                    .map_or("", |(_, text)| text.trim())
                    .into()
            }
            Self::Plugin(_, kind) => {
                let mut text = format!("Raised when {}.\n", self.summary());
                for line in kind.explanation.trim().lines() {
                    text += "\n";
                    text += &visible(line);
                }
                text.into()
            }
        }
    }

    /// Who raises it, from what: one line of sentences.
    pub(crate) fn origin(self) -> String {
        match self {
            Self::Own(rule) => format!("WMS: {}.", rule.wms),
            Self::Plugin(plugin, kind) => {
                let basis = match kind.basis {
                    Basis::Topology => "Judged from the topology.",
                    Basis::Server => {
                        "Judged from what the server answers, so `validate` cannot raise it."
                    }
                };
                format!("Plugin: {} {}. {basis}", plugin.name(), plugin.version())
            }
        }
    }
}

/// All rules. Plugins are loaded once something is asked of theirs.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    plugins: OnceLock<Vec<Plugin>>,
}

impl Rules {
    /// Those of these plugins and no others.
    #[cfg(test)]
    pub(crate) fn with(plugins: Vec<Plugin>) -> Self {
        Self {
            plugins: OnceLock::from(plugins),
        }
    }

    /// Whether plugins have been asked for their rules.
    #[cfg(test)]
    pub(crate) fn is_loaded(&self) -> bool {
        self.plugins.get().is_some()
    }

    /// Switchover's own, by ascending code.
    pub(crate) fn own() -> impl Iterator<Item = Rule<'static>> {
        switchover_rules::all().iter().map(Rule::Own)
    }

    /// Those of the plugins that come with the command.
    pub(crate) fn of_plugins(&self) -> Result<impl Iterator<Item = Rule<'_>>, Failure> {
        let plugins = match self.plugins.get() {
            Some(plugins) => plugins,
            None => {
                let plugins = commands::plugin::all()?;
                self.plugins.get_or_init(|| plugins)
            }
        };
        Ok(plugins.iter().flat_map(of_plugin))
    }

    /// The rule of this code, in any letter case.
    pub(crate) fn find(&self, code: &str) -> Result<Option<Rule<'_>>, Failure> {
        match switchover_rules::rule(code) {
            Some(rule) => Ok(Some(Rule::Own(rule))),
            None if is_own(code) => Ok(None),
            None => {
                let mut rules = self.of_plugins()?;
                Ok(rules.find(|rule| rule.code().eq_ignore_ascii_case(code)))
            }
        }
    }

    /// Whether some rule's code is this, or begins so, in any letter case.
    pub(crate) fn any_begins_with(&self, beginning: &str) -> Result<bool, Failure> {
        let begins = |rule: Rule<'_>| begins_with(rule.code(), beginning);
        if beginning.is_empty() {
            return Ok(false);
        }
        Ok(Self::own().any(begins) || (!is_own(beginning) && self.of_plugins()?.any(begins)))
    }

    /// Names the rules that were probably meant: by code, the beginning of codes, or name.
    pub(crate) fn nearest(&self, asked: &str) -> Result<String, Failure> {
        let distance = |rule: Rule<'_>| {
            let by_code = Some(switchover_rules::slips(asked, rule.code()));
            let by_code = by_code.filter(|slips| *slips <= 2);
            by_code
                .into_iter()
                .chain(mistyped(asked, rule.name()))
                .min()
        };
        let mut rules: Vec<Rule<'_>> = Self::own().collect();
        if !is_own(asked) {
            rules.extend(self.of_plugins()?);
        }
        let begun: Vec<String> = rules
            .iter()
            .filter(|rule| begins_with(rule.code(), asked))
            .map(|rule| format!("`{}`", rule.code()))
            .collect();
        if (1..=MOST_NAMED).contains(&begun.len()) {
            return Ok(format!("did you mean one of {}?", begun.join(", ")));
        }
        let mut near: Vec<(usize, Rule<'_>)> = rules
            .into_iter()
            .filter_map(|rule| Some((distance(rule)?, rule)))
            .collect();
        near.sort_by_key(|(distance, rule)| (*distance, rule.code()));
        let closest = near.first().map(|(distance, _)| *distance);
        let names: Vec<String> = near
            .iter()
            .take_while(|(distance, _)| Some(*distance) == closest)
            .take(3)
            .map(|(_, rule)| format!("`{}` ({})", rule.code(), rule.name()))
            .collect();
        Ok(match names.as_slice() {
            [] => "codes look like `SW104`, or like `KEA001` for findings of plugins; `switchover validate` shows the \
                   first, and `switchover plugin inspect NAME` the others"
                .to_owned(),
            [one] => format!("did you mean {one}?"),
            several => format!("did you mean one of {}?", several.join(", ")),
        })
    }
}

/// The rules of one plugin, in its order.
pub(crate) fn of_plugin(plugin: &Plugin) -> impl Iterator<Item = Rule<'_>> {
    let kinds = plugin.manifest().findings.iter();
    kinds.map(move |kind| Rule::Plugin(plugin, kind))
}

/// Whether a code begins so, in any letter case.
pub(crate) fn begins_with(code: &str, beginning: &str) -> bool {
    code.get(..beginning.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

/// No plugin may declare such a code, so there is nothing to load one for.
fn is_own(code: &str) -> bool {
    begins_with(code, "SW")
}
