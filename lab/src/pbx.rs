//! A whole PBX: the API of a WMS, and the SIP server that serves what the API was given.

mod exchange;

use std::net::SocketAddrV4;
use std::path::Path;
use std::sync::Arc;

use crate::process::Server;
use crate::wms::{Wms, WmsSettings};
use crate::{Lab, LabError, door};

use exchange::{CLEAR_PORT, Exchange, TLS_PORT};

/// The secure port: the API over HTTPS, SIP over TLS, and SIP over TCP, which the vendor's telephones speak there, too.
const SECURE_PORT: u16 = 443;

/// How a PBX is started.
#[derive(Debug, Clone)]
pub struct PbxSettings {
    /// The name of the machine, besides its address.
    pub hostname: String,
    /// Its API. The same is served by HTTPS at port 443.
    pub wms: WmsSettings,
}

/// A running PBX. Users with their SIP passwords, incoming trunks and call groups that its API has are what its SIP side
/// serves, and the registrations that its API tells are those that the SIP side has.
///
/// SIP is spoken at port 5060 over UDP and TCP, at port 5061 over TLS, and at port 443 over TCP and TLS.
#[derive(Debug)]
pub struct Pbx {
    lab: Lab,
    settings: PbxSettings,
    wms: Wms,
    exchange: Arc<Exchange>,
    door: Option<Server>,
}

impl Pbx {
    /// Starts one at an address of the lab. It knows nobody but its administrator.
    ///
    /// # Errors
    /// When a program is missing or does not come to be ready.
    pub fn start(lab: &Lab, settings: PbxSettings) -> Result<Self, LabError> {
        let wms = Wms::start(lab, settings.wms.clone())?;
        let exchange = Exchange::new(lab, settings.wms.address, &settings.hostname)?;
        let exchange = Arc::new(exchange);
        wms.put_before(exchange.clone());
        let mut pbx = Self {
            lab: lab.clone(),
            settings,
            wms,
            exchange,
            door: None,
        };
        pbx.switch_on()?;
        Ok(pbx)
    }

    /// Its API, and what an administrator does at its web page.
    #[must_use]
    pub fn wms(&self) -> &Wms {
        &self.wms
    }

    /// The certificate of its secure port, which nobody has signed.
    #[must_use]
    pub fn certificate(&self) -> &Path {
        self.exchange.identity().0
    }

    /// The contacts that an extension has registered here, such as `sip:101@10.20.30.11:5060`.
    ///
    /// # Errors
    /// When the SIP server does not answer.
    pub fn contacts(&self, extension: &str) -> Result<Vec<String>, LabError> {
        self.exchange.contacts(extension)
    }

    /// Ends everything of it at once, as a power cut would: nothing answers any more, and all registrations are gone.
    /// What it was configured with is kept.
    pub fn kill(&mut self) {
        if let Some(mut door) = self.door.take() {
            door.kill();
        }
        self.exchange.kill();
        self.wms.pull_the_plug();
    }

    /// Starts it again after [`Pbx::kill`], with what it was configured with.
    ///
    /// # Errors
    /// As for [`Pbx::start`].
    pub fn restart(&mut self) -> Result<(), LabError> {
        self.wms.plug_in(&self.lab)?;
        self.switch_on()
    }

    /// What its SIP server has printed since it was started last.
    #[must_use]
    pub fn log(&self) -> String {
        self.exchange.log()
    }

    fn switch_on(&mut self) -> Result<(), LabError> {
        self.wms
            .while_unchanged(|served| self.exchange.start(&self.lab, served))?;
        self.door = Some(self.open_the_door()?);
        Ok(())
    }

    fn open_the_door(&self) -> Result<Server, LabError> {
        let at = |port| SocketAddrV4::new(self.settings.wms.address, port);
        let servers = [
            ("--sip", at(CLEAR_PORT)),
            ("--sips", at(TLS_PORT)),
            ("--web", at(self.settings.wms.port)),
        ];
        door::open(
            &self.lab,
            at(SECURE_PORT),
            &servers,
            self.exchange.identity(),
        )
    }
}
