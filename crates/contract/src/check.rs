//! Checking an answer against the contract of its hook type: the frame, and which command may stand in it.
//!
//! Grammar: Okta's page "Inline hooks" (concepts). Commands: the reference of each hook type.

mod action;
mod patch_operations;
mod profile;

use crate::command::{Command, CommandType, Import, Operand};
use crate::fault::{Fault, Reason, one_of};
use crate::hook_type::SuccessStatus;
use crate::json::{self, Members, Value};
use crate::patch::{self, Target};
use crate::reply::{Reply, read_error};
use crate::request::RegistrationKind;
use crate::shown::{kind, nearest, quote};
use crate::user_attributes::UserAttributes;
use crate::user_import::matched_user;
use crate::{HookType, MAX_COMMANDS, MAX_REPLY_BYTES};

/// The most patch operations one answer may carry, over all its commands.
pub const MAX_OPERATIONS: usize = 1_000;

/// Reads and checks the answer of an external service.
///
/// `request` is the payload that was sent; `status` and `body` are the answer's, whose `Content-Type` decides nothing.
/// Members that Okta does not name are ignored, and those that are null. An answer is accepted as a whole or not at all; one with an `error`
/// is accepted whatever its commands are, because the error cancels them.
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
    check_frame(hook_type, status, body)?;
    if status == 204 {
        return Ok(Reply::default());
    }
    let members = match json::parse(body)? {
        Value::Object(members) => members,
        other => {
            let expected = "an object with \"commands\" or \"error\"";
            return Err(Fault::new(Reason::NotAnObject, "", expected).found(kind(Some(&other))));
        }
    };
    let Frame { commands, mut reply } = Frame::read(hook_type, members)?;
    if reply.error.is_none()
        && let Some(commands) = commands
    {
        let checker = Checker { hook_type, request, attributes, allowed: allowed(hook_type, request) };
        reply.commands = checker.commands(commands)?;
    }
    Ok(reply)
}

/// The members of an answer that Okta names.
#[derive(Default)]
struct Frame<'a> {
    commands: Option<Value<'a>>,
    reply: Reply<'a>,
}

/// The names of an answer's members.
const MEMBERS: [&str; 3] = ["commands", "error", "debugContext"];

impl<'a> Frame<'a> {
    /// A member that is null counts as absent: typed services print null for what they don't set, as Okta's own Java models do.
    ///
    /// Registration fails closed, so an answer that can't have meant "go on" must not be taken for it: `Error` and `Commands`,
    /// as some of Okta's SDK models spell them, are read, and an answer without any known member is refused.
    fn read(hook_type: HookType, members: Members<'a>) -> Result<Self, Fault> {
        let fails_closed = hook_type == HookType::Registration;
        let (mut frame, mut unknown, mut is_known) = (Self::default(), Vec::new(), members.is_empty());
        let twin_of = |name: &str| MEMBERS.iter().find(|known| known.eq_ignore_ascii_case(name));
        let (exact, other): (Vec<_>, Vec<_>) = members.into_iter().partition(|(name, _)| MEMBERS.contains(&&**name));
        for (name, value) in exact {
            is_known = true;
            frame.take(&name, value);
        }
        for (name, value) in other {
            match twin_of(&name).filter(|_| fails_closed) {
                Some(known) => {
                    is_known = true;
                    let text = format!("The member {} counts as \"{known}\"; write it so.", quote(&name));
                    frame.reply.warnings.push(text);
                    frame.take(known, value);
                }
                None => unknown.push(name),
            }
        }
        if fails_closed && !is_known {
            let expected = "\"commands\", \"error\" or an empty object";
            let first = unknown.first().map(|name| &**name).unwrap_or_default();
            let nearest = nearest(first, MEMBERS);
            return Err(Fault::new(Reason::NoKnownMember, "", expected).found(quote(first)).nearest(nearest));
        }
        for name in unknown {
            let meant = nearest(&name, MEMBERS).map(|name| format!(" Did you mean \"{name}\"?"));
            let text = format!("The member {} is ignored.{}", quote(&name), meant.unwrap_or_default());
            frame.reply.warnings.push(text);
        }
        Ok(frame)
    }

