//! What an audit shows: to people about forty lines, to programs one object, to Graphviz a graph.

mod dot;
mod json;

use fleetsim_monitors::{
    Architecture, Bottleneck, Check, NodeKind, NodeMeasures, SeamMeasures, SeamTally, Share, SinglePoint,
    Verdict,
};
use fleetsim_trace_replay::Trace;
use fleetsim_trace_replay::text::escape;

use super::color::Paint;
use super::figures::{clock, counted, duration, grouped};
use crate::command::audit::Observed;

pub(crate) use dot::{Picture, dot};
pub(crate) use json::json;

/// Rows of the nodes' table.
const NODES_MAX: usize = 6;
/// Rows of the seams' table.
const SEAMS_MAX: usize = 8;
/// Parts of the critical path that are shown.
const PARTS_MAX: usize = 3;
/// Names in a list.
const NAMES_MAX: usize = 8;

/// The audit as text that ends with a line break.
pub(crate) fn text(name: &str, trace: &Trace, observed: &Observed, paint: Paint) -> String {
    let mut lines = vec![head(name, trace, observed, paint)];
    let architecture = &observed.report.architecture;
    named(architecture, observed, paint, &mut lines);
    if architecture.class.is_some() {
        shares(architecture, paint, &mut lines);
    }
    bottleneck(&observed.audit.bottleneck, paint, &mut lines);
    lines.push(single_points(&observed.audit.single_points_of_failure, observed.audit.bottleneck.finished));
    nodes(architecture, paint, &mut lines);
    seams(observed, paint, &mut lines);
    checklist(&observed.audit.checklist, paint, &mut lines);
    lines.join("\n") + "\n"
}

fn head(name: &str, trace: &Trace, observed: &Observed, paint: Paint) -> String {
    let header = trace.header();
    let made_by = match header.scenario.text.is_empty() {
        true => String::new(),
        false => format!(" of {}, seed {}", escape(&header.scenario.name), header.seed),
    };
    let partial = if trace.is_partial() {
        "; partial: what came later is not in it"
    } else if !observed.end.complete {
        "; cut short: the run did not come to its own end"
    } else {
        ""
    };
    let (name, events) = (paint.strong(&escape(name)), counted(trace.steps(), "event"));
    format!("{name}{made_by}: {events}, up to {}{partial}", clock(observed.end.time))
}

fn named(architecture: &Architecture, observed: &Observed, paint: Paint, lines: &mut Vec<String>) {
    let claim = observed.claim().map(|claim| format!("; claims to be {claim}")).unwrap_or_default();
    let Some(class) = architecture.class else {
        lines.push(format!("ARCHITECTURE: none: nothing was handed over and nothing decided{claim}"));
        return;
    };
    let hub = architecture.hub.as_deref().map(|hub| format!(", hub {}", escape(hub))).unwrap_or_default();
    let is_honest = observed.claim().is_none_or(|claim| claim == class);
    let shown = if is_honest { paint.strong(class.name()) } else { paint.bad(class.name()) };
    lines.push(format!("ARCHITECTURE: {shown}{hub}{claim}"));
    lines.extend(architecture.caution.iter().map(|caution| format!("  {}", escape(caution))));
    let (decides, carries) = (escape(&architecture.decides), escape(&architecture.carries));
    lines.push(format!("  who decides: {decides}; who carries: {carries}"));
}

