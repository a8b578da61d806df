//! The builder of a check, and the search for a failing run.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use fleetsim_engine::batch::Step;
use fleetsim_engine::{DigestSink, Error, Fact, Fleet, Limits, Time};
use fleetsim_fault_injection::{Heal, Plan, Tolerance, World, swarm};
use fleetsim_monitors::{Key, Monitor, Property};

use crate::case::{Subject, Tap};
use crate::failed::Failed;
use crate::place;
use crate::reduce::reduce;
use crate::replay;

/// A property test: a fleet, the seeds and faults under which it runs, and what must hold.
///
/// Properties are closures over the facts that agents state, as in [`Property`]. A handler that panics fails the check
/// as well.
pub struct Check<'a> {
    subject: Subject<'a>,
    seeds: Range<u64>,
    faults: Faults,
    folder: Option<PathBuf>,
}

/// Where the faults of a run come from.
enum Faults {
    Plan(Plan),
    Swarm { tolerance: Box<Tolerance>, heals_at: Time, base: Plan },
}

/// What a check that holds has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Runs.
    pub runs: u64,
    /// Events of all runs.
    pub events: u64,
    /// How often each kind of fault was injected in all runs. Fault sites count under their own names.
    pub injected: BTreeMap<String, u64>,
}

impl<'a> Check<'a> {
    /// A check called `name` of the fleet that `build` describes. It runs a hundred seeds without faults until nothing
    /// is left to happen, unless it is told otherwise.
    ///
    /// `name` goes into the names of files.
    #[must_use]
    pub fn new(name: &str, build: impl Fn(&mut Fleet) -> Result<(), Error> + 'a) -> Check<'a> {
        Check {
            subject: Subject {
                name: name.to_owned(),
                build: Box::new(build),
                limits: Limits { until: Time::MAX, events_max: 10_000_000 },
                properties: Vec::new(),
                sometimes: Vec::new(),
                monitors: Vec::new(),
                forbidden: vec!["panicked-agent"],
            },
            seeds: 0..100,
            faults: Faults::Plan(Plan::default()),
            folder: None,
        }
    }

    /// Runs these seeds.
    #[must_use]
    pub fn seeds(mut self, seeds: Range<u64>) -> Self {
        self.seeds = seeds;
        self
    }

    /// Ends every run at this time, in nanoseconds from its start.
    #[must_use]
    pub fn until(mut self, end_ns: u64) -> Self {
        self.subject.limits.until = Time::from_ns(end_ns);
        self
    }

    /// Ends a run after so many events; by default ten millions, so that an endless fleet ends too. A run that is cut
    /// short so is not judged by what it did not reach.
    #[must_use]
    pub fn events_max(mut self, events: u64) -> Self {
        self.subject.limits.events_max = events;
        self
    }

    /// Injects the faults of this plan in every run.
    #[must_use]
    pub fn faults(mut self, plan: Plan) -> Self {
        match &mut self.faults {
            Faults::Plan(own) | Faults::Swarm { base: own, .. } => *own = plan,
        }
        self
    }

    /// From every seed draws another plan within what the protocol bears, beside the faults of [`faults`](Self::faults).
    /// Everything heals at `heals_at_ns`, in nanoseconds from the start; give the fleet time to converge until the end
    /// of the run.
    #[must_use]
    pub fn swarm(mut self, tolerance: Tolerance, heals_at_ns: u64) -> Self {
        let (Faults::Plan(base) | Faults::Swarm { base, .. }) = self.faults;
        let (tolerance, heals_at) = (Box::new(tolerance), Time::from_ns(heals_at_ns));
        self.faults = Faults::Swarm { tolerance, heals_at, base };
        self
    }

    /// Adds a property.
    #[must_use]
    pub fn property(mut self, property: Property) -> Self {
        self.subject.properties.push(property);
        self
    }

    /// `holds` is true of every fact.
    #[must_use]
    pub fn always(
        self,
        name: &str,
        holds: impl FnMut(&Fact<'_>, &Step<'_>) -> bool + Clone + Send + Sync + 'static,
    ) -> Self {
        self.property(Property::always(name, holds))
    }

    /// `happens` is true of at least one fact of at least one run: otherwise the check tests nothing.
    #[must_use]
    pub fn sometimes(
        mut self,
        name: &str,
        happens: impl FnMut(&Fact<'_>, &Step<'_>) -> bool + Clone + Send + Sync + 'static,
    ) -> Self {
        self.subject.sometimes.push(name.to_owned());
        self.property(Property::sometimes(name, happens))
    }

    /// Whatever `trigger` names, `answer` names at most `within_ns` nanoseconds later.
    #[must_use]
    pub fn eventually_within<K: Into<Key>, L: Into<Key>>(
        self,
        name: &str,
        within_ns: u64,
        trigger: impl FnMut(&Fact<'_>, &Step<'_>) -> Option<K> + Clone + Send + Sync + 'static,
        answer: impl FnMut(&Fact<'_>, &Step<'_>) -> Option<L> + Clone + Send + Sync + 'static,
    ) -> Self {
        self.property(Property::eventually_within(name, within_ns, trigger, answer))
    }

    /// What `after` has named, `forbidden` does not name later.
    #[must_use]
    pub fn never_after<K: Into<Key>, L: Into<Key>>(
        self,
        name: &str,
        after: impl FnMut(&Fact<'_>, &Step<'_>) -> Option<K> + Clone + Send + Sync + 'static,
        forbidden: impl FnMut(&Fact<'_>, &Step<'_>) -> Option<L> + Clone + Send + Sync + 'static,
    ) -> Self {
        self.property(Property::never_after(name, after, forbidden))
    }

    /// Judges every run by a monitor as well: whatever it finds is a failure.
    #[must_use]
    pub fn monitor(mut self, make: impl Fn() -> Box<dyn Monitor> + 'a) -> Self {
        self.subject.monitors.push(Box::new(make));
        self
    }

    /// No run may have a finding of this kind, such as `lost-update`, by a built-in monitor.
    ///
    /// # Panics
    /// When there is no such kind.
    #[must_use]
    pub fn forbids(mut self, kind: &'static str) -> Self {
        let known = fleetsim_monitors::KINDS.iter().any(|(known, _)| *known == kind);
        assert!(known, "there is no kind of finding `{kind}`");
        self.subject.forbidden.push(kind);
        self
    }

    /// Saves traces of failing runs in this folder instead of `fleetsim` in the folder of what was built.
    #[must_use]
    pub fn save_in(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().to_owned());
        self
    }

