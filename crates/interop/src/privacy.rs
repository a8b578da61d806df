//! What of a log may be shown: names as they are, unless they look like an address or a key; texts never, unless the
//! caller keeps them.
//!
//! A pseudonym is a hash of the name that nothing secret enters. So the same name has the same pseudonym in every
//! trace, and whoever can guess the name can confirm the guess.

use serde::{Deserialize, Serialize};

/// The longest name that is shown as it is, in bytes.
const NAME_BYTES_MAX: usize = 96;
/// The most of a text that is kept, in bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// A run of letters and digits as long as this, with both in it, is taken for a key.
const KEY_LETTERS_MIN: usize = 24;
/// Beginnings of keys that are given out by well-known services.
const KEY_BEGINNINGS: [&str; 24] = [
    "sk-",
    "sk_",
    "pk_",
    "rk_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "xoxr-",
    "xoxs-",
    "AKIA",
    "ASIA",
    "AIza",
    "eyJ",
    "hf_",
    "npm_",
    "pypi-",
    "whsec_",
];
/// The shortest word with such a beginning that is taken for a key.
const BEGUN_KEY_BYTES_MIN: usize = 12;

/// How names and texts are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Privacy {
    pub(crate) keeps_text: bool,
    pub(crate) renames: bool,
}

/// What stands for a text: its length and a hash of it, by which equal texts can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Content {
    bytes: u64,
    /// The first 64 bits of the text's BLAKE3 hash.
    hash: u64,
    text: Option<String>,
}

impl Content {
    /// The bytes of the text that are kept.
    pub(crate) fn kept_bytes(&self) -> u64 {
        self.text.as_ref().map_or(0, |text| text.len() as u64)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

impl Privacy {
    /// What stands for `text` in a trace.
    pub(crate) fn content(self, text: &str) -> Content {
        if text.is_empty() {
            return Content::default();
        }
        let end = (0..=TEXT_BYTES_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
        let kept = &text[..end.unwrap_or(0)];
        Content {
            bytes: text.len() as u64,
            hash: hash_64("", text),
            text: self.keeps_text.then(|| kept.to_owned()),
        }
    }

    /// The name of somebody or something, or a pseudonym if it may not be shown.
    pub(crate) fn name(self, name: &str) -> String {
        if self.renames { pseudonym(name) } else { self.label(name) }
    }

    /// The name of a kind of thing, such as a model or an action, which `--rename` leaves alone.
    pub(crate) fn label(self, label: &str) -> String {
        let is_hidden = (!self.keeps_text && looks_private(label)) || !is_showable(label);
        if is_hidden { pseudonym(label) } else { label.to_owned() }
    }
}

/// A name of its own for each name: `name-5d1f0a2b9c`.
fn pseudonym(name: &str) -> String {
    format!("name-{:010x}", hash_64("pseudonym", name) >> 24)
}

/// The first 64 bits of the BLAKE3 hash of `text`, another one for each `purpose`.
fn hash_64(purpose: &str, text: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(purpose.as_bytes()).update(b"\0").update(text.as_bytes());
    let hash = *hasher.finalize().as_bytes();
    u64::from_le_bytes(hash[..8].try_into().expect("a hash has 32 bytes"))
}

fn is_showable(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control)
}

/// Whether a name looks like an e-mail address or like a key.
fn looks_private(name: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric();
    let has_address = name.char_indices().any(|(at, character)| {
        character == '@'
            && name[..at].chars().next_back().is_some_and(is_part)
            && name[at + 1..].chars().next().is_some_and(is_part)
    });
    let separates = |character: char| !(character.is_ascii_alphanumeric() || "-_".contains(character));
    let is_begun_key = |word: &str| {
        word.len() >= BEGUN_KEY_BYTES_MIN
            && KEY_BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
    };
    let is_long_key = |run: &str| {
        run.len() >= KEY_LETTERS_MIN
            && run.bytes().any(|byte| byte.is_ascii_digit())
            && run.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    has_address
        || name.contains("-----BEGIN")
        || name.split(separates).any(is_begun_key)
        || name.split(|character: char| !character.is_ascii_alphanumeric()).any(is_long_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_keys_are_told_from_names() {
        for private in [
            "alice@example.com",
            "team/alice@example.com/2",
            "Alice <alice@example>",
            "sk-proj-abcdef0123456789",
            "agent sk-ant-REDACTED0",
            "AKIAIOSFODNN7EXAMPLE",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "key=abcdefghijklmnopqrstuvw1",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            assert!(looks_private(private), "{private}");
            let shown = Privacy::default().name(private);
            assert!(shown.starts_with("name-") && shown.len() == 15, "{shown}");
        }
        for public in [
            "gastown/polecats/furiosa",
            "mayor",
            "claude-opus-4-20250514",
            "gpt-4o-mini-2024-07-18",
            "anthropic.claude-3-5-sonnet-20241022-v2:0",
            "meta-llama/Llama-3.3-70B-Instruct",
            "orders.v2@eu",
            "@planner",
            "task-runner",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "Köchin 7",
        ] {
            let expected = public == "orders.v2@eu";
            assert_eq!(looks_private(public), expected, "{public}");
        }
    }

    #[test]
    fn what_cannot_be_shown_gets_a_pseudonym_always() {
        let keeping = Privacy { keeps_text: true, renames: false };
        assert_eq!(keeping.name("alice@example.com"), "alice@example.com");
        for name in ["", "a\nb", &"x".repeat(97)] {
            assert!(keeping.name(name).starts_with("name-"), "{name:?}");
        }
    }

    #[test]
    fn pseudonyms_are_stable_and_spare_labels() {
        let renaming = Privacy { keeps_text: false, renames: true };
        assert_eq!(renaming.name("mayor"), renaming.name("mayor"));
        assert_ne!(renaming.name("mayor"), renaming.name("major"));
        assert_eq!(renaming.label("gpt-4o"), "gpt-4o");
        // A change would give the agents of old traces other names.
        assert_eq!(renaming.name("mayor"), "name-7699819b7b");
    }

    #[test]
    fn texts_are_kept_on_demand_only_and_not_without_end() {
        let content = Privacy::default().content("secret");
        assert_eq!((content.bytes, content.text), (6, None));
        let long = "é".repeat(TEXT_BYTES_MAX);
        let kept = Privacy { keeps_text: true, renames: false }.content(&long);
        assert_eq!(kept.text.map(|text| text.len()), Some(TEXT_BYTES_MAX));
        assert_eq!(kept.hash, Privacy::default().content(&long).hash);
    }
}
