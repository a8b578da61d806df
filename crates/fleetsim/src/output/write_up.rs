//! The write-up of a trace in Markdown: context, observation, hypothesis, mitigation, open questions.
//!
//! Everything in it follows from the trace. What does not is left blank, and marked so that its reader finds it.

use fleetsim_monitors::{SeamTally, Verdict};
use fleetsim_trace_replay::Trace;
use fleetsim_trace_replay::text::escape;

use super::figures::{clock, counted, decimal, dollars, duration, grouped};
use crate::command::audit::Observed;
use crate::expectation::Verdict as Met;

/// Findings that are written out.
const FINDINGS_MAX: usize = 20;
/// Witnesses of each.
const WITNESSES_MAX: usize = 6;

/// What led to a finding, step by step back.
pub(crate) struct Chain {
    /// The finding's place among all.
    pub(crate) finding: usize,
    /// The tree of causes, safe to show.
    pub(crate) lines: Vec<String>,
}

/// The write-up. `program` and `trace_word` are what a user types to look closer.
pub(crate) fn markdown(
    program: &str,
    trace_word: &str,
    trace: &Trace,
    observed: &Observed,
    chains: &[Chain],
) -> String {
    let mut page = Page::default();
    let name = trace_name(trace_word, trace);
    page.line(&format!("# What happened in {name}"));
    page.heading("Context");
    context(trace, observed, &mut page);
    page.heading("Observation");
    observation(observed, &mut page);
    page.heading("Hypothesis");
    hypothesis(observed, chains, &mut page);
    page.heading("Mitigation");
    mitigation(observed, &mut page);
    page.heading("Open questions");
    open_questions(trace, observed, &mut page);
    page.blank_line();
    page.line("To look closer:");
    page.blank_line();
    page.line("```sh");
    page.line(&format!("{} replay {trace_word}", escape(program)));
    page.line(&format!("{} audit {trace_word}", escape(program)));
    if !observed.report.findings.is_empty() {
        page.line(&format!("{} why {trace_word} --finding 1", escape(program)));
    }
    page.line("```");
    page.text
}

fn trace_name(trace_word: &str, trace: &Trace) -> String {
    match trace.header().scenario.name.as_str() {
        "" => plain(trace_word),
        name => plain(name),
    }
}

fn context(trace: &Trace, observed: &Observed, page: &mut Page) {
    let header = trace.header();
    let digest = observed.digest.map_or_else(|| "not known".to_owned(), |digest| format!("`{digest}`"));
    if header.scenario.text.is_empty() {
        page.item("recorded from a log: there is no scenario in the trace, and nothing to execute again");
    } else {
        let set: Vec<String> =
            header.overrides.iter().map(|(path, value)| plain(&format!("{path}={value}"))).collect();
        let set = if set.is_empty() { String::new() } else { format!(", with {}", set.join(", ")) };
        page.item(&format!("a simulated run of {}, seed {}{set}", plain(&header.scenario.name), header.seed));
    }
    page.item(&format!(
        "{} up to {}, semantics {}, digest {digest}",
        counted(trace.steps(), "event"),
        clock(observed.end.time),
        header.semantics,
    ));
    if trace.is_partial() {
        page.item("**the trace is partial**: what came after its end is not in it, and not in this report");
    } else if !observed.end.complete {
        page.item("the run was cut short before its own end");
    }
    let groups: Vec<String> = header
        .manifest
        .groups
        .iter()
        .map(|group| match group.count {
            1 => plain(&group.name),
            count => format!("{} × {count}", plain(&group.name)),
        })
        .collect();
    if !groups.is_empty() {
        page.item(&format!("who is there: {}", groups.join(", ")));
    }
    let architecture = &observed.report.architecture;
    let is = architecture.class.map_or("nothing that can be named", |class| class.name());
    let claim = observed.claim().map(|claim| format!(", and claims to be {claim}")).unwrap_or_default();
    page.item(&format!(
        "the fleet is {is}{claim}; who decides: {}; who carries: {}",
        plain(&architecture.decides),
        plain(&architecture.carries),
    ));
    page.blank("who was affected, and how much it mattered to them");
}

fn observation(observed: &Observed, page: &mut Page) {
    let findings = &observed.report.findings;
    if findings.is_empty() {
        page.item("the monitors found nothing, which says nothing about what they do not look for");
    }
    for (at, finding) in findings.iter().enumerate().take(FINDINGS_MAX) {
        page.item(&format!("**{}. {}** ({})", at + 1, plain(&finding.summary), expected(observed, at)));
        for witness in finding.evidence.iter().take(WITNESSES_MAX) {
            page.sub_item(&format!("`#e{}` {} {}", witness.event, clock(witness.at), plain(&witness.text)));
        }
        if let Some(signal) = &finding.earliest_signal {
            let lead = finding.lead_time_ns.map(|lead_ns| format!(", {} before", duration(lead_ns)));
            page.sub_item(&format!(
                "earliest signal{}: `#e{}` {}",
                lead.unwrap_or_default(),
                signal.event,
                plain(&signal.text)
            ));
        }
    }
    if findings.len() > FINDINGS_MAX {
        page.item(&format!("and {}", counted((findings.len() - FINDINGS_MAX) as u64, "more finding")));
    }
    let tally = &observed.report.tally;
    let tasks = &tally.tasks;
    if tasks.added > 0 {
        page.item(&format!(
            "of {}, {} were done ({} falsely), {} failed, {} are pending; {} done an hour",
            counted(tasks.added, "task"),
            grouped(tasks.done),
            grouped(tasks.falsely_done),
            grouped(tasks.failed),
            grouped(tasks.pending),
            decimal(tasks.done_per_hour_thousandths),
        ));
    }
    if tally.cost.nano_dollars > 0 {
        page.item(&format!("the models cost {}", dollars(tally.cost.nano_dollars)));
    }
    let trouble = |seam: &&SeamTally| seam.late + seam.duplicated + seam.lost > 0;
    for seam in tally.seams.iter().filter(trouble) {
        page.item(&format!(
            "seam {}: {} handed over, {} late, {} duplicated, {} lost",
            plain(&seam.name),
            grouped(seam.handed_over),
            grouped(seam.late),
            grouped(seam.duplicated),
            grouped(seam.lost),
        ));
    }
    for check in observed.audit.checklist.iter().filter(|check| check.verdict == Verdict::Fail) {
        let event = check.event.map(|event| format!(" (`#e{event}`)")).unwrap_or_default();
        page.item(&format!("failed check: {}: {}{event}", check.check, plain(&check.reason)));
    }
}

