//! Where two runs part, why an event happened, and how steps are shown.

use crate::common::{Builder, accept_all, altered, bytes_of, header, node, open, phold, record, tiny};
use fleetsim_engine::batch::{Batch, EffectColumns, StepColumns};
use fleetsim_engine::digest::Digest;
use fleetsim_engine::{AgentId, Fact, Time};
use fleetsim_trace_replay::inspect::{self, Filter};
use fleetsim_trace_replay::{
    Compared, Comparison, DEPTH_MAX, Divergence, Header, Level, Recorder, Trace, Tree, diff, why,
};

type Change = fn(&mut StepColumns, &mut EffectColumns, &mut Vec<u8>, usize);

/// What may change in a step, the field that a comparison must name, and what it must show of the changed side.
const CHANGES: [(Change, &str, &str); 8] = [
    (|steps, _, _, at| steps.time_ns[at] += 1, "time", "00:00:"),
    (|steps, _, _, at| steps.target[at] = node(99).as_u64(), "target", "node-99"),
    (|steps, _, _, at| steps.source[at] = node(98).as_u64(), "source", "node-98"),
    (|steps, _, _, at| steps.fate[at] = 3, "fate", "Down"),
    (|steps, _, _, at| steps.waited_ns[at] = 3_000_000_000, "waited", "3s"),
    (
        |_, effects, _, at| effects.object[at] = node(99).as_u64(),
        "effect 1 (Send): target",
        "sends to node-99",
    ),
    (|_, effects, _, at| effects.delay_ns[at] = 1_000_000, "effect 1 (Send): delay", "after 1ms"),
    (|_, _, payloads, at| payloads[8 * at..8 * at + 8].fill(0), "effect 1 (Send): payload", "value: 0 }"),
];

fn trace_of(level: Level, batches: &[Batch]) -> Trace {
    open(&bytes_of(&header(level), batches)).expect("a trace")
}

fn compare(trace: &Trace, batches: &[Batch]) -> Compared {
    let mut comparison = Comparison::new(trace);
    accept_all(&mut comparison, batches);
    comparison.finish().expect("a sound trace")
}

#[test]
fn a_run_does_not_part_from_itself() {
    let batches = phold(40, 9000, 1);
    for level in [Level::Full, Level::Headers, Level::Digest] {
        let trace = trace_of(level, &batches);
        let compared = compare(&trace, &batches);
        assert_eq!(compared.divergence, None);
        assert_eq!((compared.same, compared.replayed, compared.partial), (9000, 9000, false));
        assert_eq!(Ok(compared.digest), trace.digest());
        let found = diff(&trace, &trace_of(level, &batches)).expect("sound traces");
        assert_eq!((found.divergence, found.same, found.headers), (None, 9000, Vec::new()));
    }
}

#[test]
fn the_first_difference_is_named() {
    let batches = phold(40, 9000, 2);
    let trace = trace_of(Level::Full, &batches);
    for ordinal in [0, 5, 4095, 4096, 8999] {
        for (change, field, shown) in CHANGES {
            let other = altered(&batches, ordinal, change);
            let replay = compare(&trace, &other).divergence.expect(field);
            let difference = diff(&trace, &trace_of(Level::Full, &other)).expect("sound traces");
            assert_eq!(difference.divergence.as_ref(), Some(&replay), "{field}");
            assert_eq!(
                (replay.ordinal, replay.ordinal_end, replay.field.as_str()),
                (ordinal, ordinal + 1, field)
            );
            assert!(replay.right.contains(shown) && replay.left != replay.right, "{field}: {replay:?}");
            assert_eq!((replay.time, difference.same), (Some(time_of(&batches, ordinal)), ordinal));
            check_context(&replay, ordinal);
        }
    }
}

fn time_of(batches: &[Batch], ordinal: u64) -> Time {
    batches.iter().flatten().nth(ordinal as usize).expect("a step").time
}

/// The ten steps before, and the step itself first on both sides.
fn check_context(divergence: &Divergence, ordinal: u64) {
    let steps = |lines: &[String]| -> Vec<u64> {
        let numbers =
            lines.iter().filter_map(|line| line.strip_prefix("#e")?.split(' ').next()?.parse().ok());
        numbers.collect()
    };
    assert_eq!(steps(&divergence.before), (ordinal.saturating_sub(10)..ordinal).collect::<Vec<u64>>());
    assert_eq!(steps(&divergence.left_steps).first(), Some(&ordinal));
    assert_eq!(steps(&divergence.right_steps).first(), Some(&ordinal));
    let lines = divergence.lines("recorded", "replayed");
    assert!(lines[0].starts_with(&format!("first difference at #e{ordinal} ")), "{lines:?}");
}

