//! Takes the samples: every round measures all points once, beginning with another one each time.

use std::collections::BTreeSet;

use super::Course;
use super::sample::{self, Sample};
use crate::exit::{Exit, Failure};
use crate::output::tell;
use crate::progress::Count;
use crate::scratch::Scratch;
use crate::wall;

/// The samples of each point, by round.
pub(super) fn measure(course: &Course, rounds: u32) -> Result<Vec<Vec<Sample>>, Failure> {
    wall::note_interrupts();
    let scratch = Scratch::new()?;
    let folder = scratch.file("");
    let points = course.points.len();
    let progress = Count::new(points as u64 * u64::from(rounds));
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); points];
    let mut told = BTreeSet::new();
    let mut done = 0;
    for round in 0..rounds as usize {
        for turn in 0..points {
            let point = (turn + round) % points;
            let name = course.name(point);
            progress.update(done, &format!("round {} of {rounds}: {name}", round + 1));
            let answer = sample::command(point, &folder).and_then(|mut command| command.output());
            if wall::is_interrupted() {
                return Err(Failure::new(Exit::Damaged, "interrupted"));
            }
            let answer = answer.map_err(|error| {
                let message = format!("cannot start this program again to take a sample: {error}");
                Failure::new(Exit::Damaged, &message)
            })?;
            let stderr = String::from_utf8_lossy(&answer.stderr);
            samples[point].push(read(answer.status.code(), &answer.stdout, &stderr, &name)?);
            // What a run has to say it says in every round.
            stderr.lines().filter(|line| told.insert((*line).to_owned())).for_each(|line| {
                tell(&format!("{line}\n"));
            });
            done += 1;
        }
    }
    Ok(samples)
}

/// The sample that a process answered with.
fn read(code: Option<i32>, stdout: &[u8], stderr: &str, name: &str) -> Result<Sample, Failure> {
    match code.map(Exit::of_code) {
        Some(Some(Exit::Expected)) => {}
        Some(Some(exit)) => {
            // It has said why, as this program says it.
            return Err(Failure { exit, text: stderr.to_owned() });
        }
        Some(None) | None => {
            let how = code.map_or("by the system".to_owned(), |code| format!("with code {code}"));
            let message = format!("the run with {name} was ended {how}; was there enough memory?\n{stderr}");
            return Err(Failure::new(Exit::Damaged, message.trim_end()));
        }
    }
    // A program of a user's own may have written something before.
    let stdout = String::from_utf8_lossy(stdout);
    let line = stdout.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    serde_json::from_str(line).map_err(|_| {
        let message = format!(
            "this program, started again with its own arguments to measure {name}, did not come to the measurement"
        );
        Failure::new(Exit::Damaged, &message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_understood_or_explained() {
        let sample =
            r#"{"events":5,"messages":3,"virtual_time_ns":9,"wall_ns":2,"startup_ns":1,"yardstick_ns":4,
            "fleet_bytes":null,"peak_rss_bytes":7,"trace_bytes":0,"digest":null}"#
                .replace('\n', "");
        let answer = format!("welcome to my program\n{sample}\n\n");
        let read_sample = read(Some(0), answer.as_bytes(), "", "x").unwrap();
        assert_eq!((read_sample.events, read_sample.peak_rss_bytes), (5, Some(7)));
        for (code, stdout, stderr, exit, said) in [
            (Some(0), "hello", "", Exit::Damaged, "did not come to the measurement"),
            (Some(0), "", "", Exit::Damaged, "did not come to the measurement"),
            (Some(2), "", "error: why\n", Exit::Usage, "error: why\n"),
            (
                Some(101),
                "",
                "it\u{1b} panicked",
                Exit::Damaged,
                "with code 101; was there enough memory?\n  it\\u{1b}",
            ),
            (None, "", "", Exit::Damaged, "was ended by the system"),
        ] {
            let failure = read(code, stdout.as_bytes(), stderr, "x").unwrap_err();
            assert_eq!(failure.exit, exit);
            assert!(failure.text.contains(said), "{}", failure.text);
        }
    }
}
