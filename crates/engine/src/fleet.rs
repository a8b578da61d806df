//! Describing a fleet: groups of agents, links, faults; then [`Fleet::build`].

use core::any::TypeId;
use core::marker::PhantomData;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::agent::{Agent, Birth, Spawn};
use crate::codec;
use crate::context::Spawnable;
use crate::control::Control;
use crate::deviation::Deviations;
use crate::error::Error;
use crate::fact::Fact;
use crate::identity::{Address, AgentId};
use crate::inject::Injector;
use crate::link::{Link, Links};
use crate::manifest::{GroupEntry, Manifest, ProtocolEntry};
use crate::message::{Accepts, Inbox, Message, ProtocolId, Protocols};
use crate::pool::{AnyPool, Pool};
use crate::schema::Shape;
use crate::simulation::Simulation;
use crate::time::{MILLISECOND, Time};

/// A fleet in the making. The order in which groups are added matters to nobody's luck.
///
/// ```
/// use fleetsim_engine::{
///     Agent, AgentId, Context, Control, DigestSink, Ending, Fleet, Limits, Link, MILLISECOND, Message, SECOND, Time,
/// };
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// enum Job { Assigned { task: u64 } }
/// impl Message for Job { const PROTOCOL: &'static str = "job"; }
///
/// struct Worker;
/// impl Agent for Worker {
///     type Inbox = Job;
///     type Timer = ();
///     fn on_message(&mut self, ctx: &mut Context<'_, Self>, _from: AgentId, _job: Job) {
///         ctx.work_for(3 * SECOND, ());
///     }
/// }
///
/// let mut fleet = Fleet::new(42);
/// fleet.default_link(Link::constant(2 * MILLISECOND)?);
/// let workers = fleet.add("worker", 2, |_birth| Worker)?;
/// // A job from outside finds the worker paused, and waits.
/// fleet.control("outage", Time::from_ns(SECOND), workers.id(1), Control::Pause);
/// fleet.send_at(Time::from_ns(2 * SECOND), workers.address(1), &Job::Assigned { task: 7 });
/// fleet.control("outage", Time::from_ns(9 * SECOND), workers.id(1), Control::Resume);
///
/// let outcome = fleet.build()?.run(&Limits::default(), &mut DigestSink::default());
/// assert_eq!(outcome.ending, Ending::Quiescent);
/// assert_eq!(outcome.time, Time::from_ns(12 * SECOND));
/// # Ok::<(), fleetsim_engine::Error>(())
/// ```
pub struct Fleet {
    pub(crate) seed: u64,
    pub(crate) groups: Vec<GroupPlan>,
    pub(crate) pools: Vec<Box<dyn AnyPool>>,
    pub(crate) spawnable: Vec<Spawnable>,
    pub(crate) deviations: Deviations,
    pub(crate) injector: Option<Box<dyn Injector>>,
    pub(crate) controls: Vec<(String, Time, AgentId, Control)>,
    pub(crate) injections: Vec<Injection>,
    pub(crate) recording: bool,
    protocols: Protocols,
    default_link: Link,
    links: Vec<(String, String, Link)>,
    pub(crate) rules: Vec<String>,
}

pub(crate) struct GroupPlan {
    pub(crate) name: String,
    pub(crate) count: u32,
    pub(crate) hash: u32,
    timers: Shape,
}

pub(crate) struct Injection {
    pub(crate) at: Time,
    pub(crate) target: AgentId,
    pub(crate) protocol: crate::message::ProtocolId,
    pub(crate) kind: u16,
    pub(crate) payload: Vec<u8>,
}

/// A group of agents of type `A` that was added to a fleet.
#[derive(Debug)]
pub struct Group<A> {
    name: String,
    count: u32,
    agent: PhantomData<fn(A)>,
}

impl<A: Agent> Group<A> {
    /// The identity of member `ordinal`, from 1.
    ///
    /// # Panics
    /// When the group has no such member.
    #[must_use]
    pub fn id(&self, ordinal: u32) -> AgentId {
        assert!((1..=self.count).contains(&ordinal), "group `{}` has {} members", self.name, self.count);
        AgentId::named(&self.name, ordinal)
    }

    /// Where member `ordinal` (from 1) gets messages of protocol `M`.
    ///
    /// # Panics
    /// When the group has no such member.
    #[must_use]
    pub fn address<M: Message>(&self, ordinal: u32) -> Address<M>
    where
        A::Inbox: Accepts<M>,
    {
        Address::new(self.id(ordinal))
    }
}

