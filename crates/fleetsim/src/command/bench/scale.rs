//! Scaling a scenario: as many agents as asked for, in the proportions of its roles, with as much work for each of
//! them as it has now.
//!
//! A single agent that chooses for others, reads for them or opens a gate stays one: it is what a larger fleet runs
//! into. What models and media allow stays as well.

use fleetsim_scenario::vocabulary::{Arrival, Arrives, ChosenBy, Document, Then};
use fleetsim_scenario::{Duration, Loaded, Overrides, Rate, Scenario};

/// The values of `loaded` to replace so that it has about `agents` agents, and what becomes of its roles in words.
pub(super) fn scale(loaded: &Loaded, agents: u64) -> Result<(Overrides, Vec<String>), String> {
    let document = loaded.scenario.document();
    let own = document.agents();
    if agents == own || own == 0 {
        return Ok((Overrides::none(), Vec::new()));
    }
    let staff = staff(loaded, agents);
    let now = staff.iter().map(|role| role.now).sum();
    let changed = staff.iter().filter(|role| role.now != role.own);
    let mut set: Vec<(String, String)> =
        changed.map(|role| (format!("role.{}.count", role.name), role.now.to_string())).collect();
    set.extend(work(document, now, own)?);
    let only = staff.iter().filter(|role| role.is_only);
    let notes = only.map(|role| format!("the only `{}` stays the only one: others depend on it", role.name));
    Ok((Overrides::from(set), notes.collect()))
}

/// How many agents of a role there are, and how many there are to be.
struct Staff<'a> {
    name: &'a str,
    own: u64,
    now: u64,
    is_only: bool,
}

fn staff(loaded: &Loaded, agents: u64) -> Vec<Staff<'_>> {
    let document = loaded.scenario.document();
    let staffed =
        document.role.iter().map(|(name, role)| (name, role.count.get())).filter(|(_, own)| *own > 0);
    let mut staff: Vec<Staff<'_>> = staffed
        .map(|(name, own)| {
            let is_only = own == 1 && (is_hub(document, name) || !may_be_two(loaded, name));
            Staff { name, own, now: own, is_only }
        })
        .collect();
    let only = staff.iter().filter(|role| role.is_only).count() as u64;
    let weights: Vec<u64> = staff.iter().filter(|role| !role.is_only).map(|role| role.own).collect();
    let shares = shares(&weights, agents.saturating_sub(only));
    for (role, share) in staff.iter_mut().filter(|role| !role.is_only).zip(shares) {
        role.now = share;
    }
    staff
}

/// Whether others depend on one agent of the role: of several, the first would do it all.
fn is_hub(document: &Document, role: &str) -> bool {
    let chooses = document.seam.iter().any(|(_, seam)| seam.chosen_by == ChosenBy::Role(role.to_owned()));
    let reads = document.medium.iter().any(|(_, medium)| medium.read_by.as_deref() == Some(role));
    let gates = document.action.iter().any(|(_, action)| action.gate == role);
    chooses || reads || gates
}

/// Whether the scenario has no mistakes with two agents of a role: a fault may name its only one.
fn may_be_two(loaded: &Loaded, role: &str) -> bool {
    let scenario = &loaded.scenario;
    let two = Overrides::from(vec![(format!("role.{role}.count"), "2".to_owned())]);
    Scenario::parse(scenario.name(), scenario.text(), &two).is_ok()
}

/// `total` divided in proportion to `weights`, at least one each: rounded down, and what is left over to those
/// with the largest remainders.
fn shares(weights: &[u64], total: u64) -> Vec<u64> {
    let all: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let exact = |weight: u64| u128::from(weight) * u128::from(total);
    let mut shares: Vec<u64> = weights.iter().map(|weight| ((exact(*weight) / all) as u64).max(1)).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|at| std::cmp::Reverse(exact(weights[*at]) % all));
    let left = total.saturating_sub(shares.iter().sum());
    by_remainder.iter().take(left as usize).for_each(|at| shares[*at] += 1);
    // Those that were raised to one may have taken it from nobody; the largest can spare it.
    let mut excess = shares.iter().sum::<u64>().saturating_sub(total);
    while let Some(largest) = shares.iter_mut().max().filter(|largest| excess > 0 && **largest > 1) {
        *largest -= 1;
        excess -= 1;
    }
    shares
}

/// The work of the scenario for `now` agents instead of `own`. Recorded arrivals are what they are.
fn work(document: &Document, now: u64, own: u64) -> Result<Vec<(String, String)>, String> {
    let mut set = Vec::new();
    for (name, work) in document.work.iter() {
        let path = format!("work.{name}");
        if let Arrives { from: Some(_), .. } = work.arrives {
            continue;
        }
        if let Some(count) = work.count {
            set.push((format!("{path}.count"), times(count.get(), now, own)?.to_string()));
        }
        let path = format!("{path}.arrives");
        match work.arrives.arrival() {
            Some(Arrival::AtOnce(count, then)) => {
                set.push((format!("{path}.at-once"), times(count.get(), now, own)?.to_string()));
                set.extend(spacing(&format!("{path}.then"), then.and_then(Then::arrival), now, own)?);
            }
            way => set.extend(spacing(&path, way, now, own)?),
        }
    }
    Ok(set)
}

