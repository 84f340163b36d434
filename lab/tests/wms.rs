use std::net::Ipv4Addr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use switchover_lab::{Lab, Matching, S2sKey, Wms, WmsFault, WmsSettings, canonical_request};

const TOKEN: &str = "wms-token";

fn lab() -> Lab {
    Lab::start(&["10.20.0.10/24", "10.20.1.10/24"]).unwrap()
}

fn wms(lab: &Lab) -> Wms {
    Wms::start(lab, WmsSettings::default()).unwrap()
}

/// A request with these headers: the status (0 for no whole answer) and the body.
fn call(
    lab: &Lab,
    wms: &Wms,
    method: &str,
    path: &str,
    headers: &[String],
    body: Option<&Value>,
) -> (u16, Value) {
    let mut curl = lab.command("curl");
    curl.args(["--silent", "--noproxy", "*", "--max-time", "1"]);
    curl.args(["--request", method, "--write-out", "\n%{http_code}"]);
    for header in headers {
        curl.args(["--header", header]);
    }
    if let Some(body) = body {
        curl.args(["--header", "Content-Type: application/json", "--data"]);
        curl.arg(body.to_string());
    }
    let output = curl.arg(format!("{}{path}", wms.url())).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    if !output.status.success() {
        return (0, Value::Null);
    }
    (
        status.parse().unwrap(),
        serde_json::from_str(body).unwrap_or(Value::Null),
    )
}

fn bearer() -> Vec<String> {
    vec![format!("Authorization: Bearer {TOKEN}")]
}

fn get(lab: &Lab, wms: &Wms, path: &str) -> (u16, Value) {
    call(lab, wms, "GET", path, &bearer(), None)
}

fn send(lab: &Lab, wms: &Wms, method: &str, path: &str, body: &Value) -> (u16, Value) {
    call(lab, wms, method, path, &bearer(), Some(body))
}

#[test]
fn a_user_is_made_found_changed_and_removed() {
    let lab = lab();
    let wms = wms(&lab);
    let made = send(
        &lab,
        &wms,
        "POST",
        "/api/v1/PBX/Colleagues",
        &json!({ "name": "Reception", "extension": "101", "sipPassword": "hidden" }),
    );
    assert_eq!(made, (200, json!({ "result": "Success" })), "no id is told");
    let path = "/api/v1/PBX/Colleagues/?searchFields=extension&search=101";
    let (_, found) = get(&lab, &wms, path);
    assert_eq!(found["type"], "result");
    assert_eq!(found["result"]["total"], 1);
    let user = &found["result"]["records"][0];
    assert_eq!(user["extension"], "101");
    let id = user["id"].as_str().unwrap();
    let path = format!("/api/v1/PBX/Colleagues/{id}");
    let twice = json!({ "name": "Twice", "extension": "101" });
    let (status, refused) = send(&lab, &wms, "POST", "/api/v1/PBX/Colleagues", &twice);
    assert_eq!((status, &refused["type"]), (409, &json!("error")));
    assert_eq!(refused["reason"], "extension `101` is in use");
    let changed = send(&lab, &wms, "PUT", &path, &json!({ "name": "Front desk" }));
    assert_eq!(changed.0, 200);
    assert_eq!(wms.user("101").unwrap()["name"], "Front desk");
    assert_eq!(wms.user("101").unwrap()["sipPassword"], "hidden");
    assert_eq!(call(&lab, &wms, "DELETE", &path, &bearer(), None).0, 200);
    assert_eq!(call(&lab, &wms, "DELETE", &path, &bearer(), None).0, 404);
    assert_eq!(wms.user("101"), None);
    let writes = wms.writes();
    assert_eq!(
        writes.iter().map(|one| one.status).collect::<Vec<_>>(),
        [200, 409, 200, 200, 404]
    );
}

#[test]
fn a_client_that_does_not_page_loses_records() {
    let lab = lab();
    let wms = wms(&lab);
    for number in 0..150 {
        wms.add_user(&json!({ "name": "x", "extension": (1000 + number).to_string() }));
    }
    let sizes = |path: &str| {
        let (status, answer) = get(&lab, &wms, path);
        assert_eq!(status, 200, "{answer}");
        let records = answer["result"]["records"].as_array().unwrap().len();
        (records, answer["result"]["total"].as_u64().unwrap())
    };
    assert_eq!(sizes("/api/v1/PBX/Colleagues"), (20, 151));
    assert_eq!(sizes("/api/v1/PBX/Colleagues?count=500"), (100, 151));
    assert_eq!(
        sizes("/api/v1/PBX/Colleagues?count=500&start=100"),
        (51, 151)
    );
    assert_eq!(sizes("/api/v1/PBX/Colleagues?start=151"), (0, 151));
    for wrong in ["count=0", "count=many", "start=-1", "page=2"] {
        let (status, _) = get(&lab, &wms, &format!("/api/v1/PBX/Colleagues?{wrong}"));
        assert_eq!(status, 400, "{wrong}");
    }
}

