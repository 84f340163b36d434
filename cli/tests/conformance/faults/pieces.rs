//! Recovering in pieces: cut off at each question and begun again, and going on in the middle of a target.

use std::fs;

use serde_json::Value;

use super::fault::{Direction, Fault};
use super::results::Share;
use super::{APPLY, NOTHING, Site, inside};
use crate::conformance::Subject;
use crate::environment::files_below;

/// The answer to each question of `recover --back` is lost in turn, with the network; what was begun to be taken back is
/// taken back to its end when it is run again.
pub(in crate::conformance) fn is_taken_back_in_pieces<S: Subject>(module: &str, test: &str) {
    inside::<S>(module, test, |site| {
        site.find_points();
        let fault = Fault::RecoverCut(Direction::Back);
        let tally = site.sweep(fault, Share::All).unwrap();
        assert!(tally.lost.is_empty(), "{}", tally.lost.join("\n"));
        assert!(tally.tried > 5 && tally.met == tally.tried, "{tally:?}");
    });
}

/// A target whose steps are all in the plan is gone on with where an apply was killed: nothing of it is taken back, and
/// no step that was carried out is carried out again.
pub(in crate::conformance) fn is_finished_in_place<S: Subject>(module: &str, test: &str) {
    inside::<S>(module, test, |site| {
        site.find_points();
        let points = site.calls[1].clone();
        let mut gone_on = 0;
        for tenth in 1..10 {
            if site.at != 0 {
                site.goes_to(0).unwrap();
            }
            site.write(1);
            let point = &points[(points.len() - 1) * tenth / 10];
            site.tracer().killed_at(point, &APPLY);
            let middle = site.is_in_the_middle();
            let recovered = site.run(&["recover", "--forward", "--yes"]);
            assert_eq!(recovered.code, Some(0), "{recovered}");
            if recovered.stdout.contains(NOTHING) {
                site.at = usize::from(site.subject.bytes() == site.states[1]);
                continue;
            }
            site.at = 1;
            assert_eq!(site.subject.bytes(), site.states[1], "{recovered}");
            site.subject.assert_accepted();
            if middle {
                gone_on += 1;
                let taken_back = recovered.stderr.contains("subject: taking back");
                assert!(!taken_back, "{recovered}");
            }
        }
        assert!(gone_on > 0, "no apply was killed in the middle of a target");
    });
}

impl<S: Subject> Site<'_, S> {
    /// Whether the run that was killed had begun to commit at the subject, and had not read it back.
    fn is_in_the_middle(&self) -> bool {
        let runs = self.environment.work().join(".switchover/runs");
        let mut plan = Value::Null;
        let (mut begun, mut verified) = (false, false);
        for path in files_below(&runs) {
            for line in fs::read_to_string(path).unwrap().lines() {
                // A line may have something before its records, and the last one may be torn.
                let Some(at) = line.find("[{") else { continue };
                let Some(Ok(records)) = serde_json::Deserializer::from_str(&line[at..])
                    .into_iter::<Vec<Value>>()
                    .next()
                else {
                    continue;
                };
                for record in records {
                    let of_subject = record["target"] == "subject";
                    match record["record"].as_str() {
                        Some("begin") => plan = record["plan"].clone(),
                        Some("start") if of_subject => {
                            begun |= is_committed(&plan, &record["steps"]);
                        }
                        Some("verified") if of_subject => verified = true,
                        _ => {}
                    }
                }
            }
        }
        begun && !verified
    }
}

/// Whether any of these steps is one of the subject's commit.
fn is_committed(plan: &Value, steps: &Value) -> bool {
    let targets = plan["targets"].as_array().into_iter().flatten();
    let mut commit = targets
        .filter(|target| target["name"] == "subject")
        .flat_map(|target| {
            target["procedure"]["commit"]
                .as_array()
                .into_iter()
                .flatten()
        });
    let steps = steps.as_array().unwrap();
    commit.any(|step| steps.contains(&step["id"]))
}
