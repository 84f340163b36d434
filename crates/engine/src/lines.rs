//! How changes read: each plugin says it of its own resources.
//!
//! A plugin is given what a change shows of a resource already, and no more: values at sensitive paths are hidden, and
//! of a file it learns what it measures. So no line can tell what the fields do not.

use std::collections::HashMap;

use switchover_plugin_host::{PluginError, Session, wit};

use crate::diff::Resource;
use crate::plan::{Change, Content, Line};

/// Asks once for all changes, before and after. `hints` are those of the resources that change, among others.
pub(crate) fn put(
    session: &mut Session,
    changes: &mut [Change],
    hints: &HashMap<String, String>,
) -> Result<(), PluginError> {
    if changes.is_empty() {
        return Ok(());
    }
    let shown = |change: &Change, content: &Content| wit::ShownResource {
        address: change.address.clone(),
        kind: change.kind.clone(),
        content: shown(content),
        hint: hints.get(&change.address).cloned(),
    };
    let resources: Vec<wit::ShownResource> = changes
        .iter()
        .flat_map(|change| {
            let sides = change.before.iter().chain(&change.after);
            sides.map(|content| shown(change, content))
        })
        .collect();
    let mut lines = session.lines(&resources)?.into_iter();
    // Where the plugin has nothing to say, the resource is shown by its address.
    let mut next = || {
        let wit::Line { columns, more } = lines.next()?;
        let says = columns.iter().any(|column| !column.is_empty());
        says.then_some(Line { columns, more })
    };
    for change in changes {
        change.before_line = change.before.as_ref().and_then(|_| next());
        change.after_line = change.after.as_ref().and_then(|_| next());
    }
    Ok(())
}

/// What these resources are told beside their content.
pub(crate) fn hints<'a>(
    resources: impl IntoIterator<Item = &'a Resource>,
) -> HashMap<String, String> {
    let hint = |resource: &Resource| Some((resource.address.clone(), resource.hint.clone()?));
    resources.into_iter().filter_map(hint).collect()
}

fn shown(content: &Content) -> wit::ShownContent {
    match content {
        Content::Object(value) => wit::ShownContent::Object(value.to_string()),
        Content::Text(text) => wit::ShownContent::File(wit::FileMeasure {
            size: text.len() as u64,
            lines: Some(u32::try_from(text.lines().count()).unwrap_or(u32::MAX)),
        }),
        Content::Opaque { size, .. } => wit::ShownContent::File(wit::FileMeasure {
            size: *size,
            lines: None,
        }),
    }
}
