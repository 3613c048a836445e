//! Okta's guide "Registration inline hook" as data: its hooks, its requests, its answers.
//!
//! Source: <https://developer.okta.com/docs/guides/registration-inline-hook/>.

use serde_json::{Value, json};

/// The authentication secret of the guide, `admin:supersecret` for Basic authentication.
pub(super) const SECRET: &str = "Basic YWRtaW46c3VwZXJzZWNyZXQ=";
/// The user of [`SECRET`].
pub(super) const USER: &str = "admin";
/// The password of [`SECRET`].
pub(super) const PASSWORD: &str = "supersecret";

/// Whom the guide's service lets in.
pub(super) const ALLOWED: &str = "rosario.jones@okta.com";
/// Whom it does not.
pub(super) const DENIED: &str = "rosario.jones@example.com";

/// What the first endpoint says to [`DENIED`].
pub(super) const ONLY_OKTA: &str = "Only okta.com emails can register.";
/// What the second says to other employee numbers.
pub(super) const FOUR_DIGITS: &str = "Employee numbers must have 4 digits.";
/// What the third says to people who sign up.
pub(super) const OKTA_AND_FOUR_DIGITS: &str =
    "To register, you must have an \"okta\" email and a 4-digit employee number.";
/// What the third says to people who are there.
pub(super) const FOUR_DIGITS_ONLY: &str = "Only employee numbers with 4 digits can register.";

/// A hook that the guide has its reader add.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hook {
    /// Its name.
    pub(super) name: &'static str,
    /// The endpoint of the external service that it calls.
    pub(super) path: &'static str,
    /// What the guide asks it, and is answered.
    pub(super) scenarios: fn() -> Vec<Scenario>,
}

/// One request and the answer that the guide's code gives to it.
#[derive(Debug)]
pub(super) struct Scenario {
    /// The request in a few words.
    pub(super) asked: String,
    /// The body for `execute`.
    pub(super) request: Value,
    /// The answer, members in the guide's order.
    pub(super) answer: Value,
}

/// The guide's hooks.
pub(super) const HOOKS: [Hook; 3] = [
    Hook { name: "Profile Enrollment SSR", path: "/registrationHookSSR", scenarios: sign_up_scenarios },
    Hook { name: "Progressive Profile Enrollment", path: "/registrationHookPP", scenarios: progressive_scenarios },
    Hook {
        name: "Profile and Progressive Profile Enrollment",
        path: "/registrationHookSSRandPP",
        scenarios: combined_scenarios,
    },
];

fn sign_up_scenarios() -> Vec<Scenario> {
    let denial = error(
        "Incorrect email address. Please contact your admin.",
        ONLY_OKTA,
        ("INVALID_EMAIL_DOMAIN", "data.userProfile.email"),
    );
    vec![
        sign_up(ALLOWED, None, json!({"commands": [action("ALLOW")]})),
        sign_up(DENIED, None, json!({"commands": [action("DENY")], "error": denial})),
        profile_update("1234", None, json!({})),
    ]
}

fn progressive_scenarios() -> Vec<Scenario> {
    let denial = error(
        "Incorrect employee number. Enter an employee number with 4 digits.",
        FOUR_DIGITS,
        ("INVALID_EMPLOYEE_NUMBER", "data.userProfile.employeeNumber"),
    );
    let phone = "+1 555 555 1212";
    let both = json!({"employeeNumber": "1234", "mobilePhone": phone});
    vec![
        profile_update("1234", None, json!({"commands": [update(&json!({"employeeNumber": "1234"}))]})),
        profile_update("1234", Some(phone), json!({"commands": [update(&both)]})),
        profile_update("12345", None, json!({"commands": [], "error": denial})),
        sign_up(ALLOWED, None, json!({})),
    ]
}

