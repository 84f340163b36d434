//! What people use: features, call groups, PBXs of other sites.

use std::collections::HashSet;

use switchover_catalogue::{
    BLF, CALL_ALL_32, CONTINUITY, EMAIL_NOTIFICATIONS, HOT_DESKING, KITE, Limitation, PRE_ANSWER,
    REMOTE_PBX, SEMI_ATTENDED_TRANSFER, Trigger, USER_FEATURES, XML_BROWSER,
};
use switchover_topology::model::Kind;
use switchover_topology::{Spanned, Topology};

use super::{LOST, told};
use crate::finding::Finding;
use crate::registry::{Check, Rule};
use crate::requirements::counted;

/// A rule about a feature that `uses` names.
macro_rules! feature_rule {
    ($code:ident, $name:literal, $limitation:ident, $check:ident, $summary:literal, $help:literal) => {
        pub(crate) const $code: Rule = Rule {
            code: stringify!($code),
            name: $name,
            summary: $summary,
            sources: &[$limitation.source],
            explanation: include_str!(concat!("../../explanations/", stringify!($code), ".md")),
            looks_at: &[Kind::Site, Kind::User],
            check: Check::Topology($check),
            ..LOST
        };

        fn $check(topology: &Topology) -> Vec<Finding> {
            users_of(topology, &$code, &$limitation, $help)
        }
    };
}

feature_rule!(
    SW302,
    "continuity-lost",
    CONTINUITY,
    continuity,
    "users use `continuity`, which does not work after the switch",
    "tell the users that a call which breaks has to be dialled again"
);
feature_rule!(
    SW303,
    "pre-answer-lost",
    PRE_ANSWER,
    pre_answer,
    "users use `pre-answer`, which does not work after the switch",
    "plan the calls without announcements before the answer for as long as the main PBX is down"
);
feature_rule!(
    SW304,
    "xml-browser-lost",
    XML_BROWSER,
    xml_browser,
    "users use `xml-browser`: history and phonebooks are missing on the failover PBX",
    "keep the numbers that must be reachable in the telephones' own contacts or on paper"
);
feature_rule!(
    SW307,
    "no-return-from-semi-attended-transfer",
    SEMI_ATTENDED_TRANSFER,
    semi_attended_transfer,
    "users use `semi-attended-transfer`, which does not return between remote and failover users",
    "have calls transferred only after the other side has answered"
);
feature_rule!(
    SW308,
    "blf-lost",
    BLF,
    blf,
    "users use `blf`, which does not work between local and failover users",
    "give those who answer for others a call group or a pickup code that does not depend on lamps"
);
feature_rule!(
    SW309,
    "kite-lost",
    KITE,
    kite,
    "users use `kite`, which cannot reach failover users while the main PBX is down",
    "publish a telephone number beside the Kite link"
);
feature_rule!(
    SW310,
    "email-notifications-lost",
    EMAIL_NOTIFICATIONS,
    email_notifications,
    "users use `email-notifications`, which are not sent for failover users",
    "have missed calls and voicemail looked up by hand, and let nothing urgent depend on these mails"
);
feature_rule!(
    SW311,
    "hot-desking-lost",
    HOT_DESKING,
    hot_desking,
    "users use `hot-desking`: login and logout by service 99 are refused on the failover PBX",
    "tell the users to stay at the telephone where they are logged in"
);
feature_rule!(
    SW313,
    "user-features-lost",
    USER_FEATURES,
    user_features,
    "users use `user-features`, which are not available on the failover PBX",
    "configure in the dialplan what must also hold during a failover"
);

pub(crate) const SW301: Rule = Rule {
    code: "SW301",
    name: "call-all-32-lost",
    summary: "a call group has the strategy `call-all-32`, which does not work for failover users",
    sources: &[CALL_ALL_32.source],
    explanation: include_str!("../../explanations/SW301.md"),
    looks_at: &[Kind::CallGroup],
    check: Check::Topology(call_all_32),
    ..LOST
};

