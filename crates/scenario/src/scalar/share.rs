//! Shares: `"4%"`, `"0.5%"`, `"1/2000"`. Exact ratios from 0 to 1.

use std::cmp::Ordering;
use std::fmt;

use super::{Exact, Scalar, ScalarError, scalar, write_decimal};
use crate::source::shown_short;

/// A part of a whole, from none to all, as a ratio of whole numbers in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    numerator: u64,
    denominator: u64,
}

/// Decimals of a percentage: more would not fit the ratio.
const DECIMALS_MAX: u32 = 9;

impl Share {
    /// Nothing of it.
    pub const NONE: Self = Self { numerator: 0, denominator: 1 };

    /// `numerator / denominator`, reduced; `None` above one, or for a denominator of zero.
    pub fn new(numerator: u64, denominator: u64) -> Option<Self> {
        if denominator == 0 || numerator > denominator {
            return None;
        }
        let divisor = greatest_common_divisor(numerator, denominator);
        Some(Self { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    /// Of the ratio in lowest terms; at most the denominator.
    pub fn numerator(self) -> u64 {
        self.numerator
    }

    /// Of the ratio in lowest terms; at least 1.
    pub fn denominator(self) -> u64 {
        self.denominator
    }
}

impl Ord for Share {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = u128::from(self.numerator) * u128::from(other.denominator);
        let right = u128::from(other.numerator) * u128::from(self.denominator);
        left.cmp(&right)
    }
}

impl PartialOrd for Share {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Scalar for Share {
    const NAME: &'static str = "Share";
    const FORMAT: &'static str = "fleet-share";
    const EXPECTED: &'static str = "a share such as \"4%\"";
    const DESCRIPTION: &'static str =
        "A share of the whole, such as \"4%\", \"0.5%\" or \"1/2000\"; at most \"100%\".";
    const PATTERN: &'static str = "^([0-9]+(\\.[0-9]+)?%|[0-9]+/[0-9]+)$";
    const EXAMPLES: &'static [&'static str] = &["4%", "0.5%", "1/2000"];

    fn parse(text: &str) -> Result<Self, ScalarError> {
        let unreadable =
            || ScalarError::new(format!("expected {}, found \"{}\"", Self::EXPECTED, shown_short(text)));
        if text.starts_with('-') {
            return Err(ScalarError::new(format!("a negative share, \"{}\"", shown_short(text))));
        }
        let (numerator, denominator) = if let Some(percent) = text.strip_suffix('%') {
            let percent = Exact::parse(percent).ok_or_else(unreadable)?;
            if percent.decimals > DECIMALS_MAX {
                return Err(unreadable().help("a percentage has at most nine decimals"));
            }
            let hundred = 10_u64.pow(percent.decimals + 2);
            (percent.digits, hundred)
        } else if let Some((numerator, denominator)) = text.split_once('/') {
            let whole = |part: &str| Exact::parse(part).filter(|part| part.decimals == 0);
            let numerator = whole(numerator).ok_or_else(unreadable)?;
            let denominator = whole(denominator).ok_or_else(unreadable)?;
            (numerator.digits, denominator.digits)
        } else if Exact::parse(text).is_some() {
            let help = format!("write \"{}\"", Self::instead_of_number(text));
            return Err(unreadable().help(help));
        } else {
            return Err(unreadable());
        };
        if denominator == 0 {
            return Err(ScalarError::new("a share of nothing: the part below `/` is zero"));
        }
        Self::new(numerator, denominator).ok_or_else(|| {
            ScalarError::new(format!("a share above the whole, \"{}\"", shown_short(text)))
                .help("a share is at most \"100%\"")
        })
    }

    fn instead_of_number(number: &str) -> String {
        // Up to one, a bare number is taken for a probability; above, for a percentage.
        match Exact::parse(number) {
            Some(exact) if exact.digits <= 10_u64.pow(exact.decimals) && exact.decimals >= 2 => {
                let percent = Percent { digits: exact.digits, decimals: exact.decimals - 2 };
                format!("{percent}%")
            }
            Some(exact) if exact.decimals == 1 && exact.digits <= 10 => {
                format!("{}%", exact.digits * 10)
            }
            Some(_) => format!("{number}%"),
            None => "4%".to_owned(),
        }
    }
}

scalar!(Share);

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if 100_u64.is_multiple_of(self.denominator) {
            write!(formatter, "{}%", self.numerator * (100 / self.denominator))
        } else {
            write!(formatter, "{}/{}", self.numerator, self.denominator)
        }
    }
}

struct Percent {
    digits: u64,
    decimals: u32,
}

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(formatter, self.digits, self.decimals)
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
