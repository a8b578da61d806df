//! What the agents of spans tell each other.

use fleetsim_engine::Message;
use serde::{Deserialize, Serialize};

use crate::privacy::Content;

/// The messages of an imported run of OpenTelemetry.
#[derive(Serialize, Deserialize)]
pub(super) enum Otlp {
    /// The log does not say why the agent acts.
    Acts,
    /// An agent calls another.
    Called,
    /// A called agent is done.
    Returned,
    /// A message, to a medium.
    Published { text: Content },
    /// A message, from a medium.
    Delivered,
    /// What was said while a span lasted, told nobody in particular.
    Said { text: Content },
}

impl Message for Otlp {
    const PROTOCOL: &'static str = "otlp";
}
