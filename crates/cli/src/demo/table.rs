//! The table of the demo: at most 100 columns wide, with colours only where somebody looks.

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

/// Whether text may carry colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) colour: bool,
}

impl Style {
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

const ASKED: usize = 34;
const ANSWERED: usize = 8;
const TOOK: usize = 8;
const MEANS: usize = 37;
const GUIDE: usize = 5;

/// The column names.
pub(super) fn head(style: Style) -> String {
    let line = format!(
        "{:<ASKED$}  {:<ANSWERED$}  {:>TOOK$}  {:<MEANS$}  {:<GUIDE$}",
        "ASKED", "ANSWERED", "TOOK", "IT MEANS", "GUIDE"
    );
    format!("{}\n", style.dim(line.trim_end()))
}

impl Row {
    /// The row, over as many lines as its longest cell needs.
    pub(super) fn render(&self, style: Style) -> String {
        let asked = wrapped(&self.asked, ASKED);
        let means = wrapped(&self.means, MEANS);
        let mut text = String::new();
        for line in 0..asked.len().max(means.len()) {
            let cell = |cells: &[String]| cells.get(line).cloned().unwrap_or_default();
            let (answered, took, guide) = match line {
                0 => (self.answered.as_str(), shown(self.took), if self.as_guide { "yes" } else { "NO" }),
                _ => ("", String::new(), ""),
            };
            // Colours come after padding: their bytes take no room on the screen.
            let answered = style.good(self.allowed, &format!("{answered:<ANSWERED$}"));
            let line = format!("{:<ASKED$}  {answered}  {took:>TOOK$}  {:<MEANS$}  ", cell(&asked), cell(&means));
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

    const PLAIN: Style = Style { colour: false };

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
    fn no_line_is_wider_than_100_columns() {
        let text = head(PLAIN) + &row().render(PLAIN);
        assert!(text.lines().count() > 3, "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }

    #[test]
    fn wrapping_loses_no_word() {
        let row = row();
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&wrapped(&row.means, MEANS).join(" ")), words(&row.means));
        assert!(wrapped(&row.means, MEANS).iter().all(|line| line.chars().count() <= MEANS));
    }

    #[test]
    fn without_colours_there_is_no_escape_and_with_them_the_words_are_the_same() {
        let plain = row().render(PLAIN);
        assert!(!plain.contains('\u{1b}'));
        let coloured = row().render(Style { colour: true });
        let mut stripped = coloured.clone();
        for code in ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[0m"] {
            stripped = stripped.replace(code, "");
        }
        assert!(coloured.contains('\u{1b}'));
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&stripped), words(&plain));
    }
}