#[test]
fn devices_are_added_connected_and_removed() {
    let lab = lab();
    let wms = wms(&lab);
    wms.add_user(&json!({ "name": "Reception", "extension": "101" }));
    let mac = "9c7514000101";
    let macs = json!({ "macs": ["9C:75:14:00:01:01"] });
    assert_eq!(send(&lab, &wms, "POST", "/api/v1/devices", &macs).0, 200);
    assert_eq!(send(&lab, &wms, "POST", "/api/v1/devices", &macs).0, 409);
    let flags = json!({ "description": "desk", "provision": true, "alternatePort": "443" });
    let path = format!("/api/v1/devices/{mac}");
    assert_eq!(send(&lab, &wms, "PUT", &path, &flags).0, 200);
    let connect = format!("/api/v1/Devices/{mac}/connect/");
    let nobody = json!({ "extension": "999" });
    assert_eq!(send(&lab, &wms, "POST", &connect, &nobody).0, 404);
    let somebody = json!({ "extension": "101" });
    assert_eq!(send(&lab, &wms, "POST", &connect, &somebody).0, 200);
    let (_, list) = get(&lab, &wms, "/api/v1/devices");
    let told = list["result"]["records"][0].as_object().unwrap();
    assert_eq!(
        (&told["user"], &told["description"]),
        (&json!("101"), &json!("desk"))
    );
    let mut keys: Vec<_> = told.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "address",
            "description",
            "firmware",
            "id",
            "mac",
            "model",
            "state",
            "user",
            "vendor"
        ],
        "port and provisioning are never told"
    );
    assert_eq!(wms.device(mac).unwrap()["provision"], true);
    let disconnect = "/api/v1/devices/disconnect";
    let device = json!({ "mac": mac });
    assert_eq!(send(&lab, &wms, "DELETE", disconnect, &device).0, 200);
    assert_eq!(send(&lab, &wms, "DELETE", disconnect, &device).0, 400);
    assert_eq!(call(&lab, &wms, "DELETE", &path, &bearer(), None).0, 200);
    assert_eq!(wms.device(mac), None);
}

#[test]
fn what_is_not_documented_is_refused() {
    let lab = lab();
    let wms = wms(&lab);
    let before = wms.configuration();
    assert_eq!(get(&lab, &wms, "/api/v2/PBX/ping").0, 404);
    assert_eq!(get(&lab, &wms, "/api/v1/PBX/sync").0, 404);
    assert_eq!(get(&lab, &wms, "/api/v1/PBX/version?fields=id").0, 400);
    for (method, path, body, status) in [
        ("POST", "PBX/sync", json!({}), 405),
        ("POST", "Trunks/Sip", json!({ "title": "x" }), 405),
        ("POST", "Dialplan/CallGroups", json!({ "title": "x" }), 405),
        (
            "POST",
            "PBX/Colleagues",
            json!({ "name": "x", "extension": "7", "pin": "1" }),
            400,
        ),
        ("POST", "PBX/Colleagues", json!({ "name": "x" }), 400),
        ("POST", "PBX/Colleagues", json!(["x"]), 400),
        (
            "POST",
            "PBX/Colleagues",
            json!({ "name": "x", "extension": "7", "role": "king" }),
            400,
        ),
        ("POST", "devices", json!({ "macs": ["9c75"] }), 400),
        ("PUT", "PBX/settings", json!({ "hostname": "x" }), 400),
        ("PUT", "PBX/Colleagues/77", json!({ "name": "x" }), 404),
    ] {
        let (found, answer) = send(&lab, &wms, method, &format!("/api/v1/{path}"), &body);
        assert_eq!(found, status, "{method} {path}");
        assert!(answer["reason"].is_string(), "{answer}");
    }
    assert_eq!(wms.configuration(), before);
    let path = "/api/v1/PBX/settings/ntp";
    let typeless = bearer();
    let mut curl = lab.command("curl");
    curl.args([
        "--silent",
        "--noproxy",
        "*",
        "--request",
        "PUT",
        "--data",
        "{}",
    ]);
    curl.args([
        "--header",
        &typeless[0],
        "--write-out",
        "%{http_code}",
        "--output",
        "-",
    ]);
    let output = curl.arg(format!("{}{path}", wms.url())).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("415"));
}

