//! Texts and files made to hurt: deep, huge, garbled, or not files at all. Each gets a plain answer, soon.

use std::fs;

use fleetsim_scenario::{Overrides, Scenario, TEXT_BYTES_MAX};
use proptest::prelude::*;

const EVERYTHING: &str = include_str!("examples/everything.toml");

fn messages(text: &str) -> Vec<String> {
    let mistakes = Scenario::parse("s.toml", text, &Overrides::none()).expect_err("not a scenario");
    let shown = mistakes.render(false);
    assert!(shown.len() < 1 << 20, "what is shown is bounded: {}", shown.len());
    mistakes.iter().map(|mistake| mistake.message.clone()).collect()
}

#[test]
fn hostile_texts_get_a_plain_answer() {
    let many = 100_000;
    for (text, part) in [
        (format!("a = {}{}", "[".repeat(many), "]".repeat(many)), "nested too deeply"),
        (format!("a = {}", "{a=".repeat(many)), "nested too deeply"),
        (format!("a{} = 1", ".a".repeat(many)), "nested too deeply"),
        (format!("[a{}]", ".a".repeat(many)), "nested too deeply"),
        (format!("a = {}", "9".repeat(many)), "out of range"),
        ("a = 1e999".to_owned(), "out of range"),
        ("a = nan".to_owned(), "out of range"),
        (format!("{} = 1", "a".repeat(many)), "has no `aaaa"),
        ("x = 1\n".repeat(many), "`x` is written twice"),
        (format!("a = \"{}\"", "\\u001b".repeat(many)), "has no `a`"),
        ("=\n".repeat(many), ""),
        ((0..many).map(|n| format!("x{n} = 1\n")).collect(), "has no `x0`"),
        ("\0".repeat(many), ""),
        ("a".repeat(usize::try_from(TEXT_BYTES_MAX).unwrap() + 1), "larger than 4 MiB"),
        (String::new(), "the file is empty"),
        ("\u{feff} \n\t".to_owned(), "the file is empty"),
    ] {
        let messages = messages(&text);
        let start: String = text.chars().take(40).collect();
        let found = messages.iter().any(|message| message.contains(part));
        assert!(found, "{start}…: {}", messages[0]);
        assert!(messages.iter().all(|message| message.len() < 400), "{start}…");
    }
}

#[test]
fn a_file_full_of_unknown_names_is_answered_in_time() {
    use std::fmt::Write as _;
    let mut text = "[fleet]\nlasts = \"1h\"\n".to_owned();
    for n in 0..10_000 {
        let _ = writeln!(text, "[role.r{n}]\ncount = 1\nmodel = \"m\"\ninput = 1\noutput = 1");
        let _ = writeln!(text, "[seam.s{n}]\nfrom = \"x{n}\"\nto = \"y{n}\"\nvia = \"z\"");
    }
    let mistakes = Scenario::parse("s.toml", &text, &Overrides::none()).unwrap_err();
    assert_eq!(mistakes.len(), 1_000, "and no more");
    assert!(mistakes.render(false).contains("… and 900 more"));

    // Two stages, each with as many as are kept.
    let unknown: String = (0..2_000).map(|n| format!("u{n} = 1\n")).collect();
    let both = text.replacen("lasts", &format!("{unknown}lasts"), 1);
    let mistakes = Scenario::parse("s.toml", &both, &Overrides::none()).unwrap_err();
    assert_eq!(mistakes.len(), 1_000, "and no more");
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("latin.toml"), b"[fleet]\nname = \"\xe9\"").unwrap();
    fs::write(at("empty.toml"), "").unwrap();
    let large = usize::try_from(TEXT_BYTES_MAX).unwrap() + 1;
    fs::write(at("large.toml"), vec![b'#'; large]).unwrap();
    let load = |name: &str| Scenario::load(at(name), &Overrides::none()).expect_err(name);
    let absent = load("absent.toml");
    assert!(absent.is_not_found() && absent.to_string().ends_with("absent.toml: no such file"));
    assert!(load(".").is_directory());
    let latin = load("latin.toml");
    assert!(latin.is_not_text() && latin.to_string().ends_with("not UTF-8 text, at byte 16"));
    assert!(load("empty.toml").mistakes().is_some());
    let large = load("large.toml");
    assert!(large.is_too_large() && large.to_string().ends_with("larger than 4 MiB"));
}

#[test]
fn data_files_stay_in_the_folder_and_are_understood() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("scenario");
    fs::create_dir_all(folder.join("data")).unwrap();
    let scenario = folder.join("s.toml");
    fs::write(&scenario, EVERYTHING).unwrap();
    let data = folder.join("data/arrivals.csv");
    let rows = include_str!("examples/data/arrivals.csv");
    let load = || Scenario::load(&scenario, &Overrides::none());

    assert!(load().expect_err("no data yet").is_not_found());

    fs::write(&data, rows).unwrap();
    let loaded = load().unwrap();
    assert_eq!(loaded.arrivals("data/arrivals.csv").unwrap()[2].at_ns, 98_189_000);
    assert_eq!(loaded.data[0].text, rows);

    fs::write(&data, format!("{rows}never,1,2\n")).unwrap();
    let error = load().expect_err("a row without time");
    assert!(error.is_bad_data() && error.to_string().contains("arrivals.csv:5: expected a time"));

    #[cfg(unix)]
    {
        fs::write(outer.path().join("secret.csv"), rows).unwrap();
        fs::remove_file(&data).unwrap();
        std::os::unix::fs::symlink(outer.path().join("secret.csv"), &data).unwrap();
        let error = load().expect_err("a link that leads out");
        assert!(error.to_string().ends_with("outside the scenario's folder"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_makes_it_panic(text in "(?s).{0,200}") {
        let _ = Scenario::parse("s", &text, &Overrides::none()).map_err(|m| m.render(true));
    }

    #[test]
    fn no_cut_or_garbled_scenario_makes_it_panic(
        cut in 0..EVERYTHING.len(),
        at in 0..EVERYTHING.len(),
        garbage in "[\\[\\]{}=\"',.\n a0\u{1b}é-]{0,6}",
    ) {
        let mut text = EVERYTHING.to_owned();
        text.replace_range(at..(at + garbage.len()).min(EVERYTHING.len()), &garbage);
        if cut % 3 == 0 {
            text.truncate(cut);
        }
        let _ = Scenario::parse("s", &text, &Overrides::none()).map_err(|m| m.render(false));
    }

    #[test]
    fn no_override_makes_it_panic(path in "[a-z0-9.]{0,30}", value in ".{0,30}") {
        let paths = [path.as_str(), "role.planner.turns", "expect.0", "fault.3.clock", "fleet"];
        for path in paths {
            let overrides = Overrides::from(vec![(path.to_owned(), value.clone())]);
            let _ = Scenario::parse("s", EVERYTHING, &overrides).map_err(|m| m.render(false));
        }
    }
}
