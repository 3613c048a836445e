//! Doing one operation of RFC 6902: finding the place, adding, replacing, removing.

use std::borrow::Cow;

use crate::command::{PatchOp, PatchOperation};
use crate::fault::{Fault, Reason};
use crate::json::{Value, escape_token, index};
use crate::shown::{excerpt, nearest, quote};

/// How many tokens of a path exist: the next one does not.
struct Missing(usize);

/// Does one operation whose path is split already.
pub(super) fn place<'a>(
    document: &mut Value<'a>,
    operation: &PatchOperation<'a>,
    path: &[Cow<'_, str>],
) -> Result<(), Fault> {
    try_place(document, operation, path).map_err(|Missing(found)| explain(document, operation, path, found))
}

fn try_place<'a>(
    document: &mut Value<'a>,
    operation: &PatchOperation<'a>,
    path: &[Cow<'_, str>],
) -> Result<(), Missing> {
    let (last, parents) = path.split_last().ok_or(Missing(0))?;
    let missing = || Missing(parents.len());
    let value = || operation.value.clone().unwrap_or(Value::Null);
    match walk(document, parents)? {
        Value::Object(members) => {
            let position = members.iter().position(|(name, _)| name == last);
            match (operation.op, position) {
                (PatchOp::Add, None) => members.push((Cow::Owned(last.clone().into_owned()), value())),
                (PatchOp::Add | PatchOp::Replace, Some(position)) => {
                    let (_, existing) = members.get_mut(position).ok_or_else(missing)?;
                    *existing = value();
                }
                (PatchOp::Remove, Some(position)) => {
                    members.remove(position);
                }
                (PatchOp::Replace | PatchOp::Remove, None) => return Err(missing()),
            }
        }
        Value::Array(elements) => {
            let end = elements.len();
            let position = if operation.op == PatchOp::Add && last == "-" { Some(end) } else { index(last) };
            match (operation.op, position.ok_or_else(missing)?) {
                (PatchOp::Add, position) if position <= end => elements.insert(position, value()),
                (PatchOp::Replace, position) => *elements.get_mut(position).ok_or_else(missing)? = value(),
                (PatchOp::Remove, position) if position < end => {
                    elements.remove(position);
                }
                _ => return Err(missing()),
            }
        }
        _ => return Err(missing()),
    }
    Ok(())
}

fn walk<'v, 'a>(document: &'v mut Value<'a>, path: &[Cow<'_, str>]) -> Result<&'v mut Value<'a>, Missing> {
    let mut here = document;
    for (depth, token) in path.iter().enumerate() {
        let next = match here {
            Value::Object(members) => members.iter_mut().find(|(name, _)| name == token).map(|(_, value)| value),
            Value::Array(elements) => index(token).and_then(|position| elements.get_mut(position)),
            _ => None,
        };
        here = next.ok_or(Missing(depth))?;
    }
    Ok(here)
}

/// Says which part of the path leads nowhere, and which sibling was probably meant.
fn explain(document: &Value<'_>, operation: &PatchOperation<'_>, path: &[Cow<'_, str>], found: usize) -> Fault {
    let pointer = |tokens: &[Cow<'_, str>]| -> String {
        tokens.iter().map(|token| format!("/{}", escape_token(token))).collect()
    };
    let existing = pointer(path.get(..found).unwrap_or_default());
    let parent = document.pointer(&existing);
    let expected = match (parent, operation.op) {
        (Some(Value::Array(elements)), PatchOp::Add) if found.saturating_add(1) == path.len() => {
            format!("an index from 0 to {} or \"-\" behind {}", elements.len(), quote(&existing))
        }
        (Some(Value::Array(elements)), _) => {
            format!("the index of one of the {} elements of {}", elements.len(), quote(&existing))
        }
        (Some(Value::Object(_)), _) => format!("an existing member of {}", quote(&existing)),
        _ => format!("a path through objects and arrays, and {} is neither", quote(&existing)),
    };
    let siblings = parent.and_then(Value::as_object).unwrap_or_default().iter().map(|(name, _)| &**name);
    let near = path.get(found).and_then(|token| nearest(token, siblings)).map(|sibling| {
        let rest = path.get(found.saturating_add(1)..).unwrap_or_default();
        excerpt(&format!("{existing}/{}{}", escape_token(sibling), pointer(rest)))
    });
    Fault::new(Reason::BadPatchPath, "/path", expected).found(quote(&operation.path)).nearest(near.as_deref())
}
