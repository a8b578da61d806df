//! The record: steps and effects are what was asked for, and hostile columns are refused.

use fleetsim_engine::batch::{Batch, EffectColumns, EffectKind, StepColumns};
use fleetsim_engine::{AgentId, Fact, Manifest, Names, Sink};

use crate::stage::{Asked, Child, ChildConfig, Cue, Tag, Talk, actors, fleet, play, to};

#[derive(Default)]
struct First(Option<Batch>);

impl Sink for First {
    fn accept(&mut self, batch: &mut Batch) {
        self.0.get_or_insert_with(|| batch.clone());
    }
}

/// A fleet whose one agent asks for everything in one step.
fn greedy() -> fleetsim_engine::Fleet {
    let mut fleet = fleet(1);
    fleet.spawnable::<Child>("child").expect("one kind");
    actors(&mut fleet, "a", 1, |_, ctx, cue| {
        if cue == Cue::Start {
            ctx.send_after(to("a", 1), Talk::Note(258), 9);
            ctx.fact(Fact::Progress { item: 3 });
            let timer = ctx.set_timer(7, Tag::Second);
            ctx.cancel_timer(timer);
            ctx.spawn::<Child>(ChildConfig { parent: ctx.id(), number: 1, born_dead: false });
            ctx.fact(Fact::TaskAdded { task: 4 });
            ctx.work_for(6, Tag::Done);
            ctx.send(to("b", 1), Talk::Quiet);
            ctx.stop_run("x");
            ctx.halt();
        }
    });
    fleet
}

#[test]
fn effects_are_recorded_as_they_were_asked_for() {
    let run = play(greedy());
    let a = to("a", 1).id();
    let asked: Vec<_> = run.rows[0]
        .effects
        .iter()
        .map(|Asked { effect, sequence, object, kind, delay_ns, payload }| {
            (*effect, *sequence, *object, *kind, *delay_ns, payload.len())
        })
        .collect();
    use EffectKind::{CancelTimer, Fact, Halt, Send, SetTimer, Spawn, StopRun, Work};
    let expected = [
        (Send, Some(0), a.as_u64(), 0, 9, 4),
        (Fact, None, 0, 26, 0, 12),
        (SetTimer, Some(1), 0, 1, 7, 0),
        (CancelTimer, None, 1, 0, 7, 0),
        (Spawn, Some(2), AgentId::spawned(a, 0).as_u64(), 0, 0, 13),
        (Fact, None, 0, 0, 0, 12),
        (Work, Some(3), 0, 2, 6, 0),
        (Send, Some(4), to("b", 1).id().as_u64(), 2, 0, 0),
        (StopRun, None, 0, 0, 0, 9),
        (Halt, None, 0, 0, 0, 0),
    ];
    assert_eq!(asked, expected);
    assert_eq!(run.rows[0].effects[0].payload, 258_u32.to_le_bytes());
}

#[test]
fn a_batch_survives_its_columns_and_keeps_its_facts() {
    let mut first = First::default();
    greedy().build().expect("valid").run(&Default::default(), &mut first);
    let batch = first.0.expect("a batch");
    let again = Batch::assemble(
        batch.first_ordinal(),
        batch.step_columns().clone(),
        batch.effect_columns().clone(),
        batch.fact_bytes().to_vec(),
        batch.payload_bytes().map(<[u8]>::to_vec),
    );
    assert_eq!(again.as_ref(), Ok(&batch));
    let facts: Vec<Fact<'_>> = batch.iter().flat_map(|step| step.facts()).collect();
    assert_eq!(facts, [Fact::Progress { item: 3 }, Fact::TaskAdded { task: 4 }]);
    // Without payloads the facts are still there.
    let headers = Batch::assemble(
        0,
        batch.step_columns().clone(),
        batch.effect_columns().clone(),
        batch.fact_bytes().to_vec(),
        None,
    )
    .expect("headers alone are a batch");
    assert_eq!(headers.iter().flat_map(|step| step.facts()).count(), 2);
    let lengths: Vec<Option<u32>> = headers
        .iter()
        .flat_map(|step| step.effects)
        .map(|effect| effect.payload.map(|_| effect.length))
        .collect();
    assert_eq!(lengths.iter().flatten().count(), 2, "only facts have their bytes");
}

fn cut<T>(column: &mut Vec<T>) {
    column.truncate(column.len() - 1);
}

#[test]
fn hostile_columns_are_refused() {
    type Parts = (u64, StepColumns, EffectColumns, Vec<u8>, Option<Vec<u8>>);
    type Damage = fn(&mut Parts);
    let damages: [(&str, Damage); 15] = [
        ("a time is missing", |parts| cut(&mut parts.1.time_ns)),
        ("a target too many", |parts| parts.1.target.push(0)),
        ("a wait is missing", |parts| cut(&mut parts.1.waited_ns)),
        ("a count is missing", |parts| cut(&mut parts.1.effects)),
        ("an effect too many", |parts| parts.1.effects[0] += 1),
        ("as many effects as can be", |parts| parts.1.effects[0] = u32::MAX),
        ("an unknown event", |parts| parts.1.event[0] = 13),
        ("an unknown fate", |parts| parts.1.fate[0] = 10),
        ("an unknown effect", |parts| parts.2.effect[0] = 8),
        ("an object is missing", |parts| cut(&mut parts.2.object)),
        ("a length is missing", |parts| cut(&mut parts.2.length)),
        ("a length too long", |parts| parts.2.length[0] = u32::MAX),
        ("a fact cut short", |parts| cut(&mut parts.3)),
        ("a payload too long", |parts| parts.4.as_mut().expect("whole").push(0)),
        ("ordinals past the end", |parts| parts.0 = u64::MAX),
    ];
    let mut first = First::default();
    greedy().build().expect("valid").run(&Default::default(), &mut first);
    let batch = first.0.expect("a batch");
    for (name, damage) in damages {
        let mut parts: Parts = (
            0,
            batch.step_columns().clone(),
            batch.effect_columns().clone(),
            batch.fact_bytes().to_vec(),
            batch.payload_bytes().map(<[u8]>::to_vec),
        );
        damage(&mut parts);
        assert!(Batch::assemble(parts.0, parts.1, parts.2, parts.3, parts.4).is_err(), "{name}");
    }
}

#[test]
fn names_of_a_hostile_record_do_not_overflow() {
    let mut first = First::default();
    greedy().build().expect("valid").run(&Default::default(), &mut first);
    let batch = first.0.expect("a batch");
    let mut effects = batch.effect_columns().clone();
    effects.delay_ns.fill(u64::MAX);
    let payloads = batch.payload_bytes().map(<[u8]>::to_vec);
    let hostile =
        Batch::assemble(0, batch.step_columns().clone(), effects, batch.fact_bytes().to_vec(), payloads)
            .expect("any delay is a delay");
    Names::new(&Manifest::default()).learn(&hostile);
}
