//! A fault site that is not hit changes nothing: a fleet that passes all of them has the digest that it had before
//! there were any.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use fleetsim_agents::artifact_store::ArtifactStore;
use fleetsim_agents::broker::{self, Broker};
use fleetsim_agents::gate::Action;
use fleetsim_agents::helper::Helper;
use fleetsim_agents::outside::{Arrivals, Outside, Work};
use fleetsim_agents::provider::{Allowance, Model, Provider};
use fleetsim_agents::seam::{Chooser, Medium, Seam, When};
use fleetsim_agents::shared_memory::SharedMemory;
use fleetsim_agents::task_store::{self, TaskStore};
use fleetsim_agents::worker::{Edits, ModelPace, Pace, Pull, Role};
use fleetsim_agents::{Share, provider, sites};
use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Address, AgentId, DigestSink, Fleet, Hit, Injector, Limits, SiteVisit, Time};

use crate::provider::model;
use crate::support::{fleet, role, seam, workers};

fn share(percent: u64) -> Share {
    Share { numerator: percent, denominator: 100 }
}

fn the(name: &str) -> AgentId {
    AgentId::named(name, 1)
}

/// Twenty items: claimed by writers who share a page, queued for reviewers who send some back, put into shared memory
/// for a publisher who asks a lead.
pub(crate) fn press(seed: u64) -> Fleet {
    let mut fleet = fleet(seed);
    Helper::declare(&mut fleet).expect("a fleet without helpers");
    let limited = Model {
        first_token_ns: Sampler::constant(40),
        per_token_ns: 1,
        hangs: (share(5), Sampler::constant(700)),
        requests: Some(Allowance { units: 30, period_ns: 2_000 }),
        ..model()
    };
    fleet.add("provider", 1, move |_| Provider::new(limited.clone(), None)).expect("one provider");
    fleet.add("pages", 1, |_| ArtifactStore::new(true)).expect("one store");
    let members = |name, count| (1..=count).map(|ordinal| AgentId::named(name, ordinal)).collect::<Vec<_>>();
    let seams = vec![
        Seam {
            medium: Medium::TaskStore(Address::new(the("tasks"))),
            is_entry: true,
            ..seam(0, "topics", &members("writer", 3))
        },
        Seam {
            medium: Medium::Queue(Address::new(the("queue"))),
            ..seam(1, "drafts", &members("reviewer", 2))
        },
        Seam { chooser: Chooser::Sender, when: When::Rejected, ..seam(2, "rework", &members("writer", 3)) },
        Seam {
            medium: Medium::SharedMemory(Address::new(the("memory"))),
            chooser: Chooser::Agent(the("desk")),
            when: When::Approved,
            ..seam(3, "passed", &members("publisher", 1))
        },
    ];
    let known = seams.clone();
    let settings = task_store::Settings { lease_ns: Some(3_000), checks_fence: true };
    fleet.add("tasks", 1, move |_| TaskStore::new(settings, known.clone().into())).expect("one store");
    let known = seams.clone();
    let settings = broker::Settings {
        redelivers_after_ns: Some(600),
        capacity: 30,
        reader: None,
        newest_first: false,
        dead_letter_after: None,
    };
    fleet.add("queue", 1, move |_| Broker::new(settings.clone(), known.clone().into())).expect("one queue");
    let known = seams.clone();
    fleet.add("memory", 1, move |_| SharedMemory::new(true, known.clone().into())).expect("one memory");
    let entry = seams[0].clone();
    let arrivals = Arrivals::Spaced { at_once: 4, gap_ns: Some(Sampler::constant(150)) };
    let work = Work { count: 20, arrivals, entry, checked: true, artifact: None, first_item: 1 };
    fleet.add("outside", 1, move |_| Outside::new(work.clone())).expect("one outside");
    let turns = Pace::Model(ModelPace {
        model: "model".into(),
        provider: Address::<provider::Request>::new(the("provider")),
        turns: Sampler::constant(2),
        tokens_in: Sampler::constant(10),
        tokens_out: Sampler::constant(20),
        context_grows: 3,
    });
    let plain = Role { finishes: false, ..role(seams) };
    workers(
        &mut fleet,
        3,
        Role {
            name: "writer".into(),
            pace: turns.clone(),
            gives: vec![1],
            pulls: vec![Pull::Store { store: Address::new(the("tasks")), seams: vec![0] }],
            wrong: share(40),
            edits: Some(Edits { artifact: "page".into(), store: Address::new(the("pages")) }),
            ..plain.clone()
        },
    );
    workers(
        &mut fleet,
        2,
        Role {
            name: "reviewer".into(),
            pace: turns,
            gives: vec![2, 3],
            pulls: vec![Pull::Queue { broker: Address::new(the("queue")), seams: vec![1] }],
            catches: share(70),
            ..plain.clone()
        },
    );
    workers(&mut fleet, 1, Role { name: "desk".into(), ..plain.clone() });
    let action =
        Action { name: "publish".into(), reversible: false, gate: Some(("sign-off".into(), the("lead"))) };
    workers(
        &mut fleet,
        1,
        Role {
            name: "publisher".into(),
            finishes: true,
            tested: true,
            action: Some(action),
            outside: [(1, Address::new(the("outside")))].into(),
            ..plain.clone()
        },
    );
    let asked = Pace::Human { hours: None, answers_in_ns: Sampler::constant(90), day_begins_ns: 0 };
    workers(&mut fleet, 1, Role { name: "lead".into(), pace: asked, catches: share(50), ..plain });
    fleet
}

/// The digest of a run, and how many events it had.
fn digest(fleet: Fleet) -> (String, u64) {
    let limits = Limits { until: Time::from_ns(20_000), events_max: 100_000 };
    let mut sink = DigestSink::default();
    let outcome = fleet.build().expect("a valid fleet").run(&limits, &mut sink);
    (sink.value().to_string(), outcome.events)
}

/// Somebody who watches all sites and never hits changes nothing either; and the fleet does pass the sites.
#[test]
fn sites_that_are_not_hit_change_nothing() {
    let visited = Rc::new(RefCell::new(BTreeSet::new()));
    let mut watched = press(1);
    watched.inject_faults(Box::new(Visited(Rc::clone(&visited))));
    assert_eq!(digest(watched), digest(press(1)));
    let known = sites::ALL.iter().map(|(name, _)| *name);
    let missed: Vec<_> = known.filter(|name| !visited.borrow().contains(*name)).collect();
    assert_eq!(missed, Vec::<&str>::new());
}

/// Hits nothing, and remembers what was passed.
struct Visited(Rc<RefCell<BTreeSet<String>>>);

impl Injector for Visited {
    fn site(&mut self, visit: &SiteVisit<'_>) -> Option<Hit> {
        self.0.borrow_mut().insert(visit.site.to_owned());
        None
    }
}

#[test]
fn without_faults_a_run_is_what_it_was() {
    let digests: Vec<_> = (1..=3).map(|seed| digest(press(seed))).collect();
    let before = [
        ("03e5131d8dc3a6ba50806a9865c82837291b5c9b8be08da04dd5f94bf1b377bf", 1_354),
        ("120cd7503e63f1651ee11d4aa14e2253d1de6ba4f7870658e1c2cc0ac4e5f958", 1_955),
        ("8efb7f3c42407e1de28b2e7520c422eb4d0557eb232dccd4d91eef8a3c8cc607", 1_394),
    ];
    assert_eq!(digests, before.map(|(digest, events)| (digest.to_owned(), events)));
}
