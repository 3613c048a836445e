//! Okta's published requests survive reading and writing to the byte, and bad bodies are blamed on a member.

use serde_json::{Value, json};

use super::*;

macro_rules! example {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/requests/", $name, ".json"))
    };
}

/// Reads and writes an example; both sides as compact JSON text, so that order counts.
fn written_again<D: RequestData>(example: &str) -> (String, String) {
    let before: Value = serde_json::from_str(example).unwrap();
    let request = HookRequest::<D>::parse(example.as_bytes()).expect("the example is a request of this type");
    (serde_json::to_string(&before).unwrap(), serde_json::to_string(&request).unwrap())
}

#[test]
fn every_published_request_is_written_as_it_was_read() {
    for (before, after) in [
        written_again::<RegistrationData>(example!("registration.ssr-example-domain")),
        written_again::<RegistrationData>(example!("registration.ssr-okta-domain")),
        written_again::<RegistrationData>(example!("registration.ssr-okta-domain-employee")),
        written_again::<RegistrationData>(example!("registration.pp-employee-1234")),
        written_again::<RegistrationData>(example!("registration.pp-employee-12345")),
        written_again::<RegistrationData>(example!("registration.pp-employee-and-mobile")),
        written_again::<TokenData>(example!("token")),
        written_again::<SamlData>(example!("saml")),
        written_again::<PasswordImportData>(example!("password-import")),
        written_again::<UserImportData>(example!("user-import")),
        written_again::<TelephonyData>(example!("telephony")),
        written_again::<LegacyData>(example!("legacy.tokens-transform")),
    ] {
        assert_eq!(before, after);
    }
}

fn sign_up_with(change: impl FnOnce(&mut Value)) -> Result<RegistrationRequest, RequestError> {
    let mut body: Value = serde_json::from_str(example!("registration.ssr-okta-domain")).unwrap();
    change(&mut body);
    RegistrationRequest::parse(body.to_string().as_bytes())
}

#[test]
fn versions_may_be_numbers_and_become_text() {
    let request = sign_up_with(|body| {
        body["eventTypeVersion"] = json!(1.0);
        body["cloudEventVersion"] = json!(0.1);
    })
    .unwrap();
    assert_eq!(request.event_type_version.as_deref(), Some("1.0"));
    assert_eq!(request.cloud_event_version.as_deref(), Some("0.1"));
    let request = sign_up_with(|body| body["eventTypeVersion"] = json!(1)).unwrap();
    assert_eq!(request.event_type_version.as_deref(), Some("1"));
}

#[test]
fn a_code_and_a_number_may_be_written_as_numbers() {
    let mut body: Value = serde_json::from_str(example!("telephony")).unwrap();
    body["data"]["messageProfile"]["otpCode"] = json!(11111);
    body["data"]["messageProfile"]["phoneNumber"] = json!(9_876_543_210_u64);
    let request = TelephonyRequest::parse(body.to_string().as_bytes()).unwrap();
    let message = request.data.message_profile;
    assert_eq!(message.otp_code.unwrap().reveal(), "11111");
    assert_eq!(message.phone_number.as_deref(), Some("9876543210"));
}

#[test]
fn a_request_needs_little_more_than_its_type_and_data() {
    let bare = br#"{"eventType":"com.okta.user.pre-registration","data":{"userProfile":{}}}"#;
    assert_eq!(RegistrationRequest::parse(bare).unwrap().kind(), RegistrationKind::SelfService);
    let bare = br#"{"eventType":"com.okta.oauth2.tokens.transform","data":{}}"#;
    assert!(TokenRequest::parse(bare).is_ok());
    let bare = br#"{"eventType":"com.okta.import.transform","data":{},"new":{"from":"Okta"}}"#;
    assert!(UserImportRequest::parse(bare).is_ok());
}

#[test]
fn a_classic_request_with_a_null_action_and_no_request_type_is_a_sign_up() {
    let request = sign_up_with(|body| {
        body["data"]["action"] = Value::Null;
        body.as_object_mut().unwrap().remove("requestType");
    })
    .unwrap();
    assert_eq!(request.kind(), RegistrationKind::SelfService);
    assert_eq!(request.text("login"), Some("rosario.jones@okta.com"));
}

#[test]
fn submitted_attributes_are_found_in_both_kinds() {
    let update = RegistrationRequest::parse(example!("registration.pp-employee-1234").as_bytes()).unwrap();
    assert_eq!(update.kind(), RegistrationKind::Progressive);
    assert_eq!(update.text("employeeNumber"), Some("1234"));
    assert_eq!(update.existing_profile().unwrap().text("locale"), Some("en_US"));
    let later = sign_up_with(|body| body["requestType"] = json!("something.new")).unwrap();
    assert_eq!(later.kind(), RegistrationKind::Other);
}

