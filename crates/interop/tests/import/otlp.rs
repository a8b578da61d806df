//! Spans of OpenTelemetry.

use fleetsim_interop::Kind;
use serde_json::{Value, json};

use crate::support::{Read, read_log};

/// A span of a test: everything that matters, with identifiers as numbers.
#[derive(Clone)]
struct Span {
    trace: u8,
    id: u8,
    parent: u8,
    start_s: u64,
    end_s: u64,
    service: &'static str,
    attributes: Value,
    links: Vec<(u8, u8)>,
}

fn span(id: u8, parent: u8, start_s: u64, end_s: u64, attributes: Value) -> Span {
    Span { trace: 1, id, parent, start_s, end_s, service: "app", attributes, links: Vec::new() }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// By the book and bit by bit, sharing nothing with the import.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..24).map(|bit| group.get(bit / 8).is_some_and(|byte| byte >> (7 - bit % 8) & 1 == 1));
        let bits: Vec<bool> = bits.collect();
        for (at, six) in bits.chunks(6).enumerate() {
            let value = six.iter().fold(0, |value, bit| value * 2 + usize::from(*bit));
            text.push(if at > group.len() { '=' } else { LETTERS[value] as char });
        }
    }
    text
}

impl Span {
    fn json(&self, encode: fn(&[u8]) -> String) -> Value {
        let trace = |number: u8| encode(&[[0xA0; 15].as_slice(), &[number]].concat());
        let id = |number: u8| encode(&[0xB0, 0, 0, 0, 0, 0, 0xFE, number]);
        let Value::Object(fields) = &self.attributes else { panic!("attributes are an object") };
        let attribute = |(key, value): (&String, &Value)| {
            let value = match value {
                Value::String(text) => json!({ "stringValue": text }),
                // As the mapping of 64 bits to JSON demands it.
                Value::Number(number) => json!({ "intValue": number.to_string() }),
                _ => panic!("no such attribute"),
            };
            json!({ "key": key, "value": value })
        };
        let links: Vec<Value> =
            self.links.iter().map(|(t, s)| json!({ "traceId": trace(*t), "spanId": id(*s) })).collect();
        let mut span = json!({
            "traceId": trace(self.trace), "spanId": id(self.id), "name": "a span",
            "startTimeUnixNano": (1_760_000_000_000_000_000 + self.start_s * 1_000_000_000).to_string(),
            "endTimeUnixNano": (1_760_000_000_000_000_000 + self.end_s * 1_000_000_000).to_string(),
            "attributes": fields.iter().map(attribute).collect::<Vec<_>>(),
            "links": links,
        });
        if self.parent > 0 {
            span["parentSpanId"] = json!(id(self.parent));
        }
        json!({ "resourceSpans": [{
            "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": self.service } }] },
            "scopeSpans": [{ "spans": [span] }],
        }] })
    }
}

fn log(spans: &[Span], encode: fn(&[u8]) -> String) -> String {
    spans.iter().map(|span| span.json(encode).to_string() + "\n").collect()
}

fn read(spans: &[Span]) -> Read {
    let read = read_log(Kind::Otlp, &log(spans, hex));
    read.check();
    read
}

