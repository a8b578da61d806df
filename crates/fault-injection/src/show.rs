//! Plans as people read them: one rule a line.

use core::fmt;

use fleetsim_engine::Time;

use crate::fault::Fault;
use crate::messages::Messages;
use crate::party::{Party, Who};
use crate::plan::{Plan, Rule};
use crate::share::Share;
use crate::spread::Spread;
use crate::tolerance::{SiteTolerance, Tolerance};
use crate::trigger::Trigger;
use crate::when::When;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, rule) in self.rules() {
            writeln!(f, "{}: {rule}", name.escape_debug())?;
        }
        let Some(heal) = self.healing() else { return Ok(()) };
        let whole = heal.core.is_empty();
        let core: Vec<String> = heal.core.iter().map(|role| role.escape_debug().to_string()).collect();
        let what = if whole { "everything".to_owned() } else { core.join(", ") };
        writeln!(f, "at {} {what} heals, to converge within {}", at(heal.at), span(heal.converges_within_ns))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.fault, self.when)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind())?;
        match self {
            Fault::Loss { messages, share } => write!(f, " of {share} of {messages}"),
            Fault::Partition { groups, one_way } => {
                let side =
                    |side: &Vec<Party>| side.iter().map(Party::to_string).collect::<Vec<_>>().join(", ");
                let sides: Vec<String> = groups.iter().map(side).collect();
                let between = if *one_way { " -x> " } else { " | " };
                write!(f, " of {}", sides.join(between))
            }
            Fault::Hold { messages } => write!(f, " of {messages}"),
            Fault::Latency { messages, share, takes_ns } => {
                write!(f, " of {share} of {messages}: {}", spread(*takes_ns, span))
            }
            Fault::Delay { messages, share, by_ns } => {
                write!(f, " of {share} of {messages} by {}", spread(*by_ns, span))
            }
            Fault::Reorder { messages, share, within_ns } => {
                write!(f, " of {share} of {messages} within {}", span(*within_ns))
            }
            Fault::Duplicate { messages, share, after_ns } => {
                write!(f, " of {share} of {messages} after {}", spread(*after_ns, span))
            }
            Fault::Corrupt { messages, share, damage } => {
                write!(f, " of {share} of {messages} ({})", format!("{damage:?}").to_lowercase())
            }
            Fault::Isolate { who }
            | Fault::Crash { who }
            | Fault::Restart { who }
            | Fault::Pause { who }
            | Fault::Zombie { who } => write!(f, " of {who}"),
            Fault::Slow { who, permille } => {
                write!(f, " of {who}: {} times as long", times(*permille))
            }
            Fault::Clock { who, change } => {
                let jump_ns = change.jump_ns;
                let sign = if jump_ns < 0 { "-" } else { "+" };
                write!(f, " of {who}: {sign}{}", span(jump_ns.unsigned_abs()))?;
                write!(f, ", drifting {} ppb", change.drift_ppb)
            }
            Fault::Tell { who, name } => write!(f, " {who} `{}`", name.escape_debug()),
            Fault::Site { site, who, share, strength, armed, .. } => {
                write!(f, " {} at {share}", site.escape_debug())?;
                if let Some(party) = who {
                    write!(f, " of {party}")?;
                }
                write!(f, ", strength {}", spread(*strength, |value| value.to_string()))?;
                if *armed == Share::ALL { Ok(()) } else { write!(f, ", armed in {armed} of seeds") }
            }
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            When::Always => f.write_str("always"),
            When::At { at: from } => write!(f, "from {}", at(*from)),
            When::Window { from, until } => write!(f, "from {} until {}", at(*from), at(*until)),
            When::Periodic { first, every_ns, lasts_ns, until } => {
                let (first, until) = (at(*first), at(*until));
                write!(f, "every {} for {} from {first} until {until}", span(*every_ns), span(*lasts_ns))
            }
            When::Random { mean_gap_ns, lasts_ns, from, until } => {
                let (from, until) = (at(*from), at(*until));
                write!(f, "about every {} for {} ", span(*mean_gap_ns), span(*lasts_ns))?;
                write!(f, "from {from} until {until}")
            }
            When::Triggered { by, after_ns, lasts_ns, released, share, times_max } => {
                write!(f, "{} after {by}", span(*after_ns))?;
                if let Some(lasts_ns) = lasts_ns {
                    write!(f, " for {}", span(*lasts_ns))?;
                }
                if let Some(released) = released {
                    write!(f, " until {released}")?;
                }
                write!(f, ", {share} of the times, at most {times_max}")
            }
        }
    }
}

