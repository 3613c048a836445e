//! A service that repeats the secret it was shown: on no page, in no event, in no record, not in the database.

use hookwright_testkit::Org;
use serde_json::{Value, json};

use super::org::{FlowOrg, PASSWORD};
use crate::fixtures::SECRET;

/// What the secret of the hook may look like: as it was sent, and what is in it.
const FORMS: [&str; 5] =
    [SECRET, "YWRtaW46c3VwZXJzZWNyZXQ", "admin:supersecret", "supersecret", "7375706572736563726574"];

/// Answers in which a registration service repeats it.
fn answers() -> Vec<String> {
    let error = |summary: &str, cause: &str, location: &str| {
        json!({"error": {"errorSummary": summary, "errorCauses": [{"errorSummary": cause, "location": location}]},
            "debugContext": {"got": cause}})
        .to_string()
    };
    let mut answers = Vec::new();
    for form in FORMS {
        answers.push(error(&format!("Not with {form}"), &format!("Got {form}."), "data.userProfile.email"));
        answers.push(error(form, form, "elsewhere"));
        answers.push(json!({"commands": [{"type": form, "value": {}}]}).to_string());
        answers.push(json!({"commands": [{"type": "com.okta.user.profile.update", "value": {form: "x"}}]}).to_string());
        answers.push(
            json!({"commands": [{"type": "com.okta.action.update", "value": {"registration": form}}]}).to_string(),
        );
    }
    answers.push(error("\u{0}super\u{0}secret", "super\u{202e}secret", "data.userProfile.lastName"));
    // The same in other letters.
    answers.push(
        r#"{"error":{"errorSummary":"\u0073upersecret","errorCauses":[{"errorSummary":"supersecre\u0074"}]}}"#
            .to_owned(),
    );
    answers
}

async fn searched(org: &Org, said: &[Value]) {
    let executions = org.client.get("/hookwright/v1/executions?limit=200").await.json();
    let mut places = vec![("the pages", json!(said).to_string().into_bytes())];
    for execution in executions.as_array().expect("a list") {
        let id = execution["id"].as_str().expect("an id");
        places.push(("an execution", org.client.get(&format!("/hookwright/v1/executions/{id}")).await.body.to_vec()));
    }
    places.push(("the System Log", org.client.get("/api/v1/logs?since=2023-11-01&limit=1000").await.body.to_vec()));
    places.push(("the database", org.database_bytes()));
    for (place, bytes) in &places {
        for form in FORMS {
            let at = bytes.windows(form.len()).position(|window| window == form.as_bytes());
            let around =
                at.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(200)..(at + 100).min(bytes.len())]));
            assert_eq!(around, None, "{form} in {place}");
        }
    }
    assert!(
        places.iter().any(|(place, bytes)| *place == "the System Log" && bytes.windows(6).any(|it| it == b"******"))
    );
}

#[tokio::test]
async fn a_secret_that_a_service_repeats_at_sign_up_reaches_nobody() {
    let org = FlowOrg::start().await;
    let answers = answers();
    let texts: Vec<&str> = answers.iter().map(String::as_str).collect();
    org.answers(&texts);
    let mut said = Vec::new();
    let mut idx = org.idx().await;
    idx.proceed("select-enroll-profile", json!({})).await;
    for _ in &answers {
        let rosario = json!({"email": "rosario@okta.com", "firstName": "Rosario", "lastName": "Jones"});
        idx.register(rosario).await;
        assert_eq!(idx.status, 400, "{:#}", idx.body);
        said.push(idx.body.clone());
    }
    assert!(json!(said).to_string().contains("Got ******."), "{said:?}");
    assert_eq!(org.asked().len(), answers.len());
    // Written down whole.
    let FlowOrg { org, .. } = org;
    searched(&org.restart().await, &said).await;
}

#[tokio::test]
async fn a_secret_that_a_service_repeats_at_sign_in_reaches_nobody() {
    let org = FlowOrg::with(|rule| {
        rule.progressive_profiling = true;
        rule.profile_attributes.push(super::org::asking("employeeNumber", true));
    })
    .await;
    org.user("rosario@okta.com").await;
    let answers = answers();
    let texts: Vec<&str> = answers.iter().map(String::as_str).collect();
    org.answers(&texts);
    let mut said = Vec::new();
    let mut idx = org.idx().await;
    idx.sign_in("rosario@okta.com", PASSWORD).await;
    for _ in &answers {
        idx.proceed("enroll-profile", json!({"userProfile": {"employeeNumber": "7"}})).await;
        assert_eq!(idx.status, 400, "{:#}", idx.body);
        said.push(idx.body.clone());
    }
    assert_eq!(org.asked().len(), answers.len());
    let FlowOrg { org, .. } = org;
    searched(&org.restart().await, &said).await;
}
