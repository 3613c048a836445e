//! What the log answers to questions that make no sense.

use hookwright_testkit::Org;
use serde_json::Value;

use super::logs;
use crate::expectations::refused;

#[tokio::test]
async fn each_refusal_says_what_is_wrong() {
    let org = Org::start().await;
    let long = "x".repeat(41);
    let mut shown = String::new();
    for parameters in [
        [("since", "yesterday"), ("until", "05/11/2023")],
        [("since", ""), ("until", "2023-13-01T00:00:00Z")],
        [("since", "2023-05-01T00:00:00Z"), ("limit", "10")],
        [("limit", "1001"), ("sortOrder", "UP")],
        [("limit", "ten"), ("q", "")],
        [("q", long.as_str()), ("limit", "10")],
        [("q", "a b c d e f g h i j k"), ("limit", "10")],
        [("after", "p.1-0"), ("since", "2023-11-14T00:00:00Z")],
        [("after", "349996bd-5091-45dc-a39f-d357867a30d7"), ("limit", "10")],
        [("after", "p.1-0"), ("until", "2023-11-14T00:00:00Z")],
        [("filter", r#"display_message eqq "Create okta user""#), ("limit", "10")],
        [("filter", r#"some_invalid_field eq "x""#), ("limit", "10")],
        [("filter", r#"published gt "2023-11-14T00:00:00Z""#), ("limit", "10")],
        [("filter", r#"target[id eq "x"]"#), ("limit", "10")],
        [("filter", r#"debugContext.debugData.url co "/oauth/""#), ("limit", "10")],
        [("filter", r#"debugContext.debugData.requestUri co "x""#), ("limit", "10")],
        [("filter", r#"eventType eq "inline_hook.created"#), ("limit", "10")],
    ] {
        let answer = org.client.get(&logs(&parameters)).await;
        let code = answer.refusal().1;
        let causes = refused(&answer, 400, &code);
        let body = answer.json();
        let summary = body.get("errorSummary").and_then(Value::as_str).unwrap_or_default();
        shown.push_str(&format!("{code} {summary}\n"));
        causes.iter().for_each(|cause| shown.push_str(&format!("    {cause}\n")));
    }
    insta::assert_snapshot!(shown, @r#"
    E0000001 Api validation failed: 'since': The date format in your query is not recognized. Please enter dates using ISO8601 string format. 'until': The date format in your query is not recognized. Please enter dates using ISO8601 string format.
        since: The date format in your query is not recognized. Please enter dates using ISO8601 string format.
        until: The date format in your query is not recognized. Please enter dates using ISO8601 string format.
    E0000001 Api validation failed: 'until': The date format in your query is not recognized. Please enter dates using ISO8601 string format.
        until: The date format in your query is not recognized. Please enter dates using ISO8601 string format.
    E0000053 Invalid parameter: The since parameter is over 180 days prior to the current day.
    E0000001 Api validation failed: 'sortOrder': The parameter must be ASCENDING or DESCENDING. 'limit': The parameter must be a number from 0 to 1000.
        sortOrder: The parameter must be ASCENDING or DESCENDING.
        limit: The parameter must be a number from 0 to 1000.
    E0000001 Api validation failed: 'limit': The parameter must be a number from 0 to 1000.
        limit: The parameter must be a number from 0 to 1000.
    E0000001 Api validation failed: 'q': Freeform search cannot contain items longer than 40 characters.
        q: Freeform search cannot contain items longer than 40 characters.
    E0000001 Api validation failed: 'q': Freeform search cannot contain more than 10 items.
        q: Freeform search cannot contain more than 10 items.
    E0000001 Api validation failed: 'after': This parameter can't be combined with 'since'; follow the next link as it is.
        after: This parameter can't be combined with 'since'; follow the next link as it is.
    E0000029 Invalid paging request.
        Invalid cursor.
    E0000029 Invalid paging request.
        Invalid cursor.
    E0000053 Invalid filter 'display_message eqq "Create okta user"': Unrecognized attribute operator 'eqq' at position 16. Expected: eq,ne,co,sw,ew,pr,gt,ge,lt,le
    E0000053 field is not valid: some_invalid_field
    E0000053 field is not valid: published
    E0000053 Invalid filter 'target[id eq "x"]': Expected a letter of an attribute's name at position 6, found '[id'
    E0000031 The supplied combination of operator and field is not currently supported. Operator: co, Field: debugContext.debugData.url
    E0000031 The supplied combination of operator and field is not currently supported. Operator: co, Field: debugContext.debugData.requestUri
    E0000053 Invalid filter 'eventType eq "inline_hook.created': The string that begins at position 13 has no closing quote
    "#);
}
