use crate::Topology;
use crate::element::Element;
use crate::model::elements;
use crate::schema::kind_named;
use crate::source::Span;

impl Topology {
    /// The place that a plugin's finding speaks of: `kind/name` or `kind/name/property`, such as `network/voice/pool`,
    /// and deeper where there is more (`dhcp/hq/server/dhcp1/address`). `site`, `wms-network` and `sync` need no name.
    /// Where the last parts are unknown it is the place of what is known.
    #[must_use]
    pub fn locate(&self, path: &str) -> Option<Span> {
        let (kind, rest) = path.split_once('/').unwrap_or((path, ""));
        let nodes = elements(self, kind_named(kind)?);
        if let Some((element, rest)) = by_name(nodes.iter(), rest) {
            return Some(inside(element, rest));
        }
        // No names to choose from.
        match nodes.as_slice() {
            [only] if rest.is_empty() || matches!(kind, "site" | "wms-network" | "sync") => {
                Some(inside(only, rest))
            }
            _ => None,
        }
    }
}

/// The node whose name a path begins with; names may hold `/`, so the longest one wins.
fn by_name<'a, 'p>(
    nodes: impl Iterator<Item = &'a Element>,
    path: &'p str,
) -> Option<(&'a Element, &'p str)> {
    let named = nodes.filter_map(|node| {
        let name = node.name()?.value;
        let rest = path.strip_prefix(name.as_str())?;
        let rest = if rest.is_empty() {
            rest
        } else {
            rest.strip_prefix('/')?
        };
        Some((name.len(), (node, rest)))
    });
    named
        .max_by_key(|(length, _)| *length)
        .map(|(_, found)| found)
}

fn inside(element: &Element, path: &str) -> Span {
    let whole = element.name().map_or(element.span, |name| name.span);
    if path.is_empty() {
        return whole;
    }
    let (key, rest) = path.split_once('/').unwrap_or((path, ""));
    let mut values = element.values_of(key);
    if let Some(first) = values.next() {
        // A list is pointed at as a whole where it stands in one place.
        let last = values.last().unwrap_or(first);
        let together = first.span.file == last.span.file && last.span.end >= first.span.start;
        return if together {
            Span {
                end: last.span.end,
                ..first.span
            }
        } else {
            first.span
        };
    }
    if let Some(setting) = element.settings.get(key) {
        return setting.span;
    }
    let nodes: Vec<&Element> = element.nodes_of(key).collect();
    match (by_name(nodes.iter().copied(), rest), nodes.as_slice()) {
        (Some((node, rest)), _) => inside(node, rest),
        (None, [only]) if rest.is_empty() => only.span,
        (None, [only]) => inside(only, rest),
        (None, [first, ..]) => first.span,
        (None, []) => whole,
    }
}
