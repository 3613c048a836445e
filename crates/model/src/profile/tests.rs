//! Unit and property tests of the checks of profiles.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::user_schema::{BASE_ATTRIBUTES, Pattern};

fn profile() -> Map<String, Value> {
    let profile = json!({"login": "rosario.jones@okta.com", "email": "rosario.jones@okta.com", "firstName": "Rosario",
        "lastName": "Jones"});
    profile.as_object().unwrap().clone()
}

fn with(name: &str, value: Value) -> String {
    let mut profile = profile();
    profile.insert(name.to_owned(), value);
    check_profile(&UserSchema::default(), &profile, Check::Whole).to_string()
}

#[test]
fn a_profile_that_fits_the_schema_passes() {
    assert_eq!(with("employeeNumber", json!("1234")), "");
    assert_eq!(with("middleName", Value::Null), "");
    assert_eq!(with("secondEmail", json!("")), "");
    assert_eq!(with("firstName", json!("👩‍💻 ‏שלום é")), "");
}

#[test]
fn each_rule_of_an_attribute_is_kept() {
    assert_eq!(with("employeeNumber", json!(1234)), "employeeNumber: The field must be of type string");
    assert_eq!(with("firstName", json!("  ")), "firstName: The field cannot be left blank");
    assert_eq!(with("firstName", json!("x".repeat(51))), "firstName: The field must be 1 to 50 characters long");
    assert_eq!(with("firstName", json!("x".repeat(50))), "");
    assert_eq!(with("firstName", json!("é".repeat(50))), "");
    assert_eq!(with("email", json!("nobody")), "email: Must be in the form of an email address");
    assert_eq!(with("profileUrl", json!("me")), "profileUrl: Must be an address such as https://www.example.com");
    assert_eq!(with("login", json!("nobody")), "login: Username must be in the form of an email address");
    assert_eq!(with("city", json!("a\u{0}")), "city: The field must not contain control characters");
    assert_eq!(with("city", json!("x".repeat(4097))), "city: The field must be at most 4096 characters long");
    assert_eq!(with("notValid", json!("x")), "Property name 'notValid' is not defined in profile");
}

#[test]
fn a_part_of_a_profile_may_lack_what_is_required_but_not_empty_it() {
    let schema = UserSchema::default();
    let part = |part: Value| check_profile(&schema, part.as_object().unwrap(), Check::Given).to_string();
    assert_eq!(part(json!({"city": "Oslo"})), "");
    assert_eq!(part(json!({"lastName": null})), "lastName: The field cannot be left blank");
    assert_eq!(check_profile(&schema, &Map::new(), Check::Whole).iter().count(), 4);
}

#[test]
fn every_kind_of_attribute_takes_its_own_values_only() {
    let of = |kind| Attribute { kind, ..Attribute::custom_text("a", "A") };
    let kinds = [
        (AttributeType::String, json!("x")),
        (AttributeType::Boolean, json!(true)),
        (AttributeType::Number, json!(1.5)),
        (AttributeType::Integer, json!(7)),
        (AttributeType::Array(ItemType::String), json!(["x"])),
        (AttributeType::Array(ItemType::Number), json!([1.5])),
        (AttributeType::Array(ItemType::Integer), json!([7])),
    ];
    for (index, (kind, own)) in kinds.iter().enumerate() {
        assert_eq!(check_value(&of(*kind), own), Ok(()), "{kind:?}");
        for (other_index, (_, value)) in kinds.iter().enumerate() {
            let fits = index == other_index
                || matches!((index, other_index), (2, 3) | (5, 6))
                || value.as_array().is_some_and(Vec::is_empty);
            assert_eq!(check_value(&of(*kind), value).is_ok(), fits, "{kind:?} takes {value}?");
        }
    }
    assert!(check_value(&of(AttributeType::Integer), &json!(2_147_483_648_i64)).is_err());
    assert!(check_value(&of(AttributeType::Integer), &json!(1.0)).is_err());
    assert!(check_value(&of(AttributeType::Array(ItemType::Integer)), &json!(vec![1; 501])).is_err());
}

