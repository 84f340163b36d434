//! Making, changing and deleting users.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};
use switchover_sdk::{Action, Change, Effect, Failure, Step, UndoStep, text};

use crate::manifest::{Settings, path};
use crate::procedure::{delete, look, member, plain, send, unexpected, unless_carried_out};
use crate::reading::get;
use crate::records::{List, Records, User};
use crate::shape::{kind, name};

/// What changes about one user.
#[derive(Default)]
struct UserChange<'a> {
    user: Option<&'a Change>,
    email: Option<&'a Change>,
    password: Option<&'a Change>,
}

/// Changes by extension.
pub(crate) struct UserChanges<'a>(BTreeMap<&'a str, UserChange<'a>>);

/// Bytes of the longest extension that is looked into.
const LONGEST: usize = 64;

/// Every part of the extensions that there are.
#[derive(Default)]
struct Parts(HashSet<String>);

impl Parts {
    fn add(&mut self, extension: &str) {
        // Nobody dials more, and the number of parts grows with the square.
        if extension.len() > LONGEST {
            return;
        }
        let ends = || (0..=extension.len()).filter(|at| extension.is_char_boundary(*at));
        for start in ends() {
            let parts = ends().filter(|end| *end > start);
            self.0
                .extend(parts.map(|end| extension[start..end].to_owned()));
        }
    }
}

/// Fields that WMS takes and tells: what a deleted user is made of again.
const RESTORED: [&str; 11] = [
    "department",
    "dialplan",
    "email",
    "faxDialplan",
    "faxNumber",
    "language",
    "licenseType",
    "login",
    "mobilePhone",
    "officePhone",
    "role",
];

const PASSWORD: &str = "sipPassword";

fn at(id: &str) -> String {
    format!("{}/{id}", path::USERS)
}

impl<'a> UserChanges<'a> {
    /// # Errors
    /// An address does not fit its kind.
    pub(crate) fn of(changes: &'a [Change]) -> Result<Self, Failure> {
        let mut found: BTreeMap<&str, UserChange<'_>> = BTreeMap::new();
        for change in changes {
            let kind = change.kind.as_str();
            if ![kind::USER, kind::EMAIL, kind::SIP_PASSWORD].contains(&kind) {
                continue;
            }
            let extension = name(&change.address, kind)
                .ok_or_else(|| unexpected(change, "its address does not fit its kind"))?;
            let user = found.entry(extension).or_default();
            match kind {
                kind::USER => user.user = Some(change),
                kind::EMAIL => user.email = Some(change),
                _ => user.password = Some(change),
            }
        }
        Ok(Self(found))
    }

    /// Makes new users and changes others. `total` follows the number of users.
    ///
    /// # Errors
    /// A change does not fit what was read.
    pub(crate) fn write(
        &self,
        settings: &Settings,
        records: &Records,
        total: &mut usize,
    ) -> Result<Vec<Step>, Failure> {
        let mut steps = Vec::new();
        let mut present = Parts::default();
        records.users.keys().for_each(|one| present.add(one));
        for (extension, change) in &self.0 {
            match change.user {
                Some(user) if user.action == Action::Create => {
                    steps.extend(create(settings, extension, change, &present, *total)?);
                    present.add(extension);
                    *total += 1;
                }
                Some(user) if user.action == Action::Delete => {}
                _ => steps.push(update(extension, change, records)?),
            }
        }
        Ok(steps)
    }

    /// Deletes users.
    ///
    /// # Errors
    /// A change does not fit what was read.
    pub(crate) fn delete(
        &self,
        records: &Records,
        total: &mut usize,
    ) -> Result<Vec<Step>, Failure> {
        let mut steps = Vec::new();
        for (extension, change) in &self.0 {
            let Some(deleted) = change.user.filter(|user| user.action == Action::Delete) else {
                continue;
            };
            let user = known(records, extension, deleted)?;
            let step = Step::new(
                format!("delete-user-{}", plain(extension)),
                format!("delete user {extension}"),
                delete(at(&user.id)),
            );
            let still = format!("user {extension} is still there");
            steps.push(step.undo(unless_carried_out(List::Users, &still, *total)));
            *total -= 1;
            let gone = look(
                format!("gone-user-{}", plain(extension)),
                format!("see that user {extension} is gone"),
                List::Users,
                *total,
            );
            let again = UndoStep::new(
                format!("make user {extension} again"),
                send(
                    "POST",
                    path::USERS,
                    &Value::Object(restored(extension, user)),
                ),
            );
            steps.push(gone.undo(again));
        }
        Ok(steps)
    }
}

