//! What plans do to fleets: every kind of fault happens, at its rate, when it should, and only then.

mod fixtures;
mod kinds;
mod laws;
mod refusals;
mod stage;
mod swarms;
mod times;
