//! Links: how long messages take between groups of agents.

use crate::error::Error;
use crate::sample::{MEAN_MAX, Sampler};

/// The latency of messages from one group of agents to another.
///
/// Every link has a minimum above zero: how far one agent's present is from another's, and so how far apart
/// simultaneous work may be computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    minimum_ns: u64,
    /// What every message takes, before what is drawn for it.
    base_ns: u64,
    drawn_ns: Sampler,
    /// How it is reckoned for several messages at once, when it can be: what is drawn is exponential, with a mean of
    /// [`MEAN_MAX`] at most, and no latency reaches [`FAR_NS`].
    exponential: Option<Exponential>,
}

/// An exponential latency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Exponential {
    pub(crate) mean_ns: f64,
    base_ns: u64,
    pub(crate) minimum_ns: u64,
    /// The longest that a message takes.
    pub(crate) maximum_ns: u64,
}

impl Exponential {
    /// What a message takes for which so much was drawn.
    #[inline]
    pub(crate) fn latency_ns(&self, drawn_ns: u64) -> u64 {
        (self.base_ns + drawn_ns).max(self.minimum_ns)
    }
}

/// Half of representable time, 146 years: no sum of two times below it overflows.
pub(crate) const FAR_NS: u64 = 1 << 62;
/// An exponential value is at most about 37 means.
const EXPONENTIAL_MEANS_MAX: f64 = 40.0;

impl Link {
    /// A link whose latency is always the same.
    ///
    /// # Errors
    /// When `latency_ns` is zero.
    pub fn constant(latency_ns: u64) -> Result<Link, Error> {
        Link::new(latency_ns, Sampler::constant(0))
    }

    /// A link with a latency of `minimum_ns` and a random `extra` in nanoseconds, drawn for each message.
    ///
    /// # Errors
    /// When `minimum_ns` is zero: an effect is strictly later than its cause.
    pub fn new(minimum_ns: u64, extra: Sampler) -> Result<Link, Error> {
        if minimum_ns == 0 {
            return Err(Error::new("a link needs a minimum latency above zero"));
        }
        Ok(Link::made_of(minimum_ns, minimum_ns, extra))
    }

    /// A link whose latency in nanoseconds is drawn for each message. Its minimum is the sampler's, or one
    /// nanosecond where that is zero.
    #[must_use]
    pub fn sampled(latency: Sampler) -> Link {
        Link::made_of(latency.minimum().max(1), 0, latency)
    }

    fn made_of(minimum_ns: u64, base_ns: u64, drawn_ns: Sampler) -> Link {
        let exponential = drawn_ns.as_exponential().filter(|mean_ns| *mean_ns <= MEAN_MAX).map(|mean_ns| {
            let drawn_max_ns = (EXPONENTIAL_MEANS_MAX * mean_ns) as u64;
            let maximum_ns = base_ns.saturating_add(drawn_max_ns).max(minimum_ns);
            Exponential { mean_ns, base_ns, minimum_ns, maximum_ns }
        });
        let exponential = exponential.filter(|exponential| exponential.maximum_ns < FAR_NS);
        Link { minimum_ns, base_ns, drawn_ns, exponential }
    }

    /// The shortest time that a message takes, in nanoseconds.
    #[must_use]
    pub fn minimum_ns(&self) -> u64 {
        self.minimum_ns
    }

    /// What a message takes that draws its luck from `random`.
    pub(crate) fn latency_ns(&self, random: impl FnOnce() -> crate::mix::Draw) -> u64 {
        let drawn_ns = self.drawn_ns.as_constant().unwrap_or_else(|| self.drawn_ns.sample(&mut random()));
        self.base_ns.saturating_add(drawn_ns).max(self.minimum_ns)
    }

    /// How latencies are reckoned for several messages at once, if they can be.
    #[inline]
    pub(crate) fn exponential(&self) -> Option<&Exponential> {
        self.exponential.as_ref()
    }
}

/// The links of a fleet: one by default, others by pair of groups.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    links: Vec<Link>,
    groups: usize,
    /// For each pair of groups, an index into `links`; empty while every pair has the default, which is at 0.
    pairs: Vec<u16>,
}

impl Links {
    pub(crate) fn new(default: Link, groups: usize) -> Links {
        Links { links: vec![default], groups, pairs: Vec::new() }
    }

    pub(crate) fn set(&mut self, from: usize, to: usize, link: Link) -> Result<(), Error> {
        let index = u16::try_from(self.links.len()).map_err(|_| Error::new("more than 65,535 links"))?;
        if self.pairs.is_empty() {
            self.pairs = vec![0; self.groups * self.groups];
        }
        self.pairs[from * self.groups + to] = index;
        self.links.push(link);
        Ok(())
    }

    /// The number of the link from one group to another, for [`get`](Links::get).
    #[inline]
    pub(crate) fn between(&self, from: u16, to: u16) -> u16 {
        let pair = usize::from(from) * self.groups + usize::from(to);
        self.pairs.get(pair).copied().unwrap_or(0)
    }

    #[inline]
    pub(crate) fn get(&self, number: u16) -> &Link {
        &self.links[usize::from(number)]
    }
}