/// A planner calls a coder, who asks a model and runs a tool, then publishes a message that a reviewer works on.
fn story() -> Vec<Span> {
    let mut process = span(
        8,
        0,
        9,
        10,
        json!({ "messaging.operation.type": "process",
        "messaging.destination.name": "reviews", "gen_ai_is_absent": 1 }),
    );
    process.trace = 2;
    process.service = "reviewer";
    process.links = vec![(1, 7)];
    vec![
        span(1, 0, 0, 20, json!({ "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner" })),
        span(2, 1, 1, 2, json!({ "http.route": "/x" })),
        span(3, 2, 2, 8, json!({ "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "coder" })),
        span(
            4,
            3,
            3,
            5,
            json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-x",
            "gen_ai.provider.name": "acme", "gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 30 }),
        ),
        span(5, 3, 5, 6, json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "run-tests" })),
        span(
            7,
            3,
            7,
            7,
            json!({ "messaging.operation.type": "send", "messaging.system": "kafka",
            "messaging.destination.name": "reviews", "messaging.message.id": "m-1" }),
        ),
        process,
    ]
}

#[test]
fn calls_models_tools_and_messages_become_facts() {
    let read = read(&story());
    let facts: Vec<String> = read
        .facts()
        .into_iter()
        .map(|fact| {
            // Identifiers are hashes; their kinds and names are what matters here.
            let mut plain = String::new();
            let mut in_number = 0;
            for character in fact.chars() {
                in_number = if character.is_ascii_digit() { in_number + 1 } else { 0 };
                if in_number <= 4 {
                    plain.push(character);
                } else if in_number == 5 {
                    plain.truncate(plain.len() - 4);
                    plain.push('N');
                }
            }
            plain
        })
        .collect();
    let expected = [
        "planner: TaskAdded { task: N }",
        "planner: TaskStarted { task: N, attempt: 1 }",
        "planner: Offered { seam: \"invoke_agent\", item: N, offer: N, medium: \"\" }",
        "planner: Decided { seam: \"invoke_agent\", item: N, offer: N, receiver: coder }",
        "planner: WaitOn { on: Agent(coder) }",
        "coder: Received { seam: \"invoke_agent\", item: N, offer: N, giver: planner }",
        "coder: WaitOn { on: Resource(\"gpt-x\") }",
        "coder: WaitEnd { on: Resource(\"gpt-x\") }",
        "coder: Requested { model: \"gpt-x\", by: coder, admitted: true, first: true, tokens_in: 120, tokens_out: 30 }",
        "coder: Spent { tokens_in: 120, cached: 0, tokens_out: 30, nano_dollars: 0 }",
        "coder: WaitOn { on: Resource(\"run-tests\") }",
        "coder: WaitEnd { on: Resource(\"run-tests\") }",
        "coder: Offered { seam: \"reviews\", item: N, offer: N, medium: \"reviews\" }",
        "planner: WaitEnd { on: Agent(coder) }",
        "reviews: HandedOver { seam: \"reviews\", item: N, offer: N, medium: \"reviews\", receiver: reviewer }",
        "reviewer: Received { seam: \"reviews\", item: N, offer: N, giver: coder }",
        "planner: TaskFinished { task: N, attempt: 1, reported: true, actual: true }",
    ];
    assert_eq!(facts, expected);
    let edges = read.reading.import.edges;
    assert_eq!((edges.begun, edges.recorded, edges.inferred, edges.orphaned), (1, 5, 0, 0));
}

#[test]
fn encoding_and_order_change_nothing() {
    let spans = story();
    let first = read(&spans);
    let all =
        |read: &Read| (read.batches.clone(), read.reading.import.clone(), read.reading.manifest.clone());
    assert_eq!(all(&read_log(Kind::Otlp, &log(&spans, base64))), all(&first));
    // Every rotation of the spans and of their mirror image.
    let mut other = spans.clone();
    for turn in 0..2 * spans.len() {
        other.rotate_left(1);
        if turn == spans.len() {
            other.reverse();
        }
        let encode = if turn % 2 == 0 { hex } else { base64 };
        assert_eq!(all(&read_log(Kind::Otlp, &log(&other, encode))), all(&first), "turn {turn}");
    }
    // All in one request, and one bare span a line.
    let bare: String = spans
        .iter()
        .map(|span| span.json(hex)["resourceSpans"][0]["scopeSpans"][0]["spans"][0].to_string() + "\n")
        .collect();
    assert_eq!(read_log(Kind::Otlp, &bare).reading.import.records, first.reading.import.records);
}

/// Attributes had other names once: the facts are the same.
#[test]
fn old_names_of_attributes_mean_the_same() {
    let chat = |attributes: Value| read(&[span(1, 0, 0, 1, attributes)]).facts();
    let new = chat(
        json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "acme", "gen_ai.agent.name": "a",
        "gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 3, "gen_ai.usage.cache_read.input_tokens": 2 }),
    );
    for old in [
        json!({ "gen_ai.system": "acme", "gen_ai.agent.id": "a", "gen_ai.usage.prompt_tokens": 7,
            "gen_ai.usage.completion_tokens": 3, "gen_ai.usage.cached_tokens": 2 }),
        json!({ "gen_ai.operation.name": "text_completion", "gen_ai.system": "acme", "gen_ai.agent.name": "a",
            "gen_ai.usage.prompt_tokens": 7, "gen_ai.usage.output_tokens": 3,
            "gen_ai.usage.cache_read_input_tokens": 2 }),
    ] {
        assert_eq!(chat(old.clone()), new, "{old}");
    }
    assert!(
        new.iter().any(|fact| fact.contains("Spent { tokens_in: 5, cached: 2, tokens_out: 3")),
        "{new:?}"
    );
    let sent = |attributes: Value| read(&[span(1, 0, 0, 1, attributes)]).facts();
    assert_eq!(
        sent(
            json!({ "messaging.operation": "publish", "messaging.destination": "q", "messaging.message_id": "m" })
        ),
        sent(json!({ "messaging.operation.type": "send", "messaging.destination.name": "q",
            "messaging.message.id": "m" })),
    );
}

#[test]
fn a_refused_request_is_told_from_an_admitted_one() {
    for (error, admitted) in
        [("429", false), ("rate_limit_exceeded", false), ("RateLimitError", false), ("500", true)]
    {
        let facts =
            read(&[span(1, 0, 0, 1, json!({ "gen_ai.operation.name": "chat", "error.type": error }))])
                .facts();
        let expected = format!("admitted: {admitted}");
        assert!(facts.iter().any(|fact| fact.contains(&expected)), "{error}: {facts:?}");
    }
}

/// Edges by how they are known, and what is wrong.
#[test]
fn links_that_are_guessed_or_missing_are_counted() {
    let publish = |message: &str| json!({ "messaging.operation": "publish", "messaging.destination": "q", "messaging.message_id": message });
    let process = |message: &str| json!({ "messaging.operation": "process", "messaging.destination": "q", "messaging.message_id": message });
    let chat = || json!({ "gen_ai.operation.name": "chat" });
    let mut linked_nowhere = span(2, 0, 2, 3, process("m"));
    linked_nowhere.links = vec![(9, 9)];
    for (spans, edges, troubles) in [
        // Equal names of a message alone: a guess.
        (vec![span(1, 0, 0, 1, publish("m")), span(2, 0, 2, 3, process("m"))], (1, 0, 1, 0), vec![]),
        (vec![span(1, 0, 0, 1, publish("m")), span(2, 0, 2, 3, process("n"))], (2, 0, 0, 0), vec![]),
        (vec![span(1, 0, 0, 1, publish("n")), linked_nowhere], (1, 0, 0, 1), vec![]),
        // A parent that is not there.
        (vec![span(1, 9, 0, 1, chat())], (0, 0, 0, 1), vec![]),
        // A circle, which is cut.
        (vec![span(1, 2, 0, 1, chat()), span(2, 1, 0, 1, chat())], (0, 1, 0, 1), vec!["bad-id"]),
        (vec![span(1, 1, 0, 1, chat())], (0, 0, 0, 1), vec!["bad-id"]),
        // A child that began before its parent did, and one that ended before it began.
        (vec![span(1, 0, 5, 9, chat()), span(2, 1, 3, 6, chat())], (1, 1, 0, 0), vec!["clock-backwards"]),
        (vec![span(1, 0, 5, 3, chat())], (1, 0, 0, 0), vec!["clock-backwards"]),
        // The same span twice.
        (vec![span(1, 0, 0, 1, chat()), span(1, 0, 0, 1, chat())], (1, 0, 0, 0), vec!["duplicate-id"]),
    ] {
        let read = read(&spans);
        let found = read.reading.import.edges;
        assert_eq!((found.begun, found.recorded, found.inferred, found.orphaned), edges);
        let kinds: Vec<&str> = read.troubles().iter().map(|trouble| trouble.0).collect();
        assert_eq!(kinds, troubles);
    }
}

/// A message that is received and then worked on is one hand-over; worked on twice, it is two.
#[test]
fn deliveries_are_counted_once_each() {
    let mail = |operation: &str| json!({ "messaging.operation": operation, "messaging.destination": "q", "messaging.message_id": "m" });
    let sent = span(1, 0, 0, 1, mail("publish"));
    for (operations, hand_overs) in
        [(&["receive"][..], 1), (&["receive", "process"], 1), (&["process", "process"], 2)]
    {
        let mut spans = vec![sent.clone()];
        for (at, operation) in operations.iter().enumerate() {
            spans.push(span(2 + at as u8, 0, 2 + at as u64, 9, mail(operation)));
        }
        let facts = read(&spans).facts();
        let received = facts.iter().filter(|fact| fact.contains("Received {")).count();
        assert_eq!(received, hand_overs, "{operations:?}");
    }
}

/// Neither a long chain of spans nor one of spans that do not matter takes a stack frame a link.
#[test]
fn long_chains_are_walked_without_recursion() {
    const SPANS: u64 = 60_000;
    for (kind, records) in [("gen_ai.usage.output_tokens", SPANS), ("http.route", 1)] {
        let mut log = String::new();
        for at in 1..=SPANS {
            let parent =
                if at > 1 { format!("\"parentSpanId\":\"{:016x}\",", at - 1) } else { String::new() };
            let kind = if at == SPANS { "gen_ai.usage.input_tokens" } else { kind };
            log += &format!(
                "{{\"traceId\":\"{:032x}\",\"spanId\":\"{at:016x}\",{parent}\"startTimeUnixNano\":\"5\",\
                 \"endTimeUnixNano\":6,\"attributes\":[{{\"key\":\"{kind}\",\"value\":{{\"intValue\":1}}}}]}}\n",
                1
            );
        }
        let read = read_log(Kind::Otlp, &log);
        read.check();
        assert_eq!(read.reading.import.records, records);
    }
}
