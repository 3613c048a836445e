//! What is known of a request from its first byte: its id, its peer, what was counted.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, Once, OnceLock};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use hookwright_app::{App, Forwarded, RateClass, RateState, RequestOrigin};
use hookwright_model::address::Network;
use hookwright_model::client_address::{claimed_address, client_address, counted_address};
use hookwright_model::trace_parent::TraceParent;
use secrecy::SecretString;

use crate::error::ApiError;

/// Whom a proxy was asked by, and that one by whom.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a client calls the device of its visitor (Okta's guide on device context).
const DEVICE_TOKEN: HeaderName = HeaderName::from_static("x-device-token");

/// How long such a name may be. A shorter one could be guessed.
const DEVICE_TOKEN_BYTES: RangeInclusive<usize> = 16..=128;

/// The longest `User-Agent` that is recorded, in bytes.
const USER_AGENT_BYTES: usize = 512;

/// Stands on an answer with a status of refusal that has its own body: the front door leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished;

/// Stands on a refusal that a person looks at, in a browser: the front door makes it a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForPeople;

/// How a request came in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// The client's address, at first that of the connection.
    pub(crate) peer: Option<IpAddr>,
    /// Whom the client says that it was asked by. Nobody else's word stands for it.
    pub(crate) claimed: Option<IpAddr>,
    /// How long its body may take to arrive.
    pub(crate) body_patience: Duration,
}

impl Arrival {
    /// The same with the address of the client behind a trusted proxy.
    pub(crate) fn behind_proxies(self, headers: &HeaderMap, trusted: &[Network]) -> Self {
        let Some(peer) = self.peer else { return self };
        let is_trusted = trusted.iter().any(|network| network.contains(peer));
        match (is_trusted, headers.contains_key(FORWARDED_FOR)) {
            (true, true) => {}
            (false, false) => return self,
            (false, true) => tell_of_untrusted(peer),
            (true, false) => tell_of_silent(peer),
        }
        // A value that is no text is no address either, and ends the chain.
        let forwarded = || headers.get_all(FORWARDED_FOR).iter().map(|value| value.to_str().unwrap_or_default());
        let claimed = claimed_address(peer, forwarded(), trusted);
        Self { peer: Some(client_address(peer, forwarded(), trusted)), claimed, ..self }
    }
}

/// Says once that a proxy that nobody has named tells of clients, since limits count it as one client. Anybody can send such a
/// header, so that it is said once and no more.
fn tell_of_untrusted(peer: IpAddr) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            %peer,
            "X-Forwarded-For came from an address that is no trusted proxy, and counts for nothing: if it is your proxy, name its \
             network in --trusted-proxies, since until then limits count all its clients as one"
        );
    });
}

/// Says once that a trusted proxy does not tell whom it speaks for. Its own look at our health is such a request, too.
fn tell_of_silent(peer: IpAddr) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            %peer,
            "a trusted proxy sent a request without X-Forwarded-For: if it was not its own, let it append the client's address, \
             since limits count all its clients as one"
        );
    });
}

/// One request's own facts, shared by its handler and the front door.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext(Arc<Facts>);

#[derive(Debug)]
struct Facts {
    request_id: String,
    arrival: Arrival,
    rate: OnceLock<RateState>,
}

impl RequestContext {
    pub(crate) fn new(request_id: String, arrival: Arrival) -> Self {
        Self(Arc::new(Facts { request_id, arrival, rate: OnceLock::new() }))
    }

    /// How long the body may take to arrive.
    pub(crate) fn body_patience(&self) -> Duration {
        self.0.arrival.body_patience
    }

    /// The request's id, `req…`.
    pub(crate) fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// The id of an error in this request: the request's own, so that the log line is found by it.
    pub(crate) fn error_id(&self) -> String {
        format!("oae{}", self.request_id().get(3..).unwrap_or_default())
    }

    /// The client's address, as those are counted who have no valid token.
    fn peer_name(&self) -> String {
        self.0.arrival.peer.map_or_else(String::new, |peer| counted_address(peer).to_string())
    }

    /// What a client forwards of its visitor: the address, and what it calls the device.
    pub(crate) fn forwarded(&self, headers: &HeaderMap) -> Forwarded {
        let mut names = headers.get_all(DEVICE_TOKEN).iter().filter_map(|value| value.to_str().ok());
        let device = names.next().filter(|name| DEVICE_TOKEN_BYTES.contains(&name.len()));
        let device = device.filter(|_| names.next().is_none()).map(|name| SecretString::from(name.to_owned()));
        Forwarded { address: self.0.arrival.claimed, device }
    }

    /// Counts a request of somebody who has no token, by address.
    pub(crate) fn count_visit(&self, app: &App, class: RateClass) -> Result<(), ApiError> {
        self.count(app, &self.peer_name(), class)
    }

    /// Counts a request, and keeps what the answer's headers say of it.
    pub(crate) fn count(&self, app: &App, who: &str, class: RateClass) -> Result<(), ApiError> {
        let rate = app.rate_limits().count(who, class, app.now());
        // The first count of a request is the one that its headers tell.
        let _ = self.0.rate.set(rate);
        if rate.exceeded { Err(ApiError::too_many_requests()) } else { Ok(()) }
    }

    /// What the rate limits said of the request, if it was counted.
    pub(crate) fn rate(&self) -> Option<RateState> {
        self.0.rate.get().copied()
    }

    /// Where the request came from, for the records.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> RequestOrigin {
        let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        RequestOrigin {
            request_id: self.0.request_id.clone(),
            api_token_id: None,
            ip_address: self.0.arrival.peer,
            user_agent: user_agent
                .map(|text| text.get(..text.floor_char_boundary(USER_AGENT_BYTES)).unwrap_or_default().to_owned()),
            trace_parent: headers.get("traceparent").and_then(|value| TraceParent::parse(value.to_str().ok()?)),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| ApiError::internal("a request without its context"))
    }
}
