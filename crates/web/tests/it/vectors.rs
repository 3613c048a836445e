//! Every answer of the contract's vectors, given by a real service to `execute`.

use std::collections::BTreeMap;
use std::path::Path;

use hookwright_testkit::{ExternalService, Org, Reply};
use serde_json::Value;

use crate::execute::{failed, hook_at};
use crate::expectations::accepted;
use crate::fixtures::path_of;

fn vectors() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contract/tests/vectors");
    let files = std::fs::read_dir(folder).expect("the vectors are there").map(|file| file.expect("a file").path());
    let json = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    json.map(|path| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, serde_json::from_slice(&std::fs::read(&path).expect("a readable file")).expect("a vector is JSON"))
    })
    .collect()
}

/// The bytes that the service answers with.
fn body_of(http: &Value) -> Vec<u8> {
    if let Some(text) = http["bodyText"].as_str() {
        return text.into();
    }
    if let Some(template) = http["bodyGenerator"]["template"].as_str() {
        let total = http["bodyGenerator"]["totalBytes"].as_u64().and_then(|total| usize::try_from(total).ok());
        let room = total.expect("a length") - (template.len() - "{{FILLER}}".len());
        let filler = http["bodyGenerator"]["filler"].as_str().expect("a filler").repeat(room);
        return template.replace("{{FILLER}}", &filler[..room]).into();
    }
    http.get("body").map(Value::to_string).unwrap_or_default().into()
}

#[tokio::test]
async fn every_vector_comes_back_unchanged_or_is_refused_for_its_reason() {
    let (org, service) = (Org::start().await, ExternalService::start().await);
    let vectors = vectors();
    let mut hooks: BTreeMap<String, Value> = BTreeMap::new();
    let (mut valid, mut invalid) = (0, 0);
    for (name, vector) in vectors.iter().filter(|(_, vector)| vector["kind"] == "response") {
        let kind = vector["hookType"].as_str().expect("a hook type");
        let path = format!("/{kind}");
        if !hooks.contains_key(kind) {
            hooks.insert(kind.to_owned(), hook_at(&org, &service, &path, kind).await);
        }
        let hook = &hooks[kind];
        let http = &vector["http"];
        let status = http["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status");
        let body = body_of(http);
        service.on(&path, [Reply::json(status, &body)]);
        let request = &vectors[vector["request"].as_str().expect("a request")]["body"];
        let answer = org.client.post(&format!("{}/execute", path_of(hook)), request).await;
        let seen = service.requests().pop().expect("the service was asked");
        assert_eq!(seen.body, request.to_string().as_bytes(), "{name}");
        if vector["expect"]["valid"] == true {
            valid += 1;
            accepted(&answer);
            let expected = if status == 204 { b"{}".to_vec() } else { body };
            assert_eq!(answer.body, expected, "{name}");
        } else {
            invalid += 1;
            match vector["expect"]["reason"].as_str().expect("a reason") {
                "RESPONSE_TOO_LARGE" => drop(failed(&answer, hook, "ANSWER_TOO_LARGE", 1)),
                reason => {
                    let causes = failed(&answer, hook, "INVALID_ANSWER", 1);
                    assert!(causes[0].contains(&format!("attempt(s): {reason}: ")), "{name}: {causes:?}");
                }
            }
        }
    }
    assert!(valid >= 20 && invalid >= 15, "{valid} valid and {invalid} invalid ones");
}
