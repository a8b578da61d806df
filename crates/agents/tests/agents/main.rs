//! The built-in agents through the engine's public interface: each resource against a scripted probe, then workers
//! between them. Everything is in one binary, so that the fixtures are compiled once.

mod artifact_store;
mod broker;
mod gate;
mod outside;
mod provider;
mod sites;
mod support;
mod task_store;
mod unhit;
mod worker;
