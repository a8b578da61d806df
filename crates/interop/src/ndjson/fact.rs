//! The facts that a line can state, with their fields.

use std::collections::BTreeMap;

use fleetsim_engine::{Fact, Waited};

use crate::reading::Reader;
use crate::record::{Record, Unfit, number_of};

/// Lets the actor of the current step state the fact of `record`, and returns the fact's name; `None` when there is no
/// such fact.
pub(super) fn state(record: Record<'_>, reader: &mut Reader<'_>) -> Result<Option<&'static str>, Unfit> {
    let written = record.text("fact").ok_or(Unfit::Missing)?;
    let Some(name) = KINDS.iter().copied().find(|kind| is_same(kind, written)) else {
        return Ok(None);
    };
    let (fields, privacy, cast) = (Fields(record), reader.privacy, &mut reader.cast);
    let mut agent = |field: &str| record.text(field).map(|name| cast.agent(name)).ok_or(Unfit::Missing);
    // The names live until the fact is written.
    let name_of = |field: &str| record.text(field).map(|name| privacy.name(name));
    let label_of = |field: &str| record.text(field).map(|name| privacy.label(name));
    let (seam, medium, resource) =
        (name_of("seam"), name_of("medium").unwrap_or_default(), name_of("resource"));
    let (gate, join, model) = (label_of("gate"), label_of("join"), label_of("model"));
    let (action, permission, guard) = (label_of("action"), label_of("permission"), label_of("guard"));
    let seam = || seam.as_deref().ok_or(Unfit::Missing);
    let resource = || resource.as_deref().ok_or(Unfit::Missing);
    let (task, item) = (|| fields.number("task"), || fields.number("item"));
    // Where an item is offered once, it is its own offer.
    let offer =
        || if record.0.contains_key("offer") { fields.number("offer") } else { fields.number("item") };
    let operation = || fields.number("operation");
    let attempt = || u32::try_from(fields.count_or("attempt", 1)?).map_err(|_| Unfit::OutOfRange);
    let fact = match name {
        "task-added" => Fact::TaskAdded { task: task()? },
        "task-ready" => Fact::TaskReady { task: task()? },
        "task-claimed" => Fact::TaskClaimed { task: task()?, fence: fields.count_or("fence", 0)? },
        "task-started" => Fact::TaskStarted { task: task()?, attempt: attempt()? },
        "task-finished" => {
            let reported = record.flag("reported").unwrap_or(true);
            let actual = record.flag("actual").unwrap_or(reported);
            Fact::TaskFinished { task: task()?, attempt: attempt()?, reported, actual }
        }
        "task-released" => Fact::TaskReleased { task: task()?, reason: "" },
        "offered" => Fact::Offered { seam: seam()?, item: item()?, offer: offer()?, medium: &medium },
        "decided" => {
            Fact::Decided { seam: seam()?, item: item()?, offer: offer()?, receiver: agent("receiver")? }
        }
        "handed-over" => Fact::HandedOver {
            seam: seam()?,
            item: item()?,
            offer: offer()?,
            medium: &medium,
            receiver: agent("receiver")?,
        },
        "received" => {
            Fact::Received { seam: seam()?, item: item()?, offer: offer()?, giver: agent("giver")? }
        }
        "undelivered" => Fact::Undelivered { seam: seam()?, item: item()?, offer: offer()?, reason: "" },
        "operation-begin" => Fact::OperationBegin { operation: operation()? },
        "operation-commit" => Fact::OperationCommit { operation: operation()? },
        "operation-abort" => Fact::OperationAbort { operation: operation()? },
        "operation-indeterminate" => Fact::OperationIndeterminate { operation: operation()? },
        "read" => {
            Fact::Read { operation: operation()?, resource: resource()?, version: record.count("version")? }
        }
        "write" => Fact::Write {
            operation: operation()?,
            resource: resource()?,
            based_on: record.count("based_on")?,
            version: record.count("version")?,
            fence: fields.count_or("fence", 0)?,
        },
        "wait-on" | "wait-end" => {
            let on = if let Ok(resource) = resource() {
                Waited::Resource(resource)
            } else if let Some(gate) = &gate {
                Waited::Gate(gate)
            } else if let Some(join) = &join {
                Waited::Join(join)
            } else {
                Waited::Agent(agent("agent")?)
            };
            if name == "wait-on" { Fact::WaitOn { on } } else { Fact::WaitEnd { on } }
        }
        "acquired" => Fact::Acquired { resource: resource()?, fence: fields.count_or("fence", 0)? },
        "released" => Fact::Released { resource: resource()?, fence: fields.count_or("fence", 0)? },
        "spent" => Fact::Spent {
            tokens_in: fields.count_or("tokens_in", 0)?,
            cached: fields.count_or("cached", 0)?,
            tokens_out: fields.count_or("tokens_out", 0)?,
            nano_dollars: fields.count_or("nano_dollars", 0)?,
        },
        "acted" => Fact::Acted {
            action: action.as_deref().ok_or(Unfit::Missing)?,
            // What may be undone is no finding, so a log that does not tell raises none.
            reversible: record.flag("reversible").unwrap_or(true),
            gate: gate.as_deref().unwrap_or_default(),
            item: item()?,
        },
        "reviewed" => {
            Fact::Reviewed { item: item()?, approved: record.flag("approved").ok_or(Unfit::Missing)? }
        }
        "checked" => {
            let passed = record.flag("passed").ok_or(Unfit::Missing)?;
            Fact::Checked { item: item()?, passed, actual: record.flag("actual").unwrap_or(passed) }
        }
        "tainted" => Fact::Tainted { item: item()?, origin: agent("origin")? },
        "progress" => Fact::Progress { item: item()? },
        "breach" => Fact::Breach { permission: permission.as_deref().ok_or(Unfit::Missing)? },
        "requested" => Fact::Requested {
            model: model.as_deref().ok_or(Unfit::Missing)?,
            by: agent("by")?,
            admitted: record.flag("admitted").unwrap_or(true),
            first: record.flag("first").unwrap_or(true),
            tokens_in: fields.count_or("tokens_in", 0)?,
            tokens_out: fields.count_or("tokens_out", 0)?,
        },
        "guard-tripped" => Fact::GuardTripped {
            guard: guard.as_deref().ok_or(Unfit::Missing)?,
            item: if record.0.contains_key("item") { item()? } else { 0 },
        },
        _ => unreachable!("every kind of the list is written down here"),
    };
    reader.tape.fact(&fact);
    // Numbers alone say nothing to whoever knows the log, so where something begins it is named.
    let (number, field) = match fact {
        Fact::TaskAdded { task } => (task, "task"),
        Fact::Offered { item, .. } => (item, "item"),
        _ => return Ok(Some(name)),
    };
    if let Some(id) = record.id(field).filter(|id| id.parse() != Ok(number)) {
        reader.named(number, &id);
    }
    Ok(Some(name))
}

