//! How files read in a plan: for whom they are.

use serde::{Deserialize, Serialize};
use switchover_sdk::{Failure, Line, ShownContent, ShownResource};

use crate::ADDRESS;
use crate::scope::Provisioned;

/// The device of a file; the hint of its resource.
#[derive(Serialize, Deserialize)]
struct Whose {
    model: String,
    device: String,
    /// Extension and name.
    user: Option<(String, String)>,
}

/// # Errors
/// A name cannot be written as JSON.
pub(crate) fn hint(item: &Provisioned<'_>) -> Result<String, Failure> {
    let whose = Whose {
        model: item.device.model.clone(),
        device: item.device.name.clone(),
        user: item
            .user
            .map(|user| (user.extension.clone(), user.name.clone())),
    };
    serde_json::to_string(&whose).map_err(|error| Failure::new("hint", format!("no hint: {error}")))
}

pub(crate) fn lines(resources: &[ShownResource]) -> Vec<Line> {
    resources
        .iter()
        .map(|resource| line(resource).unwrap_or_default())
        .collect()
}

fn line(resource: &ShownResource) -> Option<Line> {
    let ShownContent::File(file) = &resource.content else {
        return None;
    };
    let mut columns = vec![
        resource.address.strip_prefix(ADDRESS)?.to_owned(),
        match (file.lines, file.size) {
            (Some(1), _) => "1 line".to_owned(),
            (Some(lines), _) => format!("{lines} lines"),
            (None, size) => format!("{size} bytes"),
        },
    ];
    // A file whose device is gone says no more.
    let whose = resource.hint.as_deref();
    if let Some(whose) = whose.and_then(|hint| serde_json::from_str::<Whose>(hint).ok()) {
        columns.extend([whose.model, whose.device]);
        columns.extend(
            whose
                .user
                .map(|(extension, name)| format!("for {extension} {name}")),
        );
    }
    Some(Line::new(columns))
}

#[cfg(test)]
mod tests {
    use switchover_sdk::FileMeasure;

    use super::*;

    #[test]
    fn a_file_says_for_whom_it_is() {
        let whose = |user| {
            serde_json::to_string(&Whose {
                model: "WP480".into(),
                device: "reception".into(),
                user,
            })
            .ok()
        };
        let reception = || Some(("101".to_owned(), "Reception".to_owned()));
        for (lines, hint, line) in [
            (
                Some(16),
                whose(reception()),
                "9c7514000101.cfg | 16 lines | WP480 | reception | for 101 Reception",
            ),
            (
                Some(1),
                whose(None),
                "9c7514000101.cfg | 1 line | WP480 | reception",
            ),
            (None, None, "9c7514000101.cfg | 512 bytes"),
            (Some(2), Some("{}".into()), "9c7514000101.cfg | 2 lines"),
        ] {
            let resource = ShownResource {
                address: "file/9c7514000101.cfg".into(),
                kind: "file".into(),
                content: ShownContent::File(FileMeasure { size: 512, lines }),
                hint,
            };
            let shown = super::lines(&[resource]).remove(0);
            assert_eq!(shown.columns.join(" | "), line);
        }
    }
}
