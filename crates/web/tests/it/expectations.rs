//! What holds for every answer and for every refusal.

use hookwright_testkit::Answer;
use serde_json::Value;

/// Asserts the headers that stand on every answer of the router.
#[track_caller]
pub(crate) fn has_every_header(answer: &Answer) {
    for (name, value) in [
        ("cache-control", "no-cache, no-store"),
        ("pragma", "no-cache"),
        ("expires", "0"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let policy = answer.header("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
        assert!(policy.contains(part), "{policy}");
    }
    let request_id = answer.header("x-okta-request-id");
    assert!(request_id.starts_with("req") && request_id.len() == 25, "{request_id:?}");
    assert_eq!(answer.header("server"), "");
    assert_eq!(answer.header("set-cookie"), "");
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

/// Asserts the three rate limit headers.
#[track_caller]
pub(crate) fn has_rate_limit(answer: &Answer) {
    let number = |name: &str| answer.header(name).parse::<i64>().unwrap_or_else(|_| panic!("{name} is a number"));
    assert!(number("x-rate-limit-remaining") <= number("x-rate-limit-limit"));
    assert_eq!(number("x-rate-limit-reset") % 60, 0);
}

/// Asserts that a refusal has Okta's shape, this status and this code; gives its causes.
#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, code: &str) -> Vec<String> {
    assert_eq!(answer.refusal(), (status, code.to_owned()), "{:?} {}", answer.status, answer.text());
    let body = answer.json();
    let members: Vec<&str> = body.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(members, ["errorCode", "errorSummary", "errorLink", "errorId", "errorCauses"]);
    assert_eq!(body["errorLink"], code);
    assert!(body["errorSummary"].as_str().is_some_and(|summary| !summary.is_empty()));
    let error_id = body["errorId"].as_str().expect("an error has an id");
    assert!(error_id.starts_with("oae") && error_id.len() == 25, "{error_id}");
    let causes = body["errorCauses"].as_array().expect("causes are an array");
    for cause in causes {
        assert_eq!(cause.as_object().map(serde_json::Map::len), Some(1), "{cause}");
        assert!(cause["errorSummary"].as_str().is_some_and(|summary| !summary.is_empty()), "{cause}");
    }
    assert_eq!(answer.header("content-type"), "application/json");
    has_every_header(answer);
    answer.causes()
}

/// Asserts that a refusal of a body has one cause, which names this field; gives the cause.
#[track_caller]
pub(crate) fn refused_for(answer: &Answer, field: &str) -> String {
    let causes = refused(answer, 400, "E0000001");
    let found = causes.iter().find(|cause| cause.starts_with(&format!("{field}: ")));
    found.unwrap_or_else(|| panic!("no cause names {field}: {causes:?}")).clone()
}

/// Asserts that an answer is a success with a JSON body.
#[track_caller]
pub(crate) fn accepted(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/json");
    has_every_header(answer);
    answer.json()
}