fn known<'r>(records: &'r Records, extension: &str, change: &Change) -> Result<&'r User, Failure> {
    records
        .users
        .get(extension)
        .ok_or_else(|| unexpected(change, "the PBX has no such user"))
}

/// Everything that was told of a user, and its SIP password unseen.
fn restored(extension: &str, user: &User) -> Map<String, Value> {
    let mut fields = Map::from_iter([
        ("name".to_owned(), json!(user.text("name"))),
        ("extension".to_owned(), json!(extension)),
    ]);
    for field in RESTORED {
        if let Some(value) = user.fields.get(field).filter(|value| value.is_string()) {
            fields.insert(field.to_owned(), value.clone());
        }
    }
    if user.fields.contains_key(PASSWORD) {
        fields.insert(PASSWORD.to_owned(), json!(user.place.reference(PASSWORD)));
    }
    fields
}

/// Makes a user, then looks for the id that the answer does not tell.
fn create(
    settings: &Settings,
    extension: &str,
    change: &UserChange<'_>,
    present: &Parts,
    total: usize,
) -> Result<Vec<Step>, Failure> {
    let mut fields = written(change)?;
    fields.insert("extension".to_owned(), json!(extension));
    for (field, value) in [
        ("dialplan", &settings.dialplan),
        ("licenseType", &settings.license),
    ] {
        if let Some(value) = value {
            fields.insert(field.to_owned(), json!(value));
        }
    }
    let create = Step::new(
        format!("create-user-{}", plain(extension)),
        format!("create user {extension}"),
        send("POST", path::USERS, &Value::Object(fields)),
    );
    let none = format!("there is no user {extension}");
    let mut steps = vec![create.undo(unless_carried_out(List::Users, &none, total))];
    // A search finds parts of extensions: where it could find another user first, it is left out, and so is its undo.
    let is_clear = !extension.contains('#') && !present.0.contains(extension);
    if is_clear {
        let id = format!("user-{extension}");
        let path = format!(
            "{}?count=1&searchFields=extension&search={extension}",
            path::USERS
        );
        let find = Step::new(
            format!("find-user-{extension}"),
            format!("look for the id of user {extension}"),
            Effect::Http(get(path)),
        );
        let remove = UndoStep::new(
            format!("delete user {extension}"),
            delete(at(&text::captured(&id))),
        );
        steps.push(
            find.expect("/result/records/0/extension", &json!(extension))
                .capture(id, "/result/records/0/id")
                .undo(remove),
        );
    }
    Ok(steps)
}

fn update(extension: &str, change: &UserChange<'_>, records: &Records) -> Result<Step, Failure> {
    let any = change.user.or(change.email).or(change.password);
    let Some(any) = any else {
        return Err(Failure::new("change", "a user has no change"));
    };
    let user = known(records, extension, any)?;
    let fields = written(change)?;
    let before: Map<String, Value> = fields
        .keys()
        .map(|field| {
            let value = match field.as_str() {
                PASSWORD => json!(user.place.reference(PASSWORD)),
                field => json!(user.text(field)),
            };
            (field.clone(), value)
        })
        .collect();
    let put = |fields| send("PUT", at(&user.id), &Value::Object(fields));
    Ok(Step::new(
        format!("update-user-{}", plain(extension)),
        format!("change user {extension}"),
        put(fields),
    )
    .undo(UndoStep::new(
        format!("change user {extension} back"),
        put(before),
    )))
}

/// The fields of a user that change, as they will be.
fn written(change: &UserChange<'_>) -> Result<Map<String, Value>, Failure> {
    let mut fields = Map::new();
    let mut add = |change: Option<&Change>, member_name: &str, field: &str| {
        let Some(change) = change else { return Ok(()) };
        let value = match change.is_wanted() {
            true => member(change, change.after.as_ref(), member_name)?,
            false => String::new(),
        };
        fields.insert(field.to_owned(), json!(value));
        Ok(())
    };
    add(change.user, "name", "name")?;
    add(change.email, "email", "email")?;
    // A password that is no longer declared stays as it is.
    let password = change.password.filter(|password| password.is_wanted());
    add(password, "password", PASSWORD)?;
    Ok(fields)
}
