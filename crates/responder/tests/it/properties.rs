//! No body can panic the service, whatever it is.

use std::sync::OnceLock;

use hookwright_responder::rules::Rules;
use hookwright_responder::sample::{self, Matching};
use hookwright_responder::{Answer, Responder, ResponderService};
use http::Request;
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use crate::caller::request;

/// All hook types behind one service, the sample strict and literal, and rules.
fn service() -> ResponderService {
    let rules: Rules = include_str!("../../../../examples/rules/registration.toml")
        .replace("path = \"", "path = \"/rules")
        .parse()
        .unwrap();
    sample::responder(Matching::Strict)
        .rules(rules)
        .registration("/registration", |_| async { Answer::allow() })
        .token("/token", |_| async { Answer::unchanged() })
        .saml("/saml", |_| async { Answer::unchanged() })
        .password_import("/password", |_| async { Answer::verified() })
        .user_import("/import", |_| async { Answer::create_user() })
        .telephony("/telephony", |_| async { Answer::sent() })
        .legacy_tokens("/legacy", |_| async { Answer::unchanged() })
        .into_service()
}

const PATHS: [&str; 14] = [
    "/registrationHookSSR",
    "/registrationHookPP",
    "/registrationHookSSRandPP",
    "/rules/registrationHookSSR",
    "/rules/registrationHookPP",
    "/rules/registrationHookSSRandPP",
    "/registration",
    "/token",
    "/saml",
    "/password",
    "/import",
    "/telephony",
    "/legacy",
    "/nowhere",
];

/// Asks for an answer that is no 500 and is JSON.
fn answers_sensibly(path: &str, body: Vec<u8>) -> Result<(), TestCaseError> {
    static SERVICE: OnceLock<(Runtime, ResponderService)> = OnceLock::new();
    let (runtime, service) =
        SERVICE.get_or_init(|| (Builder::new_current_thread().enable_all().build().unwrap(), service()));
    let request = Request::post(path).body(Full::from(body)).unwrap();
    let (status, body) = runtime.block_on(async {
        let response = service.clone().oneshot(request).await.unwrap();
        (response.status().as_u16(), response.into_body().collect().await.unwrap().to_bytes())
    });
    prop_assert!(matches!(status, 200 | 400 | 404), "{status}");
    prop_assert!(serde_json::from_slice::<Value>(&body).is_ok());
    Ok(())
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("a@okta.com")),
        Just(json!("1234")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The paths of all values inside a value.
fn pointers(value: &Value, here: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| pointers(value, format!("{here}/{name}"), found));
        }
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(index, value)| pointers(value, format!("{here}/{index}"), found));
        }
        _ => {}
    }
    found.push(here);
}

const REQUESTS: [&str; 8] = [
    request!("registration.ssr-okta-domain-employee"),
    request!("registration.pp-employee-and-mobile"),
    request!("token"),
    request!("saml"),
    request!("password-import"),
    request!("user-import"),
    request!("telephony"),
    request!("legacy.tokens-transform"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_get_an_answer(path in prop::sample::select(&PATHS[..]), body in prop::collection::vec(any::<u8>(), 0..200)) {
        answers_sensibly(path, body)?;
    }

    #[test]
    fn any_json_gets_an_answer(path in prop::sample::select(&PATHS[..]), body in any_json()) {
        answers_sensibly(path, body.to_string().into_bytes())?;
    }

    #[test]
    fn a_request_with_any_member_replaced_gets_an_answer(
        path in prop::sample::select(&PATHS[..]),
        request in prop::sample::select(&REQUESTS[..]),
        place in any::<prop::sample::Index>(),
        value in any_json(),
    ) {
        let mut body: Value = serde_json::from_str(request).unwrap();
        let mut places = Vec::new();
        pointers(&body, String::new(), &mut places);
        if let Some(member) = body.pointer_mut(place.get::<String>(&places)) {
            *member = value;
        }
        answers_sensibly(path, body.to_string().into_bytes())?;
    }

    #[test]
    fn a_request_cut_or_flipped_anywhere_gets_an_answer(
        path in prop::sample::select(&PATHS[..]),
        request in prop::sample::select(&REQUESTS[..]),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut body = request.as_bytes().to_vec();
        let at = at.index(body.len());
        if cut { body.truncate(at) } else { body[at] = byte }
        answers_sensibly(path, body)?;
    }
}

#[test]
fn the_service_is_one_that_tower_knows() {
    fn is_service<S: tower::Service<Request<axum::body::Body>> + Clone + Send + Sync>(_: &S) {}
    is_service(&Responder::new().into_service());
}
