//! What a target is in the world: its endpoint, its folder, its commands. Every request is held against the plugin's
//! manifest here, right before it is sent.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;
use sha2::{Digest, Sha256};
use switchover_effects::Reporting;
use switchover_effects::folder::{FileContent, Folder};
use switchover_effects::http::{Application, Auth, Endpoint, Options, Request, Response};
use switchover_effects::placeholder::{
    Placeholder, Values, expand_json, expand_text, expand_url, is_name,
};
use switchover_plugin_host::{Plugin, Session, permit, wit};
use switchover_topology::model::{self, Target};

use crate::context::Context;
use crate::convert;
use crate::diff::hex;
use crate::dns::Dns;
use crate::error::Cause;
use crate::files;
use crate::plan::{HttpBody, HttpRequest, Rrset};
use crate::probe::Probes;
use crate::secrets::{RunSecrets, auth_name};

const DNS_EXAMPLE: &str = "server \"10.20.0.53:53\"";

/// A plugin that has not asked its last question by then never will.
const MAX_ROUNDS: u32 = 8;

/// One target, reachable.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) plugin: Plugin,
    endpoint: Option<Endpoint>,
    dns: Option<Dns>,
    pub(crate) probes: Probes,
    /// None where the target declares no root.
    folder: Option<Folder>,
    commands: BTreeMap<String, Vec<String>>,
    pub(crate) reporting: Reporting,
}

/// What was read of a target.
#[derive(Debug, Default)]
pub(crate) struct Observation {
    /// As a plugin sees it: secrets are references.
    pub(crate) answers: Vec<wit::Answer>,
    /// Files by query, in the same space.
    pub(crate) files: HashMap<String, Vec<u8>>,
    /// SHA-256 of the files that were read, by path, as they are; none where there was none.
    pub(crate) found: HashMap<String, Option<[u8; 32]>>,
    /// JSON answers by query, as the server gave them: what `${observed:…}` refers to.
    pub(crate) raw: HashMap<String, Value>,
    /// SHA-256 over the answers.
    pub(crate) digest: String,
}

impl World {
    /// Prepares to reach a target. Nothing is connected and nothing is created.
    pub(crate) fn new(
        context: &Context<'_>,
        target: &Target,
        plugin: Plugin,
        secrets: &RunSecrets,
    ) -> Result<Self, Cause> {
        let auth = target.auth.as_ref().and_then(|auth| {
            let secret = secrets.store().get(&auth_name(target))?.clone();
            Some(match auth {
                model::Auth::Bearer { .. } => Auth::Bearer(secret),
                model::Auth::Basic { user, .. } => Auth::Basic {
                    user: user.value.clone(),
                    password: secret,
                },
                model::Auth::Signed {
                    app_id, app_name, ..
                } => Auth::Signed(Application {
                    id: app_id.value.clone(),
                    name: app_name.value.clone(),
                    secret,
                }),
            })
        });
        let endpoint = target
            .endpoint
            .as_ref()
            .map(|url| {
                let options = Options {
                    extra_roots: files::roots(context, target)?,
                    ..Options::default()
                };
                let endpoint =
                    Endpoint::new(url.value.clone(), auth, options, secrets.reporting())?;
                Ok::<_, Cause>(endpoint)
            })
            .transpose()?;
        let folder = files::folder(context, target, secrets)?;
        let commands = target.commands.iter().map(|command| {
            let name = command.name.value.clone();
            let argv = match context.instead(&target.name.value, &name) {
                Some(instead) => instead.clone(),
                None => argv_of(command),
            };
            (name, argv)
        });
        let world = Self {
            commands: commands.collect(),
            endpoint,
            dns: Dns::new(context.topology, target, secrets)?,
            probes: Probes::new(context, target, secrets.reporting())?,
            folder,
            reporting: secrets.reporting().clone(),
            plugin,
        };
        for reach in &world.plugin.manifest().reach {
            match reach {
                wit::Reach::Http if world.endpoint.is_none() => {
                    return Err(world.incomplete("HTTP", "endpoint \"http://10.20.30.5:8000/\""));
                }
                wit::Reach::Files if world.folder.is_none() => {
                    return Err(world.incomplete("files", "root \"out\""));
                }
                wit::Reach::Dns if world.dns.is_none() => {
                    return Err(world.incomplete("DNS", DNS_EXAMPLE));
                }
                wit::Reach::Http | wit::Reach::Files | wit::Reach::Dns => {}
            }
        }
        Ok(world)
    }

