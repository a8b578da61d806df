//! A measurement for people: a table, a small plot, and how it compares with an earlier one.

use fleetsim_trace_replay::text::escape;

use super::Paint;
use super::figures::{counted, grouped};
use super::plot::{Series, plot};
use crate::command::bench::report::{Record, Report, Row, point_name};
use crate::command::bench::{Comparison, Verdict};

/// Lines of the whole, if the table leaves room for a plot.
const LINES_MAX: usize = 40;
const PLOT_ROWS_MAX: usize = 9;
const PLOT_ROWS_MIN: usize = 4;
const PLOT_COLUMNS: usize = 60;
/// Lines of a plot that are not rows: a blank, a title, axis, values, legend.
const PLOT_FRAME: usize = 5;
const DIGEST_SHOWN: usize = 12;

const COLUMNS: usize = 12;
const HEADINGS: [&str; COLUMNS] = [
    "agents",
    "record",
    "events",
    "events/s",
    "from",
    "to",
    "peak",
    "B/agent",
    "B/message",
    "wall/hour",
    "start",
    "digest",
];

/// The whole text.
pub(crate) fn text(report: &Report, notes: &[String], comparison: Option<&Comparison>) -> String {
    let paint = Paint::stdout();
    let mut lines = vec![paint.strong(&title(report))];
    lines.extend(table(&report.rows));
    lines.extend(notes.iter().map(|note| format!("note: {}", escape(note))));
    if !report.optimised {
        lines.push("note: this program is a debug build; a release build is many times as fast".to_owned());
    }
    let compared = comparison.map(|comparison| comparison_lines(comparison, paint)).unwrap_or_default();
    let room = LINES_MAX.saturating_sub(lines.len() + compared.len() + PLOT_FRAME).min(PLOT_ROWS_MAX);
    if room >= PLOT_ROWS_MIN {
        lines.extend(plotted(&report.rows, room));
    }
    lines.extend(compared);
    lines.join("\n") + "\n"
}

fn title(report: &Report) -> String {
    let machine = &report.machine;
    let cores = machine.cores.map_or(String::new(), |cores| format!("{}, ", counted(cores, "core")));
    let model = machine.model.as_ref().map_or(String::new(), |model| format!(", {}", escape(model)));
    format!(
        "{}: seed {}, {} in turns, medians; {cores}{} {}{model}",
        escape(&report.workload),
        report.seed,
        counted(u64::from(report.rounds), "round"),
        machine.arch,
        machine.os,
    )
}

fn table(rows: &[Row]) -> Vec<String> {
    let mut cells: Vec<[String; COLUMNS]> = vec![HEADINGS.map(str::to_owned)];
    cells.extend(rows.iter().map(row_cells));
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
    let line = |row: &[String; COLUMNS]| {
        let cell = |(column, width): (usize, &usize)| match HEADINGS[column] {
            "record" | "digest" => format!("{:<width$}", row[column]),
            _ => format!("{:>width$}", row[column]),
        };
        widths.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    cells.iter().map(line).collect()
}

fn row_cells(row: &Row) -> [String; COLUMNS] {
    let unknown = || "-".to_owned();
    [
        grouped(row.agents),
        row.record.name().to_owned(),
        short(row.events),
        short(row.events_per_second),
        short(row.events_per_second_min),
        short(row.events_per_second_max),
        row.peak_rss_bytes.map_or_else(unknown, mebibytes),
        row.bytes_per_agent.map_or_else(unknown, grouped),
        row.trace_bytes_per_message.map_or_else(unknown, |bytes| format!("{bytes:.1}")),
        row.wall_seconds_per_virtual_hour.map_or_else(unknown, seconds),
        seconds(row.startup_seconds),
        row.digest.as_ref().map_or_else(unknown, |digest| digest.chars().take(DIGEST_SHOWN).collect()),
    ]
}

/// Speed over size, if there is more than one size.
fn plotted(rows: &[Row], height: usize) -> Vec<String> {
    let series = |(record, mark)| Series {
        mark,
        name: Record::name(record),
        points: rows
            .iter()
            .filter(|row| row.record == record)
            .map(|row| (row.agents, row.events_per_second))
            .collect(),
    };
    let series: Vec<Series<'_>> =
        [(Record::Off, 'o'), (Record::Digest, 'd'), (Record::Full, 'f')].into_iter().map(series).collect();
    let series: Vec<Series<'_>> = series.into_iter().filter(|series| !series.points.is_empty()).collect();
    if rows.iter().all(|row| row.agents == rows[0].agents) {
        return Vec::new();
    }
    let mut lines = vec![String::new(), "events/s over agents".to_owned()];
    lines.extend(plot(&series, height, PLOT_COLUMNS, short));
    lines
}

fn comparison_lines(comparison: &Comparison, paint: Paint) -> Vec<String> {
    let threshold = comparison.threshold_percent;
    let mut lines = vec![
        String::new(),
        format!("times as fast as the baseline, relative to the yardstick (threshold {threshold} %)"),
    ];
    for row in &comparison.rows {
        let verdict = format!("{:<7}", row.verdict.name());
        let verdict = match row.verdict {
            Verdict::Slower => paint.bad(&verdict.to_uppercase()),
            Verdict::Faster => paint.good(&verdict),
            Verdict::Same | Verdict::Unclear => verdict,
        };
        let name = point_name(row.agents, row.record);
        let (ratio, low, high) = (row.ratio, row.ratio_low, row.ratio_high);
        lines.push(format!("{verdict}  {ratio:.3} ({low:.3} to {high:.3})  {name}"));
    }
    lines.extend(comparison.notes.iter().map(|note| format!("note: {}", escape(note))));
    lines
}

/// Three digits and a letter: `12.3M`.
fn short(count: u64) -> String {
    const LETTERS: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
    let (mut unit, mut letters) = (1_u64, LETTERS.iter());
    let mut letter = letters.next();
    while count / unit >= 1000 {
        unit *= 1000;
        letter = letters.next();
    }
    let (whole, tenths) = (count / unit, count % unit * 10 / unit);
    let letter = letter.copied().unwrap_or_default();
    match (whole, tenths) {
        (100.., _) | (_, 0) => format!("{whole}{letter}"),
        _ => format!("{whole}.{tenths}{letter}"),
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{}.{} MiB", grouped(bytes >> 20), ((bytes & 0xF_FFFF) * 10) >> 20)
}

fn seconds(seconds: f64) -> String {
    match seconds {
        0.0..0.001 => format!("{:.1}us", seconds * 1e6),
        0.001..1.0 => format!("{:.1}ms", seconds * 1e3),
        _ => format!("{seconds:.1}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_short() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1k"),
            (1_250, "1.2k"),
            (99_950, "99.9k"),
            (123_456_789, "123M"),
            (u64::MAX, "18.4E"),
        ] {
            assert_eq!(short(count), text);
        }
    }

    #[test]
    fn sizes_and_times_are_short() {
        assert_eq!(mebibytes(10 * (1 << 20) + (1 << 19)), "10.5 MiB");
        for (value, text) in [(0.0, "0.0us"), (0.000_012, "12.0us"), (0.25, "250.0ms"), (3.25, "3.2s")] {
            assert_eq!(seconds(value), text);
        }
    }
}
