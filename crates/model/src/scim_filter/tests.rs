//! Examples and properties of the grammar and of the operators.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn matches(filter: &str, resource: &Value) -> bool {
    Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}")).matches(resource)
}

fn fault(filter: &str) -> String {
    Filter::parse(filter).unwrap_err().to_string()
}

fn event() -> Value {
    json!({
        "eventType": "inline_hook.created", "severity": "INFO", "published": "2024-05-03T01:23:08.000Z",
        "actor": {"id": "00u1", "alternateId": null, "note": ""},
        "client": {"asNumber": 64500, "ratio": 0.5, "proxy": false},
        "target": [{"id": "cal1", "type": "InlineHook"}, {"id": "00uA", "type": "User"}],
        "nested": [[{"deep": ["x", "y"]}]], "empty": [], "nothing": {},
    })
}

#[test]
fn the_operators_of_the_rfc_hold_for_an_event() {
    for filter in [
        r#"eventType eq "inline_hook.created""#,
        r#"eventType EQ "Inline_Hook.Created" AND target.id eq "cal1""#,
        r#"target.id eq "cal1" and target.id eq "00uA""#,
        r#"actor.id ne "00u2""#,
        r#"eventType sw "inline" and eventType ew "created" and eventType co "HOOK.""#,
        r#"not (severity eq "ERROR") and not(severity eq "WARN")"#,
        r#"severity eq "ERROR" or severity eq "INFO""#,
        r#"severity eq "X" and severity eq "Y" or severity eq "INFO""#,
        r#"severity eq "INFO" and (severity eq "Y" or severity eq "INFO")"#,
        "client.asNumber gt 64499 and client.asNumber le 64500 and client.asNumber eq 64500.0",
        "client.ratio lt 0.75 and client.ratio ge 0.5",
        "client.proxy eq false and client.proxy ne true",
        "client.proxy pr and actor.id pr and target pr and target.id pr",
        "actor.alternateId eq null and actor.missing eq null and actor.id ne null",
        r#"actor.missing ne "x" and not (actor.missing eq "x")"#,
        r#"nested.deep eq "y""#,
        r#"eventType eq "inline\u005fhook.created""#,
    ] {
        assert!(matches(filter, &event()), "{filter}");
    }
    for filter in [
        "actor.alternateId pr or actor.note pr or empty pr or nothing pr or actor.missing pr",
        r#"actor.id eq "00u2""#,
        r#"target eq "cal1" or actor.id.deeper eq "00u1""#,
        r#"client.asNumber eq "64500""#,
        r#"target.id ne "cal1""#,
        r#"actor.missing gt "a" or actor.alternateId co "n""#,
    ] {
        assert!(!matches(filter, &event()), "{filter}");
    }
}

