//! Every value that is written as one text: what it reads as, what it refuses, and that it never panics.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use fleetsim_scenario::{Count, Decimal, Drift, Duration, Gap, Hours, Jump, Money, Rate, ScalarError, Share};
use proptest::prelude::*;

fn reads<T: FromStr<Err = ScalarError>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Each text is refused with a message that has the part.
fn refuses<T: FromStr<Err = ScalarError> + Debug>(cases: &[(&str, &str)]) {
    for (text, part) in cases {
        let error = text.parse::<T>().expect_err(text);
        let whole = format!("{error}; {}", error.advice().unwrap_or_default());
        assert!(whole.contains(part), "{text:?}: {whole}");
    }
}

#[test]
fn gaps() {
    for (text, nanoseconds) in [("every 10m", 600_000_000_000), ("every 1h30m", 5_400_000_000_000)] {
        assert_eq!(reads::<Gap>(text).mean_ns(), nanoseconds, "{text}");
        assert_eq!(reads::<Gap>(text).to_string(), text);
    }
    refuses::<Gap>(&[
        ("", "expected a mean gap"),
        ("10m", "write \"every 10m\""),
        ("every", "expected a mean gap"),
        ("every 0s", "expected a mean gap"),
        ("every -1s", "expected a mean gap"),
        ("every ten minutes", "expected a mean gap"),
        ("6/h", "expected a mean gap"),
    ]);
}

#[test]
fn durations() {
    for (text, nanoseconds) in [
        ("90s", 90_000_000_000),
        ("6m", 360_000_000_000),
        ("6min", 360_000_000_000),
        ("1h30m", 5_400_000_000_000),
        ("2d", 172_800_000_000_000),
        ("250ms", 250_000_000),
        ("15us", 15_000),
        ("15µs", 15_000),
        ("10ns", 10),
        ("1.5s", 1_500_000_000),
        ("0.000000001s", 1),
        ("1s500ms", 1_500_000_000),
        ("18446744073s709551615ns", u64::MAX),
    ] {
        assert_eq!(reads::<Duration>(text).nanoseconds(), nanoseconds, "{text}");
    }
    refuses::<Duration>(&[
        ("", "expected a duration"),
        ("0s", "zero"),
        ("0ns", "zero"),
        ("-3s", "negative"),
        ("90", "write \"90s\""),
        ("90 seconds", "write \"90s\""),
        ("5 min", "write \"5m\""),
        ("5Hours", "write \"5h\""),
        ("3 parsecs", "the units are"),
        ("30m1h", "larger units come first"),
        ("1h1h", "larger units come first"),
        ("1min1m", "larger units come first"),
        ("1.5ns", "whole number of nanoseconds"),
        ("18446744073s709551616ns", "584 years"),
        ("1000000d", "584 years"),
        ("99999999999999999999999s", "expected a duration"),
        ("s", "expected a duration"),
        ("1.s", "expected a duration"),
        (".5s", "expected a duration"),
        ("1e3s", "no unit"),
    ]);
}

#[test]
fn rates() {
    for (text, count, period_ns) in [
        ("50/min", 50, 60_000_000_000),
        ("6/h", 6, 3_600_000_000_000),
        ("2M/min", 2_000_000, 60_000_000_000),
        ("400k/s", 400_000, 1_000_000_000),
        ("1.5k/s", 1_500, 1_000_000_000),
        ("1/2h", 1, 7_200_000_000_000),
        ("3/1h30m", 3, 5_400_000_000_000),
    ] {
        let rate = reads::<Rate>(text);
        assert_eq!((rate.count(), rate.period_ns()), (count, period_ns), "{text}");
    }
    refuses::<Rate>(&[
        ("", "expected a rate"),
        ("50", "per what time"),
        ("0/s", "zero"),
        ("0.5/h", "whole number"),
        ("-1/s", "whole number"),
        ("5/0s", "no time"),
        ("5/fortnight", "is d, h, min"),
        ("5/", "is d, h, min"),
        ("5G/s", "whole number"),
    ]);
}

#[test]
fn shares() {
    for (text, numerator, denominator) in [
        ("4%", 1, 25),
        ("0.5%", 1, 200),
        ("1/2000", 1, 2_000),
        ("100%", 1, 1),
        ("0%", 0, 1),
        ("33.3%", 333, 1_000),
        ("6/8", 3, 4),
    ] {
        let share = reads::<Share>(text);
        assert_eq!((share.numerator(), share.denominator()), (numerator, denominator), "{text}");
    }
    refuses::<Share>(&[
        ("", "expected a share"),
        ("0.04", "write \"4%\""),
        ("0.5", "write \"50%\""),
        ("4", "write \"4%\""),
        ("101%", "at most \"100%\""),
        ("3/2", "at most \"100%\""),
        ("1/0", "zero"),
        ("-4%", "negative"),
        ("4 %", "expected a share"),
        ("0.0000000001%", "nine decimals"),
    ]);
    assert!(reads::<Share>("1/3") < reads::<Share>("34%"));
}

