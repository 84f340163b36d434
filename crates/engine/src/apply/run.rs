//! One target during an apply.

mod evidence;
mod files;
mod resume;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use serde_json::Value;
use switchover_effects::command;
use switchover_effects::folder::Batch;
use switchover_effects::http::HttpError;
use switchover_effects::placeholder::Values;
use tracing::Span;

use super::{Work, commands, doing};
use crate::context::Context;
use crate::error::{Cause, TargetError};
use crate::event::{Event, Phase};
use crate::plan::{
    Action, Capture, Content, Effect, Expectation, HttpRequest, Plan, Step, TargetPlan,
};
use crate::planner::Draft;
use crate::secrets::RunSecrets;
use crate::span::{self, span};
use crate::world::Observation;
use files::is_file;
use resume::Left;
pub(crate) use resume::can_go_on;

/// A target with everything that is known of it, and what was done to it so far.
pub(crate) struct Running<'a> {
    part: &'a TargetPlan,
    draft: Draft,
    observation: Observation,
    wanted: Vec<String>,
    /// Wanted texts of files by the addresses of their resources.
    texts: HashMap<&'a str, &'a str>,
    values: Lookup<'a>,
    batch: Option<Batch>,
    /// Undo steps of what was begun, in the order of beginning.
    begun: Vec<&'a Step>,
    /// Where another process began it.
    left: Option<Left<'a>>,
}

/// Where placeholders get their values.
struct Lookup<'a> {
    secrets: &'a RunSecrets,
    usable: BTreeSet<String>,
    observed: HashMap<String, Value>,
    captured: BTreeMap<String, Value>,
}

impl Values for Lookup<'_> {
    fn secret(&self, name: &str) -> Option<&str> {
        let usable = self.usable.contains(name);
        usable
            .then(|| {
                self.secrets
                    .store()
                    .get(name)
                    .map(switchover_effects::secrets::Secret::expose)
            })
            .flatten()
    }

    fn observed(&self, query: &str, pointer: &str) -> Option<&Value> {
        self.observed
            .get(query)
            .and_then(|answer| answer.pointer(pointer))
    }

    fn captured(&self, name: &str) -> Option<&Value> {
        self.captured.get(name)
    }
}

impl<'a> Running<'a> {
    pub(crate) fn new(
        part: &'a TargetPlan,
        draft: Draft,
        mut observation: Observation,
        wanted: Vec<String>,
        usable: BTreeSet<String>,
        secrets: &'a RunSecrets,
    ) -> Self {
        let texts = part
            .changes
            .iter()
            .filter_map(|change| match &change.after {
                Some(Content::Text(text)) => Some((change.address.as_str(), text.as_str())),
                _ => None,
            });
        let observed = std::mem::take(&mut observation.raw);
        Self {
            texts: texts.collect(),
            part,
            draft,
            observation,
            wanted,
            values: Lookup {
                secrets,
                usable,
                observed,
                captured: BTreeMap::new(),
            },
            batch: None,
            begun: Vec::new(),
            left: None,
        }
    }