#[test]
fn without_payloads_or_steps_the_chunk_is_named() {
    let batches = phold(40, 9000, 3);
    let (headers, digest) = (trace_of(Level::Headers, &batches), trace_of(Level::Digest, &batches));
    let payload = altered(&batches, 5000, CHANGES[7].0);
    let target = altered(&batches, 5000, CHANGES[1].0);
    for (trace, other, field, range) in [
        (&headers, &payload, "hash of the payloads", 4096..8192),
        (&headers, &target, "target", 5000..5001),
        (&digest, &payload, "hash of the payloads", 4096..8192),
        (&digest, &target, "hash of the steps", 4096..8192),
    ] {
        let found = compare(trace, other).divergence.expect(field);
        assert_eq!((found.field.as_str(), found.ordinal..found.ordinal_end), (field, range));
        let full = diff(trace, &trace_of(Level::Full, other)).expect("sound traces").divergence;
        assert_eq!(full.map(|found| found.field).as_deref(), Some(field));
    }
}

#[test]
fn a_run_that_ends_early_or_late_parts_there() {
    let batches = tiny(9000);
    for length in [0, 100, 4096, 5000, 8192, 8999] {
        let shorter = tiny(length);
        let (long, short) = (trace_of(Level::Full, &batches), trace_of(Level::Full, &shorter));
        for (found, over) in [(compare(&long, &shorter), "replayed"), (compare(&short, &batches), "recorded")]
        {
            let divergence = found.divergence.expect("one is longer");
            assert_eq!((divergence.ordinal, divergence.field.as_str()), (length as u64, "end of the run"));
            let (ended, goes_on) = match over {
                "replayed" => (&divergence.right, &divergence.left),
                _ => (&divergence.left, &divergence.right),
            };
            assert_eq!(ended, "the run is over", "{length} steps");
            assert!(goes_on.starts_with(&format!("#e{length} ")), "{goes_on}");
        }
        let found = diff(&short, &long).expect("sound traces").divergence.expect("one is longer");
        assert_eq!((found.ordinal, found.left.as_str()), (length as u64, "the run is over"));
    }
}

#[test]
fn a_partial_trace_is_compared_as_far_as_it_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let batches = tiny(9000);
    for length in [4096, 5000] {
        let mut recorder = Recorder::create(folder.path().join("run"), &header(Level::Full)).expect("a file");
        accept_all(&mut recorder, &tiny(length));
        let trace = Trace::open(recorder.interrupt().path).expect("a trace");
        let compared = compare(&trace, &batches);
        assert_eq!((compared.divergence, compared.same, compared.partial), (None, length as u64, true));
        let whole = trace_of(Level::Full, &batches);
        let found = diff(&trace, &whole).expect("sound traces");
        assert_eq!((found.divergence, found.partial), (None, true));
        let other = altered(&batches, length as u64 - 1, CHANGES[0].0);
        assert_eq!(compare(&trace, &other).divergence.expect("a difference").ordinal, length as u64 - 1);
        let replay_is_short = compare(&trace, &tiny(length - 1)).divergence.expect("a difference");
        assert_eq!(replay_is_short.ordinal, length as u64 - 1);
    }
}

#[test]
fn a_damaged_chunk_is_not_taken_for_a_divergence() {
    let batches = tiny(5000);
    let mut bytes = bytes_of(&header(Level::Full), &batches);
    let at = bytes.windows(8).position(|window| window == b"FLTCHNK\n").expect("a chunk") + 200;
    bytes[at] ^= 1;
    let trace = open(&bytes).expect("a trace");
    let mut comparison = Comparison::new(&trace);
    accept_all(&mut comparison, &batches);
    assert!(comparison.is_decided());
    assert!(comparison.finish().is_err_and(|error| error.is_damaged()));
}