#[test]
fn nobody_is_answered_without_a_token() {
    let lab = lab();
    let wms = wms(&lab);
    let path = "/api/v1/PBX/ping";
    for headers in [
        vec![],
        vec!["Authorization: Bearer wrong".to_owned()],
        vec!["Authorization: Basic d21zLXRva2Vu".to_owned()],
        vec![bearer()[0].clone(), "X-APP-ID: anybody".to_owned()],
    ] {
        let (status, answer) = call(&lab, &wms, "GET", path, &headers, None);
        assert_eq!(status, 401, "{headers:?}");
        assert!(answer["reason"].is_string());
    }
    assert_eq!(get(&lab, &wms, path).0, 200);
}

fn s2s() -> S2sKey {
    S2sKey {
        app_id: "s2s-4711".to_owned(),
        app_name: "switchover".to_owned(),
        secret: "between-servers".to_owned(),
    }
}

fn now() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    elapsed.as_secs()
}

/// The headers of a signed request, after `change` had a look at the claims.
fn signed(text: &str, secret: &str, change: impl Fn(&mut Value)) -> Vec<String> {
    let digest = Sha256::digest(text);
    let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut claims = json!({
        "iss": "switchover", "iat": now(), "exp": now() + 300,
        "sign": { "alg": "sha256", "headers": ["Host", "X-APP-ID"], "hash": hash },
    });
    change(&mut claims);
    let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
    let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
    vec![
        "X-APP-ID: s2s-4711".to_owned(),
        format!("Authorization: Bearer {token}"),
    ]
}

#[test]
fn a_canonical_request_is_written_as_the_vendor_does() {
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        let owned = list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        owned.collect()
    };
    let headers = pairs(&[("X-APP-ID", "s2s-1"), ("Host", "pbx.example")]);
    assert_eq!(
        canonical_request("GET", "/api/v1/PBX/ping", &headers, &[], &Value::Null),
        "GET/api/v1/PBX/pinghost:pbx.example;x-app-id:s2s-1;"
    );
    let body = json!({ "Name": " x ", "b": true, "a": { "Z": 1, "y": [false, "q"] }, "n": null });
    assert_eq!(
        canonical_request(
            "PUT",
            "/p",
            &headers,
            &pairs(&[("start", "5"), ("Count", "2")]),
            &body
        ),
        "PUT/phost:pbx.example;x-app-id:s2s-1;count:2;start:5;a:y:0:0;1:q;;z:1;;b:1;n:;name:x;"
    );
}

#[test]
fn a_signature_must_fit_the_request() {
    let lab = lab();
    let settings = WmsSettings {
        version: "5.01.20200901".to_owned(),
        s2s: Some(s2s()),
        ..WmsSettings::default()
    };
    let wms = Wms::start(&lab, settings).unwrap();
    let path = "/api/v1/PBX/settings/ntp";
    let body = json!({ "ntpServer": "10.20.0.1" });
    let text = "PUT/api/v1/PBX/settings/ntphost:10.20.0.10;x-app-id:s2s-4711;ntpserver:10.20.0.1;";
    let status =
        |headers: &[String], body: &Value| call(&lab, &wms, "PUT", path, headers, Some(body)).0;
    let fine = signed(text, "between-servers", |_| {});
    assert_eq!(status(&fine, &body), 200);
    assert_eq!(status(&fine, &json!({ "ntpServer": "10.6.6.6" })), 401);
    for wrong in [
        signed(text, "something-else", |_| {}),
        signed(&text.replace("PUT", "GET"), "between-servers", |_| {}),
        signed(text, "between-servers", |claims| {
            claims["iss"] = json!("else");
        }),
        signed(text, "between-servers", |claims| {
            claims["exp"] = json!(now() - 1);
        }),
        signed(text, "between-servers", |claims| {
            claims["exp"] = json!(now() + 200_000);
        }),
        signed(text, "between-servers", |claims| {
            claims["sign"]["alg"] = json!("md5");
        }),
        signed(text, "between-servers", |claims| {
            claims["sign"]["headers"] = json!(["Host"]);
        }),
    ] {
        assert_eq!(status(&wrong, &body), 401);
    }
    // A list with parameters: they are signed, too.
    let listed = "GET/api/v1/deviceshost:10.20.0.10;x-app-id:s2s-4711;count:5;start:0;";
    let fine = signed(listed, "between-servers", |_| {});
    let list = |path: &str| call(&lab, &wms, "GET", path, &fine, None).0;
    assert_eq!(list("/api/v1/devices?start=0&count=5"), 200);
    assert_eq!(list("/api/v1/devices?start=0&count=6"), 401);
    wms.set_version("3.86.30011");
    assert_eq!(list("/api/v1/devices?start=0&count=5"), 401, "since WMS 5");
}

