//! SW3xx at the edges: who uses it, how often it is told, and versions that no source speaks of.

use crate::showing::{codes, codes_of, shown};
use crate::sound::Sound;

const NONE: [&str; 0] = [];

fn users(uses: &[&str]) -> String {
    (101..)
        .zip(uses)
        .map(|(number, uses)| format!("user \"{number}\" name=\"U\" pbx=\"pbx1\" {{ {uses}; }}\n"))
        .collect()
}

fn telephone(properties: &str) -> String {
    format!(
        "device \"phone\" model=\"WP480\" mac=\"9c:75:14:00:01:01\" network=\"voice\" firmware=\"2.8.22\" {properties}\n"
    )
}

#[test]
fn the_sound_site_raises_nothing() {
    assert_eq!(shown(&Sound::new().text()), "");
}

#[test]
fn each_user_is_told_at_their_own_place() {
    let text = Sound::new().and(&users(&[
        "uses \"blf\"",
        "uses \"kite\" \"blf\"",
        "email \"u@acme.example\"",
    ]));
    assert_eq!(codes(&text.text()), ["SW308", "SW309", "SW308"]);
}

#[test]
fn what_the_site_uses_is_told_once_for_all() {
    let site = "site \"acme\" mode=\"hot-standby\" {\n    uses \"blf\"\n}\n";
    let with = |users: &str| {
        let mut sound = Sound::new().and(users);
        site.clone_into(&mut sound.site);
        sound.text()
    };
    // One of them says so too: that is the same cause.
    let three = users(&[
        "uses \"blf\"",
        "email \"u@acme.example\"",
        "email \"v@acme.example\"",
    ]);
    insta::assert_snapshot!("sw308-site", shown(&with(&three)));
    assert_eq!(codes(&with("")), ["SW308"]);
    // What the site does not use is still the user's own.
    assert_eq!(codes(&with(&users(&["uses \"kite\""]))), ["SW308", "SW309"]);
}

#[test]
fn where_a_later_edition_does_not_repeat_it_the_finding_says_so() {
    let on = |wms: &str| {
        let text = Sound::new()
            .with("wms \"3.86\"", &format!("wms \"{wms}\""))
            .and(&users(&["uses \"continuity\""]))
            .and("call-group \"all\" strategy=\"call-all-32\" { member \"101\"; }\n");
        shown(&text.text())
    };
    insta::assert_snapshot!("sw3xx-not-repeated", on("5.01.2"));
    assert!(!on("3.86.99999").contains("not repeated"));
    assert!(!on("4.02.1").contains("not repeated"));
    assert!(on("7.08").contains("not repeated for WMS 5.0X/6.0X"));
}

#[test]
fn the_version_is_that_of_the_pbx_that_serves_after_the_switch() {
    let mut sound = Sound::new().and(&users(&["uses \"continuity\""]));
    let main_only = sound.pbxs.replacen("wms \"3.86\"", "wms \"5.01\"", 1);
    sound.pbxs = main_only;
    assert!(!shown(&sound.text()).contains("not repeated"));
}

#[test]
fn sw301_is_about_one_strategy() {
    let group = |strategy: &str| {
        let group = format!("call-group \"all\" strategy=\"{strategy}\" {{ member \"101\"; }}\n");
        codes(
            &Sound::new()
                .and(&users(&["email \"u@acme.example\""]))
                .and(&group)
                .text(),
        )
    };
    for strategy in ["call-all-32", "Call All 32", "call_all_32"] {
        assert_eq!(group(strategy), ["SW301"], "{strategy}");
    }
    assert_eq!(group("call-all-10"), NONE);
    assert_eq!(group("call-all"), NONE);
}

#[test]
fn sw305_tells_each_member_outside_the_pair() {
    let remote =
        "member \"rome\" role=\"client\"\n    member \"oslo\" role=\"client\"\n    member \"pbx2\"";
    assert_eq!(
        codes(&Sound::new().with("member \"pbx2\"", remote).text()),
        ["SW305", "SW305"]
    );
}

#[test]
fn sw305_holds_back_while_a_pbx_is_left_out() {
    let text = Sound::new().with("address \"10.20.0.20\"", "address \"10.20.0.320\"");
    let codes = codes(&text.text());
    assert!(!codes.contains(&"SW305".to_owned()), "{codes:?}");
}

#[test]
fn sw306_is_about_two_years_of_one_model() {
    for (year, raised) in [(2014, false), (2015, true), (2016, true), (2017, false)] {
        let codes = codes(&Sound::new().and(&telephone(&format!("year={year}"))).text());
        assert_eq!(
            codes.contains(&"SW306".to_owned()),
            raised,
            "{year}: {codes:?}"
        );
    }
    for (model, raised) in [
        ("WP480G", true),
        ("wp480 r2", true),
        ("WP490", false),
        ("WP9000", false),
    ] {
        let phone = telephone("year=2015").replace("\"WP480\"", &format!("\"{model}\""));
        let codes = codes(&Sound::new().and(&phone).text());
        assert_eq!(
            codes.contains(&"SW306".to_owned()),
            raised,
            "{model}: {codes:?}"
        );
    }
}

#[test]
fn sw312_is_one_note_whatever_the_number_of_telephones() {
    let phones = |number: u8| -> String {
        (1..=number)
            .map(|n| {
                telephone("year=2017")
                    .replace("00:01:01", &format!("00:01:{n:02x}"))
                    .replace("\"phone\"", &format!("\"phone-{n}\""))
            })
            .collect()
    };
    assert!(shown(&Sound::new().and(&phones(1)).text()).contains("1 telephone switches silently"));
    let many = shown(&Sound::new().and(&phones(50)).text());
    assert!(
        many.contains("note[SW312]") && many.contains("50 telephones switch silently"),
        "{many}"
    );
    assert_eq!(many.matches("SW312]").count(), 1);
}

#[test]
fn sw312_is_accepted_for_the_site_and_at_the_telephone() {
    let acknowledge = "acknowledge \"SW312\" reason=\"told\"";
    let mut sound = Sound::new().and(&telephone("year=2017"));
    sound.site = format!("site \"acme\" mode=\"hot-standby\" {{ {acknowledge}; }}\n");
    assert_eq!(codes_of(&["SW3"], &sound.text()), ["(SW312)"]);
    let phone = telephone("year=2017").replace('\n', &format!(" {{ {acknowledge}; }}\n"));
    assert_eq!(
        codes_of(&["SW3"], &Sound::new().and(&phone).text()),
        ["(SW312)"]
    );
}
