//! Every shipped scenario is judged alike: live, detached from its record, and detached in batches of any size.

use std::fs;
use std::path::Path;
use std::process::Command;

use fleetsim_engine::batch::{Batch, EffectColumns, EffectKind, StepColumns};
use fleetsim_monitors::{MonitorConfig, Panel, RunEnd};
use fleetsim_trace_replay::Trace;
use serde_json::Value;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn findings(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_fleetsim"))
        .current_dir(root())
        .args(arguments)
        .args(["--format", "json"])
        .output()
        .expect("the program starts");
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {shown}");
    let mut json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    // Whether it was expected is the program's to say, not the monitors'.
    for finding in json["findings"].as_array_mut().expect("a list") {
        finding.as_object_mut().expect("an object").remove("expected");
    }
    json["findings"].take()
}

/// The steps of a trace, cut into batches of `size`.
struct Cutter<'a> {
    size: usize,
    first: u64,
    steps: StepColumns,
    effects: EffectColumns,
    facts: Vec<u8>,
    panel: &'a mut Panel,
}

impl Cutter<'_> {
    fn take(&mut self, batch: &Batch) {
        let (steps, effects) = (batch.step_columns(), batch.effect_columns());
        let (mut effect, mut byte) = (0, 0);
        for at in 0..batch.len() {
            self.steps.time_ns.push(steps.time_ns[at]);
            self.steps.target.push(steps.target[at]);
            self.steps.source.push(steps.source[at]);
            self.steps.sequence.push(steps.sequence[at]);
            self.steps.event.push(steps.event[at]);
            self.steps.fate.push(steps.fate[at]);
            self.steps.waited_ns.push(steps.waited_ns[at]);
            self.steps.protocol.push(steps.protocol[at]);
            self.steps.kind.push(steps.kind[at]);
            self.steps.first_sequence.push(steps.first_sequence[at]);
            self.steps.effects.push(steps.effects[at]);
            for _ in 0..steps.effects[at] {
                self.effects.effect.push(effects.effect[effect]);
                self.effects.object.push(effects.object[effect]);
                self.effects.protocol.push(effects.protocol[effect]);
                self.effects.kind.push(effects.kind[effect]);
                self.effects.delay_ns.push(effects.delay_ns[effect]);
                self.effects.length.push(effects.length[effect]);
                if effects.effect[effect] == EffectKind::Fact as u8 {
                    let end = byte + effects.length[effect] as usize;
                    self.facts.extend_from_slice(&batch.fact_bytes()[byte..end]);
                    byte = end;
                }
                effect += 1;
            }
            if self.steps.time_ns.len() == self.size {
                self.hand_on();
            }
        }
    }

    fn hand_on(&mut self) {
        let (steps, effects) = (std::mem::take(&mut self.steps), std::mem::take(&mut self.effects));
        let count = steps.time_ns.len() as u64;
        let batch = Batch::assemble(self.first, steps, effects, std::mem::take(&mut self.facts), None);
        self.panel.observe_batch(&batch.expect("the columns are those of a batch"));
        self.first += count;
    }
}

fn in_batches_of(size: usize, trace: &Trace) -> Value {
    let header = trace.header();
    let config: MonitorConfig =
        serde_json::from_value(header.settings["monitors"].clone()).expect("what the monitors were told");
    let mut panel = Panel::new(&config, &header.manifest);
    let mut cutter = Cutter {
        size,
        first: 0,
        steps: StepColumns::default(),
        effects: EffectColumns::default(),
        facts: Vec::new(),
        panel: &mut panel,
    };
    for batch in trace.batches() {
        cutter.take(&batch.expect("a whole trace"));
    }
    cutter.hand_on();
    let closing = trace.closing().expect("a finished run");
    let says = |word: &str| closing.summary[word] == Value::Bool(true);
    let end = RunEnd { time: closing.virtual_time, complete: says("complete"), quiescent: says("quiescent") };
    serde_json::to_value(panel.report(&end).findings).expect("JSON")
}

#[test]
fn findings_do_not_depend_on_how_the_record_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenarios = fs::read_dir(root().join("scenarios")).expect("the scenarios");
    let mut judged = 0;
    for entry in scenarios {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let (scenario, name) = (path.to_string_lossy(), path.file_stem().expect("a name").to_string_lossy());
        let trace = folder.path().join(format!("{name}.fleet"));
        let file = trace.to_string_lossy();
        let live = findings(&["run", &scenario, "--trace", &file]);
        assert_eq!(findings(&["replay", &file, "--detached"]), live, "{name}, detached");
        let trace = Trace::open(&trace).expect("a trace");
        for size in [1, 7, 32_768] {
            let cut = in_batches_of(size, &trace);
            assert_eq!(cut.to_string(), live.to_string(), "{name}, in batches of {size}");
        }
        judged += 1;
    }
    assert!(judged >= 5, "{judged} scenarios");
}
