//! Many at once: names, revisions, limits, and clients that hang up.

use std::time::{Duration, Instant};

use hookwright_testkit::{ExternalService, Org, OrgOptions, Reply};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::execute::{ALLOW, REGISTRATION, execute, failed, hook_at, payload};
use crate::expectations::{accepted, refused};
use crate::fixtures::{HOOKS, created, hook, id_of, path_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_who_want_one_name_one_gets_it() {
    let org = Org::start().await;
    let mut creating = JoinSet::new();
    for number in 0..64 {
        let client = org.client.clone();
        let name = if number % 2 == 0 { "Wanted" } else { "wANTED" };
        creating.spawn(async move { client.post(HOOKS, &hook(name)).await });
    }
    let answers = creating.join_all().await;
    let winners = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(winners, 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        let causes = refused(answer, 400, "E0000001");
        assert_eq!(causes, ["name: An object with this field already exists in the current organization"]);
    }
    assert_eq!(accepted(&org.client.get(HOOKS).await).as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limit_holds_also_against_many_at_once() {
    let mut options = OrgOptions::default();
    options.settings.inline_hook_limit = 10;
    let org = Org::start_with(options).await;
    let mut creating = JoinSet::new();
    for number in 0..40 {
        let client = org.client.clone();
        creating.spawn(async move { client.post(HOOKS, &hook(&format!("hook {number}"))).await.status.as_u16() });
    }
    let mut statuses = creating.join_all().await;
    statuses.sort_unstable();
    assert_eq!((statuses.iter().filter(|status| **status == 200).count(), statuses[39]), (10, 400));
    assert_eq!(accepted(&org.client.get(HOOKS).await).as_array().map(Vec::len), Some(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_one_hook_lose_nothing_of_each_other() {
    let org = Org::start().await;
    let path = path_of(&created(&org, &hook("contended")).await);
    let mut writing = JoinSet::new();
    for number in 0..48 {
        let (client, path) = (org.client.clone(), path.clone());
        writing.spawn(async move {
            // Three writers whose members don't touch each other, again and again.
            match number % 3 {
                0 => client.post(&path, &json!({"name": format!("name {number}")})).await,
                1 => client.post(&path, &json!({"version": format!("1.0.{number}")})).await,
                _ => client.post(&path, &json!({"metadata": {"number": number.to_string()}})).await,
            }
        });
    }
    let answers: Vec<Value> = writing.join_all().await.iter().map(accepted).collect();
    let last = accepted(&org.client.get(&path).await);
    // Each kind of member has a value that somebody wrote: none was put back to what it was before the race.
    assert!(last["name"].as_str().is_some_and(|name| name.starts_with("name ")));
    assert!(last["version"].as_str().is_some_and(|version| version != "1.0.0"));
    assert!(last["metadata"]["number"].is_string());
    // The last state is one that a writer was shown.
    assert!(answers.contains(&last));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_was_answered_is_seen_by_every_later_read() {
    let org = Org::start().await;
    let path = path_of(&created(&org, &hook("seen")).await);
    // Readers keep the cache busy, so that a stale entry would be found.
    let mut reading = JoinSet::new();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    for _ in 0..4 {
        let (client, path, stopped) = (org.client.clone(), path.clone(), stopped.clone());
        reading.spawn(async move {
            let mut last = 0;
            while !*stopped.borrow() {
                let version = accepted(&client.get(&path).await)["version"].as_str().map(str::to_owned).unwrap();
                let now: i32 = version.rsplit('.').next().unwrap().parse().unwrap();
                assert!(now >= last, "{now} was read after {last}");
                last = now;
            }
        });
    }
    for number in 1..=60 {
        let version = format!("1.0.{number}");
        accepted(&org.client.post(&path, &json!({"version": version})).await);
        assert_eq!(accepted(&org.client.get(&path).await)["version"], version);
    }
    stop.send_replace(true);
    reading.join_all().await;
    for (verb, status) in [("deactivate", "INACTIVE"), ("activate", "ACTIVE"), ("deactivate", "INACTIVE")] {
        accepted(&org.client.post_empty(&format!("{path}/lifecycle/{verb}")).await);
        assert_eq!(accepted(&org.client.get(&path).await)["status"], status);
        let execute = org.client.post(&format!("{path}/execute"), &json!({})).await;
        assert_eq!(execute.refusal().1 == "E0000001", status == "INACTIVE");
    }
    assert_eq!(org.client.delete(&path).await.status, 204);
    refused(&org.client.get(&path).await, 404, "E0000007");
    refused(&org.client.post(&format!("{path}/execute"), &json!({})).await, 404, "E0000007");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_up_during_a_write_leaves_no_old_state_behind() {
    let org = Org::start().await;
    let path = path_of(&created(&org, &hook("hung up")).await);
    for number in 1..=40 {
        accepted(&org.client.get(&path).await);
        let body = json!({"version": format!("1.0.{number}")}).to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: org\r\nAuthorization: SSWS {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            hookwright_testkit::TOKEN,
            body.len()
        );
        let mut stream = org.client.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_micros(number * 100)).await;
        drop(stream);
        // The list asks the database and a get the cache: once the list has shown a write, a get must show it too.
        let listed = accepted(&org.client.get(HOOKS).await)[0]["version"].as_str().map(version_number).unwrap();
        let got = accepted(&org.client.get(&path).await)["version"].as_str().map(version_number).unwrap();
        assert!(got >= listed, "{got} was read after {listed}");
    }
}

fn version_number(version: &str) -> u32 {
    version.rsplit('.').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn with_limits(all: usize, each: usize) -> OrgOptions {
    let mut options = OrgOptions::default();
    options.engine.max_calls = all;
    options.engine.max_calls_per_hook = each;
    options.settings.attempt_timeout = Duration::from_millis(800);
    options
}

/// Waits until the service has seen so many requests.
async fn until_seen(service: &ExternalService, requests: usize) {
    let began = Instant::now();
    while service.requests().len() < requests {
        assert!(began.elapsed() < Duration::from_secs(10), "the service was not asked");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_hook_with_all_its_calls_under_way_fails_at_once_and_others_do_not() {
    let (org, service) = (Org::start_with(with_limits(8, 2)).await, ExternalService::start().await);
    service.on("/slow", [Reply::json(200, ALLOW).after(Duration::from_millis(400))]);
    service.on("/quick", [Reply::json(200, ALLOW)]);
    let slow = hook_at(&org, &service, "/slow", REGISTRATION).await;
    let quick = hook_at(&org, &service, "/quick", REGISTRATION).await;
    let third = async {
        until_seen(&service, 2).await;
        let began = Instant::now();
        let answer = execute(&org, &slow).await;
        assert!(began.elapsed() < Duration::from_millis(300), "{:?}", began.elapsed());
        assert_eq!(execute(&org, &quick).await.text(), ALLOW);
        answer
    };
    let (first, second, third) = tokio::join!(execute(&org, &slow), execute(&org, &slow), third);
    assert_eq!((first.text().as_str(), second.text().as_str()), (ALLOW, ALLOW));
    let causes = failed(&third, &slow, "AT_CAPACITY", 0);
    assert!(causes[0].contains("the limit is 2"), "{causes:?}");
    assert_eq!(service.requests().iter().filter(|request| request.target == "/slow").count(), 2);
    assert_eq!(execute(&org, &slow).await.text(), ALLOW);
    let id = causes[1].trim_start_matches("Execution ");
    let record = crate::executions::record(&org, id).await;
    assert_eq!((&record["verdict"], &record["attempts"]), (&json!("AT_CAPACITY"), &json!([])));
}

#[tokio::test]
async fn the_calls_of_all_hooks_together_have_a_limit_too() {
    let (org, service) = (Org::start_with(with_limits(2, 2)).await, ExternalService::start().await);
    service.on("/slow", [Reply::json(200, ALLOW).after(Duration::from_millis(400))]);
    let slow = hook_at(&org, &service, "/slow", REGISTRATION).await;
    let quick = hook_at(&org, &service, "/quick", REGISTRATION).await;
    let third = async {
        until_seen(&service, 2).await;
        execute(&org, &quick).await
    };
    let (first, second, third) = tokio::join!(execute(&org, &slow), execute(&org, &slow), third);
    accepted(&first);
    accepted(&second);
    let causes = failed(&third, &quick, "AT_CAPACITY", 0);
    assert!(causes[0].contains("of all hooks"), "{causes:?}");
    accepted(&execute(&org, &quick).await);
}

#[tokio::test]
async fn a_call_whose_client_hangs_up_ends_is_recorded_and_frees_its_place() {
    let (org, service) = (Org::start_with(with_limits(8, 1)).await, ExternalService::start().await);
    service.on("/slow", [Reply::json(200, ALLOW).after(Duration::from_millis(300)), Reply::json(200, ALLOW)]);
    let hook = hook_at(&org, &service, "/slow", REGISTRATION).await;
    let body = payload().to_string();
    let request = format!(
        "POST {}/execute HTTP/1.1\r\nHost: org\r\nAuthorization: SSWS {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        path_of(&hook),
        hookwright_testkit::TOKEN,
        body.len()
    );
    let mut stream = org.client.connect().await;
    stream.write_all(request.as_bytes()).await.unwrap();
    until_seen(&service, 1).await;
    drop(stream);
    // Its place is taken as long as the work lasts, whoever waits for it.
    failed(&execute(&org, &hook).await, &hook, "AT_CAPACITY", 0);
    let began = Instant::now();
    let list = loop {
        let path = format!("/hookwright/v1/executions?verdict=ANSWERED&hookId={}", id_of(&hook));
        let list = accepted(&org.client.get(&path).await);
        if list.as_array().is_some_and(|list| !list.is_empty()) {
            break list;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "the call was never recorded");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(list[0]["attempts"].as_array().map(Vec::len), Some(1));
    assert_eq!(execute(&org, &hook).await.text(), ALLOW);
}

#[tokio::test]
async fn a_graceful_stop_lets_a_call_under_way_end_and_takes_no_other() {
    let (mut org, service) = (Org::start().await, ExternalService::start().await);
    service.on("/slow", [Reply::json(200, ALLOW).after(Duration::from_millis(400))]);
    let hook = hook_at(&org, &service, "/slow", REGISTRATION).await;
    let idle = org.client.connect().await;
    let (client, path) = (org.client.clone(), format!("{}/execute", path_of(&hook)));
    let calling = tokio::spawn(async move { client.post(&path, &payload()).await });
    until_seen(&service, 1).await;
    org.begin_to_stop();
    let began = Instant::now();
    while tokio::net::TcpSocket::new_v4().unwrap().connect(org.client.address()).await.is_ok() {
        assert!(began.elapsed() < Duration::from_secs(5), "the stopping org still takes connections");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let answer = calling.await.unwrap();
    assert_eq!(answer.text(), ALLOW);
    let execution = answer.header("x-hookwright-execution-id").to_owned();
    let began = Instant::now();
    let org = org.restart().await;
    // A connection that never asked anything holds nobody up.
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    drop(idle);
    assert_eq!(crate::executions::record(&org, &execution).await["verdict"], "ANSWERED");
}
