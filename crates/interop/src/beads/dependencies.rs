//! Which task waits for which, as the store's dependency file says it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use crate::clock::parse_instant;
use crate::error::Error;
use crate::lines::Lines;
use crate::record::Record;
use crate::trouble::{Trouble, Troubles};

/// The most dependencies that are followed.
const DEPENDENCIES_MAX: usize = 1_000_000;
/// The type of a dependency that one task waits by.
const BLOCKS: &str = "blocks";

/// The dependencies of tasks on others that block them.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    /// What each task waits for and was not closed yet, with the instant since when.
    open: BTreeMap<String, BTreeMap<String, i64>>,
    /// Who waits for each task.
    waiting: BTreeMap<String, Vec<String>>,
    /// All dependencies, of whatever type.
    pub(super) all: u64,
    /// Those that block.
    pub(super) blocking: u64,
    /// Tasks that are part of a cycle, or between two.
    pub(super) in_cycles: u64,
}

impl Dependencies {
    /// Reads `input`: a JSON object a line with `issue_id`, `depends_on_id` and `type`.
    pub(super) fn read(input: &mut dyn BufRead, troubles: &mut Troubles) -> Result<Dependencies, Error> {
        let mut dependencies = Dependencies::default();
        let mut lines = Lines::new(input);
        while let Some((line, value)) = lines.next(troubles)? {
            let Some(record) = Record::of(&value) else {
                troubles.note(Trouble::NotARecord, line)?;
                continue;
            };
            let (Some(task), Some(on)) = (record.text("issue_id"), record.text("depends_on_id")) else {
                troubles.note(Trouble::MissingField, line)?;
                continue;
            };
            if dependencies.all >= DEPENDENCIES_MAX as u64 {
                troubles.note(Trouble::PastLimit, line)?;
                continue;
            }
            dependencies.all += 1;
            if record.text("type").unwrap_or(BLOCKS) == BLOCKS {
                // One whose time is not told was always there.
                let since = record.text("created_at").and_then(parse_instant).unwrap_or(i64::MIN);
                dependencies.add(task, on, since);
            }
        }
        dependencies.in_cycles = dependencies.count_in_cycles();
        Ok(dependencies)
    }

    fn add(&mut self, task: &str, on: &str, since: i64) {
        if self.open.entry(task.to_owned()).or_default().insert(on.to_owned(), since).is_none() {
            self.blocking += 1;
            self.waiting.entry(on.to_owned()).or_default().push(task.to_owned());
        }
    }

    /// Whether all that `task` waited for before `unix_ns` was closed. A dispatcher that makes a dependency while it
    /// dispatches does not disregard one.
    pub(super) fn is_unblocked(&self, task: &str, unix_ns: Option<i64>) -> bool {
        let before = unix_ns.unwrap_or(i64::MAX);
        self.open.get(task).is_none_or(|open| open.values().all(|since| *since >= before))
    }

    /// Takes note that `task` was closed, and returns those that wait for nothing any more.
    pub(super) fn close(&mut self, task: &str) -> Vec<String> {
        let mut ready = Vec::new();
        for waiting in self.waiting.remove(task).unwrap_or_default() {
            let open = self.open.get_mut(&waiting).expect("who waits has something open");
            if open.remove(task).is_some() && open.is_empty() {
                ready.push(waiting);
            }
        }
        ready
    }

    /// Takes away, again and again, whoever waits for nothing and whoever nobody waits for (Kahn's algorithm from both
    /// ends): what is left is in cycles or on a way from one to another. Linear in the dependencies.
    fn count_in_cycles(&self) -> u64 {
        let edges = || self.open.iter().flat_map(|(task, on)| on.keys().map(move |on| (task, on)));
        let names: BTreeSet<&String> = edges().flat_map(|(task, on)| [task, on]).collect();
        let numbers: BTreeMap<&String, usize> = names.into_iter().zip(0..).collect();
        let count = numbers.len();
        let (mut waits_for, mut is_awaited_by) = (vec![Vec::new(); count], vec![Vec::new(); count]);
        for (task, on) in edges() {
            waits_for[numbers[task]].push(numbers[on]);
            is_awaited_by[numbers[on]].push(numbers[task]);
        }
        let degree = |neighbours: &Vec<Vec<usize>>| neighbours.iter().map(Vec::len).collect::<Vec<usize>>();
        let (mut waits_left, mut awaited_left) = (degree(&waits_for), degree(&is_awaited_by));
        let mut is_gone = vec![false; count];
        let mut leaving: Vec<usize> = (0..count).collect();
        while let Some(task) = leaving.pop() {
            if is_gone[task] || (waits_left[task] > 0 && awaited_left[task] > 0) {
                continue;
            }
            is_gone[task] = true;
            for on in &waits_for[task] {
                awaited_left[*on] -= 1;
            }
            for waiting in &is_awaited_by[task] {
                waits_left[*waiting] -= 1;
            }
            leaving.extend(waits_for[task].iter().chain(&is_awaited_by[task]));
        }
        is_gone.iter().filter(|is_gone| !**is_gone).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(edges: &[(&str, &str)]) -> Dependencies {
        let line = |(task, on): &(&str, &str)| {
            format!("{{\"issue_id\":\"{task}\",\"depends_on_id\":\"{on}\",\"type\":\"blocks\"}}\n")
        };
        let text: String = edges.iter().map(line).collect();
        Dependencies::read(&mut text.as_bytes(), &mut Troubles::new(true)).expect("it is sound")
    }

    #[test]
    fn a_task_is_ready_when_the_last_of_its_blockers_is_closed() {
        let mut all = read(&[("c", "a"), ("c", "b"), ("d", "c"), ("c", "a")]);
        assert_eq!((all.blocking, all.all), (3, 4));
        assert!(all.is_unblocked("a", None) && !all.is_unblocked("c", None));
        assert_eq!(all.close("a"), Vec::<String>::new());
        assert_eq!(all.close("b"), ["c"]);
        assert_eq!(all.close("b"), Vec::<String>::new());
        assert_eq!(all.close("c"), ["d"]);
    }

    #[test]
    fn cycles_are_found_and_their_tails_are_not() {
        for (edges, in_cycles) in [
            (&[("a", "b"), ("b", "c")][..], 0),
            (&[("a", "a")], 1),
            (&[("a", "b"), ("b", "a"), ("c", "a"), ("b", "d")], 2),
            (&[("a", "b"), ("b", "c"), ("c", "a"), ("x", "y"), ("y", "x")], 5),
        ] {
            assert_eq!(read(edges).in_cycles, in_cycles, "{edges:?}");
        }
    }

    #[test]
    fn a_long_chain_takes_no_long_time() {
        let names: Vec<String> = (0..100_000).map(|at| format!("t{at}")).collect();
        let chain: Vec<(&str, &str)> = names.windows(2).map(|pair| (&*pair[0], &*pair[1])).collect();
        assert_eq!(read(&chain).in_cycles, 0);
    }
}
