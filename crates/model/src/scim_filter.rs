//! Filter expressions of SCIM (RFC 7644 section 3.4.2.2), as `filter` and `search` parameters carry them.
//!
//! [`Filter::parse`] knows the grammar, [`Filter::matches`] what the operators mean. Which attributes there are, and which
//! may stand with which operator, is for each resource to say: see [`Filter::try_for_each_term`]. The form with brackets,
//! `emails[type eq "work"]`, is refused, as Okta's API does.

mod evaluate;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Number, Value};

use crate::Timestamp;

pub use parse::{FilterError, FilterFault};

/// Parentheses may be nested this deep.
pub const MAX_DEPTH: usize = 16;

/// An expression may hold this many terms, such as `id eq "1"`.
pub const MAX_TERMS: usize = 1_000;

/// A filter that was read. Printed, it is an expression of the same meaning with single blanks and no needless parentheses.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Node);

/// The tree of an expression. `All` and `Any` hold two nodes or more, none of their own kind.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Term(Box<Term>),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
}

impl Filter {
    /// Reads an expression.
    ///
    /// Operators are read in any letter case. `not` needs its parentheses, `and` binds closer than `or`.
    ///
    /// # Errors
    /// The first fault and where it is, also if the expression exceeds [`MAX_DEPTH`] or [`MAX_TERMS`].
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::expression(text).map(Self)
    }

    /// Whether the filter holds for a resource.
    ///
    /// A path goes through arrays: `target.id eq "1"` holds if any target has this id. `ne` is the contrary of `eq`, so it
    /// holds where the attribute is missing too. Text that is a date and time on both sides compares as an instant.
    #[must_use]
    pub fn matches(&self, resource: &Value) -> bool {
        evaluate::node(&self.0, resource)
    }

    /// Whether the filter holds for all resources that share these attributes, for none (`Some(false)`), or for some only.
    ///
    /// `known` has the shared attributes; terms about others, as `is_known` tells them apart, count as undecided. This saves
    /// a look at resources of which little is known.
    #[must_use]
    pub fn foretell(&self, known: &Value, is_known: impl Fn(&AttributePath) -> bool) -> Option<bool> {
        evaluate::foretell(&self.0, known, &is_known)
    }

    /// The attribute and the text, if the filter is a single term that asks whether the one equals the other.
    #[must_use]
    pub fn as_equal_text(&self) -> Option<(&AttributePath, &str)> {
        match &self.0 {
            Node::Term(term) if term.operator == Operator::Equal => match &term.literal {
                Some(Literal::Text(text)) => Some((&term.attribute, &text.exact)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Shows each term to `rule`, which may rename its attribute, say how its text compares, or refuse it.
    ///
    /// # Errors
    /// What `rule` returns first.
    pub fn try_for_each_term<E>(&mut self, mut rule: impl FnMut(&mut Term) -> Result<(), E>) -> Result<(), E> {
        self.0.try_for_each_term(&mut rule)
    }
}

impl Node {
    fn all(nodes: Vec<Self>) -> Self {
        Self::joined(nodes, Self::All, |node| if let Self::All(inner) = node { Ok(inner) } else { Err(node) })
    }

    fn any(nodes: Vec<Self>) -> Self {
        Self::joined(nodes, Self::Any, |node| if let Self::Any(inner) = node { Ok(inner) } else { Err(node) })
    }

    fn joined(nodes: Vec<Self>, join: fn(Vec<Self>) -> Self, open: fn(Self) -> Result<Vec<Self>, Self>) -> Self {
        let mut flat = Vec::with_capacity(nodes.len());
        for node in nodes {
            match open(node) {
                Ok(inner) => flat.extend(inner),
                Err(node) => flat.push(node),
            }
        }
        match flat.pop() {
            Some(only) if flat.is_empty() => only,
            last => {
                flat.extend(last);
                join(flat)
            }
        }
    }

    fn try_for_each_term<E>(&mut self, rule: &mut impl FnMut(&mut Term) -> Result<(), E>) -> Result<(), E> {
        match self {
            Self::Term(term) => rule(term),
            Self::Not(node) => node.try_for_each_term(rule),
            Self::All(nodes) | Self::Any(nodes) => nodes.iter_mut().try_for_each(|node| node.try_for_each_term(rule)),
        }
    }
}

/// One comparison, such as `eventType sw "user."`, or a test for presence, `outcome.reason pr`.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    attribute: AttributePath,
    operator: Operator,
    /// `None` for [`Operator::Present`] alone.
    literal: Option<Literal>,
    letter_case: LetterCase,
}

impl Term {
    /// The attribute that is looked at.
    #[must_use]
    pub const fn attribute(&self) -> &AttributePath {
        &self.attribute
    }

    /// What is asked of it.
    #[must_use]
    pub const fn operator(&self) -> Operator {
        self.operator
    }

    /// Looks at another attribute instead.
    pub fn set_attribute(&mut self, attribute: AttributePath) {
        self.attribute = attribute;
    }

    /// Says whether letter case counts in this term; without a word it does not.
    pub(crate) const fn set_letter_case(&mut self, letter_case: LetterCase) {
        self.letter_case = letter_case;
    }
}

/// Whether `A` and `a` differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LetterCase {
    /// They don't, as in most attributes of SCIM (`caseExact` false, RFC 7643 section 2.2).
    #[default]
    Ignored,
    /// They do, as in ids.
    Exact,
}

/// The name of an attribute and those below it: `actor.id` has two segments. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributePath(Vec<String>);

impl AttributePath {
    /// The attribute `first`, then the names below it.
    #[must_use]
    pub fn new(first: impl Into<String>, below: impl IntoIterator<Item = String>) -> Self {
        Self(std::iter::once(first.into()).chain(below).collect())
    }

    /// The names in order.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.0
    }
}

