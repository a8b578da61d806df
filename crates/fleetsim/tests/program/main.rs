//! The program as its users meet it: the built binary, over scenarios of its own.

mod audits;
mod bad_inputs;
mod bench;
mod checking;
mod faults;
mod importing;
mod reports;
mod support;
mod traces;