pub(crate) const SW305: Rule = Rule {
    code: "SW305",
    name: "remote-pbx-unreachable",
    summary: "the WMS network has a PBX outside the pair: calls through it need the main PBX",
    sources: &[REMOTE_PBX.source],
    explanation: include_str!("../../explanations/SW305.md"),
    looks_at: &[Kind::Pbx, Kind::WmsNetwork],
    check: Check::Topology(remote_pbxs),
    ..LOST
};

/// One finding where the site uses the feature, or one for each user who does.
fn users_of(topology: &Topology, rule: &Rule, limitation: &Limitation, help: &str) -> Vec<Finding> {
    let Trigger::Feature(feature) = limitation.trigger else {
        return Vec::new();
    };
    let used = |uses: &'_ [Spanned<String>]| {
        uses.iter()
            .find(|used| used.value == feature)
            .map(|used| used.span)
    };
    let found = |node, span, who: &str| {
        let message = told(topology, &format!("{who} `{feature}`"), limitation);
        Finding::new(rule, node, span, message)
            .label("not on the failover PBX")
            .help(format!(
                "{help}; acknowledge {} here once everybody concerned knows",
                rule.code
            ))
    };

    // A site's word is for every user: theirs would repeat it.
    if let Some((site, span)) = topology
        .site
        .as_ref()
        .and_then(|site| Some((site, used(&site.uses)?)))
    {
        let who = match topology.users.len() {
            0 => "every user of the site uses".to_owned(),
            1 => "the one user of the site uses".to_owned(),
            all => format!("all {all} users of the site use"),
        };
        return vec![found(site.span, span, &who)];
    }
    topology
        .users
        .iter()
        .filter_map(|user| {
            let span = used(&user.uses)?;
            let who = format!("user `{}` uses", user.name.value);
            Some(found(user.span, span, &who))
        })
        .collect()
}

/// People copy the strategy from the web page: `Call All 32`.
fn spelled_alike(a: &str, b: &str) -> bool {
    let plain = |text: &str| -> String {
        let characters = text.chars().filter(|character| character.is_alphanumeric());
        characters.flat_map(char::to_lowercase).collect()
    };
    plain(a) == plain(b)
}

fn call_all_32(topology: &Topology) -> Vec<Finding> {
    let Trigger::CallGroupStrategy(strategy) = CALL_ALL_32.trigger else {
        return Vec::new();
    };
    topology
        .call_groups
        .iter()
        .filter(|group| spelled_alike(&group.strategy.value, strategy))
        .map(|group| {
            let subject = format!(
                "call group `{}` ({}) has the strategy `{strategy}`",
                group.name.value,
                counted(group.members.len() as u64, "member"),
            );
            Finding::new(
                &SW301,
                group.span,
                group.strategy.span,
                told(topology, &subject, &CALL_ALL_32),
            )
            .label("not on the failover PBX")
            .help(format!(
                "give `{}` another strategy, or a second group with another one to fall back on",
                group.name.value
            ))
        })
        .collect()
}

fn remote_pbxs(topology: &Topology) -> Vec<Finding> {
    // A member that was left out as a PBX would look like another site's.
    let Some(network) = topology
        .wms_network
        .as_ref()
        .filter(|_| !topology.incomplete.contains(&Kind::Pbx))
    else {
        return Vec::new();
    };
    let pair: HashSet<&str> = topology
        .pbxs
        .iter()
        .map(|pbx| pbx.name.value.as_str())
        .collect();
    network
        .members
        .iter()
        .filter(|member| !pair.contains(member.name.value.as_str()))
        .map(|member| {
            let name = &member.name.value;
            let subject = format!("`{name}` is in the WMS network, but not of the pair");
            Finding::new(
                &SW305,
                network.span,
                member.name.span,
                told(topology, &subject, &REMOTE_PBX),
            )
            .label("out of reach while the main PBX is down")
            .help(format!(
                "give the users another way to and from `{name}`, such as its public numbers through a trunk that is \
                 registered to both PBXs; acknowledge SW305 in `wms-network` once they know it"
            ))
        })
        .collect()
}
