//! The guide for WMS 3.86.

use super::{CLEAR_TEXT_PORT, Edition, Line, Port, SECURE, line, seconds};
use crate::source::{Document, Source};
use crate::support::{Statement, SupportLine, Years, supported, supported_from, unsupported};
use crate::transport::Transport::{Tcp, Tls, Udp};
use crate::version::Release;

pub(super) const EDITION: Edition = Edition {
    name: "3.86",
    from: Release(&[3, 86]),
    newest: "3.86",
    past: Release(&[3, 87]),
    table: TABLE,
    dated: &[],
    source: section("Device configuration and switching timeout"),
    support: SUPPORT,
    statements: STATEMENTS,
};

const fn section(section: &'static str) -> Source {
    Source {
        document: Document::Guide386,
        section,
    }
}

const FEATURES: Source = section("Currently supported features & scenarios");
const LIMITATIONS: Source = section("Current (temporary) limitations/special configuration");

/// What it calls WP, PRI and BRI are all models of that name that its table knows; it lists W04BRI as not supported.
/// Revisions that came after it are not among them.
const SUPPORT: &[SupportLine] = &[
    supported(
        &[
            "WP400", "WP410", "WP410R2", "WP480", "WP480R2", "WP490", "WP490R2",
        ],
        FEATURES,
    ),
    supported_from(&["WP600AXX"], Release(&[2, 8, 22]), FEATURES),
    supported(
        &[
            "W24FXSR2",
            "W04FXS",
            "W02FXSR2",
            "W04FXO",
            "W0XPRI",
            "W01/02BRI",
        ],
        FEATURES,
    ),
    unsupported(&["Collaboration"], Years::ANY, FEATURES),
    unsupported(
        &["W-AIR", "W04BRI", "W01GSM", "iOS"],
        Years::ANY,
        LIMITATIONS,
    ),
    // “pre 2015”: of later ones it says nothing.
    unsupported(&["W01FXS"], Years::to(2014), LIMITATIONS),
];

const STATEMENTS: &[(Statement, Source)] = &[
    (Statement::FailoverUsuallyIdle, FEATURES),
    (Statement::SyncOverwritesDestination, LIMITATIONS),
    (Statement::LocaleNotSynced, LIMITATIONS),
    (Statement::DevicesRegisterOnBoth, FEATURES),
    (Statement::IncomingTrunksTryBoth, FEATURES),
    (Statement::OutgoingTrunksUnsupported, LIMITATIONS),
    (Statement::PhoneFailoverConfUnsupported, LIMITATIONS),
    (Statement::SecondaryDnsUnsupported, LIMITATIONS),
];

/// Port 443 is, in the table's words, an alternative or the default secure port.
///
/// `WP` and `WP2015` are told apart by the year of production. That the second are the revisions R2 of the later
/// edition is inferred: it gives them the same times.
const TABLE: &[Line] = &[
    // WP
    line(
        &["WP400", "WP410", "WP480", "WP490"],
        &[Tcp],
        SECURE,
        seconds(60, 105),
        seconds(60, 105),
    )
    .made(Years::to(2014)),
    // WP2015
    line(
        &["WP410", "WP410R2", "WP480", "WP480R2", "WP490", "WP490R2"],
        &[Tcp],
        SECURE,
        seconds(30, 60),
        seconds(10, 60),
    )
    .made(Years::from(2015)),
    line(
        &["W24FXSR2"],
        &[Tcp],
        SECURE,
        seconds(40, 45),
        seconds(30, 90),
    ),
    line(
        &["W04FXS"],
        &[Tls],
        SECURE,
        seconds(30, 30),
        seconds(45, 300),
    ),
    line(
        &["W02FXSR2"],
        &[Udp],
        Port::Fixed(CLEAR_TEXT_PORT),
        seconds(30, 60),
        seconds(10, 30),
    ),
    line(
        &["W0XPRI"],
        &[Tcp],
        SECURE,
        seconds(10, 10),
        seconds(30, 180),
    ),
    line(
        &["W01/02BRI"],
        &[Tcp],
        SECURE,
        seconds(10, 60),
        seconds(60, 180),
    ),
    line(
        &["W04FXO"],
        &[Tls],
        SECURE,
        seconds(30, 30),
        seconds(45, 300),
    ),
    line(&["WP600AXX"], &[Tls], SECURE, None, None),
];