    fn incomplete(&self, what: &'static str, example: &'static str) -> Cause {
        Cause::Incomplete {
            plugin: self.plugin.name().to_owned(),
            what,
            example,
        }
    }

    /// The plugin broke the contract.
    pub(crate) fn contract(&self, export: &'static str, problem: &dyn std::fmt::Display) -> Cause {
        Cause::Contract {
            plugin: self.plugin.name().to_owned(),
            export,
            problem: problem.to_string(),
        }
    }

    /// The plugin asked for what its manifest does not hold.
    pub(crate) fn refused(&self, refusal: permit::Refusal) -> Cause {
        Cause::Refused {
            plugin: self.plugin.name().to_owned(),
            refusal: Box::new(refusal),
        }
    }

    /// Asks the plugin what to read, and reads it.
    pub(crate) async fn observe(
        &self,
        session: &mut Session,
        target: &wit::Target,
        wanted: &[String],
        secrets: &RunSecrets,
    ) -> Result<Observation, Cause> {
        let mut observation = Observation::default();
        let mut bases = Vec::new();
        for round in 0.. {
            let queries = session.queries(target, wanted, round, &observation.answers)?;
            if queries.is_empty() {
                break;
            }
            if round == MAX_ROUNDS {
                return Err(self.asks_for_ever("queries"));
            }
            self.ask(&queries, "queries", secrets, &mut observation)
                .await?;
            bases.extend(queries.into_iter().map(|query| query.rests_on));
        }
        observation.digest = digest(&observation.answers, &bases, secrets);
        Ok(observation)
    }

    /// Has the plugin say what was observed as parts of a topology, and reads what it wants to know besides.
    pub(crate) async fn adopt(
        &self,
        session: &mut Session,
        target: &wit::Target,
        mut observation: Observation,
        secrets: &RunSecrets,
    ) -> Result<wit::Adoption, Cause> {
        for _ in 0..MAX_ROUNDS {
            match session.adopt(target, &observation.answers)? {
                wit::Adopting::Found(adoption) => return Ok(adoption),
                wit::Adopting::More(queries) => {
                    self.ask(&queries, "adopt", secrets, &mut observation)
                        .await?;
                }
            }
        }
        Err(self.asks_for_ever("adopt"))
    }

    fn asks_for_ever(&self, export: &'static str) -> Cause {
        self.contract(export, &format!("it still asks after {MAX_ROUNDS} rounds"))
    }

    /// Reads what one round asks for, after holding it against the manifest.
    async fn ask(
        &self,
        queries: &[wit::Query],
        export: &'static str,
        secrets: &RunSecrets,
        observation: &mut Observation,
    ) -> Result<(), Cause> {
        let before = observation.answers.iter();
        let mut asked: HashSet<String> = before.map(|answer| answer.query.clone()).collect();
        for query in queries {
            if !is_name(&query.id) {
                let problem = format!("{:?} cannot be the id of a query", query.id);
                return Err(self.contract(export, &problem));
            }
            if !asked.insert(query.id.clone()) {
                let problem = format!("the query `{}` was asked before", query.id);
                return Err(self.contract(export, &problem));
            }
            permit::read(self.plugin.manifest(), &query.request)
                .map_err(|refusal| self.refused(refusal))?;
        }
        let files = self.files(queries).await?;
        for query in queries {
            let response = self.read(query, &files, secrets, observation).await?;
            observation.answers.push(wit::Answer {
                query: query.id.clone(),
                response,
            });
        }
        Ok(())
    }

