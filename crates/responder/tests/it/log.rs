//! One log line for each decision, and no secret in any of them.

use std::io;
use std::sync::{Arc, Mutex};

use hookwright_responder::rules::Rules;
use hookwright_responder::sample::{self, Matching};
use hookwright_responder::{Answer, PasswordImportRequest};
use http::Request;
use http_body_util::Full;
use tower::ServiceExt;
use tracing_subscriber::fmt::MakeWriter;

use crate::caller::request;

/// Everything that was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// What is logged at `debug` and above while the sample service, some rules and a password hook get this request.
fn logged(path: &str, body: &str, authorization: &str) -> String {
    logged_with(path, body, authorization, None)
}

fn logged_with(path: &str, body: &str, authorization: &str, traceparent: Option<&str>) -> String {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(lines.clone())
        .finish();
    let rules: Rules = "[[endpoint]]\npath = \"/rules\"\n[[endpoint.rule]]\nanswer.action = \"DENY\"".parse().unwrap();
    let service = sample::responder(Matching::Strict)
        .rules(rules)
        .password_import("/password", |_: PasswordImportRequest| async { Answer::verified() })
        .basic_auth("admin", "supersecret")
        .into_service();
    let mut request = Request::post(path).header("authorization", authorization);
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    let request = request.body(Full::from(body.to_owned())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tracing::subscriber::with_default(subscriber, || runtime.block_on(service.oneshot(request))).unwrap();
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

const SECRET: &str = "Basic YWRtaW46c3VwZXJzZWNyZXQ=";

#[test]
fn each_decision_is_one_line_in_the_words_of_the_guide() {
    let sign_up = request!("registration.ssr-example-domain");
    let hostile = sign_up.replace("\"Rosario\"", r#""Ro\nsario""#);
    for (path, body, words) in [
        (
            "/registrationHookSSR",
            sign_up,
            r#"INFO hookwright_responder::sample::log: Rosario Jones rosario.jones@example.com denied registration! path="/registrationHookSSR" request_type="self.service.registration" event_id="04Dmt8BcT_aEgM" decision="denied""#,
        ),
        ("/registrationHookSSR", &hostile, r"Ro\nsario Jones rosario.jones@example.com denied registration!"),
        (
            "/registrationHookSSR",
            request!("registration.ssr-okta-domain"),
            "Rosario Jones rosario.jones@okta.com has registered!",
        ),
        (
            "/registrationHookPP",
            request!("registration.pp-employee-1234"),
            "Rosario Jones rosario.jones@example.com has updated profile!",
        ),
        (
            "/registrationHookPP",
            request!("registration.pp-employee-12345"),
            "Rosario Jones rosario.jones@example.com employee number is not the correct number of digits!",
        ),
        (
            "/registrationHookSSRandPP",
            request!("registration.pp-employee-1234"),
            "Rosario Jones rosario.jones@example.com employee number added to profile!",
        ),
        ("/registrationHookPP", sign_up, r#"decision="passed over""#),
        ("/rules", sign_up, r#"decision="denied" rule_line=3"#),
    ] {
        let lines = logged(path, body, SECRET);
        assert_eq!(lines.lines().count(), 1, "{lines}");
        assert!(lines.contains(words), "{words}\n{lines}");
    }
}

#[test]
fn a_refusal_is_logged_without_the_secret_that_was_tried() {
    let lines = logged("/registrationHookSSR", "{}", "Basic aHVudGVyMg==");
    assert_eq!(lines.lines().count(), 1, "{lines}");
    assert!(lines.contains("WARN") && !lines.contains("aHVudGVyMg"), "{lines}");
    let lines = logged("/registrationHookSSR", "{}", SECRET);
    assert!(lines.contains("eventType is missing") && !lines.contains("YWRtaW46"), "{lines}");
}

#[test]
fn a_password_is_not_logged() {
    let unusable = r#"{"eventType":"com.okta.user.credential.password.import","data":{"context":{"credential":{"username":"a","password":["hunter2"]}}}}"#;
    let lines = logged("/password", unusable, SECRET);
    assert!(lines.contains("data.context.credential.password must be") && !lines.contains("hunter2"), "{lines}");
}

#[test]
fn a_line_tells_the_trace_that_its_call_belongs_to() {
    let body = request!("registration.ssr-okta-domain");
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let line = logged_with("/registrationHookSSR", body, SECRET, Some(traceparent));
    assert!(line.contains("0af7651916cd43dd8448eb211c80319c") && line.contains("b7ad6b7169203331"), "{line}");
    let line = logged_with("/registrationHookSSR", body, SECRET, Some("00-evil-x-01"));
    assert!(!line.contains("evil") && line.contains("has registered"), "{line}");
}
