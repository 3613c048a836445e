//! People who sign up at an org whose hook is called over a network that delays, loses and cuts, and whose service restarts;
//! the org restarts too. Seeded, on a paused clock.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hookwright_app::{FlowStart, RequestOrigin};
use hookwright_model::flow::{ClientBinding, ClientFace};
use hookwright_model::id::AppId;
use hookwright_testkit::simulation::{SimulatedNetwork, Time, chance, run_seeds, seeds};
use hookwright_testkit::{FixedClock, Org, OrgOptions};
use rand::RngExt as _;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::idx::Idx;
use super::org::{APP, FlowOrg, PASSWORD};

const VISITORS: u64 = 6;
/// How often somebody sends a form that was refused.
const TRIES: usize = 3;
/// Steps of one person at most, refusals included.
const STEPS: usize = 12;

/// Seeds that found a fault once; they are run besides the others for ever.
const KEPT: [u64; 0] = [];

/// What the service says of somebody. It follows from the name, so that no order of events changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allow,
    AllowWithNumber,
    Deny,
    DenyWithReason,
    DoesNotFit,
}

impl Verdict {
    fn of(login: &str) -> Self {
        match login.split('.').next() {
            Some("number") => Self::AllowWithNumber,
            Some("deny") => Self::Deny,
            Some("reason") => Self::DenyWithReason,
            Some("misfit") => Self::DoesNotFit,
            _ => Self::Allow,
        }
    }

    const fn admits(self) -> bool {
        matches!(self, Self::Allow | Self::AllowWithNumber)
    }

    fn answer(self) -> Value {
        let update = |value: Value| json!({"type": "com.okta.user.profile.update", "value": value});
        let action = |word: &str| json!({"type": "com.okta.action.update", "value": {"registration": word}});
        match self {
            Self::Allow => json!({"commands": [action("ALLOW")]}),
            Self::AllowWithNumber => json!({"commands": [update(json!({"employeeNumber": "1234"})), action("ALLOW")]}),
            Self::Deny => json!({"commands": [action("DENY")]}),
            Self::DenyWithReason => {
                json!({"commands": [action("DENY")], "error": {"errorSummary": "No", "errorCauses": [
                    {"errorSummary": "Not you", "reason": "NO", "locationType": "body", "location": "data.userProfile.email",
                     "domain": "end-user"}]}})
            }
            Self::DoesNotFit => json!({"commands": [update(json!({"employeeNumber": 7}))]}),
        }
    }
}

fn login_of(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    body["data"]["userProfile"]["login"].as_str().unwrap().to_owned()
}

/// Somebody who signs up.
struct Visitor {
    login: String,
    interaction: String,
    /// Forms that were sent.
    forms: usize,
    /// Calls of the hook that they may have made.
    calls: usize,
    finished: bool,
    /// Sends each form twice at the same moment.
    doubles: bool,
    /// Leaves after the first form and comes back when the org has restarted.
    pauses: bool,
}

impl Visitor {
    async fn arrive(org: &Org, seed: u64, number: u64) -> Self {
        let mut chance = chance(seed, ("visitor", number));
        let kinds = ["allow", "allow", "number", "deny", "reason", "misfit"];
        let kind = kinds[chance.random_range(0..kinds.len())];
        // Few names: some want one that somebody else wants too.
        let login = format!("{kind}.{}@example.com", chance.random_range(0..3_u32));
        let client = ClientBinding {
            face: ClientFace::Interaction,
            client_id: APP.to_owned(),
            redirect_uri: "https://app.example/cb".to_owned(),
            scope: "openid".to_owned(),
            state: None,
            nonce: None,
            code_challenge: Some("c".to_owned()),
            response_mode: None,
        };
        let start =
            FlowStart { application: Some(AppId::from_text(APP)), client: Some(client), ..FlowStart::default() };
        let started = org.app.start_flow(start, &RequestOrigin::default()).await.unwrap();
        let interaction = started.interaction_handle.expose_secret().to_owned();
        let (doubles, pauses) = (chance.random_ratio(1, 3), chance.random_ratio(1, 3));
        Self { login, interaction, forms: 0, calls: 0, finished: false, doubles, pauses }
    }

    /// Goes on until the end, the last refusal, or the pause.
    async fn go_on(&mut self, org: &Org, time: &Time) {
        let _working = time.actor();
        let mut idx = Idx::introspect(org, &self.interaction).await;
        for _ in 0..STEPS {
            assert!(idx.status < 500, "{}: {} {:#}", self.login, idx.status, idx.body);
            let on_offer: Vec<String> = idx.remediations().into_iter().map(str::to_owned).collect();
            let offers = |name: &str| on_offer.iter().any(|it| it == name);
            if idx.body["successWithInteractionCode"].is_object() {
                self.finished = true;
                break;
            } else if offers("enroll-profile") {
                if self.forms == TRIES || (self.forms == 1 && self.pauses) {
                    break;
                }
                self.forms += 1;
                self.calls += self.send_form(&mut idx).await;
            } else if offers("enroll-authenticator") {
                if self.pauses && self.forms == 1 {
                    break;
                }
                idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": PASSWORD}})).await;
            } else if offers("select-authenticator-enroll") {
                let choices = &idx.remediation("select-authenticator-enroll")["value"];
                let id = choices.pointer("/0/options/0/value/form/value/0/value").unwrap().clone();
                idx.proceed("select-authenticator-enroll", json!({"authenticator": {"id": id}})).await;
            } else {
                idx.proceed("select-enroll-profile", json!({})).await;
            }
        }
    }

