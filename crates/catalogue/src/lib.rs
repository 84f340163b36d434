//! The documented facts as data: device models, ports, timings, limits, by WMS version; DHCP option definitions.
//!
//! It must never read a file, know a topology or hold an opinion: what no source says is absent, not guessed.
//! What is inferred rather than documented is marked so. A new edition of the vendor's guide is a new file in
//! `editions/` and a line in its list. Start with [`Model`].

mod dhcp;
mod editions;
mod limitations;
mod limits;
mod model;
mod nearest;
mod source;
mod support;
mod transport;
mod version;

pub use dhcp::{
    DhcpOptionDefinition, DhcpValueType, dhcp_option, dhcp_option_by_name, dhcp_options,
};
pub use editions::{
    Edition, Port, SecondsRange, Signalling, edition, edition_of, edition_outrun_by, editions,
    newest_signalling, signalling, signalling_made_in, signalling_on_all,
};
pub use limitations::{
    BLF, CALL_ALL_32, CONTINUITY, Direction, EMAIL_NOTIFICATIONS, HOT_DESKING, KITE, Limitation,
    NO_DISPLAY_MESSAGE, PRE_ANSWER, REMOTE_PBX, SEMI_ATTENDED_TRANSFER, Trigger, USER_FEATURES,
    WP480_OF_2015_2016, XML_BROWSER, limitations,
};
pub use limits::{FAILOVER_CAPACITY, FailoverCapacity, LOAD_SHARING_SINCE, MINIMAL_WMS, Since};
pub use model::{
    Basis, DeviceClass, Model, TemplateFamily, Templates, model, models, nearest_model,
};
pub use nearest::{mistyped, nearest};
pub use source::{Document, Source, rfc};
pub use support::{
    Statement, Support, Verdict, Years, first_supporting, states, support, support_earlier,
};
pub use transport::{ParseTransportError, Transport};
pub use version::{DottedVersion, ParseVersionError, Release};
