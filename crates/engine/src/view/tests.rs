use std::path::Path;

use switchover_plugin_host::wit;
use switchover_topology::{Loaded, load_text};

use super::Scope;

/// A site with this target, these WMS versions, main before failover, and one device.
fn site(target: &str, versions: &[&str], device: &str) -> Loaded {
    let pbxs: String = versions
        .iter()
        .zip(["main", "failover"])
        .map(|(wms, role)| {
            format!(
                "pbx \"{role}\" role=\"{role}\" {{\n    hostname \"{role}.acme.example\"\n    address \"10.0.0.1\"\n    \
                 wms \"{wms}\"\n    platform \"hardware\"\n}}\n"
            )
        })
        .collect();
    let text = format!(
        "site \"acme\" mode=\"hot-standby\"\n{pbxs}{target}\n\
         device \"it\" mac=\"9c:75:14:00:00:01\" {device}\n"
    );
    load_text("switchover.kdl", text, Path::new("."))
}

/// What the view has for the device, or why it has nothing.
fn seen(versions: &[&str], device: &str) -> Result<wit::Device, String> {
    seen_by("target \"t\" plugin=\"provisioning\"", versions, device)
}

/// The same, of another target.
fn seen_by(target: &str, versions: &[&str], device: &str) -> Result<wit::Device, String> {
    let loaded = site(target, versions, device);
    let topology = &loaded.topology;
    let scope = Scope::of(topology, topology.targets.iter().next().unwrap());
    let device = topology.devices.iter().next().unwrap();
    scope.device(device).map_err(|refusal| refusal.message)
}

fn times(range: Option<wit::SecondsRange>) -> Option<(u32, u32)> {
    range.map(|range| (range.min, range.max))
}

#[test]
fn transport_and_port_are_those_of_the_edition_in_force() {
    use wit::Transport::{Tcp, Tls, Udp};
    for wms in [
        "3.86.30011",
        "3.87.1200",
        "3.88.41912.34",
        "4.02.1",
        "5.01",
        "6.07",
        "7.08",
    ] {
        for (model, transport, port) in [
            ("WP480", Tcp, 443),
            ("WP600A", Tls, 443),
            ("W02FXSR2", Udp, 5060),
            ("W0XPRI", Tcp, 443),
        ] {
            let seen = seen(&[wms, wms], &format!("model=\"{model}\"")).unwrap();
            assert_eq!(
                (seen.transport, seen.port),
                (transport, port),
                "{model} on {wms}"
            );
        }
    }
    // A model that a later edition brought: what is dated is known, and no more than that.
    let start = seen(&["4.02.1", "4.02.1"], "model=\"START\"").unwrap();
    assert_eq!((start.transport, start.port), (Tls, 443));
    assert_eq!(times(start.windows.unwrap().switch), None);
    let refused = seen(&["3.88", "3.88"], "model=\"START\"").unwrap_err();
    assert_eq!(
        refused,
        "no source documents how `START` signals on WMS 3.88"
    );
    let declared = "model=\"START\" transport=\"tls\" port=443";
    assert_eq!(seen(&["3.88", "3.88"], declared).unwrap().transport, Tls);
    assert_eq!(seen(&[], "model=\"START\"").unwrap().transport, Tls);
}

#[test]
fn what_no_file_can_hold_is_not_demanded() {
    for model in ["W-AIR", "iOS", "Vision", "Collaboration"] {
        let seen = seen(&["3.88", "3.88"], &format!("model=\"{model}\""));
        assert_eq!(
            seen.map(|seen| (seen.port, seen.windows)),
            Ok((0, None)),
            "{model}"
        );
    }
    // Half of it declared is a slip, and where the target's settings name a template, the file would hold it.
    let half = seen(&["3.88", "3.88"], "model=\"W-AIR\" transport=\"tls\"");
    assert!(half.is_err());
    for families in ["\"W-AIR=yealink\"", "\"WP480=akuvox\" \"w-air=yealink\""] {
        let target =
            format!("target \"t\" plugin=\"provisioning\" {{\n    families {families}\n}}");
        let named = seen_by(&target, &["3.88", "3.88"], "model=\"W-AIR\"");
        assert_eq!(
            named.map(|seen| seen.port),
            Err("no source documents how `W-AIR` signals on WMS 3.88".to_owned())
        );
    }
}

#[test]
fn windows_hold_on_both_pbxs() {
    let switch = |versions: [&str; 2], device: &str| {
        let windows = seen(&versions, device).unwrap().windows.unwrap();
        (times(windows.switch), times(windows.back))
    };
    assert_eq!(
        switch(["3.87", "3.87"], "model=\"WP490\" year=2016"),
        (Some((30, 60)), Some((10, 60)))
    );
    for versions in [["3.88", "5.01"], ["5.01", "3.88"]] {
        assert_eq!(
            switch(versions, "model=\"WP490\""),
            (Some((30, 145)), Some((10, 105)))
        );
        assert_eq!(switch(versions, "model=\"WP600A\""), (None, None));
    }
}