    /// Reads every file that is asked for: together, since on another host each takes its time.
    async fn files<'a>(
        &self,
        queries: &'a [wit::Query],
    ) -> Result<HashMap<&'a str, Option<FileContent>>, Cause> {
        let paths: Vec<&str> = queries
            .iter()
            .filter_map(|query| match &query.request {
                wit::ReadRequest::File(path) => Some(path.as_str()),
                _ => None,
            })
            .collect();
        if paths.is_empty() {
            return Ok(HashMap::new());
        }
        let contents = self.folder()?.read_all(&paths).await?;
        Ok(paths.into_iter().zip(contents).collect())
    }

    async fn read(
        &self,
        query: &wit::Query,
        files: &HashMap<&str, Option<FileContent>>,
        secrets: &RunSecrets,
        observation: &mut Observation,
    ) -> Result<wit::Response, Cause> {
        let masker = secrets.reporting().masker();
        Ok(match &query.request {
            wit::ReadRequest::Http(request) => {
                let request = convert::http_request(request.clone(), &query.id)
                    .map_err(|error| self.contract("queries", &error))?;
                let answer = self.send(&request, &NoValues).await?;
                match serde_json::from_slice::<Value>(&answer.body) {
                    Ok(raw) => {
                        let mut masked = raw.clone();
                        masker.mask_json(&mut masked);
                        let keys = &self.plugin.manifest().sensitive_keys;
                        hide(&mut masked, &query.id, &mut String::new(), keys);
                        observation.raw.insert(query.id.clone(), raw);
                        wit::Response::Http(masked.to_string().into_bytes())
                    }
                    Err(_) => wit::Response::Http(masker.mask(&answer.body).into_owned()),
                }
            }
            wit::ReadRequest::File(path) => match files.get(path.as_str()).and_then(Option::as_ref)
            {
                Some(file) => {
                    observation.found.insert(path.clone(), Some(file.digest()));
                    let masked = masker.mask(&file.bytes).into_owned();
                    observation.files.insert(query.id.clone(), masked.clone());
                    wit::Response::File(masked)
                }
                None => {
                    observation.found.insert(path.clone(), None);
                    wit::Response::Absent
                }
            },
            wit::ReadRequest::Zone(zone) => {
                wit::Response::Zone(self.dns()?.transfer(zone, masker).await?)
            }
            wit::ReadRequest::Folder(path) => {
                wit::Response::Folder(self.folder()?.list(path).await?)
            }
        })
    }

    /// Whether the manifest has this among what is read.
    pub(crate) fn may_read(&self, request: &HttpRequest) -> Result<(), Cause> {
        let request = wit::ReadRequest::Http(convert::request_to_wit(request));
        permit::read(self.plugin.manifest(), &request).map_err(|refusal| self.refused(refusal))
    }

    /// Program and arguments of a command that the target declares.
    pub(crate) fn command(&self, name: &str) -> Result<&[String], Cause> {
        self.commands.get(name).map(Vec::as_slice).ok_or_else(|| {
            self.contract(
                "procedure",
                &format!("it asks for the command `{name}`, which the target does not declare"),
            )
        })
    }

    /// The target's folder. It need not exist yet: then it reads as empty.
    pub(crate) fn folder(&self) -> Result<&Folder, Cause> {
        self.folder
            .as_ref()
            .ok_or_else(|| self.incomplete("files", "root \"out\""))
    }

    /// The target's DNS server.
    pub(crate) fn dns(&self) -> Result<&Dns, Cause> {
        self.dns
            .as_ref()
            .ok_or_else(|| self.incomplete("DNS", DNS_EXAMPLE))
    }

    /// Whether a server of a zone answers with these RRsets.
    pub(crate) async fn answers(
        &self,
        zone: &str,
        server: Option<&str>,
        expect: &[Rrset],
        values: &impl Values,
    ) -> Result<(), Cause> {
        match &self.dns {
            Some(dns) => dns.answers(zone, server, expect, values).await,
            None if server.is_none() => self.probes.answers(zone, expect, values).await,
            None => Err(self.incomplete("DNS", DNS_EXAMPLE)),
        }
    }

    /// Sends a request with its placeholders filled in. The caller has held it against the manifest.
    pub(crate) async fn send(
        &self,
        request: &HttpRequest,
        values: &impl Values,
    ) -> Result<Response, Cause> {
        let endpoint = self
            .endpoint
            .as_ref()
            .ok_or_else(|| self.incomplete("HTTP", "endpoint \"http://…\""))?;
        let (body, content_type) = match &request.body {
            HttpBody::Empty => (Vec::new(), None),
            HttpBody::Json(value) => {
                let mut value = value.clone();
                expand_json(&mut value, values)?;
                (
                    value.to_string().into_bytes(),
                    Some("application/json".to_owned()),
                )
            }
            HttpBody::Bytes(bytes) => (bytes.clone(), None),
        };
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| Ok((name.clone(), expand_text(value, values)?)))
            .collect::<Result<_, Cause>>()?;
        let path = expand_url(&request.path, values)?;
        if path != request.path {
            // Now that its captured values are known, the path says where the request goes.
            let known = HttpRequest {
                path: path.clone(),
                ..request.clone()
            };
            let effect = wit::Effect::Http(convert::request_to_wit(&known));
            permit::write(self.plugin.manifest(), &effect)
                .map_err(|refusal| self.refused(refusal))?;
        }
        let request = Request {
            method: request.method.clone(),
            path,
            headers,
            body,
            content_type,
            reason: request.reason.clone(),
        };
        Ok(endpoint.send(&request).await?)
    }
}

