//! Checking an answer against the contract of its hook type.

use crate::command::Command;
use crate::fault::{Fault, Reason};
use crate::hook_type::SuccessStatus;
use crate::json::{self, Value};
use crate::reply::{Reply, read_error};
use crate::user_attributes::UserAttributes;
use crate::{HookType, MAX_COMMANDS, MAX_REPLY_BYTES};

/// Reads and checks the answer of an external service.
///
/// `request` is the payload that was sent; `status` and `body` are the answer's, whose `Content-Type` decides nothing.
/// Members that Okta does not name are ignored. An answer is accepted as a whole or not at all.
///
/// # Errors
/// The first fault that was met.
pub fn check_reply<'a>(
    hook_type: HookType,
    request: &Value<'_>,
    status: u16,
    body: &'a [u8],
    attributes: &dyn UserAttributes,
) -> Result<Reply<'a>, Fault> {
    if !hook_type.accepts_status(status) {
        let expected = match hook_type.success_status() {
            SuccessStatus::Only200 => "status 200",
            SuccessStatus::Any2xx => "a status from 200 to 299",
        };
        return Err(
            Fault::new(Reason::UnexpectedStatus, "", expected).found(format!("status {status}"))
        );
    }
    if body.len() > MAX_REPLY_BYTES {
        let expected = format!("at most {MAX_REPLY_BYTES} bytes");
        return Err(Fault::new(Reason::ResponseTooLarge, "", expected).found("more"));
    }
    if status == 204 {
        return Ok(Reply::default());
    }
    let members = match json::parse(body)? {
        Value::Object(members) => members,
        other => {
            let expected = "an object with \"commands\" or \"error\"";
            return Err(Fault::new(Reason::NotAnObject, "", expected).found(other.type_name()));
        }
    };
    let mut reply = Reply::default();
    let mut commands = None;
    for (name, value) in members {
        match &*name {
            "commands" => commands = Some(value),
            "error" => reply.error = Some(read_error(value)),
            "debugContext" => reply.debug_context = Some(value),
            _ => {}
        }
    }
    if reply.error.is_none()
        && let Some(commands) = commands
    {
        reply.commands = read_commands(hook_type, request, commands, attributes)?;
    }
    Ok(reply)
}

fn read_commands<'a>(
    _hook_type: HookType,
    _request: &Value<'_>,
    commands: Value<'a>,
    _attributes: &dyn UserAttributes,
) -> Result<Vec<Command<'a>>, Fault> {
    let Value::Array(elements) = commands else {
        return Err(
            Fault::new(Reason::CommandsNotArray, "/commands", "an array")
                .found(commands.type_name()),
        );
    };
    if elements.len() > MAX_COMMANDS {
        let expected = format!("at most {MAX_COMMANDS} commands");
        return Err(Fault::new(Reason::TooManyCommands, "/commands", expected)
            .found(elements.len().to_string()));
    }
    Ok(Vec::new())
}
