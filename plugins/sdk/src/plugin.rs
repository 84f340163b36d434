//! The nine functions of a plugin.

use std::marker::PhantomData;

use crate::bindings::exports::switchover::plugin::api::Guest;
use crate::{
    Adopting, Answer, Change, Examination, Failure, Finding, Line, Manifest, Procedure, Query,
    Resource, ShownResource, Target, View,
};

/// A plugin: pure functions from what is wanted and what was read to what should be done.
///
/// The host calls them in this order, on one instance for one target: [`check`](Self::check),
/// [`desired`](Self::desired), [`queries`](Self::queries) (until it gives none), [`current`](Self::current),
/// [`examine`](Self::examine), [`procedure`](Self::procedure); for an import [`queries`](Self::queries),
/// [`adopt`](Self::adopt), [`current`](Self::current). Where people look at resources, [`lines`](Self::lines) says how
/// they read. Nothing is kept between the calls: what a function needs, it gets.
pub trait Plugin {
    /// What this plugin is, what it manages, and every request it may ever ask for.
    fn describe() -> Manifest;

    /// Findings that only this plugin can know, such as a name that its server would not accept. Each is made from a
    /// [`Rule`](crate::Rule) that the manifest lists.
    fn check(view: &View, target: &Target) -> Vec<Finding> {
        let _ = (view, target);
        Vec::new()
    }

    /// What should exist on the target.
    fn desired(view: &View, target: &Target) -> Result<Vec<Resource>, Failure>;

    /// What to read next; none when `answers` are enough for [`current`](Self::current). Rounds count from 0 and there
    /// are at most eight.
    fn queries(
        target: &Target,
        wanted: &[String],
        round: u32,
        answers: &[Answer],
    ) -> Result<Vec<Query>, Failure>;

    /// What exists on the target, in the addresses and the shape of [`desired`](Self::desired).
    fn current(target: &Target, answers: &[Answer]) -> Result<Vec<Resource>, Failure>;

    /// What the answers tell beside resources: contradictions of the topology, and what only a person can do. There are
    /// no answers where the server was not read; the tasks are the same then, and their states are unknown.
    fn examine(view: &View, target: &Target, answers: &[Answer]) -> Result<Examination, Failure> {
        let _ = (view, target, answers);
        Ok(Examination {
            findings: Vec::new(),
            tasks: Vec::new(),
        })
    }

    /// What the answers to [`queries`](Self::queries) say, as parts of a topology, for `switchover import`; or what has
    /// to be read besides. The engine holds it against [`desired`](Self::desired), so it may propose what turns out not
    /// to fit. Called only where the manifest says `adopts`; a plugin whose server does not hold parts of a topology
    /// leaves it out.
    fn adopt(target: &Target, answers: &[Answer]) -> Result<Adopting, Failure> {
        let _ = (target, answers);
        Err(Failure::new(
            "nothing-to-adopt",
            "this plugin cannot tell what a server holds in the terms of a topology",
        ))
    }

    /// The steps that turn what exists into what is wanted.
    fn procedure(
        target: &Target,
        answers: &[Answer],
        changes: &[Change],
    ) -> Result<Procedure, Failure>;

    /// How the resources read in the words of the server's own configuration: a line for each, in their order. A plugin
    /// that leaves it out has its resources shown by address and fields.
    fn lines(resources: &[ShownResource]) -> Vec<Line> {
        resources.iter().map(|_| Line::default()).collect()
    }
}

/// Puts a [`Plugin`] in the place of the generated trait, which takes everything by value.
#[doc(hidden)]
pub struct Adapter<P>(PhantomData<P>);

impl<P: Plugin> Adapter<P> {
    #[doc(hidden)]
    #[must_use]
    pub fn describe() -> Manifest {
        P::describe()
    }
}

impl<P: Plugin + 'static> Guest for Adapter<P> {
    fn describe() -> Manifest {
        P::describe()
    }

    fn check(view: View, target: Target) -> Vec<Finding> {
        P::check(&view, &target)
    }

    fn desired(view: View, target: Target) -> Result<Vec<Resource>, Failure> {
        P::desired(&view, &target)
    }

    fn queries(
        target: Target,
        wanted: Vec<String>,
        round: u32,
        answers: Vec<Answer>,
    ) -> Result<Vec<Query>, Failure> {
        P::queries(&target, &wanted, round, &answers)
    }

    fn current(target: Target, answers: Vec<Answer>) -> Result<Vec<Resource>, Failure> {
        P::current(&target, &answers)
    }

    fn examine(view: View, target: Target, answers: Vec<Answer>) -> Result<Examination, Failure> {
        P::examine(&view, &target, &answers)
    }

    fn adopt(target: Target, answers: Vec<Answer>) -> Result<Adopting, Failure> {
        P::adopt(&target, &answers)
    }

    fn procedure(
        target: Target,
        answers: Vec<Answer>,
        changes: Vec<Change>,
    ) -> Result<Procedure, Failure> {
        P::procedure(&target, &answers, &changes)
    }

    fn lines(resources: Vec<ShownResource>) -> Vec<Line> {
        P::lines(&resources)
    }
}
