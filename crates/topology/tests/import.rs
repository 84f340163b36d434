//! `import`: rows of tables as nodes.

use std::fs;

use switchover_topology::{load, to_json};

use crate::support::{codes, folder, plain, read};

const SITE: &str = "site \"hq\" mode=\"hot-standby\"\n";

fn table(kind: &str, more: &str, csv: &[u8]) -> switchover_topology::Loaded {
    let main = format!("{SITE}{more}import \"table.csv\" as=\"{kind}\"\n");
    let folder = folder(&[("main.kdl", &main)]);
    fs::write(folder.path().join("table.csv"), csv).unwrap();
    load(&folder.path().join("main.kdl"))
}

#[test]
fn rows_mean_what_nodes_mean() {
    let csv = "name,model,mac,firmware,year,address,transport,port,description\n\
               one,WP480,9c-75-14-00-01-01,2.8.22,2017,10.0.0.1,tls,5061,\"a, \"\"b\"\"\nc\"\n\n\
               two , WP600A ,9C7514000102,,,2001:db8::2,,,${x}\n,,,,,,,,\n";
    let kdl = "device \"one\" model=\"WP480\" mac=\"9c:75:14:00:01:01\" firmware=\"2.8.22\" year=2017 address=\"10.0.0.1\" \
               transport=\"tls\" port=5061 description=\"a, \\\"b\\\"\\nc\"\n\
               device \"two\" model=\"WP600A\" mac=\"9c:75:14:00:01:02\" address=\"2001:db8::2\" description=\"$${x}\"";
    let imported = table("device", "", csv.as_bytes());
    let written = read(&format!("{SITE}{kdl}"));
    assert_eq!(plain(&imported), "");
    assert_eq!(plain(&written), "");
    assert_eq!(to_json(&imported.topology), to_json(&written.topology));
    // Ends of lines and a byte order mark mean nothing.
    let windows = format!("\u{feff}{}", csv.replace('\n', "\r\n"));
    let windows = table("device", "", windows.as_bytes());
    assert_eq!(plain(&windows), "");
    assert_eq!(windows.topology.devices.len(), 2);
    assert_ne!(windows.digest, imported.digest);
}

#[test]
fn users_have_extensions_lists_and_secrets() {
    let more = "defaults \"user\" pbx=\"p\"\npbx \"p\" role=\"main\" hostname=\"p\" address=\"10.0.0.1\" wms=\"3.86\" platform=\"vm\"\n";
    let csv =
        "extension,name,uses,sip-password\n101,Reception,blf  kite,env:SIP_101\n102,Sales,,\n";
    let loaded = table("user", more, csv.as_bytes());
    assert_eq!(plain(&loaded), "");
    let user = loaded.topology.users.get("101").unwrap();
    assert_eq!(user.uses.len(), 2);
    assert_eq!(
        user.sip_password.as_ref().unwrap().value.to_string(),
        "env:SIP_101"
    );
    let at = |span| {
        let file = loaded.sources.file(span_file(span));
        file.text[span.start as usize..span.end as usize].to_owned()
    };
    assert_eq!(at(user.uses[1].span), "kite");
    assert_eq!(at(user.name.span), "101");
    assert_eq!(at(user.pbx.span), "\"p\"");
}

fn span_file(span: switchover_topology::Span) -> switchover_topology::FileId {
    span.file
}

#[test]
fn every_mistake_has_its_line_and_column() {
    let csv = "name,model,mac,yaer,user,,model\n\
               one,WP480,9c:75:14:00:01,2017,,,\n\
               two,WP480\n\
               three,WP480,9c:75:14:00:01:03,2017,,,,surplus,more\n\
               one,WP480,,,,,\n\
               \"fo\"\"ur\",WP480,nonsense,,999,,\n\
               \"five\"x,WP480,,,,,\n\
               kdl,WP480,9c:75:14:00:01:09,,,,\n\
               ,WP480,,,,,\n\
               \"six,WP480,,,,,\n";
    let more = "device \"kdl\" model=\"WP480\" mac=\"9c:75:14:00:01:09\"\n";
    let loaded = table("device", more, csv.as_bytes());
    insta::assert_snapshot!("import-mistakes", plain(&loaded));
}

#[test]
fn a_name_in_two_places_is_shown_in_both() {
    let loaded = table(
        "device",
        "device \"one\" model=\"WP480\"\n",
        b"name,model\none,WP480\n",
    );
    insta::assert_snapshot!("import-duplicate", plain(&loaded));
}

#[test]
fn a_missing_column_is_one_finding() {
    let csv = "name,mac\none,9c:75:14:00:01:01\ntwo,9c:75:14:00:01:02\n";
    insta::assert_snapshot!("import-absent", plain(&table("device", "", csv.as_bytes())));
    let defaults = "defaults \"device\" model=\"WP480\"\n";
    assert_eq!(plain(&table("device", defaults, csv.as_bytes())), "");
}

