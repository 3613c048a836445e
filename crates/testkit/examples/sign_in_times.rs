//! Whether the time of a refusal tells who exists: `cargo run --release -p hookwright-testkit --example sign_in_times -- TRIES`.
//!
//! Tries a name that nobody has, a wrong password, and the right password of somebody who is suspended, in turns, each time
//! with a name of its own. Prints how long they took; fails if the means differ by 5 ms or more.

#![expect(clippy::expect_used, reason = "without an answer there is nothing to measure")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use hookwright_app::FlowStart;
use hookwright_model::id::UserId;
use hookwright_model::user::{User, UserStatus};
use hookwright_store::Change;
use hookwright_testkit::Org;
use http::Method;
use secrecy::ExposeSecret;
use serde_json::json;

const PASSWORD: &str = "Correct-horse-7";
const KINDS: [&str; 3] = ["nobody", "wrong", "suspended"];

/// The largest difference of means that nobody could tell from afar.
const TOLERABLE: Duration = Duration::from_millis(5);

fn login(kind: &str, number: u32) -> String {
    format!("{kind}{number}@okta.com")
}

/// So many users of each kind that is there, with one password; its hash is the org's own.
async fn people(org: &Org, tries: u32) {
    let profile = json!({"login": "first@okta.com", "email": "first@okta.com", "firstName": "A", "lastName": "B"});
    let body = json!({"profile": profile, "credentials": {"password": {"value": PASSWORD}}});
    let answer = org.client.post("/api/v1/users", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let first = org.store.user_by_login("first@okta.com").await.expect("a look-up").expect("the user");
    let schema = org.store.user_schema().await.expect("a look-up").expect("a schema");
    for (kind, status) in [("wrong", UserStatus::Active), ("suspended", UserStatus::Suspended)] {
        for number in 0..tries {
            let mut user = User { id: UserId::mint(org.app.entropy()), status, revision: 1, ..first.clone() };
            for attribute in ["login", "email"] {
                user.profile.insert(attribute.to_owned(), login(kind, number).into());
            }
            org.store.commit(vec![Change::insert_user(user, &schema)]).await.expect("a user");
        }
    }
}

/// How long one refusal takes.
async fn refusal(org: &Org, login: &str, password: &str) -> Duration {
    let started = org.app.start_flow(FlowStart::default(), &Default::default()).await.expect("a flow");
    let body = json!({
        "stateHandle": started.state_handle.expose_secret(),
        "identifier": login,
        "credentials": {"passcode": password},
    });
    let request = org.stranger().request(Method::POST, "/idp/idx/identify").json(&body);
    let began = Instant::now();
    let answer = request.send().await;
    let took = began.elapsed();
    assert_eq!(answer.status, 401, "{}", answer.text());
    took
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "the report is what it is run for")]
async fn main() -> ExitCode {
    let tries: u32 = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(200);
    let org = Org::start().await;
    people(&org, tries).await;
    let mut sums = [Duration::ZERO; 3];
    for number in 0..tries {
        for (kind, sum) in KINDS.iter().zip(&mut sums) {
            let password = if *kind == "suspended" { PASSWORD } else { "wrong-password" };
            *sum += refusal(&org, &login(kind, number), password).await;
        }
    }
    let means = sums.map(|sum| sum / tries.max(1));
    for (kind, mean) in KINDS.iter().zip(means) {
        println!("{kind:10} {:.2} ms in the mean of {tries}", mean.as_secs_f64() * 1_000.0);
    }
    let least = means.iter().min().copied().unwrap_or_default();
    let most = means.iter().max().copied().unwrap_or_default();
    let difference = most.saturating_sub(least);
    println!("{:10} {:.2} ms", "difference", difference.as_secs_f64() * 1_000.0);
    if difference < TOLERABLE { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
