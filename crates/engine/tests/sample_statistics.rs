//! Whether samples follow the distribution they are named after: moments, distances and counts
//! against closed forms. Seeds are fixed; a bound would reject a right sampler with a chance below
//! one in a million.

use fleetsim_engine::sample::{PER_MILLION, Sampler};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const COUNT: usize = 200_000;
/// Large enough that rounding to integers is far below every bound.
const MEAN: u64 = 1_000_000_000;

fn draw(sampler: &Sampler, seed: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..COUNT).map(|_| sampler.sample(&mut random) as f64).collect()
}

/// Mean and variance within six standard errors; `kurtosis` is the fourth central moment over the
/// squared variance, which gives the standard error of the variance.
#[test]
fn mean_and_variance() {
    let mean = MEAN as f64;
    let gamma = |variation: f64| (variation * mean, 3.0 + 6.0 * variation * variation);
    let gamma_case = |ppm: u32| {
        let (deviation, kurtosis) = gamma(f64::from(ppm) / f64::from(PER_MILLION));
        (Sampler::gamma(MEAN, ppm), mean, deviation, kurtosis)
    };
    // A lognormal of sigma one half: p99 is the median times e^(2.326 / 2).
    let lognormal_p99 = (mean * libm::exp(0.5 * 2.326_347_874_040_841)) as u64;
    let w = libm::exp(0.25);
    let lognormal_mean = mean * libm::exp(0.125);
    let table_mean = 0.5 * 20.0 + 0.5 * 70.0;
    let triangle = [(0, 0), (500_000, 40), (PER_MILLION, 100)];
    let cases = [
        (Ok(Sampler::constant(MEAN)), mean, 0.0, 1.0),
        (Sampler::uniform(0, 2 * MEAN), mean, mean / 3.0_f64.sqrt(), 1.8),
        (Sampler::uniform(1, 6), 3.5, (35.0 / 12.0_f64).sqrt(), 1.8),
        (Sampler::exponential(MEAN), mean, mean, 9.0),
        (
            Sampler::lognormal(MEAN, lognormal_p99),
            lognormal_mean,
            lognormal_mean * (w - 1.0).sqrt(),
            w * w * w * w + 2.0 * w * w * w + 3.0 * w * w - 3.0,
        ),
        gamma_case(1_000),
        gamma_case(250_000),
        gamma_case(PER_MILLION),
        gamma_case(1_500_000),
        gamma_case(3_000_000),
        // Shape 5: variance 5 / (4² · 3) of the minimum squared; kurtosis 3 + 70.8.
        (Sampler::pareto(MEAN, 5 * PER_MILLION), 1.25 * mean, mean * (5.0 / 48.0_f64).sqrt(), 73.8),
        (
            Sampler::empirical(&triangle),
            table_mean,
            // Two uniform halves: mean square less square of the mean.
            (0.5 * (1_600.0 / 3.0) + 0.5 * (15_600.0 / 3.0) - table_mean * table_mean).sqrt(),
            3.0,
        ),
    ];
    for (seed, (sampler, mean, deviation, kurtosis)) in (0..).zip(cases) {
        let sampler = sampler.expect("the parameters are valid");
        let known = sampler.mean().expect("the distribution has a mean");
        assert!((known / mean - 1.0).abs() < 1e-8, "{sampler:?} says mean {known}, expected {mean}");

        let samples = draw(&sampler, seed);
        let count = COUNT as f64;
        let found_mean = samples.iter().sum::<f64>() / count;
        let found_variance = samples.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
        let variance = deviation * deviation;
        let bound = 6.0 * deviation / count.sqrt();
        assert!(
            (found_mean - mean).abs() <= bound,
            "{sampler:?}: mean {found_mean}, expected {mean} within {bound}"
        );
        // Rounding to integers adds a twelfth to the variance.
        let bound = 6.0 * variance * ((kurtosis - 1.0) / count).sqrt() + 0.1;
        assert!(
            (found_variance - variance).abs() <= bound,
            "{sampler:?}: variance {found_variance}, expected {variance} within {bound}"
        );
    }
}