/// The shares beside the cuts that they are compared with, and what the graphs' shapes say.
fn shares(architecture: &Architecture, paint: Paint, lines: &mut Vec<String>) {
    let peer_max = architecture.peer_share_max().to_string();
    let heads = ["largest share", "", "of", "by", "hub-and-spoke", "distributed", "peer-to-peer"];
    let row = |share: &Share| {
        let of_what = if share.share == "decision" { "decisions" } else { "hand-overs" };
        let by = if share.by.is_empty() { "nobody".to_owned() } else { escape(&share.by) };
        // By definition the carrier does not make a hub-and-spoke, only a distributed one.
        let hub = if share.share == "carrier" { "" } else { "from 0.800" };
        let ratio = fleetsim_monitors::Ratio::new(share.part, share.whole).to_string();
        let parts = format!("{} of {} {of_what}", grouped(share.part), grouped(share.whole));
        let cuts = [hub.to_owned(), "from 0.500".to_owned(), format!("up to {peer_max}")];
        [share.share.to_owned(), ratio, parts, by].into_iter().chain(cuts).collect()
    };
    let rows: Vec<Vec<String>> = architecture.largest.iter().map(row).collect();
    lines.extend(table(&heads, &rows, 7, paint));
    let centralisation = architecture.centralisation_thousandths;
    lines.push(format!(
        "  centralisation (1 for a star): transport {}, logical {}, decision {}; {} that work",
        thousandths(centralisation.transport),
        thousandths(centralisation.logical),
        thousandths(centralisation.decision),
        counted(architecture.agents, "agent"),
    ));
    let points = match architecture.separators.as_slice() {
        [] => "nobody".to_owned(),
        separators => listed(separators.iter().map(|name| escape(name))),
    };
    lines.push(format!("  articulation points (without them workers cannot reach each other): {points}"));
}

fn bottleneck(bottleneck: &Bottleneck, paint: Paint, lines: &mut Vec<String>) {
    lines.push(format!("BOTTLENECK: {}", paint.strong(&escape(&bottleneck.summary))));
    let Some(path) = &bottleneck.critical_path else { return };
    let parts = path
        .parts
        .iter()
        .take(PARTS_MAX)
        .map(|part| format!("{} {} at {}", duration(part.time_ns), part.spent_on, escape(&part.at)));
    let more = path.parts.len().saturating_sub(PARTS_MAX);
    let more = if more > 0 { format!(", and {more} more parts") } else { String::new() };
    let parts: Vec<String> = parts.collect();
    lines.push(format!(
        "  critical path to item {} (#e{}): {}{more}",
        path.item,
        path.event,
        parts.join(", ")
    ));
    let times = &bottleneck.finished_items;
    let sums: Vec<String> = [
        ("in queue", times.queue_ns),
        ("in service", times.service_ns),
        ("at choosers", times.choice_ns),
        ("at gates", times.gate_ns),
        ("for quotas", times.resource_ns),
        ("for locks", times.lock_ns),
        ("for others", times.join_ns),
        ("in conflict retries", times.conflict_ns),
    ]
    .iter()
    .filter(|(_, time_ns)| *time_ns > 0)
    .map(|(what, time_ns)| format!("{} {what}", duration(*time_ns)))
    .collect();
    let finished = counted(bottleneck.finished, "finished item");
    let sums = if sums.is_empty() { "no time at all".to_owned() } else { sums.join(", ") };
    let unfinished = match bottleneck.unfinished {
        0 => String::new(),
        count => format!("; {} not finished", counted(count, "item")),
    };
    lines.push(format!("  all {finished} together: {sums}{unfinished}"));
}

fn single_points(points: &[SinglePoint], finished: u64) -> String {
    if finished < 2 {
        return "SINGLE POINTS OF FAILURE: not visible: fewer than two items were finished".to_owned();
    }
    let points: Vec<String> =
        points.iter().map(|point| format!("{} ({})", escape(&point.name), point.kind.name())).collect();
    let listed = if points.is_empty() { "nothing".to_owned() } else { listed(points.into_iter()) };
    format!("SINGLE POINTS OF FAILURE: each of the {} finished items needed {listed}", grouped(finished))
}

fn nodes(architecture: &Architecture, paint: Paint, lines: &mut Vec<String>) {
    if architecture.nodes.is_empty() {
        return;
    }
    let heads =
        ["node", "kind", "decisions", "hand-overs", "carried", "neighbours", "betweenness", "articulation"];
    let row = |node: &NodeMeasures| {
        vec![
            escape(&node.name),
            kind(node.kind).to_owned(),
            grouped(node.decisions),
            grouped(node.hand_overs),
            grouped(node.carried),
            grouped(node.neighbours),
            node.betweenness_thousandths.map_or_else(|| "–".to_owned(), thousandths),
            if node.separates { "yes" } else { "no" }.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = architecture.nodes.iter().take(NODES_MAX).map(row).collect();
    lines.extend(table(&heads, &rows, 2, paint));
    let more = (architecture.nodes.len() - rows.len()) as u64 + architecture.nodes_left_out;
    if more > 0 {
        lines.push(format!("  … and {} (all of them with --format json)", counted(more, "more node")));
    }
}

pub(crate) fn kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Agent => "agent",
        NodeKind::Person => "person",
        NodeKind::Medium => "medium",
        NodeKind::Store => "store",
    }
}