/// Arrivals one after the other, now so much more often.
fn spacing(
    path: &str,
    way: Option<Arrival<'_>>,
    now: u64,
    own: u64,
) -> Result<Option<(String, String)>, String> {
    let duration = |nanoseconds: u64| {
        Duration::from_nanoseconds(nanoseconds)
            .ok_or_else(|| format!("`{path}` would leave no time between arrivals"))
    };
    Ok(match way {
        Some(Arrival::Poisson(rate)) => Some((format!("{path}.poisson"), faster(rate, now, own)?)),
        Some(Arrival::Every(gap)) => {
            Some((format!("{path}.every"), duration(times(gap.nanoseconds(), own, now)?)?.to_string()))
        }
        _ => None,
    }
    .map(|(path, text)| (path, format!("\"{text}\""))))
}

/// A rate `now` to `own` times as high, exactly if the numbers allow it.
fn faster(rate: Rate, now: u64, own: u64) -> Result<String, String> {
    let count = rate.count().checked_mul(now);
    let period = rate.period_ns().checked_mul(own).and_then(Duration::from_nanoseconds);
    match (count, period) {
        (Some(count), Some(period)) => Ok(format!("{count}/{period}")),
        _ => Err(format!("the rate {rate} cannot be scaled from {own} to {now} agents")),
    }
}

/// `value` times `now` over `own`, rounded to the nearest and at least 1.
fn times(value: u64, now: u64, own: u64) -> Result<u64, String> {
    let scaled = (u128::from(value) * u128::from(now) + u128::from(own / 2)) / u128::from(own);
    u64::try_from(scaled.max(1)).map_err(|_| format!("{value} cannot be scaled from {own} to {now} agents"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_leave_nobody_out() {
        for (weights, total, expected) in [
            (&[2, 2, 1][..], 10, &[4, 4, 2][..]),
            (&[1, 1, 1], 10, &[4, 3, 3]),
            (&[2, 1], 4, &[3, 1]),
            (&[1000, 1, 1], 10, &[8, 1, 1]),
            (&[5, 5], 1, &[1, 1]),
            (&[7], 1_000_000, &[1_000_000]),
            (&[], 5, &[]),
        ] {
            assert_eq!(shares(weights, total), expected, "{weights:?} to {total}");
        }
    }

    const TEXT: &str = r#"
        [fleet]
        lasts = "8h"
        [work.letter]
        count = 60
        arrives = { poisson = "10/h" }
        enters = "drafts"
        done-at = "editor"
        [work.bulk]
        count = 30
        arrives = { at-once = 6, then = { every = "1m" } }
        enters = "drafts"
        done-at = "editor"
        [role]
        writer = { count = 2, process = { handles-one-in = "30s" } }
        editor = { count = 1, process = { handles-one-in = "30s" } }
        boss = { count = 1, process = { handles-one-in = "20s" } }
        [medium]
        post = { kind = "queue", read-by = "boss" }
        [seam]
        drafts = { from = "outside", to = "writer", via = "post", chosen-by = "boss" }
        edits = { from = "writer", to = "editor", via = "post", chosen-by = "boss" }
    "#;

    #[test]
    fn a_scenario_grows_in_proportion_but_for_single_agents() {
        let loaded = Loaded::from_texts("x.toml", TEXT, &Overrides::none(), &[]).unwrap();
        let (overrides, notes) = scale(&loaded, 40).unwrap();
        let pairs: Vec<String> =
            overrides.pairs().iter().map(|(path, value)| format!("{path}={value}")).collect();
        assert_eq!(
            pairs,
            [
                "role.writer.count=26",
                "role.editor.count=13",
                "work.letter.count=600",
                "work.letter.arrives.poisson=\"400/4h\"",
                "work.bulk.count=300",
                "work.bulk.arrives.at-once=60",
                "work.bulk.arrives.then.every=\"6s\"",
            ]
        );
        assert_eq!(notes, ["the only `boss` stays the only one: others depend on it"]);
        let scaled = Loaded::from_texts("x.toml", TEXT, &overrides, &[]).unwrap();
        assert_eq!(scaled.scenario.document().agents(), 40);
        assert_eq!(scale(&loaded, 4).unwrap().0, Overrides::none());
        let (smallest, _) = scale(&loaded, 1).unwrap();
        assert_eq!(smallest.pairs()[0].1, "1");
    }
}
