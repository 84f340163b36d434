//! What a folder holds, as parts of a topology, and held against what would be wanted then.

use insta::assert_debug_snapshot;
use switchover_plugin_dnsmasq::Dnsmasq;
use switchover_sdk::{Adopting, Adoption, Answer, Plugin, ReadRequest, Response, Target};
use switchover_testing::{adoption, file_answer, handed_over};

use crate::harness::{after, changes, desired};
use crate::topology::{plain_target, target, view};

/// The folder's files; the first is the plugin's own, where it is there.
fn folder(own: Option<&str>, others: &[(&str, &str)]) -> Vec<Answer> {
    let mut names: Vec<String> = others.iter().map(|(name, _)| (*name).into()).collect();
    names.extend(own.map(|_| "switchover.conf".into()));
    names.sort();
    let mut answers = vec![file_answer("file", own)];
    answers.push(Answer {
        query: "folder".into(),
        response: Response::Folder(names),
    });
    let others = others.iter().filter(|(name, _)| name.ends_with(".conf"));
    answers.extend(others.map(|(name, text)| file_answer(&format!("other/{name}"), Some(text))));
    answers
}

fn adopted(own: Option<&str>, others: &[(&str, &str)]) -> Adoption {
    adoption::<Dnsmasq>(&plain_target(), &folder(own, others))
}

#[test]
fn lines_as_people_write_them() {
    let text = "\
# a comment
domain=acme.example
listen-address=127.0.0.1,10.20.30.5
dhcp-range=set:voice,10.20.30.100,10.20.30.220,255.255.255.0,12h
dhcp-range=set:lab,10.20.40.0,static,255.255.255.0,infinite
dhcp-range=10.20.50.10,10.20.50.20,1h
dhcp-range=::1,constructor:eth0
dhcp-option=tag:voice,option:router,10.20.30.1 # the firewall
dhcp-option=option:ntp-server,10.20.30.1
dhcp-option=tag:lab,3
dhcp-option=tag:voice,tag:guest,6,10.0.0.1
dhcp-option=tag:nobody,6,10.0.0.1
dhcp-option=tag:voice,6,0.0.0.0
dhcp-option=vendor:PXE,1,1
dhcp-host=9C:75:14:00:01:01,10.20.30.11,wp480-hall
dhcp-host=00:11:22:33:44:55,10.20.30.77,printer,infinite
dhcp-host=00:11:22:33:44:56,ignore
dhcp-host=id:01:02,10.20.30.9
host-record=pbx1,pbx1.acme.example,10.20.0.10,2001:db8::10
txt-record=acme.example,\"v=spf1\"
ptr-record=10.0.20.10.in-addr.arpa,pbx1.acme.example
address=/blocked.example/0.0.0.0
log-queries
";
    assert_debug_snapshot!(adopted(None, &[("office.conf", text), ("README", "")]));
}

#[test]
fn the_other_files_are_asked_for_once() {
    let target = plain_target();
    let mut answers = folder(None, &[("a.conf", ""), ("b.conf", ""), ("c", "")]);
    let more = |answers: &[Answer]| match Dnsmasq::adopt(&target, answers).unwrap() {
        Adopting::More(queries) => queries.into_iter().map(|query| query.request).collect(),
        Adopting::Found(_) => Vec::new(),
    };
    assert_eq!(more(&answers[..1]), [ReadRequest::Folder(String::new())]);
    let files = ["a.conf", "b.conf"].map(|name| ReadRequest::File(name.into()));
    assert_eq!(more(&answers[..2]), files);
    assert_eq!(more(&answers), []);
    // A file that is named is the one that is meant.
    answers.truncate(2);
    answers[0] = file_answer("file", Some("log-queries\n"));
    let named: Target = crate::topology::target(&serde_json::json!({ "file": "office.conf" }));
    assert!(matches!(
        Dnsmasq::adopt(&named, &answers),
        Ok(Adopting::Found(_))
    ));
}

/// What this plugin writes without telephones is what it finds again, all of it.
#[test]
fn what_was_applied_is_found_again() {
    let mut view = view();
    for network in &mut view.networks {
        network.phone_options.clear();
    }
    // Of NAPTR and CAA the language has one spelling, dnsmasq another: they are seen, and stay.
    view.zones[0].records.retain(|record| {
        matches!(
            record.data,
            switchover_sdk::RecordData::A(_)
                | switchover_sdk::RecordData::Srv(_)
                | switchover_sdk::RecordData::Cname(_)
        )
    });
    let text = after(None, &changes(None, &desired(&view), &[]));
    let again = handed_over::<Dnsmasq>(&plain_target(), &folder(Some(&text), &[]));
    let wanted: Vec<String> = switchover_testing::by_address(&desired(&view))
        .into_keys()
        .collect();
    assert_eq!(again, wanted, "{text}");
    assert!(adopted(Some(&text), &[]).left.is_empty());
}

/// What a network, a device or a zone cannot say is seen as a change, so that it is not handed over.
#[test]
fn what_a_topology_cannot_say_would_be_a_change() {
    let settings = serde_json::json!({ "local-ttl": false });
    for (text, expected) in [
        (
            "dhcp-range=set:net-a,10.0.0.0,static,255.255.255.0,60\ndhcp-option=tag:net-a,3\ndhcp-option=tag:net-a,6\n",
            vec!["option/a/3", "option/a/6", "range/a"],
        ),
        // Without the lines for what is not to be sent, dnsmasq names itself.
        (
            "dhcp-range=set:net-a,10.0.0.0,static,255.255.255.0,60\n",
            vec!["!option/a/3", "!option/a/6", "range/a"],
        ),
        (
            "dhcp-range=set:a,10.0.0.0,static,255.255.255.0,60\n",
            vec!["!option/a/3", "!option/a/6", "!range/a"],
        ),
        (
            "host-record=x.acme.example,10.0.0.1,60\n",
            vec!["record/x.acme.example/A/10.0.0.1"],
        ),
        (
            "host-record=x.acme.example,10.0.0.1\n",
            vec!["!record/x.acme.example/A/10.0.0.1"],
        ),
    ] {
        let held = handed_over::<Dnsmasq>(&target(&settings), &folder(Some(text), &[]));
        assert_eq!(held, expected, "{text}");
    }
}
