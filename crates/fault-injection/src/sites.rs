//! What goes wrong at points that agents name.

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{AgentId, Draw, Hit, SiteVisit, Time, hash_text};

use crate::fault::Luck;
use crate::heal::Heal;
use crate::party::Matcher;
use crate::share::Share;
use crate::when::Interval;
use crate::windows::Windows;

const STRENGTH: u64 = hash_text("strength of a fault");

/// A rule about a fault site.
#[derive(Debug)]
pub(crate) struct SiteRule {
    pub(crate) id: AgentId,
    /// The rule's name, hashed: the purpose of its draws.
    pub(crate) purpose: u64,
    pub(crate) site: SiteName,
    pub(crate) who: Option<Matcher>,
    pub(crate) share: Share,
    pub(crate) luck: Luck,
    pub(crate) strength: Sampler,
    pub(crate) armed: Share,
    pub(crate) windows: Windows,
}

/// A site, or all whose names begin so.
#[derive(Debug)]
pub(crate) enum SiteName {
    Whole(String),
    Prefix(String),
}

impl SiteName {
    pub(crate) fn of(written: &str) -> SiteName {
        match written.strip_suffix('*') {
            Some(prefix) => SiteName::Prefix(prefix.to_owned()),
            None => SiteName::Whole(written.to_owned()),
        }
    }

    pub(crate) fn contains(&self, site: &str) -> bool {
        match self {
            SiteName::Whole(whole) => whole == site,
            SiteName::Prefix(prefix) => site.starts_with(prefix.as_str()),
        }
    }
}

/// The first rule, by name, that hits a visit.
pub(crate) fn visit(rules: &mut [SiteRule], visit: &SiteVisit<'_>, heal: Option<&Heal>) -> Option<Hit> {
    if heal.is_some_and(|heal| heal.protects(visit.now, visit.group, visit.agent)) {
        return None;
    }
    rules.iter_mut().find_map(|rule| rule.visit(visit))
}

impl SiteRule {
    fn visit(&mut self, visit: &SiteVisit<'_>) -> Option<Hit> {
        if !self.site.contains(visit.site)
            || !self.who.is_none_or(|who| who.contains(visit.group, visit.agent))
        {
            return None;
        }
        let during = self.windows.current(visit.now)?;
        if !self.armed.hits(&mut Draw::keyed(visit.seed, self.purpose, [hash_text(visit.site)])) {
            return None;
        }
        let strength = self.strength_of(visit, during)?;
        let since = Some(during.from).filter(|from| *from > Time::ZERO);
        Some(Hit { rule: self.id, strength, since })
    }

    fn strength_of(&self, visit: &SiteVisit<'_>, during: Interval) -> Option<u64> {
        let occasion = during.from.as_ns();
        match self.luck {
            Luck::Visit => {
                let mut draw = Draw::new(visit.seed, self.purpose, visit.agent, visit.visit);
                self.share.hits(&mut draw).then(|| self.strength.sample(&mut draw))
            }
            Luck::Agent => {
                let agent = visit.agent.as_u64();
                let mut draw = Draw::keyed(visit.seed, self.purpose, [agent, occasion]);
                let mut strength = Draw::keyed(visit.seed, STRENGTH, [self.purpose, occasion]);
                self.share.hits(&mut draw).then(|| self.strength.sample(&mut strength))
            }
        }
    }
}
