//! The telephony hook: a one-time code is to be sent by text message or voice call.

use serde::{Deserialize, Serialize};

use super::{Confidential, Member, RequestData, RequestDetail, text};
use crate::HookType;

/// `data` of a telephony request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TelephonyData {
    /// Circumstances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<TelephonyContext>,
    /// Whom the code is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_profile: Option<TelephonyUser>,
    /// What to send where.
    pub message_profile: MessageProfile,
}

lenient_objects! {
    /// `data.context` of a telephony request.
    TelephonyContext {
        /// The HTTP request that set off the hook.
        request: RequestDetail,
    }

    /// Whom the code is for.
    TelephonyUser {
        /// First name.
        first_name: String,
        /// Last name.
        last_name: String,
        /// Login.
        login: String,
        /// Okta id.
        user_id: String,
    }

    /// What to send where.
    MessageProfile {
        /// The finished message, code included.
        msg_template: Confidential,
        /// Where to.
        #[serde(deserialize_with = "text::optional")]
        phone_number: String,
        /// When the code ends, RFC 3339.
        otp_expires: String,
        /// `SMS` or voice call.
        delivery_channel: String,
        /// The code alone.
        otp_code: Confidential,
        /// Language of the user.
        locale: String,
    }
}

impl RequestData for TelephonyData {
    const HOOK_TYPE: HookType = HookType::Telephony;
    const ORDER: [Member; 9] = [
        Member::EventId,
        Member::EventTime,
        Member::EventType,
        Member::EventTypeVersion,
        Member::ContentType,
        Member::CloudEventVersion,
        Member::Source,
        Member::RequestType,
        Member::Data,
    ];
}
