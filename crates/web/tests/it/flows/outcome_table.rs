//! One row an outcome: what the service does, and what becomes of somebody who signs up and of somebody who completes a
//! profile. Both walk the real flow over HTTP, with a service that misbehaves on purpose.
//!
//! The texts are those of Okta's reference of the registration hook and of its page "Inline hooks".

use std::time::Duration;

use hookwright_testkit::Reply;
use serde_json::{Value, json};

use super::idx::Idx;
use super::org::{FlowOrg, PASSWORD, asking};
use crate::execute::ALLOW;

/// What becomes of it.
#[derive(Debug, Clone, Copy)]
enum Ends {
    /// The user is made or changed.
    Admitted,
    /// Nothing is stored; DENY without words.
    Denied,
    /// Nothing is stored; an error without words that could be shown.
    Error,
    /// Nothing is stored; the service failed.
    Failed,
    /// Nothing is stored; these words stand above the form.
    Above(&'static str),
    /// Nothing is stored; these words stand beside the employee number.
    Beside(&'static [&'static str]),
}

use Ends::{Above, Admitted, Beside, Denied, Error, Failed};

impl Ends {
    /// What stands above the form when somebody signs up, and when somebody completes a profile.
    fn above(self) -> (Vec<&'static str>, Vec<&'static str>) {
        match self {
            Denied => (vec!["Registration denied."], vec!["Profile update denied."]),
            Error => (
                vec!["Registration cannot be completed at this time."],
                vec!["We found some errors. Please review the form and make corrections."],
            ),
            Failed => (
                vec!["There was an error creating your account. Please try registering again."],
                vec!["There was an error updating your profile. Please try again later."],
            ),
            Above(text) => (vec![text], vec![text]),
            Admitted | Beside(_) => (Vec::new(), Vec::new()),
        }
    }

    fn beside(self) -> &'static [&'static str] {
        match self {
            Beside(texts) => texts,
            _ => &[],
        }
    }
}

/// Who is asked about, as the hook's commands and texts depend on it.
#[derive(Debug, Clone, Copy)]
enum Case {
    SignUp,
    Progressive,
}

const PROFILE_COMMANDS: [&str; 2] = ["com.okta.user.profile.update", "com.okta.user.progressive.profile.update"];

impl Case {
    /// The profile command of this case, and of the other one.
    const fn commands(self) -> (&'static str, &'static str) {
        let [sign_up, progressive] = PROFILE_COMMANDS;
        match self {
            Self::SignUp => (sign_up, progressive),
            Self::Progressive => (progressive, sign_up),
        }
    }
}

