//! **Stale read**: an operation read an older version than one that had been committed before the operation began, by
//! the true order of versions. A store that answers from its newest version never shows this, however slow the answer
//! is; a cache, a replica, a context window or a store that lost its data does.
//!
//! Told only where the operation's beginning was stated, since otherwise nobody knows how old its question was. It
//! is told of the read, whatever becomes of the operation.

use std::collections::BTreeMap;

use super::history::StaleRead;
use super::telling::Speaker;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::text::{dollars, times};

pub(super) const KIND: &str = "stale-read";

/// The stale reads of one resource.
#[derive(Clone, Debug, Default)]
pub(super) struct StaleReads {
    pub(super) reads: Fold<StaleRead>,
    /// What the readers spent from a stale read to the end of its operation, in billionths of a dollar; known only
    /// of operations that ended.
    pub(super) spent: Option<u64>,
}

impl StaleReads {
    pub(super) fn finding(&self, monitor: &'static str, speaker: &Speaker<'_>) -> Finding {
        let StaleReads { reads, spent } = self;
        let first = reads.first();
        let resource = speaker.resource(first.name);
        let reader = speaker.agent(first.reader);
        let (current, committed) = first.current;
        let more = match reads.count {
            1 => String::new(),
            count => format!("; {resource} was read stale {}", times(count)),
        };
        let cost = spent.filter(|spent| *spent > 0).map_or(String::new(), |spent| {
            format!("; {} was spent on work that rests on it", dollars(spent))
        });
        let text = format!(
            "{reader} read version {}, although version {current} was there before it began{more}{cost}",
            first.version
        );
        let told = |read: &StaleRead| {
            let reader = speaker.agent(read.reader);
            Evidence::new(read.at, format!("{reader} read version {} of {resource}", read.version))
        };
        let signal = Evidence::new(committed, format!("version {current} of {resource} was committed"));
        let agents = reads.agents(speaker.names);
        let mut evidence = vec![signal.clone()];
        evidence.extend(reads.kept.iter().map(told));
        Finding {
            count: reads.count,
            numbers: Numbers(vec![
                ("stale_reads", reads.count),
                ("version_read", first.version),
                ("version_committed", current),
            ]),
            about: BTreeMap::from([
                ("resource", vec![speaker.full_name(first.name).to_owned()]),
                ("agent", agents.clone()),
            ]),
            agents,
            evidence,
            lead_time_ns: Some(first.at.at.since(committed.at)),
            earliest_signal: Some(signal),
            saved_nano_dollars: *spent,
            remedy: Some(
                "let the reader ask for at least the version it knows of, or drop what is cached when it changes"
                    .to_owned(),
            ),
            ..Finding::new(
                KIND,
                Class::Safety,
                Severity::Medium,
                monitor,
                first.at,
                speaker.full_name(first.name),
                &text,
            )
        }
    }
}
