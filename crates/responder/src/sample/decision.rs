//! What the guide's three handlers decide, with its texts.

use hookwright_contract::request::{RegistrationData, RegistrationKind, RegistrationRequest};

use super::judge::Matching;
use super::log::Outcome;
use crate::{Answer, Cause, Problem};

/// An answer and what it stands for.
pub(super) struct Decision {
    pub(super) answer: Answer<RegistrationData>,
    pub(super) outcome: Outcome,
}

/// `/registrationHookSSR`
pub(super) fn decide_sign_up(matching: Matching, request: &RegistrationRequest) -> Result<Decision, Problem> {
    if !is_sign_up(request) {
        return Ok(passed_over());
    }
    let login = request.text("login").ok_or_else(|| Problem::missing("data.userProfile.login"))?;
    Ok(if matching.admits_address(login) {
        registered()
    } else {
        let cause = email_cause("Only okta.com emails can register.");
        not_registered("Incorrect email address. Please contact your admin.", cause)
    })
}

/// `/registrationHookPP`
pub(super) fn decide_progressive(matching: Matching, request: &RegistrationRequest) -> Result<Decision, Problem> {
    if request.kind() != RegistrationKind::Progressive {
        return Ok(passed_over());
    }
    let number = request.attribute("employeeNumber");
    Ok(match number.filter(|number| matching.admits_employee_number(Some(number))) {
        Some(number) => {
            let mobile = request.attribute("mobilePhone").map(|phone| ("mobilePhone", phone.clone()));
            let attributes = [("employeeNumber", number.clone())].into_iter().chain(mobile);
            Decision {
                answer: Answer::unchanged().update_progressive_profile(attributes),
                outcome: Outcome::ProfileUpdated,
            }
        }
        None => Decision {
            answer: Answer::error(NUMBER_SUMMARY)
                .with_commands_member()
                .cause(number_cause("Employee numbers must have 4 digits.")),
            outcome: Outcome::WrongNumber,
        },
    })
}

/// `/registrationHookSSRandPP`
pub(super) fn decide_both(matching: Matching, request: &RegistrationRequest) -> Result<Decision, Problem> {
    if request.kind() == RegistrationKind::Progressive {
        return Ok(decide_number(matching, request));
    }
    let email = request.text("email").ok_or_else(|| Problem::missing("data.userProfile.email"))?;
    let number = request.attribute("employeeNumber");
    Ok(if matching.admits_address(email) && matching.admits_employee_number(number) {
        registered()
    } else {
        let cause = email_cause(r#"To register, you must have an "okta" email and a 4-digit employee number."#);
        not_registered("Incorrect email address or employee number. Please contact your admin.", cause)
    })
}

/// The progressive half of `/registrationHookSSRandPP`, which differs from `/registrationHookPP` in its answers.
fn decide_number(matching: Matching, request: &RegistrationRequest) -> Decision {
    let number = request.attribute("employeeNumber");
    match number.filter(|number| matching.admits_employee_number(Some(number))) {
        Some(number) => Decision {
            answer: Answer::unchanged().update_progressive_profile([("employeeNumber", number.clone())]),
            outcome: Outcome::NumberAdded,
        },
        None => Decision {
            answer: Answer::deny(NUMBER_SUMMARY)
                .cause(number_cause("Only employee numbers with 4 digits can register.")),
            outcome: Outcome::WrongNumber,
        },
    }
}

const NUMBER_SUMMARY: &str = "Incorrect employee number. Enter an employee number with 4 digits.";

/// As in the guide's code a request without a type is none, although Classic Engine sends such sign-ups.
fn is_sign_up(request: &RegistrationRequest) -> bool {
    request.request_type.is_some() && request.kind() == RegistrationKind::SelfService
}

fn passed_over() -> Decision {
    Decision { answer: Answer::unchanged(), outcome: Outcome::PassedOver }
}

fn registered() -> Decision {
    Decision { answer: Answer::allow(), outcome: Outcome::Registered }
}

fn not_registered(summary: &str, cause: Cause) -> Decision {
    Decision { answer: Answer::deny(summary).cause(cause), outcome: Outcome::RegistrationDenied }
}

fn email_cause(summary: &str) -> Cause {
    Cause::at("data.userProfile.email", summary).reason("INVALID_EMAIL_DOMAIN").domain("end-user")
}

/// The guide points to `userProfile` although the request has `userProfileUpdate`; Okta goes by the last segment.
fn number_cause(summary: &str) -> Cause {
    Cause::at("data.userProfile.employeeNumber", summary).reason("INVALID_EMPLOYEE_NUMBER").domain("end-user")
}
