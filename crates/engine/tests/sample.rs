//! What a sampler promises on every machine: its golden values, its support, and the messages for
//! parameters that describe no distribution.

use std::convert::Infallible;

use fleetsim_engine::sample::{Invalid, PER_MILLION, Sampler};
use proptest::prelude::*;
use rand::{Rng, SeedableRng, TryRng};
use rand_chacha::ChaCha8Rng;

const SECOND_NS: u64 = 1_000_000_000;

/// A stream that repeats one word, and counts how often it was asked.
struct Repeated {
    word: u64,
    draws: u32,
}

impl TryRng for Repeated {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("a sampler takes whole words only");
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.draws += 1;
        Ok(self.word)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
        panic!("a sampler takes whole words only");
    }
}

fn sample_at(sampler: &Sampler, word: u64) -> u64 {
    sampler.sample(&mut Repeated { word, draws: 0 })
}

fn hash_of_samples(sampler: &Sampler, count: u32, random: &mut ChaCha8Rng) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64; // FNV-1a
    for _ in 0..count {
        for byte in sampler.sample(random).to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// Name, sampler, its first samples, and a hash of ten thousand.
type Golden = (&'static str, Result<Sampler, Invalid>, [u64; 8], u64);

/// A change here changes every recorded run: raise the semantics version with it.
#[test]
fn golden_values() {
    let table = [(0, 10), (500_000, 40), (990_000, 400), (PER_MILLION, 9_000)];
    let cases: &[Golden] = &[
        ("constant", Ok(Sampler::constant(42)), [42, 42, 42, 42, 42, 42, 42, 42], 0x8614_3950_e4c1_d525),
        ("uniform", Sampler::uniform(10, 15), [11, 14, 11, 12, 14, 10, 13, 13], 0x30f8_e62a_8a95_7762),
        (
            "uniform over three quarters of the words",
            Sampler::uniform(0, (3 << 62) - 1),
            [
                11_508_924_284_355_539_692,
                4_023_890_825_032_704_545,
                4_896_100_864_122_174_654,
                9_749_148_894_295_554_450,
                1_535_156_545_953_956_149,
                8_979_784_891_938_537_840,
                8_121_551_261_167_979_098,
                12_812_816_782_016_163_826,
            ],
            0xa74d_e5d8_9b26_a4a5,
        ),
        (
            "uniform over all words",
            Sampler::uniform(0, u64::MAX),
            [
                4_115_934_089_738_703_076,
                15_345_232_379_140_719_590,
                5_365_187_766_710_272_727,
                6_528_134_485_496_232_873,
                12_998_865_192_394_072_601,
                2_046_875_394_605_274_866,
                11_973_046_522_584_717_121,
                10_828_735_014_890_638_798,
            ],
            0x989b_ff31_204d_4d05,
        ),
        (
            "exponential",
            Sampler::exponential(SECOND_NS),
            [
                252_476_118,
                1_782_998_246,
                343_684_559,
                436_786_872,
                1_219_661_545,
                117_614_555,
                1_047_140_445,
                884_372_825,
            ],
            0xd908_8763_c7ab_17dd,
        ),
        (
            "lognormal",
            Sampler::lognormal(SECOND_NS, 10 * SECOND_NS),
            [
                470_527_616,
                2_590_228_506,
                579_677_450,
                690_038_356,
                1_702_989_615,
                298_509_040,
                1_460_639_439,
                1_243_161_102,
            ],
            0xd0be_6119_5866_0514,
        ),
        (
            "gamma, regular",
            Sampler::gamma(SECOND_NS, 300_000),
            [
                761_905_447,
                816_160_048,
                1_137_762_411,
                1_087_552_310,
                1_035_146_216,
                780_457_838,
                1_036_004_943,
                627_054_845,
            ],
            0xda16_3848_2c63_940a,
        ),
        (
            "gamma, bursty",
            Sampler::gamma(SECOND_NS, 2_500_000),
            [859_963, 3_572, 269_703_316, 1_034_363_597, 2_069, 1_445_245, 313_362_004, 6_521_153],
            0xefb7_8316_56b7_3efe,
        ),
        (
            "pareto",
            Sampler::pareto(SECOND_NS, 1_500_000),
            [
                1_183_312_149,
                3_282_697_514,
                1_257_496_751,
                1_338_020_454,
                2_254_904_669,
                1_081_565_689,
                2_009_917_407,
                1_803_234_295,
            ],
            0x97e7_32ed_4b71_a4f8,
        ),
        (
            "empirical",
            Sampler::empirical(&table),
            [23, 284, 27, 31, 190, 17, 150, 104],
            0x89b3_0f64_2e80_308a,
        ),
        (
            "observations",
            Sampler::from_observations(vec![1_000, 10, 1_000_000, 20]),
            [17, 496_105, 19, 80, 114_896, 13, 948, 766],
            0x3d8f_0dbb_35c6_4d64,
        ),
    ];
    let mut differences = String::new();
    for (name, sampler, first, hash) in cases {
        let sampler = sampler.as_ref().expect("golden parameters are valid");
        let mut random = ChaCha8Rng::from_seed([7; 32]);
        let found_first: [u64; 8] = std::array::from_fn(|_| sampler.sample(&mut random));
        let mut random = ChaCha8Rng::from_seed([7; 32]);
        let found_hash = hash_of_samples(sampler, 10_000, &mut random);
        if (found_first, found_hash) != (*first, *hash) {
            differences += &format!("{name}: {found_first:?}, {found_hash:#018x}\n");
        }
    }
    assert!(differences.is_empty(), "golden values differ; found\n{differences}");
}

#[test]
fn equal_through_a_trait_object() {
    let sampler = Sampler::gamma(SECOND_NS, 2_000_000).unwrap();
    let mut direct = ChaCha8Rng::seed_from_u64(1);
    let mut boxed: Box<dyn Rng> = Box::new(direct.clone());
    assert_eq!(sampler.sample(&mut direct), sampler.sample(&mut *boxed));
}

#[test]
fn mistakes_are_named() {
    let half = PER_MILLION / 2;
    let table = |points: &[(u32, u64)]| Sampler::empirical(points);
    for (result, message) in [
        (Sampler::uniform(9, 3), "lower bound is 9, expected at most the upper bound, which is 3"),
        (Sampler::exponential(0), "mean is 0, expected at least 1"),
        (Sampler::lognormal(0, 5), "median is 0, expected at least 1"),
        (Sampler::lognormal(6, 5), "p99 is 5, expected at least the median, which is 6"),
        (Sampler::gamma(0, PER_MILLION), "mean is 0, expected at least 1"),
        (
            Sampler::gamma(1, 999),
            "coefficient of variation is 999 parts per million, expected 1000 to 100000000",
        ),
        (
            Sampler::gamma(1, 100_000_001),
            "coefficient of variation is 100000001 parts per million, expected 1000 to 100000000",
        ),
        (Sampler::pareto(0, PER_MILLION), "minimum is 0, expected at least 1"),
        (Sampler::pareto(1, 0), "shape is 0, expected at least 1 part per million"),
        (table(&[]), "table of quantiles has 0 points, expected at least 2"),
        (table(&[(0, 1)]), "table of quantiles has 1 points, expected at least 2"),
        (table(&[(1, 1), (PER_MILLION, 2)]), "first quantile is 1 parts per million, expected 0"),
        (table(&[(0, 1), (half, 2)]), "last quantile is 500000 parts per million, expected 1000000"),
        (
            table(&[(0, 1), (PER_MILLION + 1, 2)]),
            "last quantile is 1000001 parts per million, expected 1000000",
        ),
        (
            table(&[(0, 1), (half, 2), (half, 2), (PER_MILLION, 3)]),
            "quantile is 500000 parts per million, \
             expected more than the one before, which is 500000",
        ),
        (
            table(&[(0, 1), (half, 7), (PER_MILLION, 3)]),
            "value at 1000000 parts per million is 3, \
             expected at least the value before, which is 7",
        ),
        (Sampler::from_observations(Vec::new()), "there are 0 observations, expected at least 1"),
    ] {
        assert_eq!(result.unwrap_err().to_string(), message);
    }
}

#[test]
fn extremes_saturate() {
    for (sampler, word, expected) in [
        (Sampler::uniform(0, u64::MAX), u64::MAX, u64::MAX),
        (Sampler::uniform(u64::MAX, u64::MAX), 12_345, u64::MAX),
        (Sampler::exponential(u64::MAX), u64::MAX, u64::MAX),
        (Sampler::lognormal(1, u64::MAX), u64::MAX, u64::MAX),
        (Sampler::lognormal(1, u64::MAX), 0, 0),
        (Sampler::lognormal(77, 77), u64::MAX, 77),
        (Sampler::pareto(1, 1), u64::MAX, u64::MAX),
        (Sampler::pareto(u64::MAX, u32::MAX), 0, u64::MAX),
        // As a float, this minimum is one less.
        (Sampler::pareto((1 << 53) + 1, u32::MAX), 0, (1 << 53) + 1),
        (Sampler::empirical(&[(0, 0), (PER_MILLION, u64::MAX)]), 12_345, 12_345),
        (Sampler::empirical(&[(0, 0), (PER_MILLION, u64::MAX)]), u64::MAX, u64::MAX),
        (Sampler::from_observations(vec![5]), u64::MAX, 5),
        (Sampler::from_observations(vec![5]), 0, 5),
    ] {
        let sampler = sampler.unwrap();
        assert_eq!(sample_at(&sampler, word), expected, "{sampler:?} at {word}");
    }
}

#[test]
fn minimum_is_reached() {
    for (sampler, expected) in [
        (Ok(Sampler::constant(9)), 9),
        (Sampler::uniform(5, 12), 5),
        (Sampler::exponential(SECOND_NS), 0),
        (Sampler::exponential(u64::MAX), 2_048),
        // 20 ms by e to the power of 8.2095 standard deviations.
        (Sampler::lognormal(20_000_000, 200_000_000), 5_917),
        (Sampler::pareto(SECOND_NS, 1_500_000), SECOND_NS),
        (Sampler::empirical(&[(0, 8), (PER_MILLION, 9)]), 8),
        (Sampler::from_observations(vec![7, 6, 9]), 6),
    ] {
        let sampler = sampler.unwrap();
        assert_eq!(sampler.minimum(), expected, "{sampler:?}");
        assert_eq!(sample_at(&sampler, 0), expected, "{sampler:?}");
    }
    // A bound only, but one that a link can use: 10 ms, and never below 44 microseconds.
    let regular = Sampler::gamma(10_000_000, 300_000).unwrap();
    assert_eq!(regular.minimum(), 44_731);
    assert_eq!(Sampler::gamma(10_000_000, 2_000_000).unwrap().minimum(), 0);
}

/// The straightforward reading of a table, in floats, for comparison.
#[test]
fn empirical_agrees_with_interpolation() {
    let points = [(0, 10), (500_000, 40), (990_000, 400), (PER_MILLION, 9_000)];
    let sampler = Sampler::empirical(&points).unwrap();
    for step in 0..10_000_u64 {
        let share = step as f64 / 10_000.0;
        let after = points.iter().position(|&(ppm, _)| f64::from(ppm) / 1e6 > share).unwrap();
        let ((from_ppm, from), (to_ppm, to)) = (points[after - 1], points[after]);
        let part = (share * 1e6 - f64::from(from_ppm)) / f64::from(to_ppm - from_ppm);
        let expected = from as f64 + part * (to - from) as f64;
        let found = sample_at(&sampler, (share * u64::MAX as f64) as u64) as f64;
        assert!((found - expected).abs() <= 0.500_1, "at {share} found {found}, expected {expected}");
    }
}

#[test]
fn observations_are_their_own_quantiles() {
    let sampler = Sampler::from_observations(vec![30, 10, 50, 20, 50]).unwrap();
    assert_eq!(sampler.mean(), Some((15.0 + 25.0 + 40.0 + 50.0) / 4.0));
    for (quarter, expected) in [10, 20, 30, 50, 50].into_iter().enumerate() {
        let word = (u128::from(u64::MAX) * quarter as u128 / 4) as u64;
        assert_eq!(sample_at(&sampler, word), expected);
    }
    assert_eq!(sample_at(&sampler, u64::MAX / 8), 15);
}

/// Every kind of which one draw gives one value; all but the last with any parameters it accepts.
fn one_draw_sampler() -> impl Strategy<Value = Sampler> {
    let positive = prop_oneof![1..=1_000_u64, 1..=u64::MAX];
    let shape_ppm = prop_oneof![1..=5 * PER_MILLION, 1..=u32::MAX];
    let lognormal = (positive.clone(), positive.clone());
    let quantiles =
        (prop::collection::btree_set(1..PER_MILLION, 0..20), prop::collection::vec(any::<u64>(), 22));
    prop_oneof![
        positive.clone().prop_map(|mean| Sampler::exponential(mean).unwrap()),
        lognormal.prop_map(|(a, b)| Sampler::lognormal(a.min(b), a.max(b)).unwrap()),
        (positive, shape_ppm).prop_map(|(minimum, shape)| Sampler::pareto(minimum, shape).unwrap()),
        quantiles.prop_map(|(inner, mut values)| {
            values.sort();
            let quantiles = [0].into_iter().chain(inner).chain([PER_MILLION]);
            Sampler::empirical(&quantiles.zip(values).collect::<Vec<_>>()).unwrap()
        }),
        prop::collection::vec(any::<u64>(), 1..50)
            .prop_map(|observations| Sampler::from_observations(observations).unwrap()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_draw_gives_one_value_that_rises_with_it(
        sampler in one_draw_sampler(),
        a in any::<u64>(),
        b in any::<u64>(),
    ) {
        let mut random = Repeated { word: a.min(b), draws: 0 };
        let lower = sampler.sample(&mut random);
        prop_assert_eq!(random.draws, 1);
        prop_assert!(lower <= sample_at(&sampler, a.max(b)));
        prop_assert!(sampler.minimum() <= lower);
    }

    #[test]
    fn neighbouring_words_keep_the_order(sampler in one_draw_sampler(), word in any::<u64>()) {
        let (lower, upper) = (sample_at(&sampler, word), sample_at(&sampler, word.saturating_add(4096)));
        // So close to each other, large values may be rounded past one another.
        prop_assert!(lower <= upper.saturating_add(upper >> 48));
    }

    #[test]
    fn uniform_stays_within_its_bounds(a in any::<u64>(), b in any::<u64>(), seed in any::<u64>()) {
        let (low, high) = (a.min(b), a.max(b));
        let sampler = Sampler::uniform(low, high).unwrap();
        let value = sampler.sample(&mut ChaCha8Rng::seed_from_u64(seed));
        prop_assert!((low..=high).contains(&value));
        prop_assert_eq!(sampler.minimum(), low);
    }

    #[test]
    fn uniform_reaches_both_bounds(low in any::<u64>(), count in 1..8_u64, seed in any::<u64>()) {
        let high = low.saturating_add(count);
        let sampler = Sampler::uniform(low, high).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let values: Vec<u64> = (0..400).map(|_| sampler.sample(&mut random)).collect();
        prop_assert!(values.contains(&low) && values.contains(&high));
    }

    #[test]
    fn gamma_respects_its_minimum(
        mean in prop_oneof![1..=1_000_u64, 1..=u64::MAX],
        variation_ppm in prop_oneof![1_000..=PER_MILLION, 1_000..=100 * PER_MILLION],
        seed in any::<u64>(),
    ) {
        let sampler = Sampler::gamma(mean, variation_ppm).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..20 {
            prop_assert!(sampler.sample(&mut random) >= sampler.minimum());
        }
    }

    #[test]
    fn constructors_take_what_they_document(a in 0..4_u64, b in 0..4_u64, ppm in any::<u32>()) {
        prop_assert_eq!(Sampler::uniform(a, b).is_ok(), a <= b);
        prop_assert_eq!(Sampler::exponential(a).is_ok(), a > 0);
        prop_assert_eq!(Sampler::lognormal(a, b).is_ok(), a > 0 && a <= b);
        prop_assert_eq!(Sampler::gamma(a, ppm).is_ok(), a > 0 && (1_000..=100_000_000).contains(&ppm));
        prop_assert_eq!(Sampler::pareto(a, ppm).is_ok(), a > 0 && ppm > 0);
    }
}