#[test]
fn tables_that_are_none() {
    let mut all = String::new();
    for (what, csv) in [
        ("empty", &b""[..]),
        ("only a line", b"\n\n"),
        ("semicolons", b"name;model\none;WP480\n"),
        ("no names", b"model,mac\nWP480,\n"),
        ("not UTF-8", b"name,model\nZ\xfcrich,WP480\n"),
        ("unclosed header", b"\"name,model\none,WP480\n"),
    ] {
        let found = plain(&table("device", "", csv));
        // The folder is another one in every run.
        let found = match (found.find("`/"), found.find("/table.csv`")) {
            (Some(start), Some(end)) => found.replace(&found[start + 1..=end], ""),
            _ => found,
        };
        all += &format!("{what}\n{found}");
    }
    insta::assert_snapshot!("import-none", all);
}

#[test]
fn headings_are_read_as_spreadsheets_write_them() {
    assert_eq!(
        plain(&table(
            "device",
            "",
            "\u{feff}Name;MODEL;Mac\none;WP480;9c:75:14:00:01:01\n".as_bytes()
        )),
        ""
    );
    let mut all = String::new();
    for csv in [
        "Name;Modell;MAC;Extension;Netwrk\none;WP480;9c:75:14:00:01:01;;\n",
        "\u{feff}Name,Modell,MAC,Telefon\none,WP480,,\n",
        "Name,IP,Model\none,10.0.0.1,WP480\n",
        "Name,Model,Raum,Etage\none,WP480,,\n",
        "name,model,mac\none,WP480,\"9,75E+12\"\ntwo,WP480,9.75E+12\n",
    ] {
        let found = plain(&table("device", "", csv.as_bytes()));
        assert!(!found.contains('\u{feff}'), "{found}");
        all += &format!("{}\n{found}", csv.trim_start_matches('\u{feff}'));
    }
    insta::assert_snapshot!("import-headings", all);
}

#[test]
fn a_file_in_another_encoding_is_named() {
    let utf16: Vec<u8> = "name,model\none,WP480\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (csv, from) in [
        (utf16.as_slice(), "UTF-16LE"),
        (b"name,model\nZ\xfcrich,WP480\n", "WINDOWS-1252"),
    ] {
        let found = plain(&table("device", "", csv));
        assert!(found.contains("CSV UTF-8"), "{found}");
        assert!(
            found.contains(&format!("`iconv -f {from} -t UTF-8 ")),
            "{found}"
        );
        assert!(found.contains("table.csv > "), "{found}");
        assert!(found.contains("table-utf8.csv`"), "{found}");
    }
}

#[test]
fn the_node_itself_is_checked() {
    let text = "import\nimport \"none.csv\"\nimport \"none.csv\" as=\"site\"\nimport \"none.csv\" as=\"devise\" sep=\";\"\n\
                import \"none.csv\" as=\"device\"\nimport \"/etc/passwd\" as=\"device\"\nimport \"../x.csv\" as=\"device\"\n\
                import \"t.csv\" as=\"device\"\nimport \"t.csv\" as=\"device\"\ninclude \"t.csv\" \"u.csv\"\nimport 7 as=\"device\"\n";
    let folder = folder(&[
        ("main.kdl", &format!("{SITE}{text}")),
        ("t.csv", "name,model\n"),
        ("u.csv", "name,model\n"),
    ]);
    insta::assert_snapshot!("import-node", plain(&load(&folder.path().join("main.kdl"))));
}

#[test]
fn secrets_in_clear_text_are_covered() {
    for csv in [
        "extension,name,pbx,sip-password\n101,A,p,hunter2\n",
        "extension,name,pbx,sip-password\n101,A,p,hunter2,\n",
        "extension,name,pbx,sip-pasword\n101,A,p,hunter2\n",
        "extension,name,pbx,sip-password\n101,A,p,\"hunter2\n",
        "extension,name,pbx,\n101,A,p,hunter2\n",
        "extenson,name,pbx,sip-password\n101,A,p,hunter2\n",
        "name,pbx,sip-password\nA,p,hunter2\n",
    ] {
        let loaded = table("user", "", csv.as_bytes());
        assert!(!loaded.diagnostics.is_empty(), "{csv}");
        let mut everything = plain(&loaded);
        everything.extend(loaded.sources.files().map(|file| file.text.as_str()));
        everything += &format!("{:?}", loaded.topology);
        assert!(!everything.contains("hunter2"), "{csv}: {everything}");
    }
    let clear = table(
        "user",
        "",
        b"extension,name,pbx,sip-password\n101,A,p,hunter2\n",
    );
    assert!(codes(&clear).contains(&"SW008"));
    insta::assert_snapshot!("import-secret", plain(&clear));
}