    /// Takes a known member, unless it is null or there already.
    fn take(&mut self, name: &str, value: Value<'a>) {
        let Self { commands, reply } = self;
        match name {
            _ if value.is_null() => {}
            "commands" => *commands = commands.take().or(Some(value)),
            "error" => reply.error = reply.error.take().or_else(|| Some(read_error(value))),
            _ => reply.debug_context = reply.debug_context.take().or(Some(value)),
        }
    }
}

fn check_frame(hook_type: HookType, status: u16, body: &[u8]) -> Result<(), Fault> {
    if !hook_type.accepts_status(status) {
        let expected = match hook_type.success_status() {
            SuccessStatus::Only200 => "status 200",
            SuccessStatus::Any2xx => "a status from 200 to 299",
        };
        return Err(Fault::new(Reason::UnexpectedStatus, "", expected).found(format!("status {status}")));
    }
    if body.len() > MAX_REPLY_BYTES {
        let expected = format!("at most {MAX_REPLY_BYTES} bytes");
        return Err(Fault::new(Reason::ResponseTooLarge, "", expected).found(format!("{} bytes", body.len())));
    }
    Ok(())
}

/// The commands that may answer this request.
fn allowed(hook_type: HookType, request: &Value<'_>) -> &'static [CommandType] {
    let requested = |target: Target| target.document(hook_type, request).is_some();
    match hook_type {
        HookType::Registration => match RegistrationKind::of(request) {
            RegistrationKind::SelfService | RegistrationKind::Other => {
                &[CommandType::ActionUpdate, CommandType::UserProfileUpdate]
            }
            RegistrationKind::Progressive => &[CommandType::ActionUpdate, CommandType::UserProgressiveProfileUpdate],
        },
        HookType::Token => match (requested(Target::IdToken), requested(Target::AccessToken)) {
            (true, true) => CommandType::of(hook_type),
            (true, false) => &[CommandType::IdentityPatch],
            (false, true) => &[CommandType::AccessPatch],
            (false, false) => &[],
        },
        HookType::Saml | HookType::LegacyTokens if !requested(Target::Assertion) => &[],
        _ => CommandType::of(hook_type),
    }
}

struct Checker<'c> {
    hook_type: HookType,
    request: &'c Value<'c>,
    attributes: &'c dyn UserAttributes,
    allowed: &'static [CommandType],
}

