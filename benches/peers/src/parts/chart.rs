//! The chart for the README, from the files with the results.

use std::fmt::Write;
use std::fs;

use crate::apps::{
    ACTIX_SESSION, AXUM_SESSION, CLOAKROOM, NEAR_CACHE, PAVEX_SESSION, REFERENCE, TOWER_SESSIONS,
};
use crate::case::Case;
use crate::report::{Report, Table, folder, readable};
use crate::serve::{BY_HAND, NO_SESSION};

const WIDTH: f64 = 860.0;
const LABELS: f64 = 190.0;
const NUMBERS: f64 = 90.0;
const BAR: f64 = 12.0;
const GAP: f64 = 2.0;
const ROW: f64 = 38.0;
/// Tones from the middle: there is no background, so they have to be seen on
/// white as well as on black.
const TEXT: &str = "#7a828e";
const READ: &str = "#2f81f7";
const CHANGE: &str = "#d9822b";

/// One half of the chart.
struct Panel<'a> {
    title: &'a str,
    table: &'a Table,
    rows: &'a [&'a str],
    columns: [&'a str; 2],
}

/// Draws what there is; nothing while a part was never measured.
pub fn draw(quick: bool) {
    let [Some(in_process), Some(redis)] =
        ["in-process", "redis"].map(|part| Report::read(part, quick))
    else {
        return;
    };
    let panels = [
        Panel {
            title: "In memory: nanoseconds that a session adds to a request of its framework (shorter is better)",
            table: in_process.table("time"),
            rows: &[
                CLOAKROOM,
                REFERENCE,
                TOWER_SESSIONS,
                ACTIX_SESSION,
                PAVEX_SESSION,
                AXUM_SESSION,
            ],
            columns: [Case::Read.name(), Case::Change.name()],
        },
        Panel {
            title: "In Redis: requests per second on one core (longer is better)",
            table: redis.table("redis"),
            rows: &[
                CLOAKROOM,
                NEAR_CACHE,
                BY_HAND,
                TOWER_SESSIONS,
                ACTIX_SESSION,
                PAVEX_SESSION,
                NO_SESSION,
            ],
            columns: ["read", "change"],
        },
    ];
    let path = folder(quick).join("chart.svg");
    fs::write(&path, picture(&panels)).expect("a file can be written");
    println!("Drawn to {}", path.display());
}

fn picture(panels: &[Panel]) -> String {
    let height_of = |panel: &Panel| 52.0 + ROW * panel.rows.len() as f64;
    let height = 28.0 + panels.iter().map(height_of).sum::<f64>();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\" \
         font-family=\"system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\" \
         font-size=\"13\" fill=\"{TEXT}\">\n\
         <title>cloakroom beside other session libraries</title>\n"
    );
    legend(&mut svg);
    let mut top = 28.0;
    for panel in panels {
        draw_panel(&mut svg, panel, top);
        top += height_of(panel);
    }
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String) {
    for (x, color, text) in [(LABELS, READ, "read"), (LABELS + 80.0, CHANGE, "change one field")] {
        let label = x + 18.0;
        writeln!(
            svg,
            "<rect x=\"{x}\" y=\"8\" width=\"12\" height=\"12\" rx=\"2\" fill=\"{color}\"/>\
             <text x=\"{label}\" y=\"18.5\">{text}</text>"
        )
        .expect("into a string");
    }
}

fn draw_panel(svg: &mut String, panel: &Panel, top: f64) {
    let figure = |row: &str, column: usize| panel.table.find(row, panel.columns[column]);
    let all = panel.rows.iter().flat_map(|row| [figure(row, 0), figure(row, 1)]).flatten();
    let longest = longest_whole_bar(all.collect());
    let room = WIDTH - LABELS - NUMBERS;
    let title = top + 24.0;
    writeln!(
        svg,
        "<text x=\"0\" y=\"{title}\" font-size=\"15\" font-weight=\"600\">{}</text>",
        panel.title
    )
    .expect("into a string");
    for (index, row) in panel.rows.iter().enumerate() {
        let y = top + 38.0 + ROW * index as f64;
        let (x, middle) = (LABELS - 10.0, y + BAR + GAP / 2.0 + 4.5);
        let weight = if *row == CLOAKROOM { " font-weight=\"700\"" } else { "" };
        writeln!(svg, "<text x=\"{x}\" y=\"{middle}\" text-anchor=\"end\"{weight}>{row}</text>")
            .expect("into a string");
        let bars: Vec<(f64, &str)> = [(0, READ), (1, CHANGE)]
            .into_iter()
            .filter_map(|(column, color)| Some((figure(row, column)?, color)))
            .collect();
        for (place, (figure, color)) in bars.iter().enumerate() {
            let alone = if bars.len() == 1 { (BAR + GAP) / 2.0 } else { 0.0 };
            let y = y + alone + (BAR + GAP) * place as f64;
            let length = room * figure / longest;
            match length > room {
                false => draw_bar(svg, y, length, color, &readable(*figure)),
                true => draw_bar(svg, y, room, color, &format!("{}, cut off", readable(*figure))),
            }
        }
    }
}

/// The figure whose bar is as long as there is room: one that is more than three
/// times the next one would leave nothing to see of the others, and is cut off.
fn longest_whole_bar(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let is_cut = |pair: &[f64]| pair[1] > 3.0 * pair[0];
    let cut = figures.windows(2).rposition(is_cut).filter(|at| at * 2 > figures.len());
    cut.map_or(figures.last(), |at| figures.get(at)).copied().unwrap_or(1.0)
}

fn draw_bar(svg: &mut String, y: f64, length: f64, color: &str, number: &str) {
    let (label_x, label_y) = (LABELS + length + 6.0, y + BAR - 2.0);
    writeln!(
        svg,
        "<rect x=\"{LABELS}\" y=\"{y}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"2\" \
         fill=\"{color}\"/><text x=\"{label_x:.1}\" y=\"{label_y}\" font-size=\"11\">{number}</text>"
    )
    .expect("into a string");
}
