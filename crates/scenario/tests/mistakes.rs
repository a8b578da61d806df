//! What is said of a scenario with mistakes: all of them at once, each at its place, with what to write
//! instead.

use fleetsim_scenario::{Mistakes, Overrides, Scenario};

fn mistakes(text: &str) -> Mistakes {
    match Scenario::parse("s.toml", text, &Overrides::none()) {
        Ok(_) => panic!("no mistake found in\n{text}"),
        Err(mistakes) => mistakes,
    }
}

/// Each mistake in one line: place, code, message, help.
fn lines(mistakes: &Mistakes) -> Vec<String> {
    let line = |m: &fleetsim_scenario::Mistake| {
        let help = m.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{}:{} {}: {}{help}", m.line, m.column, m.code.as_str(), m.message)
    };
    mistakes.iter().map(line).collect()
}

/// A small scenario that is right; each case changes a line of it or adds some.
const SOUND: &str = r#"expect = [{ finding = "starvation" }]
[fleet]
lasts = "8h"
[work.note]
arrives = { poisson = "6/h" }
enters = "notes"
done-at = "publish"
[model.small]
first-token = "1s"
per-token = "15ms"
[role]
writer = { count = 2, model = "small", input = 900, output = 90 }
lead = { count = 1, human = { answers-in = "20m" } }
[medium]
redis = { kind = "queue" }
[seam]
notes = { from = "outside", to = "writer", via = "redis" }
drafts = { from = "writer", to = "lead", via = "redis" }
[action.publish]
by = "lead"
reversible = false
[guard]
"#;

fn changed(from: &str, to: &str) -> String {
    assert!(SOUND.contains(from), "{from}");
    SOUND.replacen(from, to, 1)
}

#[test]
fn the_sound_scenario_is_sound() {
    Scenario::parse("s.toml", SOUND, &Overrides::none()).unwrap();
}