fn expected(observed: &Observed, at: usize) -> &'static str {
    match &observed.judgement {
        None => "nothing says whether it is expected",
        Some(judgement) if judgement.unexpected.contains(&at) => "not expected",
        Some(_) => "expected by the scenario",
    }
}

fn hypothesis(observed: &Observed, chains: &[Chain], page: &mut Page) {
    page.item(&format!("what limits the fleet: {}", plain(&observed.audit.bottleneck.summary)));
    for chain in chains {
        let finding = &observed.report.findings[chain.finding];
        page.item(&format!(
            "finding {}, {}: its last witness and what caused that, as recorded",
            chain.finding + 1,
            plain(finding.kind)
        ));
        page.blank_line();
        page.line("  ```text");
        // No line of a trace can end the block.
        chain.lines.iter().for_each(|line| page.line(&format!("  {}", line.replace("```", "'''"))));
        page.line("  ```");
        page.blank_line();
    }
    if chains.is_empty() {
        page.blank("why it came to this: there is no finding to explain");
    } else {
        page.blank(
            "which of these causes, taken away, would have prevented it: a record alone does not show that",
        );
    }
}

fn mitigation(observed: &Observed, page: &mut Page) {
    let mut told: Vec<&str> = Vec::new();
    for finding in &observed.report.findings {
        if let Some(remedy) = finding.remedy.as_deref().filter(|remedy| !told.contains(remedy)) {
            told.push(remedy);
            page.item(&format!("against {}: {}", plain(finding.kind), plain(remedy)));
        }
    }
    if told.is_empty() {
        page.blank("what to do: no finding comes with a remedy");
    } else {
        page.blank("what was done, by whom, and how it was seen to work: none of the above has been tried");
    }
}

fn open_questions(trace: &Trace, observed: &Observed, page: &mut Page) {
    let before = page.items;
    for check in observed.audit.checklist.iter().filter(|check| check.verdict == Verdict::NotVisible) {
        page.item(&format!("not visible whether {}: {}", check.check, plain(&check.reason)));
    }
    if let Some(caution) = &observed.report.architecture.caution {
        page.item(&format!("what the architecture is: {}", plain(caution)));
    }
    if let Some(judgement) = &observed.judgement {
        for judged in &judgement.judged {
            match judged.verdict {
                Met::Met => {}
                Met::Unmet => page.item(&format!("expected, and not seen: {}", plain(&judged.text))),
                Met::Undecided => {
                    page.item(&format!(
                        "expected, and undecided since the run was cut short: {}",
                        plain(&judged.text)
                    ));
                }
            }
        }
    }
    let findings = observed.report.findings.iter().enumerate();
    for (at, finding) in findings.filter(|(_, finding)| finding.remedy.is_none()) {
        page.item(&format!("what to do about finding {}, {}", at + 1, plain(finding.kind)));
    }
    if trace.is_partial() {
        page.item("what happened after the end of the trace");
    }
    if page.items == before {
        page.blank("none that a trace can raise");
    }
    page.blank("who looks into this, until when");
}

/// A page of Markdown.
#[derive(Default)]
struct Page {
    text: String,
    /// Items so far.
    items: usize,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.text += text;
        self.text.push('\n');
    }

    fn blank_line(&mut self) {
        self.line("");
    }

    fn heading(&mut self, text: &str) {
        self.line(&format!("\n## {text}\n"));
    }

    fn item(&mut self, text: &str) {
        self.items += 1;
        self.line(&format!("- {text}"));
    }

    fn sub_item(&mut self, text: &str) {
        self.line(&format!("  - {text}"));
    }

    /// Something for whoever reads this to fill in.
    fn blank(&mut self, what: &str) {
        self.line(&format!("- _(blank: {what})_"));
    }
}

/// Text as Markdown shows it: nothing in it is obeyed, neither by a terminal nor by a reader of Markdown.
fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in escape(text).chars() {
        if "\\`*_[]<>|#&!~".contains(character) {
            shown.push('\\');
        }
        shown.push(character);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markdown() {
        for (name, shown) in [
            ("plan.md", "plan.md"),
            ("a_b", "a\\_b"),
            ("[x](http://y)", "\\[x\\](http://y)"),
            ("<script>", "\\<script\\>"),
            ("`\u{1b}`", "\\`\\\\u{1b}\\`"),
            ("a\nb", "a\\\\u{a}b"),
        ] {
            assert_eq!(plain(name), shown);
        }
    }
}
