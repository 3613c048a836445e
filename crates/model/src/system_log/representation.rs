//! How an event is shown to clients: every member that Okta's `LogEvent` has, those that this org knows nothing of as null.
//!
//! Written straight from the event: each change of the org has one, and a tree of values in between takes five times as long.

use std::net::IpAddr;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{LogEvent, MAX_REASON_CHARACTERS, Target, shortened};
use crate::Timestamp;
use crate::id::{ApiTokenKind, Kind};

/// What is always null.
type Unknown = ();

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'e> {
    actor: Party<'e>,
    client: Client<'e>,
    authentication_context: AuthenticationContext,
    display_message: &'e str,
    event_type: &'e str,
    outcome: ShownOutcome<'e>,
    published: Timestamp,
    security_context: SecurityContext,
    severity: &'static str,
    debug_context: DebugContext<'e>,
    legacy_event_type: Unknown,
    transaction: Transaction<'e>,
    uuid: &'e str,
    version: &'static str,
    request: Request,
    target: Vec<Party<'e>>,
}

/// An actor or a target.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Party<'e> {
    id: &'e str,
    #[serde(rename = "type")]
    kind: &'e str,
    alternate_id: Option<&'e str>,
    display_name: &'e str,
    detail_entry: Unknown,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Client<'e> {
    user_agent: Option<UserAgent<'e>>,
    zone: Unknown,
    device: Unknown,
    id: Unknown,
    ip_address: Option<IpAddr>,
    geographical_context: Unknown,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserAgent<'e> {
    raw_user_agent: &'e str,
    os: Unknown,
    browser: Unknown,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct AuthenticationContext {
    authentication_provider: Unknown,
    credential_provider: Unknown,
    credential_type: Unknown,
    issuer: Unknown,
    interface: Unknown,
    authentication_step: u8,
    external_session_id: Unknown,
    root_session_id: Unknown,
}

#[derive(Serialize)]
struct ShownOutcome<'e> {
    result: &'e str,
    reason: Option<String>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct SecurityContext {
    as_number: Unknown,
    as_org: Unknown,
    isp: Unknown,
    domain: Unknown,
    is_proxy: Unknown,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DebugContext<'e> {
    debug_data: &'e Map<String, Value>,
}

#[derive(Serialize)]
struct Transaction<'e> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: Option<&'e str>,
    detail: TransactionDetail<'e>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct TransactionDetail<'e> {
    #[serde(skip_serializing_if = "Option::is_none")]
    request_api_token_id: Option<&'e str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    ip_chain: Vec<Address>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Address {
    ip: IpAddr,
    geographical_context: Unknown,
    version: &'static str,
    source: Unknown,
}

impl Serialize for LogEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let actor = &self.actor;
        let shown = Shown {
            actor: Party {
                id: &actor.id,
                kind: &actor.kind,
                alternate_id: Some(&actor.alternate_id),
                display_name: &actor.display_name,
                detail_entry: (),
            },
            client: Client {
                user_agent: self.origin.user_agent.as_deref().map(UserAgent::of),
                zone: (),
                device: (),
                id: (),
                ip_address: self.origin.ip_address,
                geographical_context: (),
            },
            authentication_context: AuthenticationContext::default(),
            display_message: &self.display_message,
            event_type: &self.event_type,
            outcome: ShownOutcome { result: &self.outcome.result, reason: self.reason() },
            published: self.published,
            security_context: SecurityContext::default(),
            severity: self.severity.as_str(),
            debug_context: DebugContext { debug_data: &self.debug_data },
            legacy_event_type: (),
            transaction: self.transaction(),
            uuid: &self.uuid,
            version: "0",
            request: Request { ip_chain: self.origin.ip_address.map(Address::of).into_iter().collect() },
            target: self.targets.iter().map(Party::of).collect(),
        };
        shown.serialize(serializer)
    }
}

impl LogEvent {
    /// The reason in the length that clients accept: 1 to 255 characters or none.
    fn reason(&self) -> Option<String> {
        let reason = self.outcome.reason.as_deref().filter(|reason| !reason.is_empty())?;
        Some(shortened(reason, MAX_REASON_CHARACTERS))
    }

    fn transaction(&self) -> Transaction<'_> {
        let id = self.origin.request_id.as_str();
        if id.is_empty() {
            return Transaction { kind: "JOB", id: None, detail: TransactionDetail::default() };
        }
        // What a token did is found by the token, also where the actor is somebody else.
        let old = Some(self.actor.id.as_str()).filter(|id| id.starts_with(ApiTokenKind::PREFIX));
        let token = self.origin.api_token_id.as_deref().or(old);
        Transaction { kind: "WEB", id: Some(id), detail: TransactionDetail { request_api_token_id: token } }
    }
}

impl<'e> Party<'e> {
    fn of(target: &'e Target) -> Self {
        Self {
            id: &target.id,
            kind: &target.kind,
            alternate_id: target.alternate_id.as_deref(),
            display_name: &target.display_name,
            detail_entry: (),
        }
    }
}

impl<'e> UserAgent<'e> {
    fn of(text: &'e str) -> Self {
        Self { raw_user_agent: text, os: (), browser: () }
    }
}

impl Address {
    fn of(address: IpAddr) -> Self {
        let version = if address.is_ipv4() { "V4" } else { "V6" };
        Self { ip: address, geographical_context: (), version, source: () }
    }
}
