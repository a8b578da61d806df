//! The digest: one golden value, and everything that must not move it.

use fleetsim_engine::batch::Batch;
use fleetsim_engine::digest::RunDigest;
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{
    ClockChange, Control, Digest, DigestSink, Fact, Fleet, Limits, Link, SEMANTICS, Sink, Status, Time,
};
use rand::Rng;

use crate::stage::{Child, ChildConfig, Cue, Tag, Talk, actors, fleet, play, to};

/// A little of everything: links, work, children, facts, disks, clocks, crashes, large and small payloads.
fn mixed() -> Fleet {
    let mut fleet = fleet(2_024);
    fleet.default_link(Link::new(10, Sampler::lognormal(1_000, 9_000).expect("valid")).expect("above zero"));
    fleet.link("worker", "hub", Link::constant(40).expect("above zero"));
    fleet.spawnable::<Child>("helper").expect("one kind");
    actors(&mut fleet, "hub", 1, |_, ctx, cue| {
        if let Cue::Message(from, Talk::Note(number)) = cue {
            let size = (number % 60) as usize;
            ctx.fact(Fact::Progress { item: u64::from(number) });
            ctx.send(fleetsim_engine::Address::new(from), Talk::Blob(vec![number as u8; size]));
        }
    });
    actors(&mut fleet, "worker", 5, |me, ctx, cue| match cue {
        Cue::Start | Cue::Restart | Cue::Timer(Tag::First) => {
            let work_ns = 1 + ctx.random().next_u64() % 5_000;
            ctx.disk().put("work", &work_ns);
            ctx.send_after(to("hub", 1), Talk::Note(work_ns as u32), work_ns / 7);
            let timer = ctx.set_timer(9_000, Tag::Second);
            if work_ns % 3 == 0 {
                ctx.cancel_timer(timer);
            }
            ctx.work_for(work_ns, Tag::First);
            assert!(work_ns % 997 != 0, "bad luck");
        }
        Cue::Message(from, _) if me.birth.ordinal == 2 => {
            ctx.spawn::<Child>(ChildConfig { parent: from, number: 3, born_dead: false });
        }
        _ => {}
    });
    let clock = Control::Clock(ClockChange { drift_ppb: 3_000_000, jump_ns: -70 });
    for (at_ns, ordinal, control) in [
        (9_000, 1, Control::Crash),
        (20_000, 1, Control::Restart),
        (12_000, 3, Control::Pause),
        (30_000, 3, Control::Resume),
        (15_000, 4, clock),
        (16_000, 5, Control::Tell("misbehave".to_owned())),
    ] {
        fleet.control("weather", Time::from_ns(at_ns), to("worker", ordinal).id(), control);
    }
    fleet
}

const LIMITS: Limits = Limits { until: Time::MAX, events_max: 10_000 };

#[test]
fn the_golden_digest_moves_only_with_the_semantics_version() {
    let run = crate::stage::play_within(mixed(), &LIMITS);
    assert_eq!(run.outcome.events, 10_000);
    // Whoever has to change the digest raises SEMANTICS with it.
    assert_eq!((SEMANTICS, run.digest.to_string().as_str()), (2, GOLDEN));
    assert_eq!(Digest::parse(GOLDEN), Some(run.digest));
}

const GOLDEN: &str = "1bbadd1a6fc9980907135126bec0ce5509880a7c8b24e7d948eeec06fcc8b449";

#[test]
fn slices_do_not_move_the_digest() {
    for budget in [1, 7, 1_000, u64::MAX] {
        let mut simulation = mixed().build().expect("valid");
        let mut sink = DigestSink::default();
        while let Status::Running = simulation.advance(&LIMITS, budget, &mut sink) {}
        let outcome = simulation.finish(&LIMITS, &mut sink);
        assert_eq!(
            (outcome.events, sink.value().to_string().as_str()),
            (10_000, GOLDEN),
            "slices of {budget}"
        );
    }
}

/// Takes batches away, and leaves a fresh or a used one, or none but the headers.
struct Thief {
    spare: Vec<Batch>,
    taken: Vec<Batch>,
}

impl Sink for Thief {
    fn accept(&mut self, batch: &mut Batch) {
        let spare = self.spare.pop().unwrap_or_default();
        self.taken.push(std::mem::replace(batch, spare));
    }
}

#[test]
fn a_sink_that_keeps_batches_sees_the_same_run() {
    let mut first = Thief { spare: Vec::new(), taken: Vec::new() };
    mixed().build().expect("valid").run(&LIMITS, &mut first);
    let without_payloads = Batch::assemble(
        3,
        first.taken[0].step_columns().clone(),
        first.taken[0].effect_columns().clone(),
        first.taken[0].fact_bytes().to_vec(),
        None,
    )
    .expect("it was a batch");
    let mut second = Thief { spare: vec![first.taken[1].clone(), without_payloads], taken: Vec::new() };
    mixed().build().expect("valid").run(&LIMITS, &mut second);
    assert_eq!(first.taken, second.taken);
    let mut digest = RunDigest::default();
    assert!(first.taken.iter().all(|batch| digest.absorb(batch).run == digest.value()));
    assert_eq!((digest.value().to_string().as_str(), digest.steps()), (GOLDEN, 10_000));
    assert_eq!(first.taken.iter().map(Batch::len).collect::<Vec<_>>(), [4_096, 4_096, 1_808]);
}

#[test]
fn a_run_without_a_record_is_the_same_run() {
    let mut recorded = mixed().build().expect("valid");
    let mut fleet = mixed();
    fleet.without_record();
    let mut bare = fleet.build().expect("valid");
    let outcome = recorded.run(&LIMITS, &mut DigestSink::default());
    assert_eq!(outcome, bare.run(&LIMITS, &mut DigestSink::default()));
}

#[test]
fn rules_that_never_fire_do_not_move_the_digest() {
    let limits = Limits { until: Time::from_ns(100_000), ..LIMITS };
    let plain = crate::stage::play_within(mixed(), &limits);
    let mut fleet = mixed();
    fleet.name_rule("never");
    fleet.control("later", Time::from_ns(100_001), to("hub", 1).id(), Control::Crash);
    assert_eq!(crate::stage::play_within(fleet, &limits).digest, plain.digest);
    let mut fleet = mixed();
    fleet.control("in time", Time::from_ns(99_000), to("hub", 1).id(), Control::Crash);
    assert_ne!(crate::stage::play_within(fleet, &limits).digest, plain.digest);
}

#[test]
fn one_byte_of_a_payload_is_another_digest() {
    let run = |byte: u8| {
        let mut fleet = fleet(1);
        actors(&mut fleet, "a", 1, move |_, ctx, cue| {
            if cue == Cue::Start {
                ctx.send(to("a", 1), Talk::Blob(vec![byte; 40]));
            }
        });
        play(fleet)
    };
    assert_eq!(run(1).digest, run(1).digest);
    assert_ne!(run(1).digest, run(2).digest);
}
