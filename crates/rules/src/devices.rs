//! SW2xx: what the guide says of devices and trunks, on the WMS versions that the pair runs.
//!
//! For each version the edition in force counts, and what a later one dates back to it. Where neither says anything of
//! a model, nothing is found. Both PBXs serve every device, so each is judged by the versions of both.

mod fleet;
mod registration;
mod signalling;
mod support;
mod times;
mod trunks;

pub(crate) use fleet::{Fleet, Known, year};
pub(crate) use registration::{SW211, SW212, SW213};
pub(crate) use signalling::{SW204, SW205};
pub(crate) use support::{SW201, SW202, SW203, SW208, SW214};
pub(crate) use times::{SW209, SW210};
pub(crate) use trunks::{SW206, SW207};

use switchover_catalogue::{Document, Source};

const fn guide_386(section: &'static str) -> Source {
    Source {
        document: Document::Guide386,
        section,
    }
}

const fn guide_later(section: &'static str) -> Source {
    Source {
        document: Document::Guide50X60X,
        section,
    }
}

const FEATURES: &str = "Currently supported features & scenarios";
const TABLE: &str = "Device configuration and switching timeout";
const LIMITATIONS: &str = "Current (temporary) limitations/special configuration";
