//! Which span caused which, and when each began if its clock is brought in line with that of its cause.

use std::collections::BTreeMap;

use super::span::{Identity, Span, What};
use crate::reading::Edge;

/// The spans, each with its cause among them. Spans that matter only as links have none and cause none.
#[derive(Debug)]
pub(super) struct Forest {
    pub(super) spans: Vec<Span>,
    /// The span that caused each, and how that is known.
    pub(super) causes: Vec<(Option<usize>, Edge)>,
    /// The publisher of the message that a span got, where it got one.
    pub(super) publishers: Vec<Option<usize>>,
    /// When each began, in nanoseconds since 1970: later than its cause, whatever the clocks said.
    pub(super) starts: Vec<i64>,
    /// Lines of spans that were moved behind their cause.
    pub(super) moved: Vec<u64>,
    /// Lines of spans whose causes go round in a circle.
    pub(super) circular: Vec<u64>,
}

/// Where the ancestors of a span end, as far as they matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ancestor {
    /// Not yet looked for.
    Unknown,
    /// Being looked for: whoever comes here again goes round in a circle.
    Looking,
    /// A span that matters.
    Span(usize),
    /// A span that is not in the log.
    Missing,
    /// Nobody: a root.
    Nobody,
}

impl Forest {
    /// Links `spans`, which are in order of their identifiers, each once.
    pub(super) fn new(spans: Vec<Span>) -> Forest {
        let count = spans.len();
        let mut forest = Forest {
            causes: vec![(None, Edge::Begun); count],
            publishers: vec![None; count],
            starts: spans.iter().map(|span| span.start_unix_ns).collect(),
            spans,
            moved: Vec::new(),
            circular: Vec::new(),
        };
        let ancestors = forest.ancestors();
        forest.find_causes(&ancestors);
        forest.order();
        forest
    }

    pub(super) fn matters(&self, span: usize) -> bool {
        self.spans[span].what != What::Other
    }

    fn find(&self, identity: Identity) -> Option<usize> {
        self.spans.binary_search_by(|span| span.identity().cmp(&identity)).ok()
    }

    /// For each span the nearest span above it that matters.
    fn ancestors(&self) -> Vec<Ancestor> {
        let mut ancestors = vec![Ancestor::Unknown; self.spans.len()];
        let mut way = Vec::new();
        for first in 0..self.spans.len() {
            let mut at = first;
            let end = loop {
                match ancestors[at] {
                    Ancestor::Unknown => {}
                    // A circle of spans that do not matter leads nowhere.
                    Ancestor::Looking => break Ancestor::Missing,
                    known => break known,
                }
                ancestors[at] = Ancestor::Looking;
                way.push(at);
                match self.spans[at].parent().map(|parent| self.find(parent)) {
                    None => break Ancestor::Nobody,
                    Some(None) => break Ancestor::Missing,
                    Some(Some(parent)) if self.matters(parent) => break Ancestor::Span(parent),
                    Some(Some(parent)) => at = parent,
                }
            };
            way.drain(..).for_each(|at| ancestors[at] = end);
        }
        ancestors
    }

    fn find_causes(&mut self, ancestors: &[Ancestor]) {
        let by_message = self.published();
        for (at, ancestor) in ancestors.iter().enumerate() {
            if !self.matters(at) {
                continue;
            }
            let linked = self.spans[at].links.iter().filter_map(|link| self.find(*link));
            let linked: Vec<usize> = linked.filter(|link| *link != at && self.matters(*link)).collect();
            let is_linked_nowhere = linked.is_empty() && !self.spans[at].links.is_empty();
            let publishes = |span: &usize| matches!(self.spans[*span].what, What::Publish(_));
            if let What::Receive(mail) | What::Process(mail) = &self.spans[at].what {
                let above = match *ancestor {
                    Ancestor::Span(parent) => Some(parent),
                    _ => None,
                };
                let recorded = linked.iter().copied().chain(above).find(publishes);
                let named = mail.message.as_ref().and_then(|message| {
                    by_message.get(&(mail.destination.clone(), message.clone())).copied()
                });
                let publisher = recorded.or(named.filter(|named| *named != at));
                if let Some(publisher) = publisher {
                    let edge = if recorded.is_some() { Edge::Recorded } else { Edge::Inferred };
                    self.publishers[at] = Some(publisher);
                    self.causes[at] = (Some(publisher), edge);
                    continue;
                }
            }
            self.causes[at] = match (*ancestor, linked.first()) {
                (Ancestor::Span(parent), _) => (Some(parent), Edge::Recorded),
                (_, Some(link)) => (Some(*link), Edge::Recorded),
                (Ancestor::Missing, None) => (None, Edge::Orphaned),
                _ if is_linked_nowhere => (None, Edge::Orphaned),
                _ => (None, Edge::Begun),
            };
        }
    }

    /// The span that published each message, by destination and message: the first of several.
    fn published(&self) -> BTreeMap<(String, String), usize> {
        let mut published = BTreeMap::new();
        for (at, span) in self.spans.iter().enumerate() {
            if let What::Publish(mail) = &span.what
                && let Some(message) = &mail.message
            {
                published.entry((mail.destination.clone(), message.clone())).or_insert(at);
            }
        }
        published
    }

    /// Moves every span behind its cause, and cuts circles.
    fn order(&mut self) {
        #[derive(Clone, Copy, PartialEq, Eq)]
        enum State {
            Unknown,
            Looking,
            Done,
        }
        let mut states = vec![State::Unknown; self.spans.len()];
        let mut way = Vec::new();
        for first in 0..self.spans.len() {
            let mut at = first;
            loop {
                match states[at] {
                    State::Done => break,
                    State::Looking => {
                        // Cut where the circle was closed: the causes of all others are still before them.
                        self.causes[at] = (None, Edge::Orphaned);
                        self.publishers[at] = None;
                        self.circular.push(self.spans[at].line);
                        break;
                    }
                    State::Unknown => {}
                }
                states[at] = State::Looking;
                way.push(at);
                match self.causes[at].0 {
                    Some(cause) => at = cause,
                    None => break,
                }
            }
            while let Some(at) = way.pop() {
                states[at] = State::Done;
                let Some(cause) = self.causes[at].0 else { continue };
                let after = self.starts[cause].saturating_add(1);
                if self.starts[at] < self.starts[cause] {
                    self.moved.push(self.spans[at].line);
                }
                self.starts[at] = self.starts[at].max(after);
            }
        }
    }
}
