//! The strict reader: what it takes, what it refuses, and where it points.

use hookwright_contract::json::{MAX_DEPTH, MAX_VALUES, MalformedReason, Value, parse};
use serde_json::json;

fn reason(text: &[u8]) -> MalformedReason {
    parse(text).unwrap_err().reason
}

#[test]
fn values_are_read_with_their_order_and_escapes() {
    let text = r#" {"b":[1,-2,2.5,true,false,null],"a":"x\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é","":{}} "#;
    let value = parse(text.as_bytes()).unwrap();
    let expected = json!({ "b": [1, -2, 2.5, true, false, null], "a": "x\"\\/\u{8}\u{c}\n\r\té😀é", "": {} });
    assert_eq!(value.to_json(), expected);
    let names: Vec<_> = value.as_object().unwrap().iter().map(|(name, _)| name.as_ref()).collect();
    assert_eq!(names, ["b", "a", ""]);
    assert_eq!(serde_json::to_string(&value).unwrap(), serde_json::to_string(&expected).unwrap());
}

#[test]
fn text_without_escapes_is_borrowed() {
    let value = parse(br#"["plain", "esc\naped"]"#).unwrap();
    let Some([Value::String(plain), Value::String(escaped)]) = value.as_array() else { panic!("two strings") };
    assert!(matches!(plain, std::borrow::Cow::Borrowed(_)));
    assert!(matches!(escaped, std::borrow::Cow::Owned(_)));
}

#[test]
fn what_is_not_json_is_refused_with_its_reason() {
    for (text, expected) in [
        ("", MalformedReason::Empty),
        (" \n", MalformedReason::Empty),
        ("\u{FEFF}{}", MalformedReason::ByteOrderMark),
        ("{} x", MalformedReason::TrailingCharacters),
        ("{}{}", MalformedReason::TrailingCharacters),
        ("{", MalformedReason::UnexpectedEnd),
        ("[1", MalformedReason::UnexpectedEnd),
        ("[1,", MalformedReason::UnexpectedEnd),
        ("\"abc", MalformedReason::UnexpectedEnd),
        ("tru", MalformedReason::UnexpectedEnd),
        ("-", MalformedReason::UnexpectedEnd),
        ("1.", MalformedReason::UnexpectedEnd),
        ("[1,]", MalformedReason::TrailingComma),
        ("{\"a\":1,}", MalformedReason::TrailingComma),
        ("[,1]", MalformedReason::Expected("a value")),
        ("[1 2]", MalformedReason::Expected("a comma or the end of the array")),
        ("{\"a\" 1}", MalformedReason::Expected("a colon")),
        ("{a:1}", MalformedReason::Expected("a member name in double quotes")),
        ("{'a':1}", MalformedReason::Expected("a member name in double quotes")),
        ("NaN", MalformedReason::Expected("a value")),
        ("// x\n{}", MalformedReason::Expected("a value")),
        ("<html>", MalformedReason::Expected("a value")),
        ("01", MalformedReason::BadNumber),
        ("+1", MalformedReason::Expected("a value")),
        ("1.e5", MalformedReason::BadNumber),
        ("0x1", MalformedReason::BadNumber),
        ("-a", MalformedReason::BadNumber),
        ("\"\t\"", MalformedReason::ControlCharacter),
        (r#""\x""#, MalformedReason::BadEscape),
        (r#""\u12g4""#, MalformedReason::BadEscape),
        (r#""\u+123""#, MalformedReason::BadEscape),
        (r#""\ud800""#, MalformedReason::LoneSurrogate),
        (r#""\ud800\u0041""#, MalformedReason::LoneSurrogate),
        (r#""\udc00""#, MalformedReason::LoneSurrogate),
        (r#""\u0000""#, MalformedReason::NullCharacter),
        ("12345678901234567890123", MalformedReason::NumberNotExact),
        ("1e400", MalformedReason::NumberNotExact),
        (r#"{"a":1,"b":2,"a":3}"#, MalformedReason::DuplicateMember("a".to_owned())),
        (r#"{"a":1,"\u0061":3}"#, MalformedReason::DuplicateMember("a".to_owned())),
    ] {
        assert_eq!(reason(text.as_bytes()), expected, "{text}");
    }
    assert_eq!(reason(b"{\"a\":\"\xff\"}"), MalformedReason::NotUtf8);
    assert_eq!(reason(b"\"\xed\xa0\x80\""), MalformedReason::NotUtf8);
}

#[test]
fn a_repeated_name_is_found_in_large_objects_too() {
    let members: String = (0..1_000).map(|number| format!("\"member{number}\":{number},")).collect();
    assert!(parse(format!("{{{members}\"last\":1}}").as_bytes()).is_ok());
    for name in ["member0", "member15", "member16", "member999"] {
        let text = format!("{{{members}\"{name}\":1}}");
        assert_eq!(reason(text.as_bytes()), MalformedReason::DuplicateMember(name.to_owned()));
    }
}

#[test]
fn nesting_ends_at_the_limit() {
    let nest = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
    assert_eq!(parse(nest(MAX_DEPTH).as_bytes()).unwrap().depth(), MAX_DEPTH);
    assert_eq!(reason(nest(MAX_DEPTH + 1).as_bytes()), MalformedReason::TooDeep);
    assert_eq!(reason("[".repeat(200_000).as_bytes()), MalformedReason::TooDeep);
    assert_eq!(reason("{\"a\":".repeat(200_000).as_bytes()), MalformedReason::TooDeep);
}

#[test]
fn the_number_of_values_is_bounded() {
    let array = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
    assert!(parse(array(MAX_VALUES - 1).as_bytes()).is_ok());
    assert_eq!(reason(array(MAX_VALUES).as_bytes()), MalformedReason::TooManyValues);
}

#[test]
fn the_place_of_a_fault_is_counted_in_characters() {
    let fault = parse("{\n \"é\": \"😀\" x}".as_bytes()).unwrap_err();
    assert_eq!((fault.line, fault.column), (2, 11));
    assert_eq!(fault.to_string(), "line 2, column 11: expected a comma or the end of the object");
    let first = parse(b"x").unwrap_err();
    assert_eq!((first.line, first.column), (1, 1));
}

#[test]
fn a_pointer_finds_members_and_elements() {
    let value = parse(br#"{"a/b":[{"m~n":1}],"":2}"#).unwrap();
    assert_eq!(value.pointer("/a~1b/0/m~0n").and_then(Value::as_u64), Some(1));
    assert_eq!(value.pointer("/").and_then(Value::as_u64), Some(2));
    assert_eq!(value.pointer(""), Some(&value));
    for nowhere in ["/a~1b/1", "/a~1b/00", "/a~1b/-", "/x", "x", "/a~1b/0/m~0n/x"] {
        assert_eq!(value.pointer(nowhere), None, "{nowhere}");
    }
}
