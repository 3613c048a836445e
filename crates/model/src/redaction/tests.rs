use proptest::prelude::*;

use super::*;
use crate::channel::Header;

fn request(text: &'static str) -> String {
    let bytes = Bytes::from_static(text.as_bytes());
    let redacted = Redaction::new(Some("api-key")).request(&json::parse(&bytes).unwrap(), &bytes);
    String::from_utf8(redacted.to_vec()).unwrap()
}

#[test]
fn passwords_and_codes_are_masked_wherever_they_stand() {
    assert_eq!(
        request(r#"{"data":{"context":{"credential":{"username":"a","password":"hunter2"}}}}"#),
        r#"{"data":{"context":{"credential":{"username":"a","password":"******"}}}}"#
    );
    let telephony = request(r#"{"data":[{"otpCode":11111,"msgTemplate":"Your code is 11111"}]}"#);
    assert!(!telephony.contains("11111"), "{telephony}");
    let context = request(r#"{"debugContext":{"otp":"11111","session_token":"11111","sessionToken":"11111"}}"#);
    assert!(!context.contains("11111"), "{context}");
}

#[test]
fn a_password_in_a_list_or_an_object_is_masked_and_a_description_is_kept() {
    assert_eq!(
        request(r#"{"credentials":{"password":{"value":"hunter2","hook":{"type":"default"}}}}"#),
        r#"{"credentials":{"password":{"value":"******","hook":{"type":"default"}}}}"#
    );
    assert_eq!(
        request(r#"{"secret":["a",["b"]],"password":{"secret":"c"}}"#),
        r#"{"secret":["******",["******"]],"password":{"secret":"******"}}"#
    );
    let token = r#"{"refresh_token":{"jti":"oarob4a0tckCkGcyo1d6"}}"#;
    assert_eq!(request(token), token);
}

#[test]
fn a_secret_is_found_without_its_scheme_and_in_json_quoting() {
    let basic = Redaction::new(Some("Basic YWRtaW46c2VjcmV0"));
    assert_eq!(basic.text("got YWRtaW46c2VjcmV0, not Basic YWRtaW46c2VjcmV0".to_owned()), "got ******, not ******");
    let quoted = Redaction::new(Some("a\"b\\c"));
    assert_eq!(**quoted.answer(&Bytes::from_static(br#"{"echo":"a\"b\\c"}"#)), *br#"{"echo":"******"}"#);
}

#[test]
fn a_request_without_secrets_keeps_its_bytes() {
    let text = r#"{ "password" : {"note": "an object is no secret"}, "n" : 1.0 }"#;
    assert_eq!(request(text), text);
}

#[test]
fn an_echoed_secret_is_masked_even_in_what_is_no_json() {
    let redaction = Redaction::new(Some("api-key"));
    let masked = redaction.answer(&Bytes::from_static(b"<p>Authorization: api-key</p>"));
    assert_eq!(**masked, *b"<p>Authorization: ******</p>");
    let masked = redaction.answer(&Bytes::from_static(br#"{"PassWord":"x"}"#));
    assert_eq!(**masked, *br#"{"PassWord":"******"}"#);
    let masked = redaction.answer(&Bytes::from_static(br#"{"p\u0061ssword":"x"}"#));
    assert_eq!(**masked, *br#"{"password":"******"}"#);
}

#[test]
fn what_basic_encodes_is_a_secret_too() {
    // admin:hunter2-hunter2
    let redaction = Redaction::new(Some("Basic YWRtaW46aHVudGVyMi1odW50ZXIy"));
    for (said, shown) in [
        ("admin:hunter2-hunter2", "******"),
        ("the password hunter2-hunter2 is old", "the password ****** is old"),
        ("YWRtaW46aHVudGVyMi1odW50ZXIy", "******"),
        ("68756E746572322D68756E74657232", "******"),
        ("the user is admin", "the user is admin"),
    ] {
        let text = redaction.text(said);
        assert!(text.starts_with(shown) && !text.contains("unter2"), "{text}");
    }
    // Without padding, and by another name of the scheme.
    assert_eq!(Redaction::new(Some("basic YTpzZXNhbWUtb3Blbg")).text("sesame-open"), "******");
}

#[test]
fn short_secrets_do_not_shred_texts() {
    assert_eq!(Redaction::new(Some("abc")).text("abc abcabc"), "abc abcabc");
    let short = Redaction::new(Some("test"));
    assert_eq!(short.text("the latest test, tested: \"test\""), "the latest ******, tested: \"******\"");
    assert_eq!(Redaction::new(Some("s3cret")).text("xs3crety"), "x******y");
}

#[test]
fn a_secret_that_was_cut_is_masked_too() {
    let secret = "a-secret-of-more-than-sixteen-characters";
    let redaction = Redaction::new(Some(secret));
    assert_eq!(redaction.text(format!("found \"{}…\"; did you", &secret[..25])), "found \"******…\"; did you");
    assert_eq!(redaction.text(format!("text/{}", &secret[..30])), "text/******");
    // Others may begin as it does, such as every JWT.
    let other = format!("{}-others", &secret[..20]);
    assert_eq!(redaction.text(other.as_str()), other);
}

#[test]
fn escapes_in_json_hide_no_secret() {
    let redaction = Redaction::new(Some("Bearer abc/def+ghi"));
    for answer in
        [r#"{"error":{"errorSummary":"\u0061bc\/def+ghi"}}"#, r#"{"a":"abc\/def+ghi"}"#, r#"{"a":"abc/def\u002Bghi"}"#]
    {
        let answer = Bytes::copy_from_slice(answer.as_bytes());
        let shown = redaction.answer(&answer);
        assert!(String::from_utf8_lossy(&shown).contains(r#""******""#), "{shown:?}");
        assert_eq!(redaction.request(&json::parse(&answer).unwrap(), &answer), shown);
    }
    let innocent = Bytes::from_static(br#"{ "a" : "\u0041" }"#);
    assert_eq!(**redaction.answer(&innocent), innocent);
}

fn channel(uri: &str, headers: &[(&str, &str)]) -> Channel {
    let header = |(key, value): &(&str, &str)| Header { key: (*key).to_owned(), value: (*value).to_owned() };
    let uri = HookUri::parse_stored(uri).unwrap();
    Channel { uri, headers: headers.iter().map(header).collect(), auth: ChannelAuth::None }
}

#[test]
fn keys_in_the_query_and_in_other_headers_are_secrets() {
    let channel = channel(
        "https://hooks.example.com/r?code=qu%2Fery-key-1&tenant=blue-blue&flag&code=&key=short",
        &[("X-Api-Key", "header-key-2"), ("X-Tenant", "a-tenant-name"), ("X-Token", "brief")],
    );
    let redaction = Redaction::of_channel(&channel);
    assert_eq!(
        redaction.uri(&channel.uri),
        "https://hooks.example.com/r?code=******&tenant=******&******&code=&key=******"
    );
    assert_eq!(
        redaction.text("qu/ery-key-1 qu%2Fery-key-1 qu%2fery-key-1 header-key-2 a-tenant-name brief short blue-blue"),
        "****** ****** ****** ****** a-tenant-name brief short blue-blue"
    );
    let plain = HookUri::parse_stored("https://hooks.example.com/r").unwrap();
    assert_eq!(redaction.uri(&plain), "https://hooks.example.com/r");
}

#[test]
fn a_secret_that_is_added_leaves_the_others() {
    let redaction = Redaction::new(Some("first-secret")).and(Some("second-secret")).and(None);
    assert_eq!(redaction.text("first-secret second-secret third"), "****** ****** third");
    assert_eq!(Redaction::NOTHING.text("first-secret"), "first-secret");
}

/// A secret as clients and services write it.
fn written(secret: &str, form: usize) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    match form {
        0 => secret.to_owned(),
        1 => serde_json::Value::from(secret).to_string(),
        2 => url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        3 => secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
        4 => secret.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>().replace('%', ""),
        5 => STANDARD.encode(secret),
        6 => STANDARD.encode(format!("{{\"a\":\"{secret}\"}}")),
        7 => URL_SAFE_NO_PAD.encode(format!("xx{secret}yy")),
        _ => STANDARD.encode(format!("user:{secret}")),
    }
}

proptest! {
    #[test]
    fn no_form_of_a_secret_is_left_and_the_rest_stays(
        secret in "[!-~]{8,60}",
        form in 0_usize..9,
        before in "[é (){}]{0,9}",
        behind in "[é (){}]{0,9}",
    ) {
        let redaction = Redaction::new(Some(&secret));
        let (form, plain) = (written(&secret, form), written(&secret, 0));
        let shown = redaction.text(format!("{before}{form}{behind}"));
        prop_assert!(shown.starts_with(&before) && shown.ends_with(&behind), "{}", shown);
        prop_assert!(shown.contains("******") && !shown.contains(&plain), "{}", shown);
        // What is left of an encoding are the characters that belong to its neighbours, too.
        prop_assert!(shown.chars().count() <= before.chars().count() + behind.chars().count() + 6 + 16, "{}", shown);
        let body = Bytes::from(format!("{before}{form}{behind}"));
        let kept = String::from_utf8_lossy(&redaction.answer(&body)).into_owned();
        prop_assert!(kept.contains("******") && !kept.contains(&plain), "{}", kept);
    }

    #[test]
    fn texts_without_a_secret_are_left_as_they_are(secret in "[!-~]{4,40}", text in "[ -~é…]{0,80}") {
        let redaction = Redaction::new(Some(&secret));
        let shown = redaction.text(text.clone());
        prop_assert_eq!(shown == text.as_str(), !shown.contains("******") || text.contains("******"));
    }
}

#[test]
fn what_a_service_repeats_of_the_requests_secrets_under_other_names_is_taken_out() {
    let text = br#"{"a":[{"otpCode":"313373","password":{"value":"hunter22"},"refresh_token":{"jti":"kept-jti"}}]}"#;
    let of_request = Redaction::new(Some("hook-secret")).of_request(&json::parse(text).unwrap());
    let answer = of_request.answer(&Bytes::from_static(b"<p>313373 hunter22 kept-jti hook-secret</p>"));
    assert_eq!(**answer, *b"<p>****** ****** kept-jti ******</p>");
}
