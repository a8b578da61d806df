//! Events of a task store, as beads writes them: who changed which task when.
//!
//! A record is a step of its actor, who sends the change to the store. Whoever sets an assignee has decided who gets
//! the task; the store hands it over; the assignee has received it when it first changes the task itself. Which facts
//! follow from which event is in `docs/import.md`.

mod dependencies;
mod event;
mod figures;
mod task;

use std::collections::BTreeMap;
use std::io::BufRead;

use fleetsim_engine::{AgentId, Fact, Sink};

use self::dependencies::Dependencies;
use self::event::{Beads, Change, Event};
use self::figures::Counts;
use self::task::{Offer, Task};
use crate::error::Error;
use crate::lines::Lines;
use crate::options::Options;
use crate::reading::{Edge, Reader, Reading};
use crate::seen::Seen;
use crate::tape::Cause;
use crate::trouble::Trouble;

/// The medium that carries every hand-over, and the agent behind it.
pub(crate) const STORE: &str = "task-store";
/// The seam of every hand-over.
const SEAM: &str = "dispatch";
/// The most tasks that are followed.
const TASKS_MAX: usize = 1_000_000;

/// Reads the events in `input`, and what depends on what in `dependencies` if that is known.
pub(crate) fn read(
    input: &mut dyn BufRead,
    dependencies: Option<&mut dyn BufRead>,
    options: Options,
    sink: &mut dyn Sink,
) -> Result<Reading, Error> {
    let mut reader = Reader::new(options, sink);
    let dependencies =
        dependencies.map(|input| Dependencies::read(input, &mut reader.troubles)).transpose()?;
    let store = reader.cast.thing(STORE);
    let mut import = Importer {
        reader,
        store,
        dependencies,
        tasks: BTreeMap::new(),
        ids: Seen::default(),
        offers: 0,
        counts: Counts::default(),
    };
    let mut lines = Lines::new(input);
    while let Some((line, value)) = lines.next(&mut import.reader.troubles)? {
        if let Some(event) = Event::of(&value, line, &mut import.reader.troubles)? {
            import.event(&event, line)?;
        }
    }
    import.finish()
}

struct Importer<'a> {
    reader: Reader<'a>,
    store: AgentId,
    dependencies: Option<Dependencies>,
    tasks: BTreeMap<String, Task>,
    ids: Seen,
    /// How many offers were made: the number of the last one.
    offers: u64,
    counts: Counts,
}

