//! Medians, tables and the plot.

use std::fmt::Write as _;

use crate::client::Kind;

/// The figures of one client per update, for each round.
#[derive(Debug)]
pub struct Row {
    /// The client.
    pub kind: Kind,
    /// CPU nanoseconds per update.
    pub cpu: Vec<f64>,
    /// Wall nanoseconds per update.
    pub wall: Vec<f64>,
}

/// All clients at one concurrency, the baseline first.
#[derive(Debug)]
pub struct Table {
    /// The number of callers.
    pub concurrency: usize,
    /// One row per client.
    pub rows: Vec<Row>,
}

impl Table {
    /// The ratio of a client's CPU to the baseline's: the median of the rounds' ratios, which
    /// a machine that slows down between rounds doesn't shift.
    pub fn ratio(&self, row: &Row) -> f64 {
        ratio(&row.cpu, &self.baseline().cpu)
    }

    /// Returns the same ratio for the elapsed time.
    pub fn wall_ratio(&self, row: &Row) -> f64 {
        ratio(&row.wall, &self.baseline().wall)
    }

    /// Returns the row of a client.
    pub fn row(&self, kind: Kind) -> Option<&Row> {
        self.rows.iter().find(|row| row.kind == kind)
    }

    fn baseline(&self) -> &Row {
        &self.rows[0]
    }

    /// Formats the table as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "Concurrency {}\n\n| client | CPU per update | to baseline | quartiles | to `stytch` update | wall per update | to baseline |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
            self.concurrency
        );
        for row in &self.rows {
            let rounds: Vec<_> =
                row.cpu.iter().zip(&self.baseline().cpu).map(|(a, b)| a / b).collect();
            let to_official =
                self.row(Kind::Official).map_or(f64::NAN, |it| ratio(&row.cpu, &it.cpu));
            let _ = writeln!(
                text,
                "| {} | {:.2} µs | {:.2} | {:.2} to {:.2} | {:.2} | {:.2} µs | {:.2} |",
                row.kind.title(),
                median(&row.cpu) / 1000.0,
                self.ratio(row),
                quantile(&rounds, 0.25),
                quantile(&rounds, 0.75),
                to_official,
                median(&row.wall) / 1000.0,
                self.wall_ratio(row),
            );
        }
        text
    }
}

/// Returns the median of the ratios of `of` to `to`, round by round.
pub fn ratio(of: &[f64], to: &[f64]) -> f64 {
    median(&of.iter().zip(to).map(|(of, to)| of / to).collect::<Vec<_>>())
}

/// Returns the median.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = at * (sorted.len().saturating_sub(1)) as f64;
    let (below, above) = (position.floor() as usize, position.ceil() as usize);
    let (Some(below), Some(above)) = (sorted.get(below), sorted.get(above)) else {
        return f64::NAN;
    };
    below + (above - below) * position.fract()
}

/// Draws the ratios as bars, in SVG with a background for light and dark pages.
pub fn svg(tables: &[Table]) -> String {
    let kinds: Vec<_> = PLOTTED
        .iter()
        .filter(|kind| tables.iter().all(|table| table.row(**kind).is_some()))
        .collect();
    let group = BAR * tables.len() as f64 + 26.0;
    let height = 64.0 + group * kinds.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\">\n<title>CPU of the client process per update, relative to bare reqwest</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<text x=\"12\" y=\"22\" font-size=\"14\" font-weight=\"600\" fill=\"#1f2328\">CPU of the client per update, relative to bare reqwest (less is better)</text>\n"
    );
    for (index, table) in tables.iter().enumerate() {
        let x = 12.0 + 150.0 * index as f64;
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"34\" width=\"10\" height=\"10\" fill=\"{}\"/><text x=\"{}\" y=\"43\" fill=\"#59636e\">{} concurrent</text>",
            color(index),
            x + 15.0,
            table.concurrency
        );
    }
    let largest = tables
        .iter()
        .flat_map(|table| kinds.iter().filter_map(|kind| Some(table.ratio(table.row(**kind)?))))
        .fold(1.0, f64::max);
    let scale = (WIDTH - 90.0) / largest;
    for (place, kind) in kinds.iter().enumerate() {
        let top = 62.0 + group * place as f64;
        let _ = writeln!(
            svg,
            "<text x=\"12\" y=\"{}\" fill=\"#1f2328\">{}</text>",
            top + 11.0,
            kind.title().replace('`', "")
        );
        for (index, table) in tables.iter().enumerate() {
            let Some(row) = table.row(**kind) else { continue };
            let (ratio, y) = (table.ratio(row), top + 16.0 + BAR * index as f64);
            let _ = writeln!(
                svg,
                "<rect x=\"12\" y=\"{y}\" width=\"{:.1}\" height=\"{}\" fill=\"{}\"/><text x=\"{:.1}\" y=\"{}\" fill=\"#59636e\">{ratio:.2}</text>",
                ratio * scale,
                BAR - 2.0,
                color(index),
                18.0 + ratio * scale,
                y + BAR - 4.0,
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn color(index: usize) -> &'static str {
    ["#0969da", "#54aeff", "#9aa4ae"][index % 3]
}

const PLOTTED: [Kind; 6] =
    [Kind::Bare, Kind::JwtSeen, Kind::TokenSeen, Kind::JwtFirst, Kind::Official, Kind::OfficialJob];
const WIDTH: f64 = 720.0;
const BAR: f64 = 14.0;
