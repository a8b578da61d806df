//! `[[fault]]`, `[heal]` and `[tolerates]`: what each block means, and what is said of mistakes in them.

use fleetsim_scenario::{Behaviours, Loaded, Mistake, Overrides, Plan, Scenario};

/// A small scenario that is right; each case adds some lines to it.
const SOUND: &str = r#"[fleet]
lasts = "8h"
latency = "2ms"
[work.note]
arrives = { poisson = "6/h" }
enters = "notes"
done-at = "lead"
[model.small]
first-token = "1s"
per-token = "15ms"
[role]
writer = { count = 2, model = "small", input = 900, output = 90 }
lead = { count = 1, human = { answers-in = "20m" } }
[medium]
redis = { kind = "queue" }
box = { kind = "inbox" }
[seam]
notes = { from = "outside", to = "writer", via = "redis" }
drafts = { from = "writer", to = "lead", via = "box" }
"#;

fn load(more: &str) -> Loaded {
    let text = format!("{SOUND}{more}");
    Loaded::from_texts("s.toml", &text, &Overrides::none(), &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// The plan of a scenario with these lines, a line each rule.
fn plan(more: &str) -> String {
    let (loaded, behaviours) = (load(more), Behaviours::default());
    let plan = Plan::new(&loaded, &behaviours).expect("built-in behaviours");
    plan.check_faults().unwrap_or_else(|error| panic!("{more}\n{error}"));
    plan.simulation(1).unwrap_or_else(|error| panic!("{more}\n{error}"));
    plan.faults().to_string()
}

#[test]
fn every_block_is_the_rule_that_it_reads_as() {
    let mut wrong = String::new();
    for (block, rule) in [
        // Messages.
        ("loss = { share = \"5%\" }", "loss of 1/20 of messages always"),
        (
            "loss = { share = \"1%\", from = \"writer\", to = \"lead\" }",
            "loss of 1/100 of messages from writer to lead always",
        ),
        (
            "loss = { share = \"1%\", from = \"writer-2\", medium = \"redis\" }\nuntil = \"1h\"",
            "loss of 1/100 of messages from writer-2 touching redis from 0s until 3600s",
        ),
        (
            "hold = { protocol = \"queue\", kind = \"Ready\" }\nfrom = \"1m\"\nuntil = \"2m\"",
            "hold of queue.Ready from 60s until 120s",
        ),
        (
            "latency = { takes = \"3s\", to = \"small\" }\nfrom = \"10s\"",
            "latency of 1/1 of messages to small: 3s from 10s",
        ),
        (
            "delay = { by = { pareto = { at-least = \"1s\", shape = \"2\" } }, share = \"50%\" }",
            "delay of 1/2 of messages by 1s and more (a tail of shape 2000000 ppm) always",
        ),
        (
            "reorder = { within = \"5s\" }\nat = \"1m\"\nfor = \"1s\"",
            "reorder of 1/1 of messages within 5s from 60s until 61s",
        ),
        ("duplicate = { share = \"2%\" }", "duplicate of 1/50 of messages after 0.000000001s to 1s always"),
        (
            "duplicate = { share = \"2%\", after = { exponential = { mean = \"9s\" } } }",
            "duplicate of 1/50 of messages after about 9s always",
        ),
        ("corrupt = { share = \"1/1000\" }", "corrupt of 1/1000 of messages (flip) always"),
        (
            "corrupt = { share = \"1%\", how = \"truncate\" }",
            "corrupt of 1/100 of messages (truncate) always",
        ),
        (
            "partition = { groups = [[\"writer-1\"], [\"redis\", \"lead\"]] }\nfrom = \"1m\"\nuntil = \"2m\"",
            "partition of writer-1 | redis, lead from 60s until 120s",
        ),
        (
            "partition = { groups = [[\"writer\"], [\"small\"]], one-way = true }\nevery = \"1h\"\nfor = \"5s\"",
            "partition of writer -x> small every 3600s for 5s from 3600s until 28800s",
        ),
        // Agents.
        ("isolate = { agent = \"lead\" }\nat = \"1m\"\nfor = \"5s\"", "isolate of lead from 60s until 65s"),
        ("crash = { agent = \"writer-1\", at = \"1h\" }", "crash of writer-1 from 3600s"),
        (
            "crash = { agent = \"writer-1\" }\nat = \"1h\"\nfor = \"9s\"",
            "crash of writer-1 from 3600s until 3609s",
        ),
        (
            "crash = { one-of = \"writer\" }\nrandomly = \"every 10m\"\nfor = \"30s\"",
            "crash of one of writer about every 600s for 30s from 0s until 28800s",
        ),
        ("restart = { agent = \"lead\", at = \"2h\" }", "restart of lead from 7200s"),
        ("pause = { agent = \"lead\", at = \"1h\", for = \"10m\" }", "pause of lead from 3600s until 4200s"),
        ("zombie = { role = \"writer\" }\nat = \"1s\"\nfor = \"1s\"", "zombie of writer from 1s until 2s"),
        ("slow = { agent = \"redis\", times = \"2.5\" }", "slow of redis: 2.500 times as long always"),
        (
            "clock = { agent = \"writer-2\", at = \"1s\", drift = \"+200ppm\", jump = \"-5s\" }",
            "clock of writer-2: -5s, drifting 200000 ppb from 1s",
        ),
        ("tell = { agent = \"lead\", what = \"spam\" }\nat = \"1m\"", "tell lead `spam` from 60s"),
        (
            "site = { name = \"agent.wrong-decision\", share = \"20%\", of = \"agents\", in = \"writer\", strength = 3 }",
            "site agent.wrong-decision at 1/5 of writer, strength 3 always",
        ),
        (
            "site = { name = \"agent.*\", share = \"1%\", armed = \"10%\" }",
            "site agent.* at 1/100, strength 1, armed in 1/10 of seeds always",
        ),
        (
            "site = { name = \"model.hang\", share = \"1%\", time = \"30s\" }",
            "site model.hang at 1/100, strength 30000000000 always",
        ),
        // Triggers.
        (
            "crash = { agent = \"whoever\" }\nwhen = \"TaskClaimed\"",
            "crash of whoever did 0s after TaskClaimed, 1/1 of the times, at most 4294967295",
        ),
        (
            "pause = { one-of = \"writer\" }\nwhen = { stated = \"Received\", by = \"writer\", seam = \"notes\" }\n\
             after = \"5s\"\nfor = \"30s\"\nuntil-stated = \"TaskFinished\"\nshare = \"50%\"\nat-most = 3",
            "pause of one of writer 5s after Received seam notes by writer for 30s until TaskFinished, 1/2 of the \
             times, at most 3",
        ),
    ] {
        let found = plan(&format!("[[fault]]\nname = \"x\"\n{block}\n"));
        if found != format!("x: {rule}\n") {
            wrong += &format!("\nfor {block}\n  expected x: {rule}\n  found    {found}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn healing_is_part_of_the_plan() {
    let loss = "[[fault]]\nname = \"x\"\nloss = { share = \"5%\" }\n";
    let heal = "[heal]\nat = \"30m\"\nwithin = \"10m\"\n";
    assert_eq!(
        plan(&format!("{loss}{heal}")),
        "x: loss of 1/20 of messages always\nat 1800s everything heals, to converge within 600s\n"
    );
    let core = heal.replace("at =", "core = [\"writer\", \"redis\"]\nat =");
    assert!(
        plan(&format!("{loss}{core}")).ends_with("at 1800s writer, redis heals, to converge within 600s\n")
    );
}

#[test]
fn a_swarm_stays_within_what_is_borne() {
    let stated = "[tolerates]\nloss = \"5%\"\ncrash = \"30s\"\nslow = \"3\"\nsites = { \"agent.wrong-decision\" = \"4%\" }\n";
    let (loaded, behaviours) = (load(stated), Behaviours::default());
    let plan = Plan::new(&loaded, &behaviours).expect("built-in behaviours");
    let tolerance = plan.tolerance().expect("it is stated");
    assert_eq!(
        tolerance.lines(),
        [
            "loss 1/20 of messages",
            "crash up to 30s",
            "slow 3.000 times as long",
            "agent.wrong-decision at 1/25, strength 1"
        ]
    );
    assert_eq!(tolerance.roles, ["writer", "lead"], "media are left alone unless they are named");
    let mut kinds = std::collections::BTreeSet::new();
    for seed in 0..60 {
        let swarm = plan.swarm(seed).expect("a tolerance is stated");
        assert_eq!(swarm, plan.swarm(seed).expect("a tolerance is stated"));
        kinds.extend(swarm.rules().map(|(_, rule)| rule.fault.kind()));
        plan.simulation_with(seed, &swarm).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["crash", "loss", "site", "slow"]);
    let (loaded, behaviours) = (load(""), Behaviours::default());
    assert!(Plan::new(&loaded, &behaviours).expect("built-in behaviours").swarm(1).is_none());
}

/// Takes the marks out of a text, and says where the first stood: line and column, from 1.
fn unmarked(text: &str) -> (String, (usize, usize)) {
    let at = text.find('«').expect("each case marks the place of its mistake");
    let line_begins = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let place = (text[..at].matches('\n').count() + 1, text[line_begins..at].chars().count() + 1);
    (text.replace('«', ""), place)
}

#[test]
fn one_mistake_is_told_once_at_its_place() {
    let rule = |block: &str| format!("[[fault]]\nname = \"x\"\n{block}\n");
    let loss = "[[fault]]\nname = \"x\"\nloss = { share = \"5%\" }\n";
    let mut wrong = String::new();
    for (text, code, message) in [
        // Shares, groups, names, times: what the plan would refuse.
        (rule("loss = { share = «\"120%\" }"), "bad-value", "a share above the whole"),
        (rule("site = { name = \"store.stale-read\", share = «\"-1%\" }"), "bad-value", "a negative share"),
        (
            rule("partition = { groups = [[\"writer\"], [\"lead\", «\"writer-1\"]] }"),
            "conflict",
            "`writer-1` is in two groups of the partition",
        ),
        (rule("partition = { groups = [«[]] }"), "out-of-range", "every group of a partition has somebody"),
        (rule("partition = { groups = «[] }"), "out-of-range", "at least 1"),
        (
            rule("partition = { groups = [[«\"wrtier\"]] }"),
            "unknown-name",
            "no role, medium, model or agent `wrtier` (did you mean `writer`?)",
        ),
        (
            rule("partition = { groups = [[«\"box\"]] }"),
            "unknown-name",
            "messages do not pass through medium `box`",
        ),
        (
            rule("crash = { agent = «\"writer-3\" }\nat = \"1h\""),
            "unknown-name",
            "no agent `writer-3`: `writer` has 2",
        ),
        (
            rule("crash = { one-of = «\"wrtier\" }\nat = \"1h\""),
            "unknown-name",
            "no role `wrtier` (did you mean `writer`?)",
        ),
        (
            rule("loss = { share = \"1%\", to = «\"writer-9\" }"),
            "unknown-name",
            "no agent `writer-9`: `writer` has 2",
        ),
        (
            rule("loss = { share = \"1%\" }\nfrom = \"2h\"\nuntil = «\"1h\""),
            "out-of-range",
            "over at 1h, before it begins at 2h",
        ),
        (
            rule("loss = { share = \"1%\" }\nfrom = \"2h\"\nuntil = «\"2h\""),
            "out-of-range",
            "over at 2h, before it begins",
        ),
        (
            format!("{loss}[[fault]]\nname = «\"x\"\nloss = {{ share = \"5%\" }}\n"),
            "bad-name",
            "a second fault called `x`",
        ),
        (
            rule("loss = { share = \"1%\" }").replace("\"x\"", "«\"heal\""),
            "bad-name",
            "a fault cannot be called `heal`",
        ),
        (
            rule("latency = { takes = «\"1ms\" }"),
            "out-of-range",
            "less than the 2000000 ns of `fleet.latency`",
        ),
        (
            rule("latency = { takes = «{ exponential = { mean = \"1s\" } } }"),
            "out-of-range",
            "less than the 2000000 ns",
        ),
        (
            rule("loss = { share = \"1%\" }\nwhen = «\"TaskClaimd\""),
            "unknown-name",
            "no kind of fact `TaskClaimd` (did you mean `TaskClaimed`?)",
        ),
        (
            rule("loss = { share = \"1%\" }\nwhen = { stated = «\"Injected\" }"),
            "unknown-name",
            "no kind of fact `Injected`",
        ),
        (
            rule("loss = { share = \"1%\" }\nwhen = { stated = \"Offered\", seam = «\"ntoes\" }"),
            "unknown-name",
            "no seam `ntoes` (did you mean `notes`?)",
        ),
        (rule("site = { name = «\"stale\", share = \"1%\" }"), "unknown-name", "no fault site `stale`"),
        (
            rule("loss = { share = \"1%\", «kind = \"Ready\" }"),
            "conflict",
            "a kind of message needs its `protocol`",
        ),
        // When.
        (
            rule("«loss = { share = \"1%\" }\nfor = \"1m\"")
                .replace("[[fault]]", "«[[fault]]")
                .replace("«loss", "loss"),
            "missing-field",
            "does not say when",
        ),
        (
            "«[[fault]]\nname = \"x\"\ncrash = { agent = \"lead\" }\n".to_owned(),
            "missing-field",
            "does not say when: `crash` happens at a time",
        ),
        (rule("crash = { agent = \"lead\", at = \"1h\" }\nat = «\"2h\""), "conflict", "`at` is said twice"),
        (
            rule("loss = { share = \"1%\" }\nat = \"1h\"\nevery = «\"2h\"\nfor = \"1m\""),
            "conflict",
            "`every` does not go with `at`",
        ),
        (
            rule("loss = { share = \"1%\" }\nat = \"1h\"\nuntil = «\"2h\""),
            "conflict",
            "`until` does not go with `at`",
        ),
        (
            rule("loss = { share = \"1%\" }\nevery = «\"2h\""),
            "missing-field",
            "`every` does not say for how long",
        ),
        (
            rule("loss = { share = \"1%\" }\nevery = \"1m\"\nfor = «\"2m\""),
            "out-of-range",
            "begins again every 1m",
        ),
        (
            rule("loss = { share = \"1%\" }\nfrom = \"1m\"\nuntil = \"2m\"\nfor = «\"2m\""),
            "conflict",
            "`for` does not go with `until`",
        ),
        (
            rule("loss = { share = \"1%\" }\nfrom = \"1m\"\nafter = «\"2m\""),
            "conflict",
            "`after` goes with `when`",
        ),
        (
            rule("loss = { share = \"1%\" }\nwhen = \"Offered\"\nat-most = «0"),
            "out-of-range",
            "`at-most` is at least 1",
        ),
        (
            rule("loss = { share = \"1%\" }\nrandomly = «\"10m\"\nfor = \"1m\""),
            "bad-value",
            "expected a mean gap such as \"every 10m\", found \"10m\" (write \"every 10m\")",
        ),
        (
            "«[[fault]]\nname = \"x\"\nhold = { to = \"lead\" }\nat = \"1m\"\n".to_owned(),
            "missing-field",
            "messages are held until a time that is known",
        ),
        (
            rule("restart = { agent = \"lead\", at = \"1m\", for = «\"1m\" }"),
            "conflict",
            "a `restart` is over at once",
        ),
        (
            rule("tell = { agent = \"lead\", what = \"x\" }\nfrom = «\"1m\""),
            "conflict",
            "a `tell` happens at an instant",
        ),
        (rule("crash = { agent = «\"whoever\" }\nat = \"1m\""), "conflict", "`whoever` is who stated a fact"),
        (
            rule("loss = { share = \"1%\" }\nevery = \"1us\"\nfor = \"1ns\"")
                .replace("loss = {", "loss = «{"),
            "out-of-range",
            "more than 100000 times",
        ),
        // Form.
        (
            rule("loss = { share = \"1%\", «at = \"1m\" }"),
            "unknown-field",
            "`at` stands in the fault itself, beside `loss`",
        ),
        (
            rule("crash = «{ at = \"1m\" }"),
            "missing-field",
            "needs exactly one of `agent`, `role` and `one-of`",
        ),
        (
            rule("crash = { agent = \"lead\", «role = \"lead\", at = \"1m\" }"),
            "conflict",
            "`role` does not go with `agent`",
        ),
        (
            rule("loss = { share = \"1%\" }\n«delay = { by = \"1s\" }"),
            "conflict",
            "`delay` does not go with `loss`",
        ),
        (
            rule("clock = «{ agent = \"lead\", at = \"1s\" }"),
            "missing-field",
            "the clock neither drifts nor jumps",
        ),
        (rule("corrupt = { share = \"1%\", how = «\"flpi\" }"), "bad-value", "did you mean \"flip\"?"),
        (
            rule("delay = { by = { table = «[[\"50%\", \"1s\"]] } }"),
            "conflict",
            "a fault draws from no table",
        ),
        (rule("slow = { agent = \"lead\", times = «\"0\" }"), "bad-value", "above zero"),
        // Healing and tolerance.
        (
            rule("loss = { share = \"1%\" }\nfrom = «\"40m\"") + "[heal]\nat = \"30m\"\nwithin = \"10m\"\n",
            "out-of-range",
            "it begins at 40m, when the world has healed at 30m",
        ),
        (
            format!("{loss}[heal]\nat = «\"8h\"\nwithin = \"10m\"\n"),
            "out-of-range",
            "when the run is over (8h)",
        ),
        (
            format!("{loss}[heal]\nat = \"7h\"\nwithin = «\"61m\"\n"),
            "out-of-range",
            "the run is over (8h) before 1h1m have passed",
        ),
        (
            format!("{loss}[heal]\nat = \"7h\"\nwithin = \"1m\"\ncore = [«\"wirter\"]\n"),
            "unknown-name",
            "no role `wirter`",
        ),
        ("[tolerates]\nslow = «\"1\"\n".to_owned(), "out-of-range", "more than \"1\" times"),
        ("[tolerates]\n«los = \"1%\"\n".to_owned(), "unknown-field", "did you mean `loss`?"),
        ("[tolerates]\nloss = «\"101%\"\n".to_owned(), "bad-value", "a share above the whole"),
        ("[tolerates]\nroles = [«\"ledd\"]\n".to_owned(), "unknown-name", "did you mean `lead`?"),
        ("[tolerates]\nsites = { «stale = \"1%\" }\n".to_owned(), "unknown-name", "no fault site `stale`"),
        ("[tolerates]\nmessages = { from = «\"ledd\" }\n".to_owned(), "unknown-name", "did you mean `lead`?"),
    ] {
        let (text, place) = unmarked(&format!("{SOUND}{text}"));
        let found: Vec<Mistake> = match Scenario::parse("s.toml", &text, &Overrides::none()) {
            Ok(_) => Vec::new(),
            Err(mistakes) => mistakes.iter().cloned().collect(),
        };
        let told = |m: &Mistake| {
            let help = m.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{}:{} {}: {}{help}", m.line, m.column, m.code.as_str(), m.message)
        };
        let is_right =
            |m: &Mistake| (m.line, m.column) == place && m.code.as_str() == code && told(m).contains(message);
        if found.len() != 1 || !found.iter().all(is_right) {
            let found: Vec<String> = found.iter().map(told).collect();
            let added = text.trim_start_matches(SOUND);
            wrong += &format!("\nfor {added}  expected {place:?} {code}: {message}\n  found    {found:#?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_only_the_built_fleet_knows_has_its_place_too() {
    for (block, line, message) in [
        ("loss = { share = \"1%\", protocol = \"quee\" }", 22, "nobody understands the protocol `quee`"),
        (
            "loss = { share = \"1%\", protocol = \"queue\", kind = \"Redy\" }",
            22,
            "the protocol `queue` has no message `Redy`",
        ),
    ] {
        let loaded = load(&format!("[[fault]]\nname = \"x\"\n{block}\n"));
        let behaviours = Behaviours::default();
        let plan = Plan::new(&loaded, &behaviours).expect("built-in behaviours");
        let error = plan.check_faults().expect_err("the protocol is not there");
        let mistakes = error.mistakes().expect("it has a place");
        let mistake = mistakes.iter().next().expect("there is at least one");
        assert_eq!((mistake.line, mistake.path.as_str()), (line, "fault.0.loss"));
        assert!(mistake.message.contains(message), "{}", mistake.message);
        let refused = plan.simulation(1).err().expect("it cannot be built").to_string();
        assert!(refused.contains(message) && refused.contains("s.toml:22"), "{refused}");
    }
}

#[test]
fn tolerated_messages_are_checked_against_the_built_fleet() {
    let loaded = load("[tolerates]\nloss = \"1%\"\nmessages = { protocol = \"quee\" }\n");
    let behaviours = Behaviours::default();
    let plan = Plan::new(&loaded, &behaviours).expect("built-in behaviours");
    let error = plan.check_faults().expect_err("the protocol is not there");
    let mistake = error.mistakes().expect("it has a place").iter().next().expect("there is one");
    assert_eq!((mistake.line, mistake.path.as_str()), (22, "tolerates.messages"));
    assert!(mistake.message.contains("protocol `quee`"), "{}", mistake.message);
}
