//! A chart with two logarithmic axes (SVG), for a page with a light ground or a dark one.

use std::fmt::Write;

use crate::report::grouped;

/// The picture, and where the lines are in it. The names stand at their right.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 600.0;
const TOP: f64 = 68.0;
const BOTTOM: f64 = 340.0;

/// The first and the last points stand so far within the axes, and names so far apart.
const INSET: f64 = 16.0;
const LINE: f64 = 20.0;

/// What tells a line from the others: a colour for both grounds, dashes, and a mark around
/// the middle of a point. Any one of them is enough.
#[derive(Clone, Copy)]
pub struct Style {
    colour: &'static str,
    dashes: &'static str,
    mark: &'static str,
}

pub const OURS: Style =
    Style { colour: "#d55e00", dashes: "none", mark: "m-5 -5h10v10h-10z" };
pub const EVENT: Style =
    Style { colour: "#009e73", dashes: "9 4", mark: "m0 -7l7 7l-7 7l-7 -7z" };
pub const PYTHON: Style =
    Style { colour: "#3a87c8", dashes: "2 4", mark: "m0 -6l7 12h-14z" };
pub const TASKS: Style =
    Style { colour: "#a05fb4", dashes: "2 3 8 3", mark: "m0 6l6 -12h-12z" };
/// A ring, through which what it is compared with shows.
pub const REFERENCE: Style = Style {
    colour: "currentColor",
    dashes: "5 5",
    mark: "m-7 0a7 7 0 1 0 14 0a7 7 0 1 0 -14 0m2 0a5 5 0 1 1 10 0a5 5 0 1 1 -10 0",
};

pub struct Line {
    pub name: &'static str,
    pub style: Style,
    pub points: Vec<(f64, f64)>,
}

pub struct Chart {
    /// Of the file, and of the picture's parts.
    pub name: &'static str,
    /// The question that it answers.
    pub title: &'static str,
    pub x: &'static str,
    pub y: &'static str,
    /// What stands at a height.
    pub scale: fn(f64) -> String,
    pub lines: Vec<Line>,
}

/// A logarithmic axis with marks at these values, from its first to its last.
struct Axis {
    marks: Vec<f64>,
    from: f64,
    to: f64,
}

impl Axis {
    /// With a mark at each value.
    fn at(mut values: Vec<f64>, from: f64, to: f64) -> Self {
        values.sort_by(f64::total_cmp);
        values.dedup();
        Self { marks: values, from, to }
    }

    /// With marks at 1, 2, 5, 10 and so on, around the values.
    fn around(values: &[f64], from: f64, to: f64) -> Self {
        let steps = (-2..=8)
            .flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power)));
        let mut marks: Vec<_> = steps.collect();
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let first = marks.partition_point(|mark| *mark <= lowest).saturating_sub(1);
        let last = marks.partition_point(|mark| *mark < highest);
        marks.truncate((last + 1).max(first + 2));
        Self { marks: marks.split_off(first), from, to }
    }

    fn place(&self, value: f64) -> f64 {
        let first = self.marks.first().map_or(0.0, |mark| mark.log10());
        let last = self.marks.last().map_or(1.0, |mark| mark.log10());
        let share = (value.log10() - first) / (last - first);
        self.from + share * (self.to - self.from)
    }
}

