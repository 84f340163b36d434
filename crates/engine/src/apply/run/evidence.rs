//! Whether an effect was carried out, where its answer does not tell: looked for at the target itself.

use serde_json::Value;

use super::Running;
use crate::error::Cause;
use crate::event::Phase;
use crate::plan::{Capture, Evidence, Expectation, HttpRequest, Sign, Step, UndoStep};
use crate::world::NoValues;

/// What one answer shows.
enum Page<'a> {
    /// Where the expectations are met.
    Met(&'a Value),
    /// Not here. With the number of members that were looked at.
    Unmet(usize),
}

/// How far a list that comes in pages was gone through.
#[derive(Debug, Default)]
struct Walk {
    seen: usize,
    pages: usize,
}

/// A server whose list grows as fast as it is read keeps nobody for longer.
const MOST_PAGES: usize = 10_000;

impl Running<'_> {
    /// Whether there is anything to take back of a step that was begun. Its undo then has what the look captured.
    ///
    /// Once its undo steps were begun, a look no longer tells: the first of them may have brought back what the evidence
    /// is about, and the others nothing yet.
    pub(super) async fn is_to_be_undone(&mut self, step: &Step) -> Result<bool, Cause> {
        match &step.evidence {
            _ if step.undo.is_empty() => Ok(false),
            _ if self.is_half_undone(step) => Ok(true),
            None => Ok(true),
            Some(evidence) => self.was_carried_out(evidence).await,
        }
    }

    /// Undoes. Where that fails, and a look shows that it was not carried out either, it is tried once more. Where it
    /// may have been carried out before, what has evidence is not carried out again.
    pub(super) async fn take_back(&mut self, undo: &UndoStep, again: bool) -> Result<(), Cause> {
        if let Some(evidence) = undo.evidence.as_ref().filter(|_| again)
            && self.was_carried_out(evidence).await?
        {
            return Ok(());
        }
        let first = self
            .perform(Phase::Undo, &undo.effect, &undo.expect, &[])
            .await;
        let (Err(_), Some(evidence)) = (&first, &undo.evidence) else {
            return first;
        };
        match self.was_carried_out(evidence).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.perform(Phase::Undo, &undo.effect, &undo.expect, &[])
                    .await
            }
            // Why it failed says more than why nobody could look.
            Err(_) => first,
        }
    }

    /// Looks, and keeps what is to be captured where the expectations are met.
    ///
    /// # Errors
    /// Nobody can tell: the target does not answer, or not as it should.
    pub(super) async fn was_carried_out(&mut self, evidence: &Evidence) -> Result<bool, Cause> {
        let found = self.found(evidence).await?;
        let is_met = found.is_some();
        for (name, value) in found.into_iter().flatten() {
            self.values.captured.insert(name, value);
        }
        Ok(is_met == (evidence.sign == Sign::Present))
    }

    /// The captured values where the expectations are met; none where they are not met anywhere.
    async fn found(&self, evidence: &Evidence) -> Result<Option<Vec<(String, Value)>>, Cause> {
        let mut walk = Walk::default();
        loop {
            let request = match &evidence.paging {
                Some(paging) => from(&evidence.request, &paging.parameter, walk.seen),
                None => evidence.request.clone(),
            };
            self.draft.world.may_read(&request)?;
            let answer = self.draft.world.send(&request, &NoValues).await?;
            let answer: Value =
                serde_json::from_slice(&answer.body).map_err(|_| Cause::NotJson {
                    text: self.excerpt(&answer.body),
                })?;
            let members = match look(evidence, &answer)? {
                Page::Met(place) => return Ok(Some(captured(&evidence.capture, place))),
                Page::Unmet(members) => members,
            };
            let more = match &evidence.paging {
                Some(paging) => walk.has_more(&paging.total, members, &answer)?,
                None => false,
            };
            if !more {
                return Ok(None);
            }
        }
    }
}

impl Walk {
    /// Whether more follows this page, on which is not what is looked for.
    fn has_more(&mut self, total: &str, members: usize, answer: &Value) -> Result<bool, Cause> {
        self.seen += members;
        self.pages += 1;
        let of = answer.pointer(total).and_then(Value::as_u64);
        let of = of.ok_or_else(|| unexpected(total, "a number", answer.pointer(total)))?;
        if u64::try_from(self.seen).is_ok_and(|seen| seen >= of) {
            return Ok(false);
        }
        // There should be more, and it does not come, or never comes to an end.
        if members == 0 || self.pages == MOST_PAGES {
            let seen = self.seen.to_string();
            return Err(unexpected(total, &seen, answer.pointer(total)));
        }
        Ok(true)
    }
}

fn look<'a>(evidence: &Evidence, answer: &'a Value) -> Result<Page<'a>, Cause> {
    let Some(list) = &evidence.among else {
        return Ok(match meets(answer, &evidence.expect) {
            true => Page::Met(answer),
            false => Page::Unmet(1),
        });
    };
    let members = answer.pointer(list).and_then(Value::as_array);
    let members = members.ok_or_else(|| unexpected(list, "a list", answer.pointer(list)))?;
    let found = members
        .iter()
        .find(|member| meets(member, &evidence.expect));
    Ok(found.map_or(Page::Unmet(members.len()), Page::Met))
}