#[test]
fn rows_can_say_their_differences_from_a_base() {
    let folder = folder(&[
        (
            "main.kdl",
            &format!("extends \"base.kdl\"\n{SITE}import \"t.csv\" as=\"device\""),
        ),
        (
            "base.kdl",
            "device \"a\" model=\"WP480\" year=2017\ndevice \"b\" model=\"WP480\"",
        ),
        ("t.csv", "name,firmware\na,2.8.22\n"),
    ]);
    let loaded = load(&folder.path().join("main.kdl"));
    assert_eq!(plain(&loaded), "");
    let a = loaded.topology.devices.get("a").unwrap();
    assert_eq!(a.year.as_ref().unwrap().value, 2017);
    assert!(a.firmware.is_some());
    let origin = loaded.origins.of(a.firmware.as_ref().unwrap().span);
    assert!(origin.import && !origin.base && !origin.default);
    assert!(loaded.origins.of(a.year.as_ref().unwrap().span).base);
}

#[test]
fn a_long_table_is_read_as_a_short_one() {
    // One quotation mark, and the rows are read one after the other; none, and they are shared out.
    let table_of = |name: &str, line_end: &str| {
        let mut csv = format!("\u{feff}name,model,mac,year,description{line_end}");
        for number in 0..8000 {
            let wrong = [(2, "year"), (4001, "nineteen"), (7999, "")]
                .iter()
                .find(|(at, _)| *at == number)
                .map_or("2017", |(_, year)| year);
            let surplus = if number == 5000 { ",more" } else { "" };
            let name = match number {
                0 => name.to_owned(),
                _ => format!("device-{number}"),
            };
            csv += &format!(
                "{name},WP480,9c:75:14:00:{:02x}:{:02x},{wrong},é{surplus}{line_end}",
                number / 256,
                number % 256
            );
        }
        table("device", "", csv.as_bytes())
    };
    for line_end in ["\n", "\r\n"] {
        let shared = table_of("device", line_end);
        let single = table_of("\"devic\"", line_end);
        assert_eq!(codes(&shared), ["SW003", "SW003", "SW001"]);
        assert_eq!(codes(&single), codes(&shared));
        assert_eq!(
            plain(&single).replace("\"devic\"", "device"),
            plain(&shared)
        );
        assert_eq!(shared.topology.devices.len(), 7997);
        let names = |loaded: &switchover_topology::Loaded| -> Vec<String> {
            let devices = loaded.topology.devices.iter().skip(1);
            devices.map(|device| device.name.value.clone()).collect()
        };
        assert_eq!(names(&single), names(&shared));
    }
}

#[test]
fn what_follows_a_closed_cell_is_pointed_at_as_a_whole_letter() {
    // The first is a header line, which may hold a secret and is covered.
    for (csv, letter) in [("\"#:\"ݻ", "·"), ("name\n\"one\"😀,x", "😀")] {
        let loaded = table("device", "", csv.as_bytes());
        let span = loaded.diagnostics[0].span.unwrap();
        let text = &loaded.sources.file(span.file).text;
        assert_eq!(&text[span.start as usize..span.end as usize], letter);
    }
}

#[test]
fn tables_are_separated_as_spreadsheets_do_it() {
    let rows = "name,model,mac,,\nreception,WP480,9c:75:14:00:01:01,,\n\"Sales, Udine\",WP480,,,\n";
    let commas = table("device", "", rows.as_bytes());
    assert_eq!(plain(&commas), "");
    for (first, separator) in [
        ("", ";"),
        ("", "\t"),
        ("", "|"),
        ("sep=;\r\n", ";"),
        ("\u{feff}sep=;\n\n", ";"),
        ("sep=|\n", "|"),
    ] {
        let text = rows
            .replace("Sales, Udine", "Sales\u{1}Udine")
            .replace(',', separator)
            .replace('\u{1}', ", ");
        let other = table("device", "", format!("{first}{text}").as_bytes());
        assert_eq!(plain(&other), "", "{separator:?}");
        assert_eq!(to_json(&other.topology), to_json(&commas.topology));
    }
}

#[test]
fn what_is_the_same_in_every_row_is_said_once() {
    let mut all = String::new();
    for (what, csv) in [
        (
            "quoted lines",
            "\"name;model;mac\"\n\"a;WP480;9c:75:14:00:01:01\"\n\"b;WP480;9c:75:14:00:01:02\"\n",
        ),
        (
            "quoted rows",
            "name;model;mac\n\"a;WP480;\"\n\"b;WP480;\"\n\"c;WP480;\"\n",
        ),
        (
            "a wrong column",
            "name,model,mac\na,WP480,x\nb,WP480,y\nc,WP480,z\nd,WP480,w\n",
        ),
        (
            "some wrong cells",
            "name,model,mac\na,WP480,x\nb,WP480,\nc,WP480,z\nd,WP480,w\n",
        ),
        (
            "a value in a column without a name",
            "name,model,,\na,WP480,,\nb,WP480,,hunter2\n",
        ),
        (
            "a column without a name before others",
            "name,,model\na,,WP480\n",
        ),
    ] {
        let loaded = table("device", "", csv.as_bytes());
        all += &format!("{what}\n{}", plain(&loaded));
        assert!(
            !loaded
                .sources
                .files()
                .any(|file| file.text.contains("hunter2"))
        );
        assert!(
            loaded
                .sources
                .files()
                .any(|file| file.text.contains("name")),
            "{what}"
        );
    }
    insta::assert_snapshot!("import-same", all);
}
