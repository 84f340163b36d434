//! Shorter ways to make the contract's values. Each gives a value with everything that may be empty left empty;
//! fields are public, so the rest is plain assignment or struct update.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    Action, AdoptedServer, Adoption, BodyMatch, Change, CommandUse, Content, Effect, Evidence,
    Expectation, Failure, FileContent, Finding, Header, HttpBody, HttpPattern, HttpRequest,
    LeftOut, Manifest, Mode, Paging, Pattern, Procedure, Query, ReadRequest, Resource, RunCommand,
    Sign, Site, Step, Target, Template, TemplateCall, UndoStep, UndoSupport, View, WriteFile,
};

/// The target's settings in the plugin's own type.
///
/// The host has checked them against the manifest's schema, so a failure here means that the schema says less than
/// the type does.
///
/// # Errors
/// The settings do not fit the type.
pub fn parse_settings<T: DeserializeOwned>(target: &Target) -> Result<T, Failure> {
    serde_json::from_str(&target.settings).map_err(|error| {
        Failure::new(
            "settings",
            format!(
                "the settings of target `{}` are not understood: {error}",
                target.name
            ),
        )
    })
}

impl Failure {
    /// A failure without help. `message` is a lower-case fragment.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            help: None,
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Finding {
    /// Says what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Manifest {
    /// A plugin that takes no settings, reads nothing, writes nothing and undoes nothing.
    pub fn new(
        name: impl Into<String>,
        version: impl Into<String>,
        summary: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            summary: summary.into(),
            resources: Vec::new(),
            servers: Vec::new(),
            findings: Vec::new(),
            settings_schema: r#"{"type":"object","additionalProperties":false}"#.into(),
            reach: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            commands: Vec::new(),
            undo: UndoSupport::None,
            templates: Vec::new(),
            sensitive_keys: Vec::new(),
            adopts: false,
        }
    }
}

impl Adoption {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            networks: Vec::new(),
            devices: Vec::new(),
            zones: Vec::new(),
            partners: Vec::new(),
            itself: AdoptedServer {
                name: None,
                address: None,
                role: None,
            },
            settings: "{}".into(),
            left: Vec::new(),
            said: Vec::new(),
        }
    }

    /// Names something that the rest does not say.
    pub fn leave(&mut self, address: impl Into<String>, reason: impl Into<String>) {
        self.left.push(LeftOut {
            address: address.into(),
            reason: reason.into(),
        });
    }
}

impl Default for Adoption {
    fn default() -> Self {
        Self::new()
    }
}

impl CommandUse {
    /// A command that every target of the plugin must declare.
    pub fn required(name: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            summary: summary.into(),
            required: true,
        }
    }

    /// A command that a target may declare.
    pub fn optional(name: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            summary: summary.into(),
            required: false,
        }
    }
}

impl Template {
    /// A template of the manifest.
    pub fn new(name: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            body: body.into(),
        }
    }
}

impl Pattern {
    /// Requests with this method and path, with any body.
    pub fn http(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self::Http(HttpPattern {
            method: method.into(),
            path: path.into(),
            body: Vec::new(),
        })
    }

    /// Requests with this method and path whose JSON body has, at each pointer, one of the values.
    pub fn http_with_body<'a>(
        method: impl Into<String>,
        path: impl Into<String>,
        body: impl IntoIterator<Item = (&'a str, &'a [Value])>,
    ) -> Self {
        let body = body
            .into_iter()
            .map(|(pointer, values)| BodyMatch {
                pointer: pointer.into(),
                one_of: values.iter().map(Value::to_string).collect(),
            })
            .collect();
        Self::Http(HttpPattern {
            method: method.into(),
            path: path.into(),
            body,
        })
    }
}

