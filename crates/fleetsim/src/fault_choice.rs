//! Which faults a run has: the scenario's own, none, a swarm of the seed, or those of a file.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use fleetsim_fault_injection as injection;
use fleetsim_scenario::Plan;
use fleetsim_trace_replay::Header;
use serde_json::Value;

use crate::command::shell_word;
use crate::exit::{Exit, Failure};

/// Bytes of a plan in a file: 16 MiB.
const PLAN_BYTES_MAX: u64 = 16 << 20;

/// What `--faults` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// Nothing: those that the scenario names.
    #[default]
    Own,
    /// None at all.
    None,
    /// Drawn from the seed, within what the scenario says that it bears.
    Swarm,
    /// A plan that was written down, such as an edited one.
    File(PathBuf),
}

/// Reads the value of `--faults`. A file called `swarm` or `none` is `./swarm` or `./none`.
pub(crate) fn parse(text: &str) -> Result<Chosen, String> {
    Ok(match text {
        "" => return Err("expected `swarm`, `none` or the file of a plan".to_owned()),
        "none" => Chosen::None,
        "swarm" => Chosen::Swarm,
        file => Chosen::File(PathBuf::from(file)),
    })
}

impl Chosen {
    /// The faults of a run with a seed.
    pub(crate) fn plan(&self, plan: &Plan<'_>, seed: u64) -> Result<injection::Plan, Failure> {
        match self {
            Chosen::Own => Ok(plan.faults()),
            Chosen::None => Ok(injection::Plan::default()),
            Chosen::Swarm => plan.swarm(seed).ok_or_else(|| {
                Failure::usage(
                    "the scenario does not say what its fleet bears, so no swarm can be drawn; add `[tolerates]` with \
                     lines such as `loss = \"5%\"` or `crash = \"30s\"`, or name the file of a plan",
                )
            }),
            Chosen::File(path) => read(path),
        }
    }

    /// What a command that shows the run again has to say.
    pub(crate) fn again(&self) -> String {
        match self {
            Chosen::Own => String::new(),
            Chosen::None => " --faults none".to_owned(),
            Chosen::Swarm => " --faults swarm".to_owned(),
            Chosen::File(path) => format!(" --faults {}", shell_word(&path.to_string_lossy())),
        }
    }
}

fn read(path: &std::path::Path) -> Result<injection::Plan, Failure> {
    let name = path.display();
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Damaged, &format!("cannot read the plan {name}: {error}"))
    };
    // Asked before it is opened: opening a pipe that nobody writes to would wait for ever.
    if !std::fs::metadata(path).map_err(|error| failed(&error))?.is_file() {
        return Err(failed(&"it is no regular file"));
    }
    let mut text = String::new();
    let file = File::open(path).map_err(|error| failed(&error))?;
    file.take(PLAN_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| failed(&error))?;
    if text.len() as u64 > PLAN_BYTES_MAX {
        return Err(failed(&"it is larger than 16 MiB"));
    }
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(&format!("the plan {name} cannot be understood: {error}")))
}

/// What a trace says of its faults. Nothing at all when neither the scenario nor the run has any.
pub(crate) fn recorded(faults: &injection::Plan, own: &injection::Plan) -> Value {
    if faults.is_empty() && own.is_empty() {
        return Value::Null;
    }
    serde_json::to_value(faults).expect("a plan is JSON")
}

/// The faults of a recorded run; `None` when its trace does not say, and the scenario's own are meant.
pub(crate) fn of_record(header: &Header) -> Result<Option<injection::Plan>, Failure> {
    if header.faults.is_null() {
        return Ok(None);
    }
    serde_json::from_value(header.faults.clone()).map(Some).map_err(|error| {
        let message = format!("this program cannot understand the faults that the trace holds: {error}");
        Failure::new(Exit::Incompatible, &message)
    })
}
