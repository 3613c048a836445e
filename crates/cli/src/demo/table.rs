//! The table of the demo: as wide as the terminal, within reason, with colours only where somebody looks.

use std::time::Duration;

/// One request and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// The request in a few words.
    pub(super) asked: String,
    /// The answer in a word.
    pub(super) answered: String,
    /// Whether the answer lets the person go on.
    pub(super) allowed: bool,
    /// The time until the whole answer was there.
    pub(super) took: Duration,
    /// What the answer means.
    pub(super) means: String,
    /// Whether it is the guide's.
    pub(super) as_guide: bool,
}

/// How wide text may be, and whether it may carry colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    colour: bool,
    columns: usize,
}

impl Style {
    /// A style for a terminal of so many columns; `None` where nobody looks.
    pub(super) fn new(colour: bool, columns: Option<usize>) -> Self {
        Self { colour, columns: columns.unwrap_or(USUAL_COLUMNS).clamp(LEAST_COLUMNS, MOST_COLUMNS) }
    }

    /// The room for what was asked, and for what the answer means.
    fn wide_cells(self) -> (usize, usize) {
        let room = self.columns - ANSWERED - TOOK - GUIDE - 4 * GAP;
        let asked = (room * 12 / 25).max(LEAST_ASKED);
        (asked, room - asked)
    }

    /// A heading of two parts, on two lines if one is not enough.
    pub(super) fn heading(self, first: &str, second: &str) -> String {
        let one_line = first.chars().count() + 1 + second.chars().count() <= self.columns;
        self.bold(&format!("{first}{}{second}", if one_line { " " } else { "\n  " }))
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.painted("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.painted("2", text)
    }

    pub(super) fn good(self, good: bool, text: &str) -> String {
        self.painted(if good { "32" } else { "31" }, text)
    }

    fn painted(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The columns of a file or a pipe, of a narrow terminal, and of a wide one: longer lines are hard to read.
const USUAL_COLUMNS: usize = 100;
const LEAST_COLUMNS: usize = 80;
const MOST_COLUMNS: usize = 120;

const ANSWERED: usize = 8;
const TOOK: usize = 8;
const GUIDE: usize = 5;
const GAP: usize = 2;

/// The longest address of the guide and a comma.
const LEAST_ASKED: usize = 26;

/// The column names.
pub(super) fn head(style: Style) -> String {
    let (asked, means) = style.wide_cells();
    let line = format!(
        "{:<asked$}  {:<ANSWERED$}  {:>TOOK$}  {:<means$}  {:<GUIDE$}",
        "ASKED", "ANSWERED", "TOOK", "IT MEANS", "GUIDE"
    );
    format!("{}\n", style.dim(line.trim_end()))
}

impl Row {
    /// The row, over as many lines as its longest cell needs.
    pub(super) fn render(&self, style: Style) -> String {
        let (asked_columns, means_columns) = style.wide_cells();
        let asked = wrapped(&self.asked, asked_columns);
        let means = wrapped(&self.means, means_columns);
        let mut text = String::new();
        for line in 0..asked.len().max(means.len()) {
            let cell = |cells: &[String]| cells.get(line).cloned().unwrap_or_default();
            let (answered, took, guide) = match line {
                0 => (self.answered.as_str(), shown(self.took), if self.as_guide { "yes" } else { "NO" }),
                _ => ("", String::new(), ""),
            };
            // Colours come after padding: their bytes take no room on the screen.
            let answered = style.good(self.allowed, &format!("{answered:<ANSWERED$}"));
            let (asked, means) = (cell(&asked), cell(&means));
            let line = format!("{asked:<asked_columns$}  {answered}  {took:>TOOK$}  {means:<means_columns$}  ");
            let line = if guide.is_empty() { line } else { line + &style.good(self.as_guide, guide) };
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A duration with the unit that reads best.
fn shown(duration: Duration) -> String {
    let millis = duration.as_secs_f64() * 1000.0;
    if millis < 100.0 { format!("{millis:.1} ms") } else { format!("{millis:.0} ms") }
}

/// The words of a text in lines of at most `width` characters; a longer word is cut.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut room = 0;
    for word in text.split_whitespace() {
        let word: String = word.chars().take(width).collect();
        let length = word.chars().count();
        match lines.last_mut() {
            Some(line) if length < room => {
                line.push(' ');
                line.push_str(&word);
                room -= length + 1;
            }
            _ => {
                lines.push(word);
                room = width - length;
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { colour: false, columns: USUAL_COLUMNS };

    fn row() -> Row {
        Row {
            asked: "sign-up rosario.jones@example.com, employee number 12345".to_owned(),
            answered: "DENY".to_owned(),
            allowed: false,
            took: Duration::from_micros(1_234),
            means: "No account is created. ".to_owned() + &"Only okta.com emails can register. ".repeat(4),
            as_guide: true,
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for (terminal, columns) in [(None, 100), (Some(40), 80), (Some(80), 80), (Some(97), 97), (Some(300), 120)] {
            let style = Style::new(false, terminal);
            let heading =
                style.heading("\"Profile and Progressive Profile Enrollment\"", "calls http://127.0.0.1:8081/hook");
            let text = head(style) + &row().render(style) + &heading;
            assert!(text.lines().count() > 3, "{text}");
            for line in text.lines() {
                assert!(line.chars().count() <= columns, "{columns}: {line}");
            }
        }
    }

    #[test]
    fn wrapping_loses_no_word() {
        let row = row();
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for style in [Style::new(false, Some(80)), PLAIN] {
            let (asked, means) = style.wide_cells();
            for (text, columns) in [(&row.asked, asked), (&row.means, means)] {
                assert_eq!(words(&wrapped(text, columns).join(" ")), words(text));
                assert!(wrapped(text, columns).iter().all(|line| line.chars().count() <= columns));
            }
        }
    }

    #[test]
    fn without_colours_there_is_no_escape_and_with_them_the_words_are_the_same() {
        let plain = row().render(PLAIN);
        assert!(!plain.contains('\u{1b}'));
        let coloured = row().render(Style { colour: true, ..PLAIN });
        let mut stripped = coloured.clone();
        for code in ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[0m"] {
            stripped = stripped.replace(code, "");
        }
        assert!(coloured.contains('\u{1b}'));
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&stripped), words(&plain));
    }
}
