//! The two example scenarios load, and say what they are meant to say.

use fleetsim_scenario::vocabulary::{
    Architecture, Arrival, CheckedBy, ChosenBy, Delivery, Judgement, MediumKind, Nature, When,
};
use fleetsim_scenario::{Distribution, Overrides, Scenario, Shape};

const CONTENT_PIPELINE: &str = include_str!("examples/content-pipeline.toml");
const CODING_FLEET: &str = include_str!("examples/coding-fleet.toml");

fn parse(name: &str, text: &str) -> Scenario {
    Scenario::parse(name, text, &Overrides::none()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn content_pipeline_says_what_it_means() {
    let scenario = parse("content-pipeline.toml", CONTENT_PIPELINE);
    let document = scenario.document();
    assert_eq!(document.agents(), 9);
    assert_eq!(document.fleet.claims_to_be, Some(Architecture::PeerToPeer));
    assert_eq!(document.fleet.lasts.nanoseconds(), 8 * 3_600 * 1_000_000_000);
    assert_eq!(document.fleet.seed, 1);
    assert_eq!(document.fleet.latency.constant().unwrap().to_string(), "2ms");
    assert_eq!(
        document.seam.names().collect::<Vec<_>>(),
        ["topics", "notes", "drafts", "edits", "passed", "pages"],
        "in the order of the file"
    );
    let judgements: Vec<Option<Judgement<'_>>> =
        document.expect.iter().map(|expect| expect.judgement()).collect();
    assert_eq!(judgements[0], Some(Judgement::Architecture(Architecture::DistributedHubAndSpoke)));
    assert!(
        matches!(judgements[2], Some(Judgement::NoFinding(kind)) if kind.as_str() == "duplicate-hand-over")
    );

    let article = document.work.get("article").unwrap();
    assert_eq!(article.checked_by, CheckedBy::Human);
    assert!(matches!(article.arrives.arrival(), Some(Arrival::Poisson(rate))
        if rate.count() == 6 && rate.period_ns() == 3_600_000_000_000));
    let sonnet = document.model.get("sonnet").unwrap();
    assert!(matches!(&sonnet.first_token, Distribution::Drawn(Shape::Lognormal { median, p99 })
        if median.to_string() == "600ms" && p99.to_string() == "4s"));
    let price = sonnet.dollars_per_million.as_ref().unwrap();
    assert_eq!(price.output.nano_dollars(), 15_000_000_000);
    assert_eq!(sonnet.allows.input_tokens.unwrap().count(), 400_000);
    let researcher = document.role.get("researcher").unwrap();
    assert_eq!(researcher.nature(), Some(Nature::Model("sonnet")));
    let wrong = researcher.wrong.unwrap();
    assert_eq!((wrong.numerator(), wrong.denominator()), (1, 25));
    let redis = document.medium.get("redis").unwrap();
    assert_eq!(redis.kind, MediumKind::Queue);
    assert_eq!(redis.delivery, Some(Delivery::AtLeastOnce));
    assert_eq!(redis.read_by.as_deref(), Some("coordinator"));
    let notes = document.seam.get("notes").unwrap();
    assert_eq!(notes.chosen_by, ChosenBy::Role("coordinator".to_owned()));
    assert_eq!(document.seam.get("pages").unwrap().chosen_by, ChosenBy::Sender);
    assert_eq!(document.action.get("publish").unwrap().gate_role(), None);
    assert_eq!(document.guard.fleet_cost_breaker, None);
}

#[test]
fn coding_fleet_says_what_it_means() {
    let scenario = parse("coding-fleet.toml", CODING_FLEET);
    let document = scenario.document();
    assert_eq!(document.agents(), 10);
    let ticket = document.work.get("ticket").unwrap();
    let Some(Arrival::AtOnce(count, Some(then))) = ticket.arrives.arrival() else {
        panic!("{:?}", ticket.arrives)
    };
    assert_eq!(count.get(), 40);
    assert!(matches!(then.arrival(), Some(Arrival::Poisson(rate)) if rate.count() == 4));
    assert_eq!(ticket.touches.as_ref().unwrap().out_of.get(), 200);
    let coder = document.role.get("coder").unwrap();
    assert!(matches!(&coder.turns, Some(Distribution::Drawn(Shape::Lognormal { median, p99 }))
        if median.get() == 18 && p99.get() == 90));
    let hangs = document.model.get("coder-model").unwrap().hangs.as_ref().unwrap();
    assert_eq!((hangs.chance.numerator(), hangs.chance.denominator()), (1, 2_000));
    assert_eq!(document.action.get("release").unwrap().gate_role(), Some("lead"));
    assert_eq!(document.carries("rejected"), When::Rejected);
    assert_eq!(document.carries("approved"), When::Approved);
    assert_eq!(document.carries("dispatch"), When::Always);
    let may = document.may.get("reviewer").unwrap();
    assert_eq!(may.read, ["main", "any-branch"]);
    assert!(may.write.is_empty());
    assert_eq!(document.guard.fleet_cost_breaker.unwrap().nano_dollars(), 300_000_000_000);
    assert!(document.guard.read_before_write);
    assert!(!document.guard.dedupe_hand_overs);
}

#[test]
fn text_and_overrides_give_the_same_scenario_again() {
    let mut overrides = Overrides::none();
    overrides.push("role.coder.count=7").unwrap();
    let scenario = Scenario::parse("a", CODING_FLEET, &overrides).unwrap();
    assert_eq!(scenario.document().role.get("coder").unwrap().count.get(), 7);
    assert_eq!(scenario.resolved()["role"]["coder"]["count"], 7);
    let kept = Overrides::from(scenario.overrides().pairs().to_vec());
    assert_eq!(Scenario::parse("a", scenario.text(), &kept).unwrap(), scenario);
}

#[test]
fn every_word_of_the_vocabulary_is_accepted() {
    parse("everything.toml", include_str!("examples/everything.toml"));
}
