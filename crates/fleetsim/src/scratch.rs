//! A folder for what is needed only while the program runs.

use std::path::{Path, PathBuf};

use crate::exit::{Exit, Failure};

/// A folder of this process alone; it goes away with the value.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Result<Scratch, Failure> {
        const TRIES_MAX: u32 = 100;
        let mut last = None;
        for number in 0..TRIES_MAX {
            let name = format!("fleetsim-{}-{number}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            // Making a folder fails when there is one: nobody else's is ever used.
            match std::fs::create_dir(&folder) {
                Ok(()) => return Ok(Scratch(folder)),
                Err(error) => last = Some(error),
            }
        }
        let reason = last.map(|error| error.to_string()).unwrap_or_default();
        Err(Failure::new(Exit::Damaged, &format!("cannot make a temporary folder: {reason}")))
    }

    /// The path of the file `name` in it.
    pub(crate) fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to the system, as temporary things are.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scratch_folder_is_ones_own_and_goes_away() {
        let (one, other) = (Scratch::new().unwrap(), Scratch::new().unwrap());
        let file = one.file("x");
        assert_ne!(file, other.file("x"));
        std::fs::write(&file, "x").unwrap();
        drop(one);
        assert!(!file.parent().unwrap().exists());
    }
}
