//! A real run of the engine: recorded, verified, executed again and compared.

use fleetsim_engine::{
    Address, Agent, AgentId, Context, DigestSink, Fleet, Limits, MILLISECOND, Message, SECOND, Simulation,
};
use fleetsim_trace_replay::inspect::{self, Filter};
use fleetsim_trace_replay::{Closing, Comparison, Header, Level, Recorder, Trace, why};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum Ball {
    Thrown { round: u64 },
}

impl Message for Ball {
    const PROTOCOL: &'static str = "ball";
}

#[derive(Serialize, Deserialize)]
enum Pause {
    Over { round: u64 },
}

/// Throws the ball on after a pause of a random length.
struct Player {
    next: Address<Ball>,
    serves: bool,
    /// The round in which this player cheats.
    cheats_in: u64,
}

impl Agent for Player {
    type Inbox = Ball;
    type Timer = Pause;

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        if self.serves {
            ctx.send(self.next, Ball::Thrown { round: 1 });
        }
    }

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, message: Ball) {
        let Ball::Thrown { round } = message;
        let pause_ns = MILLISECOND + u64::from(round == self.cheats_in);
        ctx.work_for(pause_ns, Pause::Over { round });
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, timer: Pause) {
        let Pause::Over { round } = timer;
        ctx.send(self.next, Ball::Thrown { round: round + 1 });
    }
}

fn ring(cheats_in: u64) -> Simulation {
    let mut fleet = Fleet::new(7);
    let players = 5;
    let added = fleet.add("player", players, move |birth| Player {
        next: Address::new(AgentId::named("player", birth.ordinal % players + 1)),
        serves: birth.ordinal == 1,
        cheats_in,
    });
    added.expect("a group");
    fleet.build().expect("a fleet")
}

const LIMITS: Limits = Limits { until: fleetsim_engine::Time::from_ns(SECOND * 60), events_max: 10_000 };

#[test]
fn a_real_run_is_recorded_verified_and_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut plain = DigestSink::default();
    ring(0).run(&LIMITS, &mut plain);
    for level in [Level::Full, Level::Headers, Level::Digest] {
        let mut simulation = ring(0);
        let header = Header { level, manifest: simulation.manifest().clone(), ..Header::default() };
        let mut recorder = Recorder::create(folder.path().join(level.name()), &header).expect("a file");
        simulation.run(&LIMITS, &mut recorder);
        let finished = recorder.finish(&Closing::default());
        assert_eq!((finished.digest, finished.steps, finished.error), (plain.value(), 10_000, None));
        let trace = Trace::open(finished.path).expect("a trace");
        assert_eq!(trace.verify().digest, Some(plain.value()));

        let mut comparison = Comparison::new(&trace);
        ring(0).run(&LIMITS, &mut comparison);
        let compared = comparison.finish().expect("a sound trace");
        assert_eq!((compared.divergence, compared.same, compared.digest), (None, 10_000, plain.value()));

        let mut comparison = Comparison::new(&trace);
        ring(3000).run(&LIMITS, &mut comparison);
        let divergence = comparison.finish().expect("a sound trace").divergence.expect("somebody cheats");
        if level == Level::Digest {
            assert_eq!((divergence.ordinal, divergence.ordinal_end), (4096, 8192));
        } else {
            assert_eq!(divergence.field, "effect 1 (Work): delay");
            assert!(divergence.right.starts_with("works for 1.000001ms"), "{}", divergence.right);
        }
    }
}

#[test]
fn a_real_run_is_explained() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut simulation = ring(0);
    let header = Header { manifest: simulation.manifest().clone(), ..Header::default() };
    let mut recorder = Recorder::create(folder.path().join("run"), &header).expect("a file");
    simulation.run(&LIMITS, &mut recorder);
    let trace = Trace::open(recorder.finish(&Closing::default()).path).expect("a trace");

    let filter = Filter { kind: Some("Thrown".to_owned()), ..Filter::default() };
    let mut lines = Vec::new();
    inspect::steps(&trace, &filter, |line| lines.push(line.to_owned())).expect("a sound trace");
    assert!(lines[0].contains("player-1 -> player-2 ball.Thrown { round: 1 }"), "{}", lines[0]);
    assert_eq!(lines[1], "    works for 1ms, then timer Over { round: 1 }");

    let second = trace.batch(0).expect("a chunk");
    let throws = second.iter().filter(|step| step.event == fleetsim_engine::batch::Event::Message);
    let ordinal = throws.map(|step| step.ordinal).nth(1).expect("a second throw");
    let tree = why(&trace, ordinal, 9, 0).expect("an event");
    let shown = tree.lines();
    for (line, part) in shown.iter().zip([
        "player-2 -> player-3 ball.Thrown { round: 2 }",
        "player-2 ends its work, then timer Over { round: 1 }",
        "player-1 -> player-2 ball.Thrown { round: 1 }",
        "player-1 starts",
        "the world outside the fleet",
    ]) {
        assert!(line.contains(part), "{part} in {shown:#?}");
    }
    assert_eq!(shown.len(), 5, "{shown:#?}");
}
