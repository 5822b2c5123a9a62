//! A chart with two logarithmic axes (SVG), in the colour of the page it is on.

use std::fmt::Write;

/// The room for the picture, for what stands left of it, and for the names at its right.
const WIDTH: f64 = 430.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 52.0;

/// What tells the lines apart, colours or none.
const DASHES: [&str; 4] = ["none", "7 4", "2 4", "10 3 2 3"];

pub struct Line<'a> {
    pub name: &'a str,
    pub points: Vec<(f64, f64)>,
}

pub struct Chart<'a> {
    /// Of the file, and of the picture's parts.
    pub name: &'static str,
    /// The question that it answers.
    pub title: &'static str,
    pub x: &'static str,
    pub y: &'static str,
    pub lines: Vec<Line<'a>>,
}

/// An axis from one power of ten to another.
struct Axis {
    from: i32,
    to: i32,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min).log10();
        let most = values.fold(f64::MIN_POSITIVE, f64::max).log10();
        let from = (least + 1e-9).floor() as i32;
        Self { from, to: ((most - 1e-9).ceil() as i32).max(from + 1) }
    }

    /// Between 0 and 1.
    fn place(&self, value: f64) -> f64 {
        (value.log10() - f64::from(self.from)) / f64::from(self.to - self.from)
    }
}

fn power(exponent: i32) -> String {
    match exponent {
        ..0 => format!(
            "{:.*}",
            usize::try_from(-exponent).unwrap_or(0),
            10_f64.powi(exponent)
        ),
        0..3 => format!("{}", 10_u32.pow(exponent.unsigned_abs())),
        3..6 => format!("{},000", 10_u32.pow(exponent.unsigned_abs() - 3)),
        _ => format!("{},000,000", 10_u32.pow(exponent.unsigned_abs() - 6)),
    }
}

impl Chart<'_> {
    pub fn draw(&self) -> String {
        let points = self.lines.iter().flat_map(|line| line.points.iter());
        let x_axis = Axis::over(points.clone().map(|point| point.0));
        let y_axis = Axis::over(points.map(|point| point.1));
        let x = |value: f64| LEFT + WIDTH * x_axis.place(value);
        let y = |value: f64| TOP + HEIGHT * (1.0 - y_axis.place(value));
        let (width, height) = (LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM);
        let name = self.name;
        let mut svg = format!(
            "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" aria-labelledby=\"bench-{name}-title \
             bench-{name}-desc\" xmlns=\"http://www.w3.org/2000/svg\" \
             font-family=\"monospace\" font-size=\"12\" fill=\"currentColor\">\n\
             <title id=\"bench-{name}-title\">{}</title>\n\
             <desc id=\"bench-{name}-desc\">{}</desc>\n\
             <text x=\"{LEFT}\" y=\"18\" font-weight=\"bold\">{}</text>\n\
             <text x=\"{LEFT}\" y=\"{}\">{}</text>\n\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
            self.title,
            self.in_words(),
            self.title,
            TOP - 8.0,
            self.y,
            LEFT + WIDTH / 2.0,
            TOP + HEIGHT + 42.0,
            self.x,
        );
        for exponent in x_axis.from..=x_axis.to {
            let at = x(10_f64.powi(exponent));
            let (end, label) = (TOP + HEIGHT, TOP + HEIGHT + 20.0);
            let _ = writeln!(
                svg,
                "<path d=\"M{at:.1} {TOP}V{end}\" stroke=\"currentColor\" opacity=\"0.2\"/>\
                 <text x=\"{at:.1}\" y=\"{label}\" text-anchor=\"middle\">{}</text>",
                power(exponent)
            );
        }
        for exponent in y_axis.from..=y_axis.to {
            let at = y(10_f64.powi(exponent));
            let (end, label) = (LEFT + WIDTH, LEFT - 8.0);
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {at:.1}H{end}\" stroke=\"currentColor\" opacity=\"0.2\"/>\
                 <text x=\"{label}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                at + 4.0,
                power(exponent)
            );
        }
        let labels = self.label_heights(y);
        for (number, (line, label)) in self.lines.iter().zip(labels).enumerate() {
            let path: Vec<_> = line
                .points
                .iter()
                .map(|point| format!("{:.1} {:.1}", x(point.0), y(point.1)))
                .collect();
            let dash = DASHES[number % DASHES.len()];
            let _ = writeln!(
                svg,
                "<path d=\"M{}\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" \
                 stroke-dasharray=\"{dash}\"/>",
                path.join("L")
            );
            for point in &line.points {
                svg += &mark(number, x(point.0), y(point.1));
            }
            // The line from a point to its name, where the names had to move apart.
            if let Some(last) = line.points.last() {
                let (from, to) = (x(last.0) + 6.0, LEFT + WIDTH + 8.0);
                let _ = writeln!(
                    svg,
                    "<path d=\"M{from:.1} {:.1}L{to} {label:.1}\" stroke=\"currentColor\" \
                     opacity=\"0.4\"/><text x=\"{}\" y=\"{:.1}\">{}</text>",
                    y(last.1),
                    to + 4.0,
                    label + 4.0,
                    line.name
                );
            }
        }
        svg + "</svg>\n"
    }

    /// Where the names stand: beside the last points, and apart from each other.
    fn label_heights(&self, y: impl Fn(f64) -> f64) -> Vec<f64> {
        let end = |line: &Line| line.points.last().map_or(TOP, |point| y(point.1));
        let mut order: Vec<usize> = (0..self.lines.len()).collect();
        order.sort_by(|a, b| end(&self.lines[*a]).total_cmp(&end(&self.lines[*b])));
        let mut heights = vec![0.0; order.len()];
        let mut free = TOP;
        for (place, line) in order.iter().enumerate() {
            let room = 16.0 * (order.len() - 1 - place) as f64;
            let wanted = end(&self.lines[*line]).min(TOP + HEIGHT - room);
            heights[*line] = wanted.max(free);
            free = heights[*line] + 16.0;
        }
        heights
    }

    /// For those who do not see it.
    fn in_words(&self) -> String {
        let mut text = format!("{}, against {}.", self.y, self.x);
        for line in &self.lines {
            let point = |(x, y): &(f64, f64)| format!("{y:.0} at {x:.0}");
            let points: Vec<_> = line.points.iter().map(point).collect();
            let _ = write!(text, " {}: {}.", line.name, points.join(", "));
        }
        text
    }
}

/// A point, in a shape of its line's own.
fn mark(number: usize, x: f64, y: f64) -> String {
    match number {
        0 => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>\n"),
        1 => format!("<path d=\"M{:.1} {:.1}h8v8h-8z\"/>\n", x - 4.0, y - 4.0),
        2 => format!("<path d=\"M{x:.1} {:.1}l5 9h-10z\"/>\n", y - 5.0),
        _ => format!("<path d=\"M{x:.1} {:.1}l5 5l-5 5l-5 -5z\"/>\n", y - 5.0),
    }
}
