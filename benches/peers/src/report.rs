//! Tables, on the terminal and in a file.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// What one part of the benchmark found.
#[derive(Serialize, Deserialize)]
pub struct Report {
    pub part: String,
    /// A short run, whose figures only show that everything works.
    pub quick: bool,
    pub machine: Machine,
    pub versions: BTreeMap<String, String>,
    pub tables: Vec<Table>,
    pub goals: Vec<Goal>,
}

/// Figures of the same unit, by row and column.
#[derive(Serialize, Deserialize)]
pub struct Table {
    pub id: String,
    pub title: String,
    pub unit: String,
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
pub struct Row {
    pub name: String,
    /// One for each column; none where it does not apply.
    pub figures: Vec<Option<f64>>,
}

/// What was aimed at, and what came of it.
#[derive(Serialize, Deserialize)]
pub struct Goal {
    pub what: String,
    pub limit: f64,
    pub figure: f64,
    pub met: bool,
}

impl Goal {
    pub fn at_most(what: impl Into<String>, figure: f64, limit: f64) -> Self {
        Self { what: what.into(), limit, figure, met: figure <= limit }
    }

    pub fn at_least(what: impl Into<String>, figure: f64, limit: f64) -> Self {
        Self { what: what.into(), limit, figure, met: figure >= limit }
    }
}

impl Table {
    pub fn new<C: Into<String>>(
        id: &str,
        title: impl Into<String>,
        unit: &str,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        Self { id: id.into(), title: title.into(), unit: unit.into(), columns, rows: Vec::new() }
    }

    pub fn row(&mut self, name: impl Into<String>, figures: Vec<Option<f64>>) {
        self.rows.push(Row { name: name.into(), figures });
    }

    /// A figure that has to be there.
    pub fn at(&self, row: &str, column: &str) -> f64 {
        self.find(row, column).unwrap_or_else(|| panic!("{}: {row}, {column}", self.id))
    }

    pub fn find(&self, row: &str, column: &str) -> Option<f64> {
        let column = self.columns.iter().position(|name| name == column)?;
        let row = self.rows.iter().find(|other| other.name == row)?;
        row.figures.get(column).copied().flatten()
    }

    pub fn markdown(&self) -> String {
        let mut text = format!("{} ({}):\n\n| |", self.title, self.unit);
        for column in &self.columns {
            write!(text, " {column} |").expect("into a string");
        }
        text.push_str("\n|---|");
        text.push_str(&"---:|".repeat(self.columns.len()));
        text.push('\n');
        for row in &self.rows {
            write!(text, "| {} |", row.name).expect("into a string");
            for figure in &row.figures {
                write!(text, " {} |", figure.map_or(String::new(), readable))
                    .expect("into a string");
            }
            text.push('\n');
        }
        text
    }
}

impl Report {
    pub fn table(&self, id: &str) -> &Table {
        self.tables.iter().find(|table| table.id == id).unwrap_or_else(|| panic!("no table {id}"))
    }

    pub fn print(&self) {
        println!("\n# {}\n\n{}\n", self.part, self.machine);
        for table in &self.tables {
            println!("{}", table.markdown());
        }
        if !self.goals.is_empty() {
            println!("{}", self.goals_as_markdown());
        }
    }

    fn goals_as_markdown(&self) -> String {
        let mut text = "| goal | limit | measured | |\n|---|---:|---:|---|\n".to_owned();
        for Goal { what, limit, figure, met } in &self.goals {
            let met = if *met { "met" } else { "missed" };
            let [limit, figure] = [*limit, *figure].map(readable);
            writeln!(text, "| {what} | {limit} | {figure} | {met} |").expect("into a string");
        }
        text
    }

    /// Writes the file of this part. A short run does not touch the files of
    /// whole ones.
    pub fn write(&self) {
        let path = folder(self.quick).join(format!("{}.json", self.part));
        let text = serde_json::to_string_pretty(self).expect("it can be encoded");
        fs::create_dir_all(folder(self.quick)).expect("a folder");
        fs::write(&path, text + "\n").expect("a file can be written");
        println!("Written to {}", path.display());
    }

    pub fn read(part: &str, quick: bool) -> Option<Self> {
        let text = fs::read_to_string(folder(quick).join(format!("{part}.json"))).ok()?;
        Some(serde_json::from_str(&text).expect("a file that this benchmark wrote"))
    }
}

/// Where results are.
pub fn folder(quick: bool) -> PathBuf {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    if quick { results.join("quick") } else { results }
}

/// With three digits that count, and thousands set apart.
pub fn readable(figure: f64) -> String {
    let size = figure.abs();
    if size >= 99.95 {
        return with_thousands(figure.round() as i64);
    }
    let decimals = if size >= 9.995 { 1 } else { 2 };
    let text = format!("{figure:.decimals$}");
    text.strip_suffix(".00").or(text.strip_suffix(".0")).unwrap_or(&text).to_owned()
}

fn with_thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// The value in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