#[test]
fn headers_that_differ_are_told() {
    let batches = tiny(3);
    let mut other = Header { seed: 8, ..header(Level::Full) };
    other.overrides.push(("fleet.size".to_owned(), "9\n".to_owned()));
    let found = diff(&trace_of(Level::Full, &batches), &open(&bytes_of(&other, &batches)).expect("a trace"));
    let headers = found.expect("sound traces").headers;
    assert_eq!(headers.len(), 2, "{headers:?}");
    assert_eq!(headers[0], "seed: 7 and 8");
    assert!(headers.iter().all(|line| !line.contains('\n')));
}

#[test]
fn causes_are_those_that_a_plain_search_finds() {
    let batches = phold(30, 9000, 4);
    let trace = trace_of(Level::Full, &batches);
    let steps: Vec<_> = batches.iter().flatten().collect();
    for ordinal in (0..9000_usize).step_by(431) {
        let step = &steps[ordinal];
        let tree = why(&trace, ordinal as u64, 1, 2).expect("an event");
        let cause = steps[..ordinal].iter().find(|cause| {
            cause.target == step.source
                && cause.effects.clone().any(|effect| effect.sequence == Some(step.sequence))
        });
        assert_eq!(tree.branches[0].event, cause.map(|cause| cause.ordinal), "event {ordinal}");
        let earlier = steps[..ordinal].iter().rev().filter(|earlier| earlier.target == step.target).take(2);
        let earlier: Vec<u64> = earlier.map(|earlier| earlier.ordinal).collect();
        let expected: Vec<u64> = earlier
            .into_iter()
            .filter(|earlier| Some(*earlier) != cause.map(|cause| cause.ordinal))
            .collect();
        let found: Vec<u64> = tree.branches[1..].iter().filter_map(|branch| branch.event).collect();
        assert_eq!(found, expected, "event {ordinal}");
    }
}

#[test]
fn a_chain_of_causes_crosses_chunks_and_ends_in_the_world() {
    let trace = trace_of(Level::Full, &tiny(5000));
    let mut tree = &why(&trace, 4098, 5, 0).expect("an event");
    for ordinal in (4093..=4098).rev() {
        assert_eq!(tree.event, Some(ordinal));
        tree = tree.branches.first().unwrap_or(tree);
    }
    let root = why(&trace, 1, 9, 3).expect("an event");
    let lines = root.lines();
    assert_eq!(
        lines,
        [
            "#e1 00:00:00.000002 node-1 -> node-1 token.Token { value: 0 }",
            "└─ #e0 00:00:00.000001 world -> node-1 token.Token",
            "   └─ the world outside the fleet",
        ]
    );
    assert!(why(&trace, 5000, 1, 1).is_err_and(|error| error.is_address()));
    let digests = trace_of(Level::Digest, &tiny(5));
    assert!(why(&digests, 1, 1, 1).is_err_and(|error| error.is_not_recorded()));
}

#[test]
fn facts_and_earlier_steps_are_part_of_the_reason() {
    let mut run = Builder::default();
    run.message(1, node(1), AgentId::WORLD, 0, 0);
    run.send(node(3), 10);
    run.message(2, node(2), AgentId::WORLD, 1, 0);
    run.fact(&Fact::TaskAdded { task: 7 });
    run.send(node(3), 20);
    run.message(3, node(3), node(1), 0, 0);
    run.message(4, node(3), node(2), 0, 0);
    let trace = trace_of(Level::Full, &[run.batch(0)]);
    assert_eq!(
        why(&trace, 3, 3, 2).expect("an event").lines(),
        [
            "#e3 00:00:00.000000004 node-2 -> node-3 token.Token { value: 20 }",
            "├─ #e1 00:00:00.000000002 world -> node-2 token.Token",
            "│  │   states TaskAdded { task: 7 }",
            "│  └─ the world outside the fleet",
            "└─ earlier at node-3: #e2 00:00:00.000000003 node-1 -> node-3 token.Token { value: 10 }",
            "   └─ #e0 00:00:00.000000001 world -> node-1 token.Token",
            "      └─ the world outside the fleet",
        ]
    );
}

#[test]
fn a_tree_is_bounded_whatever_is_asked_for() {
    let tree = why(&trace_of(Level::Full, &tiny(5000)), 4999, usize::MAX, usize::MAX).expect("an event");
    assert!(tree.lines().len() < 1_000_000);
    let (mut deepest, mut depth) = (&tree, 0);
    while let Some(cause) = deepest.branches.first() {
        (deepest, depth) = (cause, depth + 1);
    }
    assert_eq!(depth, DEPTH_MAX);
}

