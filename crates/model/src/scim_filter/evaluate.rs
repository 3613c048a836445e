//! What the operators mean, over plain JSON.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{AttributePath, LetterCase, Literal, Node, Operator, Term, Text};
use crate::Timestamp;

pub(super) fn node(node: &Node, resource: &Value) -> bool {
    match node {
        Node::Term(term) => holds(term, resource),
        Node::Not(inner) => !self::node(inner, resource),
        Node::All(nodes) => nodes.iter().all(|inner| self::node(inner, resource)),
        Node::Any(nodes) => nodes.iter().any(|inner| self::node(inner, resource)),
    }
}

/// The same in three values: `None` where it depends on what is not known.
pub(super) fn foretell(node: &Node, known: &Value, is_known: &dyn Fn(&AttributePath) -> bool) -> Option<bool> {
    let settled_by = |decisive: bool, nodes: &[Node]| {
        let mut found = Some(!decisive);
        for inner in nodes {
            match foretell(inner, known, is_known) {
                Some(verdict) if verdict == decisive => return Some(decisive),
                Some(_) => {}
                None => found = None,
            }
        }
        found
    };
    match node {
        Node::Term(term) => is_known(&term.attribute).then(|| holds(term, known)),
        Node::Not(inner) => foretell(inner, known, is_known).map(|verdict| !verdict),
        Node::All(nodes) => settled_by(false, nodes),
        Node::Any(nodes) => settled_by(true, nodes),
    }
}

fn holds(term: &Term, resource: &Value) -> bool {
    let Some(literal) = &term.literal else { return any_of(term, resource, &is_present) };
    let case = term.letter_case;
    let text = |test: fn(&str, &str) -> bool| any_of(term, resource, &|value| text_test(value, literal, case, test));
    let order =
        |test: fn(Ordering) -> bool| any_of(term, resource, &|value| compare(value, literal, case).is_some_and(test));
    match term.operator {
        Operator::Present => any_of(term, resource, &is_present),
        Operator::Equal => is_equal(term, literal, resource),
        Operator::NotEqual => !is_equal(term, literal, resource),
        Operator::Contains => text(|text, part| text.contains(part)),
        Operator::StartsWith => text(|text, part| text.starts_with(part)),
        Operator::EndsWith => text(|text, part| text.ends_with(part)),
        Operator::Greater => order(Ordering::is_gt),
        Operator::GreaterOrEqual => order(Ordering::is_ge),
        Operator::Less => order(Ordering::is_lt),
        Operator::LessOrEqual => order(Ordering::is_le),
    }
}

fn is_equal(term: &Term, literal: &Literal, resource: &Value) -> bool {
    match literal {
        // A missing attribute and a null one are the same (RFC 7643 section 2.5).
        Literal::Null => !any_of(term, resource, &|value| !value.is_null()),
        Literal::Bool(wanted) => any_of(term, resource, &|value| value.as_bool() == Some(*wanted)),
        Literal::Number(_) | Literal::Text(_) => {
            any_of(term, resource, &|value| compare(value, literal, term.letter_case).is_some_and(Ordering::is_eq))
        }
    }
}

/// Whether the test holds for any value of the term's attribute.
fn any_of(term: &Term, resource: &Value, test: &dyn Fn(&Value) -> bool) -> bool {
    any_value(resource, term.attribute.segments(), test)
}

/// Whether the test holds for any value that the path leads to; arrays on the way, and at its end, count by their elements.
fn any_value(value: &Value, path: &[String], test: &dyn Fn(&Value) -> bool) -> bool {
    match (value, path.split_first()) {
        (Value::Array(elements), _) => elements.iter().any(|element| any_value(element, path, test)),
        (Value::Object(members), Some((name, below))) => {
            members.get(name).is_some_and(|member| any_value(member, below, test))
        }
        (_, Some(_)) => false,
        (value, None) => test(value),
    }
}

/// "A non-empty or non-null value, or a non-empty node for complex attributes" (RFC 7644 table 3).
fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => true,
    }
}

/// How the value stands to the literal; `None` if the two are of different kinds.
fn compare(value: &Value, literal: &Literal, case: LetterCase) -> Option<Ordering> {
    match (value, literal) {
        (Value::Number(number), Literal::Number(wanted)) => compare_numbers(number, wanted),
        (Value::String(text), Literal::Text(wanted)) => Some(compare_texts(text, wanted, case)),
        _ => None,
    }
}

fn compare_numbers(left: &Number, right: &Number) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (whole(left), whole(right)) {
        return Some(left.cmp(&right));
    }
    left.as_f64()?.partial_cmp(&right.as_f64()?)
}

fn whole(number: &Number) -> Option<i128> {
    number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from))
}

fn compare_texts(text: &str, wanted: &Text, case: LetterCase) -> Ordering {
    if let Some(wanted) = wanted.instant
        && let Some(instant) = Timestamp::parse(text)
    {
        return instant.cmp(&wanted);
    }
    match case {
        LetterCase::Exact => text.cmp(&wanted.exact),
        LetterCase::Ignored => text.to_lowercase().cmp(&wanted.folded),
    }
}

fn text_test(value: &Value, literal: &Literal, case: LetterCase, test: fn(&str, &str) -> bool) -> bool {
    let (Value::String(text), Literal::Text(wanted)) = (value, literal) else { return false };
    match case {
        LetterCase::Exact => test(text, &wanted.exact),
        LetterCase::Ignored => test(&text.to_lowercase(), &wanted.folded),
    }
}