fn seams(observed: &Observed, paint: Paint, lines: &mut Vec<String>) {
    let tallies = &observed.report.tally.seams;
    if tallies.is_empty() {
        return;
    }
    let heads = ["seam", "via", "chosen by", "handed over", "median", "p99", "late", "duplicated", "lost"];
    let row = |tally: &SeamTally| {
        let measures = measures(observed, &tally.name);
        let via = measures.filter(|measures| !measures.media.is_empty());
        let via = via.map_or_else(|| "direct".to_owned(), |measures| escape(&measures.media.join(", ")));
        let late = match bound(observed, &tally.name) {
            Some(_) => grouped(tally.late),
            None => "–".to_owned(),
        };
        vec![
            escape(&tally.name),
            via,
            measures.map_or_else(|| "nobody".to_owned(), chooser),
            grouped(tally.handed_over),
            duration(tally.waits.quantile_ns(50, 100)),
            duration(tally.waits.quantile_ns(99, 100)),
            late,
            grouped(tally.duplicated),
            grouped(tally.lost),
        ]
    };
    let rows: Vec<Vec<String>> = tallies.iter().take(SEAMS_MAX).map(row).collect();
    lines.extend(table(&heads, &rows, 3, paint));
    if tallies.len() > SEAMS_MAX {
        lines.push(format!(
            "  … and {} (all of them with --format json)",
            counted((tallies.len() - SEAMS_MAX) as u64, "more seam")
        ));
    }
}

/// Who chose, and how often if not always.
fn chooser(measures: &SeamMeasures) -> String {
    let who = escape(&measures.decides);
    let of = measures.decisions;
    if of.part == of.whole { who } else { format!("{who} ({} of {})", grouped(of.part), grouped(of.whole)) }
}

/// What the architecture knows of a seam; of one that nothing was handed over on, nothing.
fn measures<'a>(observed: &'a Observed, seam: &str) -> Option<&'a SeamMeasures> {
    observed.report.architecture.seams.iter().find(|measures| measures.name == seam)
}

/// From when on a hand-over counts as late, if anybody said.
fn bound(observed: &Observed, seam: &str) -> Option<u64> {
    observed.config.late_after_ns.get(seam).copied()
}

fn checklist(checks: &[Check], paint: Paint, lines: &mut Vec<String>) {
    lines.push("CHECKLIST for reproducible runs, as far as the trace shows it".to_owned());
    for check in checks {
        let word = format!("{:<11}", check.verdict.name());
        let word = match check.verdict {
            Verdict::Pass => paint.good(&word),
            Verdict::Fail => paint.bad(&word),
            Verdict::NotVisible => paint.dim(&word),
        };
        let event = check.event.map(|event| format!(" (#e{event})")).unwrap_or_default();
        lines.push(format!("  {word} {}: {}{event}", check.check, escape(&check.reason)));
    }
}

/// Rows under heads. The first `left` columns are aligned to the left, the others to the right.
fn table(heads: &[&str], rows: &[Vec<String>], left: usize, paint: Paint) -> Vec<String> {
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let width =
        |at: usize| std::iter::once(&heads).chain(rows).map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(at, (cell, width))| match at < left {
            true => format!("{cell:<width$}"),
            false => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    std::iter::once(paint.dim(&line(&heads))).chain(rows.iter().map(line)).collect()
}

fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(NAMES_MAX);
    let shown: Vec<String> = names.take(NAMES_MAX).collect();
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    shown.join(", ") + &more
}

fn thousandths(thousandths: u64) -> String {
    fleetsim_monitors::Ratio::new(thousandths, 1000).to_string()
}