impl HttpRequest {
    /// A request without headers and body.
    pub fn new(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            headers: Vec::new(),
            body: HttpBody::Empty,
            reason: None,
        }
    }

    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    /// A POST of JSON.
    pub fn post_json(path: impl Into<String>, body: &Value) -> Self {
        Self {
            body: HttpBody::Json(body.to_string()),
            ..Self::new("POST", path)
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(Header {
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// Says where the server explains an error: a JSON pointer into its answer.
    #[must_use]
    pub fn reason(mut self, pointer: impl Into<String>) -> Self {
        self.reason = Some(pointer.into());
        self
    }
}

impl Query {
    /// A request over HTTP.
    pub fn http(id: impl Into<String>, request: HttpRequest) -> Self {
        Self {
            id: id.into(),
            request: ReadRequest::Http(request),
            rests_on: None,
        }
    }

    /// One file below the target's root.
    pub fn file(id: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            request: ReadRequest::File(path.into()),
            rests_on: None,
        }
    }

    /// All RRsets of a zone.
    pub fn zone(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            request: ReadRequest::Zone(name.into()),
            rests_on: None,
        }
    }

    /// Says what of the answer a plan rests on: pointers, `*` for any one member or item.
    #[must_use]
    pub fn rests_on<T: Into<String>>(mut self, pointers: impl IntoIterator<Item = T>) -> Self {
        self.rests_on = Some(pointers.into_iter().map(Into::into).collect());
        self
    }

    /// The names in one folder below the target's root.
    pub fn folder(id: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            request: ReadRequest::Folder(path.into()),
            rests_on: None,
        }
    }
}

impl Resource {
    fn new(address: impl Into<String>, kind: impl Into<String>, content: Content) -> Self {
        Self {
            address: address.into(),
            kind: kind.into(),
            content,
            sensitive: Vec::new(),
            depends_on: Vec::new(),
            hint: None,
        }
    }

    /// One JSON value.
    pub fn object(address: impl Into<String>, kind: impl Into<String>, value: &Value) -> Self {
        Self::new(address, kind, Content::Object(value.to_string()))
    }

    /// A whole file at `path` below the target's root.
    pub fn file(path: &str, kind: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(format!("file/{path}"), kind, Content::Text(text.into()))
    }

    /// A whole file that the engine renders from one of the manifest's templates. `context` is an object.
    pub fn rendered(
        path: &str,
        kind: impl Into<String>,
        template: impl Into<String>,
        context: &Value,
    ) -> Self {
        let call = TemplateCall {
            name: template.into(),
            context: context.to_string(),
        };
        Self::new(format!("file/{path}"), kind, Content::Template(call))
    }

    /// A whole file as the answer to `query` holds it.
    pub fn answered(path: &str, kind: impl Into<String>, query: impl Into<String>) -> Self {
        Self::new(format!("file/{path}"), kind, Content::Answer(query.into()))
    }

    /// Adds addresses that must be there first.
    #[must_use]
    pub fn depends_on<T: Into<String>>(mut self, addresses: impl IntoIterator<Item = T>) -> Self {
        self.depends_on
            .extend(addresses.into_iter().map(Into::into));
        self
    }

    /// Tells `procedure` something of it beside its content.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds pointers to values that must not be shown.
    #[must_use]
    pub fn sensitive<T: Into<String>>(mut self, pointers: impl IntoIterator<Item = T>) -> Self {
        self.sensitive.extend(pointers.into_iter().map(Into::into));
        self
    }
}

impl Change {
    /// Whether something has to exist afterwards.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        matches!(self.action, Action::Create | Action::Update)
    }

    /// The path of a file's address, what follows `file/`.
    #[must_use]
    pub fn file_path(&self) -> Option<&str> {
        self.address.strip_prefix("file/")
    }
}

#[expect(clippy::derivable_impls, reason = "the type is generated")]
impl Default for Procedure {
    fn default() -> Self {
        Self {
            stage: Vec::new(),
            commit: Vec::new(),
            verify: Vec::new(),
        }
    }
}

impl Expectation {
    /// The value at `pointer` in the JSON answer equals `value`.
    pub fn equals(pointer: impl Into<String>, value: &Value) -> Self {
        Self {
            pointer: pointer.into(),
            equals: value.to_string(),
        }
    }
}

impl Step {
    /// A step that expects nothing beside success. `title` is a lower-case phrase.
    pub fn new(id: impl Into<String>, title: impl Into<String>, effect: Effect) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            effect,
            expect: Vec::new(),
            capture: Vec::new(),
            undo: Vec::new(),
            evidence: None,
        }
    }

    /// Says how to tell whether it was carried out.
    #[must_use]
    pub fn evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(evidence);
        self
    }

    /// Expects this JSON value at `pointer` of the answer.
    #[must_use]
    pub fn expect(mut self, pointer: impl Into<String>, value: &Value) -> Self {
        self.expect.push(Expectation::equals(pointer, value));
        self
    }

    /// Keeps the value at `pointer` of the answer for later steps, as `${step.NAME}`.
    #[must_use]
    pub fn capture(mut self, name: impl Into<String>, pointer: impl Into<String>) -> Self {
        self.capture.push(crate::Capture {
            name: name.into(),
            pointer: pointer.into(),
        });
        self
    }

    /// Adds what to do when something later fails.
    #[must_use]
    pub fn undo(mut self, undo: UndoStep) -> Self {
        self.undo.push(undo);
        self
    }
}

