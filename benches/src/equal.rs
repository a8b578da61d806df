//! The bare loop on equal terms: it computes the very run that the engine computes of its workload `phold`.
//!
//! The same ChaCha8 streams, keyed draws, portable sampler, payload codec and order of ties; but one kind of agent,
//! known when it was compiled, one kind of event, no effects in between, no record, no faults, no restarts.

use core::hint::black_box;

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{AgentId, Draw, EventKey, Time, codec, hash_text};
use serde::{Deserialize, Serialize};

use crate::chacha;
use crate::ring::{Ring, Timed};
use crate::{DELAY_NS_MAX, DELAY_NS_MEAN, DELAY_NS_MIN, GROUP, PROCESSES_AHEAD};

/// The bare loop on equal terms, at a moment between two events.
#[derive(Debug)]
pub struct Equal {
    processes: Vec<Process>,
    stage: Stage,
    ring: Ring<Arrival>,
    /// The bucket that is open.
    open: Vec<Arrival>,
    /// The next event in it.
    at: usize,
}

/// A message at its arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handled {
    /// When.
    pub time: Time,
    /// To whom.
    pub target: AgentId,
    /// From whom.
    pub source: AgentId,
    /// As which of the sender's messages.
    pub sequence: u32,
    /// What it carried.
    pub token: u64,
}

/// What all processes share.
#[derive(Debug)]
struct Stage {
    seed: u64,
    latency: Sampler,
    /// The identity of a process is this and its ordinal, from 1.
    group: u64,
    count: u32,
    encoded: Vec<u8>,
}

/// One process: a block of its cipher stream, and how many words and messages it has used.
#[derive(Clone, Copy, Debug)]
struct Process {
    block: [u64; WORDS_PER_BLOCK],
    words_used: u32,
    sequence: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Arrival {
    time_ns: u64,
    payload: [u8; PAYLOAD_BYTES],
    target: u32,
    source: u32,
    sequence: u32,
    kind: u16,
    length: u8,
}

/// The message, which encodes as that of the workload.
#[derive(Serialize, Deserialize)]
enum Job {
    Token(u64),
}

const WORDS_PER_BLOCK: usize = 8;
const PAYLOAD_BYTES: usize = 8;
/// What the engine keys its streams and its latencies with.
const STREAM: u64 = hash_text("agent stream");
const LATENCY: u64 = hash_text("link latency");

impl Equal {
    /// So many processes, each with one message under way.
    #[must_use]
    pub fn new(processes: u32, seed: u64) -> Equal {
        let mut equal = Equal {
            processes: vec![Process::NEW; processes as usize],
            stage: Stage {
                seed,
                latency: Sampler::exponential(DELAY_NS_MEAN).expect("a mean above zero"),
                group: AgentId::named(GROUP, 0).as_u64(),
                count: processes,
                encoded: Vec::new(),
            },
            ring: Ring::new(DELAY_NS_MIN, DELAY_NS_MAX, u64::from(processes)),
            open: Vec::new(),
            at: 0,
        };
        for (source, process) in (0..processes).zip(&mut equal.processes) {
            equal.ring.push(equal.stage.pass_on(process, source, 0));
        }
        equal
    }

    /// Lets so many messages arrive and shows each to `watch`.
    #[inline]
    pub fn run(&mut self, events: u64, mut watch: impl FnMut(&Handled)) {
        let mut left = events;
        while left > 0 {
            if self.at == self.open.len() {
                let stage = &self.stage;
                self.ring.open(&mut self.open, |left, right| stage.is_before(left, right));
                self.at = 0;
            }
            let end = self.open.len().min(self.at.saturating_add(left as usize));
            for block in self.open[self.at..end].chunks(PROCESSES_AHEAD) {
                // Their cache misses overlap here; in the loop below each would wait for the one before.
                black_box(block.iter().fold(0, |sum, arrival| {
                    let process = &self.processes[arrival.target as usize];
                    sum ^ process.block[process.words_used as usize % WORDS_PER_BLOCK]
                }));
                for arrival in block {
                    watch(&self.stage.handled(arrival));
                    let process = &mut self.processes[arrival.target as usize];
                    self.ring.push(self.stage.pass_on(process, arrival.target, arrival.time_ns));
                }
            }
            left -= (end - self.at) as u64;
            self.at = end;
        }
    }
}

impl Stage {
    fn id(&self, index: u32) -> AgentId {
        AgentId::from_u64(self.group | (u64::from(index) + 1))
    }

    fn handled(&self, arrival: &Arrival) -> Handled {
        let bytes = &arrival.payload[..usize::from(arrival.length)];
        let Job::Token(token) = codec::decode_kind(arrival.kind, bytes).expect("this file encoded it");
        Handled {
            time: Time::from_ns(arrival.time_ns),
            target: self.id(arrival.target),
            source: self.id(arrival.source),
            sequence: arrival.sequence,
            token,
        }
    }

    #[inline]
    fn pass_on(&mut self, process: &mut Process, source: u32, now_ns: u64) -> Arrival {
        let id = self.id(source);
        let token = process.word(self.seed, id);
        let target = ((u128::from(token) * u128::from(self.count)) >> 64) as u32;
        let sequence = process.sequence;
        process.sequence += 1;
        let mut luck = Draw::new(self.seed, LATENCY, id, sequence);
        let time_ns = now_ns + DELAY_NS_MIN + self.latency.sample(&mut luck);

        self.encoded.clear();
        let kind = codec::encode_kind(&Job::Token(token), &mut self.encoded);
        let mut payload = [0; PAYLOAD_BYTES];
        payload[..self.encoded.len()].copy_from_slice(&self.encoded);
        let length = self.encoded.len() as u8;
        Arrival { time_ns, payload, target, source, sequence, kind, length }
    }

    #[inline]
    fn is_before(&self, left: &Arrival, right: &Arrival) -> bool {
        if left.time_ns != right.time_ns {
            return left.time_ns < right.time_ns;
        }
        self.key(left) < self.key(right)
    }

    fn key(&self, arrival: &Arrival) -> EventKey {
        let (target, source) = (self.id(arrival.target), self.id(arrival.source));
        EventKey::new(self.seed, Time::from_ns(arrival.time_ns), target, source, arrival.sequence)
    }
}

impl Process {
    const NEW: Process = Process { block: [0; WORDS_PER_BLOCK], words_used: 0, sequence: 0 };

    #[inline]
    fn word(&mut self, seed: u64, id: AgentId) -> u64 {
        let at = self.words_used as usize % WORDS_PER_BLOCK;
        if at == 0 {
            self.refill(seed, id);
        }
        self.words_used += 1;
        self.block[at]
    }

    #[cold]
    fn refill(&mut self, seed: u64, id: AgentId) {
        let halves = |word: u64| [word as u32, (word >> 32) as u32];
        let ([k0, k1], [k2, k3], [k4, k5]) = (halves(seed), halves(STREAM), halves(id.as_u64()));
        let counter = u64::from(self.words_used) / WORDS_PER_BLOCK as u64;
        self.block = chacha::block(&[k0, k1, k2, k3, k4, k5, 0, 0], counter);
    }
}

impl Timed for Arrival {
    #[inline]
    fn time_ns(&self) -> u64 {
        self.time_ns
    }
}
