//! The example is the code that runs here.

#[path = "../../examples/allow_domain.rs"]
#[expect(dead_code, reason = "main is for people")]
mod allow_domain;

use crate::caller::{Running, request};

#[tokio::test]
async fn the_example_lets_its_domain_in_and_explains_itself_to_others() {
    let service = Running::start(allow_domain::service()).await;
    let mut caller = service.connect().await;
    let secret = "authorization: Basic YWRtaW46c3VwZXJzZWNyZXQ=\r\n";
    let received = caller.post("/hook", secret, request!("registration.ssr-okta-domain")).await;
    assert_eq!(received.body, r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"ALLOW"}}]}"#);
    let received = caller.post("/hook", secret, request!("registration.ssr-example-domain")).await;
    assert!(received.body.contains(r#""DENY""#) && received.body.contains("data.userProfile.email"));
    assert_eq!(caller.post("/hook", "", request!("registration.ssr-okta-domain")).await.status, 401);
}

#[test]
fn the_example_has_at_most_25_lines() {
    assert!(include_str!("../../examples/allow_domain.rs").lines().count() <= 25);
}