/// Program and arguments, as they are declared.
fn argv_of(command: &model::Command) -> Vec<String> {
    let argv = command.argv.iter();
    argv.map(|argument| argument.value.clone()).collect()
}

/// Requests that only read hold no placeholders.
pub(crate) struct NoValues;

impl Values for NoValues {}

/// Replaces the server's own secrets by references to the places where they stand. What is the value of a declared
/// secret stays the reference to that: so a plugin can tell that the server has it.
fn hide(value: &mut Value, query: &str, pointer: &mut String, keys: &[String]) {
    let length = pointer.len();
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                if keys.contains(key) && !member.is_null() && !is_declared(member) {
                    let placeholder = Placeholder::Observed {
                        query: query.into(),
                        pointer: pointer.as_str().into(),
                    };
                    *member = Value::String(placeholder.to_string());
                } else {
                    hide(member, query, pointer, keys);
                }
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                pointer.push('/');
                pointer.push_str(&index.to_string());
                hide(item, query, pointer, keys);
                pointer.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// One reference to a declared secret and nothing else.
fn is_declared(value: &Value) -> bool {
    let inner = value
        .as_str()
        .and_then(|text| text.strip_prefix("${secret:")?.strip_suffix('}'));
    inner.is_some_and(is_name)
}

/// Over everything that the plugin saw and rests on, and over which secrets were equal. `bases` tells of each answer
/// what the plugin rests on.
fn digest(answers: &[wit::Answer], bases: &[Option<Vec<String>>], secrets: &RunSecrets) -> String {
    let mut hasher = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    for (answer, basis) in answers.iter().zip(bases) {
        part(answer.query.as_bytes());
        match &answer.response {
            wit::Response::Http(bytes) => {
                part(b"http");
                match basis.as_deref().map(|basis| basis_of(bytes, basis)) {
                    Some(Some(basis)) => part(basis.as_bytes()),
                    // What is no JSON has no parts.
                    Some(None) | None => part(bytes),
                }
            }
            wit::Response::File(bytes) => {
                part(b"file");
                part(bytes);
            }
            wit::Response::Absent => part(b"absent"),
            wit::Response::Folder(names) => {
                part(b"folder");
                names.iter().for_each(|name| part(name.as_bytes()));
            }
            wit::Response::Zone(rrsets) => {
                part(b"zone");
                for rrset in rrsets {
                    part(rrset.owner.as_bytes());
                    part(rrset.type_.as_bytes());
                    part(&rrset.ttl_seconds.to_le_bytes());
                    part(&(rrset.rdata.len() as u64).to_le_bytes());
                    rrset.rdata.iter().for_each(|data| part(data.as_bytes()));
                }
            }
        }
    }
    for (name, chosen) in secrets.aliases() {
        part(name.as_bytes());
        part(chosen.as_bytes());
    }
    hex(&hasher.finalize())
}

/// The values in a JSON answer at these pointers, each with its place; in a pointer, `*` is any one member or item.
fn basis_of(answer: &[u8], pointers: &[String]) -> Option<String> {
    fn collect(value: &Value, place: &mut Vec<String>, rest: &[&str], found: &mut Vec<Value>) {
        let Some((step, rest)) = rest.split_first() else {
            found.push(Value::from(vec![Value::from(place.clone()), value.clone()]));
            return;
        };
        let mut below = |name: String, value: &Value| {
            place.push(name);
            collect(value, place, rest, found);
            place.pop();
        };
        match value {
            Value::Object(members) if *step == "*" => {
                for (name, value) in members {
                    below(name.clone(), value);
                }
            }
            Value::Array(items) if *step == "*" => {
                for (index, value) in items.iter().enumerate() {
                    below(index.to_string(), value);
                }
            }
            // One step at a time, so that the escapes of pointers are somebody else's affair.
            value => {
                if let Some(value) = value.pointer(&format!("/{step}")) {
                    below((*step).to_owned(), value);
                }
            }
        }
    }
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let mut found = Vec::new();
    for pointer in pointers {
        let steps: Vec<&str> = pointer.split('/').skip(1).collect();
        collect(&answer, &mut Vec::new(), &steps, &mut found);
    }
    Some(Value::from(found).to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plan_rests_on_nothing_but_what_it_says() {
        let basis = |answer: Value, pointers: &[&str]| {
            let pointers: Vec<String> = pointers.iter().map(|one| (*one).to_owned()).collect();
            basis_of(answer.to_string().as_bytes(), &pointers)
        };
        let records = ["/total", "/records/*/mac", "/records/*/user"];
        let device = |mac: &str, state: &str| json!({ "mac": mac, "user": null, "state": state });
        let one = json!({ "total": 2, "records": [device("a", "on"), device("b", "off")] });
        let same =
            json!({ "records": [device("a", "off"), device("b", "on")], "total": 2, "time": 7 });
        let turned = json!({ "total": 2, "records": [device("b", "off"), device("a", "on")] });
        let fewer = json!({ "total": 2, "records": [device("a", "on")] });
        assert_eq!(basis(one.clone(), &records), basis(same.clone(), &records));
        assert_ne!(basis(one.clone(), &records), basis(turned, &records));
        assert_ne!(basis(one.clone(), &records), basis(fewer, &records));
        assert_eq!(basis(one.clone(), &[]), basis(json!({}), &[]));
        assert_ne!(basis(one, &[""]), basis(same, &[""]));
        assert_eq!(basis_of(b"no JSON", &[]), None);
        // A member that is called so is one of any.
        assert_ne!(
            basis(json!({ "*": 1, "a": 2 }), &["/*"]),
            basis(json!({ "*": 1, "a": 3 }), &["/*"])
        );
    }

    #[test]
    fn a_servers_secret_is_hidden_and_a_declared_one_named() {
        let mut answer = json!({ "records": [
            { "name": "a", "password": "hunter2" },
            { "name": "b", "password": "${secret:user/101/sip-password}" },
            { "name": "c", "password": "${secret:x}${secret:y}" },
            { "name": "d", "password": { "old": "${secret:x}" } },
            { "name": "e", "password": null },
        ] });
        hide(
            &mut answer,
            "users",
            &mut String::new(),
            &["password".to_owned()],
        );
        let shown: Vec<&Value> = answer["records"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|record| &record["password"])
            .collect();
        let hidden = |index: usize| format!("${{observed:users#/records/{index}/password}}");
        assert_eq!(shown[0], &json!(hidden(0)));
        assert_eq!(shown[1], "${secret:user/101/sip-password}");
        assert_eq!(shown[2], &json!(hidden(2)));
        assert_eq!(shown[3], &json!(hidden(3)));
        assert_eq!(shown[4], &Value::Null);
    }
}
