//! Faults, healing and tolerances: names that must exist, times that must fit, plans that must make sense.

use std::collections::BTreeSet;

use fleetsim_engine::{Fact, FactKinds};

use super::{Judge, sites};
use crate::build;
use crate::either::Either;
use crate::faults::parties::{WHOEVER, group_names, group_size, is_agent, party};
use crate::faults::{self, timing};
use crate::mistake::Code;
use crate::path::Path;
use crate::source::shown_short;
use crate::vocabulary::{Fault, FaultKind, MessageWords, Stated, WhomWords};

/// Names go into the record whenever a rule acts.
const NAME_BYTES_MAX: usize = 200;

impl Judge<'_> {
    pub(super) fn faults(&mut self) {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for (position, fault) in self.document.fault.iter().enumerate() {
            let path = Path::top().key("fault").index(position);
            if fault.name.trim().is_empty() {
                self.wrong(Code::BadName, &path.key("name"), "a fault needs a name");
            } else if fault.name == "heal" || fault.name.len() > NAME_BYTES_MAX {
                let message = format!("a fault cannot be called `{}`", shown_short(&fault.name));
                let help = "\"heal\" is what healing is called, and a name has at most 200 bytes";
                self.wrong_with_help(Code::BadName, &path.key("name"), message, help);
            } else if !names.insert(&fault.name) {
                let message = format!("a second fault called `{}`", shown_short(&fault.name));
                self.wrong(Code::BadName, &path.key("name"), message);
            }
            self.fault(fault, &path);
        }
        self.heal();
        self.tolerates();
        self.plan();
    }

    /// What the plan itself refuses, unless something is already said about that fault.
    fn plan(&mut self) {
        let (_, refused) = faults::plan(self.document);
        for (position, error) in refused {
            let path = Path::top().key("fault").index(position);
            if self.found.iter().any(|found| found.path.starts_with(&path)) {
                continue;
            }
            let word = self.document.fault[position].kind().map_or("name", FaultKind::word);
            self.wrong(Code::OutOfRange, &path.key(word), error.message());
        }
    }

    fn fault(&mut self, fault: &Fault, path: &Path) {
        let Some(kind) = fault.kind() else { return };
        let of_kind = path.key(kind.word());
        if let Some(words) = kind.messages() {
            self.messages(words, &of_kind);
        }
        if let Some(words) = kind.whom() {
            self.whom(words, fault.when.is_some(), &of_kind);
        }
        match kind {
            FaultKind::Partition(partition) => self.groups(&partition.groups, &of_kind.key("groups")),
            FaultKind::Latency(latency) => {
                let path = of_kind.key("takes");
                self.time(&latency.takes, &path);
                self.link_minimum(&latency.takes, &path);
            }
            FaultKind::Delay(delay) => self.time(&delay.by, &of_kind.key("by")),
            FaultKind::Duplicate(duplicate) => {
                if let Some(after) = &duplicate.after {
                    self.time(after, &of_kind.key("after"));
                }
            }
            FaultKind::Site(site) => {
                sites::judge(self, &site.name, &of_kind.key("name"), false);
                self.strength(&site.strength, &site.time, &of_kind);
                if let Some(name) = &site.within {
                    self.party(name, &of_kind.key("in"));
                }
            }
            FaultKind::Clock(clock) if clock.drift.is_none() && clock.jump.is_none() => {
                let help = "add `drift` or `jump`";
                let message = "the clock neither drifts nor jumps";
                self.wrong_with_help(Code::MissingField, &of_kind, message, help);
            }
            _ => {}
        }
        for (field, stated) in [("when", &fault.when), ("until-stated", &fault.until_stated)] {
            match stated {
                Some(Either::Short(kind)) => self.fact(kind, &path.key(field)),
                Some(Either::Table(stated)) => self.stated(stated, &path.key(field)),
                None => {}
            }
        }
        for mistimed in timing::when(self.document, fault, kind).err().unwrap_or_default() {
            let path = match (mistimed.field, mistimed.in_kind) {
                ("", _) => path.clone(),
                (field, true) => of_kind.key(field),
                (field, false) => path.key(field),
            };
            self.report(mistimed.code, &path, mistimed.message, mistimed.help);
        }
    }

    fn messages(&mut self, words: MessageWords<'_>, path: &Path) {
        for (field, name) in [("from", words.from), ("to", words.to), ("medium", words.medium)] {
            if let Some(name) = name {
                self.party(name, &path.key(field));
            }
        }
        if words.kind.is_some() && words.protocol.is_none() {
            let help = Some("add `protocol`: whose kind it is, such as \"task-store\"".to_owned());
            self.wrong_key(Code::Conflict, &path.key("kind"), "a kind of message needs its `protocol`", help);
        }
    }

    fn whom(&mut self, words: WhomWords<'_>, has_trigger: bool, path: &Path) {
        if let Some(name) = words.agent {
            let path = path.key("agent");
            if name == WHOEVER {
                if !has_trigger {
                    let message = "`whoever` is who stated a fact, and this fault waits for none";
                    self.wrong_with_help(Code::Conflict, &path, message, "add `when`: the kind of fact");
                }
            } else if group_size(self.document, name) != Some(1) {
                self.agent(name, &path);
            }
        }
        for (field, name) in [("role", words.role), ("one-of", words.one_of)] {
            if let Some(name) = name {
                self.group(name, &path.key(field));
            }
        }
    }

    fn groups(&mut self, groups: &[Vec<String>], path: &Path) {
        let names: usize = groups.iter().map(Vec::len).sum();
        if names > faults::GROUPED_MAX {
            let message = format!("the groups have {names} names: at most {} fit", faults::GROUPED_MAX);
            self.wrong_with_help(Code::OutOfRange, path, message, "name roles rather than agents");
            return;
        }
        let mut earlier: Vec<(usize, fleetsim_fault_injection::Party)> = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            let path = path.index(number);
            if group.is_empty() {
                self.wrong(Code::OutOfRange, &path, "every group of a partition has somebody in it");
            }
            for (position, name) in group.iter().enumerate() {
                let path = path.index(position);
                self.party(name, &path);
                let Some(party) = party(self.document, name) else { continue };
                let is_in_both =
                    |(other, known): &(usize, _)| *other != number && faults::parties::meet(&party, known);
                if earlier.iter().any(is_in_both) {
                    let message = format!("`{}` is in two groups of the partition", shown_short(name));
                    self.wrong(Code::Conflict, &path, message);
                }
                earlier.push((number, party));
            }
        }
    }

    /// A role, medium, model or agent.
    fn party(&mut self, name: &str, path: &Path) {
        let document = self.document;
        if party(document, name).is_some() {
            return;
        }
        if document.medium.get(name).is_some_and(|medium| !is_agent(medium.kind)) {
            let message = format!("messages do not pass through medium `{}`", shown_short(name));
            let help = "name the roles that use it";
            self.wrong_with_help(Code::UnknownName, path, message, help);
            return;
        }
        let role = name.rsplit_once('-').filter(|(_, number)| number.parse::<u64>().is_ok());
        match role.filter(|(role, _)| document.role.contains(role)) {
            Some(_) => self.agent(name, path),
            None => {
                let message = format!("no role, medium, model or agent `{}`", shown_short(name));
                self.unknown_as(message, name, group_names(document), path);
            }
        }
    }

    /// A role, medium or model that has agents.
    fn group(&mut self, name: &str, path: &Path) {
        match group_size(self.document, name) {
            None => {
                let message = format!("no role `{}`", shown_short(name));
                self.unknown_as(message, name, group_names(self.document), path);
            }
            Some(0) => {
                let message = format!("role `{}` has no agents", shown_short(name));
                self.wrong(Code::EmptyFleet, path, message);
            }
            Some(_) => {}
        }
    }

    fn stated(&mut self, stated: &Stated, path: &Path) {
        self.fact(&stated.stated, &path.key("stated"));
        if let Some(name) = &stated.by {
            self.party(name, &path.key("by"));
        }
        let document = self.document;
        // What behaviours of the user's own state is theirs to name.
        let is_closed = !document.role.iter().any(|(_, role)| role.behaviour.is_some());
        if let Some(seam) = stated.seam.as_ref().filter(|_| is_closed) {
            self.known("seam", &document.seam, seam, &path.key("seam"));
        }
        if let Some(medium) = stated.medium.as_ref().filter(|_| is_closed) {
            self.known("medium", &document.medium, medium, &path.key("medium"));
        }
        if let Some(action) = stated.action.as_ref().filter(|_| is_closed) {
            self.known("action", &document.action, action, &path.key("action"));
        }
        if let Some(model) = stated.model.as_ref().filter(|_| is_closed) {
            self.known("model", &document.model, model, &path.key("model"));
        }
    }

    fn fact(&mut self, kind: &str, path: &Path) {
        const OWN: &str = "Injected";
        if kind != OWN && FactKinds::named(kind).is_some() {
            return;
        }
        let names = Fact::names();
        let known = names.iter().map(String::as_str).filter(|name| *name != OWN);
        self.unknown("kind of fact", kind, known, path);
    }

    /// How badly something goes wrong at a site, as the table at `path` says.
    fn strength(
        &mut self,
        strength: &Option<crate::CountDistribution>,
        time: &Option<crate::DurationDistribution>,
        path: &Path,
    ) {
        if strength.is_some() && time.is_some() {
            let help = Some("a site is hit with a `strength` or for a `time`".to_owned());
            self.wrong_key(Code::Conflict, &path.key("time"), "`time` does not go with `strength`", help);
        }
        if let Some(strength) = strength {
            let path = path.key("strength");
            self.spread_of_counts(strength, &path);
            self.no_table(strength, &path);
        }
        if let Some(time) = time {
            self.time(time, &path.key("time"));
        }
    }

    /// A time that a fault draws.
    fn time(&mut self, distribution: &crate::DurationDistribution, path: &Path) {
        self.spread(distribution, path);
        self.no_table(distribution, path);
    }

    fn no_table<T>(&mut self, distribution: &crate::Distribution<T>, path: &Path) {
        if let crate::Distribution::Drawn(crate::Shape::Table(_)) = distribution {
            let help = "take one of the other distributions";
            self.wrong_with_help(Code::Conflict, &path.key("table"), "a fault draws from no table", help);
        }
    }

    /// No message is faster than the least that its link takes: what runs in parallel may rely on it.
    fn link_minimum(&mut self, takes: &crate::DurationDistribution, path: &Path) {
        let Some(least_ns) = faults::of_durations(takes).map(|spread| spread.minimum().max(1)) else {
            return;
        };
        let Ok(link) = build::link_minimum_ns(self.document) else { return };
        if least_ns < link {
            let message = format!(
                "messages would take {least_ns} ns at least, less than the {link} ns of `fleet.latency`"
            );
            let help = "a fault makes no message faster than its link can be; lower `fleet.latency`";
            self.wrong_with_help(Code::OutOfRange, path, message, help);
        }
    }

    fn heal(&mut self) {
        let document = self.document;
        let Some(heal) = &document.heal else { return };
        let path = Path::top().key("heal");
        let lasts = document.fleet.lasts;
        if heal.at >= lasts {
            let message = format!("the world heals at {}, when the run is over ({lasts})", heal.at);
            self.wrong(Code::OutOfRange, &path.key("at"), message);
        } else if heal.within.nanoseconds() > lasts.nanoseconds() - heal.at.nanoseconds() {
            let message =
                format!("the run is over ({lasts}) before {} have passed since {}", heal.within, heal.at);
            let help = "make `fleet.lasts` longer, or `within` shorter";
            self.wrong_with_help(Code::OutOfRange, &path.key("within"), message, help);
        }
        for (position, name) in heal.core.iter().enumerate() {
            self.group(name, &path.key("core").index(position));
        }
    }

    fn tolerates(&mut self) {
        let document = self.document;
        let Some(tolerates) = &document.tolerates else { return };
        let path = Path::top().key("tolerates");
        if tolerates.slow.is_some_and(|times| times.billionths() <= 1_000_000_000) {
            let message = "an agent that is slow takes more than \"1\" times as long";
            self.wrong(Code::OutOfRange, &path.key("slow"), message);
        }
        for (position, name) in tolerates.roles.iter().enumerate() {
            self.group(name, &path.key("roles").index(position));
        }
        if let Some(filter) = &tolerates.messages {
            self.messages(filter.messages(), &path.key("messages"));
        }
        for (name, site) in tolerates.sites.iter() {
            let path = path.key("sites").key(name);
            sites::judge(self, name, &path, true);
            if let Either::Table(site) = site {
                self.strength(&site.strength, &site.time, &path);
            }
        }
    }
}
