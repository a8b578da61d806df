//! The report of a run for people: about forty lines, findings first, and last the command that shows it again.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use fleetsim_engine::{Digest, Outcome};
use fleetsim_fault_injection as injection;
use fleetsim_monitors::{Architecture, ArchitectureClass, FaultTally, Finding, Report, SeamTally};
use fleetsim_trace_replay::text::escape;

use super::color::Paint;
use super::figures::{clock, counted, decimal, dollars, duration, grouped, per_second};
use super::histogram;
use crate::expectation::{Judgement, Verdict};
use crate::recording;

/// Lines for findings; what does not fit is counted.
const FINDING_LINES_MAX: usize = 20;
/// Witness lines of one finding.
const WITNESSES_MAX: usize = 4;
/// Rows of the seams' table.
const SEAMS_MAX: usize = 8;
/// Fault rules that are named.
const FAULTS_MAX: usize = 8;
/// Lines for expectations.
const EXPECTATIONS_MAX: usize = 8;

/// Everything that is told about a run.
pub(crate) struct RunView<'a> {
    /// The scenario, as the user called it.
    pub(crate) scenario: &'a str,
    pub(crate) seed: u64,
    /// Whether that is the scenario's own seed, and its own faults.
    pub(crate) own_seed: bool,
    pub(crate) outcome: &'a Outcome,
    /// Whether the run came to its own end.
    pub(crate) complete: bool,
    /// The agents of the fleet, without what stands around it.
    pub(crate) agents: u64,
    pub(crate) digest: Digest,
    pub(crate) wall: Duration,
    pub(crate) claims_to_be: Option<ArchitectureClass>,
    /// What went wrong, by plan.
    pub(crate) faults: &'a injection::Plan,
    /// What the monitors found, and how that compares with the expectations; `None` without monitors.
    pub(crate) judged: Option<(&'a Report, &'a Judgement)>,
    /// The trace that was written.
    pub(crate) trace: Option<&'a Path>,
    /// The command that shows the run again.
    pub(crate) again: &'a str,
}

/// The report as text that ends with a line break.
pub(crate) fn run(view: &RunView<'_>, paint: Paint) -> String {
    let mut lines = vec![head(view, paint)];
    if let Some((report, judgement)) = view.judged {
        findings(report, judgement, paint, &mut lines);
        architecture(&report.architecture, view.claims_to_be, paint, &mut lines);
        seams(&report.tally.seams, paint, &mut lines);
        tally(report, &mut lines);
        faults(view.faults, &report.tally.faults, &mut lines);
    }
    let rate = grouped(per_second(view.outcome.events, view.wall));
    let wall_ns = u64::try_from(view.wall.as_nanos()).unwrap_or(u64::MAX);
    lines.push(format!("wall time {}, {rate} events/s", duration(wall_ns)));
    lines.push(format!("digest {}", view.digest));
    if let Some((_, judgement)) = view.judged {
        expectations(judgement, view.own_seed, paint, &mut lines);
    }
    lines.push(view.again.to_owned());
    lines.join("\n") + "\n"
}

fn head(view: &RunView<'_>, paint: Paint) -> String {
    let name = paint.strong(&escape(view.scenario));
    let ending = escape(&recording::ending(&view.outcome.ending));
    let (time, events) = (clock(view.outcome.time), counted(view.outcome.events, "event"));
    let agents = counted(view.agents, "agent");
    format!("{name}, seed {}: {events} among {agents}, ended at {time} ({ending})", view.seed)
}

/// Findings with their witnesses, the unexpected ones first.
fn findings(report: &Report, judgement: &Judgement, paint: Paint, lines: &mut Vec<String>) {
    let total = report.findings.len();
    if total == 0 {
        lines.push(paint.good("no findings"));
        return;
    }
    let unexpected = judgement.unexpected.len();
    lines.push(format!(
        "{}, {}",
        counted(total as u64, "finding"),
        match unexpected {
            0 => paint.good("all expected"),
            count => paint.bad(&format!("{count} not expected")),
        }
    ));
    let is_unexpected = |number: &usize| judgement.unexpected.contains(number);
    let (first, then): (Vec<usize>, Vec<usize>) = (0..total).partition(is_unexpected);
    let (mut used, mut shown) = (0, 0);
    for number in first.into_iter().chain(then) {
        let told = finding(number, &report.findings[number], is_unexpected(&number), paint);
        if shown > 0 && used + told.len() > FINDING_LINES_MAX {
            break;
        }
        used += told.len();
        shown += 1;
        lines.extend(told);
    }
    if shown < total {
        lines.push(format!(" … and {} more (all of them with --format json)", total - shown));
    }
}

