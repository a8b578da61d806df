//! The inverse of the normal distribution function: one uniform number in, one normal variate out.
//! M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied
//! Statistics 37(3), 1988, routine PPND16, which is good to about 16 digits.

/// The variate below which 99 of 100 lie.
pub(super) const NORMAL_P99: f64 = 2.326_347_874_040_841;

/// The variate below which the share `p` of a standard normal distribution lies, for `p` strictly
/// between 0 and 1.
pub(super) fn normal_quantile(p: f64) -> f64 {
    let from_center = p - 0.5;
    if (-0.425..=0.425).contains(&from_center) {
        let r = 0.180625 - from_center * from_center;
        return from_center * (polynomial(&A, r) / polynomial(&B, r));
    }
    let tail = if from_center < 0.0 { p } else { 1.0 - p };
    let r = (-libm::log(tail)).sqrt();
    let distance = if r <= 5.0 {
        polynomial(&C, r - 1.6) / polynomial(&D, r - 1.6)
    } else {
        polynomial(&E, r - 5.0) / polynomial(&F, r - 5.0)
    };
    if from_center < 0.0 { -distance } else { distance }
}

/// By Horner's rule, constant term first.
#[inline]
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

// The rational approximations, as printed: A / B around the middle, C / D in the tails, E / F far
// out.

#[expect(clippy::excessive_precision, reason = "digit for digit as in the paper")]
const A: [f64; 8] = [
    3.3871328727963666080e0,
    1.3314166789178437745e2,
    1.9715909503065514427e3,
    1.3731693765509461125e4,
    4.5921953931549871457e4,
    6.7265770927008700853e4,
    3.3430575583588128105e4,
    2.5090809287301226727e3,
];
#[expect(clippy::excessive_precision, reason = "digit for digit as in the paper")]
const B: [f64; 8] = [
    1.0,
    4.2313330701600911252e1,
    6.8718700749205790830e2,
    5.3941960214247511077e3,
    2.1213794301586595867e4,
    3.9307895800092710610e4,
    2.8729085735721942674e4,
    5.2264952788528545610e3,
];
#[expect(clippy::excessive_precision, reason = "digit for digit as in the paper")]
const C: [f64; 8] = [
    1.42343711074968357734e0,
    4.63033784615654529590e0,
    5.76949722146069140550e0,
    3.64784832476320460504e0,
    1.27045825245236838258e0,
    2.41780725177450611770e-1,
    2.27238449892691845833e-2,
    7.74545014278341407640e-4,
];
#[expect(clippy::excessive_precision, reason = "digit for digit as in the paper")]
const D: [f64; 8] = [
    1.0,
    2.05319162663775882187e0,
    1.67638483018380384940e0,
    6.89767334985100004550e-1,
    1.48103976427480074590e-1,
    1.51986665636164571966e-2,
    5.47593808499534494600e-4,
    1.05075007164441684324e-9,
];
#[expect(clippy::excessive_precision, reason = "digit for digit as in the paper")]
const E: [f64; 8] = [
    6.65790464350110377720e0,
    5.46378491116411436990e0,
    1.78482653991729133580e0,
    2.96560571828504891230e-1,
    2.65321895265761230930e-2,
    1.24266094738807843860e-3,
    2.71155556874348757815e-5,
    2.01033439929228813265e-7,
];
#[expect(clippy::excessive_precision, reason = "digit for digit as in the paper")]
const F: [f64; 8] = [
    1.0,
    5.99832206555887937690e-1,
    1.36929880922735805310e-1,
    1.48753612908506148525e-2,
    7.86869131145613259100e-4,
    1.84631831751005468180e-5,
    1.42151175831644588870e-7,
    2.04426310338993978564e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_known_percentage_points() {
        for (p, expected) in [
            (1e-20, -9.262_340_089_798_408),
            (1e-10, -6.361_340_902_404_056),
            (0.001, -3.090_232_306_167_814),
            (0.075, -1.439_531_470_938_456),
            (0.25, -0.674_489_750_196_081_7),
            (0.5, 0.0),
            (0.9, 1.281_551_565_544_600_5),
            (0.975, 1.959_963_984_540_054),
            (0.99, NORMAL_P99),
        ] {
            let found = normal_quantile(p);
            let error = (found - expected).abs();
            assert!(error <= 1e-15 * expected.abs(), "at {p} found {found}, expected {expected}");
        }
    }

    #[test]
    fn rises_and_is_odd_around_one_half() {
        let steps = 1_u32 << 16;
        let mut before = f64::NEG_INFINITY;
        for step in 1..steps {
            let p = f64::from(step) / f64::from(steps);
            let found = normal_quantile(p);
            assert!(found > before, "falls at {p}");
            assert_eq!(found.to_bits() << 1, normal_quantile(1.0 - p).to_bits() << 1, "not odd at {p}");
            before = found;
        }
    }
}
