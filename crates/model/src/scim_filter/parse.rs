//! The grammar of filters, read from left to right.

use std::fmt;

use hookwright_contract::json;

use super::{AttributePath, Filter, LetterCase, Literal, MAX_DEPTH, MAX_TERMS, Node, Operator, Term, Text};

/// Why a text is no filter, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct FilterError {
    /// Where the fault begins, in characters from 0.
    pub position: usize,
    /// What it is.
    pub fault: FilterFault,
}

/// What is wrong with a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterFault {
    /// Something else was due here; `found` is `None` at the end of the text.
    Expected {
        /// What was due.
        expected: &'static str,
        /// What stands there instead, shortened.
        found: Option<String>,
    },
    /// No operator has this name.
    UnknownOperator(String),
    /// The operator means nothing for this kind of value.
    WrongValue {
        /// The operator.
        operator: Operator,
        /// The kinds of values it takes.
        takes: &'static str,
    },
    /// A quoted string, number or word that JSON does not have.
    BadValue(String),
    /// A quotation mark without its twin.
    UnclosedString,
    /// A parenthesis without its twin.
    UnclosedParenthesis,
    /// Parentheses nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// More terms than [`MAX_TERMS`].
    TooManyTerms,
}

impl FilterError {
    fn sentence(&self) -> impl fmt::Display {
        let at = self.position;
        match &self.fault {
            FilterFault::Expected { expected, found: Some(found) } => {
                format!("Expected {expected} at position {at}, found '{found}'")
            }
            FilterFault::Expected { expected, found: None } => {
                format!("Expected {expected} at position {at}, where the filter ends")
            }
            FilterFault::UnknownOperator(word) => {
                let known: Vec<&str> = Operator::ALL.iter().map(|operator| operator.as_str()).collect();
                format!("Unrecognized attribute operator '{word}' at position {at}. Expected: {}", known.join(","))
            }
            FilterFault::WrongValue { operator, takes } => {
                format!("The operator '{}' takes {takes}, unlike the value at position {at}", operator.as_str())
            }
            FilterFault::BadValue(why) => format!("The value at position {at} is not valid JSON: {why}"),
            FilterFault::UnclosedString => format!("The string that begins at position {at} has no closing quote"),
            FilterFault::UnclosedParenthesis => format!("The parenthesis at position {at} is not closed"),
            FilterFault::TooDeep => {
                format!("Parentheses are nested deeper than {MAX_DEPTH} at position {at}")
            }
            FilterFault::TooManyTerms => format!("There are more than {MAX_TERMS} comparisons at position {at}"),
        }
    }
}

pub(super) fn expression(text: &str) -> Result<Node, FilterError> {
    let mut reader = Reader { text, at: 0, terms: 0 };
    let found = reader.any(0).and_then(|node| {
        reader.skip_blanks();
        if reader.rest().is_empty() { Ok(node) } else { Err(reader.expected("'and', 'or' or the end")) }
    });
    found.map_err(|fault| FilterError {
        position: text.get(..fault.at).map_or(0, |before| before.chars().count()),
        fault: fault.fault,
    })
}

/// A fault and the byte offset it was found at.
struct Fault {
    at: usize,
    fault: FilterFault,
}