impl Chart {
    pub fn draw(&self) -> String {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let (across, up): (Vec<_>, Vec<_>) = points.copied().unzip();
        let x_axis = Axis::at(across, LEFT + INSET, RIGHT - INSET);
        let y_axis = Axis::around(&up, BOTTOM, TOP);
        let name = self.name;
        let mut svg = format!(
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" style=\"max-width: 100%; height: auto\" role=\"img\" \
             aria-labelledby=\"bench-{name}-title bench-{name}-desc\" \
             xmlns=\"http://www.w3.org/2000/svg\" font-family=\"system-ui, sans-serif\" \
             font-size=\"14\" fill=\"currentColor\">\n\
             <title id=\"bench-{name}-title\">{}</title>\n\
             <desc id=\"bench-{name}-desc\">{}</desc>\n\
             <style>\n{COLOURS}\n</style>\n",
            self.title,
            self.in_words()
        );
        svg += &text(0.0, 18.0, "font-size=\"17\" font-weight=\"600\"", self.title);
        svg += &text(0.0, 46.0, "", &format!("{}, logarithmic", self.y));
        let middle = f64::midpoint(LEFT, RIGHT);
        svg += &text(middle, BOTTOM + 48.0, "text-anchor=\"middle\"", self.x);
        for mark in &x_axis.marks {
            let at = x_axis.place(*mark);
            let number = grouped(*mark);
            svg += &path(&format!("M{at:.1} {TOP}V{BOTTOM}"), GRID);
            svg += &text(at, BOTTOM + 22.0, "text-anchor=\"middle\"", &number);
        }
        for mark in &y_axis.marks {
            let at = y_axis.place(*mark);
            let number = (self.scale)(*mark);
            svg += &path(&format!("M{LEFT} {at:.1}H{RIGHT}"), GRID);
            svg += &text(LEFT - 10.0, at + 5.0, "text-anchor=\"end\"", &number);
        }
        // The first line last: the others show through it.
        let lines = self.lines.iter().zip(self.name_heights(&y_axis));
        for (line, height) in lines.rev() {
            let places = line.points.iter();
            let places = places.map(|(x, y)| (x_axis.place(*x), y_axis.place(*y)));
            svg += &line.draw(&places.collect::<Vec<_>>(), height);
        }
        svg + "</svg>\n"
    }

    /// The places of the names: next to the last points, and not on top of each other.
    fn name_heights(&self, axis: &Axis) -> Vec<f64> {
        let ends = self.lines.iter().map(|line| line.points.last());
        let ends = ends.map(|last| last.map_or(TOP, |point| axis.place(point.1)));
        let mut heights: Vec<f64> = ends.collect();
        let mut order: Vec<usize> = (0..heights.len()).collect();
        order.sort_by(|a, b| heights[*a].total_cmp(&heights[*b]));
        // Between the name above and the room for those below.
        let mut highest = TOP;
        let mut lowest =
            order.iter().skip(1).fold(BOTTOM, |lowest, _| lowest - LINE);
        for line in order {
            heights[line] = heights[line].min(lowest).max(highest);
            highest = heights[line] + LINE;
            lowest += LINE;
        }
        heights
    }

    /// Describes the chart in words, for readers who cannot see it.
    fn in_words(&self) -> String {
        let mut words = format!("{}, against {}.", self.y, self.x);
        for line in &self.lines {
            let point = |(x, y): &(f64, f64)| {
                format!("{} at {}", (self.scale)(*y), grouped(*x))
            };
            let points: Vec<_> = line.points.iter().map(point).collect();
            let _ = write!(words, " {}: {}.", line.name, points.join("; "));
        }
        words
    }
}

impl Line {
    /// Its points at these places, and its name at this height.
    fn draw(&self, places: &[(f64, f64)], height: f64) -> String {
        let Style { colour, dashes, mark } = self.style;
        let stroke = format!("fill=\"none\" stroke=\"{colour}\"");
        let corners: Vec<_> =
            places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let look =
            format!("{stroke} stroke-width=\"2.5\" stroke-dasharray=\"{dashes}\"");
        let mut svg = path(&format!("M{}", corners.join("L")), &look);
        for corner in &corners {
            svg += &path(&format!("M{corner}{mark}"), &format!("fill=\"{colour}\""));
        }
        // From the last point to the name, which may have had to move.
        if let Some((x, y)) = places.last() {
            let way = format!("M{:.1} {y:.1}L{} {height:.1}", x + 9.0, RIGHT + 8.0);
            svg += &path(&way, &stroke);
        }
        svg + &text(RIGHT + 14.0, height + 5.0, "", self.name)
    }
}

/// How the lines behind the others look.
/// The colours of the text and the background. The colour scheme of a page also holds for its
/// pictures.
const COLOURS: &str = "\
svg { color: #1a1a1a; background: #fff }
@media (prefers-color-scheme: dark) { svg { color: #d3d4e0; background: #161923 } }";

const GRID: &str = "stroke=\"currentColor\" opacity=\"0.2\"";

fn path(way: &str, look: &str) -> String {
    format!("<path d=\"{way}\" {look}/>\n")
}

fn text(x: f64, y: f64, look: &str, words: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" {look}>{words}</text>\n")
}
