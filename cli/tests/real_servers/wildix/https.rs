//! A PBX over HTTPS, and certificates that are not to be trusted.

use std::fs;

use switchover_lab::{WmsCertificate, WmsSettings};

use super::{Pair, assert_one_error};

/// A pair whose main PBX speaks HTTPS. Of the system's authorities there is one, which has nothing to do with it.
fn secure(certificate: &WmsCertificate) -> Pair {
    let main = WmsSettings {
        port: 443,
        certificate: Some(certificate.clone()),
        ..WmsSettings::default()
    };
    let mut pair = Pair::each([&main, &WmsSettings::default()]);
    let other = WmsCertificate::signed(&["10.20.0.10"]).unwrap();
    pair.environment.write("other.pem", other.trusted());
    let other = pair.environment.work().join("other.pem");
    pair.environment
        .set("SSL_CERT_FILE", &other.to_string_lossy());
    pair.edit(
        "endpoint \"http://10.20.0.10\"",
        "ca \"tls/ca.pem\"\n    endpoint \"https://10.20.0.10\"",
    );
    fs::create_dir(pair.environment.work().join("tls")).unwrap();
    pair.environment.write("tls/ca.pem", certificate.trusted());
    pair
}

#[test]
fn a_pair_is_configured_over_https() {
    for certificate in [
        WmsCertificate::signed(&["10.20.0.10"]).unwrap(),
        // As a PBX has it that nobody gave another one.
        WmsCertificate::self_signed(&["10.20.0.10"]).unwrap(),
    ] {
        let pair = secure(&certificate);
        pair.apply();
        pair.assert_settled();
        assert_eq!(pair.main.url(), "https://10.20.0.10");
    }
}

#[test]
fn a_certificate_that_is_not_to_be_trusted_ends_it() {
    let refused = |pair: &Pair, parts: &[&str]| {
        for command in [&["plan"][..], &["apply", "--yes"]] {
            assert_one_error(&pair.run(command), 1, parts);
        }
        assert!(pair.main.requests().is_empty(), "no token was sent");
        pair.assert_untouched();
    };
    let good = WmsCertificate::signed(&["10.20.0.10"]).unwrap();
    let pair = secure(&good);
    let unknown = "name that as the target's `ca`";
    pair.edit("ca \"tls/ca.pem\"", "");
    refused(&pair, &["no trusted TLS connection", unknown]);
    pair.edit("endpoint \"https", "ca \"other.pem\"\n    endpoint \"https");
    refused(&pair, &["no trusted TLS connection", unknown]);
    pair.edit("other.pem", "nowhere.pem");
    refused(&pair, &["`nowhere.pem`", "cannot be read"]);
    pair.edit("nowhere.pem", "switchover.kdl");
    refused(&pair, &["not in PEM", "BEGIN CERTIFICATE"]);

    let own = WmsCertificate::self_signed(&["10.20.0.10"]).unwrap();
    let pair = secure(&own);
    pair.edit("ca \"tls/ca.pem\"", "");
    refused(&pair, &["no trusted TLS connection", unknown]);

    for (certificate, part) in [
        (WmsCertificate::expired(&["10.20.0.10"]), "out of date"),
        (
            WmsCertificate::signed(&["pbx9.acme.example"]),
            "for other names",
        ),
    ] {
        let pair = secure(&certificate.unwrap());
        refused(&pair, &["no trusted TLS connection", part]);
    }
}
