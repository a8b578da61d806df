//! Bounded reads at places of a file that may be hostile: nothing is allocated for bytes that are not there.

use core::cell::RefCell;
use core::fmt;
use std::io::{Read, Seek, SeekFrom};

use crate::error::Error;

/// What a trace is read from.
pub(crate) struct Source {
    // A cell, since reading moves the place; so a trace can be sent to another thread but not shared.
    stream: RefCell<Box<dyn Stream>>,
    length: u64,
}

trait Stream: Read + Seek + Send {}

impl<T: Read + Seek + Send> Stream for T {}

impl Source {
    pub(crate) fn new(stream: impl Read + Seek + Send + 'static) -> Result<Source, Error> {
        let mut stream: Box<dyn Stream> = Box::new(stream);
        let length =
            stream.seek(SeekFrom::End(0)).map_err(|error| Error::io("cannot read the trace", &error))?;
        Ok(Source { stream: RefCell::new(stream), length })
    }

    /// The length of the file in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// How many bytes there are from `offset` on.
    pub(crate) fn left(&self, offset: u64) -> u64 {
        self.length.saturating_sub(offset)
    }

    /// The `count` bytes from `offset` on, or `None` when the file ends before.
    pub(crate) fn bytes(&self, offset: u64, count: u64) -> Result<Option<Vec<u8>>, Error> {
        let Ok(size) = usize::try_from(count) else {
            return Ok(None);
        };
        if self.left(offset) < count {
            return Ok(None);
        }
        let mut bytes = vec![0; size];
        self.fill(offset, &mut bytes)?;
        Ok(Some(bytes))
    }

    /// The `SIZE` bytes from `offset` on, or `None` when the file ends before.
    pub(crate) fn array<const SIZE: usize>(&self, offset: u64) -> Result<Option<[u8; SIZE]>, Error> {
        if self.left(offset) < SIZE as u64 {
            return Ok(None);
        }
        let mut bytes = [0; SIZE];
        self.fill(offset, &mut bytes)?;
        Ok(Some(bytes))
    }

    fn fill(&self, offset: u64, bytes: &mut [u8]) -> Result<(), Error> {
        let mut stream = self.stream.borrow_mut();
        let read = stream.seek(SeekFrom::Start(offset)).and_then(|_| stream.read_exact(bytes));
        read.map_err(|error| Error::io(format_args!("cannot read the trace at byte {offset}"), &error))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("length", &self.length).finish_non_exhaustive()
    }
}
