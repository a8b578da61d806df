//! Traces from the outside: written, cut, damaged, compared and explained.

mod common;
mod damage;
mod explaining;
mod recording;
mod replay;