/// One finding. Its number is that of `why TRACE --finding N`.
pub(crate) fn finding(number: usize, finding: &Finding, is_unexpected: bool, paint: Paint) -> Vec<String> {
    let summary = escape(&finding.summary);
    let summary = if is_unexpected { paint.bad(&summary) } else { paint.strong(&summary) };
    let mut lines = vec![format!("{:>2}. {summary}", number + 1)];
    for witness in finding.evidence.iter().take(WITNESSES_MAX) {
        lines.push(format!("      #e{} {} {}", witness.event, clock(witness.at), escape(&witness.text)));
    }
    if let Some(signal) = &finding.earliest_signal {
        let lead = finding.lead_time_ns.map(|lead_ns| format!("lead {}", duration(lead_ns)));
        let saved = finding.saved_nano_dollars.filter(|saved| *saved > 0);
        let saved = saved.map(|saved| format!("would have saved {}", dollars(saved)));
        let details: Vec<String> = [lead, saved].into_iter().flatten().collect();
        let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
        let place = format!("#e{} {}", signal.event, clock(signal.at));
        lines.push(format!("      earliest signal: {place} {}{details}", escape(&signal.text)));
    }
    if let Some(remedy) = &finding.remedy {
        lines.push(format!("      remedy: {}", escape(remedy)));
    }
    lines
}

fn architecture(
    architecture: &Architecture,
    claim: Option<ArchitectureClass>,
    paint: Paint,
    lines: &mut Vec<String>,
) {
    let claims = claim.map(|claim| format!("; claims to be {claim}")).unwrap_or_default();
    let Some(class) = architecture.class else {
        lines.push(format!("ARCHITECTURE: none: nothing was handed over{claims}"));
        return;
    };
    let hub = architecture.hub.as_deref().map(|hub| format!(", hub {}", escape(hub))).unwrap_or_default();
    let name = paint.strong(class.name());
    lines.push(format!("ARCHITECTURE: {name}{hub}{claims}"));
    let share = |share: &fleetsim_monitors::Share| {
        let part = fleetsim_monitors::Ratio::new(share.part, share.whole);
        let by = if share.by.is_empty() { "nobody".to_owned() } else { escape(&share.by) };
        format!("{} {part} by {by}", share.share)
    };
    let shares: Vec<String> = architecture.largest.iter().map(share).collect();
    let peer_to_peer = fleetsim_monitors::Ratio::new(2, architecture.agents.max(2));
    let peer_to_peer =
        if peer_to_peer.at_least(1, 5) { peer_to_peer.to_string() } else { "0.200".to_owned() };
    lines.push(format!(
        "  largest shares: {} (a hub from 0.500, peers up to {peer_to_peer})",
        shares.join(", ")
    ));
    let (decides, carries) = (escape(&architecture.decides), escape(&architecture.carries));
    let mut who = format!("  who decides: {decides}; who carries: {carries}");
    if !architecture.separators.is_empty() {
        const LISTED_MAX: usize = 5;
        let listed = architecture.separators.iter().take(LISTED_MAX).map(|name| escape(name));
        let more = if architecture.separators.len() > LISTED_MAX { ", …" } else { "" };
        let _ = write!(who, "; single points of failure: {}{more}", listed.collect::<Vec<_>>().join(", "));
    }
    lines.push(who);
}

