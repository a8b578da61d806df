//! PHOLD in `nexosim`: a model for each process, and one shared scheduler that delivers tokens to their input ports.
//!
//! Its output ports cannot delay a message, and a port for each pair of processes is out of the question, so every
//! model schedules its token itself, at the event source of the model that gets it. One thread: with more, each
//! event wakes the others for nothing, as parallel work exists only among events at the same instant.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fleetsim_benches::floor::{delay_ns, splitmix};
use nexosim::model::{BuildContext, Context, Model, ProtoModel};
use nexosim::ports::EventSource;
use nexosim::simulation::{EventId, Mailbox, Scheduler, SimInit, Simulation};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};

/// How tokens reach processes; known when all are there.
struct Wiring {
    scheduler: Scheduler,
    inputs: Vec<EventId<u64>>,
}

type Shared = Arc<OnceLock<Wiring>>;

#[derive(Serialize, Deserialize)]
struct Process {
    random: u64,
    /// All tokens that it got.
    fold: u64,
}

#[Model(type Env = Shared)]
impl Process {
    fn token(&mut self, token: u64, _cx: &Context<Self>, wiring: &mut Shared) {
        self.fold ^= token;
        self.pass_on(wiring.get().expect("the wiring is there before the first token"));
    }

    fn pass_on(&mut self, wiring: &Wiring) {
        let token = splitmix(&mut self.random);
        let target = ((u128::from(token) * wiring.inputs.len() as u128) >> 64) as usize;
        let delay = Duration::from_nanos(delay_ns(splitmix(&mut self.random)));
        let scheduled = wiring.scheduler.schedule_event(delay, &wiring.inputs[target], token);
        scheduled.expect("a delay is above zero");
    }
}

/// A process before it is put in its place.
struct Prototype {
    process: Process,
    wiring: Shared,
}

impl ProtoModel for Prototype {
    type Model = Process;

    fn build(self, _cx: &mut BuildContext<'_, Self>) -> (Process, Shared) {
        (self.process, self.wiring)
    }
}

/// The simulation with so many processes, each with one token under way.
pub(crate) fn start(processes: u32, seed: u64) -> Simulation {
    let wiring = Shared::default();
    let mut assembly = SimInit::with_num_threads(1);
    let mut inputs = Vec::new();
    for number in 0..processes {
        let mailbox = Mailbox::new();
        inputs.push(EventSource::new().connect(Process::token, &mailbox).register(&mut assembly));
        let process = Process { random: seed ^ u64::from(number) << 32, fold: 0 };
        let prototype = Prototype { process, wiring: Arc::clone(&wiring) };
        assembly = assembly.add_model(prototype, mailbox, &format!("process-{number}"));
    }
    let simulation = assembly.init(MonotonicTime::EPOCH).expect("a valid assembly");
    let mut first = Process { random: seed, fold: 0 };
    let wired = Wiring { scheduler: simulation.scheduler(), inputs };
    for _ in 0..processes {
        first.pass_on(&wired);
    }
    assert!(wiring.set(wired).is_ok(), "the wiring is set once");
    simulation
}

/// Lets so many instants happen, which are as many events but for the rare ones at the same nanosecond.
pub(crate) fn run(simulation: &mut Simulation, events: u64) {
    for _ in 0..events {
        simulation.step().expect("no model fails");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_travel_for_a_second_on_average() {
        let mut simulation = start(100, 7);
        run(&mut simulation, 100_000);
        let seconds = simulation.time().duration_since(MonotonicTime::EPOCH).as_secs_f64();
        assert!((950.0..1_050.0).contains(&seconds), "{seconds}");
    }
}
