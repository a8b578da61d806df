//! What must not reach a trace does not: addresses, keys, texts, and on demand names.

use fleetsim_interop::{Kind, Options};

use crate::support::try_read;

const EMAIL: &str = "carol.danvers@example.org";
const KEY: &str = "sk-ant-REDACTED";

/// Logs with an address and a key wherever a text or a name can stand, next to names that may be shown.
fn planted() -> [(Kind, String); 3] {
    let both = format!("write to {EMAIL} with {KEY}");
    let change =
        format!(r#"{{\"title\":\"{both}\",\"assignee\":\"{EMAIL}\",\"status\":\"hooked\",\"{KEY}\":1}}"#);
    let beads = format!(
        "{{\"id\":\"{KEY}\",\"created_at\":\"2026-01-01T10:00:00Z\",\"actor\":\"{EMAIL}\",\"event_type\":\"created\",\
         \"issue_id\":\"{KEY}\",\"new_value\":\"{change}\",\"old_value\":\"{both}\",\"comment\":\"{both}\"}}\n\
         {{\"id\":2,\"created_at\":\"2026-01-01T10:01:00Z\",\"actor\":\"mayor\",\"event_type\":\"{KEY}\",\
         \"issue_id\":\"gt-1\",\"new_value\":\"{both}\"}}\n{EMAIL}\n"
    );
    let attribute =
        |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
    let span = |id: u8, attributes: &[String]| {
        format!(
            r#"{{"traceId":"{:032x}","spanId":"{id:016x}","startTimeUnixNano":5,"endTimeUnixNano":9,"name":"{both}","attributes":[{}],"events":[{{"name":"x","attributes":[{}]}}]}}"#,
            1,
            attributes.join(","),
            attribute("gen_ai.prompt", &both)
        ) + "\n"
    };
    let otlp = [
        span(
            1,
            &[
                attribute("gen_ai.operation.name", "chat"),
                attribute("gen_ai.agent.name", EMAIL),
                attribute("gen_ai.request.model", KEY),
                attribute("gen_ai.input.messages", &both),
                attribute("gen_ai.conversation.id", EMAIL),
            ],
        ),
        span(2, &[attribute("gen_ai.tool.name", KEY), attribute("gen_ai.agent.name", "mayor")]),
        span(
            3,
            &[
                attribute("messaging.operation", "publish"),
                attribute("messaging.destination.name", EMAIL),
                attribute("messaging.message.id", KEY),
            ],
        ),
        span(
            4,
            &[
                attribute("messaging.operation", "process"),
                attribute("messaging.destination.name", EMAIL),
                attribute("messaging.message.id", KEY),
                attribute("service.name", KEY),
            ],
        ),
    ]
    .concat();
    let ndjson = format!(
        r#"{{"at_ns":1,"actor":"{EMAIL}","id":"{KEY}","to":"{EMAIL}","text":"{both}","fact":"task-added","task":"{KEY}"}}
{{"at_ns":2,"actor":"mayor","fact":"offered","seam":"{EMAIL}","item":"{KEY}","medium":"{KEY}","reason":"{both}"}}
{{"at_ns":3,"actor":"mayor","fact":"wait-on","gate":"{EMAIL}","cause":"{KEY}"}}
{{"at_ns":4,"actor":"mayor","fact":"acted","action":"{KEY}","item":1,"gate":"{EMAIL}"}}
{{"at_ns":5,"actor":"mayor","fact":"requested","model":"{KEY}","by":"{EMAIL}"}}
"#
    );
    [(Kind::Beads, beads), (Kind::Otlp, otlp), (Kind::Ndjson, ndjson)]
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn planted_addresses_and_keys_are_not_found() {
    for (kind, log) in planted() {
        let read = try_read(kind, log.as_bytes(), None, Options::default()).expect("nothing is fatal");
        read.check();
        assert!(read.reading.import.records >= 2, "{kind:?}: {:?}", read.troubles());
        let bytes = read.all_bytes();
        for secret in [EMAIL, KEY, "carol", "api03", "write to", "example.org"] {
            assert!(!holds(&bytes, secret), "{kind:?} holds {secret}");
        }
        assert!(holds(&bytes, "mayor"), "{kind:?} has lost a name that may be shown");
        // The test can fail: with texts they are there.
        let keep = Options { keep_text: true, ..Options::default() };
        let bytes = try_read(kind, log.as_bytes(), None, keep).expect("nothing is fatal").all_bytes();
        assert!(holds(&bytes, EMAIL) && holds(&bytes, KEY), "{kind:?} keeps no text");
    }
}

#[test]
fn renamed_agents_have_the_same_pseudonyms_everywhere() {
    let rename = Options { rename: true, ..Options::default() };
    let mut pseudonyms = Vec::new();
    for (kind, log) in planted() {
        let read = try_read(kind, log.as_bytes(), None, rename).expect("nothing is fatal");
        assert!(!holds(&read.all_bytes(), "mayor"), "{kind:?} holds a name");
        let groups = &read.reading.manifest.groups;
        let names = groups.iter().map(|group| group.name.clone()).filter(|name| name.starts_with("name-"));
        pseudonyms.push(names.collect::<Vec<_>>());
    }
    let shared = pseudonyms[0].iter().filter(|name| pseudonyms.iter().all(|names| names.contains(name)));
    // The mayor, and whoever has the address for a name.
    assert_eq!(shared.count(), 2, "{pseudonyms:?}");
}

/// Who does what is the same under other names.
#[test]
fn renaming_changes_names_only() {
    let log = include_str!("../data/gastown/events.jsonl");
    let read = |options| try_read(Kind::Beads, log.as_bytes(), None, options).expect("it is sound");
    let (plain, renamed) = (read(Options::default()), read(Options { rename: true, ..Options::default() }));
    renamed.check();
    let count = |read: &crate::support::Read| {
        read.reading.import.figures.iter().map(|figure| figure.count).collect::<Vec<_>>()
    };
    assert_eq!(count(&plain), count(&renamed));
    assert_eq!(plain.facts().len(), renamed.facts().len());
    let bytes = renamed.all_bytes();
    for name in ["mayor", "furiosa", "polecats", "witness", "gt-"] {
        assert!(!holds(&bytes, name), "{name} is still there");
        assert!(holds(&plain.all_bytes(), name), "{name} was never there");
    }
}
