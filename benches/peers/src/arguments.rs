//! What the program is told on its command line.

/// What to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// Fleet sizes, one comparison each.
    pub(crate) agents: Vec<u32>,
    /// How often everybody runs.
    pub(crate) rounds: usize,
    /// Events that the quick ones are measured over.
    pub(crate) events: u64,
    /// Who takes part; empty for everybody who is quick enough.
    pub(crate) only: Vec<String>,
    /// Data in place of a table.
    pub(crate) json: bool,
}

pub(crate) const USAGE: &str = "\
PHOLD in fleetsim, in bare loops and in other engines, interleaved.

  --agents N,N,…   fleet sizes [1000,10000,100000,1000000]
  --rounds N       how often everybody runs [10]
  --events N       events that the quick ones are measured over; simcore takes a quarter, nexosim a twentieth [4000000]
  --only A,B,…     who takes part [all, but nexosim only up to 100000 agents]:
                   off, digest, full (fleetsim by what it records), floor, equal, simcore, nexosim
  --json           data in place of a table
";

const AGENTS_MAX: u32 = 100_000_000;

impl Arguments {
    /// Reads the words after the program's name. `Ok(None)` when help is asked for.
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
        let mut arguments = Arguments {
            agents: vec![1_000, 10_000, 100_000, 1_000_000],
            rounds: 10,
            events: 4_000_000,
            only: Vec::new(),
            json: false,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word:?} needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--json" => arguments.json = true,
                "--agents" => {
                    let sizes = value()?;
                    let sizes = sizes.split(',').map(|size| number(size, u64::from(AGENTS_MAX)));
                    arguments.agents =
                        sizes.map(|size| size.map(|size| size as u32)).collect::<Result<_, _>>()?;
                }
                "--rounds" => arguments.rounds = number(&value()?, 10_000)? as usize,
                "--events" => arguments.events = number(&value()?, 1 << 40)?,
                "--only" => arguments.only = value()?.split(',').map(str::to_owned).collect(),
                _ => return Err(format!("unknown argument {word:?}")),
            }
        }
        let unknown = arguments.only.iter().find(|name| !crate::NAMES.contains(&name.as_str()));
        match unknown {
            Some(name) => {
                Err(format!("unknown contestant {name:?}, expected one of {}", crate::NAMES.join(", ")))
            }
            None => Ok(Some(arguments)),
        }
    }

    /// Whether a contestant takes part at a size.
    pub(crate) fn includes(&self, name: &str, agents: u32) -> bool {
        match self.only.is_empty() {
            true => name != crate::NEXOSIM || agents <= NEXOSIM_AGENTS_MAX,
            false => self.only.iter().any(|only| only == name),
        }
    }
}

/// Above this it takes minutes to start.
const NEXOSIM_AGENTS_MAX: u32 = 100_000;

fn number(text: &str, max: u64) -> Result<u64, String> {
    let number = text.replace('_', "").parse().ok().filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| format!("{text:?} is not a number from 1 to {max}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Arguments>, String> {
        Arguments::parse(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments_are_read() {
        let arguments = parse("--agents 10,2_000 --rounds 3 --only floor,off --json").unwrap().unwrap();
        assert_eq!(
            (arguments.agents.as_slice(), arguments.rounds, arguments.json),
            (&[10, 2_000][..], 3, true)
        );
        assert!(arguments.includes("floor", 10) && !arguments.includes("simcore", 10));
        let all = parse("").unwrap().unwrap();
        assert!(all.includes("nexosim", 100_000) && !all.includes("nexosim", 100_001));
        assert_eq!(parse("--help"), Ok(None));
        for wrong in ["--agents", "--agents 0", "--agents 1,x", "--rounds 0", "--only nobody", "what"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
