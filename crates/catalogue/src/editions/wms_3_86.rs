//! The guide for WMS 3.86.

use super::{Edition, Line, line, seconds};
use crate::source::{Document, Source};
use crate::transport::Transport::{Tcp, Tls, Udp};
use crate::version::{Release, ReleaseRange};

pub(super) const EDITION: Edition = Edition {
    name: "3.86",
    covers: &[ReleaseRange {
        from: Release(&[3, 86]),
        before: Release(&[3, 87]),
    }],
    table: TABLE,
    source: Source {
        document: Document::Guide386,
        section: "Device configuration and switching timeout",
    },
};

/// Port 443 is, in the table's words, an alternative or the default secure port.
///
/// `WP` and `WP2015` are told apart by the year of production. That the second are the revisions R2 of the later
/// edition is inferred: it gives them the same times.
const TABLE: &[Line] = &[
    // WP
    line(
        &["WP400", "WP410", "WP480", "WP490"],
        &[Tcp],
        443,
        seconds(60, 105),
        seconds(60, 105),
    ),
    // WP2015
    line(
        &["WP410", "WP410R2", "WP480", "WP480R2", "WP490", "WP490R2"],
        &[Tcp],
        443,
        seconds(30, 60),
        seconds(10, 60),
    ),
    line(&["W24FXSR2"], &[Tcp], 443, seconds(40, 45), seconds(30, 90)),
    line(&["W04FXS"], &[Tls], 443, seconds(30, 30), seconds(45, 300)),
    line(
        &["W02FXSR2"],
        &[Udp],
        5060,
        seconds(30, 60),
        seconds(10, 30),
    ),
    line(&["W0XPRI"], &[Tcp], 443, seconds(10, 10), seconds(30, 180)),
    line(
        &["W01/02BRI"],
        &[Tcp],
        443,
        seconds(10, 60),
        seconds(60, 180),
    ),
    line(&["W04FXO"], &[Tls], 443, seconds(30, 30), seconds(45, 300)),
    line(&["WP600AXX"], &[Tls], 443, None, None),
];
