//! A deterministic simulator of fleets of software agents: run, record, replay, explain.
