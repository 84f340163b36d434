//! Spans as a collector gets them: over HTTP, as OTLP's own protobuf.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;

use crate::environment::TestEnvironment;
use crate::plan_and_apply::{GOOD, SECRET, site};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// Takes what is sent to it.
struct Collector {
    address: SocketAddr,
    requests: Receiver<Posted>,
}

struct Posted {
    line: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Collector {
    /// One that answers with this status line.
    fn start(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let sender = sender.clone();
                thread::spawn(move || serve(stream.unwrap(), status, &sender));
            }
        });
        Self { address, requests }
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that was sent until now: a command has ended before.
    fn spans(&self) -> Spans {
        let mut spans = Vec::new();
        let mut resources = BTreeMap::new();
        for posted in self.requests.try_iter() {
            assert_eq!(posted.line, "POST /v1/traces HTTP/1.1");
            assert_eq!(posted.headers["content-type"], "application/x-protobuf");
            assert_eq!(posted.headers["authorization"], "Bearer for-the-collector");
            let request = ExportTraceServiceRequest::decode(posted.body.as_slice()).unwrap();
            for part in request.resource_spans {
                resources.extend(attributes(&part.resource.unwrap().attributes));
                spans.extend(part.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
        }
        Spans { spans, resources }
    }
}

fn serve(stream: TcpStream, status: &str, sender: &Sender<Posted>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let headers: BTreeMap<String, String> = lines[1..]
            .iter()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        let line = lines.swap_remove(0);
        let posted = Posted {
            line,
            headers,
            body,
        };
        if sender.send(posted).is_err() {
            return;
        }
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        reader.get_mut().write_all(answer.as_bytes()).unwrap();
    }
}

struct Spans {
    spans: Vec<Span>,
    resources: BTreeMap<String, String>,
}

impl Spans {
    fn named(&self, name: &str) -> Vec<&Span> {
        self.spans.iter().filter(|span| span.name == name).collect()
    }

    fn one(&self, name: &str) -> &Span {
        let named = self.named(name);
        assert_eq!(named.len(), 1, "{name}: {:?}", self.names());
        named[0]
    }

    fn names(&self) -> Vec<&str> {
        self.spans.iter().map(|span| span.name.as_str()).collect()
    }

    /// Names from the outermost span to this one.
    fn path(&self, span: &Span) -> String {
        let parent = self
            .spans
            .iter()
            .find(|other| other.span_id == span.parent_span_id);
        match parent {
            Some(parent) => format!("{} > {}", self.path(parent), span.name),
            None => span.name.clone(),
        }
    }
}

fn text(value: &AnyValue) -> String {
    match value.value.as_ref().unwrap() {
        any_value::Value::StringValue(text) => text.clone(),
        any_value::Value::IntValue(number) => number.to_string(),
        any_value::Value::BoolValue(value) => value.to_string(),
        other => panic!("{other:?}"),
    }
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| {
        let value = text(attribute.value.as_ref().unwrap());
        (attribute.key.clone(), value)
    };
    attributes.iter().map(text).collect()
}

