//! Files of one target during an apply: all that stand together go together.

use switchover_effects::folder::{Change, Expected, Intent, NewFile};
use switchover_effects::placeholder::expand_text;

use super::{Running, Work};
use crate::context::Context;
use crate::error::{Cause, TargetError};
use crate::event::{Event, Phase};
use crate::files::readers;
use crate::journal::{Journal, Prepared};
use crate::plan::{Effect, FileContent, Plan, Step};
use crate::span;

/// Whether a step is a file's.
pub(super) const fn is_file(step: &Step) -> bool {
    matches!(
        step.effect,
        Effect::WriteFile { .. } | Effect::RemoveFile { .. }
    )
}

/// A file with its content, where it gets any.
struct Wanted<'a> {
    step: &'a Step,
    path: &'a str,
    content: Option<(String, NewFile)>,
}

impl<'a> Running<'a> {
    /// Writes new files beside the old ones.
    pub(super) async fn stage_files(
        &mut self,
        work: &Work<'_, '_>,
        plan: &Plan,
    ) -> Result<(), TargetError> {
        let Work {
            context, journal, ..
        } = *work;
        let part = self.part;
        let mut wanted = Vec::new();
        for step in part.procedure.commit.iter().filter(|step| is_file(step)) {
            self.tell(context, Phase::Stage, &step.title);
            let failed = |cause| self.failed(Phase::Stage, &step.title, cause);
            wanted.extend(self.wanted(context, step).map_err(failed)?);
        }
        let Some(first) = wanted.first() else {
            let title = "write down what is there on";
            let noted = self.note(journal, None).await;
            return noted.map_err(|cause| TargetError::new(&part.name, title, cause));
        };
        let title = &first.step.title;
        let failed = |cause| TargetError::new(&part.name, super::doing(Phase::Stage, title), cause);
        let folder = self.draft.world.folder().map_err(failed)?.clone();
        let expected = |path: &str| match self.observation.found.get(path) {
            Some(Some(digest)) => Expected::Digest(*digest),
            // What the plugin did not read was not there when it looked.
            Some(None) | None => Expected::Absent,
        };
        let changes: Vec<Change<'_>> = wanted
            .iter()
            .map(|Wanted { path, content, .. }| match content {
                Some((text, new)) => Change::Write {
                    path,
                    bytes: text.as_bytes(),
                    expected: expected(path),
                    new: *new,
                },
                None => Change::Remove {
                    path,
                    expected: expected(path),
                },
            })
            .collect();
        let name = journal.batch_name(plan, &part.name);
        let intent = tokio::select! {
            intent = folder.intend(&name, &changes) => intent.map_err(|error| failed(error.into()))?,
            () = context.stop.asked() => return Err(failed(Cause::Stopped)),
        };
        self.note(journal, Some(intent.clone()))
            .await
            .map_err(failed)?;
        let batch = tokio::select! {
            batch = folder.begin(&intent) => batch.map_err(|error| failed(error.into()))?,
            () = context.stop.asked() => return Err(failed(Cause::Stopped)),
        };
        let batch = self.batch.insert(batch);
        let staged = tokio::select! {
            staged = batch.stage(&changes) => staged,
            () = context.stop.asked() => return Err(failed(Cause::Stopped)),
        };
        let synced = staged
            .map_err(|error| (Some(error.at), error.error))
            .and_then(|()| batch.sync().map_err(|error| (None, error)));
        synced.map_err(|(at, error)| {
            let title = at.map_or("make the new files durable", |at| &wanted[at].step.title);
            self.failed(Phase::Stage, title, error.into())
        })
    }

    /// Writes down what an undo will need.
    async fn note(&self, journal: &Journal, intent: Option<Intent>) -> Result<(), Cause> {
        let procedure = &self.part.procedure;
        let prepared = Prepared::new(intent, &self.values.observed, procedure)?;
        Ok(journal.prepared(&self.part.name, &prepared).await?)
    }

    /// What a step wants of its file.
    fn wanted(&self, context: &Context<'_>, step: &'a Step) -> Result<Option<Wanted<'a>>, Cause> {
        Ok(match &step.effect {
            Effect::WriteFile { path, content } => {
                let text = match content {
                    FileContent::Text(text) => text.as_str(),
                    FileContent::Resource(address) => {
                        let text = self.texts.get(address.as_str()).copied();
                        text.ok_or_else(|| Cause::NoContent {
                            address: address.clone(),
                        })?
                    }
                };
                let target = context.target(&self.part.name);
                let new = target.map_or(NewFile::SECRET, |target| readers(target, text));
                Some(Wanted {
                    step,
                    path,
                    content: Some((expand_text(text, &self.values)?, new)),
                })
            }
            Effect::RemoveFile { path } => Some(Wanted {
                step,
                path,
                content: None,
            }),
            _ => None,
        })
    }

    /// Puts staged files in place.
    pub(super) async fn commit_files(
        &mut self,
        work: &Work<'_, '_>,
        steps: &'a [Step],
    ) -> Result<(), TargetError> {
        let Work {
            context, journal, ..
        } = *work;
        let title = |at: usize| steps.get(at).map_or("", |step| step.title.as_str());
        if context.stop.is_asked() {
            return Err(self.failed(Phase::Commit, title(0), Cause::Stopped));
        }
        let mut paths = Vec::new();
        for step in steps {
            self.tell(context, Phase::Commit, &step.title);
            if let Effect::WriteFile { path, .. } | Effect::RemoveFile { path } = &step.effect {
                paths.push(path.as_str());
            }
        }
        journal
            .start(&self.part.name, steps.iter().map(|step| step.id.as_str()))
            .await
            .map_err(|error| self.failed(Phase::Commit, title(0), error.into()))?;
        self.begun.extend(steps);
        let Some(batch) = &mut self.batch else {
            return Ok(());
        };
        let committed = tokio::select! {
            committed = batch.commit(&paths) => committed,
            () = context.stop.asked() => {
                return Err(self.failed(Phase::Commit, title(0), Cause::Stopped));
            }
        };
        committed
            .map_err(|failed| self.failed(Phase::Commit, title(failed.at), failed.error.into()))
    }

    /// Makes durable that the files are in place.
    pub(super) async fn sync_files(&mut self) -> Result<(), TargetError> {
        let Some(batch) = &mut self.batch else {
            return Ok(());
        };
        let synced = batch.sync_folders().await;
        synced.map_err(|error| {
            self.failed(Phase::Commit, "make the files' names durable", error.into())
        })
    }

    /// Takes back what was done to the files.
    pub(super) async fn undo_files(&mut self, context: &Context<'_>) -> Option<TargetError> {
        self.batch.as_ref()?;
        let title = "restore the files";
        let span = self.span(Phase::Undo, "files", title);
        let batch = self.batch.as_mut()?;
        context.tell(Event::Undoing {
            target: self.part.name.clone(),
            title: title.to_owned(),
        });
        let undone = span::within(span, batch.undo()).await;
        let error = undone.err()?;
        Some(self.failed(Phase::Undo, title, error.into()))
    }

    /// Removes what waits beside the files. Gives whether nothing of it is left.
    pub(crate) async fn end(&mut self) -> bool {
        match self.batch.take() {
            Some(batch) => batch.discard().await,
            None => true,
        }
    }

    /// Leaves it for whoever recovers the run.
    pub(crate) async fn leave(&mut self) {
        if let Some(batch) = self.batch.take() {
            batch.leave().await;
        }
    }
}
