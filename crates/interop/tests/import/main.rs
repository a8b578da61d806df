//! Logs become traces: what they say is there, what they must not say is not, and nothing that is wrong with them matters.

mod beads;
mod files;
mod hostile;
mod ndjson;
mod otlp;
mod privacy;
mod support;
