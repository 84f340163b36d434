//! Guests in the text format: one that behaves, and whatever a test makes of it.

use std::time::Duration;

use switchover_plugin_host::wit::{
    Action, Answer, Change, FileMeasure, Mode, Response, ShownContent, ShownResource, Site, Target,
    View,
};
use switchover_plugin_host::{Host, HostConfig, Limits, Plugin, PluginError, Session, Source};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const CONTRACT: &str = include_str!("../../../schemas/plugin.wit");

/// Where the parts of the guest's memory lie. Nothing else is in the first 64 KiB, and all of it is zero: the address
/// `ZEROS` is an empty list and an `ok` result with empty lists.
pub(crate) const ZEROS: u32 = 0x100;
/// Where the list of lines is.
const LINES: u32 = 0x800;
const MANIFEST: u32 = 0x1000;
/// Lists of the manifest and of findings, and what `check` and `examine` give back.
const LISTS: u32 = 0x5000;
const TEXTS: u32 = 0x6000;

/// `finding-kind` of the contract; the two numbers are cases of its enums.
#[derive(Clone)]
pub(crate) struct Kind {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) severity: u8,
    pub(crate) basis: u8,
    pub(crate) summary: String,
    pub(crate) explanation: String,
}

/// The code, name and severity of a `finding`.
pub(crate) type Raised = (&'static str, &'static str, u8);

/// Parts of a core module; each field may be replaced by something hostile.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) name: Vec<u8>,
    pub(crate) version: &'static str,
    pub(crate) undo: u8,
    /// Length of the list of read patterns, whose address is 0.
    pub(crate) reads: u32,
    /// Kinds of findings that the manifest declares.
    pub(crate) kinds: Vec<Kind>,
    /// What `check` and `examine` raise, each in place of the export's body.
    pub(crate) checked: Vec<Raised>,
    pub(crate) examined: Vec<Raised>,
    pub(crate) describe: String,
    pub(crate) check: String,
    pub(crate) desired: String,
    pub(crate) queries: String,
    pub(crate) current: String,
    pub(crate) examine: String,
    pub(crate) adopt: String,
    pub(crate) procedure: String,
    /// Its default says one line without columns.
    pub(crate) lines: String,
    pub(crate) realloc: String,
    /// More fields of the module.
    pub(crate) more: String,
    /// Fields that have to come first.
    pub(crate) imports: String,
    /// More items of the contract's package, and the world that the guest claims.
    pub(crate) wit: (String, &'static str),
    pub(crate) pages: u32,
}

impl Default for Guest {
    fn default() -> Self {
        let nothing = || format!("(i32.const {ZEROS})");
        Self {
            name: b"guest".to_vec(),
            version: "1.2.3",
            undo: 0,
            reads: 0,
            kinds: vec![],
            checked: vec![],
            examined: vec![],
            describe: format!("(i32.const {MANIFEST})"),
            check: nothing(),
            desired: nothing(),
            queries: nothing(),
            current: nothing(),
            examine: nothing(),
            adopt: nothing(),
            procedure: nothing(),
            lines: format!(
                "(i32.store (i32.const {LINES}) (i32.const {ZEROS}))
                 (i32.store offset=4 (i32.const {LINES}) (i32.const 1))
                 (i32.const {LINES})"
            ),
            realloc: "(local $at i32)
                (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
                (global.set $top (i32.add (local.get $at) (local.get $size)))
                (loop $more
                    (if (i32.gt_u (global.get $top) (i32.mul (memory.size) (i32.const 65536)))
                        (then
                            (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
                            (br $more))))
                (local.get $at)"
                .into(),
            more: String::new(),
            imports: String::new(),
            wit: (String::new(), "plugin"),
            pages: 2,
        }
    }
}

impl Guest {
    /// The core module.
    fn module(&self) -> String {
        let mut texts = Vec::new();
        let mut manifest = Vec::new();
        let mut text = |bytes: &[u8]| {
            let at = TEXTS + u32::try_from(texts.len()).unwrap();
            texts.extend_from_slice(bytes);
            [
                at.to_le_bytes(),
                u32::try_from(bytes.len()).unwrap().to_le_bytes(),
            ]
            .concat()
        };
        let empty = [0; 8];
        manifest.extend(text(&self.name));
        manifest.extend(text(self.version.as_bytes()));
        manifest.extend(text(b"a guest"));
        manifest.extend([empty, empty].concat()); // resources, servers
        let mut lists = Vec::new();
        let mut list = |items: Vec<Vec<u8>>| {
            let at = LISTS + u32::try_from(lists.len()).unwrap();
            let length = u32::try_from(items.len()).unwrap();
            lists.extend(items.concat());
            [at.to_le_bytes(), length.to_le_bytes()].concat()
        };
        let kinds = self.kinds.iter().map(|kind| {
            let [code, name] = [&kind.code, &kind.name].map(|it| text(it.as_bytes()));
            let [summary, explanation] =
                [&kind.summary, &kind.explanation].map(|it| text(it.as_bytes()));
            let enums = vec![kind.severity, kind.basis, 0, 0];
            [code, name, enums, summary, explanation].concat()
        });
        manifest.extend(list(kinds.collect()));
        let mut raised = |findings: &[Raised]| {
            let items = findings.iter().map(|(code, name, severity)| {
                let (code, name) = (text(code.as_bytes()), text(name.as_bytes()));
                let rest = vec![0; 28]; // message, help, path
                [code, name, vec![*severity, 0, 0, 0], rest].concat()
            });
            let items = list(items.collect());
            // Also an `ok` result, whose case comes first.
            list(vec![[vec![0; 4], items, vec![0; 8]].concat()])
        };
        let address = |list: Vec<u8>| u32::from_le_bytes([list[0], list[1], list[2], list[3]]);
        let body = |findings: &[Raised], body: &str, at: u32| match findings {
            [] => body.to_owned(),
            _ => format!("(i32.const {at})"),
        };
        let checked = address(raised(&self.checked)) + 4;
        let examined = address(raised(&self.examined));
        let check = body(&self.checked, &self.check, checked);
        let examine = body(&self.examined, &self.examine, examined);
        manifest.extend(text(b"{}"));
        manifest.extend(empty); // reach
        manifest.extend([[0; 4], self.reads.to_le_bytes()].concat());
        manifest.extend([empty, empty].concat()); // writes, commands
        manifest.extend([self.undo, 0, 0, 0]);
        manifest.extend([empty, empty].concat()); // templates, sensitive keys
        manifest.extend([0; 4]); // adopts
        let escaped = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| format!("\\{byte:02x}"))
                .collect::<String>()
        };
        let api = "switchover:plugin/api@0.1.0";
        let Self {
            describe,
            desired,
            queries,
            current,
            adopt,
            procedure,
            lines,
            realloc,
            more,
            imports,
            pages,
            ..
        } = self;
        format!(
            r#"(module $guest
                {imports}
                (memory (export "memory") {pages})
                (global $top (mut i32) (i32.const 65536))
                (func $realloc (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32) {realloc})
                (func $describe (export "{api}#describe") (result i32) {describe})
                (func $check (export "{api}#check") (param i32) (result i32) {check})
                (func $desired (export "{api}#desired") (param i32) (result i32) {desired})
                (func $queries (export "{api}#queries")
                    (param i32) (result i32) {queries})
                (func $current (export "{api}#current")
                    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) {current})
                (func $examine (export "{api}#examine") (param i32) (result i32) {examine})
                (func $adopt (export "{api}#adopt")
                    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) {adopt})
                (func $procedure (export "{api}#procedure")
                    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) {procedure})
                (func $lines (export "{api}#lines") (param i32 i32) (result i32) {lines})
                (data (i32.const {MANIFEST}) "{}")
                (data (i32.const {LISTS}) "{}")
                (data (i32.const {TEXTS}) "{}")
                {more})"#,
            escaped(&manifest),
            escaped(&lists),
            escaped(&texts),
        )
    }

    pub(crate) fn component(&self) -> Vec<u8> {
        let (items, world) = &self.wit;
        let wit = if items.starts_with("package") {
            items.clone()
        } else {
            format!("{CONTRACT}\n{items}")
        };
        componentize(&self.module(), &wit, world)
    }

    pub(crate) fn load(&self, host: &Host) -> Result<Plugin, PluginError> {
        host.load("guest", &Source::new(self.component()))
    }
}