#[test]
fn a_step_is_explained_once() {
    fn count(tree: &Tree, explained: &mut Vec<u64>) {
        if !tree.branches.is_empty() {
            explained.extend(tree.event);
        }
        tree.branches.iter().for_each(|branch| count(branch, explained));
    }
    let trace = trace_of(Level::Full, &phold(3, 500, 5));
    let mut explained = Vec::new();
    count(&why(&trace, 499, 12, 4).expect("an event"), &mut explained);
    let total = explained.len();
    explained.sort();
    explained.dedup();
    assert_eq!(explained.len(), total);
    assert!(total > 12, "{total} steps");
}

#[test]
fn steps_are_shown_with_the_message_that_arrived() {
    let trace = trace_of(Level::Full, &tiny(9000));
    let shown = inspect::step(&trace, 4096).expect("an event");
    assert_eq!(
        shown,
        [
            "#e4096 00:00:00.004097 node-1 -> node-1 token.Token { value: 4095 }",
            "    sends to node-1: token.Token { value: 4096 }",
        ]
    );
    let filter = Filter { from: Time::from_ns(4_097_000), steps_max: 2, ..Filter::default() };
    let mut lines = Vec::new();
    let found = inspect::steps(&trace, &filter, |line| lines.push(line.to_owned())).expect("a sound trace");
    assert_eq!((found.steps, found.more), (2, true));
    assert_eq!(lines[..2], shown);
    assert_eq!(lines.len(), 4);
}

#[test]
fn filters_agree_with_a_plain_search() {
    let batches = phold(20, 6000, 6);
    let trace = trace_of(Level::Full, &batches);
    let (from, to) = (time_of(&batches, 4000), time_of(&batches, 5000));
    let count = |filter: Filter| inspect::steps(&trace, &filter, |_| ()).expect("a sound trace").steps;
    let plain = |keep: &dyn Fn(AgentId, AgentId, Time) -> bool| {
        batches.iter().flatten().filter(|step| keep(step.target, step.source, step.time)).count() as u64
    };
    let all = Filter::default();
    assert_eq!(count(all.clone()), 6000);
    assert_eq!(count(Filter { from, to, ..all.clone() }), plain(&|_, _, time| (from..=to).contains(&time)));
    let agent = Some("node-3".to_owned());
    assert_eq!(
        count(Filter { agent, ..all.clone() }),
        plain(&|target, source, _| [target, source].contains(&node(3)))
    );
    for (kind, expected) in
        [("token.Token", 6000), ("token", 6000), ("message", 6000), ("Crash", 0), ("TaskAdded", 0)]
    {
        assert_eq!(count(Filter { kind: Some(kind.to_owned()), ..all.clone() }), expected, "{kind}");
    }
}

#[test]
fn hostile_names_reach_no_terminal() {
    let evil = "x\x1b]0;owned\x07\n\u{202e}";
    let mut hostile = header(Level::Full);
    hostile.manifest.groups[0].name = evil.to_owned();
    hostile.manifest.protocols[0].name = evil.to_owned();
    hostile.scenario.name = evil.to_owned();
    let mut run = Builder::default();
    run.message(1, AgentId::named(evil, 1), AgentId::WORLD, 0, 0);
    run.send(AgentId::named(evil, 2), 1);
    let trace = open(&bytes_of(&hostile, &[run.batch(0)])).expect("a trace");
    let mut lines = inspect::overview(&trace);
    inspect::steps(&trace, &Filter::default(), |line| lines.push(line.to_owned())).expect("a sound trace");
    lines.extend(why(&trace, 0, 3, 3).expect("an event").lines());
    let other = open(&bytes_of(&hostile, &[])).expect("a trace");
    lines.extend(
        diff(&trace, &other).expect("sound traces").divergence.expect("one is longer").lines("a", "b"),
    );
    for line in lines {
        assert!(!line.chars().any(|character| character.is_control() || character == '\u{202e}'), "{line:?}");
    }
}

#[test]
fn the_overview_says_what_the_run_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.fleet");
    let digest: Digest = record(&path, &header(Level::Full), &tiny(5)).digest;
    let lines = inspect::overview(&Trace::open(path).expect("a trace"));
    for expected in [
        "scenario   ring.toml",
        "seed       7",
        "agents     node (1000000)",
        "steps      5 in 1 chunks",
        "ending     nothing left to do at 00:00:05",
        &format!("digest     {digest}"),
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected} in {lines:#?}");
    }
}
