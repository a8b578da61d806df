//! The artifact store: documents with versions, read and written whole.
//!
//! An artifact's content is the list of edits that it holds, so that a lost one can be seen to be lost.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use fleetsim_engine::{Address, Agent, AgentId, Context, Fact, Message};
use serde::{Deserialize, Serialize};

use crate::sites;

/// What the store is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Reads an artifact.
    Read {
        /// The artifact's name.
        artifact: String,
    },
    /// Replaces an artifact's content.
    Write {
        /// The artifact's name.
        artifact: String,
        /// The operation that writes.
        operation: u64,
        /// The version that the writer had read.
        based_on: u64,
        /// The new content.
        edits: Vec<u64>,
    },
}

impl Message for Request {
    const PROTOCOL: &'static str = "artifact-store";
}

/// What the store answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// The current content, or what the store takes for it.
    Content {
        /// Its version, 0 for an artifact that does not exist yet.
        version: u64,
        /// The edits that it holds.
        edits: Vec<u64>,
    },
    /// The write took effect.
    Written {
        /// The version that it made.
        version: u64,
    },
    /// The artifact has changed since it was read, and the store checks that.
    Conflict {
        /// The current version.
        version: u64,
    },
    /// The store could not write. Nothing was written.
    Failed {
        /// How many nanoseconds to wait the first time.
        first_wait_ns: u64,
    },
    /// The call took too long: whether anything was written is not known.
    TimedOut,
}

impl Message for Reply {
    const PROTOCOL: &'static str = "artifact-store-reply";
}

/// Documents with versions.
pub struct ArtifactStore {
    checks_version: bool,
    artifacts: BTreeMap<Arc<str>, Artifact>,
}

/// How many versions before the last one a store remembers, for reads that are stale.
const VERSIONS_KEPT: usize = 8;

#[derive(Default)]
struct Artifact {
    version: u64,
    content: Vec<u64>,
    /// The contents of the versions before, the oldest first.
    earlier: VecDeque<Vec<u64>>,
}

impl Artifact {
    fn replace(&mut self, content: Vec<u64>) {
        if self.earlier.len() == VERSIONS_KEPT {
            self.earlier.pop_front();
        }
        self.earlier.push_back(core::mem::replace(&mut self.content, content));
        self.version += 1;
    }

    /// The version so many before the last, as far as it is known.
    fn versions_back(&self, versions: u64) -> Reply {
        let back = usize::try_from(versions).unwrap_or(usize::MAX).min(self.earlier.len());
        let content = match back {
            0 => &self.content,
            _ => &self.earlier[self.earlier.len() - back],
        };
        Reply::Content { version: self.version - back as u64, edits: content.clone() }
    }
}

impl ArtifactStore {
    /// An empty store. One that checks versions refuses writes that are based on an old one.
    #[must_use]
    pub fn new(checks_version: bool) -> ArtifactStore {
        ArtifactStore { checks_version, artifacts: BTreeMap::new() }
    }
}

impl ArtifactStore {
    fn read(&self, ctx: &mut Context<'_, Self>, artifact: &str) -> Reply {
        let Some(artifact) = self.artifacts.get(artifact) else {
            return Reply::Content { version: 0, edits: Vec::new() };
        };
        let back = match artifact.version {
            0 => 0,
            _ => ctx.fault_site(sites::STORE_STALE_READ).unwrap_or(0),
        };
        artifact.versions_back(back)
    }

    /// Writes, and says what the writer hears after how many nanoseconds; `None` for nothing ever.
    fn write(
        &mut self,
        ctx: &mut Context<'_, Self>,
        artifact: &str,
        (operation, based_on, edits): (u64, u64, Vec<u64>),
    ) -> Option<(Reply, u64)> {
        let entry = self.artifacts.entry(artifact.into()).or_default();
        if self.checks_version && entry.version != based_on {
            return Some((Reply::Conflict { version: entry.version }, 0));
        }
        if let Some(first_wait_ns) = ctx.fault_site(sites::STORE_FAILED_WRITE) {
            return Some((Reply::Failed { first_wait_ns }, 0));
        }
        entry.replace(edits);
        let version = entry.version;
        ctx.fact(Fact::Write { operation, resource: artifact, based_on, version, fence: 0 });
        match ctx.fault_site(sites::STORE_INDETERMINATE_WRITE) {
            None => Some((Reply::Written { version }, 0)),
            Some(0) => None,
            Some(after_ns) => Some((Reply::TimedOut, after_ns)),
        }
    }
}

impl Agent for ArtifactStore {
    type Inbox = Request;
    type Timer = ();

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, request: Request) {
        let reply = match request {
            Request::Read { artifact } => Some((self.read(ctx, &artifact), 0)),
            Request::Write { artifact, operation, based_on, edits } => {
                self.write(ctx, &artifact, (operation, based_on, edits))
            }
        };
        if let Some((reply, after_ns)) = reply {
            ctx.send_after(Address::new(from), reply, after_ns);
        }
    }
}