/// The largest distance between the share of samples below x and the distribution function at x
/// exceeds the bound with a chance of one in a million: P. Massart, "The tight constant in the
/// Dvoretzky-Kiefer-Wolfowitz inequality", The Annals of Probability 18(3), 1990.
#[test]
fn distribution_functions() {
    fn normal(x: f64) -> f64 {
        0.5 * libm::erfc(-x / 2.0_f64.sqrt())
    }
    type Distribution = fn(f64) -> f64;
    let cases: [(_, Distribution); 9] = [
        (Sampler::uniform(0, 2 * MEAN), |x| x / 2.0),
        (Sampler::exponential(MEAN), |x| 1.0 - libm::exp(-x)),
        (Sampler::lognormal(MEAN, 10 * MEAN), |x| {
            normal(libm::log(x) / libm::log(10.0) * 2.326_347_874_040_841)
        }),
        // Shape 1 is exponential, shape 4 a sum of four, shape 1/2 a squared normal variate.
        (Sampler::gamma(MEAN, PER_MILLION), |x| 1.0 - libm::exp(-x)),
        (Sampler::gamma(MEAN, PER_MILLION / 2), |x| {
            let y = 4.0 * x;
            1.0 - libm::exp(-y) * (1.0 + y + y * y / 2.0 + y * y * y / 6.0)
        }),
        (Sampler::gamma(MEAN, 1_414_214), |x| 2.0 * normal(x.sqrt()) - 1.0),
        (Sampler::pareto(MEAN, 1_500_000), |x| 1.0 - libm::pow(x, -1.5)),
        (Sampler::pareto(MEAN, 500_000), |x| 1.0 - 1.0 / x.sqrt()),
        (Sampler::empirical(&[(0, 0), (900_000, MEAN), (PER_MILLION, 11 * MEAN)]), |x| {
            if x <= 1.0 { 0.9 * x } else { 0.9 + 0.01 * (x - 1.0) }
        }),
    ];
    let count = COUNT as f64;
    let bound = (libm::log(2.0 / 1e-6) / (2.0 * count)).sqrt();
    for (seed, (sampler, distribution)) in (100..).zip(cases) {
        let sampler = sampler.expect("the parameters are valid");
        let mut samples = draw(&sampler, seed);
        samples.sort_by(f64::total_cmp);
        let mut distance = 0.0_f64;
        for (rank, sample) in samples.iter().enumerate() {
            let expected = distribution(sample / MEAN as f64);
            distance =
                distance.max((rank as f64 + 1.0) / count - expected).max(expected - rank as f64 / count);
        }
        assert!(distance <= bound, "{sampler:?}: distance {distance}, bound {bound}");
    }
}

/// Three quarters of the words a generator gives: without rejection, every third integer would be
/// twice as likely as the others.
#[test]
fn uniform_has_no_favourites() {
    for (seed, high, classes) in [(1, (3 << 62) - 1, 3), (2, 6, 7), (3, 99_999, 10)] {
        let sampler = Sampler::uniform(0, high).expect("the bounds are in order");
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut counts = vec![0_u32; classes];
        for _ in 0..COUNT {
            counts[(sampler.sample(&mut random) % classes as u64) as usize] += 1;
        }
        let share = 1.0 / classes as f64;
        let expected = COUNT as f64 * share;
        let bound = 6.0 * (expected * (1.0 - share)).sqrt();
        for count in counts {
            assert!(
                (f64::from(count) - expected).abs() <= bound,
                "up to {high}: {count} of {COUNT}, expected {expected} within {bound}"
            );
        }
    }
}

/// The sample correlation of neighbours, so that no draw is used twice.
#[test]
fn neighbours_are_independent() {
    for (seed, sampler) in [
        (1, Sampler::exponential(MEAN)),
        (2, Sampler::gamma(MEAN, 500_000)),
        (3, Sampler::gamma(MEAN, 2_000_000)),
    ] {
        let sampler = sampler.expect("the parameters are valid");
        // Logarithms, as a product of heavy tails has no useful standard error.
        let samples: Vec<f64> = draw(&sampler, seed).into_iter().map(|x| libm::log(x.max(1.0))).collect();
        let mean = samples.iter().sum::<f64>() / COUNT as f64;
        let centered: Vec<f64> = samples.iter().map(|x| x - mean).collect();
        let square: f64 = centered.iter().map(|x| x * x).sum();
        let product: f64 = centered.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let bound = 6.0 / (COUNT as f64).sqrt();
        let correlation = product / square;
        assert!(correlation.abs() <= bound, "{sampler:?}: correlation {correlation}");
    }
}