#[test]
fn one_mistake_is_one_line() {
    let mut wrong = String::new();
    for (from, to, expected) in [
        // Form.
        (
            "lasts = \"8h\"",
            "lasts = 90",
            r#"3:9 wrong-type: expected a duration such as "90s", found the number 90 (write "90s")"#,
        ),
        (
            "lasts = \"8h\"",
            "lasts = \"8 hours\"",
            r#"3:9 bad-value: ` hours` is no unit of time (write "8h")"#,
        ),
        (
            "lasts = \"8h\"",
            "lasst = \"8h\"",
            "3:1 unknown-field: `fleet` has no field `lasst` (did you mean `lasts`?)",
        ),
        (
            "lasts = \"8h\"",
            "",
            "2:1 missing-field: `fleet` has no `lasts` (add `lasts`: a duration such as \"90s\")",
        ),
        (
            "lasts = \"8h\"",
            "lasts = \"8h\"\nlatency = \"-2ms\"",
            "4:11 bad-value: a negative duration, \"-2ms\" (time runs forwards only: write a positive duration)",
        ),
        (
            "lasts = \"8h\"",
            "lasts = \"0s\"",
            "3:9 bad-value: a duration of zero: an effect is always later than its cause (the shortest duration is \"1ns\")",
        ),
        (
            "lasts = \"8h\"",
            "lasts = \"8h\"\nseed = -1",
            "4:8 out-of-range: `fleet.seed` is at least 0, found -1",
        ),
        (
            "lasts = \"8h\"",
            "lasts = \"8h\"\nseed = 99999999999999999999",
            "4:8 out-of-range: the number 99999999999999999999 is out of range (whole numbers lie between -9223372036854775808 and 9223372036854775807)",
        ),
        (
            "[guard]",
            "[guard]\nexpect = [{ finding = \"starvation\" }]",
            "23:1 swallowed-key: `expect` belongs at the top of the file; after `[guard]` TOML reads it as `guard.expect` (move `expect = …` above the first `[table]`)",
        ),
        (
            "[medium]",
            "fault = []\n[medium]",
            "14:1 swallowed-key: `fault` belongs at the top of the file; after `[role]` TOML reads it as `role.fault` (move `fault = …` above the first `[table]`)",
        ),
        (
            "[guard]",
            "[[fault]]\nname = \"x\"\nloss = { share = \"1%\" }\nexpect = []",
            "25:1 swallowed-key: `expect` belongs at the top of the file; after `[[fault]]` TOML reads it as `fault.0.expect` (move `expect = …` above the first `[table]`)",
        ),
        ("[guard]", "[gaurd]", "22:2 unknown-field: a scenario has no `gaurd` (did you mean `guard`?)"),
        (
            "[guard]",
            "[guard]\nclaims-to-be = \"hybrid\"",
            "23:1 unknown-field: `guard` has no field `claims-to-be` (`claims-to-be` belongs in `[fleet]`)",
        ),
        (
            "[guard]",
            "[guard]\nread-before-write = \"true\"",
            "23:21 wrong-type: expected true or false, found the text \"true\" (write true without quotes)",
        ),
        (
            "[guard]",
            "[guard]\nfleet-cost-breaker = 40",
            "23:22 wrong-type: expected an amount of dollars such as \"$40\", found the number 40 (write \"$40\")",
        ),
        (
            "per-token = \"15ms\"",
            "per-token = 0.5",
            "10:13 wrong-type: expected a duration such as \"90s\", found the number 0.5 (write \"0.5s\")",
        ),
        (
            "output = 90 }",
            "output = 90, wrong = 0.04 }",
            "12:74 wrong-type: expected a share such as \"4%\", found the number 0.04 (write \"4%\")",
        ),
        (
            "output = 90 }",
            "output = 90, wrong = \"104%\" }",
            "12:74 bad-value: a share above the whole, \"104%\" (a share is at most \"100%\")",
        ),
        (
            "output = 90 }",
            "output = 90, process = { handles-one-in = \"1s\" } }",
            "12:66 conflict: `process` does not go with `model` (`role.writer` takes exactly one of `model`, `process`, `human` and `behaviour`)",
        ),
        (
            "count = 2, model",
            "count = -2, model",
            "12:20 out-of-range: `role.writer.count` is at least 0, found -2",
        ),
        (
            "first-token = \"1s\"",
            "first-token = { lognormal = { median = \"1s\" } }",
            "9:29 missing-field: `model.small.first-token.lognormal` has no `p99` (add `p99`: a duration such as \"90s\")",
        ),
        (
            "first-token = \"1s\"",
            "first-token = { lognormel = { median = \"1s\", p99 = \"2s\" } }",
            "9:17 unknown-field: `model.small.first-token` has no field `lognormel` (did you mean `lognormal`?)",
        ),
        (
            "first-token = \"1s\"",
            "first-token = []",
            "9:15 wrong-type: expected a duration such as \"90s\" or a distribution, found a list (write `[model.small.first-token]` or `model.small.first-token = { … }`)",
        ),
        (
            "first-token = \"1s\"",
            "first-token = {}",
            "9:15 missing-field: `model.small.first-token` needs one of `uniform`, `exponential`, `lognormal`, `gamma`, `pareto` or `table`",
        ),
        (
            "poisson = \"6/h\"",
            "poisson = \"6/h\", every = \"1h\"",
            "5:30 conflict: `every` does not go with `poisson` (`work.note.arrives` takes exactly one of `poisson`, `every`, `at-once` and `from`)",
        ),
        (
            "finding = \"starvation\"",
            "role = \"writer\"",
            "1:11 missing-field: `expect.0` needs exactly one of `finding`, `no-finding` and `architecture`",
        ),
        // Meaning.
        (
            "to = \"writer\"",
            "to = \"wrtier\"",
            "17:34 unknown-name: no role `wrtier` (did you mean `writer`?)",
        ),
        (
            "via = \"redis\" }\n[action",
            "via = \"rabbit\" }\n[action",
            "18:48 unknown-name: no medium `rabbit` (there is only `redis`)",
        ),
        (
            "model = \"small\"",
            "model = \"samll\"",
            "12:31 unknown-name: no model `samll` (did you mean `small`?)",
        ),
        (
            "enters = \"notes\"",
            "enters = \"drafts\"",
            "6:10 conflict: work enters from outside, but `drafts` comes from `writer` (name a seam with from = \"outside\", or change `seam.drafts.from`)",
        ),
        (
            "done-at = \"publish\"",
            "done-at = \"publsh\"",
            "7:11 unknown-name: no action, role or seam `publsh` (did you mean `publish`?)",
        ),
        (
            "from = \"writer\", to = \"lead\"",
            "from = \"lead\", to = \"writer\"",
            "7:11 conflict: no way leads from `notes` to `publish`, so no item is ever done (follow the seams: what one role receives, it has to give to the next)",
        ),
        (
            "by = \"lead\"",
            "by = \"lead\"\ngate = \"writer\"",
            "21:8 conflict: a gate is a person, and `writer` is none (name a role with `human`, or \"none\")",
        ),
        (
            "{ kind = \"queue\" }",
            "{ kind = \"shared-memory\", read-by = \"lead\" }",
            "15:35 conflict: `read-by` is for kind = \"queue\" (`medium.redis` is of kind \"shared-memory\")",
        ),
        (
            "{ kind = \"queue\" }",
            "{ kind = \"queue\", capacity = 0 }",
            "15:38 out-of-range: a medium without room carries nothing (leave `capacity` out for room without bound)",
        ),
        (
            "output = 90 }",
            "output = 90, turns = { lognormal = { median = 9, p99 = 4 } } }",
            "12:108 out-of-range: the 99th percentile, 4, is below the median, 9",
        ),
        (
            "lead = {",
            "sender = { count = 1, behaviour = \"x\" }\nlead = {",
            "13:1 bad-name: a role cannot be called `sender` (\"sender\" has a meaning of its own where a role is named)",
        ),
        (
            "[guard]",
            "[guard]\nreview-rounds = 0",
            "23:17 out-of-range: `review-rounds` is at least 1 (leave the guard out to turn it off)",
        ),
        (
            "poisson = \"6/h\"",
            "from = \"/etc/passwd\"",
            "5:20 bad-value: the path is not relative, with `/` between its parts (data files lie in the scenario's own folder: \"data/arrivals.csv\")",
        ),
        (
            "poisson = \"6/h\"",
            "from = \"a/../../b\"",
            "5:20 bad-value: the path leads out of the scenario's folder (data files lie in the scenario's own folder: \"data/arrivals.csv\")",
        ),
        (
            "[guard]",
            "[[fault]]\nname = \"x\"\ncrash = { agent = \"writer-3\", at = \"1h\" }",
            "24:19 unknown-name: no agent `writer-3`: `writer` has 2",
        ),
        (
            "lasts = \"8h\"",
            "lasts = \"8h\"\nunsure = [\"role.writer.inptu\"]",
            "4:11 unknown-name: `role.writer.inptu` is not in the file (did you mean `input`?)",
        ),
        // Syntax.
        (
            "lasts = \"8h\"",
            "lasts = 8h",
            "3:9 syntax: `8h` is no TOML value (text is written in quotes: \"8h\")",
        ),
        (
            "lasts = \"8h\"",
            "lasts = \"8h\"\nlasts = \"9h\"",
            "4:1 syntax: `lasts` is written twice (keep one of the two; a table is opened once, and a name is given once in it)",
        ),
        ("lasts = \"8h\"", "lasts =", "3:8 syntax: a value is missing here"),
    ] {
        let found = lines(&mistakes(&changed(from, to)));
        if found != [expected] {
            wrong.push_str(&format!("\nfor {to}\n  expected {expected}\n  found    {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn five_mistakes_of_every_kind_are_five_mistakes() {
    let text = changed("lasts = \"8h\"", "lasts = 8");
    let text = text.replacen("to = \"writer\"", "to = \"wrtier\"", 1);
    let text = text.replacen("input = 900", "inptu = 900", 1);
    let text = text.replacen("[guard]", "[guard]\nexpect = []\nreview-rounds = 0", 1);
    assert_eq!(
        lines(&mistakes(&text)).iter().map(|line| line.split(':').next().unwrap()).collect::<Vec<_>>(),
        ["3", "12", "17", "23", "24"],
    );
}

#[test]
fn a_misspelt_kind_of_finding_is_suggested() {
    let found = lines(&mistakes(&changed("\"starvation\"", "\"starvtion\"")));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("1:23 bad-value: expected \""), "{found:?}");
    assert!(found[0].ends_with("(did you mean \"starvation\"?)"), "{found:?}");
}

#[test]
fn a_misspelt_table_does_not_make_everything_unknown() {
    let found = mistakes(&changed("[role]", "[roles]"));
    assert_eq!(lines(&found), ["11:2 unknown-field: a scenario has no `roles` (did you mean `role`?)"]);
}

#[test]
fn what_follows_from_a_mistake_of_form_is_not_reported_beside_it() {
    for (from, to, expected) in [
        // Without its model, the role's other fields would not go with it.
        ("model = \"small\"", "modle = \"small\"", "12:"),
        // Whatever stands in for the medium, role or count is not to blame.
        ("to = \"writer\", via = \"redis\"", "to = \"writer\"", "17:"),
        ("enters = \"notes\"", "enters = 3", "6:"),
        ("{ kind = \"queue\" }", "{ kind = \"quue\", capacity = 3 }", "15:"),
        ("by = \"lead\"", "yb = \"lead\"", "20:"),
        (
            "finding = \"starvation\"",
            "finding = \"starvation\", architecture = \"hybrid\", medium = \"redis\"",
            "1:37 conflict: `architecture` does not go with `finding`",
        ),
        ("count = 2, model", "count = \"two\", model", "12:"),
        ("finding = \"starvation\"", "no-finding = \"starvation\", finding = \"feedback-loop\"", "1:"),
    ] {
        let found = lines(&mistakes(&changed(from, to)));
        assert_eq!(found.len(), 1, "{to}: {found:#?}");
        assert!(found[0].starts_with(expected), "{to}: {found:?}");
    }
}

#[test]
fn a_fleet_without_agents_says_so() {
    let found = mistakes("[fleet]\nlasts = \"1h\"\n");
    assert_eq!(
        lines(&found),
        ["1:1 empty-fleet: the fleet has no agents (give at least one role a `count` of 1 or more)"]
    );
    let none = "[fleet]\nlasts = \"1h\"\n[role]\na = { count = 0, behaviour = \"x\" }\n";
    assert_eq!(mistakes(none).iter().next().unwrap().path, "role");
    let unstaffed = lines(&mistakes(&changed("count = 2, model", "count = 0, model")));
    let needed =
        "empty-fleet: role `writer` has no agents, but is needed here (give `role.writer.count` at least 1)";
    assert_eq!(unstaffed, [format!("17:34 {needed}"), format!("18:19 {needed}")]);
    let many = none.replace("count = 0", "count = 99999999");
    assert!(lines(&mistakes(&many))[0].contains("at most 16777216 fit"));
}

#[test]
fn shows_source_line_marker_and_help() {
    let text = changed("to = \"writer\"", "to = \"wrtier\"");
    let expected = r#"error[unknown-name]: no role `wrtier`
  --> s.toml:17:34
   |
17 | notes = { from = "outside", to = "wrtier", via = "redis" }
   |                                  ^^^^^^^^
   |
   = help: did you mean `writer`?

1 mistake in s.toml
"#;
    let found = mistakes(&text);
    assert_eq!(found.render(false), expected);
    assert_eq!(found.to_string(), expected);
    assert!(found.render(true).contains("\u{1b}["), "colour if asked for");
    assert_eq!(
        found.to_json(),
        serde_json::json!([{
            "code": "unknown-name", "path": "seam.notes.to", "source": "s.toml", "line": 17,
            "column": 34, "message": "no role `wrtier`", "help": "did you mean `writer`?",
        }])
    );
}

#[test]
fn control_characters_are_not_shown_as_such() {
    for character in ["\\u001b", "\\u009b", "\\u202e", "\\u0007", "\\u200b"] {
        let text = changed("to = \"writer\"", &format!("to = \"a{character}[31mb\""));
        let text = text.replace("notes = {", "\"n\u{9b}\u{202e}otes\" = {");
        let shown = mistakes(&text).render(false);
        let harmful =
            |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{200b}' | '\u{feff}');
        assert!(!shown.chars().any(harmful), "{shown:?}");
    }
    let json = mistakes("\"a\\u001b\" = 1").to_json().to_string();
    assert!(!json.contains("u001b"), "{json}");
}

/// Pairs of medium and chooser that would leave every item lying there are refused; the others are not.
#[test]
fn a_medium_carries_only_what_somebody_can_take_from_it() {
    for (medium, chooser, mistake) in [
        ("{ kind = \"queue\" }", "sender", None),
        ("{ kind = \"queue\" }", "nobody", None),
        ("{ kind = \"queue\" }", "lead", Some("`lead` does not read `redis`, so it cannot choose")),
        ("{ kind = \"queue\", read-by = \"lead\" }", "lead", None),
        (
            "{ kind = \"queue\", read-by = \"lead\" }",
            "nobody",
            Some("`lead` reads everything that comes through `redis`, so it chooses"),
        ),
        ("{ kind = \"task-store\" }", "nobody", None),
        ("{ kind = \"task-store\" }", "sender", Some("workers claim what lies in the task store `redis`")),
        ("{ kind = \"shared-memory\" }", "lead", None),
        ("{ kind = \"inbox\" }", "lead", None),
        (
            "{ kind = \"artifact-store\" }",
            "sender",
            Some("`redis` keeps documents and carries no hand-overs"),
        ),
    ] {
        let text = changed("{ kind = \"queue\" }", medium);
        let text = text.replace("via = \"redis\"", &format!("via = \"redis\", chosen-by = \"{chooser}\""));
        let found = Scenario::parse("a.toml", &text, &Overrides::none());
        let messages: Vec<String> = match &found {
            Ok(_) => Vec::new(),
            Err(mistakes) => mistakes.iter().map(|mistake| mistake.message.clone()).collect(),
        };
        match mistake {
            None => assert!(messages.is_empty(), "{medium} {chooser}: {messages:?}"),
            Some(mistake) => assert!(
                !messages.is_empty() && messages.iter().all(|message| message == mistake),
                "{medium} {chooser}: {messages:?}"
            ),
        }
    }
}

#[test]
fn mistakes_in_properties_are_found_inside_their_text() {
    let mut wrong = String::new();
    for (property, expected) in [
        (
            r#"always = "TaskFinshed where actual""#,
            "25:11 bad-value: no fact `TaskFinshed` at character 1 (did you mean `TaskFinished`?)",
        ),
        (
            r#"always = "TaskFinished where actul""#,
            "25:30 bad-value: TaskFinished has no field `actul` at character 20 (did you mean `actual`?)",
        ),
        (
            r#"eventually = "TaskFinished""#,
            r#"25:14 missing-field: `eventually` needs `within` (say how long it may take: within = "2h")"#,
        ),
        ("sometimes = \"TaskFinished\"\nwithin = \"2h\"", "26:1 conflict: `within` goes with `eventually`"),
        ("always = \"TaskFinished\"\nafter = \"TaskAdded\"", "26:1 conflict: `after` goes with `never`"),
        (
            "eventually = \"Received\"\nwithin = \"2h\"\nfor-each = \"TaskAdded.task\"",
            "25:15 bad-value: Received has no field `task` at character 1",
        ),
    ] {
        let text = format!("{SOUND}[[property]]\nname = \"p\"\n{property}\n");
        let found = lines(&mistakes(&text));
        if found != [expected] {
            wrong += &format!("{property}\n  expected {expected}\n  found    {found:#?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn properties_have_names_of_their_own_and_say_one_thing() {
    let two = "[[property]]\nname = \"p\"\nalways = \"Breach\"\n".repeat(2);
    let found = lines(&mistakes(&format!("{SOUND}{two}")));
    assert_eq!(found, ["27:8 bad-name: a second property called `p`"]);
    let none = mistakes(&format!("{SOUND}[[property]]\nname = \"p\"\n"));
    assert_eq!(none.len(), 1, "{:?}", lines(&none));
    let both = "[[property]]\nname = \"p\"\nalways = \"Breach\"\nnever = \"Breach\"\n";
    assert_eq!(mistakes(&format!("{SOUND}{both}")).len(), 1);
    let unknown =
        changed(r#"{ finding = "starvation" }"#, r#"{ finding = "property-violated", property = "q" }"#);
    assert_eq!(lines(&mistakes(&unknown)).len(), 1);
}
