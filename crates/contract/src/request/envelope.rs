//! The envelope around every hook request: CloudEvents 0.1 members and the `data` of one hook type.

use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use super::{object, text};
use crate::HookType;

/// A request from Okta to an external service, with the `data` of one hook type.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "D: Deserialize<'de>"))]
pub struct HookRequest<D> {
    /// Unique for each event; both attempts of a retried call carry the same one. Okta sends 22 characters.
    #[serde(default)]
    pub event_id: Option<String>,
    /// When the event happened, RFC 3339.
    #[serde(default)]
    pub event_time: Option<String>,
    /// The hook type, such as `com.okta.user.pre-registration`.
    pub event_type: String,
    /// `1.0`.
    #[serde(default, deserialize_with = "text::optional")]
    pub event_type_version: Option<String>,
    /// `application/json`.
    #[serde(default)]
    pub content_type: Option<String>,
    /// `0.1`.
    #[serde(default, deserialize_with = "text::optional")]
    pub cloud_event_version: Option<String>,
    /// Where the event comes from: a URL or an id, depending on the hook type.
    #[serde(default)]
    pub source: Option<String>,
    /// What set off the hook, for hook types that have several occasions (registration and telephony).
    #[serde(default)]
    pub request_type: Option<String>,
    /// What the hook type tells.
    #[serde(deserialize_with = "object::only")]
    pub data: D,
}

/// A member of the envelope, used to say in which order a hook type writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// `eventId`
    EventId,
    /// `eventTime`
    EventTime,
    /// `eventType`
    EventType,
    /// `eventTypeVersion`
    EventTypeVersion,
    /// `contentType`
    ContentType,
    /// `cloudEventVersion`
    CloudEventVersion,
    /// `source`
    Source,
    /// `requestType`
    RequestType,
    /// `data`
    Data,
}

/// The `data` of one hook type.
pub trait RequestData: DeserializeOwned + Serialize {
    /// The hook type.
    const HOOK_TYPE: HookType;

    /// The order of the envelope in Okta's published example of this hook type.
    const ORDER: [Member; 9];

    /// Path of a member that this request cannot do without and does not have.
    fn missing_member(_request: &HookRequest<Self>) -> Option<&'static str> {
        None
    }
}

impl<D: RequestData> HookRequest<D> {
    /// A request with this `data`, Okta's constant members filled in and the others left out.
    pub fn new(data: D) -> Self {
        Self {
            event_id: None,
            event_time: None,
            event_type: D::HOOK_TYPE.as_str().to_owned(),
            event_type_version: Some("1.0".to_owned()),
            content_type: Some("application/json".to_owned()),
            cloud_event_version: Some("0.1".to_owned()),
            source: None,
            request_type: None,
            data,
        }
    }
}

impl<D: RequestData> Serialize for HookRequest<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for member in D::ORDER {
            let (name, value) = match member {
                Member::EventId => ("eventId", &self.event_id),
                Member::EventTime => ("eventTime", &self.event_time),
                Member::EventTypeVersion => ("eventTypeVersion", &self.event_type_version),
                Member::ContentType => ("contentType", &self.content_type),
                Member::CloudEventVersion => ("cloudEventVersion", &self.cloud_event_version),
                Member::Source => ("source", &self.source),
                Member::RequestType => ("requestType", &self.request_type),
                Member::EventType => {
                    map.serialize_entry("eventType", &self.event_type)?;
                    continue;
                }
                Member::Data => {
                    map.serialize_entry("data", &self.data)?;
                    continue;
                }
            };
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}