/// The seams as a table, those with most trouble first, and how long was waited at them.
fn seams(seams: &[SeamTally], paint: Paint, lines: &mut Vec<String>) {
    if seams.is_empty() {
        return;
    }
    let trouble = |seam: &SeamTally| seam.late.saturating_add(seam.duplicated).saturating_add(seam.lost);
    let mut ordered: Vec<&SeamTally> = seams.iter().collect();
    if ordered.len() > SEAMS_MAX {
        ordered.sort_by_key(|seam| (std::cmp::Reverse(trouble(seam)), &seam.name));
    }
    let heads = ["seam", "handed over", "late", "duplicated", "lost", "in flight", "median", "p99"];
    let mut rows: Vec<Vec<String>> = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(ordered.iter().take(SEAMS_MAX).map(|seam| {
        let counts = [seam.handed_over, seam.late, seam.duplicated, seam.lost, seam.in_flight];
        let waits = [seam.waits.quantile_ns(50, 100), seam.waits.quantile_ns(99, 100)];
        let name = std::iter::once(escape(&seam.name));
        name.chain(counts.map(grouped)).chain(waits.map(duration)).collect()
    }));
    let widths: Vec<usize> = (0..heads.len())
        .map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0))
        .collect();
    for (number, row) in rows.iter().enumerate() {
        let mut line = format!("{:<width$}", row[0], width = widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            let _ = write!(line, "  {cell:>width$}");
        }
        lines.push(if number == 0 { paint.dim(&line) } else { line });
    }
    if ordered.len() > SEAMS_MAX {
        lines.push(format!("… and {} more", ordered.len() - SEAMS_MAX));
    }
    if let Some(drawn) = histogram::line(ordered.iter().map(|seam| &seam.waits)) {
        lines.push(format!("waits at seams {drawn}"));
    }
}

fn tally(report: &Report, lines: &mut Vec<String>) {
    let tasks = &report.tally.tasks;
    if tasks.added > 0 {
        lines.push(format!(
            "tasks {} added, {} done{}, {} failed, {} pending; {} done an hour",
            grouped(tasks.added),
            grouped(tasks.done),
            if tasks.falsely_done > 0 {
                format!(" ({} falsely)", grouped(tasks.falsely_done))
            } else {
                String::new()
            },
            grouped(tasks.failed),
            grouped(tasks.pending),
            decimal(tasks.done_per_hour_thousandths),
        ));
    }
    let (cost, requests) = (&report.tally.cost, &report.tally.requests);
    if requests.admitted > 0 || requests.refused > 0 || cost.nano_dollars > 0 {
        lines.push(format!(
            "cost {}: {} tokens in, {} cached, {} out; {} requests admitted, {} refused",
            dollars(cost.nano_dollars),
            grouped(cost.tokens_in),
            grouped(cost.cached),
            grouped(cost.tokens_out),
            grouped(requests.admitted),
            grouped(requests.refused),
        ));
    }
    let checks = &report.tally.checks;
    if checks.passed > 0 || checks.failed > 0 || checks.together.is_some() {
        let together = match checks.together {
            None => "",
            Some(true) => "; all results together: passed",
            Some(false) => "; all results together: failed",
        };
        let (passed, failed) = (grouped(checks.passed), grouped(checks.failed));
        lines.push(format!("checks of results one by one: {passed} passed, {failed} failed{together}"));
    }
    for fairness in report.tally.fairness.iter().filter(|fairness| fairness.agents > 1) {
        lines.push(format!(
            "fairness at {}: Jain's index {} over the tokens of {} agents",
            escape(&fairness.model),
            fairness.jain,
            grouped(fairness.agents),
        ));
    }
}

/// What fault rules did, and which of them did nothing.
fn faults(plan: &injection::Plan, tally: &[FaultTally], lines: &mut Vec<String>) {
    if !tally.is_empty() {
        let counts = |tally: &FaultTally| format!("{} {}", escape(&tally.fault), grouped(tally.count));
        let of_rule = |rule: &[FaultTally]| {
            let name = rule.first().map(|first| escape(&first.rule)).unwrap_or_default();
            format!("{name} ({})", rule.iter().map(counts).collect::<Vec<_>>().join(", "))
        };
        let rules: Vec<&[FaultTally]> = tally.chunk_by(|one, next| one.rule == next.rule).collect();
        let shown: Vec<String> = rules.iter().take(FAULTS_MAX).map(|rule| of_rule(rule)).collect();
        lines.push(format!("faults injected: {}{}", shown.join(", "), and_more(rules.len())));
    }
    let fired = |name: &str| tally.iter().any(|tally| tally.rule == name);
    let silent: Vec<&str> = plan.rules().map(|(name, _)| name).filter(|name| !fired(name)).collect();
    if !silent.is_empty() {
        let shown: Vec<String> =
            silent.iter().take(FAULTS_MAX).map(|name| format!("`{}`", escape(name))).collect();
        let noun = if silent.len() == 1 { "rule" } else { "rules" };
        lines.push(format!("{noun} {}{} never fired", shown.join(", "), and_more(silent.len())));
    }
}

