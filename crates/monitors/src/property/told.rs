//! A fact that is kept to be shown: as bytes, until the names of all agents are known.

use fleetsim_engine::schema::Shape;
use fleetsim_engine::{AgentId, Fact, Names, codec};

use crate::finding::Evidence;
use crate::monitor::Moment;
use crate::text::shown;

/// Characters of a fact that are shown.
const SHOWN_MAX: usize = 200;

/// Who stated what, and when.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) moment: Moment,
    agent: AgentId,
    fact: Box<[u8]>,
}

impl Told {
    pub(super) fn new(moment: Moment, agent: AgentId, fact: &Fact<'_>) -> Told {
        let mut bytes = Vec::new();
        codec::encode(fact, &mut bytes);
        Told { moment, agent, fact: bytes.into() }
    }

    pub(super) fn evidence(&self, names: &Names) -> Evidence {
        let fact = Shape::of::<Fact<'_>>().render(&self.fact, names);
        let cut = fact.char_indices().nth(SHOWN_MAX).map_or(fact.len(), |(at, _)| at);
        let more = if cut < fact.len() { "…" } else { "" };
        Evidence::new(self.moment, format!("{} stated {}{more}", shown(&names.of(self.agent)), &fact[..cut]))
    }
}
