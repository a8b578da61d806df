//! The broker: delivery at least or at most once, room, order, and who gets what.

use fleetsim_agents::broker::{Broker, Delivery, Request, Settings};
use fleetsim_agents::item::Parcel;
use fleetsim_engine::AgentId;

use crate::support::{fleet, item, parcel, play_until, probes, seam};

use Do::{Ack, Ready};

/// What a consumer of seam 0 says. The messages of a run are numbered from 0.
#[derive(Clone, Copy, Debug)]
enum Do {
    Ready,
    Ack(u64),
}

struct Case<'a> {
    name: &'a str,
    settings: Settings,
    /// When item 1, 2, … is published.
    published_at: &'a [u64],
    consumers: &'a [&'a [(u64, Do)]],
    /// When which consumer hears of which item.
    delivered: &'a [(u64, u32, u64)],
    stated: &'a [&'a str],
}

pub(crate) const PLAIN: Settings = Settings {
    redelivers_after_ns: Some(100),
    capacity: 10,
    reader: None,
    newest_first: false,
    dead_letter_after: None,
};
const AT_MOST_ONCE: Settings = Settings { redelivers_after_ns: None, ..PLAIN };

/// The settings of a queue that consumer 1 reads.
fn read_by_the_first(settings: &Settings) -> Settings {
    Settings { reader: Some(AgentId::named("consumer", 1)), ..settings.clone() }
}

fn deliveries(
    settings: Settings,
    published: Vec<(u64, Parcel)>,
    consumers: &[&[(u64, Do)]],
) -> (Vec<(u64, u32, u64)>, Vec<String>) {
    let mut fleet = fleet(1);
    let seams = [0, 1].map(|number| seam(number, "work", &[AgentId::named("consumer", 1)]));
    let broker = AgentId::named("broker", 1);
    fleet.add("broker", 1, move |_| Broker::new(settings.clone(), seams.clone().into())).expect("one broker");
    let say = |(at_ns, what): &(u64, Do)| match *what {
        Ready => (*at_ns, Request::Ready { seams: vec![0] }),
        Ack(message) => (*at_ns, Request::Acknowledge { message }),
    };
    let scripts = consumers.iter().map(|script| script.iter().map(say).collect()).collect();
    let heard = probes(&mut fleet, "consumer", broker, scripts, |_: &Delivery| None);
    let publish = |(at_ns, parcel)| (at_ns, Request::Publish(parcel));
    let published = vec![published.into_iter().map(publish).collect()];
    probes(&mut fleet, "publisher", broker, published, |_: &Delivery| None);
    let run = play_until(fleet, 1_000);
    let item_of = |(at_ns, who, delivery): &(u64, u32, Delivery)| {
        let Delivery::Deliver { parcel, .. } = delivery;
        (*at_ns, *who, parcel.item.id)
    };
    let delivered = heard.borrow().iter().map(item_of).collect();
    (delivered, run.lines(&["undelivered", "guard", "handed"]))
}

fn check(case: Case<'_>) {
    let items = (1..).zip(case.published_at).map(|(id, at_ns)| (*at_ns, parcel(0, item(id)))).collect();
    let (delivered, stated) = deliveries(case.settings, items, case.consumers);
    assert_eq!(delivered, case.delivered, "{}: deliveries", case.name);
    assert_eq!(stated, case.stated, "{}: facts", case.name);
}

#[test]
fn a_read_queue_delivers_until_it_is_acknowledged_or_gives_up() {
    for (name, settings, published_at, script, delivered, stated) in [
        (
            "at least once, until acknowledged and not after",
            PLAIN,
            &[10][..],
            &[(250, Ack(0))][..],
            &[(11, 1, 1), (111, 1, 1), (211, 1, 1)][..],
            &[][..],
        ),
        ("acknowledged at once", PLAIN, &[10], &[(12, Ack(0))], &[(11, 1, 1)], &[]),
        (
            "another message's acknowledgement does not count",
            PLAIN,
            &[10],
            &[(12, Ack(1)), (150, Ack(0)), (160, Ack(0))],
            &[(11, 1, 1), (111, 1, 1)],
            &[],
        ),
        ("at most once", AT_MOST_ONCE, &[10], &[], &[(11, 1, 1)], &[]),
        (
            "dead letters",
            Settings { dead_letter_after: Some(2), ..PLAIN },
            &[10],
            &[],
            &[(11, 1, 1), (111, 1, 1)],
            &["210 guard dead-letter-after 1", "210 undelivered 1: delivered too often"],
        ),
        (
            "the unacknowledged take room, the acknowledged give it back",
            Settings { capacity: 1, ..PLAIN },
            &[10, 20, 40],
            &[(30, Ack(0)), (50, Ack(1))],
            &[(11, 1, 1), (41, 1, 3)],
            &["20 undelivered 2: the queue is full"],
        ),
        (
            "at most once, nothing is kept",
            Settings { capacity: 1, ..AT_MOST_ONCE },
            &[10, 20],
            &[],
            &[(11, 1, 1), (21, 1, 2)],
            &[],
        ),
    ] {
        let settings = read_by_the_first(&settings);
        check(Case { name, settings, published_at, consumers: &[script], delivered, stated });
    }
}