fn and_more(rules: usize) -> String {
    if rules > FAULTS_MAX { format!(" and {} more", rules - FAULTS_MAX) } else { String::new() }
}

/// What was expected; those that failed come first.
fn expectations(judgement: &Judgement, own_seed: bool, paint: Paint, lines: &mut Vec<String>) {
    let mut ordered: Vec<_> = judgement.judged.iter().collect();
    ordered.sort_by_key(|judged| !Judgement::fails(judged, own_seed));
    for judged in ordered.iter().take(EXPECTATIONS_MAX) {
        let verdict = match judged.verdict {
            Verdict::Met => paint.good("yes"),
            Verdict::Undecided => "not decided: the run was cut short".to_owned(),
            Verdict::Unmet if Judgement::fails(judged, own_seed) => paint.bad("NO"),
            Verdict::Unmet => "not with this seed or these faults, and need not be".to_owned(),
        };
        lines.push(format!("expected: {}: {verdict}", escape(&judged.text)));
    }
    if ordered.len() > EXPECTATIONS_MAX {
        lines.push(format!("… and {} more expectations", ordered.len() - EXPECTATIONS_MAX));
    }
}

#[cfg(test)]
mod tests {
    use fleetsim_engine::{Ending, Manifest, Time};
    use fleetsim_monitors::{Class, Evidence, Moment, MonitorConfig, Panel, RunEnd, Severity};

    use super::*;

    fn text(report: &Report, judgement: &Judgement) -> String {
        let outcome =
            Outcome { ending: Ending::Quiescent, events: 5, messages: 3, time: Time::from_ns(7), agents: 2 };
        let view = RunView {
            scenario: "a\u{1b}[2J.toml",
            seed: 7,
            own_seed: true,
            outcome: &outcome,
            complete: true,
            agents: 2,
            digest: Digest([7; 32]),
            wall: Duration::from_millis(500),
            claims_to_be: None,
            faults: &injection::Plan::default(),
            judged: Some((report, judgement)),
            trace: None,
            again: "again: fleetsim run a.toml --seed 7",
        };
        run(&view, Paint::none())
    }

    fn empty() -> Report {
        let panel = Panel::new(&MonitorConfig::default(), &Manifest::default());
        panel.report(&RunEnd { time: Time::ZERO, complete: true, quiescent: true })
    }

    #[test]
    fn a_report_begins_with_findings_and_ends_with_the_command() {
        let text = text(&empty(), &Judgement::default());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "a\\u{1b}[2J.toml, seed 7: 5 events among 2 agents, ended at 00:00:00 (nothing left to happen)"
        );
        assert_eq!(lines[1], "no findings");
        assert!(lines.contains(&"wall time 500ms, 10 events/s"), "{text}");
        assert_eq!(lines.last(), Some(&"again: fleetsim run a.toml --seed 7"));
    }

    #[test]
    fn a_hundred_findings_fill_no_more_than_the_screen() {
        let mut report = empty();
        for number in 0..100 {
            let moment = Moment { event: number, at: Time::ZERO };
            let mut finding = Finding::new(
                "lost-update",
                Class::Safety,
                Severity::High,
                "test",
                moment,
                "plan.md",
                "\u{1b}[31m",
            );
            finding.evidence = (0..6).map(|_| Evidence::new(moment, "w\u{7}")).collect();
            finding.earliest_signal = Some(Evidence::new(moment, "early"));
            finding.remedy = Some("read first".to_owned());
            report.findings.push(finding);
        }
        let text = text(&report, &Judgement { judged: Vec::new(), unexpected: vec![99] });
        assert!(text.lines().count() <= 40, "{text}");
        assert!(!text.contains(['\u{1b}', '\u{7}']), "names are escaped");
        let first = text.lines().nth(2).unwrap();
        assert!(first.starts_with("100. LOST UPDATE on plan.md"), "the unexpected one comes first: {first}");
        assert!(text.contains("… and 98 more") || text.contains("… and 97 more"), "{text}");
    }
}