    /// The target's name.
    pub(crate) fn name(&self) -> &'a str {
        &self.part.name
    }

    fn failed(&self, phase: Phase, title: &str, cause: Cause) -> TargetError {
        TargetError::new(&self.part.name, doing(phase, title), cause)
    }

    fn tell(&self, context: &Context<'_>, phase: Phase, title: &str) {
        context.tell(Event::Step {
            target: self.part.name.clone(),
            phase,
            title: title.to_owned(),
        });
    }

    /// Writes new files beside the old ones, then runs the plugin's own checks.
    pub(super) async fn stage(
        &mut self,
        work: &Work<'_, '_>,
        plan: &Plan,
    ) -> Result<(), TargetError> {
        let span = self.span(Phase::Stage, "files", "files beside their places");
        span::within(span, self.stage_files(work, plan)).await?;
        for step in &self.part.procedure.stage {
            self.step(work, Phase::Stage, step).await?;
        }
        self.can_verify().await
    }

    /// What cannot be looked at from here is said before anything is changed, not after.
    async fn can_verify(&self) -> Result<(), TargetError> {
        for step in &self.part.procedure.verify {
            if let Effect::DhcpDiscover(discover) = &step.effect {
                let relay = self.draft.world.probes.relay(discover).await;
                relay.map_err(|cause| self.failed(Phase::Stage, &step.title, cause))?;
            }
        }
        Ok(())
    }

    /// Makes the changes, then reads everything back.
    pub(super) async fn commit_and_verify(
        &mut self,
        work: &Work<'_, '_>,
    ) -> Result<(), TargetError> {
        let part = self.part;
        let mut steps = part.procedure.commit.as_slice();
        while let Some((step, rest)) = steps.split_first() {
            let files = steps.iter().take_while(|step| is_file(step)).count();
            if files == 0 {
                self.step(work, Phase::Commit, step).await?;
                steps = rest;
            } else {
                let title = format!("{files} file{}", if files == 1 { "" } else { "s" });
                let span = self.span(Phase::Commit, "files", &title);
                span::within(span, self.commit_files(work, &steps[..files])).await?;
                steps = &steps[files..];
            }
        }
        self.sync_files().await?;
        work.journal.committed(&part.name);
        work.context.tell(Event::Committed {
            target: part.name.clone(),
        });
        for step in &part.procedure.verify {
            self.step(work, Phase::Verify, step).await?;
        }
        let title = "read everything back";
        self.read_back(work.secrets)
            .await
            .map_err(|cause| self.failed(Phase::Verify, title, cause))?;
        work.journal.verified(&part.name);
        work.context.tell(Event::Verified {
            target: part.name.clone(),
        });
        Ok(())
    }

    /// The target now holds what the plan wanted, and no longer what it deleted.
    async fn read_back(&mut self, secrets: &RunSecrets) -> Result<(), Cause> {
        let (_, current) = self.draft.observe(&self.wanted, secrets).await?;
        let there: HashMap<&str, String> = current
            .iter()
            .map(|resource| (resource.address.as_str(), resource.body.sha256()))
            .collect();
        let mut wrong = Vec::new();
        let accepted = |address: &str| {
            let mut known = self.part.known_drift.iter();
            known.any(|known| known.address == address)
        };
        for (address, owned) in &self.part.resources {
            if accepted(address) {
                continue;
            }
            if there.get(address.as_str()) != Some(&owned.sha256) {
                wrong.push(address.as_str());
            }
        }
        let deleted = self
            .part
            .changes
            .iter()
            .filter(|change| change.action == Action::Delete);
        wrong.extend(
            deleted
                .map(|change| change.address.as_str())
                .filter(|address| there.contains_key(address)),
        );
        if wrong.is_empty() {
            return Ok(());
        }
        let mut list = wrong
            .iter()
            .take(5)
            .map(|address| format!("`{address}`"))
            .collect::<Vec<_>>()
            .join(", ");
        if wrong.len() > 5 {
            list.push_str(", …");
        }
        Err(Cause::ReadBack {
            count: wrong.len(),
            wanted: self.part.resources.len(),
            list,
        })
    }

    async fn step(
        &mut self,
        work: &Work<'_, '_>,
        phase: Phase,
        step: &'a Step,
    ) -> Result<(), TargetError> {
        let span = self.span(phase, &step.id, &step.title);
        span::within(span, self.take_step(work, phase, step)).await
    }

    /// Of a step.
    fn span(&self, phase: Phase, step: &str, title: &str) -> Span {
        span!(
            "step",
            target = self.part.name,
            phase = phase.name(),
            step,
            title
        )
    }

    async fn take_step(
        &mut self,
        work: &Work<'_, '_>,
        phase: Phase,
        step: &'a Step,
    ) -> Result<(), TargetError> {
        let Work {
            context, journal, ..
        } = *work;
        let target = self.part.name.as_str();
        // What only looks leaves nothing to take back.
        let written = phase != Phase::Verify || !step.undo.is_empty();
        if context.stop.is_asked() {
            return Err(self.failed(phase, &step.title, Cause::Stopped));
        }
        self.tell(context, phase, &step.title);
        // Noted before it is done: a request that is not answered may have been carried out.
        let noted = match written {
            true => journal.start(target, [step.id.as_str()]).await,
            false => journal.hold(),
        };
        noted.map_err(|error| self.failed(phase, &step.title, error.into()))?;
        self.begun.push(step);
        let done = tokio::select! {
            done = self.perform(phase, &step.effect, &step.expect, &step.capture) => done,
            () = context.stop.asked() => Err(Cause::Stopped),
        };
        if let Err(cause) = &done
            && never_arrived(cause)
        {
            self.begun.pop();
            // Whoever does not know it undoes what was never done, which does no harm.
            journal.never(target, &step.id);
        }
        let noted = match done {
            Ok(()) if written => {
                let captured = self.captured_by(step);
                let noted = journal.done(target, &step.id, &captured).await;
                noted.map_err(Cause::from)
            }
            done => done,
        };
        noted.map_err(|cause| self.failed(phase, &step.title, cause))
    }

    /// The values that a step has captured, or that were captured where it was looked for.
    fn captured_by(&self, step: &Step) -> BTreeMap<String, Value> {
        let looked_for = step.evidence.iter().flat_map(|look| &look.capture);
        let captured = step.capture.iter().chain(looked_for).filter_map(|capture| {
            let value = self.values.captured.get(&capture.name)?;
            Some((capture.name.clone(), value.clone()))
        });
        captured.collect()
    }

    async fn perform(
        &mut self,
        phase: Phase,
        effect: &Effect,
        expect: &[Expectation],
        capture: &[Capture],
    ) -> Result<(), Cause> {
        match effect {
            Effect::Http(request) => {
                let answer = self.request(request, expect, !capture.is_empty()).await?;
                for capture in capture {
                    let value = answer
                        .pointer(&capture.pointer)
                        .cloned()
                        .unwrap_or(Value::Null);
                    self.values.captured.insert(capture.name.clone(), value);
                }
                Ok(())
            }
            // Files are the engine's own business: all of them together.
            Effect::WriteFile { .. } | Effect::RemoveFile { .. } => Ok(()),
            Effect::Run { name, file } => self.run(name, file.as_deref()).await,
            Effect::DnsUpdate(update) => {
                let dns = self.draft.world.dns()?;
                dns.update(update, &self.values, phase == Phase::Undo).await
            }
            Effect::DnsProbe {
                zone,
                server,
                deadline_ms,
                every_ms,
            } => {
                let dns = self.draft.world.dns()?;
                self.until(*deadline_ms, *every_ms, async || {
                    dns.caught_up(zone, server).await
                })
                .await
            }
            Effect::DnsQuery {
                zone,
                server,
                expect,
                deadline_ms,
                every_ms,
            } => {
                let world = &self.draft.world;
                self.until(*deadline_ms, *every_ms, async || {
                    let server = server.as_deref();
                    world.answers(zone, server, expect, &self.values).await
                })
                .await
            }
            Effect::SipOptions {
                transport,
                port,
                deadline_ms,
                every_ms,
            } => {
                let probes = &self.draft.world.probes;
                self.until(*deadline_ms, *every_ms, async || {
                    probes.in_service(*transport, *port).await
                })
                .await
            }
            Effect::DhcpDiscover(discover) => {
                let probes = &self.draft.world.probes;
                let relay = probes.relay(discover).await?;
                self.until(discover.deadline_ms, discover.every_ms, async || {
                    probes.offers(&relay, discover, &self.values).await
                })
                .await
            }
            Effect::Probe {
                request,
                deadline_ms,
                every_ms,
            } => {
                self.until(*deadline_ms, *every_ms, async || {
                    self.request(request, expect, false).await.map(|_| ())
                })
                .await
            }
        }
    }

    /// Sends and holds the answer against what is expected. `Null` where nobody looks at the answer.
    async fn request(
        &self,
        request: &HttpRequest,
        expect: &[Expectation],
        captures: bool,
    ) -> Result<Value, Cause> {
        let answer = self.draft.world.send(request, &self.values).await?;
        if expect.is_empty() && !captures {
            return Ok(Value::Null);
        }
        let redact = |text: &str| self.draft.world.reporting.masker().redact(text);
        let value: Value = serde_json::from_slice(&answer.body).map_err(|_| Cause::NotJson {
            text: self.excerpt(&answer.body),
        })?;
        for expectation in expect {
            let found = value.pointer(&expectation.pointer);
            if found != Some(&expectation.equals) {
                let reason = request
                    .reason
                    .as_ref()
                    .and_then(|pointer| value.pointer(pointer))
                    .and_then(Value::as_str);
                return Err(Cause::Unexpected {
                    pointer: expectation.pointer.clone(),
                    expected: expectation.equals.to_string(),
                    found: found
                        .map_or_else(|| "nothing".to_owned(), |found| redact(&found.to_string())),
                    text: reason.map(redact),
                });
            }
        }
        Ok(value)
    }

    /// The beginning of an answer, without secrets.
    fn excerpt(&self, body: &[u8]) -> String {
        let text: String = String::from_utf8_lossy(body).chars().take(200).collect();
        self.draft.world.reporting.masker().redact(&text)
    }

    async fn run(&self, name: &str, file: Option<&str>) -> Result<(), Cause> {
        let world = &self.draft.world;
        let argv = world.command(name)?;
        let path = match (file, &self.batch) {
            (Some(file), Some(batch)) => Some(batch.staged_path(file)?),
            (Some(file), None) => Some(world.folder()?.absolute(file)?),
            (None, _) => None,
        };
        let path = path
            .as_ref()
            .map_or_else(String::new, |path| path.to_string_lossy().into_owned());
        let argv: Vec<String> = argv
            .iter()
            .map(|argument| argument.replace("{file}", &path))
            .collect();
        command::run(&commands::of(world, name, &argv), &world.reporting).await?;
        Ok(())
    }

    /// Tries until it succeeds or the deadline passes.
    async fn until(
        &self,
        deadline_ms: u32,
        every_ms: u32,
        tried: impl AsyncFn() -> Result<(), Cause>,
    ) -> Result<(), Cause> {
        let deadline = Duration::from_millis(deadline_ms.into());
        let started = Instant::now();
        loop {
            let last = match tried().await {
                Ok(()) => return Ok(()),
                Err(cause) => cause,
            };
            if started.elapsed() >= deadline {
                return Err(Cause::Probe {
                    seconds: deadline.as_secs_f32(),
                    last: Box::new(last),
                });
            }
            tokio::time::sleep(Duration::from_millis(every_ms.max(10).into())).await;
        }
    }

    /// Takes back what was begun: files first, then the plugin's undo steps in reverse.
    pub(super) async fn undo(&mut self, work: &Work<'_, '_>) -> Vec<TargetError> {
        let Work {
            context, journal, ..
        } = *work;
        let mut errors = Vec::new();
        errors.extend(self.undo_files(context).await);
        let files_are_back = errors.is_empty();
        for step in std::mem::take(&mut self.begun).into_iter().rev() {
            let before = errors.len();
            let again = self.is_half_undone(step);
            match self.is_to_be_undone(step).await {
                Ok(true) => {}
                Ok(false) => continue,
                Err(cause) => {
                    errors.push(self.failed(Phase::Undo, &step.title, cause));
                    continue;
                }
            }
            if !again {
                // Where this cannot be written, that is no reason to leave things half done; where the run is somebody
                // else's, it is one to do nothing.
                let attempt = self.left.as_ref().map(|left| left.attempt);
                let captured = self.captured_by(step);
                let target = &self.part.name;
                let _ = journal
                    .undo_start(attempt, target, &step.id, &captured)
                    .await;
            }
            if journal.hold().is_err() {
                break;
            }
            for undo in &step.undo {
                context.tell(Event::Undoing {
                    target: self.part.name.clone(),
                    title: undo.title.clone(),
                });
                let span = self.span(Phase::Undo, &step.id, &undo.title);
                if let Err(cause) = span::within(span, self.take_back(undo, again)).await {
                    errors.push(self.failed(Phase::Undo, &undo.title, cause));
                }
            }
            if errors.len() == before && (files_are_back || !is_file(step)) {
                // Undoing once more does no harm.
                journal.undone(&self.part.name, &step.id);
            }
        }
        errors
    }
}

/// The server cannot have seen the request.
const fn never_arrived(cause: &Cause) -> bool {
    if let Cause::Dns(error) = cause {
        return error.did_nothing();
    }
    matches!(
        cause,
        Cause::Expand(_)
            | Cause::Incomplete { .. }
            | Cause::Zone { .. }
            | Cause::Http(
                HttpError::Refused { .. }
                    | HttpError::Dns { .. }
                    | HttpError::Unreachable { .. }
                    | HttpError::ConnectTimeout { .. }
                    | HttpError::Tls { .. }
                    | HttpError::Client { .. }
                    | HttpError::Path { .. }
                    | HttpError::Header { .. }
                    | HttpError::Method { .. }
            )
    )
}