fn combined_scenarios() -> Vec<Scenario> {
    let sign_up_denied = || {
        let denial = error(
            "Incorrect email address or employee number. Please contact your admin.",
            OKTA_AND_FOUR_DIGITS,
            ("INVALID_EMAIL_DOMAIN", "data.userProfile.email"),
        );
        json!({"commands": [action("DENY")], "error": denial})
    };
    let update_denied = error(
        "Incorrect employee number. Enter an employee number with 4 digits.",
        FOUR_DIGITS_ONLY,
        ("INVALID_EMPLOYEE_NUMBER", "data.userProfile.employeeNumber"),
    );
    vec![
        sign_up(ALLOWED, Some("1234"), json!({"commands": [action("ALLOW")]})),
        sign_up(ALLOWED, Some("12345"), sign_up_denied()),
        sign_up(ALLOWED, None, sign_up_denied()),
        sign_up(DENIED, Some("1234"), sign_up_denied()),
        profile_update("1234", None, json!({"commands": [update(&json!({"employeeNumber": "1234"}))]})),
        profile_update("12345", None, json!({"commands": [action("DENY")], "error": update_denied})),
    ]
}

/// Rosario Jones signs up.
fn sign_up(email: &str, employee_number: Option<&str>, answer: Value) -> Scenario {
    let mut profile = json!({"firstName": "Rosario", "lastName": "Jones", "login": email, "email": email});
    let mut asked = format!("sign-up {email}");
    if let (Some(number), Some(members)) = (employee_number, profile.as_object_mut()) {
        members.insert("employeeNumber".to_owned(), number.into());
        asked = format!("{asked}, employee number {number}");
    }
    let request = json!({
        "eventId": "04Dmt8BcT_aEgM",
        "eventTime": "2022-04-25T17:35:27.000Z",
        "eventType": "com.okta.user.pre-registration",
        "eventTypeVersion": "1.0",
        "contentType": "application/json",
        "cloudEventVersion": "0.1",
        "source": "regt4qeBKU29vSoPz0g3",
        "requestType": "self.service.registration",
        "data": {
            "context": {"request": web_request("/idp/idx/enroll/new")},
            "userProfile": profile,
            "action": "ALLOW",
        },
    });
    Scenario { asked, request, answer }
}

/// Rosario Jones, who has an account, is asked for more at sign-in.
fn profile_update(employee_number: &str, mobile_phone: Option<&str>, answer: Value) -> Scenario {
    let mut changes = json!({"employeeNumber": employee_number});
    let mut asked = format!("update employee number {employee_number}");
    if let (Some(phone), Some(members)) = (mobile_phone, changes.as_object_mut()) {
        members.insert("mobilePhone".to_owned(), phone.into());
        asked = format!("{asked}, mobile phone {phone}");
    }
    let user = "/api/v1/users/00u48gwcu01WxvNol0g7";
    let request = json!({
        "eventId": "vzYp_zMwQu2htIWRbNJdfw",
        "eventTime": "2022-04-25T04:04:41.000Z",
        "eventType": "com.okta.user.pre-registration",
        "eventTypeVersion": "1.0",
        "contentType": "application/json",
        "cloudEventVersion": "0.1",
        "source": "regt4qeBKU29vS",
        "requestType": "progressive.profile",
        "data": {
            "context": {
                "request": web_request("/idp/idx/enroll/update"),
                "user": {
                    "passwordChanged": "2022-01-01T00:00:00.000Z",
                    "_links": {
                        "groups": {"href": format!("{user}/groups")},
                        "factors": {"href": format!("{user}/factors")},
                    },
                    "profile": {
                        "firstName": "Rosario",
                        "lastName": "Jones",
                        "timeZone": "America/Los_Angeles",
                        "login": DENIED,
                        "locale": "en_US",
                    },
                    "id": "00u48gwcu01WxvNo",
                },
            },
            "action": "ALLOW",
            "userProfileUpdate": changes,
        },
    });
    Scenario { asked, request, answer }
}

fn web_request(url: &str) -> Value {
    json!({"method": "POST", "ipAddress": "127.0.0.1", "id": "123dummyId456", "url": {"value": url}})
}

fn action(registration: &str) -> Value {
    json!({"type": "com.okta.action.update", "value": {"registration": registration}})
}

fn update(profile: &Value) -> Value {
    json!({"type": "com.okta.user.progressive.profile.update", "value": profile})
}

fn error(summary: &str, cause: &str, (reason, location): (&str, &str)) -> Value {
    json!({
        "errorSummary": summary,
        "errorCauses": [{
            "errorSummary": cause,
            "reason": reason,
            "locationType": "body",
            "location": location,
            "domain": "end-user",
        }],
    })
}
