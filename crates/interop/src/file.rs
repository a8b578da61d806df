//! From a log's file to a trace's.
//!
//! A trace begins with a header that holds all names, and a log tells them one by one. So the log is read twice, first
//! for the names and the figures, then for the steps, and memory does not grow with its length.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use fleetsim_engine::batch::Batch;
use fleetsim_engine::{DigestSink, HOUR, RunDigest, Sink};
use fleetsim_monitors::MonitorConfig;
use fleetsim_trace_replay::{Closing, Finished, Header, Program, Recorder, ScenarioText};
use serde_json::json;

use crate::beads::STORE;
use crate::error::Error;
use crate::options::{Kind, Options};
use crate::read;
use crate::reading::Reading;

/// How long a task of a task store may wait before it counts as starved, if others overtake it: a backlog is no queue.
const BACKLOG_BOUND_NS: u64 = 24 * HOUR;

/// What came of an import.
#[derive(Clone, Debug)]
pub struct Imported {
    /// What was read.
    pub reading: Reading,
    /// What was written.
    pub finished: Finished,
}

/// Imports the log in the file `log` into the trace `target`. `dependencies` is the second file that a log of beads may
/// have; `program` is who imports. The files are read twice, so they must be files and stay as they are meanwhile.
///
/// # Errors
/// When a file cannot be read or written, is no regular file, or changed while it was read; and, if the import is
/// strict, at the first record that is not as it should be. Nothing is left under the trace's name then.
pub fn import(
    kind: Kind,
    log: &Path,
    dependencies: Option<&Path>,
    options: Options,
    target: &Path,
    program: Program,
) -> Result<Imported, Error> {
    let mut digest = DigestSink::default();
    let reading = read_file(kind, log, dependencies, options, &mut digest)?;
    let recorder = Recorder::create(target, &header(kind, log, options, &reading, program))?;
    let mut recording = Recording { digest: RunDigest::default(), recorder };
    let again = read_file(kind, log, dependencies, options, &mut recording);
    let Recording { digest: again_digest, recorder } = recording;
    let is_same = |again: &Reading| {
        let is_header_same = again.import == reading.import && again.manifest == reading.manifest;
        is_header_same && again_digest.value() == digest.value()
    };
    let again = match again {
        Ok(again) if is_same(&again) => again,
        Ok(_) => return Err(abandon(recorder, target, changed(log))),
        Err(error) => return Err(abandon(recorder, target, error)),
    };
    let closing = Closing {
        ending: "end of the log".to_owned(),
        messages: again.messages,
        virtual_time: again.end,
        // What came after the log's end is not known, so what was pending then is undecided.
        summary: json!({ "complete": false, "agents": again.manifest.groups.len(), "findings": null }),
    };
    Ok(Imported { reading, finished: recorder.finish(&closing) })
}

/// Records, and digests on the way: what the second reading gives must be what the first gave.
struct Recording {
    digest: RunDigest,
    recorder: Recorder,
}

impl Sink for Recording {
    fn accept(&mut self, batch: &mut Batch) {
        self.digest.absorb(batch);
        self.recorder.accept(batch);
    }
}

fn read_file(
    kind: Kind,
    log: &Path,
    dependencies: Option<&Path>,
    options: Options,
    sink: &mut dyn Sink,
) -> Result<Reading, Error> {
    let mut input = open(log)?;
    let mut second = dependencies.map(open).transpose()?;
    let second = second.as_mut().map(|input| input as &mut dyn BufRead);
    read(kind, &mut input, second, options, sink).map_err(|error| error.in_file(log))
}

fn open(path: &Path) -> Result<BufReader<File>, Error> {
    let file = File::open(path).map_err(|error| Error::io(path, &error))?;
    let found = file.metadata().map_err(|error| Error::io(path, &error))?;
    if !found.is_file() {
        let name = path.display();
        return Err(Error::usage(&format!(
            "{name} is no regular file; a log is read twice, so write it to one first"
        )));
    }
    Ok(BufReader::with_capacity(1 << 16, file))
}

fn header(kind: Kind, log: &Path, options: Options, reading: &Reading, program: Program) -> Header {
    let name = log.file_name().unwrap_or_default().to_string_lossy();
    Header {
        program,
        scenario: ScenarioText { name: options.privacy().name(&name), ..ScenarioText::default() },
        settings: json!({ "monitors": monitors(kind) }),
        manifest: reading.manifest.clone(),
        external_inputs: true,
        import: Some(reading.import.clone()),
        ..Header::default()
    }
}

/// What the monitors are told of a fleet that is known by its log alone.
fn monitors(kind: Kind) -> MonitorConfig {
    let mut config =
        MonitorConfig { media: BTreeMap::new(), outside: BTreeSet::new(), ..MonitorConfig::default() };
    if kind == Kind::Beads {
        config.default_wait_bound_ns = BACKLOG_BOUND_NS;
        config.stores.insert(STORE.to_owned());
    }
    config
}

/// Ends a recording whose file nobody wants.
fn abandon(recorder: Recorder, target: &Path, error: Error) -> Error {
    let partial = recorder.interrupt().path;
    // A device that was written directly is not ours to remove.
    if partial != target {
        // If it cannot be removed it stays as a partial trace, which says what it is.
        let _ = std::fs::remove_file(partial);
    }
    error
}

fn changed(log: &Path) -> Error {
    Error::new(&format!(
        "{} changed while it was read: import it again when nobody writes to it",
        log.display()
    ))
}
