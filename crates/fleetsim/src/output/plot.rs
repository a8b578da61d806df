//! A small plot made of text: one mark for each point of each series, the horizontal axis logarithmic.

/// One line of the plot, without its line.
pub(crate) struct Series<'a> {
    pub(crate) mark: char,
    pub(crate) name: &'a str,
    /// Points: x, at least 1, and y.
    pub(crate) points: Vec<(u64, u64)>,
}

/// Where marks of two series meet.
const SEVERAL: char = '*';

/// Draws `series` into so many rows and columns, both at least 2, above an axis with the values of x. `show` writes
/// values of either axis. The vertical axis begins at zero.
pub(crate) fn plot(
    series: &[Series<'_>],
    rows: usize,
    columns: usize,
    show: impl Fn(u64) -> String,
) -> Vec<String> {
    let all = || series.iter().flat_map(|series| series.points.iter());
    let top = all().map(|point| point.1).max().unwrap_or(0).max(1);
    let (Some(first), Some(last)) = (all().map(|point| point.0).min(), all().map(|point| point.0).max())
    else {
        return Vec::new();
    };
    let width = (log2_thousandths(last) - log2_thousandths(first)).max(1);
    let column =
        |x: u64| ((log2_thousandths(x) - log2_thousandths(first)) * (columns as u64 - 1) / width) as usize;
    let height = |y: u64| (u128::from(y) * (rows as u128 - 1)).div_ceil(u128::from(top)) as usize;
    let mut canvas = vec![vec![' '; columns]; rows];
    for series in series {
        for (x, y) in &series.points {
            let cell = &mut canvas[rows - 1 - height(*y)][column(*x)];
            *cell = if *cell == ' ' || *cell == series.mark { series.mark } else { SEVERAL };
        }
    }
    let (top, middle) = (show(top), show(top / 2));
    let margin = top.chars().count().max(middle.chars().count());
    let label = |row: usize| match row {
        0 => top.as_str(),
        _ if row == (rows - 1) / 2 && !rows.is_multiple_of(2) => middle.as_str(),
        _ if row == rows - 1 => "0",
        _ => "",
    };
    let mut lines: Vec<String> = canvas
        .iter()
        .enumerate()
        .map(|(row, cells)| {
            let cells: String = cells.iter().collect();
            format!("{:>margin$} |{}", label(row), cells.trim_end())
        })
        .collect();
    lines.push(format!("{:margin$} +{}", "", "-".repeat(columns)));
    lines.push(format!("{:margin$}  {}", "", axis(series, columns, column, show)));
    let legend = series.iter().map(|series| format!("{} {}", series.mark, series.name));
    lines.push(format!(
        "{:margin$}  {}",
        "",
        legend.chain([format!("{SEVERAL} several")]).collect::<Vec<_>>().join("  ")
    ));
    lines
}

/// The values of x below their columns, as far as there is room.
fn axis(
    series: &[Series<'_>],
    columns: usize,
    column: impl Fn(u64) -> usize,
    show: impl Fn(u64) -> String,
) -> String {
    let mut values: Vec<u64> =
        series.iter().flat_map(|series| series.points.iter().map(|point| point.0)).collect();
    values.sort();
    values.dedup();
    let mut line = String::new();
    for value in values {
        let text = show(value);
        let width = text.chars().count();
        let at = column(value).min(columns.saturating_sub(width));
        let used = line.chars().count();
        if used == 0 || at > used {
            line.extend(std::iter::repeat_n(' ', at - used));
            line += &text;
        }
    }
    line
}

/// The logarithm to base 2 in thousandths, straight between the powers of two: exact enough for a column.
fn log2_thousandths(x: u64) -> u64 {
    let x = x.max(1);
    let whole = x.ilog2();
    let rest = ((u128::from(x) - (1 << whole)) * 1000) >> whole;
    u64::from(whole) * 1000 + rest as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stand_where_they_belong() {
        let series = [
            Series { mark: 'o', name: "off", points: vec![(1, 100), (4, 50), (16, 25)] },
            Series { mark: 'f', name: "full", points: vec![(1, 50), (4, 50), (16, 0)] },
        ];
        let drawn = plot(&series, 5, 21, |value| value.to_string()).join("\n");
        let expected = "\
100 |o
    |
 50 |f         *
    |                    o
  0 |                    f
    +---------------------
     1         4        16
     o off  f full  * several";
        assert_eq!(drawn, expected);
    }

    #[test]
    fn extremes_are_drawn() {
        assert!(plot(&[], 5, 20, |value| value.to_string()).is_empty());
        let series = [Series {
            mark: 'o',
            name: "off",
            points: vec![(1, 0), (u64::MAX, u64::MAX), (0, u64::MAX / 2)],
        }];
        let drawn = plot(&series, 4, 10, |value| value.to_string());
        assert_eq!(
            drawn.iter().flat_map(|line| line.chars()).filter(|mark| *mark == 'o').count(),
            5,
            "{drawn:#?}"
        );
        let single = [Series { mark: 'o', name: "off", points: vec![(7, 0)] }];
        assert!(plot(&single, 2, 2, |value| value.to_string())[1].ends_with("|o"));
    }

    #[test]
    fn logarithms_grow_with_their_numbers() {
        for (x, thousandths) in [(0, 0), (1, 0), (2, 1000), (3, 1500), (1024, 10_000), (u64::MAX, 63_999)] {
            assert_eq!(log2_thousandths(x), thousandths);
        }
    }
}