impl UndoStep {
    /// An undo that expects nothing beside success.
    pub fn new(title: impl Into<String>, effect: Effect) -> Self {
        Self {
            title: title.into(),
            effect,
            expect: Vec::new(),
            evidence: None,
        }
    }

    /// Says how to tell whether it was carried out.
    #[must_use]
    pub fn evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(evidence);
        self
    }

    /// Expects this JSON value at `pointer` of the answer.
    #[must_use]
    pub fn expect(mut self, pointer: impl Into<String>, value: &Value) -> Self {
        self.expect.push(Expectation::equals(pointer, value));
        self
    }
}

impl Evidence {
    /// Expects nothing yet; `sign` says what it means where that is met.
    #[must_use]
    pub fn new(sign: Sign, request: HttpRequest) -> Self {
        Self {
            request,
            among: None,
            paging: None,
            expect: Vec::new(),
            sign,
            capture: Vec::new(),
        }
    }

    /// Expects all of it of one member of the list at `pointer`.
    #[must_use]
    pub fn among(mut self, pointer: impl Into<String>) -> Self {
        self.among = Some(pointer.into());
        self
    }

    /// Looks at every page: `parameter` says how many members are left out, `total` points at how many there are.
    #[must_use]
    pub fn paging(mut self, parameter: impl Into<String>, total: impl Into<String>) -> Self {
        self.paging = Some(Paging {
            parameter: parameter.into(),
            total: total.into(),
        });
        self
    }

    /// Expects this JSON value at `pointer`.
    #[must_use]
    pub fn expect(mut self, pointer: impl Into<String>, value: &Value) -> Self {
        self.expect.push(Expectation::equals(pointer, value));
        self
    }

    /// Keeps the value at `pointer` for the undo, as `${step.NAME}`.
    #[must_use]
    pub fn capture(mut self, name: impl Into<String>, pointer: impl Into<String>) -> Self {
        self.capture.push(crate::Capture {
            name: name.into(),
            pointer: pointer.into(),
        });
        self
    }
}

impl Effect {
    /// Writes the wanted content of the file resource at `path`.
    #[must_use]
    pub fn write_wanted(path: &str) -> Self {
        Self::WriteFile(WriteFile {
            path: path.into(),
            content: FileContent::Resource(format!("file/{path}")),
        })
    }

    /// Writes text that is no resource.
    pub fn write_text(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self::WriteFile(WriteFile {
            path: path.into(),
            content: FileContent::Text(text.into()),
        })
    }

    /// Runs a command that the target declares, on a file below the root where `file` is given.
    pub fn run(name: impl Into<String>, file: Option<&str>) -> Self {
        Self::Run(RunCommand {
            name: name.into(),
            file: file.map(Into::into),
        })
    }
}

impl View {
    /// A topology with nothing but a hot-standby site: a start for tests.
    pub fn empty(site: impl Into<String>) -> Self {
        Self {
            site: Site {
                name: site.into(),
                mode: Mode::HotStandby,
            },
            roles: Vec::new(),
            pbxs: Vec::new(),
            wms_members: Vec::new(),
            sync: None,
            networks: Vec::new(),
            dhcp: Vec::new(),
            zones: Vec::new(),
            provisioning: Vec::new(),
            users: Vec::new(),
            devices: Vec::new(),
            trunks: Vec::new(),
            call_groups: Vec::new(),
        }
    }
}

impl Target {
    /// A target that declares no commands, owns nothing yet and serves no zone: a start for tests.
    pub fn new(name: impl Into<String>, settings: &Value) -> Self {
        Self {
            name: name.into(),
            settings: settings.to_string(),
            commands: Vec::new(),
            owned: Vec::new(),
            expected_offers: vec![],
            zones: Vec::new(),
        }
    }

    /// Whether the target declares this command.
    #[must_use]
    pub fn has_command(&self, name: &str) -> bool {
        self.commands.iter().any(|command| command == name)
    }

    /// Whether an earlier generation made or adopted this resource.
    #[must_use]
    pub fn owns(&self, address: &str) -> bool {
        self.owned.iter().any(|owned| owned == address)
    }
}