fn meets(value: &Value, expect: &[Expectation]) -> bool {
    expect
        .iter()
        .all(|one| value.pointer(&one.pointer) == Some(&one.equals))
}

fn captured(captures: &[Capture], place: &Value) -> Vec<(String, Value)> {
    let captured = |capture: &Capture| {
        let value = place.pointer(&capture.pointer).cloned();
        (capture.name.clone(), value.unwrap_or(Value::Null))
    };
    captures.iter().map(captured).collect()
}

/// What a list is, or how many members it has, is no secret of anybody's; what stands in its place could be.
fn unexpected(pointer: &str, expected: &str, found: Option<&Value>) -> Cause {
    let found = match found {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(_)) => "true or false".to_owned(),
        Some(Value::String(_)) => "a text".to_owned(),
        Some(Value::Array(_)) => "a list".to_owned(),
        Some(Value::Object(_)) => "an object".to_owned(),
    };
    Cause::Unexpected {
        pointer: pointer.to_owned(),
        expected: expected.to_owned(),
        found,
        text: None,
    }
}

/// The request for what follows the first `skipped` members.
fn from(request: &HttpRequest, parameter: &str, skipped: usize) -> HttpRequest {
    let mut request = request.clone();
    if let Some((path, query)) = request.path.split_once('?') {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) if name == parameter => format!("{name}={skipped}"),
            _ => pair.to_owned(),
        });
        request.path = format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"));
    }
    request
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::HttpBody;

    fn evidence(among: Option<&str>, expect: &[(&str, Value)]) -> Evidence {
        let expectation = |(pointer, equals): &(&str, Value)| Expectation {
            pointer: (*pointer).to_owned(),
            equals: equals.clone(),
        };
        Evidence {
            request: request("/users?count=100&start=0&search=101"),
            among: among.map(str::to_owned),
            paging: None,
            expect: expect.iter().map(expectation).collect(),
            sign: Sign::Present,
            capture: vec![Capture {
                name: "id".to_owned(),
                pointer: "/id".to_owned(),
            }],
        }
    }

    fn request(path: &str) -> HttpRequest {
        HttpRequest {
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: HttpBody::Empty,
            reason: None,
        }
    }

    #[test]
    fn one_member_has_to_meet_everything() {
        let answer = json!({ "records": [
            { "id": 1, "extension": "1010", "user": null },
            { "id": 2, "extension": "101", "user": "x" },
            { "id": 3, "extension": "101", "user": null },
        ] });
        let wanted = evidence(
            Some("/records"),
            &[("/extension", json!("101")), ("/user", Value::Null)],
        );
        match look(&wanted, &answer) {
            Ok(Page::Met(place)) => assert_eq!(
                captured(&wanted.capture, place),
                [("id".to_owned(), json!(3))]
            ),
            _ => panic!("the third is meant"),
        }
        let other = evidence(Some("/records"), &[("/extension", json!("10"))]);
        assert!(matches!(look(&other, &answer), Ok(Page::Unmet(3))));
    }

    #[test]
    fn without_a_list_the_answer_itself_is_looked_at() {
        let wanted = evidence(None, &[("/total", json!(2))]);
        assert!(matches!(
            look(&wanted, &json!({ "total": 2 })),
            Ok(Page::Met(_))
        ));
        assert!(matches!(
            look(&wanted, &json!({ "total": 3 })),
            Ok(Page::Unmet(_))
        ));
    }

    #[test]
    fn something_else_than_a_list_is_no_evidence_of_absence() {
        let wanted = evidence(Some("/records"), &[]);
        for answer in [
            json!({}),
            json!({ "records": null }),
            json!({ "records": "password-1" }),
        ] {
            let Err(error) = look(&wanted, &answer) else {
                panic!("{answer} is no list")
            };
            assert!(!error.to_string().contains("password-1"), "{error}");
        }
    }

    #[test]
    fn a_list_is_gone_through_to_its_end_and_no_longer() {
        let page = |total: Value| json!({ "total": total });
        let mut walk = Walk::default();
        assert!(walk.has_more("/total", 100, &page(json!(150))).unwrap());
        assert!(!walk.has_more("/total", 50, &page(json!(150))).unwrap());
        assert!(
            !Walk::default()
                .has_more("/total", 0, &page(json!(0)))
                .unwrap()
        );
        for (members, total) in [(0, json!(1)), (1, json!("7")), (1, Value::Null)] {
            let more = Walk::default().has_more("/total", members, &page(total));
            assert!(matches!(more, Err(Cause::Unexpected { .. })));
        }
        let mut walk = Walk::default();
        let growing = page(json!(u64::MAX));
        let asked = (1..).find(|_| walk.has_more("/total", 1, &growing).is_err());
        assert_eq!(asked, Some(MOST_PAGES));
    }

    #[test]
    fn pages_follow_each_other() {
        let first = request("/users?count=100&start=0&search=start");
        assert_eq!(
            from(&first, "start", 100).path,
            "/users?count=100&start=100&search=start"
        );
        assert_eq!(from(&request("/users"), "start", 7).path, "/users");
    }
}
