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

/// Draws the ratios as bars, one group for each concurrency, in colors for light and dark pages.
pub fn svg(tables: &[Table]) -> String {
    let plotted = |table: &Table| {
        // Only with more callers than the default limit is it another client.
        let is_plotted = |kind: &&Kind| **kind != Kind::JwtSeenUnbounded || table.concurrency > 64;
        let rows = PLOTTED.iter().filter(is_plotted).filter_map(|kind| table.row(*kind));
        rows.map(|row| (label(row.kind, table.concurrency), row.kind, table.ratio(row)))
            .collect::<Vec<_>>()
    };
    let groups: Vec<_> = tables.iter().map(|table| (table.concurrency, plotted(table))).collect();
    let rows: usize = groups.iter().map(|(_, rows)| rows.len()).sum();
    let height = 44.0 + HEADING * groups.len() as f64 + BAR * rows as f64;
    let ratios = groups.iter().flat_map(|(_, rows)| rows.iter().map(|(.., ratio)| *ratio));
    let scale = (WIDTH - LABELS - 60.0) / ratios.fold(1.0, f64::max);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n<title>{TITLE}</title>\n<style>{STYLE}</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n<text class=\"title\" x=\"12\" y=\"24\">{TITLE}</text>\n"
    );
    let mut top = 34.0;
    for (concurrency, rows) in groups {
        let callers = if concurrency == 1 {
            "1 caller"
        } else {
            &format!("{} callers", grouped(concurrency))
        };
        let _ =
            writeln!(svg, "<text class=\"group\" x=\"12\" y=\"{}\">{callers}</text>", top + 22.0);
        top += HEADING;
        for (label, kind, ratio) in rows {
            let (width, middle) = (ratio * scale, top + BAR / 2.0 + 4.0);
            let class = match kind {
                Kind::Bare => "bare",
                Kind::Official | Kind::OfficialJob => "official",
                _ => "ours",
            };
            let _ = writeln!(
                svg,
                "<text x=\"12\" y=\"{middle}\">{label}</text><rect class=\"{class}\" x=\"{LABELS}\" y=\"{}\" width=\"{width:.1}\" height=\"{}\"/><text x=\"{:.1}\" y=\"{middle}\">{ratio:.2}</text>",
                top + 2.0,
                BAR - 4.0,
                LABELS + width + 6.0,
            );
            top += BAR;
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Names a client in the plot, with its number of requests in flight where the limit of this
/// crate makes a difference.
fn label(kind: Kind, concurrency: usize) -> String {
    let ours = if concurrency > 64 { ", 64 in flight" } else { "" };
    match kind {
        Kind::Bare if concurrency > 64 => {
            format!("bare reqwest, {} in flight", grouped(concurrency))
        }
        Kind::Bare => "bare reqwest".to_owned(),
        Kind::JwtSeen => format!("this crate, cached JWT{ours}"),
        Kind::JwtSeenUnbounded => {
            format!("this crate, cached JWT, {} in flight", grouped(concurrency))
        }
        Kind::JwtIncoming => format!("this crate, JWT from headers{ours}"),
        Kind::JwtFirst => format!("this crate, new JWT{ours}"),
        Kind::OfficialJob => "stytch crate, authenticate and update".to_owned(),
        _ => "stytch crate, update without a session".to_owned(),
    }
}

fn grouped(number: usize) -> String {
    if number < 1000 {
        number.to_string()
    } else {
        format!("{},{:03}", number / 1000, number % 1000)
    }
}

const PLOTTED: [Kind; 7] = [
    Kind::Bare,
    Kind::Official,
    Kind::JwtSeenUnbounded,
    Kind::JwtSeen,
    Kind::JwtIncoming,
    Kind::JwtFirst,
    Kind::OfficialJob,
];
const TITLE: &str =
    "CPU of the client process per update, relative to bare reqwest (less is better)";
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-size:14px;font-weight:600}.group{font-size:13px;font-weight:600}.page{fill:#fff}.bare{fill:#8c959f}.official{fill:#bf8700}.ours{fill:#0969da}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}.bare{fill:#6e7681}.official{fill:#d29922}.ours{fill:#4493f8}}";
const WIDTH: f64 = 760.0;
const LABELS: f64 = 270.0;
const HEADING: f64 = 32.0;
const BAR: f64 = 20.0;
