//! Strategies for proptest: fleets and fault plans that shrink.

use std::ops::RangeInclusive;

use fleetsim_fault_injection::{Plan, Tolerance, World, swarm};
use proptest::prelude::*;
use proptest::sample::subsequence;

/// Swarm plans within what is borne. They shrink as a check reduces them: rule by rule, down to none.
pub fn plans(tolerance: Tolerance, world: World) -> impl Strategy<Value = Plan> {
    any::<u64>().no_shrink().prop_flat_map(move |seed| {
        let plan = swarm(seed, &tolerance, &world);
        let names: Vec<String> = plan.rules().map(|(name, _)| name.to_owned()).collect();
        let count = names.len();
        subsequence((0..count).collect::<Vec<usize>>(), 0..=count).prop_map(move |kept| {
            let mut smaller = plan.clone();
            for (at, name) in names.iter().enumerate() {
                if !kept.contains(&at) {
                    smaller.remove(name);
                }
            }
            smaller
        })
    })
}

/// How many agents each role of a fleet has, within bounds; shrinks to the fewest.
pub fn sizes(roles: Vec<(String, RangeInclusive<u32>)>) -> impl Strategy<Value = Vec<(String, u32)>> {
    let sizes: Vec<RangeInclusive<u32>> = roles.iter().map(|(_, bounds)| bounds.clone()).collect();
    sizes.prop_map(move |sizes| roles.iter().map(|(role, _)| role.clone()).zip(sizes).collect())
}