    /// Runs the check as a test, or, when `FLEETSIM_REPLAY` names a trace of it, replays that one run.
    ///
    /// # Panics
    /// When it fails, with a report; or when a replay is not the run that was recorded.
    pub fn run(self) -> Checked {
        if let Some(path) = place::trace_to_replay()
            && let Some(replayed) = replay::replay(&self.subject, &path)
        {
            match replayed {
                Ok(held) => {
                    println!("{held}");
                    return Checked { runs: 1, ..Checked::default() };
                }
                Err(report) => panic!("{report}"),
            }
        }
        self.search().unwrap_or_else(|failed| panic!("{failed}"))
    }

    /// Searches for a failing run, and makes the first that it finds as small as it can.
    ///
    /// # Errors
    /// The failing run.
    ///
    /// # Panics
    /// When the fleet or a plan is not valid.
    pub fn search(self) -> Result<Checked, Box<Failed>> {
        let Check { subject, seeds, faults, folder } = self;
        let mut checked = Checked::default();
        let mut missed: Option<Vec<String>> = None;
        for seed in seeds.clone() {
            let plan = faults.plan(seed, &subject);
            let case = subject.run(seed, &plan, &mut Tap::Digest(DigestSink::default()));
            checked.runs += 1;
            checked.events += case.events;
            if let Some((what, _)) = &case.failure {
                let folder = folder.unwrap_or_else(place::folder_for_traces);
                return Err(Box::new(reduce(&subject, seed, plan, what, &case, &checked, &folder)));
            }
            for (fault, count) in case.injected {
                *checked.injected.entry(fault).or_default() += count;
            }
            let still = missed.get_or_insert_with(|| subject.sometimes.clone());
            still.retain(|title| case.missed.contains(title));
        }
        match missed.unwrap_or_else(|| subject.sometimes.clone()).first() {
            Some(title) => Err(Box::new(Failed::tested_nothing(&subject.name, title, &checked))),
            None => Ok(checked),
        }
    }
}

impl Faults {
    fn plan(&self, seed: u64, subject: &Subject<'_>) -> Plan {
        let (tolerance, heals_at, base) = match self {
            Faults::Plan(plan) => return plan.clone(),
            Faults::Swarm { tolerance, heals_at, base } => (tolerance, *heals_at, base),
        };
        let roles = subject.fleet(seed, &Plan::default());
        let roles = roles.groups().map(|(name, count)| (name.to_owned(), count)).collect();
        let converges_within_ns = subject.limits.until.since(heals_at);
        let mut plan = swarm(seed, tolerance, &World { roles, heals_at, converges_within_ns });
        let heal =
            plan.healing().cloned().or(Some(Heal { at: heals_at, core: Vec::new(), converges_within_ns }));
        plan.extend(base.clone())
            .unwrap_or_else(|error| panic!("{}: a swarm makes a rule of that name: {error}", subject.name));
        plan.heal(heal);
        plan
    }
}
