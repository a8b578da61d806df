//! What outlives a crash: a small store of named values, as durable as its last `sync`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;
use crate::mix::Draw;

/// An agent's durable storage.
///
/// Writes are visible at once to the agent itself. A crash keeps what was synced; of what was written since, each
/// write is kept, lost or torn (cut short), drawn from the seed.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    synced: BTreeMap<String, Vec<u8>>,
    written: Vec<(String, Option<Vec<u8>>)>,
}

/// The stored bytes are not a value of the type that was asked for: a crash tore the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torn;

impl core::fmt::Display for Torn {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the stored value was torn by a crash")
    }
}

impl core::error::Error for Torn {}

impl Disk {
    /// Writes `value` under `key`; durable after the next [`sync`](Self::sync).
    ///
    /// # Panics
    /// When the value cannot be encoded or takes more than a mebibyte.
    pub fn put<T: Serialize>(&mut self, key: &str, value: &T) {
        let mut bytes = Vec::new();
        codec::encode(value, &mut bytes);
        self.written.push((key.to_owned(), Some(bytes)));
    }

    /// Removes what is under `key`; durable after the next [`sync`](Self::sync).
    pub fn remove(&mut self, key: &str) {
        self.written.push((key.to_owned(), None));
    }

    /// Makes everything written so far durable.
    pub fn sync(&mut self) {
        for (key, bytes) in self.written.drain(..) {
            match bytes {
                Some(bytes) => self.synced.insert(key, bytes),
                None => self.synced.remove(&key),
            };
        }
    }

    /// Reads what is under `key`.
    ///
    /// # Errors
    /// [`Torn`] when a crash cut the write short.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Torn> {
        let written = self.written.iter().rev().find(|(name, _)| name == key);
        let bytes = match written {
            Some((_, bytes)) => bytes.as_ref(),
            None => self.synced.get(key),
        };
        bytes.map(|bytes| codec::decode(bytes).ok_or(Torn)).transpose()
    }

    /// What is left after a crash.
    pub(crate) fn crash(&mut self, draw: &mut Draw) {
        let written = core::mem::take(&mut self.written);
        for (key, bytes) in written {
            match (draw.next() % 3, bytes) {
                (0, _) => {}
                (1, Some(mut bytes)) => {
                    let kept = (draw.next() % (bytes.len() as u64 + 1)) as usize;
                    bytes.truncate(kept);
                    self.written.push((key, Some(bytes)));
                }
                (_, bytes) => self.written.push((key, bytes)),
            }
        }
        self.sync();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_synced_stays() {
        let mut disk = Disk::default();
        disk.put("fence", &7_u64);
        disk.sync();
        disk.crash(&mut Draw::keyed(1, 2, [3]));
        assert_eq!(disk.get("fence"), Ok(Some(7_u64)));
        disk.remove("fence");
        assert_eq!(disk.get::<u64>("fence"), Ok(None));
    }

    #[test]
    fn what_is_not_synced_is_kept_lost_or_torn() {
        let (mut kept, mut lost, mut torn) = (0, 0, 0);
        for seed in 0..300 {
            let mut disk = Disk::default();
            disk.put("fence", &7_u64);
            disk.crash(&mut Draw::keyed(seed, 2, [3]));
            match disk.get::<u64>("fence") {
                Ok(Some(7)) => kept += 1,
                Ok(None) => lost += 1,
                Err(Torn) => torn += 1,
                other => panic!("{other:?}"),
            }
        }
        assert!(kept > 60 && lost > 60 && torn > 60, "{kept} {lost} {torn}");
    }
}
