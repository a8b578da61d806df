//! The checks of the reproducibility checklist that the trace itself answers, rather than the facts in it.

use fleetsim_monitors::{Check, Moment, Verdict};
use fleetsim_trace_replay::{Header, Level, Trace, Verification};

use crate::output::figures::counted;

pub(super) fn of_header(trace: &Trace, verified: &Verification, first_input: Option<Moment>) -> [Check; 3] {
    [inputs(trace.header(), first_input), determinism(trace, verified), versions(trace.header())]
}

/// Whether all that came in is in the trace.
fn inputs(header: &Header, first_input: Option<Moment>) -> Check {
    const CHECK: &str = "inputs from outside are recorded";
    let check = |verdict, reason: &str| Check::new(CHECK, verdict, reason.to_owned());
    match (header.external_inputs, header.scenario.text.is_empty(), header.level) {
        (false, false, _) => {
            let files = header.scenario.files.len() as u64;
            let data =
                if files > 0 { format!(" and {}", counted(files, "data file")) } else { String::new() };
            Check::new(
                CHECK,
                Verdict::Pass,
                format!("nothing comes in but by the scenario{data}, which the trace holds"),
            )
        }
        (true, false, Level::Full) => {
            check(Verdict::Pass, "inputs came from outside; their payloads are in the trace")
        }
        (true, false, _) => {
            check(Verdict::Fail, "inputs came from outside, and the trace was recorded without payloads")
                .shown_by(first_input)
        }
        (_, true, _) => {
            check(Verdict::NotVisible, "the trace holds no scenario: what else came in is not known")
        }
    }
}

/// Whether the record is that of one run. That the program still does the same, only executing it again can show.
fn determinism(trace: &Trace, verified: &Verification) -> Check {
    const CHECK: &str = "the digest holds";
    if let Some(damage) = verified.damage.first() {
        return Check::new(CHECK, Verdict::Fail, damage.to_string());
    }
    let steps = counted(verified.steps, "step");
    if trace.is_partial() {
        let reason =
            format!("{steps} have the hashes that were recorded; the end of the run is not in the trace");
        return Check::new(CHECK, Verdict::NotVisible, reason);
    }
    let reason = match trace.header().scenario.text.is_empty() {
        false => format!("{steps} have the hashes that were recorded; `replay` also executes them again"),
        true => format!("{steps} have the hashes that were recorded; there is nothing to execute again"),
    };
    Check::new(CHECK, Verdict::Pass, reason)
}

/// Whether the trace says what made it.
fn versions(header: &Header) -> Check {
    const CHECK: &str = "versions are stated";
    let unnamed = header.behaviours.iter().filter(|behaviour| behaviour.version.is_empty());
    let mut missing: Vec<String> =
        unnamed.map(|behaviour| format!("of behaviour {}", behaviour.name)).collect();
    if header.program.version.is_empty() {
        missing.insert(0, "of the program".to_owned());
    }
    if !missing.is_empty() {
        return Check::new(CHECK, Verdict::Fail, format!("missing: {}", missing.join(", ")));
    }
    let behaviours = match header.behaviours.len() as u64 {
        0 => String::new(),
        count => format!(", {}", counted(count, "behaviour")),
    };
    let (program, format, semantics) = (&header.program, header.format, header.semantics);
    let reason = format!(
        "{} {}, format {format}, semantics {semantics}{behaviours}",
        if program.name.is_empty() { "program" } else { &program.name },
        program.version,
    );
    // Which models and prompts stood behind the agents of a foreign log, it does not say.
    let verdict = if header.scenario.text.is_empty() { Verdict::NotVisible } else { Verdict::Pass };
    let reason = match verdict {
        Verdict::NotVisible => format!("of what was recorded nothing is stated; recorded by {reason}"),
        _ => reason,
    };
    Check::new(CHECK, verdict, reason)
}
