//! Records a run while it runs: a sink of the engine whose work is done by a second thread.
//!
//! The thread digests, encodes and writes whole batches in the order in which it gets them, so what it writes
//! does not depend on when it is scheduled. When it falls behind, the run waits for it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use fleetsim_engine::batch::Batch;
use fleetsim_engine::{Digest, Sink};

use crate::error::Error;
use crate::format::Closing;
use crate::header::Header;
use crate::writer::{Writer, Written};

/// Batches that may wait for the thread before the run waits for it.
const WAITING_MAX: usize = 4;

/// Records a run into a file.
///
/// Until [`finish`](Recorder::finish) the file is called `FILE.partial`; a crash, an interruption or a full disk
/// leaves it there, readable up to its last whole chunk. What is not a regular file (a device, a pipe) is written
/// directly.
#[derive(Debug)]
pub struct Recorder {
    target: Target,
    batches: Option<SyncSender<Batch>>,
    recycled: Receiver<Batch>,
    thread: Option<JoinHandle<Writer<File>>>,
}

/// What came of a recording.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The digest of the run, whether or not it could be written.
    pub digest: Digest,
    /// Steps of the run.
    pub steps: u64,
    /// Bytes that were written.
    pub bytes: u64,
    /// Where they are now.
    pub path: PathBuf,
    /// Why the file is not whole, if it is not.
    pub error: Option<Error>,
}

#[derive(Clone, Debug)]
struct Target {
    path: PathBuf,
    /// The name while recording; `None` when the target is written directly.
    partial: Option<PathBuf>,
}

impl Recorder {
    /// Begins to record into `path`.
    ///
    /// # Errors
    /// When the file cannot be created, or the header takes more than 64 MiB. Later failures are told at the end.
    pub fn create(path: impl AsRef<Path>, header: &Header) -> Result<Recorder, Error> {
        let target = Target::new(path.as_ref())?;
        let file = target.create()?;
        let writer = Writer::new(file, header)?;
        let (batches, waiting) = sync_channel(WAITING_MAX);
        let (done, recycled) = channel();
        let thread = Builder::new()
            .name("trace writer".to_owned())
            .spawn(move || write_batches(writer, &waiting, &done))
            .map_err(|error| Error::io("cannot start the trace writer", &error))?;
        Ok(Recorder { target, batches: Some(batches), recycled, thread: Some(thread) })
    }

    /// The file that is being written.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.target.writing()
    }

    /// Ends the trace of a run that ended, and gives the file its name.
    #[must_use]
    pub fn finish(mut self, closing: &Closing) -> Finished {
        let mut writer = self.stop();
        writer.close(closing);
        let (file, mut written) = writer.finish();
        if written.error.is_none() {
            written.error = self.target.publish(&file).err();
        }
        let path = match written.error {
            None => self.target.path.clone(),
            Some(_) => self.target.writing().to_owned(),
        };
        finished(written, path)
    }

    /// Ends the recording of a run that was interrupted: what is there stays as `FILE.partial`.
    #[must_use]
    pub fn interrupt(mut self) -> Finished {
        let (_, written) = self.stop().finish();
        finished(written, self.target.writing().to_owned())
    }

    /// Waits until every batch is written.
    ///
    /// # Panics
    /// When the writer panicked, which is a mistake of ours.
    fn stop(&mut self) -> Writer<File> {
        self.batches = None;
        let thread = self.thread.take().expect("a recorder is stopped once");
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Sink for Recorder {
    fn accept(&mut self, batch: &mut Batch) {
        let full = core::mem::replace(batch, self.recycled.try_recv().unwrap_or_default());
        let batches = self.batches.as_ref().expect("the recorder is not stopped");
        // This fails only after a panic of the writer, which the end of the recording passes on.
        let _ = batches.send(full);
    }
}

/// A recorder that is dropped in the middle (a panic of the run) leaves what it has got.
impl Drop for Recorder {
    fn drop(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_batches(mut writer: Writer<File>, waiting: &Receiver<Batch>, done: &Sender<Batch>) -> Writer<File> {
    for mut batch in waiting {
        writer.append(&batch);
        batch.reset(0);
        // Nobody needs it any more when the run is over.
        let _ = done.send(batch);
    }
    writer
}

fn finished(written: Written, path: PathBuf) -> Finished {
    let Written { digest, steps, bytes, error } = written;
    Finished { digest, steps, bytes, path, error }
}

impl Target {
    fn new(path: &Path) -> Result<Target, Error> {
        let partial = match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                let reason = io::Error::from(io::ErrorKind::IsADirectory);
                return Err(Error::io(format_args!("cannot create {}", path.display()), &reason));
            }
            // Renaming would replace the device itself.
            Ok(found) if !found.is_file() => None,
            _ => {
                let mut name = path.as_os_str().to_owned();
                name.push(".partial");
                Some(PathBuf::from(name))
            }
        };
        Ok(Target { path: path.to_owned(), partial })
    }

    fn writing(&self) -> &Path {
        self.partial.as_deref().unwrap_or(&self.path)
    }

    fn create(&self) -> Result<File, Error> {
        let path = self.writing();
        let cannot_create = |error| Error::io(format_args!("cannot create {}", path.display()), &error);
        if self.partial.is_none() {
            return File::create(path).map_err(cannot_create);
        }
        // Two runs that record under one name would write over each other: the second is refused before it empties
        // what the first has written.
        let options = File::options().write(true).create(true).truncate(false).open(path);
        let file = options.map_err(cannot_create)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let reason = io::Error::other("another run is recording into it");
                return Err(cannot_create(reason));
            }
            // Where files cannot be locked, nothing is lost but the check.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        file.set_len(0).map_err(cannot_create)?;
        Ok(file)
    }

    /// Makes sure that the bytes are on the disk before the name is.
    fn publish(&self, file: &File) -> Result<(), Error> {
        let Some(partial) = &self.partial else {
            return Ok(());
        };
        file.sync_all()
            .and_then(|()| fs::rename(partial, &self.path))
            .map_err(|error| Error::io(format_args!("cannot finish {}", self.path.display()), &error))
    }
}