/// What the store states after a change: that it handed the task over, lost an offer, has tasks ready.
#[derive(Default)]
struct StoreFacts {
    handed_over: Option<(u64, AgentId)>,
    undelivered: Option<(u64, &'static str)>,
    ready: Vec<u64>,
}

impl Importer<'_> {
    fn event(&mut self, event: &Event<'_>, line: u64) -> Result<(), Error> {
        if event.id.as_ref().is_some_and(|id| !self.ids.is_new(id)) {
            return self.reader.troubles.note(Trouble::DuplicateId, line);
        }
        let known = self.tasks.len();
        if !self.tasks.contains_key(event.task) {
            if known >= TASKS_MAX {
                return self.reader.troubles.note(Trouble::PastLimit, line);
            }
            self.tasks.insert(event.task.to_owned(), Task::new(known as u64 + 1));
        }
        let at_ns = self.reader.instant(event.unix_ns, line)?;
        let actor = self.reader.cast.agent(event.actor);
        let assignee = event.assignee().map(|name| self.reader.cast.agent(name));
        let is_ready_at_birth = event.is_creation() && self.is_unblocked(event);
        let task = self.tasks.get_mut(event.task).expect("it was added");
        let taken_up = task.offer.take_if(|offer| offer.receiver == actor);
        let (edge, cause) = match (&taken_up, task.last) {
            (Some(offer), _) => (Edge::Recorded, offer.cause),
            (None, Some(last)) => (Edge::Inferred, last),
            (None, None) if event.is_creation() => (Edge::Begun, Cause::outside::<Beads>(line)),
            (None, None) => (Edge::Orphaned, Cause::outside::<Beads>(line)),
        };
        self.reader.tape.begin(at_ns, actor, cause);
        self.reader.record(edge, line);
        if !task.is_named {
            task.is_named = true;
            self.reader.named(task.number, event.task);
        }
        let tape = &mut self.reader.tape;
        let number = task.number;
        let mut store = StoreFacts::default();
        if event.is_creation() && !task.is_added {
            task.is_added = true;
            tape.fact(&Fact::TaskAdded { task: number });
            store.ready.extend(is_ready_at_birth.then_some(number));
        }
        if let Some(offer) = taken_up {
            self.counts.taken_up += 1;
            tape.fact(&Fact::Received { seam: SEAM, item: number, offer: offer.number, giver: offer.giver });
            tape.fact(&Fact::TaskClaimed { task: number, fence: 0 });
            task.start(actor, tape);
        }
        let mut has_effect = true;
        if event.closes {
            self.counts.closings += 1;
            task.close(actor, tape);
            store.undelivered = task.withdraw("closed before it was taken up");
        } else if assignee.is_none() && event.sets("in_progress") {
            has_effect = task.go_on(actor, tape);
        } else if assignee.is_none() && event.sets("open") {
            store.undelivered = task.withdraw("taken back before it was taken up");
            has_effect = store.undelivered.is_some() | task.release(actor, tape);
        }
        if let Some(receiver) = assignee {
            store.undelivered = task.withdraw("assigned again before it was taken up");
            self.offers += 1;
            let offer = self.offers;
            *self.counts.dispatches.entry(actor).or_default() += 1;
            if task.holder.is_some_and(|holder| holder != receiver) {
                task.release(actor, tape);
            }
            task.dispatches += 1;
            tape.fact(&Fact::Offered { seam: SEAM, item: number, offer, medium: STORE });
            tape.fact(&Fact::Decided { seam: SEAM, item: number, offer, receiver });
            store.handed_over = Some((offer, receiver));
        }
        self.counts.undelivered += u64::from(store.undelivered.is_some());
        if !has_effect {
            *self.counts.without_effect.entry(actor).or_default() += 1;
        }
        task.assign(event, assignee);
        let change = Change { task: number, text: self.reader.privacy.content(&event.text) };
        let cause = self.reader.tape.send(self.store, &event.message(change));
        task.last = Some(cause);
        if event.closes {
            let dependents = self.dependencies.as_mut().map(|all| all.close(event.task)).unwrap_or_default();
            let numbers = dependents.iter().filter_map(|name| self.tasks.get(name));
            store.ready.extend(numbers.filter(|task| task.is_added).map(|task| task.number));
        }
        if store.handed_over.is_some() && !self.is_unblocked(event) {
            self.counts.while_blocked += 1;
        }
        self.store_states(at_ns, event.task, actor, cause, &store);
        Ok(())
    }

    /// The step in which the store handles a change, if anything follows from it.
    fn store_states(&mut self, at_ns: u64, task: &str, giver: AgentId, cause: Cause, facts: &StoreFacts) {
        if facts.handed_over.is_none() && facts.undelivered.is_none() && facts.ready.is_empty() {
            return;
        }
        let task = self.tasks.get_mut(task).expect("it was changed");
        let (number, tape) = (task.number, &mut self.reader.tape);
        tape.begin(at_ns, self.store, cause);
        if let Some((offer, reason)) = facts.undelivered {
            tape.fact(&Fact::Undelivered { seam: SEAM, item: number, offer, reason });
        }
        facts.ready.iter().for_each(|ready| tape.fact(&Fact::TaskReady { task: *ready }));
        if let Some((offer, receiver)) = facts.handed_over {
            tape.fact(&Fact::HandedOver { seam: SEAM, item: number, offer, medium: STORE, receiver });
            let cause = tape.send(receiver, &Beads::Assigned { task: number, by: giver });
            task.offer = Some(Offer { number: offer, giver, receiver, cause });
        }
    }

    /// Whether all that the task depends on was closed; never, if the log does not tell.
    fn is_unblocked(&self, event: &Event<'_>) -> bool {
        self.dependencies.as_ref().is_some_and(|all| all.is_unblocked(event.task, event.unix_ns))
    }
}