pub(crate) fn componentize(module: &str, wit: &str, world: &str) -> Vec<u8> {
    let mut module = wat::parse_str(module).unwrap();
    let mut resolve = Resolve::default();
    let package = resolve.push_str("plugin.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

/// A host without a cache whose limits are soon reached.
pub(crate) fn strict_host() -> Host {
    let limits = Limits {
        // Long enough for a guest that behaves on a machine that is busy with all other tests.
        deadline: Duration::from_secs(2),
        ..Limits::default()
    };
    Host::new(HostConfig {
        cache: None,
        limits,
    })
    .unwrap()
}

pub(crate) fn view() -> View {
    View {
        site: Site {
            name: "hq".into(),
            mode: Mode::HotStandby,
        },
        roles: vec![],
        pbxs: vec![],
        wms_members: vec![],
        sync: None,
        networks: vec![],
        dhcp: vec![],
        zones: vec![],
        provisioning: vec![],
        users: vec![],
        devices: vec![],
        trunks: vec![],
        call_groups: vec![],
    }
}

pub(crate) fn target() -> Target {
    Target {
        name: "t".into(),
        settings: "{}".into(),
        commands: vec!["reload".into()],
        expected_offers: vec![],
        zones: vec![],
        owned: vec![],
    }
}

/// Calls everything in the order of a run, until something goes wrong.
pub(crate) fn run(session: &mut Session) -> Result<(), PluginError> {
    let (view, target) = (view(), target());
    let answers = [Answer {
        query: "q".into(),
        response: Response::Http(b"{}".to_vec()),
    }];
    let changes = [Change {
        address: "a/b".into(),
        kind: "a".into(),
        action: Action::Create,
        before: None,
        after: Some("{}".into()),
        hint: None,
    }];
    session.check(&view, &target)?;
    session.desired(&view, &target)?;
    session.queries(&target, &["a/b".into()], 0, &answers)?;
    session.current(&target, &answers)?;
    session.examine(&view, &target, &answers)?;
    session.adopt(&target, &answers)?;
    session.procedure(&target, &answers, &changes)?;
    session.lines(&[ShownResource {
        address: "a/b".into(),
        kind: "a".into(),
        content: ShownContent::File(FileMeasure {
            size: 1,
            lines: Some(1),
        }),
        hint: None,
    }])?;
    Ok(())
}

/// Holds that the host still does its work.
pub(crate) fn assert_alive(host: &Host) {
    let plugin = Guest::default().load(host).unwrap();
    run(&mut plugin.start().unwrap()).unwrap();
}