/// What a term asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `co`
    Contains,
    /// `sw`
    StartsWith,
    /// `ew`
    EndsWith,
    /// `pr`
    Present,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

impl Operator {
    const ALL: [Self; 10] = [
        Self::Equal,
        Self::NotEqual,
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
        Self::Present,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
    ];

    /// The two letters of the operator.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Contains => "co",
            Self::StartsWith => "sw",
            Self::EndsWith => "ew",
            Self::Present => "pr",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.as_str().eq_ignore_ascii_case(word))
    }

    /// Whether the operator means something for this value.
    const fn takes(self, literal: &Literal) -> bool {
        match self {
            Self::Equal | Self::NotEqual => true,
            Self::Contains | Self::StartsWith | Self::EndsWith => matches!(literal, Literal::Text(_)),
            Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual => {
                matches!(literal, Literal::Text(_) | Literal::Number(_))
            }
            Self::Present => false,
        }
    }
}

/// What an attribute is compared with.
#[derive(Debug, Clone, PartialEq)]
enum Literal {
    Null,
    Bool(bool),
    Number(Number),
    Text(Text),
}

/// A quoted text, with what comparing needs of it worked out once.
#[derive(Debug, Clone, PartialEq)]
struct Text {
    exact: String,
    folded: String,
    instant: Option<Timestamp>,
}

impl Text {
    fn new(exact: String) -> Self {
        Self { folded: exact.to_lowercase(), instant: Timestamp::parse(&exact), exact }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nodes, word) = match self {
            Self::Term(term) => return term.fmt(formatter),
            Self::Not(node) => return write!(formatter, "not ({node})"),
            Self::All(nodes) => (nodes, " and "),
            Self::Any(nodes) => (nodes, " or "),
        };
        for (index, node) in nodes.iter().enumerate() {
            if index > 0 {
                formatter.write_str(word)?;
            }
            match (self, node) {
                (Self::All(_), Self::Any(_)) => write!(formatter, "({node})")?,
                _ => node.fmt(formatter)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.attribute, self.operator.as_str())?;
        match &self.literal {
            None => Ok(()),
            Some(Literal::Null) => formatter.write_str(" null"),
            Some(Literal::Bool(bool)) => write!(formatter, " {bool}"),
            Some(Literal::Number(number)) => write!(formatter, " {number}"),
            Some(Literal::Text(text)) => write!(formatter, " {}", Value::from(text.exact.as_str())),
        }
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str(".")?;
            }
            formatter.write_str(segment)?;
        }
        Ok(())
    }
}