#[test]
fn bounds_choices_and_patterns_are_kept() {
    let bounded = Attribute {
        kind: AttributeType::Number,
        minimum: Some(1.0),
        maximum: Some(2.5),
        ..Attribute::custom_text("a", "A")
    };
    assert_eq!(check_value(&bounded, &json!(2.5)), Ok(()));
    assert_eq!(check_value(&bounded, &json!(0)), Err("The field must be at least 1".to_owned()));
    assert_eq!(check_value(&bounded, &json!(3)), Err("The field must be at most 2.5".to_owned()));
    let chosen = Attribute { enumeration: Some(vec![json!("S"), json!("M")]), ..Attribute::custom_text("a", "A") };
    assert_eq!(check_value(&chosen, &json!("M")), Ok(()));
    assert!(check_value(&chosen, &json!("m")).is_err());
    let sizes = Attribute { kind: AttributeType::Array(ItemType::String), ..chosen };
    assert_eq!(check_value(&sizes, &json!(["S", "M"])), Ok(()));
    assert!(check_value(&sizes, &json!(["S", "XL"])).is_err());
    let digits = Attribute { pattern: Some(Pattern::parse("[0-9]{4}|x").unwrap()), ..Attribute::custom_text("a", "A") };
    assert_eq!(check_value(&digits, &json!("1234")), Ok(()));
    assert!(check_value(&digits, &json!("12345")).is_err());
}

#[test]
fn a_login_pattern_takes_the_place_of_the_email_form() {
    let mut schema = UserSchema::default();
    schema.set_login_pattern(Some(Pattern::parse(".+").unwrap()));
    let mut profile = profile();
    profile.insert("login".to_owned(), json!("rosario"));
    assert_eq!(check_profile(&schema, &profile, Check::Whole).to_string(), "");
}

#[test]
fn a_merge_overlays_and_null_takes_away() {
    let merged = merged(&profile(), json!({"lastName": null, "city": "Oslo"}).as_object().unwrap());
    assert_eq!(merged.keys().collect::<Vec<_>>(), ["login", "email", "firstName", "city"]);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,60}".prop_map(Value::from),
        "[a-z]{1,8}@[a-z]{1,8}\\.[a-z]{2,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec(("[a-z]{1,4}", inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_profile() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![
        4 => proptest::sample::select(BASE_ATTRIBUTES.to_vec()).prop_map(str::to_owned),
        1 => "[a-zA-Z_]{1,12}",
    ];
    proptest::collection::vec((name, any_value()), 0..8).prop_map(|members| members.into_iter().collect())
}

proptest! {
    #[test]
    fn what_passes_is_texts_of_the_schema_and_passes_again_as_stored(part in any_profile()) {
        let schema = UserSchema::default();
        let mut whole = profile();
        whole.extend(part);
        if check_profile(&schema, &whole, Check::Whole).is_empty() {
            let stored = stored_form(&whole);
            prop_assert!(stored.iter().all(|(name, value)| schema.get(name).is_some() && value.is_string()));
            prop_assert!(check_profile(&schema, &stored, Check::Whole).is_empty());
        }
    }

    #[test]
    fn each_attribute_is_named_once_at_most(part in any_profile()) {
        let violations = check_profile(&UserSchema::default(), &part, Check::Whole);
        let mut fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).filter(|field| !field.is_empty()).collect();
        let count = fields.len();
        fields.dedup();
        prop_assert_eq!(fields.len(), count);
    }

    #[test]
    fn a_whole_profile_that_passes_passes_in_parts_too(part in any_profile()) {
        let schema = UserSchema::default();
        if check_profile(&schema, &part, Check::Whole).is_empty() {
            prop_assert!(check_profile(&schema, &part, Check::Given).is_empty());
        }
    }
}