    /// Sends the form; gives how many calls of the hook that may have made.
    async fn send_form(&self, idx: &mut Idx) -> usize {
        let profile = json!({"firstName": "Rosario", "lastName": "Jones", "email": self.login});
        if !self.doubles {
            idx.register(profile).await;
            return 1;
        }
        let mut twin = idx.clone();
        tokio::join!(idx.register(profile.clone()), twin.register(profile));
        assert!(twin.status < 500, "{}: {} {:#}", self.login, twin.status, twin.body);
        // The next step is for one of the two; the other finds it by the interaction handle.
        let admitted = idx.status == 200 || twin.status == 200;
        if idx.status == 401 {
            idx.introspect_again().await;
        }
        // IDX has no attempt id: a twin that comes when the first was refused already is a form of its own.
        if admitted { 1 } else { 2 }
    }
}

async fn run(seed: u64) -> Result<(), String> {
    let time = Time::default();
    let working = time.actor();
    let network =
        SimulatedNetwork::new(seed, time.clone(), |body| Verdict::of(&login_of(body)).answer().to_string(), login_of);
    let mut options = OrgOptions { seed, ..OrgOptions::default() };
    options.engine.network = Arc::new(network.clone());
    let clock = std::cell::OnceCell::<Arc<FixedClock>>::new();
    let moved = |by| {
        if let Some(clock) = clock.get() {
            clock.advance(by);
        }
    };
    let world = async {
        let FlowOrg { mut org, service, .. } = FlowOrg::with_options(options, |_| {}).await;
        let _ = clock.set(Arc::clone(&org.clock));
        let mut visitors = Vec::new();
        for number in 0..VISITORS {
            visitors.push(Visitor::arrive(&org, seed, number).await);
        }
        drop(working);
        let first = visitors.iter_mut().map(|visitor| visitor.go_on(&org, &time));
        futures::future::join_all(first).await;
        let working = time.actor();
        org = org.restart().await;
        drop(working);
        let rest = visitors.iter_mut().filter(|visitor| visitor.pauses).map(|visitor| {
            visitor.pauses = false;
            visitor.go_on(&org, &time)
        });
        futures::future::join_all(rest).await;
        network.heal();
        let _working = time.actor();
        let judged = judge(&org, &network, &visitors).await;
        org.stop().await;
        drop(service);
        judged
    };
    time.drive(moved, world).await
}

/// What must hold, whatever happened.
async fn judge(org: &Org, network: &SimulatedNetwork, visitors: &[Visitor]) -> Result<(), String> {
    let event_of = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["eventId"].as_str().unwrap().to_owned();
    let mut calls: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for exchange in network.exchanges() {
        let of_login = calls.entry(login_of(&exchange.body)).or_default();
        *of_login.entry(event_of(&exchange.body)).or_default() += 1;
    }
    let executions = org.client.get("/hookwright/v1/executions?limit=200").await.json();
    let mut recorded = BTreeSet::new();
    for execution in executions.as_array().unwrap() {
        let path = format!("/hookwright/v1/executions/{}", execution["id"].as_str().unwrap());
        let execution = org.client.get(&path).await.json();
        recorded.insert(execution["eventId"].as_str().unwrap_or_default().to_owned());
    }
    let under_way = org.app.metrics_text();
    if !under_way.contains("hookwright_size{of=\"calls_under_way\"} 0") {
        return Err("a call was left behind".to_owned());
    }
    for (login, of_login) in &calls {
        let calls: usize = visitors.iter().filter(|it| it.login == *login).map(|it| it.calls).sum();
        if of_login.len() > calls {
            return Err(format!("{login}: {} calls where there may be {calls}", of_login.len()));
        }
        for (event, requests) in of_login {
            if *requests > 2 {
                return Err(format!("{login}: {requests} requests of call {event}"));
            }
            if !recorded.contains(event) {
                return Err(format!("{login}: call {event} is in no execution"));
            }
        }
    }
    let created = org
        .client
        .get("/api/v1/logs?since=2023-11-01&limit=1000&filter=eventType+eq+%22user.lifecycle.create%22")
        .await
        .json();
    let logins: BTreeSet<&str> = visitors.iter().map(|visitor| visitor.login.as_str()).collect();
    for login in logins {
        let verdict = Verdict::of(login);
        let user = org.store.user_by_login(login).await.unwrap();
        let finished = visitors.iter().filter(|it| it.login == login && it.finished).count();
        let told = created.as_array().unwrap().iter().filter(|it| it["actor"]["alternateId"] == login).count();
        if finished > 1 || finished > usize::from(user.is_some()) || told != usize::from(user.is_some()) {
            return Err(format!("{login}: {finished} finished, {told} events, {user:?}"));
        }
        let Some(user) = user else { continue };
        if !verdict.admits() || !calls.contains_key(login) {
            return Err(format!("{login} is a user, and the service says {verdict:?}"));
        }
        let number = user.profile.get("employeeNumber").cloned().unwrap_or_default();
        if (verdict == Verdict::AllowWithNumber) != (number == "1234") {
            return Err(format!("{login} has the number {number}, and the service says {verdict:?}"));
        }
    }
    Ok(())
}

#[test]
fn whatever_the_network_does_a_user_is_what_the_hook_decided() {
    run_seeds("sign-up", KEPT.into_iter().chain(seeds(200)), run);
}
