use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::{format_text, load_text};

fn read(text: &str) -> TableNodes {
    table_text("phones.csv", text.to_owned(), None)
}

#[test]
fn a_spreadsheet_becomes_devices() {
    let nodes = read(
        "\u{feff}Device Name;MAC-Address;Phone model;Ext.;IP address;Room;SIP Password\r\n\
         reception;9C-75-14-00-01-01;WP480;101;10.20.30.11;Hall;hunter2\r\n\
         \"Sales; \"\"2\"\"\";9c7514000102;;102;;;hunter3\r\n;;;;;;\r\n",
    );
    assert!(nodes.diagnostics.is_empty(), "{:?}", nodes.diagnostics);
    assert_eq!(nodes.ignored, ["Room", "SIP Password"]);
    assert_eq!(
        (nodes.rows, nodes.incomplete, nodes.missing.as_slice()),
        (2, 1, ["model"].as_slice())
    );
    assert_snapshot!(nodes.text, @r#"
    device "reception" model="WP480" mac="9c:75:14:00:01:01" user="101" address="10.20.30.11"
    /-device "Sales; \"2\"" model="" mac="9c:75:14:00:01:02" user="102"
    "#);
}

#[test]
fn a_spreadsheet_without_telephones_is_one_of_users() {
    let nodes = read("Extension,Full Name,E-Mail\n101,Reception,reception@acme.example\n");
    assert!(nodes.diagnostics.is_empty(), "{:?}", nodes.diagnostics);
    assert_eq!(
        nodes.text,
        "/-user \"101\" pbx=\"\" name=\"Reception\" email=\"reception@acme.example\"\n"
    );
    let nodes = table_text(
        "x",
        "ext\tname\tpbx\n1\ta\tpbx1\n".to_owned(),
        Some(TableOf::Users),
    );
    assert_eq!(nodes.text, "user \"1\" name=\"a\" pbx=\"pbx1\"\n");
}

#[test]
fn a_cell_that_is_wrong_is_pointed_at() {
    let nodes = read("name,mac,model\na,9c:75:14,WP480\nb,9c:75:14:00:01:02\n");
    assert_eq!(nodes.text, "");
    let told: Vec<_> = nodes
        .diagnostics
        .iter()
        .map(|finding| {
            let (start, _) = nodes.sources.range(finding.span.unwrap());
            (start.line, start.column, finding.code.as_str())
        })
        .collect();
    assert_eq!(told, [(2, 3, "SW003"), (3, 1, "SW001")]);
    // Of two columns for one property the first is taken.
    assert_eq!(
        read("name,hostname,mac\na,b,9c:75:14:00:01:02\n").ignored,
        ["hostname"]
    );
}

#[test]
fn no_secret_in_clear_text_is_taken_over() {
    for header in ["password", "SIP-Password", "token", "sip_password"] {
        let nodes = read(&format!("extension,name,{header}\n101,a,hunter2\n"));
        let shown = format!("{:?}", (&nodes.text, &nodes.diagnostics));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(?s).{0,200}") {
        let _ = read(&text);
    }

    /// What comes out is nodes, whatever is in the cells.
    #[test]
    fn what_comes_out_can_be_read(rows in proptest::collection::vec(("\\PC{0,12}", "[ -~\"\n;,]{0,12}"), 0..5)) {
        let mut text = "name,description,mac\n".to_owned();
        for (name, description) in &rows {
            let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            text += &format!("{},{},\n", cell(name), cell(description));
        }
        let nodes = read(&text);
        prop_assert!(format_text("x", nodes.text.clone()).is_ok(), "{}", nodes.text);
        let whole = format!("site \"a\" mode=\"hot-standby\"\n{}", nodes.text.replace("/-", "").replace("model=\"\"", "model=\"WP480\""));
        let codes: Vec<_> = load_text("x", whole, Path::new("")).diagnostics.into_iter().map(|finding| finding.code).collect();
        // Names may be there twice.
        prop_assert!(codes.iter().all(|code| code == "SW004" || code == "SW005"), "{codes:?} {}", nodes.text);
    }
}
