//! An audit for programs: one object whose fields are contract; more may be added.

use std::path::Path;

use fleetsim_monitors::SeamTally;
use fleetsim_trace_replay::Trace;
use serde_json::{Value, json};

use super::{bound, measures};
use crate::command::audit::Observed;
use crate::output::json::versions;

/// The audit of a trace.
pub(crate) fn json(path: &Path, trace: &Trace, observed: &Observed) -> Value {
    let header = trace.header();
    let architecture = &observed.report.architecture;
    json!({
        "trace": path.to_string_lossy(),
        "scenario": header.scenario.name,
        "seed": header.seed,
        "version": versions(),
        "digest": observed.digest.map(|digest| digest.to_string()),
        "events": trace.steps(),
        "virtual_time_ns": observed.end.time.as_ns(),
        "partial": trace.is_partial(),
        "complete": observed.end.complete,
        "damage": observed.damage.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "architecture": architecture.class.map(|class| class.name()),
        "claims_to_be": observed.claim().map(|claim| claim.name()),
        "caution": architecture.caution,
        "hub": architecture.hub,
        "decides": architecture.decides,
        "carries": architecture.carries,
        "shares": architecture.shares,
        "thresholds": {
            "hub_and_spoke": { "decision": 0.8, "logical": 0.8 },
            "distributed_hub_and_spoke": { "decision": 0.5, "logical": 0.5, "carrier": 0.5 },
            "peer_to_peer": architecture.peer_share_max(),
        },
        "largest": architecture.largest,
        "agents": architecture.agents,
        "hand_overs": architecture.hand_overs,
        "decisions": architecture.decisions,
        "centralisation_thousandths": architecture.centralisation_thousandths,
        "articulation_points": architecture.separators,
        "single_points_of_failure": observed.audit.single_points_of_failure,
        "nodes": architecture.nodes,
        "nodes_left_out": architecture.nodes_left_out,
        "seams": observed.report.tally.seams.iter().map(|tally| seam(observed, tally)).collect::<Vec<_>>(),
        "graphs": architecture.graphs,
        "bottleneck": observed.audit.bottleneck,
        "checklist": observed.audit.checklist,
    })
}

fn seam(observed: &Observed, tally: &SeamTally) -> Value {
    let measures = measures(observed, &tally.name);
    let bound_ns = bound(observed, &tally.name);
    json!({
        "name": tally.name,
        "media": measures.map_or(&[][..], |measures| &measures.media),
        "chosen_by": measures.map_or("nobody", |measures| &measures.decides),
        "chosen_share": measures.map(|measures| measures.decisions),
        "agents": measures.map_or(0, |measures| measures.agents),
        "offered": tally.offered,
        "handed_over": tally.handed_over,
        "waits": {
            "median_ns": tally.waits.quantile_ns(50, 100),
            "p99_ns": tally.waits.quantile_ns(99, 100),
            "longest_ns": tally.waits.longest_ns(),
        },
        "late_after_ns": bound_ns,
        // Without a bound nothing is late, and nothing is in time.
        "late": bound_ns.map(|_| tally.late),
        "duplicated": tally.duplicated,
        "lost": tally.lost,
        "in_flight": tally.in_flight,
    })
}
