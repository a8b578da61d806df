//! "Did you mean": the known name that a mistyped one most resembles. Case and `_` for `-` cost nothing,
//! and a name that shares too little is not offered at all.

/// Names beyond which no suggestion is sought: comparing each mistake with each name would take too long.
const CANDIDATES_MAX: usize = 2_000;
/// Characters beyond which a name is not compared.
const LENGTH_MAX: usize = 64;

/// The candidate nearest to `name`, if one is near enough; the first one given wins a tie.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = folded(name);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.into_iter().take(CANDIDATES_MAX) {
        let other = folded(candidate);
        if name.is_empty() || name.len() > LENGTH_MAX || other.len() > LENGTH_MAX {
            continue;
        }
        let allowed = (name.len().max(other.len()) / 3).max(1);
        let distance = distance(&name, &other);
        // A single letter resembles every other single letter.
        let near = distance <= allowed && distance < name.len().min(other.len()).max(1);
        if near && best.is_none_or(|(shortest, _)| distance < shortest) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn folded(name: &str) -> Vec<char> {
    name.chars()
        .map(|letter| match letter {
            '_' | ' ' => '-',
            other => other.to_ascii_lowercase(),
        })
        .collect()
}

/// Edit distance in which swapping two neighbours counts as one slip, as it is when typing.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut current = vec![i + 1];
        for (j, r) in right.iter().enumerate() {
            let changed = previous[j] + usize::from(l != r);
            let mut least = changed.min(previous[j + 1] + 1).min(current[j] + 1);
            if i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r {
                least = least.min(before[j - 1] + 1);
            }
            current.push(least);
        }
        before = previous;
        previous = current;
    }
    previous[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_was_probably_meant() {
        let names = ["writer", "researcher", "lead", "redelivers-after", "model"];
        for (typed, expected) in [
            ("wrtier", Some("writer")),
            ("Writer", Some("writer")),
            ("writers", Some("writer")),
            ("redelivers_after", Some("redelivers-after")),
            ("modle", Some("model")),
            ("banana", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, names), expected, "{typed}");
        }
        assert_eq!(nearest("a", ["b", "c"]), None);
        assert_eq!(nearest(&"x".repeat(100_000), names), None);
    }

    #[test]
    fn distance_counts_slips() {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        for (left, right, expected) in
            [("", "abc", 3), ("ab", "ba", 1), ("kitten", "sitting", 3), ("same", "same", 0)]
        {
            assert_eq!(distance(&letters(left), &letters(right)), expected, "{left} {right}");
            assert_eq!(distance(&letters(right), &letters(left)), expected, "{right} {left}");
        }
    }
}