#[test]
fn a_reader_gets_everything_and_the_ready_nothing() {
    check(Case {
        name: "reader",
        settings: read_by_the_first(&AT_MOST_ONCE),
        published_at: &[10, 11, 12],
        consumers: &[&[], &[(5, Ready)]],
        delivered: &[(11, 1, 1), (12, 1, 2), (13, 1, 3)],
        stated: &[],
    });
}

#[test]
fn free_consumers_compete() {
    for case in [
        Case {
            name: "one each, in the order of readiness; the busy third gets nothing",
            settings: AT_MOST_ONCE,
            published_at: &[10, 11, 12],
            consumers: &[&[(6, Ready), (50, Ready)], &[(5, Ready)], &[]],
            delivered: &[(11, 2, 1), (12, 1, 2), (51, 1, 3)],
            stated: &["10 handed 1 to 2", "11 handed 2 to 1", "50 handed 3 to 1"],
        },
        Case {
            name: "saying so twice makes nobody twice as free",
            settings: AT_MOST_ONCE,
            published_at: &[10, 11],
            consumers: &[&[(5, Ready), (6, Ready)]],
            delivered: &[(11, 1, 1)],
            stated: &["10 handed 1 to 1"],
        },
        Case {
            name: "what is not acknowledged goes to whoever is free next",
            settings: PLAIN,
            published_at: &[10],
            consumers: &[&[(5, Ready)], &[(150, Ready), (160, Ack(0))]],
            delivered: &[(11, 1, 1), (151, 2, 1)],
            stated: &["10 handed 1 to 1", "150 handed 1 to 2"],
        },
        Case {
            name: "an acknowledgement that comes while the message waits again withdraws it",
            settings: PLAIN,
            published_at: &[10],
            consumers: &[&[(5, Ready), (120, Ack(0)), (130, Ready)]],
            delivered: &[(11, 1, 1)],
            stated: &["10 handed 1 to 1"],
        },
        Case {
            name: "oldest first",
            settings: AT_MOST_ONCE,
            published_at: &[10, 11, 12],
            consumers: &[&[(20, Ready), (30, Ready), (40, Ready)]],
            delivered: &[(21, 1, 1), (31, 1, 2), (41, 1, 3)],
            stated: &["20 handed 1 to 1", "30 handed 2 to 1", "40 handed 3 to 1"],
        },
        Case {
            name: "newest first",
            settings: Settings { newest_first: true, ..AT_MOST_ONCE },
            published_at: &[10, 11, 12],
            consumers: &[&[(20, Ready), (30, Ready), (40, Ready)]],
            delivered: &[(21, 1, 3), (31, 1, 2), (41, 1, 1)],
            stated: &["20 handed 3 to 1", "30 handed 2 to 1", "40 handed 1 to 1"],
        },
        Case {
            name: "a full queue",
            settings: Settings { capacity: 2, ..AT_MOST_ONCE },
            published_at: &[10, 11, 12, 30],
            consumers: &[&[(20, Ready), (40, Ready), (50, Ready)]],
            delivered: &[(21, 1, 1), (41, 1, 2), (51, 1, 4)],
            stated: &[
                "12 undelivered 3: the queue is full",
                "20 handed 1 to 1",
                "40 handed 2 to 1",
                "50 handed 4 to 1",
            ],
        },
    ] {
        check(case);
    }
}

#[test]
fn a_parcel_waits_for_its_receiver_and_its_seam_and_lets_others_pass() {
    let second = AgentId::named("consumer", 2);
    let items = vec![
        (10, parcel(1, item(1))),
        (11, Parcel { receiver: Some(second), ..parcel(0, item(2)) }),
        (12, parcel(0, item(3))),
    ];
    let (delivered, _) = deliveries(AT_MOST_ONCE, items, &[&[(20, Ready)], &[(30, Ready), (40, Ready)]]);
    assert_eq!(delivered, [(21, 1, 3), (31, 2, 2)], "nobody asked for seam 1");
}
