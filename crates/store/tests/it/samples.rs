//! Hooks, tokens, events and executions to store.

use bytes::Bytes;
use hookwright_contract::HookType;
use hookwright_model::Timestamp;
use hookwright_model::api_scope::ApiScopes;
use hookwright_model::api_token::ApiToken;
use hookwright_model::channel::{Channel, ChannelAuth, Header, OAuthClientAuth, OAuthConfig};
use hookwright_model::execution::{Actor, Attempt, Execution, ExecutionSummary, Origin, Trigger, Verdict};
use hookwright_model::hook_settings::HookSettings;
use hookwright_model::hook_uri::HookUri;
use hookwright_model::id::{ApiTokenId, ExecutionId, InlineHookId};
use hookwright_model::inline_hook::InlineHook;
use hookwright_model::lifecycle::LifecycleStatus;
use hookwright_model::shown::{Shown, ShownBody};
use hookwright_model::system_log::{LogEvent, Outcome, Severity, Target};
use secrecy::SecretString;
use serde_json::Map;

use crate::fixture::Seeded;

pub(crate) const SECRET: &str = "the-hook's-secret";

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

pub(crate) fn after(millis: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + millis)
}

pub(crate) fn hook_id(number: u64) -> InlineHookId {
    InlineHookId::from_text(format!("cal{number:017}"))
}

pub(crate) fn hook(number: u64) -> InlineHook {
    let auth = ChannelAuth::Header {
        scheme_type: "HEADER".to_owned(),
        key: "Authorization".to_owned(),
        value: SecretString::from(SECRET.to_owned()),
    };
    InlineHook {
        id: hook_id(number),
        name: format!("Hook {number}"),
        hook_type: HookType::Registration,
        version: "1.0.0".to_owned(),
        status: LifecycleStatus::Active,
        channel: Channel {
            uri: HookUri::parse_stored("https://hooks.example.com/registration?a=b").unwrap(),
            headers: vec![Header { key: "X-One".to_owned(), value: "1".to_owned() }],
            auth,
        },
        settings: HookSettings::default(),
        metadata: None,
        created: NOW,
        last_updated: NOW,
        revision: 1,
    }
}

pub(crate) fn oauth_hook(number: u64, client_auth: OAuthClientAuth) -> InlineHook {
    let mut hook = hook(number);
    hook.channel.auth = ChannelAuth::OAuth(OAuthConfig {
        client_id: "client".to_owned(),
        token_url: HookUri::parse_stored("https://login.example.com/token").unwrap(),
        scope: Some("hooks".to_owned()),
        client_auth,
    });
    hook
}

pub(crate) fn token(number: u8) -> ApiToken {
    ApiToken {
        id: ApiTokenId::from_text(format!("00T{number:017}")),
        name: format!("Token {number}"),
        sha256: [number; 32],
        owner: None,
        scopes: ApiScopes::default(),
        created: after(i64::from(number)),
        last_used: NOW,
        expires: after(1_000),
        revoked: None,
    }
}

pub(crate) fn actor() -> Actor {
    Actor {
        id: "00T1".to_owned(),
        kind: "PublicClientApp".to_owned(),
        display_name: "token".to_owned(),
        alternate_id: "token".to_owned(),
    }
}

pub(crate) fn event(number: u64) -> LogEvent {
    LogEvent {
        uuid: format!("event-{number}"),
        published: after(i64::try_from(number).unwrap()),
        event_type: "inline_hook.created".into(),
        severity: Severity::Info,
        display_message: "Create an inline hook".into(),
        actor: actor(),
        origin: Origin::default(),
        outcome: Outcome { result: "SUCCESS".into(), reason: None },
        targets: vec![Target {
            id: hook_id(number).as_str().to_owned(),
            kind: "InlineHook".into(),
            display_name: format!("Hook {number} \u{1f980}"),
            alternate_id: None,
        }],
        debug_data: Map::new(),
    }
}

/// An execution that began `number` milliseconds after [`NOW`] and took 2 ms.
pub(crate) fn execution(number: u64) -> Execution {
    let began = after(i64::try_from(number).unwrap());
    let attempt = Attempt {
        started_after_us: 10,
        duration_us: 1_900,
        status: Some(200),
        content_type: Some("application/json".into()),
        reused_connection: number.is_multiple_of(2),
        peer: Some("192.0.2.1:443".to_owned()),
        failure: None,
        body: ShownBody::stored(Bytes::from(format!("{{\"answer\":{number}}}"))),
    };
    Execution {
        id: ExecutionId::mint_at(began, &Seeded::new(number)),
        summary: ExecutionSummary {
            hook_id: hook_id(number % 3).as_str().into(),
            hook_name: format!("Hook {}", number % 3),
            hook_type: HookType::Registration,
            url: "https://hooks.example.com/registration".into(),
            trigger: Trigger::Execute,
            actor: actor(),
            origin: Origin {
                request_id: format!("req{number}"),
                api_token_id: None,
                ip_address: None,
                user_agent: None,
                trace_parent: None,
            },
            event_id: Some(Shown::own(format!("event{number}"))),
            request_type: Some("self.service.registration".into()),
            started_ms: began.as_millis(),
            duration_us: 2_000,
            verdict: if number % 10 == 9 { Verdict::TimedOut } else { Verdict::Answered },
            failure: None,
            effect: None,
            attempts: vec![attempt],
        },
        request: ShownBody::stored(Bytes::from(format!("{{\"request\":{number}}}"))),
    }
}