#[test]
fn requests_can_be_built_in_the_order_of_the_guide() {
    let mut request = RegistrationRequest::sign_up([("login", "a@okta.com")].into_iter().collect());
    request.event_id = Some("vzYp_zMwQu2htIWRbNJdfw".to_owned());
    assert_eq!(
        serde_json::to_string(&request).unwrap(),
        r#"{"eventId":"vzYp_zMwQu2htIWRbNJdfw","eventType":"com.okta.user.pre-registration","eventTypeVersion":"1.0","contentType":"application/json","cloudEventVersion":"0.1","requestType":"self.service.registration","data":{"userProfile":{"login":"a@okta.com"},"action":"ALLOW"}}"#
    );
    let update = RegistrationRequest::profile_update(User::default(), Attributes::new());
    assert_eq!(RegistrationRequest::parse(serde_json::to_string(&update).unwrap().as_bytes()), Ok(update));
}

fn fault_of<D: RequestData + std::fmt::Debug>(body: &str) -> String {
    HookRequest::<D>::parse(body.as_bytes()).expect_err("this body is at fault").to_string()
}

#[test]
fn errors_name_the_member_at_fault() {
    let registration = r#"{"eventType":"com.okta.user.pre-registration""#;
    for (rest, fault) in [
        ("}", "data is missing"),
        (r#","requestType":"self.service.registration","data":{}}"#, "data.userProfile is missing"),
        (r#","requestType":"progressive.profile","data":{}}"#, "data.userProfileUpdate is missing"),
        (r#","data":{"userProfile":[]}}"#, "data.userProfile must be an object"),
        (r#","data":5}"#, "data must be an object"),
        (r#","data":[null,{"login":"a@okta.com"}]}"#, "data must be an object"),
        (r#","eventId":7,"data":{"userProfile":{}}}"#, "eventId must be a string"),
        (r#","data":{},"data":{}}"#, "data appears more than once"),
        (
            r#","data":{"userProfile":{"login":"a@okta.com","login":"b@evil.example"}}}"#,
            "data.userProfile.login appears more than once",
        ),
    ] {
        assert_eq!(fault_of::<RegistrationData>(&format!("{registration}{rest}")), fault, "{rest}");
    }
    assert_eq!(fault_of::<RegistrationData>("{}"), "eventType is missing");
    assert_eq!(fault_of::<RegistrationData>("[]"), "the body must be an object");
    assert_eq!(fault_of::<RegistrationData>("7"), "the body must be an object");
    assert_eq!(
        fault_of::<PasswordImportData>(
            r#"{"eventType":"com.okta.user.credential.password.import","data":{"context":{"credential":{"username":"a"}}}}"#
        ),
        "data.context.credential.password is missing"
    );
}

#[test]
fn a_request_of_another_type_is_called_that() {
    assert_eq!(fault_of::<TelephonyData>(example!("token")), "eventType is not com.okta.telephony.provider");
    assert_eq!(fault_of::<UserImportData>(example!("token")), "eventType is not com.okta.import.transform");
}

#[test]
fn broken_json_is_blamed_by_line_and_column() {
    let fault = RegistrationRequest::parse(b"{\n  \"eventType\": }").unwrap_err();
    assert_eq!(fault.to_string(), "the body is not well-formed JSON: expected value at line 2 column 16");
    assert!(matches!(RegistrationRequest::parse(b""), Err(RequestError::Malformed { .. })));
    assert!(matches!(RegistrationRequest::parse(&[0xff, 0xfe]), Err(RequestError::Malformed { .. })));
    let deep = format!("{{\"data\":{{\"userProfile\":{{\"a\":{}", "[".repeat(100_000));
    assert!(matches!(RegistrationRequest::parse(deep.as_bytes()), Err(RequestError::Malformed { .. })));
}

#[test]
fn secrets_show_neither_in_debug_output_nor_in_errors() {
    let request = PasswordImportRequest::parse(example!("password-import").as_bytes()).unwrap();
    assert_eq!(request.data.context.credential.password.reveal(), "Okta");
    assert!(!format!("{request:?}").contains(r#""Okta""#));
    let body = r#"{"eventType":"com.okta.user.credential.password.import","data":"hunter2, expected hunter2"}"#;
    assert_eq!(fault_of::<PasswordImportData>(body), "data must be an object");
    let request = TelephonyRequest::parse(example!("telephony").as_bytes()).unwrap();
    assert!(!format!("{request:?}").contains("11111"));
}