fn attribute(span: &Span, name: &str) -> String {
    let mut found = attributes(&span.attributes);
    found
        .remove(name)
        .unwrap_or_else(|| panic!("no {name}: {span:?}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn failed(span: &Span) -> bool {
    span.status
        .as_ref()
        .is_some_and(|status| status.code == StatusCode::Error as i32)
}

fn observed_by(collector: &Collector, test: &mut TestEnvironment) {
    test.set("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint());
    test.set(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "authorization=Bearer for-the-collector",
    );
}

#[test]
fn an_apply_is_a_tree_of_spans() {
    let collector = Collector::start("200 OK");
    let mut test = site();
    observed_by(&collector, &mut test);
    test.set("TRACEPARENT", &format!("00-{TRACE}-{CALLER}-01"));
    test.set(
        "OTEL_RESOURCE_ATTRIBUTES",
        "deployment.environment.name=test",
    );
    let applied = test.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let spans = collector.spans();

    let command = spans.one("switchover apply");
    assert_eq!(hex(&command.parent_span_id), CALLER);
    assert_eq!(attribute(command, "command"), "apply");
    assert_eq!(attribute(command, "exit_code"), "0");
    let number = |value: &AnyValue| matches!(value.value, Some(any_value::Value::IntValue(_)));
    for (span, name) in [
        (command, "exit_code"),
        (spans.one("plan"), "create"),
        (spans.one("apply"), "targets"),
    ] {
        let found = span.attributes.iter().find(|found| found.key == name);
        assert!(number(found.unwrap().value.as_ref().unwrap()), "{name}");
    }
    assert!(spans.spans.iter().all(|span| hex(&span.trace_id) == TRACE));
    assert_eq!(spans.resources["service.name"], "switchover");
    assert_eq!(spans.resources["deployment.environment.name"], "test");

    let paths: Vec<String> = spans.spans.iter().map(|span| spans.path(span)).collect();
    for path in [
        "switchover apply > site > plan > target > observe",
        "switchover apply > site > apply > observe",
        "switchover apply > site > apply > step",
    ] {
        assert!(
            paths.iter().any(|found| found == path),
            "{path} in {paths:#?}"
        );
    }
    for step in spans.named("step") {
        assert_eq!(attribute(step, "outcome"), "done");
        assert!(["stage", "commit", "verify"].contains(&attribute(step, "phase").as_str()));
        assert!(["services", "files"].contains(&attribute(step, "target").as_str()));
        assert!(!attribute(step, "step").is_empty());
        assert!(step.end_time_unix_nano >= step.start_time_unix_nano);
    }
    assert!(!spans.spans.iter().any(failed));
    let everything = format!("{:?}", spans.spans);
    for secret in [SECRET, "for-the-collector"] {
        assert!(!everything.contains(secret));
    }
}

#[test]
fn a_failure_is_a_code_and_nothing_else() {
    let collector = Collector::start("200 OK");
    let mut test = site();
    observed_by(&collector, &mut test);
    let marked = GOOD.replace(
        "root \"dnsmasq.d\"",
        "root \"dnsmasq.d\"\n    command \"reload\" \"/bin/sh\" \"-c\" \"echo the-servers-own-words >&2; exit 1\"",
    );
    test.write("switchover.kdl", &marked);
    let refused = test.run(["apply", "--yes"]);
    assert_ne!(refused.code, Some(0), "{refused}");
    assert!(
        refused.stderr.contains("the-servers-own-words"),
        "{refused}"
    );
    let spans = collector.spans();
    let command = spans.one("switchover apply");
    assert!(failed(command) && failed(spans.one("apply")));
    assert_eq!(
        attribute(command, "exit_code"),
        refused.code.unwrap().to_string()
    );
    let steps = spans.named("step");
    let step = steps.into_iter().find(|step| failed(step)).unwrap();
    assert_eq!(attribute(step, "outcome"), "failed");
    assert_eq!(attribute(step, "error.type"), "effects::command::failed");
    assert!(!format!("{:?}", spans.spans).contains("the-servers-own-words"));
}

#[test]
fn each_of_many_sites_is_a_span() {
    let collector = Collector::start("200 OK");
    let mut test = site();
    observed_by(&collector, &mut test);
    for name in ["berlin", "rome"] {
        let text = GOOD.replacen("\"acme-hq\"", &format!("\"{name}\""), 1);
        assert_ne!(text, GOOD);
        test.write(&format!("sites/{name}/switchover.kdl"), &text);
    }
    test.write("sites/oslo/switchover.kdl", "nonsense");
    let planned = test.run(["plan", "sites"]);
    assert_eq!(planned.code, Some(3), "{planned}");
    let spans = collector.spans();
    assert_eq!(spans.named("site").len(), 3);
    for site in spans.named("site") {
        assert_eq!(spans.path(site), "switchover plan > site");
        assert_eq!(failed(site), attribute(site, "file").contains("oslo"));
    }
    for plan in spans.named("plan") {
        assert_eq!(spans.path(plan), "switchover plan > site > plan");
        assert_ne!(attribute(plan, "create"), "0");
    }
    assert_eq!(spans.named("plan").len(), 2);
}

#[test]
fn a_collector_that_is_down_is_told_once_and_fails_nothing() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let refusing = Collector::start("503 Service Unavailable");
    for endpoint in [format!("http://user:hidden@{closed}"), refusing.endpoint()] {
        let mut test = site();
        let alone = test.run(["plan"]);
        test.set("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
        let planned = test.run(["plan"]);
        assert_eq!((planned.code, &planned.stdout), (Some(0), &alone.stdout));
        let told = planned.stderr.strip_prefix(&alone.stderr).unwrap();
        assert_eq!(told.lines().count(), 1, "{planned}");
        assert!(
            told.contains("did not reach the collector at http://127.0.0.1:"),
            "{planned}"
        );
        assert!(!told.contains("hidden"), "{planned}");
        let quiet = test.run(["plan", "-q"]);
        assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
    }
}

#[test]
fn a_collector_that_does_not_answer_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut test = site();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    test.set("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
    test.set("OTEL_EXPORTER_OTLP_TIMEOUT", "600000");
    let started = Instant::now();
    let planned = test.run(["plan"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    assert!(
        planned.stderr.contains("did not reach the collector"),
        "{planned}"
    );
    // Whatever else the machine does, that is not the ten minutes that the variable allows.
    assert!(started.elapsed() < Duration::from_secs(300));
}

#[test]
fn what_cannot_be_sent_is_told_before_anything_is_done() {
    let mut test = site();
    test.set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    test.set("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let planned = test.run(["plan"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    assert!(
        planned.stderr.starts_with("no spans are sent: "),
        "{planned}"
    );
    assert_eq!(planned.stderr.matches("OTEL_").count(), 1, "{planned}");
    test.set("OTEL_SDK_DISABLED", "true");
    assert!(!test.run(["plan"]).stderr.contains("OTEL_"));
}