#[test]
fn dates_compare_as_instants_whatever_their_offset() {
    assert!(matches(r#"published eq "2024-05-03T03:23:08+02:00""#, &event()));
    assert!(matches(r#"published gt "2024-05-03" and published lt "2024-05-03T23:00:00-05:00""#, &event()));
    assert!(!matches(r#"published lt "2024-05-03T01:23:08Z""#, &event()));
}

#[test]
fn letter_case_counts_where_a_rule_says_so() {
    let mut filter = Filter::parse(r#"target.id eq "CAL1""#).unwrap();
    assert!(filter.matches(&event()));
    let refused: Result<(), ()> = filter.try_for_each_term(|term| {
        term.set_letter_case(LetterCase::Exact);
        Ok(())
    });
    assert_eq!(refused, Ok(()));
    assert!(!filter.matches(&event()));
}

#[test]
fn a_rule_sees_every_term_and_can_rename_or_refuse_it() {
    let mut filter = Filter::parse(r#"a.b eq "1" and (c pr or not (d co "2"))"#).unwrap();
    let mut seen = Vec::new();
    let result: Result<(), ()> = filter.try_for_each_term(|term| {
        seen.push(format!("{} {}", term.attribute(), term.operator().as_str()));
        term.set_attribute(AttributePath::new("x", [term.attribute().segments()[0].clone()]));
        Ok(())
    });
    assert_eq!(result, Ok(()));
    assert_eq!(seen, ["a.b eq", "c pr", "d co"]);
    assert_eq!(filter.to_string(), r#"x.a eq "1" and (x.c pr or not (x.d co "2"))"#);
    assert_eq!(filter.try_for_each_term(|term| Err(term.operator())), Err(Operator::Equal));
}

#[test]
fn a_filter_is_settled_early_where_the_known_attributes_settle_it() {
    let known = json!({"eventType": "inline_hook.executed"});
    for (filter, foretold) in [
        (r#"eventType eq "inline_hook.created" and target.id eq "cal1""#, Some(false)),
        (r#"eventType sw "inline_hook." and target.id eq "cal1""#, None),
        (r#"eventType sw "inline_hook." or target.id eq "cal1""#, Some(true)),
        (r#"not (eventType eq "inline_hook.executed" or target.id pr)"#, Some(false)),
        (r#"not (eventType eq "user.session.start" or target.id pr)"#, None),
        ("target.id pr", None),
    ] {
        let filter = Filter::parse(filter).unwrap();
        let told = filter.foretell(&known, |attribute| attribute.segments() == ["eventType"]);
        assert_eq!(told, foretold, "{filter}");
    }
}

#[test]
fn faults_name_their_place() {
    for (filter, expected) in [
        ("", "Expected an attribute at position 0, where the filter ends"),
        (
            r#"display_message eqq "Create okta user""#,
            "Unrecognized attribute operator 'eqq' at position 16. Expected: eq,ne,co,sw,ew,pr,gt,ge,lt,le",
        ),
        ("id", "Expected an operator at position 2, where the filter ends"),
        ("id eq", "Expected a quoted string, a number, true, false or null at position 5, where the filter ends"),
        ("id eq 'x'", "Expected a quoted string, a number, true, false or null at position 6, found ''x''"),
        (r#"é eq "x""#, "Expected a letter of an attribute's name at position 0, found 'é'"),
        (r#"id eq "é" ?"#, "Expected 'and', 'or' or the end at position 10, found '?'"),
        (r#"target[id eq "x"]"#, "Expected a letter of an attribute's name at position 6, found '[id'"),
        ("a..b pr", "Expected a letter of an attribute's name at position 2, found '.b'"),
        ("1a pr", "Expected a letter of an attribute's name at position 0, found '1a'"),
        (r#"id eq "x"#, "The string that begins at position 6 has no closing quote"),
        (r#"id eq "\"#, "The string that begins at position 6 has no closing quote"),
        (r#"id eq "\x""#, "The value at position 6 is not valid JSON: JSON has no such escape"),
        ("id eq \"\n\"", "The value at position 6 is not valid JSON: a control character in a string must be escaped"),
        (r#"id eq "\ud800""#, "The value at position 6 is not valid JSON: half of a surrogate pair is no character"),
        ("id eq 01", "The value at position 6 is not valid JSON: this is not how JSON writes a number"),
        ("(id pr", "The parenthesis at position 0 is not closed"),
        ("(id pr))", "Expected 'and', 'or' or the end at position 7, found ')'"),
        ("()", "Expected an attribute at position 1, found ')'"),
        ("id pr and", "Expected an attribute at position 9, where the filter ends"),
        ("not id pr", "Expected '(' after 'not' at position 4, found 'id'"),
        ("a gt true", "The operator 'gt' takes a quoted string or a number, unlike the value at position 5"),
        ("a co 5", "The operator 'co' takes a quoted string, unlike the value at position 5"),
    ] {
        assert_eq!(fault(filter), expected, "{filter}");
    }
}

#[test]
fn depth_and_number_of_terms_are_bounded() {
    let nested = |depth: usize| format!("{}a pr{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(Filter::parse(&nested(MAX_DEPTH)).unwrap().to_string(), "a pr");
    assert_eq!(fault(&nested(MAX_DEPTH + 1)), "Parentheses are nested deeper than 16 at position 16");
    assert_eq!(fault(&"(".repeat(100_000)), "Parentheses are nested deeper than 16 at position 16");
    assert_eq!(fault(&"not (".repeat(100_000)), "Parentheses are nested deeper than 16 at position 84");
    let many = |terms: usize| vec!["a pr"; terms].join(" or ");
    assert!(Filter::parse(&many(MAX_TERMS)).is_ok());
    assert_eq!(Filter::parse(&many(MAX_TERMS + 1)).unwrap_err().fault, FilterFault::TooManyTerms);
}

#[test]
fn a_filter_prints_without_needless_parentheses() {
    for (filter, printed) in [
        ("((a PR))  AND  (b pr and(c pr))", "a pr and b pr and c pr"),
        ("a pr and (b pr or c pr)", "a pr and (b pr or c pr)"),
        ("(a pr and b pr) or (c pr or d pr)", "a pr and b pr or c pr or d pr"),
        ("NOT((a pr))", "not (a pr)"),
        (r#"not eq "1" and not pr"#, r#"not eq "1" and not pr"#),
        ("a eq TRUE or a eq Null or a eq 1E2", "a eq true or a eq null or a eq 100.0"),
        (r#"a eq"\u00e9\/\n""#, r#"a eq "é/\n""#),
    ] {
        assert_eq!(Filter::parse(filter).unwrap().to_string(), printed, "{filter}");
    }
}

fn quoted() -> impl Strategy<Value = String> {
    prop_oneof![
        "[^\u{0}]{0,6}".prop_map(|text| Value::from(text).to_string()),
        Just("\"2024-05-03T01:23:08Z\"".to_owned()),
    ]
}

fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        quoted(),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter_map("JSON has no such number", |number| {
            serde_json::Number::from_f64(number).map(|number| number.to_string())
        }),
        Just("true".to_owned()),
        Just("null".to_owned()),
    ]
}

fn term() -> impl Strategy<Value = String> {
    let path = prop_oneof![Just("a"), Just("b.c"), Just("target.id"), Just("not"), Just("and-1._x")];
    let equality = prop_oneof![Just("eq"), Just("NE")];
    let comparison = prop_oneof![Just("co"), Just("Sw"), Just("ew"), Just("ge"), Just("lt")];
    prop_oneof![
        (path.clone(), equality, literal())
            .prop_map(|(path, operator, literal)| format!("{path} {operator} {literal}")),
        (path.clone(), comparison, quoted()).prop_map(|(path, operator, quoted)| format!("{path} {operator} {quoted}")),
        path.prop_map(|path| format!("{path} pr")),
    ]
}

/// Expressions that fit the grammar, but for those nested too deep.
fn expression() -> impl Strategy<Value = String> {
    term().prop_recursive(6, 48, 4, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} and {right}")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} or {right}")),
            inner.clone().prop_map(|inner| format!("({inner})")),
            inner.prop_map(|inner| format!("not ({inner})")),
        ]
    })
}

fn resource() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z0-9é-]{0,4}".prop_map(Value::from),
        Just(Value::from("2024-05-03T03:23:08+02:00")),
    ];
    let value = leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("a|b|c|id|target", inner, 0..3)
                .prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    });
    prop::collection::btree_map("a|b|target|not", value, 0..4)
        .prop_map(|members| members.into_iter().collect::<Value>())
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in r#"([ab.() "\\0-9\[\]é]|eq|pr|and|or|not| ){0,40}"#) {
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.position <= text.chars().count());
        }
    }

    #[test]
    fn no_text_at_all_makes_the_parser_panic(text in any::<String>()) {
        let _ = Filter::parse(&text);
    }

    #[test]
    fn what_is_printed_reads_as_the_same_filter(text in expression()) {
        if let Ok(filter) = Filter::parse(&text) {
            let printed = filter.to_string();
            let again = Filter::parse(&printed).unwrap();
            prop_assert_eq!(&again, &filter, "{}", printed);
            prop_assert_eq!(again.to_string(), printed);
        }
    }

    #[test]
    fn the_connectives_keep_the_laws_of_logic(left in expression(), right in expression(), resource in resource()) {
        if let (Ok(a), Ok(b)) = (Filter::parse(&left), Filter::parse(&right)) {
            let (a, b) = (a.matches(&resource), b.matches(&resource));
            // A deeper expression may exceed the limit of depth.
            if let Ok(both) = Filter::parse(&format!("({left}) and ({right})")) {
                prop_assert_eq!(both.matches(&resource), a && b);
            }
            if let Ok(either) = Filter::parse(&format!("({left}) or ({right})")) {
                prop_assert_eq!(either.matches(&resource), a || b);
            }
            if let Ok(neither) = Filter::parse(&format!("not ({left}) and not ({right})")) {
                prop_assert_eq!(neither.matches(&resource), !(a || b));
            }
        }
    }

    #[test]
    fn what_is_foretold_from_some_attributes_holds_for_all(text in expression(), resource in resource()) {
        if let Ok(filter) = Filter::parse(&text) {
            let known = json!({"a": resource["a"]});
            let foretold = filter.foretell(&known, |attribute| attribute.segments()[0] == "a");
            prop_assert!(foretold.is_none_or(|verdict| verdict == filter.matches(&resource)));
            prop_assert_eq!(filter.foretell(&resource, |_| true), Some(filter.matches(&resource)));
        }
    }

    #[test]
    fn ne_is_always_the_contrary_of_eq(literal in literal(), resource in resource()) {
        let equal = Filter::parse(&format!("target.id eq {literal}"));
        let different = Filter::parse(&format!("target.id ne {literal}"));
        prop_assert_eq!(equal.is_ok(), different.is_ok());
        if let (Ok(equal), Ok(different)) = (equal, different) {
            prop_assert_ne!(equal.matches(&resource), different.matches(&resource));
        }
    }
}
