//! The numbers that those in a line draw, and how many of the later ones were served.

use super::wait_line::Wait;
use crate::monitor::Moment;

/// A number in a line, and since when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    number: u64,
    since: Moment,
}

/// Numbers from 0 in the order in which they are drawn, as bits, and their sums in a Fenwick tree ("A new data structure
/// for cumulative frequency tables", 1994): each operation takes the logarithm of the line's length at most, and nothing
/// at all where everybody is served in turn. Takes less than half a byte for each number from the first that waits on.
#[derive(Clone, Debug, Default)]
pub(super) struct Tickets {
    next: u64,
    /// The number of the first bit, a multiple of 64. Nobody before it waits.
    start: u64,
    waits: Vec<u64>,
    /// Words from the start in which nobody waits any more, as far as was looked.
    settled: usize,
    /// Those who were served before somebody who had come earlier.
    served: Vec<u64>,
    /// How many of them there are, by word.
    sums: Vec<u32>,
    /// The highest of them, and one more.
    served_end: u64,
}

impl Tickets {
    /// Draws the next number.
    pub(super) fn draw(&mut self, now: Moment) -> Ticket {
        let number = self.next;
        if number - self.start == 64 * self.waits.len() as u64 {
            self.make_room();
        }
        self.next += 1;
        let (word, bit) = self.place(number);
        self.waits[word] |= bit;
        Ticket { number, since: now }
    }

    /// Whoever waits with `ticket` is served: how that wait was.
    pub(super) fn serve(&mut self, ticket: Ticket) -> Wait {
        let wait = self.wait_of(ticket);
        self.take_out(ticket.number);
        wait
    }

    /// The wait of whoever waits with `ticket`, so far.
    pub(super) fn wait_of(&self, ticket: Ticket) -> Wait {
        Wait { since: ticket.since, overtaken_by: self.served_after(ticket.number) }
    }

    fn take_out(&mut self, number: u64) {
        let (word, bit) = self.place(number);
        self.waits[word] &= !bit;
        self.settled += self.waits[self.settled..word].iter().take_while(|bits| **bits == 0).count();
        if self.settled == word && self.waits[word] & (bit - 1) == 0 {
            return;
        }
        self.served_end = self.served_end.max(number + 1);
        self.served[word] |= bit;
        let mut at = word + 1;
        while at <= self.sums.len() {
            self.sums[at - 1] += 1;
            at += at & at.wrapping_neg();
        }
    }

    /// Whoever waits with `ticket` leaves.
    pub(super) fn give_up(&mut self, ticket: Ticket) {
        let (word, bit) = self.place(ticket.number);
        self.waits[word] &= !bit;
    }

    /// How many that came after `number`, which waits, were served.
    fn served_after(&self, number: u64) -> u64 {
        if self.served_end <= number {
            return 0;
        }
        let (word, bit) = self.place(number);
        let later_in_word = self.served[word] & !(bit | (bit - 1));
        let up_to_word = self.sum(word + 1);
        u64::from(self.sum(self.sums.len()) - up_to_word + later_in_word.count_ones())
    }

    fn place(&self, number: u64) -> (usize, u64) {
        let from_start = number - self.start;
        ((from_start / 64) as usize, 1 << (from_start % 64))
    }

    /// Those served in the first `words` words.
    fn sum(&self, words: usize) -> u32 {
        let (mut at, mut sum) = (words, 0);
        while at > 0 {
            sum += self.sums[at - 1];
            at -= at & at.wrapping_neg();
        }
        sum
    }

    /// Forgets the words in which nobody waits any more, as long as they are half of all; otherwise there come more.
    #[cold]
    fn make_room(&mut self) {
        let words = self.waits.len();
        let settled = self.waits.iter().take_while(|bits| **bits == 0).count();
        let room = if 2 * settled >= words { words.max(1) } else { 2 * words };
        for bits in [&mut self.waits, &mut self.served] {
            bits.drain(..settled);
            bits.resize(room, 0);
        }
        self.start += 64 * settled as u64;
        self.settled = 0;
        self.sums.clear();
        self.sums.resize(room, 0);
        for (word, bits) in self.served.iter().enumerate() {
            self.sums[word] += bits.count_ones();
            let above = (word + 1) + ((word + 1) & (word + 1).wrapping_neg());
            if above <= room {
                self.sums[above - 1] += self.sums[word];
            }
        }
    }
}
