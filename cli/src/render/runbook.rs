//! A runbook as Markdown, and as a page of HTML made from that.

use std::error::Error;
use std::fmt::Write as _;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, html};
use switchover_engine::{Runbook, TargetTasks, Task, TaskState};

use crate::render::text::{counted, markdown_safe, visible};

/// The page's look: readable on a screen, sparing on paper.
const STYLE: &str = include_str!("runbook.css");

/// A list of tasks, ticked where a server shows that they are done.
pub(crate) fn markdown(runbook: &Runbook) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = draw(&mut text, runbook);
    text
}

/// The same as one page that loads nothing.
pub(crate) fn html(runbook: &Runbook) -> String {
    let source = markdown(runbook);
    let events = Parser::new_ext(&source, Options::ENABLE_TASKLISTS | Options::ENABLE_TABLES);
    let mut body = String::new();
    html::push_html(&mut body, events.map(harmless));
    let mut title = String::new();
    html::push_html(
        &mut title,
        std::iter::once(Event::Text(
            format!("Runbook for {}", visible(&runbook.site)).into(),
        )),
    );
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n{body}</body>\n</html>\n"
    )
}

/// Texts come from plugins: markup in them is shown as it is written, and links lead to pages only.
fn harmless(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => {
            let is_page = ["https://", "http://"]
                .iter()
                .any(|scheme| dest_url.starts_with(scheme));
            Event::Start(Tag::Link {
                link_type,
                dest_url: if is_page {
                    dest_url
                } else {
                    CowStr::Borrowed("#")
                },
                title,
                id,
            })
        }
        // Nothing is loaded: what would be an image is a link to it.
        Event::Start(Tag::Image { .. }) => Event::Start(Tag::Emphasis),
        Event::End(pulldown_cmark::TagEnd::Image) => Event::End(pulldown_cmark::TagEnd::Emphasis),
        other => other,
    }
}

fn draw(text: &mut String, runbook: &Runbook) -> std::fmt::Result {
    writeln!(text, "# Runbook for {}\n", markdown_safe(&runbook.site))?;
    let of_targets = runbook.targets.iter().flat_map(|target| &target.tasks);
    let by_hand = runbook.by_hand.iter().flat_map(|pbx| &pbx.tasks);
    let tasks: Vec<&Task> = of_targets.chain(by_hand).collect();
    if tasks.is_empty() && runbook.targets.is_empty() {
        writeln!(text, "Nothing here is to be done by hand.")?;
        return Ok(());
    }
    let count = |of: fn(&TaskState) -> bool| tasks.iter().filter(|task| of(&task.state)).count();
    let done = count(|state| matches!(state, TaskState::Done(_)));
    let open = count(|state| matches!(state, TaskState::Open(_)));
    writeln!(
        text,
        "{}: {done} done, {open} open, {} to be looked at by a person.",
        counted(tasks.len(), "task", "tasks"),
        tasks.len() - done - open
    )?;
    for target in &runbook.targets {
        draw_target(text, target)?;
    }
    for pbx in &runbook.by_hand {
        writeln!(text, "\n## {} (no target)\n", markdown_safe(&pbx.pbx))?;
        for task in &pbx.tasks {
            draw_task(text, task)?;
        }
    }
    Ok(())
}

fn draw_target(text: &mut String, target: &TargetTasks) -> std::fmt::Result {
    writeln!(
        text,
        "\n## {} ({})\n",
        markdown_safe(&target.target),
        markdown_safe(&target.plugin)
    )?;
    if let Some(error) = &target.unread {
        let mut reasons = vec![error.to_string()];
        let mut cause = error.source();
        while let Some(error) = cause {
            reasons.push(error.to_string());
            cause = error.source();
        }
        writeln!(text, "> {}\n", markdown_safe(&reasons.join(": ")))?;
    }
    for task in &target.tasks {
        draw_task(text, task)?;
    }
    Ok(())
}

fn draw_task(text: &mut String, task: &Task) -> std::fmt::Result {
    let (mark, word, seen) = match &task.state {
        TaskState::Done(seen) => ("x", "done", seen),
        TaskState::Open(seen) => (" ", "open", seen),
        TaskState::Unknown(why) => (" ", "not known", why),
    };
    writeln!(text, "- [{mark}] **{}**", markdown_safe(&task.title))?;
    writeln!(text, "  — {word}: {}\n", markdown_safe(seen))?;
    for line in task.instructions.lines() {
        match visible(line) {
            line if line.trim().is_empty() => writeln!(text)?,
            line => writeln!(text, "  {line}")?,
        }
    }
    writeln!(text, "\n  *{}*\n", markdown_safe(&task.source))
}

#[cfg(test)]
mod tests;
