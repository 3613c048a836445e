//! Unit tests of the schema.

use serde_json::json;

use super::*;

#[test]
fn a_new_org_has_the_base_attributes_of_live_orgs() {
    let json = UserSchema::default().to_json("https://org");
    let base = &json["definitions"]["base"];
    assert_eq!(base["properties"].as_object().unwrap().keys().collect::<Vec<_>>(), BASE_ATTRIBUTES);
    assert_eq!(base["required"], json!(["login", "firstName", "lastName", "email"]));
    assert_eq!(
        base["properties"]["login"],
        json!({"title": "Username", "type": "string", "required": true, "mutability": "READ_WRITE", "scope": "NONE",
            "minLength": 5, "maxLength": 100, "permissions": [{"principal": "SELF", "action": "READ_ONLY"}],
            "master": {"type": "PROFILE_MASTER"}})
    );
    assert_eq!(base["properties"]["countryCode"]["format"], "country-code");
    assert_eq!(base["properties"]["city"]["permissions"][0]["action"], "HIDE");
    assert_eq!(
        json["definitions"]["custom"],
        json!({"id": "#custom", "type": "object", "properties": {}, "required": []})
    );
    assert_eq!(json["_links"]["type"]["href"], "https://org/api/v1/meta/types/user/otyhookwrightdefault");
}

#[test]
fn hooks_may_set_what_is_in_the_schema_and_never_credentials() {
    let schema = UserSchema::default();
    assert_eq!(schema.attribute("streetAddress"), CommandTarget::Known);
    assert_eq!(schema.attribute("Password"), CommandTarget::Forbidden);
    assert_eq!(schema.attribute("shoeSize"), CommandTarget::Unknown);
    assert_eq!(schema.names().len(), 31);
}

#[test]
fn patterns_match_as_a_whole_and_stay_small() {
    let pattern = Pattern::parse("a|bc").unwrap();
    assert!(pattern.matches("bc") && !pattern.matches("abc"));
    assert!(Pattern::parse("(?=x)y").is_err());
    assert!(Pattern::parse("a)(b").is_err());
    assert!(Pattern::parse("((a{1000}){1000}){1000}").is_err());
}

#[test]
fn an_attribute_offers_its_choices_with_their_names() {
    let mut size = Attribute::custom_text("size", "Size");
    assert_eq!(size.choices(), None);
    size.enumeration = Some(vec![json!("S"), json!(2)]);
    let titles: Vec<String> = size.choices().unwrap().into_iter().map(|choice| choice.title).collect();
    assert_eq!(titles, ["S", "2"]);
}
