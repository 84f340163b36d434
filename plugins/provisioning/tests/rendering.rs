//! The templates, rendered as the host renders them: strict, without escaping.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use proptest::prelude::*;
use serde_json::json;
use switchover_sdk::{Device, Plugin, Target, Transport, View};

use crate::topology::{site, target};
use crate::wanting::context;
use switchover_plugin_provisioning::Provisioning;

const TELEPHONE: usize = 0;
const YEALINK: usize = 1;
const NOBODYS: usize = 2;
const GATEWAY: usize = 3;

/// Which line ends the host drops from a template.
#[derive(Clone, Copy)]
struct Whitespace {
    trim_blocks: bool,
    lstrip_blocks: bool,
    keep_trailing_newline: bool,
}

const PLAIN: Whitespace = Whitespace {
    trim_blocks: false,
    lstrip_blocks: false,
    keep_trailing_newline: true,
};

fn render_with(whitespace: Whitespace, view: &View, target: &Target, index: usize) -> String {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(whitespace.trim_blocks)
        .lstrip_blocks(whitespace.lstrip_blocks)
        .keep_trailing_newline(whitespace.keep_trailing_newline)
        .build()
        .unwrap();
    environment.set_syntax(syntax);
    for template in Provisioning::describe().templates {
        environment
            .add_template_owned(template.name, template.body)
            .unwrap();
    }
    let resources = Provisioning::desired(view, target).unwrap();
    let (name, context) = context(&resources[index]);
    environment
        .get_template(&name)
        .unwrap()
        .render(Serde(context))
        .unwrap()
}

fn render(view: &View, index: usize) -> String {
    render_with(PLAIN, view, &target(), index)
}

fn value<'a>(file: &'a str, key: &str) -> Option<&'a str> {
    file.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))
}

#[test]
fn akuvox() {
    insta::assert_snapshot!(render(&site(), TELEPHONE));
}

#[test]
fn akuvox_of_nobody_over_udp() {
    let mut view = site();
    view.devices[NOBODYS] = Device {
        transport: Transport::Udp,
        port: 5060,
        ..view.devices[NOBODYS].clone()
    };
    view.networks[0].options.clear();
    insta::assert_snapshot!(render(&view, NOBODYS));
}

#[test]
fn yealink() {
    insta::assert_snapshot!(render(&site(), YEALINK));
}

#[test]
fn gateway() {
    insta::assert_snapshot!(render(&site(), GATEWAY));
}

#[test]
fn how_long_registrations_last_is_written_for_both_servers() {
    let target = Target::new("files", &json!({"register-seconds": 300}));
    let file = |index| render_with(PLAIN, &site(), &target, index);
    assert_eq!(
        value(&file(TELEPHONE), "Config.Account1.REG.Timeout"),
        Some("300")
    );
    assert_eq!(
        value(&file(TELEPHONE), "Config.Account1.REG.Timeout2"),
        Some("300")
    );
    assert_eq!(
        value(&file(YEALINK), "account.1.sip_server.1.expires"),
        Some("300")
    );
    assert_eq!(
        value(&file(YEALINK), "account.1.sip_server.2.expires"),
        Some("300")
    );
    assert_eq!(value(&file(GATEWAY), "sip.register.seconds"), Some("300"));
}

#[test]
fn every_transport_has_its_number() {
    for (transport, number) in [
        (Transport::Udp, "0"),
        (Transport::Tcp, "1"),
        (Transport::Tls, "2"),
    ] {
        let mut view = site();
        view.devices
            .iter_mut()
            .for_each(|device| device.transport = transport);
        assert_eq!(
            value(&render(&view, TELEPHONE), "Config.Account1.SIP.TransType"),
            Some(number)
        );
        assert_eq!(
            value(
                &render(&view, YEALINK),
                "account.1.sip_server.1.transport_type"
            ),
            Some(number)
        );
        assert_eq!(
            value(
                &render(&view, YEALINK),
                "account.1.sip_server.2.transport_type"
            ),
            Some(number)
        );
    }
}

#[test]
fn a_lone_pbx_is_named_alone() {
    let mut view = site();
    view.pbxs.remove(0);
    for index in [TELEPHONE, YEALINK, NOBODYS, GATEWAY] {
        let file = render(&view, index);
        assert!(
            file.contains("pbx1.acme.example") && !file.contains("pbx2"),
            "{file}"
        );
    }
}

/// The templates do not rest on how the host treats the line ends of blocks and of the last line.
#[test]
fn whitespace_settings_of_the_host_do_not_matter() {
    for index in [TELEPHONE, YEALINK, NOBODYS, GATEWAY] {
        let expected = render(&site(), index);
        assert!(
            expected.ends_with('\n') && !expected.ends_with("\n\n") && !expected.contains("\n\n"),
            "{expected:?}"
        );
        for bits in 0..8 {
            let whitespace = Whitespace {
                trim_blocks: bits & 1 != 0,
                lstrip_blocks: bits & 2 != 0,
                keep_trailing_newline: bits & 4 != 0,
            };
            assert_eq!(render_with(whitespace, &site(), &target(), index), expected);
        }
    }
}

/// Everything that some reader might take for the end of a line.
const LINE_ENDS: [char; 7] = [
    '\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}',
];

/// What stands before the ` = ` of each line but the first, which is a comment in every format.
fn keys(file: &str) -> Vec<&str> {
    file.split(LINE_ENDS)
        .skip(1)
        .map(|line| line.split(" = ").next().unwrap_or_default())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a name holds, a file has the same keys in the same order as with a plain one.
    #[test]
    fn no_value_adds_a_line(text in any::<String>(), pad in "[a-z]{0,3}[\r\n\u{b}\u{c}\u{85}\u{2028}\u{2029}\0]{1,3}") {
        let evil = format!("{text}{pad}injected = 1");
        let mut view = site();
        view.site.name.clone_from(&evil);
        for user in &mut view.users {
            user.name.clone_from(&evil);
            user.sip_password = Some("${secret:x}".into());
        }
        for pbx in &mut view.pbxs {
            pbx.hostname.clone_from(&evil);
        }
        let mut plain = site();
        plain.users.iter_mut().for_each(|user| user.sip_password = Some("${secret:x}".into()));
        for device in &mut view.devices {
            device.name.clone_from(&evil);
        }
        for index in [TELEPHONE, YEALINK, NOBODYS, GATEWAY] {
            let (odd, plain) = (render(&view, index), render(&plain, index));
            prop_assert_eq!(keys(&odd), keys(&plain));
        }
    }

    /// A reference to a secret is never made out of pieces that were not one.
    #[test]
    fn no_reference_comes_out_of_a_name(before in "[$]{1,3}", breaks in "[\r\n\0]{1,2}") {
        let mut view = site();
        view.users[0].name = format!("{before}{breaks}{{secret:root}}");
        let file = render(&view, TELEPHONE);
        prop_assert!(!file.contains("${secret:root}"), "{}", file);
    }
}
