//! What an agent did although its role may not.
//!
//! *Definition.* Either the agent says so itself ([`Fact::Breach`]), or it did one of these without the permission that
//! the scenario would have to give it: took up an item from a seam or read a resource that is not in its role's `read`;
//! offered an item over a seam or wrote a resource that is not in its role's `write`; did an action that belongs to
//! another role. A permission for a medium covers the seams that it carries and the resources that it holds. Roles for
//! which nothing is declared may do everything, except for other roles' actions.
//!
//! *Source.* Least privilege and complete mediation (Saltzer and Schroeder 1975), checked after the fact.
//!
//! *Parameters.* [`MonitorConfig::may`], [`MonitorConfig::seam_media`], [`MonitorConfig::resource_media`],
//! [`MonitorConfig::action_roles`].
//!
//! *Limits.* Only what is stated is seen: a medium that keeps no record keeps this one silent. A write counts as its
//! operation's agent's, known from the operation's beginning or reads; one of unknown origin is not judged. Spawned
//! agents have no role and are not judged.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names};

use crate::config::{May, MonitorConfig};
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::injected;
use crate::interests::{FactKind, Interests};
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::role::Role;
use crate::text::{shown, times};

const KIND: &str = "permission-breach";

/// Finds breaches, folded by role and permission, those that a fault rule ordered apart from the others.
#[derive(Clone, Debug, Default)]
pub struct PermissionBreach {
    may: BTreeMap<Role, May>,
    seam_media: BTreeMap<String, String>,
    resource_media: BTreeMap<String, String>,
    action_roles: BTreeMap<String, Role>,
    /// Who is behind the operations that are open, where anything is declared of that agent's role.
    operations: BTreeMap<u64, AgentId>,
    breaches: BTreeMap<(Role, String, bool), Fold<Breach>>,
}

#[derive(Clone, Copy, Debug)]
struct Breach {
    moment: Moment,
    agent: AgentId,
}

impl PermissionBreach {
    /// A monitor that knows the permissions of `config`.
    #[must_use]
    pub fn new(config: &MonitorConfig) -> PermissionBreach {
        PermissionBreach {
            may: config.may.iter().map(|(role, may)| (Role::named(role), may.clone())).collect(),
            seam_media: config.seam_media.clone(),
            resource_media: config.resource_media.clone(),
            action_roles: config
                .action_roles
                .iter()
                .map(|(action, role)| (action.clone(), Role::named(role)))
                .collect(),
            ..PermissionBreach::default()
        }
    }

    fn breach(&mut self, moment: Moment, agent: AgentId, permission: String, is_injected: bool) {
        let key = (Role::of(agent), permission, is_injected);
        self.breaches.entry(key).or_default().add(Breach { moment, agent }, [agent]);
    }

    /// Whether `agent` needs a permission for `thing`, which `medium` carries or holds, that it does not have.
    fn lacks(
        &self,
        agent: AgentId,
        things: impl Fn(&May) -> &BTreeSet<String>,
        thing: &str,
        medium: &str,
    ) -> bool {
        let may = self.may.get(&Role::of(agent));
        may.is_some_and(|may| {
            !things(may).contains(thing) && (medium.is_empty() || !things(may).contains(medium))
        })
    }

    fn lacked(&mut self, agent: AgentId, fact: &Fact<'_>) -> Option<(AgentId, String)> {
        let medium_of =
            |media: &BTreeMap<String, String>, thing: &str| media.get(thing).cloned().unwrap_or_default();
        match *fact {
            Fact::Breach { permission } => Some((agent, permission.to_owned())),
            Fact::Received { seam, .. } => {
                let medium = medium_of(&self.seam_media, seam);
                self.lacks(agent, |may| &may.read, seam, &medium).then(|| (agent, format!("read {seam}")))
            }
            Fact::Offered { seam, medium, .. } => {
                self.lacks(agent, |may| &may.write, seam, medium).then(|| (agent, format!("write {seam}")))
            }
            Fact::OperationBegin { operation } => {
                self.operate(operation, agent);
                None
            }
            Fact::Read { operation, resource, .. } => {
                self.operate(operation, agent);
                let medium = medium_of(&self.resource_media, resource);
                self.lacks(agent, |may| &may.read, resource, &medium)
                    .then(|| (agent, format!("read {resource}")))
            }
            Fact::Write { operation, resource, .. } => {
                let writer = *self.operations.get(&operation)?;
                let medium = medium_of(&self.resource_media, resource);
                self.lacks(writer, |may| &may.write, resource, &medium)
                    .then(|| (writer, format!("write {resource}")))
            }
            // A write may still come after the others: then its origin is forgotten, and it is not judged.
            Fact::OperationCommit { operation } | Fact::OperationAbort { operation } => {
                self.operations.remove(&operation);
                None
            }
            Fact::Acted { action, .. } => {
                let role = self.action_roles.get(action)?;
                (*role != Role::of(agent) && Role::of(agent) != Role::SPAWNED)
                    .then(|| (agent, format!("do {action}")))
            }
            _ => None,
        }
    }

    fn operate(&mut self, operation: u64, agent: AgentId) {
        if self.may.contains_key(&Role::of(agent)) {
            self.operations.entry(operation).or_insert(agent);
        }
    }
}

impl Monitor for PermissionBreach {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interests(&self) -> Interests {
        let mut interests = Interests::facts(&[FactKind::Breach]);
        if !self.action_roles.is_empty() {
            interests = interests | Interests::facts(&[FactKind::Acted]);
        }
        if !self.may.is_empty() {
            interests = interests
                | Interests::facts(&[
                    FactKind::Received,
                    FactKind::Offered,
                    FactKind::OperationBegin,
                    FactKind::OperationCommit,
                    FactKind::OperationAbort,
                    FactKind::Read,
                    FactKind::Write,
                ]);
        }
        interests
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        for fact in facts {
            if let Some((agent, permission)) = self.lacked(step.target, fact) {
                self.breach(Moment::of(step), agent, permission, injected::is_ordered(facts));
            }
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        self.breaches
            .iter()
            .map(|((role, permission, _), breaches)| finding(*role, permission, breaches, names))
            .collect()
    }
}

fn finding(role: Role, permission: &str, breaches: &Fold<Breach>, names: &Names) -> Finding {
    let first = breaches.first();
    let (agent, lacked) = (shown(&names.of(first.agent)), shown(permission));
    let role_name = role.name(names);
    let more = if breaches.count > 1 {
        format!("; its role did so {}", times(breaches.count))
    } else {
        String::new()
    };
    let evidence = |breach: &Breach| {
        Evidence::new(
            breach.moment,
            format!("{} did what it may not: {lacked}", shown(&names.of(breach.agent))),
        )
    };
    let agents = breaches.agents(names);
    Finding {
        count: breaches.count,
        evidence: breaches.kept.iter().map(evidence).collect(),
        numbers: Numbers(vec![("breaches", breaches.count)]),
        about: BTreeMap::from([
            ("role", vec![role_name.clone()]),
            ("permission", vec![permission.to_owned()]),
            ("agent", agents.clone()),
        ]),
        agents,
        remedy: Some(format!(
            "make what carries or holds it refuse {}, or allow it in `may.{}`",
            shown(&role_name),
            shown(&role_name)
        )),
        ..Finding::new(
            KIND,
            Class::Safety,
            Severity::High,
            KIND,
            first.moment,
            permission,
            &format!("{agent} did it and may not{more}"),
        )
    }
}
