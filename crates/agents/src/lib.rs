//! Built-in behaviours and resources of fleets of LLM-like agents.
//!
//! Everything that agents share is itself an agent, so that every interaction is a recorded message: the model
//! [`Provider`](provider::Provider), the [`Broker`](broker::Broker), the [`TaskStore`](task_store::TaskStore), the
//! [`ArtifactStore`](artifact_store::ArtifactStore), [`SharedMemory`](shared_memory::SharedMemory), the
//! [`Budget`](budget::Budget), and the [`Outside`](outside::Outside) that brings work and takes results. Between
//! them [`Worker`](worker::Worker)s take items up, work on them, and hand them over along [`seam`]s.
//!
//! What an LLM-like worker has that a server has not: it reads its inbox only between items, is deaf while it
//! works, takes seconds to minutes per turn, pays for every token, is sometimes wrong, and loses its context when
//! it restarts. What else may go wrong with it, and with what agents share, is listed in [`sites`].

#![forbid(unsafe_code)]

pub mod artifact_store;
pub mod broker;
mod bucket;
pub mod budget;
pub mod gate;
pub mod helper;
pub mod item;
pub mod outside;
pub mod provider;
pub mod seam;
pub mod shared_memory;
pub mod sites;
pub mod task_store;
pub mod worker;

/// A share as an integer ratio, so that no rounding decides anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Cases in which it happens.
    pub numerator: u64,
    /// Cases in all; 0 stands for "never".
    pub denominator: u64,
}

impl Share {
    /// Whether a case with this luck is among the share.
    pub fn happens(self, mut luck: fleetsim_engine::Draw) -> bool {
        self.denominator > 0 && luck.happens(self.numerator, self.denominator)
    }
}
