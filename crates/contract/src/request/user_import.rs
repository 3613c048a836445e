//! The user import hook: an app's user is about to be created in, or linked to, the org.

use serde_json::Value;

use super::{Attributes, Member, RequestData};
use crate::HookType;

lenient_objects! {
    /// `data` of a user import request.
    UserImportData {
        /// Circumstances.
        context: ImportContext,
        /// What Okta will do unless told otherwise.
        action: ImportAction,
        /// The user as the app knows it.
        app_user: ImportedAppUser,
        /// The user as the org will know it.
        user: ImportedUser,
    }

    /// `data.context` of a user import request.
    ImportContext {
        /// Attributes that clash with those of another user.
        conflicts: Vec<String>,
        /// The app that is imported from.
        application: ImportApplication,
        /// The running import.
        job: ImportJob,
        /// Okta users that match so far.
        matches: Vec<Value>,
        /// Which matching rules apply.
        policy: Vec<String>,
    }

    /// The app that is imported from.
    ImportApplication {
        /// Internal name of the app.
        name: String,
        /// Id of the app.
        id: String,
        /// Name shown to people.
        label: String,
        /// `ACTIVE` or `INACTIVE`.
        status: String,
    }

    /// The running import.
    ImportJob {
        /// Id of the job.
        id: String,
        /// `import:users`, for example.
        #[serde(rename = "type")]
        kind: String,
    }

    /// The default action of a user import.
    ImportAction {
        /// `CREATE_USER` or `LINK_USER`.
        result: String,
    }

    /// The user as the app knows it.
    ImportedAppUser {
        /// Attributes in the app.
        profile: Attributes,
    }

    /// The user as the org will know it.
    ImportedUser {
        /// Id of the matched user, if one matched.
        id: String,
        /// Attributes in the org.
        profile: Attributes,
    }
}

impl RequestData for UserImportData {
    const HOOK_TYPE: HookType = HookType::UserImport;
    const ORDER: [Member; 9] = [
        Member::Source,
        Member::EventId,
        Member::EventTime,
        Member::EventTypeVersion,
        Member::CloudEventVersion,
        Member::EventType,
        Member::ContentType,
        Member::RequestType,
        Member::Data,
    ];
}
