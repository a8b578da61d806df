//! The artifact store: documents with versions, read and written whole.
//!
//! An artifact's content is the list of edits that it holds, so that a lost one can be seen to be lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetsim_engine::{Address, Agent, AgentId, Context, Fact, Message};
use serde::{Deserialize, Serialize};

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
    /// The current content.
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
}

impl Message for Reply {
    const PROTOCOL: &'static str = "artifact-store-reply";
}

/// Documents with versions.
pub struct ArtifactStore {
    checks_version: bool,
    artifacts: BTreeMap<Arc<str>, (u64, Vec<u64>)>,
}

impl ArtifactStore {
    /// An empty store. One that checks versions refuses writes that are based on an old one.
    #[must_use]
    pub fn new(checks_version: bool) -> ArtifactStore {
        ArtifactStore { checks_version, artifacts: BTreeMap::new() }
    }
}

impl Agent for ArtifactStore {
    type Inbox = Request;
    type Timer = ();

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, request: Request) {
        let reply = match request {
            Request::Read { artifact } => {
                let (version, edits) = self.artifacts.get(artifact.as_str()).cloned().unwrap_or_default();
                Reply::Content { version, edits }
            }
            Request::Write { artifact, operation, based_on, edits } => {
                let entry = self.artifacts.entry(artifact.as_str().into()).or_default();
                if self.checks_version && entry.0 != based_on {
                    Reply::Conflict { version: entry.0 }
                } else {
                    *entry = (entry.0 + 1, edits);
                    let version = entry.0;
                    ctx.fact(Fact::Write { operation, resource: &artifact, based_on, version, fence: 0 });
                    Reply::Written { version }
                }
            }
        };
        ctx.send(Address::new(from), reply);
    }
}
