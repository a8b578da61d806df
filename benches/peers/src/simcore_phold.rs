//! PHOLD in `simcore`: a component for each process, an event for each token.

use std::cell::RefCell;
use std::rc::Rc;

use serde::Serialize;
use simcore::{Event, EventHandler, Simulation, SimulationContext, cast};

#[derive(Clone, Serialize)]
struct Token {
    token: u64,
}

struct Process {
    ctx: SimulationContext,
    processes: u32,
    /// All tokens that it got.
    fold: u64,
}

impl Process {
    fn pass_on(&self) {
        let token = self.ctx.gen_range(0..=u64::MAX);
        // Components are numbered in the order in which they were created.
        let target = ((u128::from(token) * u128::from(self.processes)) >> 64) as u32;
        self.ctx.emit(Token { token }, target, delay(self.ctx.rand()));
    }
}

/// In seconds, from a number of at least 0 and below 1.
#[expect(clippy::disallowed_methods, reason = "a peer draws as its users do")]
fn delay(unit: f64) -> f64 {
    0.1 - 0.9 * (1.0 - unit).ln()
}

impl EventHandler for Process {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Token { token } => {
                self.fold ^= token;
                self.pass_on();
            }
        })
    }
}

/// The simulation with so many processes, each with one token under way.
pub(crate) fn start(processes: u32, seed: u64) -> Simulation {
    let mut simulation = Simulation::new(seed);
    let mut handlers = Vec::new();
    for number in 0..processes {
        let name = format!("process-{number}");
        let ctx = simulation.create_context(&name);
        let process = Rc::new(RefCell::new(Process { ctx, processes, fold: 0 }));
        let id = simulation.add_handler(name, process.clone());
        assert_eq!(id, number, "components are numbered from 0");
        handlers.push(process);
    }
    // Only now is everybody there to whom a token may go.
    for process in &handlers {
        process.borrow().pass_on();
    }
    simulation
}

/// Lets so many events happen.
pub(crate) fn run(simulation: &mut Simulation, events: u64) {
    assert!(simulation.steps(events), "a token is always under way");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_travel_for_a_second_on_average() {
        let mut simulation = start(100, 7);
        run(&mut simulation, 100_000);
        assert!((950.0..1_050.0).contains(&simulation.time()), "{}", simulation.time());
    }
}
