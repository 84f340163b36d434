//! What a plugin says of itself, for people: in the terminal and in the reference.

use std::fmt::Write as _;

use switchover_engine::settings_of_target;
use switchover_plugin_host::settings::written;
use switchover_plugin_host::wit::{Reach, UndoSupport};
use switchover_plugin_host::{Plugin, pattern};

use crate::render::text::{counted, visible};
use crate::report::word;
use crate::rules;
use crate::terminal::Look;

/// One line a plugin, then the line that sums up.
pub(crate) fn list(plugins: &[Plugin]) -> String {
    let mut text = String::new();
    let widest = plugins
        .iter()
        .map(|plugin| plugin.name().chars().count())
        .max()
        .unwrap_or_default();
    for plugin in plugins {
        let summary = visible(&plugin.manifest().summary);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:widest$}  {}  {summary}",
            plugin.name(),
            plugin.version()
        );
    }
    let _ = writeln!(text, "{}", counted(plugins.len(), "plugin", "plugins"));
    text
}

/// A Markdown page on a plugin whose headings begin at this level.
pub(crate) fn page(plugin: &Plugin, level: usize) -> String {
    let manifest = plugin.manifest();
    let heading = "#".repeat(level);
    let mut page = format!(
        "{heading} {} {}\n\n{}\n\n",
        plugin.name(),
        plugin.version(),
        visible(&manifest.summary)
    );
    let reach: Vec<&str> = manifest
        .reach
        .iter()
        .map(|reach| match reach {
            Reach::Http => "HTTP below the target's `endpoint`",
            Reach::Files => "files below the target's `root`",
            Reach::Dns => "DNS at the target's `server`",
        })
        .collect();
    let undo = match manifest.undo {
        UndoSupport::Native => "by switchover: files are put back as they were",
        UndoSupport::Plugin => "by the plugin's own undo steps",
        UndoSupport::None => "none",
    };
    // Writing to a string cannot fail.
    let _ = writeln!(page, "- Reaches its server by: {}", reach.join(", "));
    let _ = writeln!(page, "- Undo: {undo}");
    if manifest.adopts {
        let name = plugin.name();
        let _ = writeln!(
            page,
            "- What runs today becomes a topology by: `switchover import {name}`"
        );
    }
    let section = |page: &mut String, title: &str, lines: Vec<String>| {
        if lines.is_empty() {
            return;
        }
        let _ = writeln!(page, "\n{heading}# {title}\n");
        for line in lines {
            let _ = writeln!(page, "- {}", visible(&line));
        }
    };
    let servers = manifest
        .servers
        .iter()
        .map(|server| format!("{} {}", server.product, server.versions));
    section(&mut page, "Servers", servers.collect());
    let resources = manifest
        .resources
        .iter()
        .map(|kind| format!("`{}`: {}", kind.name, kind.summary));
    section(&mut page, "Resources", resources.collect());
    section(
        &mut page,
        "May read",
        manifest
            .reads
            .iter()
            .map(|read| code(&pattern::text(read)))
            .collect(),
    );
    section(
        &mut page,
        "May write",
        manifest
            .writes
            .iter()
            .map(|write| code(&pattern::text(write)))
            .collect(),
    );
    let templates = manifest
        .templates
        .iter()
        .map(|template| code(&template.name));
    section(&mut page, "Templates", templates.collect());
    page
}

/// The settings of a target as a Markdown table below a heading of this level.
pub(crate) fn settings_table(plugin: &Plugin, level: usize) -> String {
    let mut table = format!(
        "\n{} Settings\n\n| setting | value | default | meaning |\n| --- | --- | --- | --- |\n",
        "#".repeat(level)
    );
    let cell = |text: &str| visible(text).replace('|', "\\|");
    for row in rows(plugin) {
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} |",
            cell(&code(&row.name)),
            cell(&row.values),
            cell(&row.default),
            cell(&row.meaning)
        );
    }
    table
}

/// The same for a terminal of this width: a line for each setting, what it means indented below.
pub(crate) fn settings_lines(plugin: &Plugin, look: Look) -> String {
    let rows = rows(plugin);
    let name = rows.iter().map(|row| row.name.chars().count()).max();
    let name = name.unwrap_or_default();
    let mut text = super::markdown::render("## Settings of a target\n", look);
    text.insert(0, '\n');
    for row in rows {
        let default = match row.default.as_str() {
            "" => String::new(),
            "required" => " (required)".to_owned(),
            default => format!(" [default: {default}]"),
        };
        let line = format!("{}{default}", row.values);
        let indent = " ".repeat(name + 4);
        let first = format!("  {:name$}  ", row.name);
        let options = textwrap::Options::new(look.width)
            .initial_indent(&first)
            .subsequent_indent(&indent)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .word_separator(textwrap::WordSeparator::AsciiSpace);
        let meaning = options.clone().initial_indent(&indent);
        let _ = writeln!(text, "\n{}", textwrap::fill(&visible(&line), options));
        let _ = writeln!(text, "{}", textwrap::fill(&visible(&row.meaning), meaning));
    }
    text
}

/// A setting in words.
struct Row {
    name: String,
    values: String,
    default: String,
    meaning: String,
}

/// Everything that a target of the plugin may say, commands last.
fn rows(plugin: &Plugin) -> Vec<Row> {
    let manifest = plugin.manifest();
    let default = |required: bool, default: Option<String>| match default {
        _ if required => "required".to_owned(),
        Some(default) => default,
        None => String::new(),
    };
    let settings = settings_of_target(manifest).into_iter().map(|setting| Row {
        values: format!(
            "{}{}",
            setting.values,
            if setting.several {
                ", once or more"
            } else {
                ""
            }
        ),
        default: default(setting.required, setting.default.as_ref().map(written)),
        name: setting.name,
        meaning: setting.meaning,
    });
    let commands = manifest.commands.iter().map(|command| Row {
        name: format!("command \"{}\"", command.name),
        values: "\"PROGRAM\" \"ARGUMENT\" …".to_owned(),
        default: default(command.required, None),
        meaning: command.summary.clone(),
    });
    settings.chain(commands).collect()
}

/// Its findings, one line each.
pub(crate) fn findings(plugin: &Plugin, level: usize) -> String {
    let mut text = String::new();
    for rule in rules::of_plugin(plugin) {
        let (code, name) = (rule.code(), rule.name());
        let severity = word(rule.severity());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "- `{code}` {name} ({severity}): {}", rule.summary());
    }
    let heading = "#".repeat(level);
    section_of_findings(
        &heading,
        &text,
        "`switchover explain CODE` explains each of them.\n\n",
    )
}

/// Its findings, each explained as `switchover explain` does.
pub(crate) fn explained_findings(plugin: &Plugin, level: usize) -> String {
    let pages: Vec<String> = rules::of_plugin(plugin)
        .map(|rule| rule.page(level + 1))
        .collect();
    section_of_findings(&"#".repeat(level), &pages.join("\n"), "")
}

fn section_of_findings(heading: &str, text: &str, introduction: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("\n{heading} Findings\n\n{introduction}{text}")
}

/// A code span that holds backticks, too.
fn code(text: &str) -> String {
    let longest = text
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}
