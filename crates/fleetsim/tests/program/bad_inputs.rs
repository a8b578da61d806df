//! What is wrong is refused with the right exit code and a sentence that helps.

use std::fs::File;

use crate::support::{Folder, call, fixture};

/// Calls the program and expects the exit code and words of stderr.
#[track_caller]
fn refused(words: &[&str], code: i32, said: &[&str]) {
    let called = call(words).exits(code);
    for text in said {
        assert!(called.stderr.contains(text), "`{text}` is missing for {words:?}:\n{}", called.stderr);
    }
    assert!(!called.stderr.contains("panicked"), "{}", called.stderr);
}

#[test]
fn command_lines_that_make_no_sense() {
    let pipeline = fixture("pipeline.toml");
    for (words, said) in [
        (&[][..], "Begin here"),
        (&["fly"], "unrecognized subcommand"),
        (&["run"], "SCENARIO"),
        (&["run", &pipeline, "--seed", "x"], "--seed"),
        (&["run", &pipeline, "--until", "soon"], "expected an instant"),
        (&["run", &pipeline, "--record", "digest"], "--trace"),
        (&["run", &pipeline, "--set", "lasts"], "path=value"),
        (&["run", &pipeline, "--set", "role.wrter.count=1"], "did you mean `writer`"),
        (&["replay", "x", "--detached", "--attempt"], "cannot be used with"),
        (&["test", &pipeline, "--seeds", "0"], "--seeds"),
        (&["diff", "one"], "<B>"),
    ] {
        refused(words, 2, &[said]);
    }
}

#[test]
fn scenarios_that_are_none() {
    let folder = Folder::new();
    let empty = folder.write("empty.toml", "");
    let binary = folder.write("binary.toml", b"expect = [\xff]");
    let here = folder.word("");
    for command in ["run", "check", "test"] {
        for (path, said) in
            [("absent.toml", "no such file"), (&empty, "the file is empty"), (&binary, "not UTF-8")]
        {
            let called = call(&[command, path]).exits(2);
            assert!(
                format!("{}{}", called.stdout, called.stderr).contains(said),
                "{command} {path}: {called:?}"
            );
        }
    }
    refused(&["run", &here], 2, &["a directory, where a file is meant"]);
    let bare = Folder::new();
    refused(&["check", &bare.word("")], 2, &["no scenario"]);
}

#[test]
fn five_mistakes_are_told_at_once() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(fixture("pipeline.toml")).unwrap();
    let text = text
        .replace("lasts = \"8h\"", "lasts = \"8 hours\"")
        .replace("turns = 3", "tunrs = 3")
        .replace("to = \"editor\"", "to = \"editro\"")
        .replace("count = 60", "count = \"many\"")
        .replace("delivery = \"at-least-once\"", "delivery = \"at-most-twice\"");
    let path = folder.write("wrong.toml", text);
    refused(
        &["run", &path],
        2,
        &["lasts", "tunrs", "no role `editro`", "many", "at-most-twice", "5 mistakes"],
    );
    let json = call(&["check", &path, "--format", "json"]).exits(2).json();
    assert_eq!(json["files"][0]["mistakes"].as_array().map(Vec::len), Some(5), "{json:#}");
    assert_eq!(json["ok"], false);
}

#[test]
fn fleets_that_cannot_be() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(fixture("calm.toml")).unwrap();
    let swallowed = text.replace("expect = [{ no-finding = \"duplicate-hand-over\" }]\n", "")
        + "expect = [{ finding = \"lost-update\" }]\n";
    let none = text.replace("count = 2,", "count = 0,");
    let backwards = text.replace("lasts = \"2h\"", "lasts = \"2h\"\nlatency = \"-5ms\"");
    for (name, text, said) in [
        ("swallowed.toml", swallowed, "expect"),
        ("none.toml", none, "no agents"),
        ("backwards.toml", backwards, "-5ms"),
        ("role.toml", text.replace("to = \"reader\"", "to = \"raeder\""), "did you mean `reader`"),
        ("data.toml", text.replace("arrivals.csv", "absent.csv"), "absent.csv"),
        ("outside.toml", text.replace("data/arrivals.csv", "../arrivals.csv"), "the scenario's own folder"),
        ("behaviour.toml", text.replace("process = { handles-one-in = \"20s\" }", "process = 3"), "process"),
    ] {
        let path = folder.write(name, text);
        refused(&["run", &path], 2, &[said]);
    }
}

#[test]
fn a_behaviour_that_is_not_there_is_named() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(fixture("calm.toml")).unwrap();
    let text = text.replace("process = { handles-one-in = \"20s\" }", "behaviour = \"gossip\"");
    std::fs::create_dir(folder.path("data")).unwrap();
    std::fs::copy(fixture("data/arrivals.csv"), folder.path("data/arrivals.csv")).unwrap();
    let path = folder.write("own.toml", text);
    refused(&["run", &path], 5, &["role.writer: this program has no behaviour `gossip`"]);
    let checked = call(&["check", &path]).exits(0);
    assert!(
        checked.stdout.contains("note: role.writer: this program has no behaviour"),
        "{}",
        checked.stdout
    );
}

#[test]
fn traces_that_are_none() {
    let folder = Folder::new();
    let zeros = folder.word("zeros.fleet");
    File::create(&zeros).and_then(|file| file.set_len(1 << 30)).unwrap();
    let empty = folder.write("empty.fleet", "");
    let text = fixture("calm.toml");
    let (here, absent) = (folder.word(""), folder.word("absent.fleet"));
    for (path, said) in [
        (&zeros, "begins with zeros"),
        (&empty, "the file is empty"),
        (&text, "not a trace"),
        (&here, "a directory"),
        (&absent, "No such file"),
    ] {
        for words in [
            &["replay", path][..],
            &["inspect", path],
            &["why", path, "--finding", "1"],
            &["diff", path, path],
        ] {
            refused(words, 4, &[said]);
        }
    }
}

#[test]
fn nothing_but_a_trace_is_overwritten() {
    let folder = Folder::new();
    let calm = fixture("calm.toml");
    let thesis = folder.write("thesis.txt", "years of work");
    refused(&["run", &calm, "--trace", &thesis], 2, &["is no trace", "--force"]);
    assert_eq!(std::fs::read_to_string(&thesis).unwrap(), "years of work");
    call(&["run", &calm, "--trace", &thesis, "--force"]).exits(0);
    call(&["run", &calm, "--trace", &thesis]).exits(0);
    call(&["replay", &thesis]).exits(0);
    refused(&["run", &calm, "--trace", &folder.word("")], 4, &["directory"]);
    refused(&["run", &calm, "--trace", &folder.word("absent/x.fleet")], 4, &["cannot create"]);
}

#[test]
fn moments_that_a_trace_does_not_have() {
    let folder = Folder::new();
    let trace = folder.record("run.fleet", &[]);
    for (words, said) in [
        (&["why", &trace][..], "why what?"),
        (&["why", &format!("{trace}#e999999999")], "there is no event e999999999"),
        (&["why", &format!("{trace}@900h")], "the last one is at"),
        (&["why", &trace, "--finding", "77"], "there is no finding 77"),
        (&["why", &trace, "--finding", "0"], "there is no finding 0"),
        (&["inspect", &format!("{trace}#e999999999")], "there is no event e999999999"),
        (&["why", "#e5"], "names no file"),
    ] {
        refused(words, 2, &[said]);
    }
}
