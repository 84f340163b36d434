//! The guide's edition for WMS 5.0X and 6.0X.

use super::{CLEAR_TEXT_PORT, Dated, Edition, Line, Port, SECURE, line, seconds};
use crate::source::{Document, Source};
use crate::support::{Statement, SupportLine, supported, supported_from};
use crate::transport::Transport::{Tcp, Tls, Udp};
use crate::version::Release;

pub(super) const EDITION: Edition = Edition {
    name: "5.0X/6.0X",
    from: Release(&[5, 0]),
    newest: "6.0X",
    past: Release(&[6, 10]),
    table: TABLE,
    dated: DATED,
    source: TABLE_OF_DEVICES,
    support: SUPPORT,
    statements: STATEMENTS,
};

const fn section(section: &'static str) -> Source {
    Source {
        document: Document::Guide50X60X,
        section,
    }
}

const TABLE_OF_DEVICES: Source = section("Device configuration and switching timeout");
const FEATURES: Source = section("Currently supported features & scenarios");
const LIMITATIONS: Source = section("Current (temporary) limitations/special configuration");

/// Which limitations of the edition for 3.86 it still has is not known, so it has none here: only what it carries.
/// That it carries what its table gives times for follows from the table.
const SUPPORT: &[SupportLine] = &[
    supported(
        &[
            "WP400",
            "WP410",
            "WP410R2",
            "WP410R3",
            "WP480",
            "WP480R2",
            "WP480R3",
            "WP490",
            "WP490R2",
            "WP490R3",
            "START",
            "WorkForce",
            "WelcomeConsole",
            "Vision",
            "SuperVision",
            "W24FXSR2",
            "W04FXS",
            "W04FXO",
            "W02FXSR2",
            "W0XPRI",
            "W01/02BRI",
            "Android",
        ],
        TABLE_OF_DEVICES,
    ),
    supported_from(&["WP600AXX"], Release(&[2, 8, 22]), FEATURES),
    supported(&["Collaboration"], FEATURES),
    supported_from(&["Collaboration native app"], Release(&[2, 1, 5]), FEATURES),
    supported_from(
        &["Collaboration Chrome extension"],
        Release(&[1, 6, 7]),
        FEATURES,
    ),
];

/// Its text is otherwise that of the edition for 3.86; of the limitations there, it repeats none of single models and
/// features.
const STATEMENTS: &[(Statement, Source)] = &[
    (Statement::FailoverUsuallyIdle, FEATURES),
    (Statement::SyncOverwritesDestination, LIMITATIONS),
    (Statement::LocaleNotSynced, LIMITATIONS),
    (Statement::SyncEveryTwoHours, FEATURES),
    (Statement::DevicesRegisterOnBoth, FEATURES),
    (Statement::IncomingTrunksTryBoth, FEATURES),
    (Statement::OutgoingTrunksUnsupported, LIMITATIONS),
    (Statement::PhoneFailoverConfUnsupported, LIMITATIONS),
    (Statement::SecondaryDnsUnsupported, LIMITATIONS),
];

/// “Since WMS 4.0X”. A WP410, WP480 or WP490 without a revision may be an R3.
const DATED: &[Dated] = &[Dated {
    models: &[
        "WP410",
        "WP410R3",
        "WP480",
        "WP480R3",
        "WP490",
        "WP490R3",
        "START",
        "WorkForce",
        "WelcomeConsole",
        "W0XPRI",
        "W01/02BRI",
    ],
    transport: Tls,
    port: SECURE,
    since: Release(&[4, 0]),
}];

/// The lines for WP4X0 are told apart by revision; a name without one may mean any of them.
const TABLE: &[Line] = &[
    // WP4X0 old
    line(
        &["WP400", "WP410", "WP480", "WP490"],
        &[Tcp],
        SECURE,
        seconds(60, 105),
        seconds(60, 105),
    ),
    // WP4X0 R2
    line(
        &["WP410", "WP410R2", "WP480", "WP480R2", "WP490", "WP490R2"],
        &[Tcp],
        SECURE,
        seconds(30, 60),
        seconds(10, 60),
    ),
    // WP4X0 R3, START (formerly WP410), WorkForce, WelcomeConsole
    line(
        &[
            "WP410",
            "WP410R3",
            "WP480",
            "WP480R3",
            "WP490",
            "WP490R3",
            "START",
            "WorkForce",
            "WelcomeConsole",
        ],
        &[Tls],
        SECURE,
        seconds(95, 145),
        seconds(60, 105),
    ),
    line(
        &["Vision", "SuperVision"],
        &[Tcp],
        SECURE,
        seconds(60, 180),
        seconds(15, 45),
    ),
    line(
        &["W24FXSR2"],
        &[Tcp],
        SECURE,
        seconds(40, 45),
        seconds(30, 90),
    ),
    line(
        &["W04FXS", "W04FXO"],
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
        &[Tcp, Tls],
        SECURE,
        seconds(10, 10),
        seconds(30, 180),
    ),
    line(
        &["W01/02BRI"],
        &[Tcp, Tls],
        SECURE,
        seconds(10, 60),
        seconds(60, 180),
    ),
    line(
        &["WP600AXX"],
        &[Tls],
        SECURE,
        seconds(60, 180),
        seconds(15, 45),
    ),
    // While the application is active; in the background it changes over at once.
    line(
        &["Android"],
        &[Tls],
        SECURE,
        seconds(60, 180),
        seconds(15, 45),
    ),
];
