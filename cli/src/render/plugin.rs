//! What a plugin says of itself, for people: in the terminal and in the reference.

use std::fmt::Write as _;

use switchover_plugin_host::wit::{Reach, UndoSupport};
use switchover_plugin_host::{Plugin, pattern};

use crate::render::text::{counted, visible};

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
    let commands = manifest.commands.iter().map(|command| {
        let need = if command.required {
            "required"
        } else {
            "optional"
        };
        format!("`{}` ({need}): {}", command.name, command.summary)
    });
    section(&mut page, "Commands", commands.collect());
    let templates = manifest
        .templates
        .iter()
        .map(|template| code(&template.name));
    section(&mut page, "Templates", templates.collect());
    let _ = writeln!(
        page,
        "\n{heading}# Settings\n\n```json\n{}\n```",
        settings(&manifest.settings_schema)
    );
    page
}

/// The schema, indented. The host has checked that it is JSON.
fn settings(schema: &str) -> String {
    serde_json::from_str::<serde_json::Value>(schema)
        .and_then(|schema| serde_json::to_string_pretty(&schema))
        .unwrap_or_else(|_| visible(schema).into_owned())
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
