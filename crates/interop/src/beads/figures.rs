//! What the log of a task store shows, and what it cannot tell.

use std::collections::BTreeMap;

use fleetsim_engine::AgentId;
use fleetsim_trace_replay::Figure;

use super::event::Beads;
use super::task::Task;
use super::{Dependencies, Importer};
use crate::cast::Cast;
use crate::error::Error;
use crate::options::Kind;
use crate::reading::{Reading, figure};

/// What is counted while the log is read.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) dispatches: BTreeMap<AgentId, u64>,
    pub(super) taken_up: u64,
    pub(super) undelivered: u64,
    pub(super) closings: u64,
    pub(super) while_blocked: u64,
    pub(super) without_effect: BTreeMap<AgentId, u64>,
}

impl Importer<'_> {
    pub(super) fn finish(self) -> Result<Reading, Error> {
        let figures = self.figures();
        let untold = untold(self.dependencies.as_ref());
        self.reader.finish::<Beads>(Kind::Beads, figures, untold)
    }

    fn figures(&self) -> Vec<Figure> {
        let counts = &self.counts;
        let dispatches: u64 = counts.dispatches.values().sum();
        let by_agent = |counts: &BTreeMap<AgentId, u64>| by_name(counts, &self.reader.cast);
        let largest =
            by_agent(&counts.dispatches).into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0)));
        let share = largest.as_ref().map_or(0, |(_, count)| count * 1000 / dispatches.max(1));
        let mut figures = vec![
            figure("dispatches", dispatches, by_agent(&counts.dispatches)),
            figure("largest share of dispatches, in thousandths", share, largest),
            figure("tasks dispatched", self.tasks_with(|task| task.dispatches, 1).len() as u64, []),
            self.tasks_figure("tasks dispatched more than once", |task| task.dispatches),
            figure("dispatches taken up", counts.taken_up, []),
            figure("dispatches void before they were taken up", counts.undelivered, []),
            figure("closings", counts.closings, []),
            figure("tasks closed", self.tasks_with(|task| task.closings, 1).len() as u64, []),
            self.tasks_figure("tasks closed more than once", |task| task.closings),
            self.tasks_figure("tasks closed by several actors", |task| task.closers.len() as u64),
            figure(
                "status set to what it was",
                counts.without_effect.values().sum(),
                by_agent(&counts.without_effect),
            ),
        ];
        if let Some(dependencies) = &self.dependencies {
            figures.push(figure("dependencies that block", dependencies.blocking, []));
            figures.push(figure("tasks in cycles of dependencies", dependencies.in_cycles, []));
            figures.push(figure(
                "dispatches while a dependency was not seen closed",
                counts.while_blocked,
                [],
            ));
        }
        figures
    }

    /// Tasks of which `count` is at least 2, those with most first.
    fn tasks_figure(&self, name: &str, count: impl Fn(&Task) -> u64) -> Figure {
        let tasks = self.tasks_with(count, 2);
        figure(name, tasks.len() as u64, tasks)
    }

    fn tasks_with(&self, count: impl Fn(&Task) -> u64, at_least: u64) -> Vec<(String, u64)> {
        let counted = self.tasks.iter().map(|(id, task)| (id, count(task)));
        let counted = counted.filter(|(_, count)| *count >= at_least);
        counted.map(|(id, count)| (self.reader.privacy.name(id), count)).collect()
    }
}

fn by_name(counts: &BTreeMap<AgentId, u64>, cast: &Cast) -> Vec<(String, u64)> {
    counts.iter().map(|(agent, count)| (cast.shown_name(*agent).to_owned(), *count)).collect()
}

fn untold(dependencies: Option<&Dependencies>) -> Vec<String> {
    let on_waiting = match dependencies {
        None => "no dependency information: deadlock not judged; ablation unavailable",
        Some(_) => {
            "who waits for whom is not recorded: deadlock is judged only as cycles of dependencies; ablation unavailable"
        }
    };
    [
        on_waiting,
        "when an assignee took a task up is not recorded: its first change to the task counts",
        "whether closed work was done is not recorded: false success not judged",
        "neither tokens nor prices are recorded: cost not judged",
        "reads and writes of shared data are not recorded: lost updates not judged",
    ]
    .map(str::to_owned)
    .to_vec()
}
