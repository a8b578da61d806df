//! The agents of a fleet.

use std::sync::Arc;

use fleetsim_agents::seam::{Chooser, Medium, Seam};
use fleetsim_agents::worker::{Edits, ModelPace, Pace, Pull, Role, Worker};
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, AgentId, Fleet, HOUR, MINUTE};

use super::models::share;
use super::{BuildError, actions, media, sampler, work};
use crate::behaviour::{Behaviours, RolePlan};
use crate::vocabulary::{self, Document, Nature};

/// Runs begin at nine in the morning.
const DAY_BEGINS_NS: u64 = 9 * HOUR;

pub(super) fn add(
    fleet: &mut Fleet,
    document: &Document,
    seams: &Arc<[Seam]>,
    behaviours: &Behaviours,
) -> Result<(), BuildError> {
    for (name, role) in document.role.iter() {
        let count = media::saturated(role.count.get());
        if let Some(Nature::Behaviour(behaviour)) = role.nature() {
            behaviours
                .add(behaviour, fleet, &RolePlan::new(name, count, role, document))
                .map_err(|reason| BuildError::because(format!("role.{name}: {reason}")))?;
            continue;
        }
        let plan = Arc::new(worker(document, seams, name, role)?);
        fleet.add(name, count, move |_birth| Worker::new(Arc::clone(&plan)))?;
    }
    Ok(())
}

fn worker(
    document: &Document,
    seams: &Arc<[Seam]>,
    name: &str,
    role: &vocabulary::Role,
) -> Result<Role, BuildError> {
    let end = actions::end_at(document, name);
    let gives = document.seam.iter().enumerate().filter(|(_, (_, seam))| seam.from == name);
    let edits = role.edits.as_ref().map(|edits| Edits {
        artifact: edits.artifact.as_str().into(),
        store: Address::new(AgentId::named(&edits.medium, 1)),
    });
    Ok(Role {
        name: name.into(),
        pace: pace(role)?,
        seams: Arc::clone(seams),
        gives: gives.map(|(number, _)| number as u16).collect(),
        pulls: pulls(document, seams, name),
        wrong: share(role.wrong),
        says_done_falsely: share(role.says_done_falsely),
        catches: share(role.catches),
        rejects: share(role.rejects),
        edits,
        finishes: end.finishes,
        action: end.action,
        tested: end.tested,
        review_rounds: document.guard.review_rounds.map(|rounds| media::saturated(rounds.get())),
        dedupes: document.guard.dedupe_hand_overs,
        outside: work::homes(document),
    })
}

fn pace(role: &vocabulary::Role) -> Result<Pace, BuildError> {
    let counts = |distribution: &Option<crate::distribution::CountDistribution>, default| {
        distribution.as_ref().map_or(Ok(Sampler::constant(default)), sampler::of_counts)
    };
    Ok(match role.nature() {
        Some(Nature::Process(process)) => {
            Pace::Process { each_ns: sampler::of_durations(&process.handles_one_in)? }
        }
        Some(Nature::Human(human)) => Pace::Human {
            hours: human.hours.map(|hours| {
                (u64::from(hours.from_minute()) * MINUTE, u64::from(hours.to_minute()) * MINUTE)
            }),
            answers_in_ns: sampler::of_durations(&human.answers_in)?,
            day_begins_ns: DAY_BEGINS_NS,
        },
        Some(Nature::Model(model)) => Pace::Model(ModelPace {
            model: model.into(),
            provider: Address::new(AgentId::named(model, 1)),
            turns: counts(&role.turns, 1)?,
            tokens_in: counts(&role.input, 0)?,
            tokens_out: counts(&role.output, 0)?,
            context_grows: role.context_grows.map_or(0, |grows| grows.get()),
        }),
        Some(Nature::Behaviour(_)) | None => {
            return Err(BuildError::because("a role needs a model, a process, a human or a behaviour"));
        }
    })
}

/// Where a free worker of a role asks for work: at the media that do not bring it.
fn pulls(document: &Document, seams: &[Seam], role: &str) -> Vec<Pull> {
    let mut pulls: Vec<Pull> = Vec::new();
    for (number, (seam, (_, stated))) in seams.iter().zip(document.seam.iter()).enumerate() {
        // What a chooser relays comes to the receiver's own inbox.
        let relayed = matches!(seam.chooser, Chooser::Agent(_));
        let read = document.medium.get(&stated.via).is_some_and(|medium| medium.read_by.is_some());
        if stated.to != role || relayed || read {
            continue;
        }
        let number = number as u16;
        let known = pulls.iter_mut().find_map(|pull| match (pull, seam.medium) {
            (Pull::Queue { broker, seams }, Medium::Queue(of)) if *broker == of => Some(seams),
            (Pull::Store { store, seams }, Medium::TaskStore(of)) if *store == of => Some(seams),
            _ => None,
        });
        match (known, seam.medium) {
            (Some(seams), _) => seams.push(number),
            (None, Medium::Queue(broker)) => pulls.push(Pull::Queue { broker, seams: vec![number] }),
            (None, Medium::TaskStore(store)) => pulls.push(Pull::Store { store, seams: vec![number] }),
            _ => {}
        }
    }
    pulls
}
