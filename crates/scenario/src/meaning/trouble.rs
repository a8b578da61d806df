//! Permissions, guards and expectations.

use std::collections::BTreeSet;

use super::Judge;
use crate::mistake::{Code, KEPT_MAX};
use crate::path::Path;
use crate::source::shown_short;
use crate::vocabulary::{Expect, ExpectSeeds};

impl Judge<'_> {
    pub(super) fn permissions(&mut self) {
        let document = self.document;
        let edits = document.role.iter().filter_map(|(_, role)| role.edits.as_ref());
        let artifacts: BTreeSet<&str> = edits.map(|edits| edits.artifact.as_str()).collect();
        for (name, may) in document.may.iter() {
            let path = Path::top().key("may").key(name);
            if !document.role.contains(name) && self.found.len() < KEPT_MAX {
                let names: Vec<&str> = document.role.names().collect();
                let near = crate::nearest::nearest(name, names);
                let help = near.map(|near| format!("did you mean `{near}`?"));
                let message = format!("no role `{}`", shown_short(name));
                self.wrong_key(Code::UnknownName, &path, &message, help);
            }
            for (field, things) in [("read", &may.read), ("write", &may.write)] {
                for (position, thing) in things.iter().enumerate() {
                    let thing = thing.as_str();
                    let known = matches!(thing, "own-branch" | "any-branch")
                        || document.medium.contains(thing)
                        || document.seam.contains(thing)
                        || artifacts.contains(thing);
                    if !known {
                        let names = document.medium.names().chain(document.seam.names());
                        let names = names.chain(artifacts.iter().copied());
                        let names = names.chain(["own-branch", "any-branch"]);
                        let path = path.key(field).index(position);
                        self.unknown("medium, seam or artifact", thing, names, &path);
                    }
                }
            }
        }
    }

    pub(super) fn guards(&mut self) {
        let guard = &self.document.guard;
        for (field, count) in
            [("dead-letter-after", guard.dead_letter_after), ("review-rounds", guard.review_rounds)]
        {
            if count.is_some_and(|count| count.get() == 0) {
                let path = Path::top().key("guard").key(field);
                let help = "leave the guard out to turn it off";
                self.wrong_with_help(Code::OutOfRange, &path, format!("`{field}` is at least 1"), help);
            }
        }
    }

    pub(super) fn expectations(&mut self) {
        for (position, expect) in self.document.expect.iter().enumerate() {
            let path = Path::top().key("expect").index(position);
            self.expectation_fields(expect, &path);
            self.expectation_names(expect, &path);
        }
    }

    fn expectation_fields(&mut self, expect: &Expect, path: &Path) {
        if expect.no_finding.is_some() && expect.seeds == Some(ExpectSeeds::Any) {
            let message = "`no-finding` is always about all seeds";
            self.wrong_with_help(Code::Conflict, &path.key("seeds"), message, "leave `seeds` out");
        }
        if expect.architecture.is_none() {
            if expect.hub.is_some() {
                let message = "`hub` goes with `architecture`";
                self.wrong_key(Code::Conflict, &path.key("hub"), message, None);
            }
            return;
        }
        for (field, present) in [
            ("medium", expect.medium.is_some()),
            ("role", expect.role.is_some()),
            ("action", expect.action.is_some()),
            ("seam", expect.seam.is_some()),
            ("agent", expect.agent.is_some()),
            ("resource", expect.resource.is_some()),
            ("property", expect.property.is_some()),
        ] {
            if present {
                let message = format!("`{field}` goes with `finding` or `no-finding`");
                let help = "an architecture is narrowed by `hub`".to_owned();
                self.wrong_key(Code::Conflict, &path.key(field), &message, Some(help));
            }
        }
    }

    fn expectation_names(&mut self, expect: &Expect, path: &Path) {
        let document = self.document;
        if let Some(medium) = &expect.medium {
            self.known("medium", &document.medium, medium, &path.key("medium"));
        }
        if let Some(role) = &expect.role {
            self.known("role", &document.role, role, &path.key("role"));
        }
        if let Some(action) = &expect.action {
            self.known("action", &document.action, action, &path.key("action"));
        }
        if let Some(seam) = &expect.seam {
            self.known("seam", &document.seam, seam, &path.key("seam"));
        }
        if let Some(property) = &expect.property
            && !document.property.iter().any(|known| known.name == *property)
        {
            let names = document.property.iter().map(|known| known.name.as_str());
            self.unknown("property", property, names, &path.key("property"));
        }
        if let Some(agent) = &expect.agent {
            self.agent(agent, &path.key("agent"));
        }
        if let Some(hub) = &expect.hub
            && !document.role.contains(hub)
            && !document.medium.contains(hub)
        {
            let names = document.role.names().chain(document.medium.names());
            self.unknown("role or medium", hub, names, &path.key("hub"));
        }
    }
}
