//! What a scenario expects of its runs, against what a run shows.

use fleetsim_monitors::{ArchitectureClass, Report};
use fleetsim_scenario::vocabulary::{Expect, ExpectSeeds, Judgement as About};

const MISNAMED: &str = "misnamed-architecture";

/// Whether one expectation is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is.
    Met,
    /// It is not.
    Unmet,
    /// The run was cut short before that could be said.
    Undecided,
}

/// One expectation and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    /// What is expected, in words.
    pub(crate) text: String,
    /// Whether it has to be met with every seed, rather than with any.
    pub(crate) always: bool,
    pub(crate) verdict: Verdict,
}

/// How a run compares with what was expected of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// In the order of the file.
    pub(crate) judged: Vec<Judged>,
    /// The positions of the findings that no entry expects.
    pub(crate) unexpected: Vec<usize>,
}

impl Judgement {
    /// Whether an expectation fails the run. With a seed that is not the file's own, one that any seed may meet
    /// does not.
    pub(crate) fn fails(judged: &Judged, own_seed: bool) -> bool {
        judged.verdict == Verdict::Unmet && (own_seed || judged.always)
    }

    /// Whether the run is as expected.
    pub(crate) fn is_met(&self, own_seed: bool) -> bool {
        self.unexpected.is_empty() && !self.judged.iter().any(|judged| Judgement::fails(judged, own_seed))
    }
}

/// Judges a run; `complete` is whether it came to its own end.
pub(crate) fn judge(expected: &[Expect], report: &Report, complete: bool) -> Judgement {
    let judged: Vec<Judged> = expected.iter().map(|expect| judge_one(expect, report, complete)).collect();
    let pairs = || expected.iter().zip(&judged);
    let architecture_met =
        pairs().any(|(expect, judged)| expect.architecture.is_some() && judged.verdict == Verdict::Met);
    let is_expected = |finding: &fleetsim_monitors::Finding| {
        let names_it = |expect: &Expect| {
            expect.finding.as_ref().is_some_and(|kind| finding.matches(kind.as_str(), &narrowing(expect)))
        };
        // Whoever expects what the fleet is knows that it is not what it claims to be.
        expected.iter().any(names_it) || finding.kind == MISNAMED && architecture_met
    };
    let unexpected = report.findings.iter().enumerate().filter(|(_, finding)| !is_expected(finding));
    let unexpected = unexpected.map(|(position, _)| position).collect();
    Judgement { judged, unexpected }
}

fn judge_one(expect: &Expect, report: &Report, complete: bool) -> Judged {
    let shows = |kind: &str| report.findings.iter().any(|finding| finding.matches(kind, &narrowing(expect)));
    let either = |is_met: bool| match (is_met, complete) {
        (true, _) => Verdict::Met,
        (false, true) => Verdict::Unmet,
        (false, false) => Verdict::Undecided,
    };
    let (what, verdict) = match expect.judgement() {
        Some(About::Finding(kind)) => (kind.as_str().to_owned(), either(shows(kind.as_str()))),
        Some(About::NoFinding(kind)) => {
            let verdict = match (shows(kind.as_str()), complete) {
                (true, _) => Verdict::Unmet,
                (false, true) => Verdict::Met,
                (false, false) => Verdict::Undecided,
            };
            (format!("no {}", kind.as_str()), verdict)
        }
        Some(About::Architecture(class)) => {
            let is_met = ArchitectureClass::from_name(class.as_str())
                .is_some_and(|class| report.architecture.matches(class, expect.hub.as_deref()));
            (class.as_str().to_owned(), either(is_met))
        }
        None => ("nothing".to_owned(), Verdict::Met),
    };
    let details: Vec<String> =
        narrowing(expect).iter().map(|(field, value)| format!("{field} {value}")).collect();
    let text = if details.is_empty() { what } else { format!("{what} ({})", details.join(", ")) };
    Judged { text, always: expect.seeds() == ExpectSeeds::All, verdict }
}

