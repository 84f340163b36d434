//! What stands behind the API of a whole PBX.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::handle::Wms;
use super::server::lock;
use super::state::State;

/// The part of a PBX that makes real what its API was given. Asked and told while nobody else changes anything.
pub(crate) trait Behind: fmt::Debug + Send + Sync {
    /// Serves this from now on.
    fn serve(&self, served: &Served);

    /// Who of these is registered, as the API tells it: by extension.
    fn registrations(&self, extensions: &[String]) -> Map<String, Value>;
}

/// What the API was given of which telephones and callers notice something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Served {
    /// Extensions and SIP passwords.
    pub(crate) users: Vec<(String, String)>,
    /// Where the providers of incoming trunks are.
    pub(crate) trunks: Vec<String>,
    /// Call groups with the extensions of their members.
    pub(crate) groups: Vec<(String, Vec<String>)>,
}

impl State {
    /// Tells what stands behind of a change.
    pub(super) fn changed(&self, behind: Option<&Arc<dyn Behind>>) {
        if let Some(behind) = behind {
            behind.serve(&self.served());
        }
    }

    /// Asks what stands behind who is registered.
    pub(super) fn ask_who_is_registered(&mut self, behind: Option<&Arc<dyn Behind>>) {
        if let Some(behind) = behind {
            let extensions: Vec<String> =
                self.served().users.into_iter().map(|user| user.0).collect();
            self.registrations = behind.registrations(&extensions);
        }
    }

    fn served(&self) -> Served {
        let text = |value: Option<&Value>| Some(value?.as_str()?.to_owned());
        let users = self.users.iter().filter_map(|user| {
            Some((text(user.get("extension"))?, text(user.get("sipPassword"))?))
        });
        let trunks = self
            .sip_trunks
            .iter()
            .filter_map(|trunk| text(trunk.get("host")))
            .filter(|provider| !provider.is_empty());
        let groups = self.call_groups.iter().filter_map(|group| {
            let members = group.pointer("/settings/members")?.as_array()?;
            let members = members.iter().filter_map(|member| text(Some(member)));
            Some((text(group.get("title"))?, members.collect()))
        });
        Served {
            users: users.collect(),
            trunks: trunks.collect(),
            groups: groups.collect(),
        }
    }
}

impl Wms {
    /// Puts this API before something that is to serve what the API is given from then on. Done once.
    pub(crate) fn put_before(&self, behind: Arc<dyn Behind>) {
        let state = lock(&self.shared.state);
        if self.shared.behind.set(behind).is_ok() {
            state.changed(self.shared.behind.get());
        }
    }

    /// Does something with what is to be served, which does not change meanwhile.
    pub(crate) fn while_unchanged<T>(&self, action: impl FnOnce(&Served) -> T) -> T {
        action(&lock(&self.shared.state).served())
    }
}
