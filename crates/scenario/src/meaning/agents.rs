//! The fleet, its roles and its models.

use super::Judge;
use crate::mistake::Code;
use crate::path::{Path, Step};
use crate::source::shown_short;
use crate::tree::Value;
use crate::vocabulary::{Nature, Role, Work};

/// Agents of one fleet; each takes memory from the first moment on.
const AGENTS_MAX: u64 = 1 << 24;

impl Judge<'_> {
    pub(super) fn fleet(&mut self) {
        let document = self.document;
        let path = Path::top().key("fleet");
        self.spread(&document.fleet.latency, &path.key("latency"));
        for (position, unsure) in document.fleet.unsure.iter().enumerate() {
            self.unsure(unsure, &path.key("unsure").index(position));
        }
        if document.agents() == 0 && self.whole {
            let help = "give at least one role a `count` of 1 or more";
            let role = Path::top().key("role");
            self.wrong_with_help(Code::EmptyFleet, &role, "the fleet has no agents", help);
        } else if document.agents() > AGENTS_MAX {
            let message = format!("a fleet of {} agents: at most {AGENTS_MAX} fit", document.agents());
            self.wrong(Code::OutOfRange, &Path::top().key("role"), message);
        }
        let own_behaviour = document.role.iter().any(|(_, role)| role.behaviour.is_some());
        if document.work.is_empty() && !own_behaviour && document.agents() > 0 {
            let help = "add `[work.NAME]`: what arrives, where it enters, where it is done";
            self.wrong_with_help(Code::EmptyFleet, &Path::top(), "no work comes in", help);
        }
    }

    /// A path to a figure that has to be in the file.
    fn unsure(&mut self, unsure: &str, path: &Path) {
        let mut node = self.tree;
        for segment in unsure.split('.') {
            let by_name = node.child(&Step::Key(segment.to_owned()));
            let by_position = || node.child(&Step::Index(segment.parse().ok()?));
            let Some(child) = by_name.or_else(by_position) else {
                let entries = match &node.value {
                    Value::Table(entries) => entries.as_slice(),
                    _ => &[],
                };
                let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
                let message = format!("`{}` is not in the file", shown_short(unsure));
                self.unknown_as(message, segment, names.into_iter(), path);
                return;
            };
            node = child;
        }
    }

    pub(super) fn roles(&mut self) {
        let document = self.document;
        for (name, role) in document.role.iter() {
            let path = Path::top().key("role").key(name);
            self.role_fields(name, role, &path);
            match role.nature() {
                Some(Nature::Model(model)) => {
                    self.known("model", &document.model, model, &path.key("model"));
                }
                Some(Nature::Process(process)) => {
                    let path = path.key("process").key("handles-one-in");
                    self.spread(&process.handles_one_in, &path);
                }
                Some(Nature::Human(human)) => {
                    self.spread(&human.answers_in, &path.key("human").key("answers-in"));
                }
                Some(Nature::Behaviour(_)) | None => {}
            }
            for (field, distribution) in
                [("turns", &role.turns), ("input", &role.input), ("output", &role.output)]
            {
                if let Some(distribution) = distribution {
                    self.spread_of_counts(distribution, &path.key(field));
                }
            }
            if role.turns.as_ref().and_then(|turns| turns.constant()).is_some_and(|t| t.get() == 0) {
                self.wrong(Code::OutOfRange, &path.key("turns"), "an item takes at least 1 turn");
            }
            if let Some(edits) = &role.edits {
                let path = path.key("edits");
                self.known("medium", &document.medium, &edits.medium, &path.key("in"));
            }
        }
    }

    /// Fields that mean something only for one kind of role.
    fn role_fields(&mut self, name: &str, role: &Role, path: &Path) {
        let with_model = [
            ("turns", role.turns.is_some()),
            ("input", role.input.is_some()),
            ("output", role.output.is_some()),
            ("context-grows", role.context_grows.is_some()),
        ];
        // Recorded arrivals bring their tokens with them.
        let brings_tokens = |work: &Work| work.arrives.from.is_some();
        let all_recorded = self.document.work.iter().all(|(_, work)| brings_tokens(work));
        if role.model.is_none() {
            for (field, _) in with_model.iter().filter(|(_, present)| *present) {
                let message = format!("`{field}` is for a role with a `model`");
                self.wrong_key(Code::Conflict, &path.key(field), &message, None);
            }
        } else if !all_recorded {
            for (field, _) in with_model[1..3].iter().filter(|(_, present)| !present) {
                let message = format!("`role.{name}` works with a model, but has no `{field}`");
                let help = format!("add `{field}`: the tokens of one turn, such as 6000");
                self.wrong_with_help(Code::MissingField, path, message, help);
            }
        }
        if role.params.is_some() && role.behaviour.is_none() {
            let message = "`params` is for a role with a `behaviour`";
            self.wrong_key(Code::Conflict, &path.key("params"), message, None);
        }
    }

    pub(super) fn models(&mut self) {
        for (name, model) in self.document.model.iter() {
            let path = Path::top().key("model").key(name);
            self.spread(&model.first_token, &path.key("first-token"));
            if let Some(hangs) = &model.hangs {
                self.spread(&hangs.lasts, &path.key("hangs").key("for"));
            }
        }
    }

    /// An agent such as `coder-2`, whose role has at least so many.
    pub(super) fn agent(&mut self, agent: &str, path: &Path) {
        if self.document.role.get(agent).is_some_and(|role| role.count.get() == 1) {
            return;
        }
        let numbered = agent.rsplit_once('-').and_then(|(role, number)| {
            let plain = !number.starts_with(['0', '+']);
            Some((role, number.parse::<u64>().ok().filter(|_| plain)?))
        });
        let Some((role, number)) = numbered else {
            let help =
                "agents are called by role and number, such as \"coder-1\", or by role where there is one";
            let message = format!("no agent `{}`", shown_short(agent));
            self.wrong_with_help(Code::UnknownName, path, message, help);
            return;
        };
        let Some(known) = self.known("role", &self.document.role, role, path) else { return };
        let count = known.count.get();
        if number > count {
            let message = format!("no agent `{agent}`: `{role}` has {count}");
            self.wrong(Code::UnknownName, path, message);
        }
    }
}
