//! Waiting times drawn in one line: a block for each power of two, as high as its count.

use std::collections::BTreeMap;

use fleetsim_monitors::Histogram;

use super::figures::duration;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The histograms together: `▁▂▅█▃ 4ms to 2m`; `None` when nothing was counted.
pub(crate) fn line<'a>(histograms: impl Iterator<Item = &'a Histogram>) -> Option<String> {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    let mut longest_ns = 0;
    for histogram in histograms {
        longest_ns = longest_ns.max(histogram.longest_ns());
        for bucket in histogram.buckets() {
            *counts.entry(bucket.from_ns).or_default() += bucket.count;
        }
    }
    counts.retain(|_, count| *count > 0);
    let (first_ns, last_ns) = (*counts.first_key_value()?.0, *counts.last_key_value()?.0);
    let most = counts.values().copied().max()?;
    let mut line = String::new();
    let mut from_ns = first_ns;
    loop {
        line.push(block(counts.get(&from_ns).copied().unwrap_or(0), most));
        if from_ns >= last_ns {
            break;
        }
        from_ns = (from_ns * 2).max(1);
    }
    Some(format!("{line} {} to {}", duration(first_ns), duration(longest_ns)))
}

/// What was not counted at all is not drawn; what was counted once is.
fn block(count: u64, most: u64) -> char {
    let height = (u128::from(count) * BLOCKS.len() as u128).div_ceil(u128::from(most.max(1)));
    if height == 0 { ' ' } else { BLOCKS[height as usize - 1] }
}

#[cfg(test)]
mod tests {
    use fleetsim_engine::MILLISECOND;

    use super::*;

    #[test]
    fn heights_follow_counts() {
        let mut histogram = Histogram::default();
        assert_eq!(line([&histogram].into_iter()), None);
        for (length_ns, times) in [(0, 1), (1, 8), (9, 4)] {
            (0..times).for_each(|_| histogram.add(length_ns));
        }
        assert_eq!(line([&histogram].into_iter()).as_deref(), Some("▁█  ▄ 0s to 9ns"));
        let mut other = Histogram::default();
        other.add(3 * MILLISECOND);
        let both = line([&histogram, &other].into_iter()).unwrap();
        assert!(both.starts_with("▁█  ▄ ") && both.ends_with("▁ 0s to 3ms"), "{both}");
    }

    #[test]
    fn the_longest_wait_of_all_is_drawn() {
        let mut histogram = Histogram::default();
        histogram.add(u64::MAX);
        histogram.add(0);
        let drawn = line([&histogram].into_iter()).unwrap();
        assert_eq!(drawn.chars().take_while(|block| !block.is_ascii_digit()).count(), 66, "{drawn}");
    }
}