#[test]
fn money_counts_and_decimals() {
    for (text, nano_dollars) in
        [("$40", 40_000_000_000), ("3", 3_000_000_000), ("0.30", 300_000_000), ("$0.000000001", 1)]
    {
        assert_eq!(reads::<Money>(text).nano_dollars(), nano_dollars, "{text}");
    }
    refuses::<Money>(&[
        ("", "expected an amount"),
        ("40€", "expected an amount"),
        ("-1", "negative"),
        ("$-1", "negative"),
        ("0.0000000001", "nine decimals"),
        ("100000000000", "18 billion"),
    ]);
    for (text, count) in [("120", 120), ("400k", 400_000), ("2M", 2_000_000), ("1.5k", 1_500), ("0", 0)] {
        assert_eq!(reads::<Count>(text).get(), count, "{text}");
    }
    assert_eq!(reads::<Count>("9223372036854775807"), Count::MAX);
    refuses::<Count>(&[
        ("", "whole number"),
        ("-3", "negative"),
        ("1.5", "whole number"),
        ("2G", "whole number"),
        ("9223372036854775808", "whole number"),
        ("many", "whole number"),
    ]);
    assert_eq!(reads::<Decimal>("1.5").billionths(), 1_500_000_000);
    refuses::<Decimal>(&[("0", "above zero"), ("-1", "decimal"), ("1e3", "decimal")]);
}

#[test]
fn clocks_and_hours() {
    for (text, parts) in
        [("+200ppm", 200_000), ("200ppm", 200_000), ("-3%", -30_000_000), ("100%", 1_000_000_000)]
    {
        assert_eq!(reads::<Drift>(text).parts_per_billion(), parts, "{text}");
    }
    refuses::<Drift>(&[("3", "drift"), ("101%", "beyond"), ("-100%", "beyond"), ("", "drift")]);
    assert_eq!(reads::<Jump>("5s").nanoseconds(), 5_000_000_000);
    assert_eq!(reads::<Jump>("-5s").nanoseconds(), -5_000_000_000);
    refuses::<Jump>(&[("0s", "nothing"), ("--5s", "negative"), ("200000d", "292 years")]);
    for (text, from, to) in
        [("09:00-17:00", 540, 1_020), ("22:00-06:00", 1_320, 360), ("00:00-24:00", 0, 1_440)]
    {
        let hours = reads::<Hours>(text);
        assert_eq!((hours.from_minute(), hours.to_minute()), (from, to), "{text}");
    }
    refuses::<Hours>(&[
        ("9-17", "two digits"),
        ("09:00", "two digits"),
        ("25:00-26:00", "two digits"),
        ("09:60-10:00", "two digits"),
        ("24:00-06:00", "two digits"),
        ("09:00-09:00", "00:00-24:00"),
        ("+9:00-17:00", "two digits"),
    ]);
}

/// What reads is written so that it reads as the same.
fn comes_back<T: FromStr<Err = ScalarError> + Display + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let written = value.to_string();
        assert_eq!(written.parse::<T>().as_ref(), Ok(&value), "{text} is written {written}");
    }
}

fn all_come_back(text: &str) {
    comes_back::<Duration>(text);
    comes_back::<Rate>(text);
    comes_back::<Share>(text);
    comes_back::<Money>(text);
    comes_back::<Count>(text);
    comes_back::<Decimal>(text);
    comes_back::<Drift>(text);
    comes_back::<Jump>(text);
    comes_back::<Hours>(text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_read_or_refused(text in ".*") {
        all_come_back(&text);
    }

    #[test]
    fn nearly_right_texts_come_back(
        text in "[+-]?[$]?[0-9]{1,20}([.][0-9]{1,12})?(ns|us|ms|s|m|min|h|d|%|ppm|k|M|/[0-9]{0,3}(s|h))?",
    ) {
        all_come_back(&text);
    }

    #[test]
    fn every_duration_comes_back(nanoseconds in 1_u64..) {
        let duration = Duration::from_nanoseconds(nanoseconds).expect("not zero");
        prop_assert_eq!(duration.to_string().parse::<Duration>(), Ok(duration));
    }

    #[test]
    fn every_time_of_day_comes_back(from in 0_u16..1_440, to in 1_u16..=1_440) {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let text = format!("{}-{}", clock(from), clock(to));
        prop_assert_eq!(text.parse::<Hours>().is_ok(), from != to);
        all_come_back(&text);
    }
}
