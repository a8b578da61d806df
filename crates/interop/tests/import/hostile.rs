//! Logs that are wrong in every way: counted, reported with the first line, never fatal unless that is asked for.

use fleetsim_interop::{Kind, Options};
use proptest::prelude::*;

use crate::support::try_read;

const GOOD: [(Kind, &str); 3] = [
    (
        Kind::Beads,
        r#"{"id":1,"created_at":"2026-01-01T10:00:00Z","actor":"ann","event_type":"created","issue_id":"T"}"#,
    ),
    (
        Kind::Otlp,
        r#"{"traceId":"00000000000000000000000000000001","spanId":"0000000000000001","startTimeUnixNano":5}"#,
    ),
    (Kind::Ndjson, r#"{"at_ns":5,"actor":"ann","fact":"task-added","task":"T","id":"1"}"#),
];

/// A good line, the line in question, and another good one: what is noted of it.
#[test]
fn what_is_wrong_is_counted_with_its_line() {
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let beads = GOOD[0].1;
    let otlp = GOOD[1].1;
    let ndjson = GOOD[2].1;
    let of_all = [
        (b"{\"id\":2,".to_vec(), "not-json"),
        (b"\xFF\xFE{}".to_vec(), "not-utf-8"),
        (deep.into_bytes(), "too-deep"),
        (b"{\"a\":1e999}".to_vec(), "out-of-range"),
        (b"[1,2]".to_vec(), "not-a-record"),
        (b"\"text\"".to_vec(), "not-a-record"),
        (vec![b'x'; (8 << 20) + 1], "line-too-long"),
    ];
    let mut cases: Vec<(Kind, Vec<u8>, &str)> = Vec::new();
    for (kind, _) in GOOD {
        cases.extend(of_all.iter().map(|(line, trouble)| (kind, line.clone(), *trouble)));
    }
    let own = [
        (Kind::Beads, beads.to_owned(), "duplicate-id"),
        (Kind::Beads, beads.replace("\"id\":1,", "\"id\":7,").replace("10:00", "09:00"), "clock-backwards"),
        (Kind::Beads, beads.replace("\"id\":1,", "\"id\":7,").replace("2026-01-01", "yesterday"), "bad-time"),
        (Kind::Beads, beads.replace("\"id\":1,", "\"id\":7,").replace("2026", "9999"), "bad-time"),
        (Kind::Beads, beads.replace("\"id\":1,", "").replace("created\"", "exploded\""), "unknown-event"),
        (Kind::Beads, beads.replace("\"id\":1,", "").replace("\"T\"", "null"), "missing-field"),
        (Kind::Beads, beads.replace("\"id\":1,", "").replace("\"ann\"", "[]"), "missing-field"),
        (Kind::Beads, beads.replace("\"id\":1,", "\"new_value\":\"{broken\","), "not-json"),
        (Kind::Otlp, otlp.to_owned(), "duplicate-id"),
        (Kind::Otlp, otlp.replace("\"0000000000000001\"", "\"xyz\""), "bad-id"),
        (Kind::Otlp, otlp.replace("\"0000000000000001\"", "\"0000000000000000\""), "bad-id"),
        (Kind::Otlp, otlp.replace("000001\",\"start", "000007\",\"end").replace(":5", ":6"), "bad-time"),
        (Kind::Otlp, otlp.replace("000001\",\"start", "000007\",\"start").replace(":5", ":-5"), "bad-time"),
        (
            Kind::Otlp,
            otlp.replace("000001\",\"start", "000007\",\"start").replace(":5", ":\"99999999999999999999999\""),
            "bad-time",
        ),
        (Kind::Otlp, "{\"resourceLogs\":[]}".to_owned(), "not-a-record"),
        (Kind::Otlp, "{\"resourceSpans\":[7]}".to_owned(), "not-a-record"),
        (
            Kind::Otlp,
            otlp.replace("000001\",\"start", "000007\",\"start").replace(
                ":5",
                ":5,\"attributes\":[{\"key\":\"gen_ai.operation.name\",\"value\":{\"stringValue\":\"dream\"}}]",
            ),
            "unknown-event",
        ),
        (Kind::Ndjson, ndjson.to_owned(), "duplicate-id"),
        (Kind::Ndjson, ndjson.replace(":5", ":4").replace(",\"id\":\"1\"", ""), "clock-backwards"),
        (Kind::Ndjson, ndjson.replace("\"at_ns\":5,", "").replace(",\"id\":\"1\"", ""), "bad-time"),
        (Kind::Ndjson, ndjson.replace("task-added", "task-eaten").replace(",\"id\":\"1\"", ""), "unknown-event"),
        (Kind::Ndjson, ndjson.replace("\"T\"", "{}").replace(",\"id\":\"1\"", ""), "missing-field"),
        (
            Kind::Ndjson,
            ndjson.replace("task-added", "task-claimed").replace(",\"id\":\"1\"", ",\"fence\":-1"),
            "out-of-range",
        ),
    ];
    cases.extend(own.into_iter().map(|(kind, line, trouble)| (kind, line.into_bytes(), trouble)));
    for (kind, line, trouble) in cases {
        let good = GOOD.iter().find(|(known, _)| *known == kind).expect("every kind has one").1;
        let log = [good.as_bytes(), b"\n", &line, b"\n"].concat();
        let read = try_read(kind, &log, None, Options::default()).expect("nothing is fatal");
        let shown = String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
        assert_eq!(read.troubles(), [(trouble, 1, 2)], "{kind:?} {shown}");
        read.check();
        let strict = Options { strict: true, ..Options::default() };
        let error = try_read(kind, &log, None, strict).err().unwrap_or_else(|| panic!("{kind:?} {shown}"));
        assert_eq!(error.to_string(), format!("line 2: {trouble}"));
    }
}

#[test]
fn a_log_that_was_cut_off_is_told_from_a_broken_line() {
    for (kind, good) in GOOD {
        let log = format!("{good}\n{}", &good[..good.len() - 3]);
        let read = try_read(kind, log.as_bytes(), None, Options::default()).expect("nothing is fatal");
        assert_eq!(read.troubles(), [("cut-off", 1, 2)], "{kind:?}");
        let whole = format!("{good}\r\n\n");
        let strict = Options { strict: true, ..Options::default() };
        assert!(try_read(kind, whole.as_bytes(), None, strict).is_ok(), "{kind:?}");
    }
}

/// Pieces of which logs are made, so that soup gets past the parser.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "\"id\":1",
        "\"id\":2",
        "\"created_at\":\"2026-01-01T10:00:00Z\"",
        "\"created_at\":\"2025-01-01T10:00:00Z\"",
        "\"actor\":\"ann\"",
        "\"actor\":\"bob\"",
        "\"actor\":\"\"",
        "\"event_type\":\"created\"",
        "\"event_type\":\"closed\"",
        "\"event_type\":\"reopened\"",
        "\"event_type\":\"status_changed\"",
        "\"issue_id\":\"T\"",
        "\"issue_id\":\"U\"",
        "\"new_value\":\"{\\\"assignee\\\":\\\"bob\\\"}\"",
        "\"new_value\":{\"assignee\":\"ann\",\"status\":\"in_progress\"}",
        "\"new_value\":{\"status\":\"open\"}",
        "\"at_ns\":5",
        "\"at_ns\":18446744073709551615",
        "\"fact\":\"received\"",
        "\"fact\":\"write\"",
        "\"fact\":\"wait-on\"",
        "\"seam\":\"s\"",
        "\"item\":7",
        "\"item\":\"x\"",
        "\"giver\":\"ann\"",
        "\"resource\":\"r\"",
        "\"cause\":1",
        "\"cause\":\"2\"",
        "\"to\":\"bob\"",
        "\"text\":\"hello\"",
        "\"traceId\":\"00000000000000000000000000000001\"",
        "\"spanId\":\"0000000000000001\"",
        "\"spanId\":\"0000000000000002\"",
        "\"spanId\":\"AAAAAAAAAAM=\"",
        "\"parentSpanId\":\"0000000000000001\"",
        "\"parentSpanId\":\"0000000000000002\"",
        "\"startTimeUnixNano\":5",
        "\"startTimeUnixNano\":\"9\"",
        "\"startTimeUnixNano\":9199999999999999999",
        "\"endTimeUnixNano\":\"7\"",
        "\"kind\":4",
        "\"kind\":5",
        "\"attributes\":[{\"key\":\"gen_ai.agent.name\",\"value\":{\"stringValue\":\"ann\"}}]",
        "\"attributes\":[{\"key\":\"gen_ai.usage.input_tokens\",\"value\":{\"doubleValue\":3.0}}]",
        "\"attributes\":[{\"key\":\"messaging.message.id\",\"value\":{\"stringValue\":\"m\"}}]",
        "\"links\":[{\"traceId\":\"00000000000000000000000000000001\",\"spanId\":\"0000000000000002\"}]",
    ];
    prop::sample::select(words.to_vec()).prop_map(str::to_owned)
}

fn plausible_line() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..12).prop_map(|pieces| format!("{{{}}}", pieces.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, second: Vec<u8>) {
        for (kind, _) in GOOD {
            let second = (kind == Kind::Beads).then_some(second.as_slice());
            try_read(kind, &bytes, second, Options::default()).expect("nothing is fatal").check();
        }
    }

    #[test]
    fn no_lines_make_it_panic(lines in prop::collection::vec(plausible_line(), 0..30), cut in 0_usize..3000) {
        let log = lines.join("\n");
        let log = &log.as_bytes()[..cut.min(log.len())];
        for (kind, _) in GOOD {
            for options in [Options::default(), Options { keep_text: true, rename: true, strict: false }] {
                let read = try_read(kind, log, None, options).expect("nothing is fatal");
                read.check();
                let again = try_read(kind, log, None, options).expect("nothing is fatal");
                prop_assert_eq!(&again.batches, &read.batches);
            }
        }
    }
}
