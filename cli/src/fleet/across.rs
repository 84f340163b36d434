//! What sites must not both have, when several are validated together.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use switchover_rules::{Claims, Clash, Located, clashes};
use switchover_topology::{Diagnostic, FileId, Loaded, Sources, Span};

use crate::failure::Failure;
use crate::topology_file;

/// A site that was judged by itself.
pub(crate) struct JudgedSite {
    pub(crate) findings: Vec<Diagnostic>,
    /// Empty where nothing was found.
    pub(crate) sources: Sources,
    name: String,
    claims: Claims,
}

impl JudgedSite {
    /// Keeps what is still needed of a site: not its topology, nor its files unless a finding points into one.
    pub(crate) fn of(loaded: Loaded, findings: Vec<Diagnostic>, file: &Path) -> Self {
        let site = loaded.topology.site.as_ref();
        let name = site.map_or_else(
            || file.display().to_string(),
            |site| site.name.value.clone(),
        );
        Self {
            claims: Claims::of(&loaded.topology),
            sources: if findings.is_empty() {
                Sources::default()
            } else {
                loaded.sources
            },
            findings,
            name,
        }
    }
}

/// A site with a clash, read once more: only a few sites have any.
struct Reread {
    loaded: Loaded,
    located: Located,
    /// Files of other sites among its own.
    borrowed: HashMap<(usize, FileId), FileId>,
}

/// Adds to the findings of each site what it has in common with another and must not. The key of a site is its place among
/// the files.
pub(crate) fn add_clashes(
    sites: &mut BTreeMap<usize, JudgedSite>,
    file: impl Fn(usize) -> Option<std::path::PathBuf>,
) -> Result<(), Failure> {
    let keys: Vec<usize> = sites.keys().copied().collect();
    let claims: Vec<Claims> = sites
        .values_mut()
        .map(|site| std::mem::take(&mut site.claims))
        .collect();
    let clashes = clashes(&claims);
    drop(claims);
    let mut concern: BTreeMap<usize, Vec<&Clash>> = BTreeMap::new();
    for clash in &clashes {
        for site in [clash.site, clash.other] {
            concern.entry(site).or_default().push(clash);
        }
    }
    let mut reread = HashMap::new();
    for (&site, clashes) in &concern {
        let Some(file) = file(keys[site]) else {
            continue;
        };
        let loaded = topology_file::read(&file)?;
        let clashes = clashes.iter().copied();
        let located = Located::of(&loaded.topology, clashes, topology_file::today());
        let borrowed = HashMap::new();
        reread.insert(
            site,
            Reread {
                loaded,
                located,
                borrowed,
            },
        );
    }
    let mut found: BTreeMap<usize, Vec<Diagnostic>> = BTreeMap::new();
    for clash in &clashes {
        let other = &sites[&keys[clash.other]].name;
        found
            .entry(clash.site)
            .or_default()
            .extend(finding(clash, other, &mut reread));
    }
    for (site, found) in found {
        if let (Some(again), Some(judged)) = (reread.remove(&site), sites.get_mut(&keys[site])) {
            judged.findings.extend(again.loaded.origins.relate(found));
            judged.sources = again.loaded.sources;
        }
    }
    Ok(())
}

/// None where a file has changed meanwhile.
fn finding(clash: &Clash, other: &str, reread: &mut HashMap<usize, Reread>) -> Option<Diagnostic> {
    let theirs = clash.theirs(&reread.get(&clash.other)?.located)?;
    let source = reread
        .get(&clash.other)?
        .loaded
        .sources
        .file(theirs.span.file);
    let (name, text) = (source.name.clone(), source.text.clone());
    let ours = reread.get_mut(&clash.site)?;
    let sources = &mut ours.loaded.sources;
    let file = *ours
        .borrowed
        .entry((clash.other, theirs.span.file))
        .or_insert_with(|| {
            // Sites over one base have it both.
            let own = sources.files().position(|file| file.name == name);
            match own.and_then(|own| u32::try_from(own).ok()) {
                Some(own) => FileId(own),
                None => sources.add(name, text),
            }
        });
    let related = Span {
        file,
        ..theirs.span
    };
    let ours = clash.ours(&ours.located)?;
    let mut finding = clash.finding(&ours, &theirs, other, related);
    finding.related.retain(|related| related.span != ours.span);
    Some(finding)
}
