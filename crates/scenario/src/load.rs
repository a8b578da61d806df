//! Reads a scenario and the data files it names from disk. Every read is bounded, and nothing outside the
//! scenario's own folder is opened.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use crate::arrivals::{self, Arrivals};
use crate::error::Error;
use crate::overrides::Overrides;
use crate::scenario::{Scenario, TEXT_BYTES_MAX};

/// Bytes of a data file: 64 MiB.
const DATA_BYTES_MAX: u64 = 64 << 20;

/// A scenario with the data files that it names.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The scenario.
    pub scenario: Scenario,
    /// The data files, each once, in the order in which the scenario names them.
    pub data: Vec<DataFile>,
}

/// One data file of recorded arrivals.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFile {
    /// Its path as the scenario writes it.
    pub path: String,
    /// Its whole text: a run depends on it as it does on the scenario.
    pub text: String,
    /// What it says.
    pub arrivals: Arrivals,
}

impl Scenario {
    /// Reads a scenario file of at most 4 MiB and the data files that it names, of at most 64 MiB each.
    ///
    /// # Errors
    /// If a file is absent, a directory, too large, or not UTF-8; if the scenario has mistakes; if a data
    /// file lies outside the scenario's folder, even by way of a link, or cannot be understood.
    pub fn load(path: impl AsRef<Path>, overrides: &Overrides) -> Result<Loaded, Error> {
        let path = path.as_ref();
        let text = read_text(path, TEXT_BYTES_MAX)?;
        let scenario = Self::parse(&path.to_string_lossy(), &text, overrides)?;
        let mut data: Vec<DataFile> = Vec::new();
        for (_, work) in scenario.document().work.iter() {
            let Some(from) = &work.arrives.from else { continue };
            if !data.iter().any(|file| file.path == *from) {
                data.push(load_data(path, from)?);
            }
        }
        Ok(Loaded { scenario, data })
    }
}

impl Loaded {
    /// The scenario of texts that were read before, as a trace keeps them: its name, its text, and the paths and
    /// texts of its data files.
    ///
    /// # Errors
    /// If the scenario has mistakes, or a data file is missing or cannot be understood.
    pub fn from_texts(
        name: &str,
        text: &str,
        overrides: &Overrides,
        files: &[(String, String)],
    ) -> Result<Loaded, Error> {
        let scenario = Scenario::parse(name, text, overrides)?;
        let mut data: Vec<DataFile> = Vec::new();
        for (_, work) in scenario.document().work.iter() {
            let Some(from) = &work.arrives.from else { continue };
            if data.iter().any(|file| file.path == *from) {
                continue;
            }
            let kept = files.iter().find(|(path, _)| path == from);
            let (path, text) =
                kept.ok_or_else(|| Error::io(Path::new(from), io::ErrorKind::NotFound.into()))?;
            data.push(understand(Path::new(path), from, text.clone())?);
        }
        Ok(Loaded { scenario, data })
    }

    /// The recorded arrivals of the file that the scenario calls `path`.
    pub fn arrivals(&self, path: &str) -> Option<&Arrivals> {
        self.data.iter().find(|file| file.path == path).map(|file| &file.arrivals)
    }
}

fn load_data(scenario: &Path, from: &str) -> Result<DataFile, Error> {
    let folder = match scenario.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let path = folder.join(from);
    // A link may lead out of the folder, where the path alone does not.
    let real_folder = fs::canonicalize(folder).map_err(|cause| Error::io(folder, cause))?;
    let real_path = fs::canonicalize(&path).map_err(|cause| Error::io(&path, cause))?;
    if !real_path.starts_with(&real_folder) {
        return Err(Error::outside(&path));
    }
    let text = read_text(&real_path, DATA_BYTES_MAX)?;
    understand(&path, from, text)
}

fn understand(path: &Path, from: &str, text: String) -> Result<DataFile, Error> {
    let arrivals = arrivals::parse(&text).map_err(|(line, message)| Error::data(path, line, message))?;
    Ok(DataFile { path: from.to_owned(), text, arrivals })
}

fn read_text(path: &Path, bytes_max: u64) -> Result<String, Error> {
    // Asked before it is opened: opening a pipe that nobody writes to would wait for ever.
    let metadata = fs::metadata(path).map_err(|cause| Error::io(path, cause))?;
    if metadata.is_dir() {
        return Err(Error::directory(path));
    }
    if !metadata.is_file() {
        return Err(Error::io(path, io::Error::other("it is not a regular file")));
    }
    let file = File::open(path).map_err(|cause| Error::io(path, cause))?;
    let mut bytes = Vec::new();
    // One byte more than allowed tells whether there is more; what a file says of its size may be wrong.
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|cause| Error::io(path, cause))?;
    if bytes.len() as u64 > bytes_max {
        return Err(Error::too_large(path, bytes_max));
    }
    String::from_utf8(bytes).map_err(|error| Error::not_text(path, error.utf8_error().valid_up_to()))
}