/// A row: a name, what the service does, what comes of it.
type Row = (&'static str, Reply, Ends);

fn answer(text: &str) -> Reply {
    Reply::json(200, text)
}

fn command(kind: &str, value: &str) -> String {
    format!(r#"{{"type":"{kind}","value":{value}}}"#)
}

fn action(value: &str) -> String {
    command("com.okta.action.update", value)
}

fn commands(list: &[String]) -> Reply {
    answer(&format!(r#"{{"commands":[{}]}}"#, list.join(",")))
}

fn error(text: &str) -> Reply {
    answer(&format!(r#"{{"error":{text}}}"#))
}

fn rows(case: Case) -> Vec<Row> {
    let mut rows = decisions();
    rows.extend(words());
    rows.extend(values(case));
    rows.extend(misbehaviour());
    rows
}

fn decisions() -> Vec<Row> {
    let (allow, deny) = (action(r#"{"registration":"ALLOW"}"#), action(r#"{"registration":"DENY"}"#));
    let both = |first: &String, second: &String| commands(&[first.clone(), second.clone()]);
    let with = |command: &str, error: &str| answer(&format!(r#"{{"commands":[{command}],"error":{error}}}"#));
    vec![
        ("ALLOW", answer(ALLOW), Admitted),
        ("no command", answer(r#"{"commands":[]}"#), Admitted),
        ("an empty object", answer("{}"), Admitted),
        ("204", Reply::answer(204, &[], ""), Admitted),
        ("201 with ALLOW", Reply::json(201, ALLOW), Admitted),
        ("ALLOW as text/html", Reply::answer(200, &[("Content-Type", "text/html")], ALLOW), Admitted),
        ("a debug context", answer(r#"{"debugContext":{"rule":"7"}}"#), Admitted),
        ("DENY", commands(std::slice::from_ref(&deny)), Denied),
        ("DENY under the name that the prose has", commands(&[action(r#"{"action":"DENY"}"#)]), Denied),
        ("ALLOW, then DENY", both(&allow, &deny), Denied),
        ("DENY, then ALLOW", both(&deny, &allow), Denied),
        ("DENY with an empty error", with(&deny, "{}"), Error),
        ("DENY with a summary only", with(&deny, r#"{"errorSummary":"For the log."}"#), Error),
        (
            "DENY with a cause",
            with(&deny, &format!(r#"{{"errorCauses":[{CAUSE}]}}"#)),
            Beside(&["Must have 4 digits."]),
        ),
        ("ALLOW with an error", with(&allow, "{}"), Error),
        ("an unknown action", commands(&[action(r#"{"registration":"MAYBE"}"#)]), Failed),
        ("a command without a value", answer(r#"{"commands":[{"type":"com.okta.action.update"}]}"#), Failed),
        ("an unknown command", commands(&[command("com.okta.unknown", "{}")]), Failed),
    ]
}

const CAUSE: &str = r#"{"errorSummary":"Must have 4 digits.","reason":"X","locationType":"body",
    "location":"data.userProfile.employeeNumber","domain":"end-user"}"#;

fn words() -> Vec<Row> {
    let causes = |causes: &str| error(&format!(r#"{{"errorSummary":"x","errorCauses":[{causes}]}}"#));
    let ask_hr = |location: &str| format!(r#"{{"errorSummary":"Ask HR.","location":"{location}"}}"#);
    vec![
        ("an error of null, as typed services print it", error("null"), Admitted),
        ("an error of false", error("false"), Error),
        ("an error spelt as SDK models do", answer(r#"{"commands":[],"Error":{"errorSummary":"no"}}"#), Error),
        ("an answer of a gateway", answer(r#"{"statusCode":200,"body":"{}"}"#), Failed),
        ("a command instead of commands", answer(r#"{"command":[]}"#), Failed),
        ("an empty error", error("{}"), Error),
        ("an error with a summary only", error(r#"{"errorSummary":"For the log."}"#), Error),
        ("an error without causes", causes(""), Error),
        ("a cause without words", causes(r#"{"location":"data.userProfile.employeeNumber"}"#), Error),
        ("a cause at a field", causes(CAUSE), Beside(&["Must have 4 digits."])),
        (
            "two causes at one field",
            causes(&format!("{CAUSE},{}", ask_hr("employeeNumber"))),
            Beside(&["Must have 4 digits.", "Ask HR."]),
        ),
        ("a cause elsewhere", causes(&ask_hr("data.userProfile.costCenter")), Above("Ask HR.")),
        ("a cause nowhere", causes(r#"{"errorSummary":"Ask HR."}"#), Above("Ask HR.")),
        (
            "a cause with markup",
            causes(r#"{"errorSummary":"<b>Ask</b> HR\u202e.","location":"data.x.employeeNumber"}"#),
            Beside(&["<b>Ask</b> HR."]),
        ),
    ]
}

fn values(case: Case) -> Vec<Row> {
    let (own, other) = case.commands();
    let set = |value: &str| commands(&[command(own, value)]);
    let long = format!(r#"{{"mobilePhone":"{}"}}"#, "1".repeat(101));
    vec![
        ("values", set(r#"{"department":"Ops","title":"Dr."}"#), Admitted),
        ("an attribute hidden from the person", set(r#"{"city":"Riga"}"#), Admitted),
        ("an unknown attribute", set(r#"{"department":"Ops","shoeSize":"44"}"#), Failed),
        ("the password", set(r#"{"password":"Correct-horse-7"}"#), Failed),
        ("the id", set(r#"{"id":"00u1"}"#), Failed),
        ("the status", set(r#"{"status":"ACTIVE"}"#), Failed),
        ("a number for text", set(r#"{"department":7}"#), Failed),
        ("a list for text", set(r#"{"department":["Ops"]}"#), Failed),
        ("a value too long, off the form", set(&long), Failed),
        ("a value that breaks its format, off the form", set(r#"{"countryCode":"nowhere"}"#), Failed),
        (
            "one good command and a bad one",
            commands(&[command(own, r#"{"title":"x"}"#), command(own, r#"{"id":"x"}"#)]),
            Failed,
        ),
        ("the profile command of the other case", commands(&[command(other, r#"{"title":"x"}"#)]), Failed),
    ]
}

fn misbehaviour() -> Vec<Row> {
    vec![
        ("400", Reply::json(400, ALLOW), Failed),
        ("401", Reply::json(401, ""), Failed),
        ("404", Reply::json(404, "{}"), Failed),
        ("429", Reply::json(429, "{}"), Failed),
        ("500", Reply::json(500, ALLOW), Failed),
        ("503", Reply::json(503, ""), Failed),
        ("a redirect", Reply::answer(302, &[("location", "http://127.0.0.1:1/")], ""), Failed),
        ("an empty body", Reply::json(200, ""), Failed),
        ("half a JSON", Reply::json(200, "{"), Failed),
        ("a page", Reply::answer(200, &[("Content-Type", "text/html")], "<html>"), Failed),
        ("a list", Reply::json(200, "[]"), Failed),
        ("a name twice", Reply::json(200, r#"{"commands":[],"commands":[]}"#), Failed),
        ("commands that are no list", Reply::json(200, r#"{"commands":{}}"#), Failed),
        ("deep nesting", Reply::json(200, format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))), Failed),
        (
            "an endless debug context",
            Reply::json(200, format!(r#"{{"debugContext":"{}"}}"#, "x".repeat(300_000))),
            Failed,
        ),
        ("a lie about its length", Reply::lying_about_its_length(ALLOW, 10_000), Failed),
        ("a closed connection", Reply::close(), Failed),
        ("silence", Reply::hang(), Failed),
        ("an answer that is late", Reply::json(200, ALLOW).after(Duration::from_secs(2)), Failed),
    ]
}

async fn org() -> FlowOrg {
    FlowOrg::with(|rule| rule.profile_attributes.push(asking("employeeNumber", true))).await
}

/// What the last call did, as its record says.
async fn effect(org: &FlowOrg) -> String {
    let listed = org.org.client.get("/hookwright/v1/executions?limit=1").await.json();
    let id = listed[0]["id"].as_str().expect("an execution").to_owned();
    let shown = org.org.client.get(&format!("/hookwright/v1/executions/{id}")).await.json();
    shown["effect"].as_str().unwrap_or_else(|| panic!("no effect in {shown:#}")).to_owned()
}

fn check(name: &str, idx: &Idx, ends: Ends, above: &[&str]) {
    assert_eq!(idx.status, 400, "{name}: {:#}", idx.body);
    assert_eq!(idx.banners(), above, "{name}");
    assert_eq!(idx.said_at("employeeNumber"), ends.beside(), "{name}");
}

#[tokio::test]
async fn every_outcome_for_somebody_who_signs_up() {
    let org = org().await;
    for (number, (name, reply, ends)) in rows(Case::SignUp).into_iter().enumerate() {
        let login = format!("rosario{number}@okta.com");
        let profile = json!({"email": login, "firstName": "Rosario", "lastName": "Jones", "employeeNumber": "12345"});
        org.service.on("/hook", [reply]);
        let mut idx = org.idx().await;
        idx.sign_up(profile.clone()).await;
        let effect = effect(&org).await;
        if matches!(ends, Admitted) {
            assert_eq!((idx.status, idx.remediations()), (200, vec!["enroll-authenticator"]), "{name}: {:#}", idx.body);
            assert_eq!(effect, "registration ALLOW", "{name}");
            assert!(org.stored(&login).await.is_none(), "{name}: without a password nobody is made");
            idx.choose_password().await;
            assert!(org.stored(&login).await.is_some(), "{name}: {:#}", idx.body);
            continue;
        }
        check(name, &idx, ends, &ends.above().0);
        assert_eq!(idx.remediations(), ["enroll-profile", "select-identify"], "{name}");
        assert!(effect.starts_with("registration DENY: "), "{name}: {effect}");
        assert!(org.stored(&login).await.is_none(), "{name}: nobody is made");
        // The form goes on: the person corrects it, or tries again.
        org.answers(&[ALLOW]);
        idx.register(profile).await.choose_password().await;
        assert_eq!((idx.status, org.stored(&login).await.is_some()), (200, true), "{name}");
    }
    let made = rows(Case::SignUp).len();
    assert_eq!(org.count("user.lifecycle.create").await, made, "one for each row, none for a refusal");
}

#[tokio::test]
async fn every_outcome_for_somebody_who_completes_a_profile() {
    let org = org().await;
    for (number, (name, reply, ends)) in rows(Case::Progressive).into_iter().enumerate() {
        let login = format!("rosario{number}@okta.com");
        let before = org.user(&login).await;
        org.service.on("/hook", [reply]);
        let mut idx = org.idx().await;
        idx.sign_in(&login, PASSWORD).await;
        idx.register(json!({"employeeNumber": "12345"})).await;
        let effect = effect(&org).await;
        let after = org.stored(&login).await.expect("the user");
        if matches!(ends, Admitted) {
            assert!(!idx.code().is_empty() && effect == "profile update ALLOW", "{name}: {effect}");
            assert_eq!(after.profile["employeeNumber"], json!("12345"), "{name}");
            continue;
        }
        check(name, &idx, ends, &ends.above().1);
        assert!(effect.starts_with("profile update DENY: "), "{name}: {effect}");
        assert_eq!(after.profile, before.profile, "{name}: nothing is stored");
        org.answers(&["{}"]);
        idx.register(json!({"employeeNumber": "1234"})).await;
        assert!(!idx.code().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn the_record_of_a_deny_beside_an_allow_names_both() {
    let org = org().await;
    let action = |word: &str| action(&format!(r#"{{"registration":"{word}"}}"#));
    org.service.on("/hook", [commands(&[action("DENY"), action("ALLOW")])]);
    let profile = json!({"email": "r@okta.com", "firstName": "R", "lastName": "J", "employeeNumber": "1"});
    org.idx().await.sign_up(profile).await;
    let effect = effect(&org).await;
    assert!(effect.ends_with("/commands/1 says ALLOW and /commands/0 says DENY; any DENY counts."), "{effect}");
}

#[tokio::test]
async fn what_a_profile_command_sets_is_stored_beside_what_was_submitted() {
    let org = org().await;
    org.answers(&[
        r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"department":"Ops","city":"Riga"}}]}"#,
    ]);
    let profile = json!({"email": "r@okta.com", "firstName": "R", "lastName": "J", "employeeNumber": "1"});
    org.idx().await.join(profile).await;
    let stored = org.stored("r@okta.com").await.expect("the user");
    let expected = json!({"login": "r@okta.com", "email": "r@okta.com", "firstName": "R", "lastName": "J",
        "employeeNumber": "1", "department": "Ops", "city": "Riga"});
    assert_eq!(Value::Object(stored.profile), expected);
}