#[test]
fn a_sync_overwrites_all_but_what_is_the_machines_own() {
    let lab = lab();
    let source = wms(&lab);
    let settings = WmsSettings {
        address: Ipv4Addr::new(10, 20, 1, 10),
        ..WmsSettings::default()
    };
    let destination = Wms::start(&lab, settings).unwrap();
    source.add_user(&json!({ "name": "Reception", "extension": "101" }));
    source.add_device("9c7514000101");
    source.add_trunk("telco-a");
    source.add_call_group("sales", "linear");
    destination.add_user(&json!({ "name": "lost", "extension": "999" }));
    let locale = json!({ "language": "it", "region": "IT" });
    let ntp = json!({ "ntpServer": "10.20.0.1" });
    for wms in [&source, &destination] {
        assert_eq!(
            send(&lab, wms, "PUT", "/api/v1/PBX/settings", &locale).0,
            200
        );
    }
    let german = json!({ "language": "de" });
    assert_eq!(
        send(&lab, &source, "PUT", "/api/v1/PBX/settings", &german).0,
        200
    );
    assert_eq!(
        send(&lab, &source, "PUT", "/api/v1/PBX/settings/ntp", &ntp).0,
        200
    );
    source.sync_to(&destination);
    assert_eq!(destination.user("999"), None);
    assert_eq!(destination.user("101"), source.user("101"));
    for list in ["users", "devices", "trunks", "groups"] {
        assert_eq!(
            destination.configuration()[list],
            source.configuration()[list]
        );
    }
    assert_eq!(
        destination.machine(),
        json!(["it", "IT", "pool.ntp.example"])
    );
}

#[test]
fn registrations_version_and_network_are_told() {
    let lab = lab();
    let wms = wms(&lab);
    wms.register("101", true);
    wms.join("pbx2", "pbx2.acme.example");
    let (_, answer) = get(&lab, &wms, "/api/v1/PBX/Users/Sip/Registrations");
    assert_eq!(answer["result"]["101"]["registrations"][0]["online"], true);
    let (_, answer) = get(&lab, &wms, "/api/v1/network/pbxes");
    assert_eq!(answer["result"]["records"][0]["host"], "pbx2.acme.example");
    let (_, answer) = get(&lab, &wms, "/api/v1/PBX/version");
    assert_eq!(answer["result"]["version"], "3.86.30011");
    for version in ["3.85", "x", "8.0"] {
        let settings = WmsSettings {
            version: version.to_owned(),
            address: Ipv4Addr::new(10, 20, 1, 10),
            ..WmsSettings::default()
        };
        assert!(Wms::start(&lab, settings).is_err(), "{version}");
    }
}

#[test]
fn every_fault_is_seen_by_the_client() {
    let lab = lab();
    let wms = wms(&lab);
    let path = "/api/v1/PBX/Colleagues";
    wms.fail(Matching::to("GET", path).after(1), WmsFault::Expired);
    assert_eq!(get(&lab, &wms, path).0, 200);
    assert_eq!(get(&lab, &wms, path).0, 401);
    assert_eq!(get(&lab, &wms, "/api/v1/devices").0, 200);
    wms.heal();
    wms.fail(Matching::all().once(), WmsFault::TooMany(7));
    let mut curl = lab.command("curl");
    curl.args([
        "--silent",
        "--noproxy",
        "*",
        "--include",
        "--header",
        &bearer()[0],
    ]);
    let output = curl.arg(format!("{}{path}", wms.url())).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).to_lowercase();
    assert!(
        text.contains(" 429 ") && text.contains("retry-after: 7"),
        "{text}"
    );
    assert_eq!(get(&lab, &wms, path).0, 200);
    let user = json!({ "name": "x", "extension": "101" });
    wms.fail(Matching::to("POST", path).once(), WmsFault::Status(500));
    assert_eq!(send(&lab, &wms, "POST", path, &user.clone()).0, 500);
    assert_eq!(wms.user("101"), None, "nothing was carried out");
    wms.fail(Matching::to("POST", path).once(), WmsFault::Truncated);
    assert_eq!(send(&lab, &wms, "POST", path, &user).0, 0);
    assert!(
        wms.user("101").is_some(),
        "it was carried out, and the answer lost"
    );
    wms.fail(Matching::all().once(), WmsFault::TimeOut);
    assert_eq!(get(&lab, &wms, path).0, 0);
    wms.set_latency(Duration::from_millis(200));
    let started = Instant::now();
    assert_eq!(get(&lab, &wms, path).0, 200);
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[test]
fn being_asked_to_reboot_fails_the_test_that_did_not_expect_it() {
    let lab = lab();
    let wms = wms(&lab);
    let reboot = "/api/v1/PBX/System/Reboot";
    assert_eq!(send(&lab, &wms, "PUT", reboot, &json!({})).0, 200);
    assert_eq!(wms.reboots(), 1);
    assert_eq!(send(&lab, &wms, "PUT", reboot, &json!({})).0, 200);
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(wms)));
    let message = *dropped.unwrap_err().downcast::<&str>().unwrap();
    assert!(message.contains("reboot"), "{message}");
}
