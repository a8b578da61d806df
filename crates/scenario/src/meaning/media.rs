//! Media: which fields go with which kind.

use super::Judge;
use crate::grammar::one_of_names;
use crate::mistake::Code;
use crate::path::Path;
use crate::vocabulary::{Medium, MediumKind};

use MediumKind::{ArtifactStore, BranchPerAgent, Inbox, MergeQueue, Queue, SharedMemory, TaskStore};

impl Judge<'_> {
    pub(super) fn media(&mut self) {
        let document = self.document;
        for (name, medium) in document.medium.iter() {
            let path = Path::top().key("medium").key(name);
            self.medium_fields(name, medium, &path);
            if let Some(reader) = &medium.read_by {
                self.staffed_role(reader, &path.key("read-by"));
            }
            if let Some(owner) = &medium.of {
                self.staffed_role(owner, &path.key("of"));
            }
            if let Some(tests_take) = &medium.tests_take {
                self.spread(tests_take, &path.key("tests-take"));
            }
            if medium.capacity.is_some_and(|capacity| capacity.get() == 0) {
                let message = "a medium without room carries nothing";
                let help = "leave `capacity` out for room without bound";
                self.wrong_with_help(Code::OutOfRange, &path.key("capacity"), message, help);
            }
        }
    }

    fn medium_fields(&mut self, name: &str, medium: &Medium, path: &Path) {
        let kind = medium.kind;
        for (field, present, kinds) in fields(medium) {
            if present && !kinds.contains(&kind) {
                let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                let message = format!("`{field}` is for kind = {}", one_of_names(&names));
                let help = format!("`medium.{name}` is of kind \"{}\"", kind.as_str());
                self.wrong_key(Code::Conflict, &path.key(field), &message, Some(help));
            }
        }
        let missing = match kind {
            MergeQueue if medium.tests_take.is_none() => ("tests-take", "how long the tests take"),
            BranchPerAgent if medium.clashes.is_none() => {
                ("clashes", "how often two items, each right by itself, are wrong together")
            }
            _ => return,
        };
        let message = format!("`medium.{name}` has no `{}`", missing.0);
        let help = format!("add `{}`: {}", missing.0, missing.1);
        self.wrong_with_help(Code::MissingField, path, message, help);
    }
}

/// Every field but the kind: whether it is present, and the kinds it goes with.
fn fields(medium: &Medium) -> [(&'static str, bool, &'static [MediumKind]); 14] {
    [
        ("delivery", medium.delivery.is_some(), &[Queue]),
        ("redelivers-after", medium.redelivers_after.is_some(), &[Queue]),
        ("capacity", medium.capacity.is_some(), &[Queue]),
        ("read-by", medium.read_by.is_some(), &[Queue]),
        ("order", medium.order.is_some(), &[Queue, MergeQueue]),
        ("versioned", medium.versioned.is_some(), &[SharedMemory]),
        ("of", medium.of.is_some(), &[Inbox]),
        ("read-at", medium.read_at.is_some(), &[Inbox]),
        ("lease", medium.lease.is_some(), &[TaskStore]),
        ("checks-fence", medium.checks_fence.is_some(), &[TaskStore]),
        ("checks-version", medium.checks_version.is_some(), &[ArtifactStore]),
        ("tests-take", medium.tests_take.is_some(), &[MergeQueue]),
        ("catches", medium.catches.is_some(), &[MergeQueue]),
        ("clashes", medium.clashes.is_some(), &[BranchPerAgent]),
    ]
}
