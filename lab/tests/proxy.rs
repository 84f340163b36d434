use serde_json::json;
use switchover_lab::{Fault, Kea, Lab, Proxy};

use crate::{kea, lab, post};

fn proxied(lab: &Lab) -> (Kea, Proxy) {
    let kea = kea(lab, None);
    let proxy = Proxy::start(lab, ("10.20.30.6".parse().unwrap(), 8000), kea.address()).unwrap();
    (kea, proxy)
}

#[test]
fn requests_pass_unchanged_and_are_recorded() {
    let lab = lab();
    let (kea, proxy) = proxied(&lab);
    let direct = post(&lab, &kea.url(), "version-get");
    assert_eq!(post(&lab, &proxy.url(), "version-get"), direct);
    assert!(direct.0, "{}", direct.1);
    let requests = proxy.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (requests[0].method.as_str(), requests[0].path.as_str()),
        ("POST", "/")
    );
    assert_eq!(
        requests[0].body,
        json!({ "command": "version-get", "service": ["dhcp4"] }).to_string()
    );
    assert_eq!(proxy.commands(), ["version-get"]);
}

#[test]
fn a_fault_of_one_command_leaves_the_others() {
    let lab = lab();
    let (_kea, proxy) = proxied(&lab);
    proxy.fail_command("config-test", Fault::Reject("no".to_owned()));
    assert_eq!(
        post(&lab, &proxy.url(), "config-test").1,
        r#"[{"result":1,"text":"no"}]"#
    );
    assert!(
        post(&lab, &proxy.url(), "version-get")
            .1
            .contains("\"result\": 0")
    );
    proxy.heal();
    assert_ne!(
        post(&lab, &proxy.url(), "config-test").1,
        r#"[{"result":1,"text":"no"}]"#
    );
}

#[test]
fn every_fault_is_seen_by_the_client() {
    let lab = lab();
    let (kea, proxy) = proxied(&lab);
    let seen = |fault| {
        proxy.heal();
        proxy.fail(fault);
        post(&lab, &proxy.url(), "version-get")
    };
    assert!(seen(Fault::Status(500)).1.contains("500"));
    assert_eq!(seen(Fault::Body("{".to_owned())), (true, "{".to_owned()));
    assert!(!seen(Fault::NotHttp).0);
    assert!(!seen(Fault::Close).0);
    assert!(!seen(Fault::LoseAnswer).0);
    assert_eq!(seen(Fault::Redirect(kea.url())), (true, String::new()));
    let (answered, error) = seen(Fault::Hang);
    assert!(!answered && error.contains("timed out"), "{error}");
}

#[test]
fn an_answer_is_lost_after_the_command_was_carried_out() {
    let lab = lab();
    let (kea, proxy) = proxied(&lab);
    proxy.fail_command("dhcp-disable", Fault::LoseAnswer);
    assert!(!post(&lab, &proxy.url(), "dhcp-disable").0);
    let (answered, error) = post(&lab, &proxy.url(), "status-get");
    assert!(answered, "{error}");
    assert_eq!(proxy.commands(), ["dhcp-disable", "status-get"]);
    assert!(kea.log().contains("dhcp-disable"), "{}", kea.log());
}
