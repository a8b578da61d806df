//! Births, deaths and rebirths.

use super::world::World;
use crate::agent::Birth;
use crate::batch::Event;
use crate::clock::LocalClock;
use crate::codec;
use crate::mix::{Draw, hash_text};
use crate::pool::AnyPool;
use crate::slot::{Condition, Slot, SlotIndex};

const DISK_LUCK: u64 = hash_text("disk at a crash");

/// An agent starts. Members of groups were made when the fleet was built; a spawned agent is made now.
pub(super) fn start(agent: &mut Slot, pools: &mut [Box<dyn AnyPool>], config: &[u8]) {
    agent.condition = Condition::Up;
    if agent.index == Slot::NOT_MADE {
        let birth = Birth { id: agent.id, ordinal: agent.ordinal, incarnation: 0 };
        agent.index = pools[usize::from(agent.pool)].add(&birth, config);
    }
}

/// A crashed agent is made anew, with a random stream of its own.
pub(super) fn restart(agent: &mut Slot, pools: &mut [Box<dyn AnyPool>]) {
    agent.condition = Condition::Up;
    agent.incarnation += 1;
    agent.stream.restart();
    let birth = Birth { id: agent.id, ordinal: agent.ordinal, incarnation: agent.incarnation };
    pools[usize::from(agent.pool)].rebuild(agent.index, &birth);
}

/// What the world does to an agent without asking it.
pub(super) fn befall(
    world: &mut World,
    pools: &mut [Box<dyn AnyPool>],
    slot: SlotIndex,
    event: Event,
    payload: &[u8],
) {
    match event {
        Event::Crash => crash(world, pools, slot),
        Event::Pause => world.slots[slot as usize].paused = true,
        Event::Resume => world.slots[slot as usize].paused = false,
        Event::Clock => {
            let change = codec::decode(payload).expect("the engine encoded it itself");
            let changed = LocalClock::changed(world.clocks.get(&slot), world.now, change);
            world.clocks.insert(slot, changed);
            world.slots[slot as usize].own_pace = true;
        }
        Event::Slow => {
            let permille = codec::decode(payload).expect("the engine encoded it itself");
            world.set_pace(slot, permille);
        }
        other => unreachable!("{other:?} is the agent's to handle"),
    }
}

/// An agent loses its state; its disk keeps what was synced, and perhaps some of what was not.
fn crash(world: &mut World, pools: &mut [Box<dyn AnyPool>], slot: SlotIndex) {
    lose_unsynced(world, slot);
    let agent = &world.slots[slot as usize];
    let (pool, index) = (usize::from(agent.pool), agent.index);
    world.take_down(slot);
    pools[pool].discard(index, true);
}

/// What the end of a life does to an agent's disk. Every life has its own luck.
pub(super) fn lose_unsynced(world: &mut World, slot: SlotIndex) {
    let agent = &world.slots[slot as usize];
    if let Some(disk) = world.disks.get_mut(&slot) {
        let life = [agent.id.as_u64(), u64::from(agent.incarnation)];
        disk.crash(&mut Draw::keyed(world.seed, DISK_LUCK, life));
    }
}
