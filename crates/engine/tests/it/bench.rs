//! What the tests share: an engine, a service and hooks that lead to it.

use std::time::Duration;

use bytes::Bytes;
use hookwright_contract::HookType;
use hookwright_engine::{CallSettings, Engine, EngineOptions, Prepared, Report};
use hookwright_model::Timestamp;
use hookwright_model::address::AddressPolicy;
use hookwright_model::hook_uri::HookUri;
use hookwright_model::id::InlineHookId;
use hookwright_model::inline_hook::InlineHook;
use hookwright_testkit::{ExternalService, Reply};
use serde_json::{Value, json};

/// A timeout that a test can wait for.
pub(crate) const SHORT: Duration = Duration::from_millis(300);
/// A timeout that no test waits for.
pub(crate) const PATIENT: Duration = Duration::from_secs(20);
pub(crate) const BODY: &[u8] = br#"{"eventId":"1"}"#;

pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) service: ExternalService,
    timeout: Duration,
}

pub(crate) fn options() -> EngineOptions {
    EngineOptions { policy: AddressPolicy::for_development(), ..EngineOptions::default() }
}

/// A hook as it may stand in the database: whether it may be called is decided by the engine under test.
pub(crate) fn hook(url: &str, hook_type: HookType, config: &Value) -> InlineHook {
    let mut body = json!({
        "name": "Test", "type": hook_type.as_str(), "version": "1.0.0",
        "channel": {"type": "HTTP", "version": "1.0.0", "config": {"uri": "https://hooks.example.com/"}}
    });
    for (member, value) in config.as_object().unwrap() {
        body["channel"]["config"][member] = value.clone();
    }
    let (id, now) = (InlineHookId::from_text("cal00000000000000001"), Timestamp::from_millis(0));
    let mut hook = InlineHook::create(id, &(&body).into(), &AddressPolicy::default(), now).unwrap();
    hook.channel.uri = HookUri::parse_stored(url).unwrap();
    hook
}

pub(crate) fn registration(url: &str) -> InlineHook {
    hook(url, HookType::Registration, &json!({}))
}

pub(crate) fn patient() -> CallSettings {
    CallSettings { timeout: PATIENT, ..CallSettings::for_type(HookType::Registration) }
}

impl Bench {
    /// A bench whose calls may take as long as a busy machine needs.
    pub(crate) async fn start() -> Self {
        Self::start_within(PATIENT).await
    }

    /// A bench whose attempts have this much time.
    pub(crate) async fn start_within(timeout: Duration) -> Self {
        Self { engine: Engine::new(options()).unwrap(), service: ExternalService::start().await, timeout }
    }

    pub(crate) fn prepare(&self, hook_type: HookType) -> Prepared {
        let hook = hook(&self.service.url("/hook"), hook_type, &json!({}));
        self.engine.prepare(&hook, CallSettings { timeout: self.timeout, ..CallSettings::for_type(hook_type) })
    }

    /// Calls a registration hook whose service answers with these replies in turn.
    pub(crate) async fn call(&self, replies: impl IntoIterator<Item = Reply>) -> Report {
        self.call_as(HookType::Registration, replies).await
    }

    pub(crate) async fn call_as(&self, hook_type: HookType, replies: impl IntoIterator<Item = Reply>) -> Report {
        self.service.on("/hook", replies);
        self.engine.call(&self.prepare(hook_type), Bytes::from_static(BODY)).await
    }
}
