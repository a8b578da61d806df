//! `--set path=value`: what it sets, and what it says of a path or value that cannot be.

use fleetsim_scenario::{Overrides, Scenario};

const TEXT: &str = include_str!("examples/coding-fleet.toml");

fn with(arguments: &[&str]) -> Result<Scenario, String> {
    let mut overrides = Overrides::none();
    for argument in arguments {
        overrides.push(argument).map_err(|error| error.to_string())?;
    }
    Scenario::parse("s.toml", TEXT, &overrides).map_err(|mistakes| mistakes.to_string())
}

#[test]
fn sets_what_the_path_names() {
    for (argument, pointer, expected) in [
        ("role.coder.count=7", "/role/coder/count", serde_json::json!(7)),
        ("role.coder.wrong = 9%", "/role/coder/wrong", "9%".into()),
        ("fleet.lasts=2d", "/fleet/lasts", "2d".into()),
        ("fleet.lasts=\"2d\"", "/fleet/lasts", "2d".into()),
        ("fleet.seed=9", "/fleet/seed", 9.into()),
        ("expect.0.no-finding=feedback-loop", "/expect/0/no-finding", "feedback-loop".into()),
        ("guard.dead-letter-after=9", "/guard/dead-letter-after", 9.into()),
        ("guard.dedupe-hand-overs=true", "/guard/dedupe-hand-overs", true.into()),
        ("guard.fleet-cost-breaker=40", "/guard/fleet-cost-breaker", "40".into()),
        ("guard.fleet-cost-breaker=0.5", "/guard/fleet-cost-breaker", "0.5".into()),
        ("model.coder-model.cached=40%", "/model/coder-model/cached", "40%".into()),
        ("role.coder.turns.lognormal.p99=95", "/role/coder/turns/lognormal/p99", 95.into()),
        ("role.coder.turns=4", "/role/coder/turns", 4.into()),
        ("may.coder.read=[\"main\"]", "/may/coder/read/0", "main".into()),
        ("seam.finished.because=a=b", "/seam/finished/because", "a=b".into()),
        ("medium.spare={ kind = \"queue\" }", "/medium/spare/kind", "queue".into()),
        ("role.lead.human.hours=08:00-16:00", "/role/lead/human/hours", "08:00-16:00".into()),
    ] {
        let scenario = with(&[argument]).unwrap_or_else(|error| panic!("{argument}: {error}"));
        assert_eq!(scenario.resolved().pointer(pointer), Some(&expected), "{argument}");
        assert_eq!(scenario.text(), TEXT);
    }
    let twice = with(&["role.coder.count=7", "role.coder.count=8"]).unwrap();
    assert_eq!(twice.document().role.get("coder").unwrap().count.get(), 8, "the last one wins");
    assert_eq!(twice.overrides().pairs()[0], ("role.coder.count".to_owned(), "7".to_owned()));
}

#[test]
fn says_what_cannot_be_set() {
    for (argument, parts) in [
        ("role.codr.count=7", ["there is no role `codr`", "did you mean `coder`?"]),
        ("role.coder.cuont=7", ["`role.coder` has no field `cuont`", "did you mean `count`?"]),
        ("rol.coder.count=7", ["a scenario has no `rol`", "did you mean `role`?"]),
        ("expect.7.finding=starvation", ["`expect` has no item `7`", "its items are 0 to 1"]),
        ("expect.x=1", ["`expect` has no item `x`", "its items are 0 to 1"]),
        ("role.coder.count.x=1", ["`role.coder.count` is not a table", "set `role.coder.count`"]),
        ("role..count=1", ["is no path", "role.coder.count"]),
        ("role.coder.count=many", ["--set:1:18", "expected a whole number"]),
        ("role.coder.model=gpt", ["--set:1:18", "there is only `coder-model`"]),
        ("fleet.lasts=8 hours", ["--set:1:13", "write \"8h\""]),
        ("role.coder.count=[1,", ["expected a whole number", "found \"[1,\""]),
        ("role.coder.count=1\nx=2", ["expected a whole number", "1␊x=2"]),
        ("role.coder={ count = 1 }", ["--set:1:12", "needs exactly one of `model`"]),
        ("fleet.lasts", ["is no override", "path=value"]),
        ("=3", ["is no override", "path=value"]),
    ] {
        let error = with(&[argument]).expect_err(argument);
        for part in parts {
            assert!(error.contains(part), "{argument}: {part} is not in\n{error}");
        }
    }
    let both = with(&["role.codr.count=7", "fleet.lsts=3h", "fleet.lasts=3"]).unwrap_err();
    assert!(both.contains("3 mistakes"), "{both}");
}
