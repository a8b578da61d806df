//! A monitor of one's own: a task finished under a fencing token that is not the newest.

use std::collections::BTreeMap;

use fleetsim::engine::batch::Step;
use fleetsim::monitors::{Class, Evidence, Finding, Moment, Monitor, RunEnd, Severity};
use fleetsim::{AgentId, Fact, engine::Names};

/// Remembers the newest claim of each task, and who finished under an older one.
#[derive(Default)]
pub struct ExpiredLease {
    newest: BTreeMap<u64, (u64, AgentId, Moment)>,
    overruns: Vec<(u64, AgentId, Moment, AgentId, Moment)>,
}

impl Monitor for ExpiredLease {
    fn name(&self) -> &'static str {
        "expired-lease"
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let moment = Moment::of(step);
        for fact in facts {
            match *fact {
                Fact::TaskClaimed { task, fence } => {
                    self.newest.insert(task, (fence, step.target, moment));
                }
                Fact::TaskFinished { task, attempt, .. } => match self.newest.get(&task) {
                    Some((fence, owner, claimed)) if u64::from(attempt) < *fence => {
                        self.overruns.push((task, step.target, moment, *owner, *claimed));
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        let finding = |(task, holder, finished, owner, claimed): &(u64, AgentId, Moment, AgentId, Moment)| {
            let (holder, owner) = (names.of(*holder), names.of(*owner));
            let text = format!("{holder} finished task {task} although {owner} had claimed it since");
            let (class, severity) = (Class::Safety, Severity::High);
            let mut finding = Finding::new(
                "expired-lease",
                class,
                severity,
                self.name(),
                *finished,
                "the task store",
                &text,
            );
            finding.evidence.push(Evidence::new(*claimed, format!("{owner} claimed task {task}")));
            finding
                .evidence
                .push(Evidence::new(*finished, format!("{holder} finished it under the older claim")));
            finding.remedy = Some("let the store check the fencing token (checks-fence = true)".to_owned());
            finding.agents = vec![holder, owner];
            finding
        };
        self.overruns.iter().map(finding).collect()
    }
}