impl Tolerance {
    /// What is borne, a line each kind.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let share = |share: Option<Share>| share.map(|share| format!("{share} of {}", self.messages));
        let up_to = |most_ns: Option<u64>| most_ns.map(|most_ns| format!("up to {}", span(most_ns)));
        let mut lines: Vec<String> = [
            ("loss", share(self.loss)),
            ("delay", up_to(self.delay_ns)),
            ("reorder", up_to(self.reorder_ns)),
            ("duplicate", share(self.duplicate)),
            ("corrupt", share(self.corrupt)),
            ("partition", up_to(self.partition_ns)),
            ("hold", up_to(self.hold_ns)),
            ("crash", up_to(self.crash_ns)),
            ("pause", up_to(self.pause_ns)),
            ("zombie", up_to(self.zombie_ns)),
            ("slow", self.slow_permille.map(|permille| format!("{} times as long", times(permille)))),
            ("clock jump", up_to(self.clock_jump_ns)),
            ("clock drift", self.clock_drift_ppb.map(|drift_ppb| format!("up to {drift_ppb} ppb"))),
        ]
        .into_iter()
        .filter_map(|(kind, most)| Some(format!("{kind} {}", most?)))
        .collect();
        let site = |(name, site): (&String, &SiteTolerance)| {
            let strength = spread(site.strength, |value| value.to_string());
            format!("{} at {}, strength {strength}", name.escape_debug(), site.share)
        };
        lines.extend(self.sites.iter().map(site));
        lines
    }
}

/// Thousandths as a decimal.
fn times(permille: u64) -> String {
    format!("{}.{:03}", permille / 1_000, permille % 1_000)
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fact.escape_debug())?;
        for (name, wanted) in &self.with {
            write!(f, " {} {}", name.escape_debug(), wanted.escape_debug())?;
        }
        self.by.as_ref().map_or(Ok(()), |party| write!(f, " by {party}"))
    }
}

impl fmt::Display for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (&self.protocol, &self.kind) {
            (Some(protocol), Some(kind)) => format!("{}.{}", protocol.escape_debug(), kind.escape_debug()),
            (Some(protocol), None) => protocol.escape_debug().to_string(),
            _ => "messages".to_owned(),
        };
        f.write_str(&what)?;
        for (word, party) in [("from", &self.from), ("to", &self.to), ("touching", &self.touching)] {
            if let Some(party) = party {
                write!(f, " {word} {party}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Each(party) => write!(f, "{party}"),
            Who::OneOf(party) => write!(f, "one of {party}"),
            Who::Whoever => f.write_str("whoever did"),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

fn spread(spread: Spread, show: impl Fn(u64) -> String) -> String {
    match spread {
        Spread::Constant(value) => show(value),
        Spread::Uniform { low, high } => format!("{} to {}", show(low), show(high)),
        Spread::Exponential { mean } => format!("about {}", show(mean)),
        Spread::Lognormal { median, p99 } => {
            format!("about {} (99 of 100 below {})", show(median), show(p99))
        }
        Spread::Gamma { mean, variation_ppm } => {
            format!("about {} (varying by {variation_ppm} ppm of it)", show(mean))
        }
        Spread::Pareto { minimum, shape_ppm } => {
            format!("{} and more (a tail of shape {shape_ppm} ppm)", show(minimum))
        }
    }
}

fn at(time: Time) -> String {
    span(time.as_ns())
}

/// Seconds, as short as can be without rounding.
fn span(nanoseconds: u64) -> String {
    let (whole, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    let rest = format!("{rest:09}");
    let rest = rest.trim_end_matches('0');
    let point = if rest.is_empty() { "" } else { "." };
    format!("{whole}{point}{rest}s")
}
