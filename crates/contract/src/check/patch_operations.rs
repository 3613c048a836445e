//! Operands that are patches: reading the operations. What they may touch is the matter of [`crate::patch`].

use std::borrow::Cow;

use super::action::{elements, members};
use crate::command::{CommandType, Operand, PatchOp, PatchOperation};
use crate::fault::{Fault, Reason, one_of};
use crate::json::Value;
use crate::patch::{Target, operations};
use crate::shown::{kind, nearest, quote};

/// An array of `{"op": ..., "path": ..., "value": ...}`.
pub(super) fn read(command_type: CommandType, value: Option<Value<'_>>) -> Result<Operand<'_>, Fault> {
    let elements = elements(value, "an array of operations with \"op\", \"path\" and \"value\"")?;
    let mut read = Vec::with_capacity(elements.len());
    for (position, element) in elements.into_iter().enumerate() {
        read.push(operation(command_type, element).map_err(|fault| fault.below(&format!("/{position}")))?);
    }
    Ok(Operand::Patch(read))
}

fn operation(command_type: CommandType, element: Value<'_>) -> Result<PatchOperation<'_>, Fault> {
    let (mut op, mut path, mut value) = (None, None, None);
    for (name, member) in members(Some(element), "an object with \"op\", \"path\" and \"value\"")? {
        match &*name {
            "op" => op = Some(member),
            "path" => path = Some(member),
            "value" => value = Some(member),
            _ => {}
        }
    }
    let op = read_op(command_type, op.as_ref())?;
    Ok(PatchOperation { op, path: read_path(path)?, value })
}

fn read_op(command_type: CommandType, member: Option<&Value<'_>>) -> Result<PatchOp, Fault> {
    let allowed = Target::of(command_type).map(operations).unwrap_or_default();
    let names = || allowed.iter().map(|op| op.as_str());
    let fault = Fault::new(Reason::BadPatchOp, "/op", one_of(names()));
    let Some(name) = member.and_then(Value::as_str) else {
        return Err(fault.found(kind(member)));
    };
    let found = allowed.iter().find(|op| op.as_str() == name).copied();
    found.ok_or_else(|| fault.found(quote(name)).nearest(nearest(name, names())))
}

fn read_path(member: Option<Value<'_>>) -> Result<Cow<'_, str>, Fault> {
    match member {
        Some(Value::String(path)) => Ok(path),
        other => {
            let expected = "a JSON Pointer such as \"/claims/department\"";
            Err(Fault::new(Reason::BadPatchPath, "/path", expected).found(kind(other.as_ref())))
        }
    }
}
