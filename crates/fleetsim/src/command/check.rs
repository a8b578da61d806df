//! `check`: what is wrong with scenario files, what they leave unguarded, and what they are structurally.

use std::path::{Path, PathBuf};

use fleetsim_fault_injection::unrecoverable;
use fleetsim_scenario::{BuildError, Overrides, Plan, Scenario};
use fleetsim_trace_replay::text::escape;
use serde_json::{Value, json};

use super::{Program, scenario_files};
use crate::exit::{Exit, Failure};
use crate::guards;
use crate::output::{Format, Lines, Paint, figures, show_json};
use crate::structure::{Structure, structure};

/// Faults and tolerances that are shown of one file.
const LINES_MAX: usize = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How to show the result
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: Format,
}

/// A scenario without mistakes.
struct Sound {
    agents: u64,
    seams: usize,
    expectations: usize,
    /// What goes wrong, a line each rule.
    faults: Vec<String>,
    /// What its protocols are said to bear, a line each kind.
    tolerates: Vec<String>,
    structure: Option<Structure>,
    notes: Vec<String>,
}

pub(crate) fn execute(arguments: &Arguments, program: &Program) -> Result<Exit, Failure> {
    let files = scenario_files(&arguments.paths)?;
    let checked: Vec<(PathBuf, Result<Sound, fleetsim_scenario::Error>)> =
        files.into_iter().map(|file| (file.clone(), check(&file, program))).collect();
    let is_sound = checked.iter().all(|(_, result)| result.is_ok());
    match arguments.format {
        Format::Json => {
            let files: Vec<Value> = checked.iter().map(|(file, result)| as_json(file, result)).collect();
            show_json(&json!({ "ok": is_sound, "files": files }))?;
        }
        Format::Text => {
            let paint = Paint::stdout();
            let mut lines = Lines::stdout();
            checked.iter().for_each(|(file, result)| show_one(file, result, paint, &mut lines));
            lines.finish()?;
        }
    }
    Ok(if is_sound { Exit::Expected } else { Exit::Usage })
}

fn check(file: &Path, program: &Program) -> Result<Sound, fleetsim_scenario::Error> {
    let loaded = Scenario::load(file, &Overrides::none())?;
    let document = loaded.scenario.document();
    let mut notes = guards::absent(document);
    let (mut faults, mut tolerates) = (Vec::new(), Vec::new());
    match Plan::new(&loaded, &program.registry.behaviours) {
        Err(BuildError { reasons, .. }) => notes.extend(reasons),
        Ok(plan) => {
            plan.check_faults()?;
            let own = plan.faults();
            notes.extend(unrecoverable(&own));
            if !own.is_empty() {
                faults = own.to_string().lines().map(str::to_owned).collect();
            }
            tolerates = plan.tolerance().map(|tolerance| tolerance.lines()).unwrap_or_default();
        }
    }
    Ok(Sound {
        agents: document.agents(),
        seams: document.seam.len(),
        expectations: document.expect.len(),
        faults,
        tolerates,
        structure: structure(document),
        notes,
    })
}

fn show_one(file: &Path, result: &Result<Sound, fleetsim_scenario::Error>, paint: Paint, lines: &mut Lines) {
    let name = escape(&file.display().to_string());
    let sound = match result {
        Ok(sound) => sound,
        Err(error) => {
            lines.line(error.render(paint.is_on()).trim_end());
            return;
        }
    };
    lines.line(&format!(
        "{} {name}: {}, {}, {}",
        paint.good("ok"),
        figures::counted(sound.agents, "agent"),
        figures::counted(sound.seams as u64, "seam"),
        figures::counted(sound.expectations as u64, "expectation"),
    ));
    if let Some(structure) = &sound.structure {
        lines.line(&format!("   {}", escape(&structure.text)));
    }
    for (word, told) in [("fault", &sound.faults), ("tolerates", &sound.tolerates)] {
        for line in told.iter().take(LINES_MAX) {
            lines.line(&format!("   {word}: {}", escape(line)));
        }
        if told.len() > LINES_MAX {
            lines.line(&format!("   … and {} more", told.len() - LINES_MAX));
        }
    }
    sound.notes.iter().for_each(|note| lines.line(&format!("   note: {}", escape(note))));
}

fn as_json(file: &Path, result: &Result<Sound, fleetsim_scenario::Error>) -> Value {
    let path = file.to_string_lossy();
    match result {
        Ok(sound) => json!({
            "path": path,
            "ok": true,
            "agents": sound.agents,
            "seams": sound.seams,
            "expectations": sound.expectations,
            "architecture": sound.structure.as_ref().map(|structure| structure.class.name()),
            "structure": sound.structure.as_ref().map(|structure| &structure.text),
            "faults": sound.faults,
            "tolerates": sound.tolerates,
            "notes": sound.notes,
            "mistakes": [],
        }),
        Err(error) => json!({
            "path": path,
            "ok": false,
            "error": error.mistakes().is_none().then(|| error.to_string()),
            "mistakes": error.mistakes().map_or_else(|| json!([]), fleetsim_scenario::Mistakes::to_json),
        }),
    }
}
