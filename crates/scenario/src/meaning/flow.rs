//! The way of work through the fleet: where it enters, over which seams it goes, what it does in the end.

use std::collections::{BTreeMap, BTreeSet};

use super::Judge;
use crate::mistake::Code;
use crate::path::Path;
use crate::vocabulary::{ChosenBy, Medium, MediumKind, Seam, Work};

/// Seams followed in all, over all kinds of work, before the search for a way is given up.
const SEARCH_MAX: usize = 10_000_000;

impl Judge<'_> {
    pub(super) fn works(&mut self) {
        let document = self.document;
        let small_enough = document.work.len().saturating_mul(document.seam.len()) <= SEARCH_MAX;
        let mut to_roles: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (_, seam) in document.seam.iter() {
            to_roles.entry(seam.from.as_str()).or_default().push(seam.to.as_str());
        }
        for (name, work) in document.work.iter() {
            let path = Path::top().key("work").key(name);
            self.arrives(name, work, &path);
            self.touches(work, &path);
            let known = self.enters(work, &path) & self.done_at(work, &path);
            if known && self.whole && small_enough && !self.can_be_done(work, &to_roles) {
                let message = format!(
                    "no way leads from `{}` to `{}`, so no item is ever done",
                    work.enters, work.done_at
                );
                let help = "follow the seams: what one role receives, it has to give to the next";
                self.wrong_with_help(Code::Conflict, &path.key("done-at"), message, help);
            }
        }
    }

    fn arrives(&mut self, name: &str, work: &Work, path: &Path) {
        let arrives_path = path.key("arrives");
        let arrives = &work.arrives;
        if arrives.then.is_some() && arrives.at_once.is_none() {
            let message = "`then` goes with `at-once`";
            self.wrong_key(Code::Conflict, &arrives_path.key("then"), message, None);
        }
        if work.count.is_some_and(|count| count.get() == 0) {
            let message = format!("`work.{name}` has no items");
            self.wrong(Code::EmptyFleet, &path.key("count"), message);
        }
        if let (Some(count), Some(at_once)) = (work.count, arrives.at_once)
            && at_once > count
        {
            let message = format!("{at_once} items at once, but only {count} in all");
            self.wrong(Code::OutOfRange, &arrives_path.key("at-once"), message);
        }
        if let Some(from) = &arrives.from
            && let Some(message) = not_inside(from)
        {
            let help = "data files lie in the scenario's own folder: \"data/arrivals.csv\"";
            self.wrong_with_help(Code::BadValue, &arrives_path.key("from"), message, help);
        }
    }

    fn touches(&mut self, work: &Work, path: &Path) {
        let Some(touches) = &work.touches else { return };
        let path = path.key("touches");
        if touches.files > touches.out_of {
            let message = format!("{} files out of {}", touches.files, touches.out_of);
            self.wrong(Code::OutOfRange, &path.key("files"), message);
        }
        if touches.out_of.get() == 0 {
            self.wrong(Code::OutOfRange, &path.key("out-of"), "there is at least 1 file");
        }
    }

    /// Whether the seam through which work enters is there.
    fn enters(&mut self, work: &Work, path: &Path) -> bool {
        let path = path.key("enters");
        let Some(seam) = self.known("seam", &self.document.seam, &work.enters, &path) else {
            return false;
        };
        if seam.from != "outside" {
            let message =
                format!("work enters from outside, but `{}` comes from `{}`", work.enters, seam.from);
            let help = format!("name a seam with from = \"outside\", or change `seam.{}.from`", work.enters);
            self.wrong_with_help(Code::Conflict, &path, message, help);
            return false;
        }
        true
    }

    /// Whether the action, role or seam at which work is done is there.
    fn done_at(&mut self, work: &Work, path: &Path) -> bool {
        let document = self.document;
        let name = work.done_at.as_str();
        let known =
            document.action.contains(name) || document.role.contains(name) || document.seam.contains(name);
        if !known {
            let names = document.action.names().chain(document.role.names());
            let names = names.chain(document.seam.names());
            self.unknown("action, role or seam", name, names, &path.key("done-at"));
        }
        known
    }

    /// Whether an item can get from where it enters to where it is done.
    fn can_be_done(&self, work: &Work, to_roles: &BTreeMap<&str, Vec<&str>>) -> bool {
        let document = self.document;
        let Some(first) = document.seam.get(&work.enters) else { return true };
        let name = work.done_at.as_str();
        let wanted = if let Some(action) = document.action.get(name) {
            action.by.as_str()
        } else if document.role.contains(name) {
            name
        } else {
            match document.seam.get(name) {
                Some(_) if name == work.enters => return true,
                Some(seam) => seam.from.as_str(),
                None => return true,
            }
        };
        let mut reached: BTreeSet<&str> = BTreeSet::from([first.to.as_str()]);
        let mut next: Vec<&str> = vec![first.to.as_str()];
        while let Some(role) = next.pop() {
            // What the user's own behaviour does with an item is its own affair.
            let own = document.role.get(role).is_none_or(|role| role.behaviour.is_some());
            if role == wanted || own {
                return true;
            }
            for to in to_roles.get(role).into_iter().flatten() {
                if reached.insert(to) {
                    next.push(to);
                }
            }
        }
        false
    }

    pub(super) fn seams(&mut self) {
        let document = self.document;
        for (name, seam) in document.seam.iter() {
            let path = Path::top().key("seam").key(name);
            if seam.from != "outside" {
                self.staffed_role(&seam.from, &path.key("from"));
            }
            if seam.to == "outside" {
                let message = "a seam leads to a role";
                let help = "work leaves the fleet where `done-at` of its `[work]` says";
                self.wrong_with_help(Code::Conflict, &path.key("to"), message, help);
            } else {
                self.staffed_role(&seam.to, &path.key("to"));
            }
            if let Some(medium) = self.known("medium", &document.medium, &seam.via, &path.key("via")) {
                self.carries(seam, medium, &path);
            }
            if let ChosenBy::Role(role) = &seam.chosen_by {
                if document.role.contains(role) {
                    self.staffed_role(role, &path.key("chosen-by"));
                } else {
                    let names = document.role.names().chain(["sender", "nobody"]);
                    self.unknown("role", role, names, &path.key("chosen-by"));
                }
            }
        }
    }

    /// Whether the medium can carry a seam whose receiver is chosen like this. A pair that cannot would leave every
    /// item lying there for ever.
    fn carries(&mut self, seam: &Seam, medium: &Medium, path: &Path) {
        let via = &seam.via;
        let (field, message, help) = match (medium.kind, &medium.read_by, &seam.chosen_by) {
            (MediumKind::ArtifactStore, _, _) => (
                "via",
                format!("`{via}` keeps documents and carries no hand-overs"),
                "carry them through a queue, a task-store, a shared-memory or an inbox".to_owned(),
            ),
            (MediumKind::TaskStore, _, ChosenBy::Sender | ChosenBy::Role(_)) => (
                "chosen-by",
                format!("workers claim what lies in the task store `{via}`"),
                "write chosen-by = \"nobody\"".to_owned(),
            ),
            (MediumKind::Queue, Some(reader), ChosenBy::Role(chooser)) if reader == chooser => return,
            (MediumKind::Queue, Some(reader), _) => (
                "chosen-by",
                format!("`{reader}` reads everything that comes through `{via}`, so it chooses"),
                format!("write chosen-by = \"{reader}\", or leave `read-by` out of `medium.{via}`"),
            ),
            (MediumKind::Queue, None, ChosenBy::Role(chooser)) => (
                "chosen-by",
                format!("`{chooser}` does not read `{via}`, so it cannot choose"),
                format!("add read-by = \"{chooser}\" to `medium.{via}`"),
            ),
            _ => return,
        };
        self.wrong_with_help(Code::Conflict, &path.key(field), message, help);
    }

    pub(super) fn actions(&mut self) {
        let document = self.document;
        for (name, action) in document.action.iter() {
            let path = Path::top().key("action").key(name);
            self.staffed_role(&action.by, &path.key("by"));
            let Some(gate) = action.gate_role() else { continue };
            let path = path.key("gate");
            match document.role.get(gate) {
                Some(role) if role.human.is_some() => self.staffed_role(gate, &path),
                Some(_) => {
                    let message = format!("a gate is a person, and `{gate}` is none");
                    let help = "name a role with `human`, or \"none\"";
                    self.wrong_with_help(Code::Conflict, &path, message, help);
                }
                None => {
                    let people = document.role.iter().filter(|(_, role)| role.human.is_some());
                    let names = people.map(|(name, _)| name).chain(["none"]);
                    self.unknown("role", gate, names, &path);
                }
            }
        }
    }
}

/// Why a path leads out of the folder it is meant to stay in, on any system.
fn not_inside(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        Some("the path is empty")
    } else if path.starts_with('/') || path.contains('\\') || path.contains(':') {
        Some("the path is not relative, with `/` between its parts")
    } else if path.split('/').any(|part| part == "..") {
        Some("the path leads out of the scenario's folder")
    } else if path.chars().any(char::is_control) {
        Some("the path contains a control character")
    } else {
        None
    }
}
