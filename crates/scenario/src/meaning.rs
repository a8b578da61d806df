//! What the words of a scenario mean together: names that must exist, values that must fit each other,
//! a fleet in which something can happen. Every mistake is found at the place where it is written.

mod agents;
mod faults;
mod flow;
mod media;
mod names;
pub(crate) mod properties;
mod sites;
mod spread;
mod trouble;

use crate::grammar::fields_list;
use crate::mistake::{Code, Found, KEPT_MAX};
use crate::named::Named;
use crate::nearest::nearest;
use crate::path::Path;
use crate::source::shown_short;
use crate::tree::Node;
use crate::vocabulary::Document;

/// Every way in which a document that has the right form still makes no sense. A document that is not
/// `whole` has gaps, across which nothing is concluded.
pub(crate) fn judge(document: &Document, tree: &Node, whole: bool) -> Vec<Found> {
    let mut judge = Judge { document, tree, whole, found: Vec::new() };
    judge.names();
    judge.fleet();
    judge.roles();
    judge.models();
    judge.media();
    judge.works();
    judge.seams();
    judge.actions();
    judge.permissions();
    judge.guards();
    judge.faults();
    judge.properties();
    judge.expectations();
    judge.found
}

struct Judge<'a> {
    document: &'a Document,
    tree: &'a Node,
    whole: bool,
    found: Vec<Found>,
}

impl<'a> Judge<'a> {
    /// A mistake in the value at `path`.
    fn wrong(&mut self, code: Code, path: &Path, message: impl Into<String>) {
        self.report(code, path, message.into(), None);
    }

    /// A mistake in the value at `path`, with advice.
    fn wrong_with_help(
        &mut self,
        code: Code,
        path: &Path,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report(code, path, message.into(), Some(help.into()));
    }

    /// A mistake in the key at `path`.
    fn wrong_key(&mut self, code: Code, path: &Path, message: &str, help: Option<String>) {
        if self.found.len() < KEPT_MAX {
            let place = self.tree.locate_key(path);
            self.found.push(Found::new(code, path, place, message).help_if(help));
        }
    }

    fn report(&mut self, code: Code, path: &Path, message: String, help: Option<String>) {
        // Finding a place takes time: nobody reads more mistakes than are kept.
        if self.found.len() < KEPT_MAX {
            let place = self.tree.locate(path);
            self.found.push(Found::new(code, path, place, message).help_if(help));
        }
    }

    /// The `kind` (role, medium, …) called `name`, which is written at `path`.
    fn known<T>(&mut self, kind: &str, things: &'a Named<T>, name: &str, path: &Path) -> Option<&'a T> {
        let thing = things.get(name);
        if thing.is_none() {
            self.unknown(kind, name, things.names(), path);
        }
        thing
    }

    fn unknown<'n>(&mut self, kind: &str, name: &str, known: impl Iterator<Item = &'n str>, path: &Path) {
        let message = format!("no {kind} `{}`", shown_short(name));
        self.unknown_as(message, name, known, path);
    }

    /// Says `message` of the name at `path`, and which name was probably meant.
    fn unknown_as<'n>(
        &mut self,
        message: String,
        name: &str,
        known: impl Iterator<Item = &'n str>,
        path: &Path,
    ) {
        const LISTED_MAX: usize = 12;
        // Comparing names takes time: nobody reads more mistakes than are kept.
        if self.found.len() >= KEPT_MAX {
            return;
        }
        let known: Vec<&str> = known.collect();
        let near = nearest(name, known.iter().copied());
        let listed = || (known.len() <= LISTED_MAX).then(|| known_list(&known)).flatten();
        let help = near.map(|near| format!("did you mean `{near}`?")).or_else(listed);
        self.report(Code::UnknownName, path, message, help);
    }

    /// A role that has to have agents, because `path` needs one.
    fn staffed_role(&mut self, name: &str, path: &Path) {
        let Some(role) = self.known("role", &self.document.role, name, path) else { return };
        if role.count.get() == 0 {
            self.wrong_with_help(
                Code::EmptyFleet,
                path,
                format!("role `{name}` has no agents, but is needed here"),
                format!("give `role.{name}.count` at least 1"),
            );
        }
    }
}

/// What may be named instead, where there is anything.
fn known_list(known: &[&str]) -> Option<String> {
    match known {
        [] => None,
        [only] => Some(format!("there is only `{only}`")),
        several => Some(format!("there are {}", fields_list(several, "and"))),
    }
}
