//! The guide's edition for WMS 5.0X and 6.0X.

use super::{Edition, Line, line, seconds};
use crate::source::{Document, Source};
use crate::transport::Transport::{Tcp, Tls, Udp};
use crate::version::{Release, ReleaseRange};

pub(super) const EDITION: Edition = Edition {
    name: "5.0X/6.0X",
    covers: &[
        ReleaseRange {
            from: Release(&[5, 0]),
            before: Release(&[5, 10]),
        },
        ReleaseRange {
            from: Release(&[6, 0]),
            before: Release(&[6, 10]),
        },
    ],
    table: TABLE,
    source: Source {
        document: Document::Guide50X60X,
        section: "Device configuration and switching timeout",
    },
};

/// The lines for WP4X0 are told apart by revision; a name without one may mean any of them.
const TABLE: &[Line] = &[
    // WP4X0 old
    line(
        &["WP400", "WP410", "WP480", "WP490"],
        &[Tcp],
        443,
        seconds(60, 105),
        seconds(60, 105),
    ),
    // WP4X0 R2
    line(
        &["WP410", "WP410R2", "WP480", "WP480R2", "WP490", "WP490R2"],
        &[Tcp],
        443,
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
        443,
        seconds(95, 145),
        seconds(60, 105),
    ),
    line(
        &["Vision", "SuperVision"],
        &[Tcp],
        443,
        seconds(60, 180),
        seconds(15, 45),
    ),
    line(&["W24FXSR2"], &[Tcp], 443, seconds(40, 45), seconds(30, 90)),
    line(
        &["W04FXS", "W04FXO"],
        &[Tls],
        443,
        seconds(30, 30),
        seconds(45, 300),
    ),
    line(
        &["W02FXSR2"],
        &[Udp],
        5060,
        seconds(30, 60),
        seconds(10, 30),
    ),
    line(
        &["W0XPRI"],
        &[Tcp, Tls],
        443,
        seconds(10, 10),
        seconds(30, 180),
    ),
    line(
        &["W01/02BRI"],
        &[Tcp, Tls],
        443,
        seconds(10, 60),
        seconds(60, 180),
    ),
    line(
        &["WP600AXX"],
        &[Tls],
        443,
        seconds(60, 180),
        seconds(15, 45),
    ),
    // While the application is active; in the background it changes over at once.
    line(&["Android"], &[Tls], 443, seconds(60, 180), seconds(15, 45)),
];