/// The facts that can be stated.
const KINDS: [&str; 30] = [
    "task-added",
    "task-ready",
    "task-claimed",
    "task-started",
    "task-finished",
    "task-released",
    "offered",
    "decided",
    "handed-over",
    "received",
    "undelivered",
    "operation-begin",
    "operation-commit",
    "operation-abort",
    "operation-indeterminate",
    "read",
    "write",
    "wait-on",
    "wait-end",
    "acquired",
    "released",
    "spent",
    "acted",
    "reviewed",
    "checked",
    "tainted",
    "progress",
    "breach",
    "requested",
    "guard-tripped",
];

/// Whether `written` is `kind`, whatever its case: `task-added`, `task_added`, `TaskAdded`.
fn is_same(kind: &str, written: &str) -> bool {
    let letters = |text: &str| -> Vec<u8> {
        text.bytes().filter(|byte| !b"-_".contains(byte)).map(|byte| byte.to_ascii_lowercase()).collect()
    };
    letters(kind) == letters(written)
}

/// The numbers of a record.
#[derive(Clone, Copy)]
struct Fields<'a>(Record<'a>);

impl Fields<'_> {
    /// The number of what a field identifies.
    fn number(self, field: &str) -> Result<u64, Unfit> {
        self.0.id(field).map(|id| number_of(&id)).ok_or(Unfit::Missing)
    }

    /// A count, or `default` where there is none.
    fn count_or(self, field: &str, default: u64) -> Result<u64, Unfit> {
        if self.0.0.contains_key(field) { self.0.count(field) } else { Ok(default) }
    }
}

/// What follows from the absence of facts: not that nothing happened, but that nothing can be said.
pub(super) fn untold(stated: &BTreeMap<&'static str, u64>) -> Vec<String> {
    let lacks = |kinds: &[&str]| kinds.iter().all(|kind| !stated.contains_key(kind));
    let checks: [(&[&str], &str); 7] = [
        (&["wait-on"], "no waits are recorded: deadlock and starvation of agents not judged"),
        (&["task-ready"], "no dependency information: when a task was ready is not known"),
        (&["decided", "task-claimed"], "no decisions are recorded: who decides is not known"),
        (&["received"], "no hand-overs are recorded: the architecture is not judged"),
        (&["read", "write"], "reads and writes of shared data are not recorded: lost updates not judged"),
        (&["spent"], "neither tokens nor prices are recorded: cost not judged"),
        (&["acted"], "no actions are recorded: ungated actions not judged"),
    ];
    let mut untold: Vec<String> =
        checks.iter().filter(|(kinds, _)| lacks(kinds)).map(|(_, sentence)| (*sentence).to_owned()).collect();
    untold.push("nobody executed this run: ablation unavailable".to_owned());
    untold
}

#[cfg(test)]
mod tests {
    use fleetsim_engine::schema::Shape;

    use super::*;

    /// The names are those of the engine's facts, so that whoever reads a trace finds what was written in the log.
    #[test]
    fn every_kind_is_a_fact_of_the_engine() {
        let Shape::Enum { variants } = Shape::of::<Fact<'static>>() else { panic!("facts are an enum") };
        for kind in KINDS {
            assert!(variants.iter().any(|(name, _)| is_same(kind, name)), "{kind} is no fact");
        }
    }

    #[test]
    fn facts_are_written_in_any_case() {
        for written in ["task-added", "task_added", "TaskAdded", "taskAdded"] {
            assert!(is_same("task-added", written), "{written}");
        }
        assert!(!is_same("task-added", "task-add"));
    }
}
