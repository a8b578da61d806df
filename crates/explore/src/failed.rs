//! A check that failed, as its reader wants to see it.

use core::fmt;
use std::path::PathBuf;

use fleetsim_fault_injection::Plan;
use fleetsim_monitors::Finding;
use fleetsim_trace_replay::text::escape;

use crate::check::Checked;
use crate::place;

/// The smallest failing run that a check found. It displays as a report: what fails, its witness, the fault rules that
/// matter, and the command that replays it.
#[derive(Clone, Debug)]
pub struct Failed {
    pub(crate) check: String,
    pub(crate) property: String,
    pub(crate) seed: u64,
    pub(crate) runs: u64,
    pub(crate) rules_before: usize,
    pub(crate) events: u64,
    pub(crate) plan: Plan,
    pub(crate) finding: Option<Finding>,
    /// The trace, or why there is none.
    pub(crate) saved: Result<PathBuf, String>,
    /// Where two runs of the same case part.
    pub(crate) nondeterminism: Option<String>,
}

impl Failed {
    pub(crate) fn tested_nothing(check: &str, property: &str, checked: &Checked) -> Failed {
        Failed {
            check: check.to_owned(),
            property: property.to_owned(),
            seed: 0,
            runs: checked.runs,
            rules_before: 0,
            events: 0,
            plan: Plan::default(),
            finding: None,
            saved: Err("there is no run to save: it happened in none".to_owned()),
            nondeterminism: None,
        }
    }

    /// The title of the property that fails, or the kind of finding.
    #[must_use]
    pub fn property(&self) -> &str {
        &self.property
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The fault rules without which it does not fail.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What was found; `None` when something that was to happen never did.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        self.finding.as_ref()
    }

    /// The saved trace.
    #[must_use]
    pub fn trace(&self) -> Option<&std::path::Path> {
        self.saved.as_deref().ok()
    }

    /// Where two runs of the same case part: then the agents depend on something besides their inputs.
    #[must_use]
    pub fn nondeterminism(&self) -> Option<&str> {
        self.nondeterminism.as_deref()
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(finding) = &self.finding else {
            return write!(
                f,
                "{}: `{}` did not happen in any of {} runs: the check tests nothing",
                self.check, self.property, self.runs
            );
        };
        writeln!(f, "{}: `{}` fails with seed {} (run {})", self.check, self.property, self.seed, self.runs)?;
        if let Some(parts) = &self.nondeterminism {
            writeln!(
                f,
                "the run is not deterministic: the same seed and faults gave another run. Look for hash maps,"
            )?;
            writeln!(f, "clocks, threads, global state or addresses in the agents.")?;
            parts.lines().try_for_each(|line| writeln!(f, "  {}", escape(line)))?;
        }
        witness(f, finding)?;
        let left = self.plan.rules().count();
        if self.plan.is_empty() {
            writeln!(f, "faults: none is needed ({} events)", self.events)?;
        } else {
            writeln!(f, "faults: {left} of {} rules matter ({} events)", self.rules_before, self.events)?;
            self.plan.to_string().lines().try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        match &self.saved {
            Ok(path) => {
                writeln!(f, "trace: {}", escape(&path.display().to_string()))?;
                write!(f, "again: {}", place::command(path))
            }
            Err(why) => write!(f, "the trace could not be saved: {}", escape(why)),
        }
    }
}

/// The finding and the events that witness it, a line each.
pub(crate) fn witness(f: &mut impl fmt::Write, finding: &Finding) -> fmt::Result {
    writeln!(f, "{}", escape(&finding.summary))?;
    for evidence in &finding.evidence {
        writeln!(f, "  #e{} {} {}", evidence.event, evidence.at, escape(&evidence.text))?;
    }
    Ok(())
}
