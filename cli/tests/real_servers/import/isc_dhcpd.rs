use std::fs;

use insta::assert_snapshot;
use switchover_lab::{IscDhcpd, Lab};

use super::{assert_valid, fill_in_models, unchanged};
use crate::environment::TestEnvironment;

/// `dhcpd.conf` as people write it. It includes the other file.
const MAIN: &str = "\
# Acme, Udine
authoritative;
default-lease-time 7200;
option domain-name-servers 10.20.0.53, 10.20.0.54;
option phone-url code 161 = text;
key \"omapi\" { algorithm hmac-md5; secret \"c2VjcmV0LTQ3MTE=\"; }

class \"printers\" {
    match if substring(hardware, 1, 3) = 00:11:22;
    filename \"p\";
}

subnet 192.0.2.0 netmask 255.255.255.0 {
    # the other network
    option routers 192.0.2.1;
    range 192.0.2.100 192.0.2.120;
    range 192.0.2.130 192.0.2.140;
}

group {
    # telephones in the hall
    option tftp-server-name \"https://prov.acme.example/\";
    host wp480-hall { hardware ethernet 9c:75:14:00:01:01; fixed-address 192.0.2.11; }
    host sales { hardware ethernet 9c:75:14:00:01:02; fixed-address 192.0.2.12; option host-name \"sales\"; }
}

include \"FOLDER/switchover.conf\";
";

/// Statements that say no more and no less than a network and its devices.
const OWN: &str = "\
# by hand, in a file of its own
subnet 10.20.30.0 netmask 255.255.255.0 {
    default-lease-time 28800;
    max-lease-time 28800;
    pool { range 10.20.30.100 10.20.30.220; }
    option routers 10.20.30.1;
    option domain-name-servers 10.20.0.53, 10.20.0.54;
    option domain-name \"acme.example\";
}
host wp600a-desk { hardware ethernet 9c:75:14:00:02:01; fixed-address 10.20.30.11; option host-name \"wp600a-desk\"; }
host attic { hardware ethernet 9c:75:14:00:02:02; fixed-address 10.20.30.12; option host-name \"attic\"; }
# dhcpd does not tell this one its name
host cellar { hardware ethernet 9c:75:14:00:02:03; fixed-address 10.20.30.13; }
";

#[test]
fn both_files_are_written_down_and_a_plan_changes_nothing() {
    let lab = Lab::start(&["10.20.30.1/24"]).unwrap();
    let environment = TestEnvironment::new();
    let folder = environment.work().join("dhcp");
    fs::create_dir(&folder).unwrap();
    let main = MAIN.replace("FOLDER", &folder.display().to_string());
    fs::write(folder.join("dhcpd.conf"), &main).unwrap();
    fs::write(folder.join("switchover.conf"), OWN).unwrap();
    // It would not start with anything that it does not understand.
    let _dhcpd = IscDhcpd::start(&lab, "10.20.30.5/24", &folder).unwrap();

    let imported = environment.run([
        "import",
        "isc-dhcpd",
        "--root",
        "dhcp",
        "-o",
        "switchover.kdl",
    ]);
    assert_eq!(imported.code, Some(0), "{imported}");
    let text = fs::read_to_string(environment.work().join("switchover.kdl")).unwrap();
    assert_snapshot!("dhcpd_topology", text);
    assert_snapshot!("dhcpd_notes", imported);
    assert!(!imported.everything().contains("c2VjcmV0"), "{imported}");
    assert_valid(&environment);
    let run = |arguments: &[&str]| environment.run(arguments);
    let handed_over = unchanged(run);
    fill_in_models(&environment);
    assert_eq!(unchanged(run), handed_over + 1);
    assert_eq!(fs::read_to_string(folder.join("dhcpd.conf")).unwrap(), main);
    assert_eq!(
        fs::read_to_string(folder.join("switchover.conf")).unwrap(),
        OWN
    );
}

#[test]
fn a_file_that_does_not_include_the_targets_is_described_all_the_same() {
    let environment = TestEnvironment::new();
    let main = MAIN.replace("include \"FOLDER/switchover.conf\";\n", "");
    environment.write("dhcp/dhcpd.conf", &main);
    let imported = environment.run([
        "import",
        "isc-dhcpd",
        "--root",
        "dhcp",
        "-o",
        "switchover.kdl",
    ]);
    assert_eq!(imported.code, Some(0), "{imported}");
    assert!(
        imported
            .stderr
            .contains("`switchover plan` will be refused for now: `dhcpd.conf` does not include"),
        "{imported}"
    );
    assert_valid(&environment);
    let nothing = environment.run(["import", "isc-dhcpd", "--root", "nowhere"]);
    assert_eq!(nothing.code, Some(1), "{nothing}");
    assert!(
        nothing
            .stderr
            .contains("nothing to import at isc-dhcpd at nowhere"),
        "{nothing}"
    );
}
