//! The program with the built-in behaviours alone. One with behaviours of its own calls
//! [`fleetsim::cli::main`] in the same way.

use std::process::ExitCode;

fn main() -> ExitCode {
    fleetsim::cli::main(fleetsim::Registry::default())
}
