//! Making, changing and deleting users.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use switchover_sdk::{Action, Change, Failure, Sign, Step, UndoStep, text};

use crate::evidence;
use crate::manifest::{Settings, path};
use crate::procedure::{delete, member, plain, send, unexpected};
use crate::records::{Records, User};
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

const PASSWORD: &str = "sipPassword";

/// What says which user it is, and what is written to all of them.
pub(crate) const WRITTEN: [&str; 4] = ["id", "extension", "name", PASSWORD];

/// Other fields that WMS takes and tells: what a deleted user is made of again.
pub(crate) const RESTORED: [&str; 11] = [
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

    /// Makes new users and changes others.
    ///
    /// # Errors
    /// A change does not fit what was read.
    pub(crate) fn write(&self, own: &Settings, records: &Records) -> Result<Vec<Step>, Failure> {
        let mut steps = Vec::new();
        for (extension, change) in &self.0 {
            match change.user {
                Some(user) if user.action == Action::Create => {
                    steps.push(create(own, records, extension, change)?);
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
    pub(crate) fn delete(&self, own: &Settings, records: &Records) -> Result<Vec<Step>, Failure> {
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
            let again = UndoStep::new(
                format!("make user {extension} again"),
                send(
                    "POST",
                    path::USERS,
                    &Value::Object(restored(extension, user)),
                ),
            );
            let there = |sign| evidence::user(own, records, extension, sign);
            steps.push(
                step.evidence(there(Sign::Absent))
                    .undo(again.evidence(there(Sign::Present))),
            );
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

/// Makes a user. The answer does not tell its id: it is looked for where the user has to go again.
fn create(
    own: &Settings,
    records: &Records,
    extension: &str,
    change: &UserChange<'_>,
) -> Result<Step, Failure> {
    let mut fields = written(change)?;
    fields.insert("extension".to_owned(), json!(extension));
    for (field, value) in [("dialplan", &own.dialplan), ("licenseType", &own.license)] {
        if let Some(value) = value {
            fields.insert(field.to_owned(), json!(value));
        }
    }
    let id = format!("user-{}", plain(extension));
    let create = Step::new(
        format!("create-{id}"),
        format!("create user {extension}"),
        send("POST", path::USERS, &Value::Object(fields)),
    );
    let remove = UndoStep::new(
        format!("delete user {extension}"),
        delete(at(&text::captured(&id))),
    );
    let there = |sign| evidence::user(own, records, extension, sign);
    Ok(create
        .evidence(there(Sign::Present).capture(id, "/id"))
        .undo(remove.evidence(there(Sign::Absent))))
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