/// The fields that an entry is narrowed by, with their values.
fn narrowing(expect: &Expect) -> Vec<(&'static str, &str)> {
    let fields = [
        ("medium", &expect.medium),
        ("role", &expect.role),
        ("hub", &expect.hub),
        ("action", &expect.action),
        ("seam", &expect.seam),
        ("agent", &expect.agent),
        ("resource", &expect.resource),
    ];
    fields.into_iter().filter_map(|(field, value)| Some((field, value.as_deref()?))).collect()
}

#[cfg(test)]
mod tests {
    use fleetsim_engine::{Manifest, Time};
    use fleetsim_monitors::{Class, Finding, Moment, MonitorConfig, Panel, RunEnd, Severity};
    use serde_json::json;

    use super::*;

    fn finding(kind: &'static str, about: &[(&'static str, &str)]) -> Finding {
        let mut finding =
            Finding::new(kind, Class::Safety, Severity::High, "test", Moment::ZERO, "", "it was seen");
        for (field, value) in about {
            finding.about.insert(field, vec![(*value).to_owned()]);
        }
        finding
    }

    fn report(findings: Vec<Finding>, class: Option<ArchitectureClass>) -> Report {
        let panel = Panel::new(&MonitorConfig::default(), &Manifest::default());
        let mut report = panel.report(&RunEnd { time: Time::ZERO, complete: true, quiescent: true });
        report.findings = findings;
        report.architecture.class = class;
        report.architecture.hub = Some("boss".to_owned());
        report
    }

    fn expect(entry: serde_json::Value) -> Expect {
        serde_json::from_value(entry).expect("it is an entry")
    }

    #[test]
    fn expectations_are_judged_one_by_one() {
        use Verdict::*;
        let redis = || finding("duplicate-hand-over", &[("medium", "redis")]);
        let shown = report(vec![redis()], Some(ArchitectureClass::DistributedHubAndSpoke));
        let (kind, class) = ("duplicate-hand-over", "distributed hub-and-spoke");
        for (entry, complete, verdict, unexpected) in [
            (json!({ "finding": kind }), true, Met, 0),
            (json!({ "finding": kind, "medium": "redis" }), true, Met, 0),
            (json!({ "finding": kind, "medium": "page" }), true, Unmet, 1),
            (json!({ "finding": kind, "medium": "page" }), false, Undecided, 1),
            (json!({ "no-finding": kind, "medium": "page" }), true, Met, 1),
            (json!({ "no-finding": kind, "medium": "page" }), false, Undecided, 1),
            (json!({ "no-finding": kind, "medium": "redis" }), true, Unmet, 1),
            (json!({ "no-finding": kind, "medium": "redis" }), false, Unmet, 1),
            (json!({ "architecture": class, "hub": "boss" }), true, Met, 1),
            (json!({ "architecture": class, "hub": "boss" }), false, Met, 1),
            (json!({ "architecture": class, "hub": "other" }), true, Unmet, 1),
            (json!({ "architecture": "peer-to-peer" }), false, Undecided, 1),
        ] {
            let judgement = judge(&[expect(entry.clone())], &shown, complete);
            assert_eq!(judgement.judged[0].verdict, verdict, "{entry}");
            assert_eq!(judgement.unexpected.len(), unexpected, "{entry}");
        }
    }

    #[test]
    fn who_expects_the_architecture_expects_its_misnaming() {
        let shown = report(vec![finding(MISNAMED, &[])], Some(ArchitectureClass::HubAndSpoke));
        let hub = |hub: &str| expect(json!({ "architecture": "hub-and-spoke", "hub": hub }));
        assert!(judge(&[hub("boss")], &shown, true).is_met(true));
        assert_eq!(judge(&[hub("other")], &shown, true).unexpected, [0]);
        assert_eq!(judge(&[], &shown, true).unexpected, [0]);
    }

    #[test]
    fn another_seed_need_not_meet_what_any_seed_may() {
        let nothing = report(Vec::new(), None);
        for (seeds, own_seed, other_seed) in [("any", false, true), ("all", false, false)] {
            let entry = expect(json!({ "finding": "lost-update", "seeds": seeds }));
            let judgement = judge(&[entry], &nothing, true);
            assert_eq!((judgement.is_met(true), judgement.is_met(false)), (own_seed, other_seed));
        }
    }
}