impl Checker<'_> {
    fn commands<'a>(&self, commands: Value<'a>) -> Result<Vec<Command<'a>>, Fault> {
        let Value::Array(elements) = commands else {
            let expected = "an array of commands";
            return Err(Fault::new(Reason::CommandsNotArray, "/commands", expected).found(kind(Some(&commands))));
        };
        if elements.len() > MAX_COMMANDS {
            let expected = format!("at most {MAX_COMMANDS} commands");
            return Err(Fault::new(Reason::TooManyCommands, "/commands", expected).found(elements.len().to_string()));
        }
        let mut commands = Vec::with_capacity(elements.len());
        for (position, element) in elements.into_iter().enumerate() {
            commands.push(self.command(element).map_err(|fault| fault.below(&format!("/commands/{position}")))?);
        }
        match self.hook_type {
            HookType::Token | HookType::Saml | HookType::LegacyTokens => self.check_patches(&commands)?,
            HookType::UserImport => self.check_link(&commands)?,
            _ => {}
        }
        Ok(commands)
    }

    fn command<'a>(&self, element: Value<'a>) -> Result<Command<'a>, Fault> {
        let Value::Object(members) = element else {
            let expected = "an object with \"type\" and \"value\"";
            return Err(Fault::new(Reason::BadValueShape, "", expected).found(kind(Some(&element))));
        };
        let (mut command_type, mut operand) = (None, None);
        for (name, value) in members {
            match &*name {
                "type" => command_type = Some(value),
                "value" => operand = Some(value),
                _ => {}
            }
        }
        let command_type = self.command_type(command_type.as_ref())?;
        let operand = self.operand(command_type, operand).map_err(|fault| fault.below("/value"))?;
        Ok(Command { command_type, operand })
    }

    fn command_type(&self, member: Option<&Value<'_>>) -> Result<CommandType, Fault> {
        let names = || self.allowed.iter().map(|command_type| command_type.as_str());
        let fault = |reason| Fault::new(reason, "/type", one_of(names()));
        let Some(name) = member.and_then(Value::as_str) else {
            return Err(fault(Reason::UnknownCommand).found(kind(member)));
        };
        if let Some(command_type) = self.allowed.iter().find(|command_type| command_type.as_str() == name) {
            return Ok(*command_type);
        }
        let of_the_type = CommandType::of(self.hook_type).iter().any(|command_type| command_type.as_str() == name);
        let reason = if of_the_type { Reason::CommandNotAllowedForRequest } else { Reason::UnknownCommand };
        Err(fault(reason).found(quote(name)).nearest(nearest(name, names())))
    }

    fn operand<'a>(&self, command_type: CommandType, value: Option<Value<'a>>) -> Result<Operand<'a>, Fault> {
        match command_type {
            CommandType::ActionUpdate => match self.hook_type {
                HookType::PasswordImport => action::credential(value),
                HookType::UserImport => action::import(value),
                _ => action::registration(value),
            },
            CommandType::UserProfileUpdate | CommandType::UserProgressiveProfileUpdate => {
                profile::user_profile(value, self.attributes)
            }
            CommandType::AppUserProfileUpdate => profile::app_user_profile(value),
            CommandType::UserUpdate => action::user_id(value),
            CommandType::TelephonyAction => action::telephony(value),
            CommandType::IdentityPatch
            | CommandType::AccessPatch
            | CommandType::AssertionPatch
            | CommandType::TokensAssertionPatch => patch_operations::read(command_type, value),
        }
    }

    /// Tries the patches of all commands, in order, on copies of the requested tokens.
    fn check_patches(&self, commands: &[Command<'_>]) -> Result<(), Fault> {
        let mut copies: Vec<(Target, Value<'_>)> = Vec::new();
        let mut operations_left = MAX_OPERATIONS;
        for (position, command) in commands.iter().enumerate() {
            let (Some(target), Operand::Patch(operations)) = (Target::of(command.command_type), &command.operand)
            else {
                continue;
            };
            let below = |fault: Fault| fault.below(&format!("/commands/{position}/value"));
            operations_left = operations_left.checked_sub(operations.len()).ok_or_else(|| {
                let expected = format!("at most {MAX_OPERATIONS} operations in all commands");
                below(Fault::new(Reason::TooManyCommands, "", expected).found("more"))
            })?;
            if !copies.iter().any(|(copied, _)| *copied == target) {
                let document = target.document(self.hook_type, self.request).cloned().unwrap_or(Value::Null);
                copies.push((target, document));
            }
            if let Some((_, copy)) = copies.iter_mut().find(|(copied, _)| *copied == target) {
                patch::apply_in_place(target, copy, operations).map_err(below)?;
            }
        }
        Ok(())
    }

    /// Linking needs a user: named by a command beside it, or matched by Okta itself.
    fn check_link(&self, commands: &[Command<'_>]) -> Result<(), Fault> {
        let last = commands.iter().enumerate().rev().find_map(|(position, command)| match command.operand {
            Operand::Import(import) => Some((position, import)),
            _ => None,
        });
        let named = commands.iter().any(|command| matches!(command.operand, Operand::UserId(_)));
        if let Some((position, Import::LinkUser)) = last
            && !named
            && matched_user(self.request).is_none()
        {
            let pointer = format!("/commands/{position}");
            let expected = format!("a command \"{}\" beside it that names the user", CommandType::UserUpdate);
            return Err(Fault::new(Reason::MissingCompanionCommand, pointer, expected).found("none"));
        }
        Ok(())
    }
}
