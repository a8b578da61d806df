//! Messages of every size and protocol, and those that their receiver does not understand.

use std::cell::RefCell;
use std::rc::Rc;

use fleetsim_engine::batch::Fate;
use fleetsim_engine::codec::PAYLOAD_BYTES_MAX;
use fleetsim_engine::{Address, Agent, AgentId, Context, Message, ProtocolId, Time};
use serde::{Deserialize, Serialize};

use crate::stage::{Cue, Talk, actors, check, fleet, idle, play, to};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Lease {
    Granted { fence: u64 },
    Refused,
}

impl Message for Lease {
    const PROTOCOL: &'static str = "lease";
}

fleetsim_engine::inbox! {
    #[derive(Clone, Debug, PartialEq)]
    pub(crate) enum Both { Talk(Talk), Lease(Lease) }
}

/// Understands two protocols and keeps what it heard.
struct Polyglot(Rc<RefCell<Vec<Both>>>);

impl Agent for Polyglot {
    type Inbox = Both;
    type Timer = ();

    fn on_start(&mut self, ctx: &mut Context<'_, Self>) {
        // An address for each of its protocols.
        assert_eq!(ctx.own_address::<Talk>().id(), ctx.own_address::<Lease>().id());
    }

    fn on_message(&mut self, _ctx: &mut Context<'_, Self>, _from: AgentId, message: Both) {
        self.0.borrow_mut().push(message);
    }
}

#[test]
fn a_union_of_protocols_sorts_what_arrives() {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let ears = Rc::clone(&heard);
    let mut fleet = fleet(1);
    let group = fleet.add("polyglot", 1, move |_| Polyglot(Rc::clone(&ears))).expect("a group");
    let (talk, lease) = (group.address::<Talk>(1), group.address::<Lease>(1));
    fleet.send_at(Time::from_ns(1), talk, &Talk::Note(4));
    fleet.send_at(Time::from_ns(2), lease, &Lease::Granted { fence: 7 });
    fleet.send_at(Time::from_ns(3), lease, &Lease::Refused);
    let mut simulation = fleet.build().expect("valid");
    let protocols: Vec<&str> =
        simulation.manifest().protocols.iter().map(|entry| entry.name.as_str()).collect();
    assert!(protocols.contains(&"talk") && protocols.contains(&"lease"), "{protocols:?}");

    simulation.run(&Default::default(), &mut crate::stage::Log::default());
    let expected =
        [Both::Talk(Talk::Note(4)), Both::Lease(Lease::Granted { fence: 7 }), Both::Lease(Lease::Refused)];
    assert_eq!(*heard.borrow(), expected);
}

#[test]
fn what_does_not_decode_is_told_and_answered() {
    let told = Rc::new(RefCell::new(None));
    let ears = Rc::clone(&told);
    let mut fleet = fleet(1);
    actors(&mut fleet, "a", 1, move |_, ctx, cue| {
        if let Cue::Undecodable(what) = cue {
            *ears.borrow_mut() = Some(what);
            ctx.send(to("b", 1), Talk::Quiet);
        }
    });
    idle(&mut fleet, "b", 1);
    fleet.send_at(Time::from_ns(3), Address::new(to("a", 1).id()), &Lease::Refused);
    let run = check(fleet, &["3 a Message Undecodable", "8 b Message Handled"]);
    let what = told.borrow().expect("on_undecodable ran");
    assert_eq!((what.protocol, what.kind, what.from), (ProtocolId::of("lease"), 1, AgentId::WORLD));
    assert_eq!(run.rows.iter().filter(|row| row.fate == Fate::Undecodable).count(), 1);
}

/// A second protocol under the first one's name.
#[derive(Serialize, Deserialize)]
enum FalseTalk {
    Zero,
    Note(u8),
    Two,
    Unheard,
}

impl Message for FalseTalk {
    const PROTOCOL: &'static str = "talk";
}

#[test]
fn hostile_bytes_of_a_known_protocol_are_undecodable() {
    let mut fleet = fleet(1);
    idle(&mut fleet, "a", 1);
    fleet.send_at(Time::from_ns(1), Address::new(to("a", 1).id()), &FalseTalk::Note(1));
    fleet.send_at(Time::from_ns(2), Address::new(to("a", 1).id()), &FalseTalk::Unheard);
    check(fleet, &["1 a Message Undecodable", "2 a Message Undecodable"]);
}

#[test]
fn payloads_of_every_size_arrive_whole() {
    // A blob's length takes 8 bytes of the payload, so 16 is the last that travels inline.
    for size in [0, 15, 16, 17, 24, 25, 4_096, PAYLOAD_BYTES_MAX - 12] {
        let mut fleet = fleet(1);
        actors(&mut fleet, "a", 1, move |_, ctx, cue| match cue {
            Cue::Start => (0..3).for_each(|byte| ctx.send(to("b", 1), Talk::Blob(vec![byte; size]))),
            Cue::Message(_, talk) => assert_eq!(talk, Talk::Note(size as u32)),
            _ => {}
        });
        let count = RefCell::new(0_u8);
        actors(&mut fleet, "b", 1, move |_, ctx, cue| {
            if let Cue::Message(from, Talk::Blob(bytes)) = cue {
                assert_eq!(bytes, vec![*count.borrow(); size]);
                *count.borrow_mut() += 1;
                ctx.send(Address::new(from), Talk::Note(bytes.len() as u32));
            }
        });
        let run = play(fleet);
        assert_eq!(run.lines().iter().filter(|line| line.ends_with("Handled")).count(), 6, "size {size}");
        assert_eq!(
            run.rows.iter().flat_map(|row| &row.effects).next().expect("a send").payload.len(),
            size + 8
        );
    }
}

#[test]
fn a_broadcast_is_so_many_sends() {
    for size in [0, 16, 17, 1_000] {
        let one_by_one = |together: bool| {
            let mut fleet = fleet(1);
            actors(&mut fleet, "a", 1, move |_, ctx, cue| {
                if cue == Cue::Start {
                    let message = Talk::Blob(vec![7; size]);
                    let receivers = (1..=20).map(|ordinal| to("b", ordinal));
                    match together {
                        true => ctx.broadcast(receivers, message),
                        false => receivers.for_each(|receiver| ctx.send(receiver, message.clone())),
                    }
                    ctx.broadcast([], Talk::Quiet);
                    ctx.send(to("b", 1), Talk::Quiet);
                }
            });
            actors(&mut fleet, "b", 20, move |_, _, cue| match cue {
                Cue::Message(_, Talk::Blob(bytes)) => assert_eq!(bytes, vec![7; size]),
                Cue::Message(_, talk) => assert_eq!(talk, Talk::Quiet),
                _ => {}
            });
            play(fleet)
        };
        let (together, apart) = (one_by_one(true), one_by_one(false));
        assert_eq!(together.rows, apart.rows, "size {size}");
        assert_eq!(together.rows.iter().filter(|row| row.fate == Fate::Handled).count(), 42, "size {size}");
    }
}