struct Reader<'a> {
    text: &'a str,
    /// A byte offset, always between characters.
    at: usize,
    terms: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_blank).len();
    }

    /// The characters up to a blank, parenthesis or quotation mark, without going on behind them.
    fn word(&self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|letter| is_blank(letter) || matches!(letter, '(' | ')' | '"')).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    fn expected(&self, expected: &'static str) -> Fault {
        let word = self.word();
        let found = if word.is_empty() { self.rest().get(..1).unwrap_or_default() } else { word };
        let found = (!found.is_empty()).then(|| shortened(found));
        Fault { at: self.at, fault: FilterFault::Expected { expected, found } }
    }

    const fn fault<T>(&self, fault: FilterFault) -> Result<T, Fault> {
        Err(Fault { at: self.at, fault })
    }

    /// Goes behind the word if it is this one, in any letter case.
    fn take_word(&mut self, wanted: &str) -> bool {
        let word = self.word();
        let same = word.eq_ignore_ascii_case(wanted);
        if same {
            self.at += word.len();
        }
        same
    }

    fn any(&mut self, depth: usize) -> Result<Node, Fault> {
        self.joined(depth, "or", Self::all).map(Node::any)
    }

    fn all(&mut self, depth: usize) -> Result<Node, Fault> {
        self.joined(depth, "and", Self::factor).map(Node::all)
    }

    fn joined(
        &mut self,
        depth: usize,
        word: &str,
        operand: fn(&mut Self, usize) -> Result<Node, Fault>,
    ) -> Result<Vec<Node>, Fault> {
        let mut nodes = vec![operand(self, depth)?];
        loop {
            self.skip_blanks();
            if !self.take_word(word) {
                return Ok(nodes);
            }
            nodes.push(operand(self, depth)?);
        }
    }

    fn factor(&mut self, depth: usize) -> Result<Node, Fault> {
        self.skip_blanks();
        if self.rest().starts_with('(') {
            return self.group(depth);
        }
        let start = self.at;
        if self.take_word("not") {
            self.skip_blanks();
            if self.rest().starts_with('(') {
                return Ok(Node::Not(Box::new(self.group(depth)?)));
            }
            if self.at > start && Operator::parse(self.word()).is_none() {
                return Err(self.expected("'(' after 'not'"));
            }
            // An attribute that happens to be called so.
            self.at = start;
        }
        self.term()
    }

    fn group(&mut self, depth: usize) -> Result<Node, Fault> {
        if depth >= MAX_DEPTH {
            return self.fault(FilterFault::TooDeep);
        }
        let start = self.at;
        self.at += 1;
        let node = self.any(depth + 1)?;
        self.skip_blanks();
        if self.rest().is_empty() {
            return Err(Fault { at: start, fault: FilterFault::UnclosedParenthesis });
        }
        if !self.rest().starts_with(')') {
            return Err(self.expected("'and', 'or' or ')'"));
        }
        self.at += 1;
        Ok(node)
    }

    fn term(&mut self) -> Result<Node, Fault> {
        if self.terms >= MAX_TERMS {
            return self.fault(FilterFault::TooManyTerms);
        }
        self.terms += 1;
        let attribute = self.attribute()?;
        self.skip_blanks();
        let operator = self.operator()?;
        let literal = match operator {
            Operator::Present => None,
            _ => Some(self.literal(operator)?),
        };
        Ok(Node::Term(Box::new(Term { attribute, operator, literal, letter_case: LetterCase::default() })))
    }

    fn attribute(&mut self) -> Result<AttributePath, Fault> {
        let word = self.word();
        if word.is_empty() {
            return Err(self.expected("an attribute"));
        }
        let mut at = self.at;
        let mut segments = Vec::new();
        for segment in word.split('.') {
            if let Some(offset) = bad_name_character(segment) {
                self.at = at + offset;
                return Err(self.expected("a letter of an attribute's name"));
            }
            segments.push(segment.to_owned());
            at += segment.len() + 1;
        }
        self.at += word.len();
        Ok(AttributePath(segments))
    }

    fn operator(&mut self) -> Result<Operator, Fault> {
        let word = self.word();
        if word.is_empty() {
            return Err(self.expected("an operator"));
        }
        let Some(operator) = Operator::parse(word) else {
            return self.fault(FilterFault::UnknownOperator(shortened(word)));
        };
        self.at += word.len();
        Ok(operator)
    }

    fn literal(&mut self, operator: Operator) -> Result<Literal, Fault> {
        self.skip_blanks();
        let start = self.at;
        let literal = if self.rest().starts_with('"') { self.string()? } else { self.plain()? };
        if operator.takes(&literal) {
            return Ok(literal);
        }
        let takes = match operator {
            Operator::Contains | Operator::StartsWith | Operator::EndsWith => "a quoted string",
            _ => "a quoted string or a number",
        };
        Err(Fault { at: start, fault: FilterFault::WrongValue { operator, takes } })
    }

    fn string(&mut self) -> Result<Literal, Fault> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.bytes().enumerate().skip(1).find_map(|(offset, byte)| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes.then_some(offset + 1)
        });
        let Some(quoted) = end.and_then(|end| rest.get(..end)) else {
            return self.fault(FilterFault::UnclosedString);
        };
        let literal = self.json(quoted)?;
        self.at += quoted.len();
        Ok(literal)
    }

    /// A number, `true`, `false` or `null`.
    fn plain(&mut self) -> Result<Literal, Fault> {
        let word = self.word();
        let literal = if let Some(literal) = literal_word(word) {
            literal
        } else if word.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-') {
            self.json(word)?
        } else {
            return Err(self.expected("a quoted string, a number, true, false or null"));
        };
        self.at += word.len();
        Ok(literal)
    }

    fn json(&self, text: &str) -> Result<Literal, Fault> {
        match json::parse(text.as_bytes()) {
            Ok(json::Value::String(text)) => Ok(Literal::Text(Text::new(text.into_owned()))),
            Ok(json::Value::Number(number)) => Ok(Literal::Number(number)),
            Ok(other) => self.fault(FilterFault::BadValue(format!("a filter has no {}", other.type_name()))),
            Err(malformed) => self.fault(FilterFault::BadValue(malformed.reason.to_string())),
        }
    }
}

fn literal_word(word: &str) -> Option<Literal> {
    if word.eq_ignore_ascii_case("null") {
        Some(Literal::Null)
    } else if word.eq_ignore_ascii_case("true") {
        Some(Literal::Bool(true))
    } else if word.eq_ignore_ascii_case("false") {
        Some(Literal::Bool(false))
    } else {
        None
    }
}

const fn is_blank(letter: char) -> bool {
    letter.is_ascii_whitespace()
}

/// Where a segment of a path stops being a name: a letter or `_`, then letters, digits, `_` and `-`.
fn bad_name_character(segment: &str) -> Option<usize> {
    let fits = |(offset, letter): (usize, char)| {
        letter.is_ascii_alphabetic() || letter == '_' || (offset > 0 && (letter.is_ascii_digit() || letter == '-'))
    };
    if segment.is_empty() { Some(0) } else { segment.char_indices().find(|&entry| !fits(entry)).map(|(at, _)| at) }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl std::str::FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}
