//! Many who sign up at once: what one network may take from others.

use std::time::Duration;

use hookwright_testkit::{OrgOptions, Reply};
use http::Method;
use serde_json::{Value, json};

use super::idx::Idx;
use super::org::FlowOrg;
use crate::execute::ALLOW;

/// An org behind a proxy, with rate limits.
async fn limited_org(change: impl FnOnce(&mut OrgOptions)) -> FlowOrg {
    let mut options = OrgOptions::default();
    options.settings.rate_limits = true;
    options.settings.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    change(&mut options);
    FlowOrg::with_options(options, |_| {}).await
}

/// Signs somebody up from an address; the status and the answer.
async fn signed_up(org: &FlowOrg, idx: &Idx, email: &str, address: &str) -> (u16, Value) {
    let profile = json!({"email": email, "firstName": "Rosario", "lastName": "Jones"});
    let body = json!({"stateHandle": idx.handle, "userProfile": profile});
    let request = org.org.stranger().request(Method::POST, "/idp/idx/enroll/new").header("X-Forwarded-For", address);
    let answer = request.header("content-type", "application/json").body(body.to_string()).send().await;
    (answer.status.as_u16(), answer.json())
}

/// A flow that stands at the form.
async fn at_the_form(org: &FlowOrg) -> Idx {
    let mut idx = org.idx().await;
    idx.proceed("select-enroll-profile", json!({})).await;
    idx
}

fn said(answer: &Value) -> String {
    answer["messages"]["value"][0]["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_networks_that_fill_a_slow_hook_refuse_nobody_else() {
    let org = limited_org(|options| options.engine.max_calls_per_hook = 32).await;
    org.service.on("/hook", [Reply::json(200, ALLOW).after(Duration::from_millis(300))]);
    let mut attacks = Vec::new();
    for number in 0..40 {
        attacks.push((at_the_form(&org).await, format!("198.51.100.{}", number % 2)));
    }
    let mut honest = Vec::new();
    for number in 0..24 {
        honest.push((at_the_form(&org).await, format!("203.0.113.{number}")));
    }
    let attacks = attacks.iter().enumerate().map(|(number, (idx, address))| {
        let org = &org;
        async move { signed_up(org, idx, &format!("attack-{number}@example.com"), address).await.0 }
    });
    let honest = async {
        // The attackers have all that they get.
        while org.service.requests().len() < 8 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let all = honest.iter().enumerate().map(|(number, (idx, address))| {
            let org = &org;
            async move { signed_up(org, idx, &format!("honest-{number}@example.com"), address).await }
        });
        futures::future::join_all(all).await
    };
    let (attacked, honest) = tokio::join!(futures::future::join_all(attacks), honest);
    let refused = honest.iter().filter(|(status, _)| *status != 200).count();
    assert_eq!(refused, 0, "{honest:?}");
    let admitted = attacked.iter().filter(|status| **status == 200).count();
    assert!((8..40).contains(&admitted), "{admitted} of 40 in the same moment");
    let executions = org.org.client.get("/hookwright/v1/executions?limit=200&verdict=AT_CAPACITY").await.json();
    let reasons = executions.to_string();
    assert!(reasons.contains("of this hook for one client"), "{reasons}");
}

#[tokio::test]
async fn a_network_signs_up_as_often_as_the_limit_says_and_others_go_on() {
    let org = limited_org(|options| options.settings.sign_ups_per_hour = 3).await;
    org.answers(&[ALLOW]);
    let try_from = async |email: &str, address: &str| {
        let idx = at_the_form(&org).await;
        signed_up(&org, &idx, email, address).await
    };
    assert_eq!(try_from("one@example.com", "2001:db8::1").await.0, 200);
    // A form that is not whole counts for nothing.
    assert_eq!(try_from("nonsense", "2001:db8::1").await.0, 400);
    assert_eq!(try_from("two@example.com", "2001:db8::2").await.0, 200);
    // One that tells that a name is taken does.
    org.user("taken@example.com").await;
    assert_eq!(try_from("taken@example.com", "2001:db8::3").await.0, 400);
    let asked = org.asked().len();
    let (status, answer) = try_from("four@example.com", "2001:db8::4").await;
    assert_eq!(
        (status, said(&answer).as_str()),
        (429, "Too many people signed up from here. Please try again in an hour.")
    );
    assert_eq!(org.asked().len(), asked, "the hook is not asked");
    assert!(org.stored("four@example.com").await.is_none());
    assert_eq!(try_from("five@example.com", "2001:db8:0:1::1").await.0, 200, "another network");
    // It holds after a restart, and ends with its hour.
    org.org.clock.advance(Duration::from_secs(3599));
    assert_eq!(try_from("six@example.com", "2001:db8::4").await.0, 429);
    org.org.clock.advance(Duration::from_secs(2));
    assert_eq!(try_from("seven@example.com", "2001:db8::4").await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_from_one_network_are_counted_before_the_hook_is_asked() {
    let org = limited_org(|options| options.settings.sign_ups_per_hour = 5).await;
    org.service.on("/hook", [Reply::json(200, ALLOW).after(Duration::from_millis(100))]);
    let mut forms = Vec::new();
    for _ in 0..20 {
        forms.push(at_the_form(&org).await);
    }
    let all = forms.iter().enumerate().map(|(number, idx)| {
        let org = &org;
        async move { signed_up(org, idx, &format!("a{number}@example.com"), "203.0.113.5").await.0 }
    });
    let statuses = futures::future::join_all(all).await;
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 15, "{statuses:?}");
    assert!(org.asked().len() <= 5);
}

#[tokio::test]
async fn where_rate_limits_are_off_nobody_is_counted() {
    let org = limited_org(|options| {
        options.settings.rate_limits = false;
        options.settings.sign_ups_per_hour = 1;
    })
    .await;
    org.answers(&[ALLOW]);
    for number in 0..3 {
        let idx = at_the_form(&org).await;
        assert_eq!(signed_up(&org, &idx, &format!("a{number}@example.com"), "203.0.113.5").await.0, 200);
    }
}
