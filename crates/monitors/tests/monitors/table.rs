//! The table of all monitors in `docs/monitors.md`, made from what they say of themselves and what they catch.
//!
//! `UPDATE_TABLE=1 cargo test -p fleetsim-monitors --test monitors table` writes it anew.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use fleetsim_monitors::KINDS;

use crate::mutations::score;

const BEGIN: &str = "<!-- the table: made by tests/monitors/table.rs -->\n";
const END: &str = "<!-- the table ends -->\n";

fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of `docs/monitors.md` before, in and after the table.
fn page() -> (String, String, String) {
    let text = fs::read_to_string(file("../../docs/monitors.md")).expect("the page is there");
    let (before, rest) = text.split_once(BEGIN).expect("the table begins");
    let (table, after) = rest.split_once(END).expect("the table ends");
    (before.to_owned(), table.to_owned(), after.to_owned())
}

/// The file that finds `kind`: of its name, unless one file finds several kinds or has another name for good.
fn module(kind: &str) -> String {
    match kind {
        "ungated-irreversible-action" => "ungated_action".to_owned(),
        "misnamed-architecture" => "architecture".to_owned(),
        "dirty-write" | "dirty-read" | "read-skew" | "write-skew" | "stale-read" => "conflict".to_owned(),
        "property-violated" | "property-never-happened" => "property".to_owned(),
        other => other.replace('-', "_"),
    }
}

/// The paragraph of a file's documentation that begins with `*heading.*`, on one line.
fn paragraph(source: &str, heading: &str) -> Option<String> {
    let docs: String = source
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .map(|line| line.trim_start_matches("//!").trim().to_owned() + "\n")
        .collect();
    let marker = format!("*{heading}.* ");
    let text =
        docs.split("\n\n").find_map(|part| part.trim().strip_prefix(marker.as_str()).map(str::to_owned))?;
    Some(text.replace('\n', " ").replace("MonitorConfig::", "").replace("[`", "`").replace("`]", "`"))
}

fn table() -> String {
    let mut table = "| kind | class | found when | source | parameters | mutations caught |\n\
                     |---|---|---|---|---|---|\n"
        .to_owned();
    for (kind, meaning) in KINDS {
        let source = ["", "s"]
            .iter()
            .find_map(|plural| fs::read_to_string(file(&format!("src/{}{plural}.rs", module(kind)))).ok());
        let told = |heading: &str| {
            let text = source.as_deref().and_then(|source| paragraph(source, heading));
            text.unwrap_or_else(|| "–".to_owned()).replace('|', "\\|")
        };
        let score = score(kind);
        let class = score.class.map_or_else(|| "–".to_owned(), |class| format!("{class:?}").to_lowercase());
        let (caught, all) = (score.caught, score.caught + score.missed.len());
        let _ = writeln!(
            table,
            "| `{kind}` | {class} | {meaning} | {} | {} | {caught} of {all} |",
            told("Source"),
            told("Parameters")
        );
    }
    table
}

#[test]
fn the_table_lists_what_can_be_found() {
    let (before, written, after) = page();
    if std::env::var_os("UPDATE_TABLE").is_some() {
        let text = [before.as_str(), BEGIN, &table(), END, &after].concat();
        fs::write(file("../../docs/monitors.md"), text).expect("the page can be written");
        return;
    }
    let rows = written.lines().skip(2).filter_map(|row| row.split('`').nth(1));
    assert_eq!(rows.collect::<Vec<&str>>(), KINDS.iter().map(|(kind, _)| *kind).collect::<Vec<&str>>());
    assert_eq!(written, table(), "write it anew: see tests/monitors/table.rs");
}
