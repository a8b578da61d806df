//! Links: how long messages take between groups of agents.

use crate::error::Error;
use crate::sample::Sampler;

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
}

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
        Ok(Link { minimum_ns, base_ns: minimum_ns, drawn_ns: extra })
    }

    /// A link whose latency in nanoseconds is drawn for each message. Its minimum is the sampler's, or one
    /// nanosecond where that is zero.
    #[must_use]
    pub fn sampled(latency: Sampler) -> Link {
        Link { minimum_ns: latency.minimum().max(1), base_ns: 0, drawn_ns: latency }
    }

    /// The shortest time that a message takes, in nanoseconds.
    #[must_use]
    pub fn minimum_ns(&self) -> u64 {
        self.minimum_ns
    }

    pub(crate) fn latency_ns(&self, random: impl FnOnce() -> crate::mix::Draw) -> u64 {
        let drawn_ns = self.drawn_ns.as_constant().unwrap_or_else(|| self.drawn_ns.sample(&mut random()));
        self.base_ns.saturating_add(drawn_ns).max(self.minimum_ns)
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

    #[inline]
    pub(crate) fn between(&self, from: u16, to: u16) -> &Link {
        let pair = usize::from(from) * self.groups + usize::from(to);
        &self.links[self.pairs.get(pair).map_or(0, |index| usize::from(*index))]
    }
}
