//! probe
fn main() {
    let mut args = std::env::args().skip(1);
    let file = args.next().unwrap();
    let mut o = fleetsim_scenario::Overrides::none();
    for a in args { if let Err(e) = o.push(&a) { print!("{}", e.render(false)); return } }
    if file == "schema" { println!("{:#}", fleetsim_scenario::schema()); return }
    match fleetsim_scenario::Scenario::load(&file, &o) { Ok(l) => println!("ok {} agents", l.scenario.document().agents()), Err(e) => print!("{}", e.render(false)) }
}
