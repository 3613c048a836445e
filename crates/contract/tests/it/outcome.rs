//! The table of outcomes, row by row.

use hookwright_contract::command::Registration::{Allow, Deny};
use hookwright_contract::command::{Command, CommandType, Credential, Delivery, DeliveryStatus, Import, Operand};
use hookwright_contract::json::Value;
use hookwright_contract::outcome::FlowDecision::{self, ContinueUnchanged, FallbackProvider, Proceed, Stop};
use hookwright_contract::outcome::{Ending, Failure, decide};
use hookwright_contract::{DEFAULT_ERROR_SUMMARY, ErrorObject, HookType, Reply};

/// A call that ended so, for a hook of that type; `None` where the type has no such ending.
fn reply(hook_type: HookType, ending: Ending) -> Option<Reply<'static>> {
    let yes = ending == Ending::Accepted;
    let command =
        |command_type, operand| Reply { commands: vec![Command { command_type, operand }], ..Reply::default() };
    match ending {
        Ending::Empty => return Some(Reply::default()),
        Ending::Error => return Some(Reply { error: Some(ErrorObject::default()), ..Reply::default() }),
        Ending::Failed(_) => return None,
        Ending::Accepted | Ending::Declined => {}
    }
    Some(match hook_type {
        HookType::Registration => {
            command(CommandType::ActionUpdate, Operand::Registration(if yes { Allow } else { Deny }))
        }
        HookType::PasswordImport => {
            let credential = if yes { Credential::Verified } else { Credential::Unverified };
            command(CommandType::ActionUpdate, Operand::Credential(credential))
        }
        HookType::Telephony => {
            let status = if yes { DeliveryStatus::Pending } else { DeliveryStatus::Failed };
            let delivery = Delivery { status, provider: None, transaction_id: None, transaction_metadata: None };
            command(CommandType::TelephonyAction, Operand::Telephony(vec![delivery]))
        }
        HookType::UserImport if yes => command(CommandType::ActionUpdate, Operand::Import(Import::CreateUser)),
        HookType::Token if yes => command(CommandType::IdentityPatch, Operand::Patch(Vec::new())),
        HookType::Saml if yes => command(CommandType::AssertionPatch, Operand::Patch(Vec::new())),
        HookType::LegacyTokens if yes => command(CommandType::TokensAssertionPatch, Operand::Patch(Vec::new())),
        _ => return None,
    })
}

fn assert_cell(hook_type: HookType, ending: Ending, expected: FlowDecision) {
    let reply = reply(hook_type, ending);
    let result = match (&reply, ending) {
        (_, Ending::Failed(failure)) => Err(failure),
        (Some(reply), _) => Ok(reply),
        (None, _) => panic!("{hook_type} has no such ending"),
    };
    let decision = decide(hook_type, &Value::Null, result, &[]);
    assert_eq!((decision.ending, decision.flow), (ending, expected));
    let speaks = match hook_type {
        HookType::Registration => decision.flow == Stop,
        HookType::Token | HookType::Saml | HookType::LegacyTokens => ending == Ending::Error,
        _ => false,
    };
    assert_eq!(!decision.messages.is_empty(), speaks);
}

/// One test for all failures, which no type tells apart, and one for each answer that can be used.
macro_rules! cells {
    ($module:ident: $hook_type:ident {
        any failure: $on_failure:ident => $failed:expr;
        $($name:ident, $ending:expr => $flow:expr;)+
    }) => {
        mod $module {
            use super::*;
            #[test]
            fn $on_failure() {
                for failure in Failure::ALL {
                    assert_cell(HookType::$hook_type, Ending::Failed(failure), $failed);
                }
            }
            $(#[test]
            fn $name() {
                assert_cell(HookType::$hook_type, $ending, $flow);
            })+
        }
    };
}

cells! {registration: Registration {
    any failure: stops_on_any_failure => Stop;
    goes_on_when_the_answer_allows, Ending::Accepted => Proceed;
    stops_when_the_answer_denies, Ending::Declined => Stop;
    goes_on_after_an_empty_answer, Ending::Empty => Proceed;
    stops_on_an_error, Ending::Error => Stop;
}}

cells! {token: Token {
    any failure: stays_original_on_any_failure => ContinueUnchanged;
    is_patched_by_an_accepted_answer, Ending::Accepted => Proceed;
    goes_on_after_an_empty_answer, Ending::Empty => Proceed;
    is_not_minted_on_an_error, Ending::Error => Stop;
}}

cells! {saml: Saml {
    any failure: stays_original_on_any_failure => ContinueUnchanged;
    is_patched_by_an_accepted_answer, Ending::Accepted => Proceed;
    goes_on_after_an_empty_answer, Ending::Empty => Proceed;
    is_denied_on_an_error, Ending::Error => Stop;
}}

cells! {password_import: PasswordImport {
    any failure: stops_on_any_failure => Stop;
    goes_on_when_verified, Ending::Accepted => Proceed;
    stops_when_unverified, Ending::Declined => Stop;
    takes_the_default_unverified_on_an_empty_answer, Ending::Empty => Stop;
    stops_on_an_error, Ending::Error => Stop;
}}

cells! {user_import: UserImport {
    any failure: creates_the_user_on_any_failure => ContinueUnchanged;
    goes_on_with_the_commands, Ending::Accepted => Proceed;
    goes_on_after_an_empty_answer, Ending::Empty => Proceed;
    takes_the_default_on_an_error, Ending::Error => ContinueUnchanged;
}}

cells! {telephony: Telephony {
    any failure: falls_back_on_any_failure => FallbackProvider;
    is_done_when_the_service_sent_the_code, Ending::Accepted => Proceed;
    falls_back_when_the_service_failed, Ending::Declined => FallbackProvider;
    falls_back_on_an_empty_answer, Ending::Empty => FallbackProvider;
    falls_back_on_an_error, Ending::Error => FallbackProvider;
}}

cells! {legacy_tokens: LegacyTokens {
    any failure: stay_original_on_any_failure => ContinueUnchanged;
    are_patched_by_an_accepted_answer, Ending::Accepted => Proceed;
    go_on_after_an_empty_answer, Ending::Empty => Proceed;
    are_denied_on_an_error, Ending::Error => Stop;
}}

#[test]
fn an_error_without_a_summary_shows_the_default_text() {
    let reply = Reply { error: Some(ErrorObject::default()), ..Reply::default() };
    for hook_type in [HookType::Token, HookType::Saml, HookType::LegacyTokens] {
        let decision = decide(hook_type, &Value::Null, Ok(&reply), &[]);
        assert_eq!(decision.messages[0].text, DEFAULT_ERROR_SUMMARY);
    }
}