impl Fleet {
    /// An empty fleet. Messages take one millisecond unless a link says otherwise.
    #[must_use]
    pub fn new(seed: u64) -> Fleet {
        Fleet {
            seed,
            groups: Vec::new(),
            pools: Vec::new(),
            spawnable: Vec::new(),
            deviations: Deviations::default(),
            injector: None,
            controls: Vec::new(),
            injections: Vec::new(),
            recording: true,
            protocols: Protocols::default(),
            default_link: Link::constant(MILLISECOND).expect("a millisecond is above zero"),
            links: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// The seed that the fleet was made with.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Adds `count` agents under `name`, each made by `factory`, which is called again when one restarts.
    ///
    /// # Errors
    /// When the name is taken, or its hash collides with another group's.
    pub fn add<A: Agent>(
        &mut self,
        name: &str,
        count: u32,
        factory: impl Fn(&Birth) -> A + 'static,
    ) -> Result<Group<A>, Error> {
        self.add_kind::<A>(name, count, Box::new(move |birth, _config| factory(birth)))?;
        Ok(Group { name: name.to_owned(), count, agent: PhantomData })
    }

    /// Declares that agents may spawn agents of type `B`, shown as group `name` in links and tools.
    ///
    /// # Errors
    /// When the name is taken, or the kind is declared already.
    pub fn spawnable<B: Spawn>(&mut self, name: &str) -> Result<(), Error> {
        let agent = TypeId::of::<B>();
        if self.spawnable.iter().any(|kind| kind.agent == agent) {
            return Err(Error::new(format!("`{name}` declares a kind of agent that is spawnable already")));
        }
        let make = |birth: &Birth, config: &[u8]| {
            B::spawn(birth, codec::decode(config).expect("the engine encoded the configuration itself"))
        };
        let (pool, group) = self.add_kind::<B>(name, 0, Box::new(make))?;
        self.spawnable.push(Spawnable { agent, pool, group });
        Ok(())
    }

    fn add_kind<A: Agent>(
        &mut self,
        name: &str,
        count: u32,
        factory: crate::pool::Factory<A>,
    ) -> Result<(u16, u16), Error> {
        let hash = AgentId::group_hash(name);
        if let Some(other) = self.groups.iter().find(|group| group.hash == hash) {
            return Err(Error::new(if other.name == name {
                format!("two groups of agents are called `{name}`")
            } else {
                format!("the names `{name}` and `{}` collide; rename one of them", other.name)
            }));
        }
        let index =
            u16::try_from(self.groups.len()).map_err(|_| Error::new("more than 65,535 groups of agents"))?;
        A::Inbox::describe(&mut self.protocols);
        let timers = Shape::of::<A::Timer>();
        self.groups.push(GroupPlan { name: name.to_owned(), count, hash, timers });
        self.pools.push(Box::new(Pool::new(factory)));
        Ok((index, index))
    }

    /// Sets the latency of messages between groups that have no link of their own.
    pub fn default_link(&mut self, link: Link) {
        self.default_link = link;
    }

    /// Sets the latency of messages from one group to another.
    pub fn link(&mut self, from: &str, to: &str, link: Link) {
        self.links.push((from.to_owned(), to.to_owned(), link));
    }

    /// Makes the run differ from what its seed gives.
    pub fn deviate(&mut self, deviations: Deviations) {
        self.deviations = deviations;
    }

    /// Installs what decides about message faults and fault sites.
    pub fn inject_faults(&mut self, injector: Box<dyn Injector>) {
        self.injector = Some(injector);
    }

    /// The groups with their sizes, in the order in which they were added; 0 for kinds that are only spawned.
    pub fn groups(&self) -> impl Iterator<Item = (&str, u32)> {
        self.groups.iter().map(|group| (group.name.as_str(), group.count))
    }

    /// How many members a group has; `None` when there is no such group.
    #[must_use]
    pub fn members(&self, group: &str) -> Option<u32> {
        self.groups().find(|(name, _)| *name == group).map(|(_, count)| count)
    }

    /// The protocols that some agent understands, each with the names of its kinds of messages.
    pub fn protocols(&self) -> impl Iterator<Item = (ProtocolId, &'static str, Vec<&str>)> {
        self.protocols.iter().map(|(id, name, shape)| {
            let kinds = match shape {
                Shape::Enum { variants } => variants.iter().map(|(kind, _)| kind.as_str()).collect(),
                _ => Vec::new(),
            };
            (*id, *name, kinds)
        })
    }

    /// The shortest time that a message from one group to another takes, in nanoseconds.
    #[must_use]
    pub fn link_minimum_ns(&self, from: &str, to: &str) -> u64 {
        let own = self.links.iter().rev().find(|(one, other, _)| one == from && other == to);
        own.map_or(&self.default_link, |(_, _, link)| link).minimum_ns()
    }

    /// Names a fault rule, so that tools can show it.
    pub fn name_rule(&mut self, rule: &str) {
        if !self.rules.iter().any(|known| known == rule) {
            self.rules.push(rule.to_owned());
        }
    }

    /// Lets fault rule `rule` do something to `target` at an instant.
    pub fn control(&mut self, rule: &str, at: Time, target: AgentId, control: Control) {
        self.name_rule(rule);
        self.controls.push((rule.to_owned(), at, target, control));
    }

    /// Lets a message from outside the fleet arrive at an instant.
    pub fn send_at<M: Message>(&mut self, at: Time, to: Address<M>, message: &M) {
        let mut payload = Vec::new();
        let kind = codec::encode_kind(message, &mut payload);
        self.injections.push(Injection { at, target: to.id(), protocol: M::ID, kind, payload });
    }

    /// Switches off the record of steps. The run is the same, faster, and leaves nothing to digest.
    pub fn without_record(&mut self) {
        self.recording = false;
    }

    /// Makes the agents and returns the simulation, at the beginning of time.
    ///
    /// # Errors
    /// When names collide, a link names an unknown group, or there is no agent at all.
    pub fn build(self) -> Result<Simulation, Error> {
        if let Some(mistake) = self.protocols.mistakes.first() {
            return Err(Error::new(mistake.clone()));
        }
        if self.groups.iter().all(|group| group.count == 0) {
            return Err(Error::new("a fleet needs at least one agent"));
        }
        self.check_names()?;
        self.check_rules()?;
        let mut links = Links::new(self.default_link.clone(), self.groups.len());
        for (from, to, link) in &self.links {
            links.set(self.group_index(from)?, self.group_index(to)?, link.clone())?;
        }
        let manifest = self.manifest();
        Simulation::new(self, links, manifest)
    }

    /// The only member of group `coder-2` and the second of group `coder` would both be called `coder-2`.
    fn check_names(&self) -> Result<(), Error> {
        for single in self.groups.iter().filter(|group| group.count == 1) {
            let Some((name, ordinal)) = single.name.rsplit_once('-') else { continue };
            let Ok(ordinal) = ordinal.parse::<u32>() else { continue };
            let shares = |group: &&GroupPlan| group.name == name && group.count > 1 && ordinal <= group.count;
            if self.groups.iter().any(|group| shares(&group)) {
                let name = &single.name;
                return Err(Error::new(format!("two agents would be called `{name}`; rename a group")));
            }
        }
        Ok(())
    }

    fn check_rules(&self) -> Result<(), Error> {
        let mut seen: BTreeMap<AgentId, &str> = BTreeMap::new();
        for rule in &self.rules {
            if let Some(other) = seen.insert(AgentId::rule(rule), rule) {
                return Err(Error::new(format!("the rule names `{rule}` and `{other}` collide; rename one")));
            }
        }
        Ok(())
    }

    fn group_index(&self, name: &str) -> Result<usize, Error> {
        self.groups
            .iter()
            .position(|group| group.name == name)
            .ok_or_else(|| Error::new(format!("a link names the unknown group `{name}`")))
    }

    fn manifest(&self) -> Manifest {
        let group = |plan: &GroupPlan| GroupEntry {
            name: plan.name.clone(),
            count: plan.count,
            timers: plan.timers.clone(),
        };
        let protocol = |(id, name, shape): &(crate::message::ProtocolId, &'static str, Shape)| {
            ProtocolEntry { id: id.0, name: (*name).to_owned(), messages: shape.clone() }
        };
        // Rules are listed by name, so that their order in a file changes nothing.
        let mut rules = self.rules.clone();
        rules.sort();
        Manifest {
            groups: self.groups.iter().map(group).collect(),
            protocols: self.protocols.iter().map(protocol).collect(),
            facts: shape_of_facts(),
            rules,
        }
    }
}

/// It is the same in all fleets, and many short runs would probe it again and again.
fn shape_of_facts() -> Shape {
    static SHAPE: OnceLock<Shape> = OnceLock::new();
    SHAPE.get_or_init(Shape::of::<Fact<'static>>).clone()
}
