//! Reads a log in memory and looks at the steps.

use std::collections::BTreeSet;

use fleetsim_engine::batch::{Batch, EffectKind};
use fleetsim_engine::{AgentId, Fact, Names, Sink};
use fleetsim_interop::{Error, Kind, Options, Reading, read};

/// What a log in memory became.
pub(crate) struct Read {
    pub(crate) reading: Reading,
    pub(crate) batches: Vec<Batch>,
}

#[derive(Default)]
struct Collected(Vec<Batch>);

impl Sink for Collected {
    fn accept(&mut self, batch: &mut Batch) {
        self.0.push(batch.clone());
    }
}

/// Reads a log.
pub(crate) fn try_read(
    kind: Kind,
    log: &[u8],
    second: Option<&[u8]>,
    options: Options,
) -> Result<Read, Error> {
    let mut batches = Collected::default();
    let (mut log, mut second) = (log, second);
    let second = second.as_mut().map(|second| second as &mut dyn std::io::BufRead);
    let reading = read(kind, &mut log, second, options, &mut batches)?;
    Ok(Read { reading, batches: batches.0 })
}

/// Reads a log by default.
pub(crate) fn read_log(kind: Kind, log: &str) -> Read {
    try_read(kind, log.as_bytes(), None, Options::default()).expect("no log is too bad")
}

impl Read {
    /// All facts but those about the records themselves, as `agent: fact`.
    pub(crate) fn facts(&self) -> Vec<String> {
        let names = Names::new(&self.reading.manifest);
        let mut facts = Vec::new();
        for step in self.batches.iter().flatten() {
            for fact in step.facts() {
                if !matches!(fact, Fact::Custom { .. }) {
                    facts.push(format!("{}: {}", names.of(step.target), shown(&fact, &names)));
                }
            }
        }
        facts
    }

    /// Everything that the steps and the header hold, as bytes.
    pub(crate) fn all_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(&self.reading.import).expect("it is plain");
        bytes.extend(serde_json::to_vec(&self.reading.manifest).expect("it is plain"));
        for batch in &self.batches {
            bytes.extend(batch.fact_bytes());
            bytes.extend(batch.payload_bytes().expect("all is recorded"));
        }
        bytes
    }

    pub(crate) fn troubles(&self) -> Vec<(&'static str, u64, u64)> {
        let found = &self.reading.troubles;
        found.iter().map(|(kind, found)| (kind.name(), found.count, found.first_line)).collect()
    }

    pub(crate) fn figure(&self, name: &str) -> u64 {
        let figure = self.reading.import.figures.iter().find(|figure| figure.name == name);
        figure.unwrap_or_else(|| panic!("no figure `{name}`")).count
    }

    /// Checks what holds for every trace: numbered steps in order, strictly later than their causes, all agents named.
    pub(crate) fn check(&self) {
        let names = Names::new(&self.reading.manifest);
        let (mut last, mut ordinal) = (None, 0);
        let mut effects: BTreeSet<(AgentId, u32)> = BTreeSet::new();
        for step in self.batches.iter().flatten() {
            assert_eq!(step.ordinal, ordinal);
            ordinal += 1;
            assert!(last < Some(step.time), "{last:?}, then {}", step.time);
            last = Some(step.time);
            assert!(names.group(step.target).is_some(), "{:?} has no name", step.target);
            let is_caused = step.source == AgentId::WORLD || effects.contains(&(step.source, step.sequence));
            assert!(is_caused, "event {} has no cause", step.ordinal);
            for effect in step.effects.clone() {
                assert!(effect.effect != EffectKind::Fact || effect.fact().is_some(), "a fact is unreadable");
                effects.extend(effect.sequence.map(|sequence| (step.target, sequence)));
            }
        }
        let edges = &self.reading.import.edges;
        assert_eq!(edges.all(), self.reading.import.records);
        assert_eq!(ordinal, self.reading.steps);
    }
}

/// A fact with names for agents.
fn shown(fact: &Fact<'_>, names: &Names) -> String {
    let mut text = format!("{fact:?}");
    while let Some(at) = text.find("agent:") {
        let number = u64::from_str_radix(&text[at + 6..at + 22], 16).expect("16 digits");
        text.replace_range(at..at + 22, &names.of(AgentId::from_u64(number)));
    }
    text
}
