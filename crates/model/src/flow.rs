//! A sign-in flow as data: where somebody stands between the first page and being signed in, and what they may send next.
//!
//! One state machine with two faces: the hosted pages and the IDX endpoints render the same [`Step`] and send the same
//! [`Input`]. What a step does is in the app; nothing here waits or writes.

mod client;
mod code;
mod newcomer;
mod recovery;

use std::fmt;
use std::mem::discriminant;
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Timestamp;
use crate::id::{AppId, UserId};
use crate::registration::{FormField, Message};

pub use client::{ClientBinding, ClientFace, Visitor};
pub use code::{CODE_RETRY_GRACE, FlowCode};
pub use newcomer::Newcomer;
pub use recovery::{
    EMAIL_AUTHENTICATOR, Mailed, PASSWORD_AUTHENTICATOR, RECOVERIES_PER_HOUR, RECOVERIES_PER_MINUTE,
    RECOVERY_CODE_DIGITS, RECOVERY_CODES_PER_NAME, RecoveryPurpose,
};

/// How long a flow waits for its person, counted from its start.
pub const FLOW_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// How long a one-time code that was mailed can be used.
pub const EMAIL_CODE_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// How often a wrong code may be entered before a new one must be asked for.
pub const EMAIL_CODE_TRIES: u32 = 5;

/// How many codes are mailed in one flow.
pub const EMAIL_CODES_PER_FLOW: u32 = 5;

/// How many codes are mailed to one address within [`EMAIL_CODES_WINDOW`], over all flows: with [`EMAIL_CODE_TRIES`] for each,
/// guessing one takes years, and nobody's mailbox is filled.
pub const EMAIL_CODES_PER_ADDRESS: i64 = 10;

/// How many of these one client network can bring about: whoever asks for codes in somebody else's name leaves them some.
pub const EMAIL_CODES_PER_NETWORK: i64 = 5;

/// The window in which the mails to an address are counted.
pub const EMAIL_CODES_WINDOW: Duration = Duration::from_secs(60 * 60);

/// How long somebody must wait between two mails.
pub const EMAIL_CODE_PAUSE: Duration = Duration::from_secs(15);

/// How long the code at the end of a flow can be exchanged for tokens.
pub const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// How many flows of one client network may be open at a time, where limits are on. Each takes a row for an hour, and anybody may
/// begin one. People behind one address finish theirs, and those that ended don't count.
pub const OPEN_FLOWS_PER_NETWORK: i64 = 1_000;

/// How long somebody is told to wait whose network has too many open flows.
pub const OPEN_FLOWS_PAUSE: Duration = Duration::from_secs(60);

/// How many rises in rights a client can follow by its interaction handle, in one flow.
pub const MAX_FOLLOWED_RISES: usize = 32;

/// A flow as it is stored. Of its state handles only the SHA-256 is known here.
#[derive(Clone, PartialEq)]
pub struct Flow {
    /// SHA-256 of the first state handle. Names the flow as long as it lives, and opens nothing after the first rise in rights.
    pub id: [u8; 32],
    /// SHA-256 of the state handle that opens the flow now.
    pub handle: [u8; 32],
    /// SHA-256 of the state handle before the last rise in rights. It opens nothing any longer.
    pub previous: Option<[u8; 32]>,
    /// Names this state of the flow: a form carries it, so that a form sent twice does its work once. Unique over all flows,
    /// and new with each change.
    pub attempt: String,
    /// The app that is signed in to.
    pub application: AppId,
    /// What is kept between requests.
    pub state: FlowState,
    /// When it began.
    pub created: Timestamp,
    /// When it ends, whatever happens.
    pub expires: Timestamp,
    /// Counts the writes. Starts at 1.
    pub revision: i64,
}

/// What a flow remembers, stored as JSON. Holds no password, but the hash of one that a newcomer chose, and no secret that could
/// be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowState {
    /// Where the person stands.
    pub stage: Stage,
    /// The OAuth client that waits for the end, if one does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<ClientBinding>,
    /// The visitor whom a client forwarded that proved itself.
    #[serde(skip_serializing_if = "Visitor::is_nobody", default)]
    pub visitor: Visitor,
    /// What was said about the last input, so that it is there again when the page is loaded anew.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub messages: Vec<Message>,
    /// What was filled in last, if it was refused; never a password.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub values: Map<String, Value>,
    /// When the person proved who they are, in milliseconds since the epoch; absent as long as nobody has. A password that was
    /// set later makes that worthless.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proven_ms: Option<i64>,
    /// The epoch of the user's proofs that the flow rests on. A step that ends everything makes that worthless.
    #[serde(default)]
    pub proof_epoch: i64,
    /// Mails sent so far.
    #[serde(default)]
    pub mails: u32,
    /// How the last input was refused, if it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refusal: Option<RefusalStatus>,
    /// What the state handles were made of besides the ones before them, oldest first: random, and worth nothing alone. All of
    /// them where a client follows by its interaction handle, else the last one.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rises: Vec<String>,
    /// Who is to be a user at the end of the flow, if the flow is about somebody who is none yet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub newcomer: Option<Box<Newcomer>>,
    /// Everything else, as it is kept: sealed under a key that only the state handle leads to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sealed: Option<String>,
}

/// How a refusal is told in HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusalStatus {
    /// The input is wrong: 400.
    Wrong,
    /// Whoever it is, they did not prove it: 401.
    Unproven,
    /// Too many tries: 429.
    TooMany,
}

/// Where the person stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Stage {
    /// At the beginning: name and password, or only the name.
    Identify,
    /// At the password, after the name alone.
    Password {
        /// What was entered as a name, whether or not there is such a user.
        identifier: String,
    },
    /// At the sign-up form.
    SignUp,
    /// At the choice of a password, as a new user or with an expired one.
    SetPassword {
        /// The user.
        user: UserId,
        /// Whether the user was made in this flow.
        is_new: bool,
    },
    /// At the code that was mailed.
    EmailCode {
        /// The user.
        user: UserId,
        /// SHA-256 of the code and the flow's id.
        code_sha256: String,
        /// When the mail was sent, in milliseconds since the epoch.
        sent_ms: i64,
        /// How often a wrong code was entered.
        failures: u32,
    },
    /// At the form for what the profile lacks.
    Progressive {
        /// The user.
        user: UserId,
    },
    /// At the name, as somebody who can't sign in.
    Recovery {
        /// What for.
        purpose: RecoveryPurpose,
    },
    /// At the choice of a proof for a new password.
    RecoveryChoice {
        /// What was entered as a name, whether or not there is such a user.
        identifier: String,
    },
    /// At the code that was mailed, if there is a user of this name who may have one. The flow speaks for nobody yet.
    RecoveryCode {
        /// What for.
        purpose: RecoveryPurpose,
        /// What was entered as a name, whether or not there is such a user.
        identifier: String,
        /// Whom it was mailed to, if it was mailed.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        mailed: Option<Mailed>,
        /// When it was asked for, in milliseconds since the epoch.
        sent_ms: i64,
        /// How often a wrong code was entered.
        failures: u32,
    },
    /// At the new password, after a proof that was no password.
    ResetPassword {
        /// The user.
        user: UserId,
        /// SHA-256 of the token of the link that led here. The link is used up by the new password.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        link_sha256: Option<[u8; 32]>,
    },
    /// The lock is gone: the end, without anybody being signed in.
    Unlocked {
        /// What was entered as a name.
        identifier: String,
    },
    /// Signed in.
    Done {
        /// The user.
        user: UserId,
        /// When the user proved who they are, in milliseconds since the epoch.
        authenticated_ms: i64,
        /// SHA-256 of the code that the client gets, in hexadecimal digits; absent where there is no client.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        code_sha256: Option<String>,
    },
}

impl Stage {
    /// The user that the flow knows by now.
    #[must_use]
    pub const fn user(&self) -> Option<&UserId> {
        match self {
            Self::Identify
            | Self::Password { .. }
            | Self::SignUp
            | Self::Recovery { .. }
            | Self::RecoveryChoice { .. }
            | Self::RecoveryCode { .. }
            | Self::Unlocked { .. } => None,
            Self::SetPassword { user, .. }
            | Self::EmailCode { user, .. }
            | Self::ResetPassword { user, .. }
            | Self::Progressive { user }
            | Self::Done { user, .. } => Some(user),
        }
    }

    /// Whether whoever is at the next stage may do more than at this one: the flow speaks for somebody there, and did not or
    /// did so at another stage before. The state handle must be another one then, so that nobody who knew the one of before
    /// gains by what somebody else proved.
    #[must_use]
    pub fn rises_to(&self, next: &Self) -> bool {
        next.user().is_some() && (discriminant(self) != discriminant(next) || self.user() != next.user())
    }
}

impl FlowState {
    /// The beginning of a flow.
    #[must_use]
    pub fn beginning(client: Option<ClientBinding>) -> Self {
        let (messages, values) = (Vec::new(), Map::new());
        Self {
            stage: Stage::Identify,
            client,
            visitor: Visitor::default(),
            messages,
            values,
            proven_ms: None,
            proof_epoch: 0,
            mails: 0,
            refusal: None,
            rises: Vec::new(),
            newcomer: None,
            sealed: None,
        }
    }

    /// Whether it holds anything that a person typed or that is about somebody, and must not be kept in the clear. A password
    /// may have been typed into any field.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        let is_at_the_door = matches!(self.stage, Stage::Identify | Stage::SignUp);
        !is_at_the_door || !self.values.is_empty() || !self.messages.is_empty()
    }

    /// What is to be sealed: all but what the client asked for, and what leads to the state handle.
    #[must_use]
    pub fn to_seal(&self) -> Self {
        Self { client: None, rises: Vec::new(), sealed: None, ..self.clone() }
    }

    /// The same as it is kept.
    #[must_use]
    pub fn kept_as(self, sealed: String) -> Self {
        Self { rises: self.rises, sealed: Some(sealed), ..Self::beginning(self.client) }
    }

    /// The whole state again.
    #[must_use]
    pub fn opened(self, unsealed: Self) -> Self {
        Self { client: self.client, rises: self.rises, sealed: None, ..unsealed }
    }

    /// Whether a client leads the person through by itself, so that its interaction handle must open the flow all the time.
    #[must_use]
    pub fn is_led_by_client(&self) -> bool {
        self.client.as_ref().is_some_and(|client| client.face == ClientFace::Interaction)
    }

    /// The same after a rise in rights.
    #[must_use]
    pub fn risen(mut self, rise: String) -> Self {
        // Where there are too many, those before are forgotten: the interaction handle opens nothing any longer then.
        if !self.is_led_by_client() || self.rises.len() >= MAX_FOLLOWED_RISES {
            self.rises.clear();
        }
        self.rises.push(rise);
        self
    }

    /// The same flow at another stage, with nothing to say. What was proved is forgotten where the stage is about nobody.
    #[must_use]
    pub fn at(&self, stage: Stage) -> Self {
        let proven_ms = self.proven_ms.filter(|_| stage.user().is_some());
        // Whoever goes back, and whoever is a user by now, leaves no profile behind.
        let is_on_the_way = matches!(stage, Stage::SetPassword { is_new: true, .. } | Stage::EmailCode { .. });
        let newcomer = self.newcomer.clone().filter(|_| is_on_the_way);
        Self { stage, proven_ms, newcomer, messages: Vec::new(), values: Map::new(), refusal: None, ..self.clone() }
    }

    /// The same after somebody proved who they are, in this epoch of theirs.
    #[must_use]
    pub fn proven_at(self, instant: Timestamp, proof_epoch: i64) -> Self {
        Self { proven_ms: Some(instant.as_millis()), proof_epoch, ..self }
    }

    /// When the person proved who they are.
    #[must_use]
    pub fn proven(&self) -> Option<Timestamp> {
        self.proven_ms.map(Timestamp::from_millis)
    }

    /// The same flow at the same stage, after a refusal.
    #[must_use]
    pub fn refused(&self, status: RefusalStatus, messages: Vec<Message>, values: Map<String, Value>) -> Self {
        Self { messages, values, refusal: Some(status), ..self.clone() }
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Flow").field("stage", &self.state.stage).field("revision", &self.revision).finish()
    }
}

/// What the person sees next. Both faces render it.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Name and password.
    Identify {
        /// Whether there is a way to sign up.
        sign_up: bool,
    },
    /// The password alone.
    Password {
        /// The name that was entered.
        identifier: String,
        /// Whether there is a way to sign up.
        sign_up: bool,
    },
    /// The sign-up form.
    SignUp {
        /// Its fields.
        fields: Vec<FormField>,
        /// Whether it asks for the password too.
        password: bool,
    },
    /// A password to choose.
    SetPassword {
        /// Whose.
        identifier: String,
        /// Whether the account is a new one.
        is_new: bool,
    },
    /// The code that was mailed.
    EmailCode {
        /// Where to, with most of it covered.
        address: String,
    },
    /// The form for what the profile lacks.
    Progressive {
        /// Whose.
        identifier: String,
        /// Its fields.
        fields: Vec<FormField>,
        /// Whether it may be passed over.
        may_skip: bool,
    },
    /// The name, from somebody who can't sign in.
    Recovery {
        /// What for.
        purpose: RecoveryPurpose,
    },
    /// The choice of a proof.
    RecoveryChoice {
        /// The name that was entered.
        identifier: String,
        /// Whether there is a way to sign up.
        sign_up: bool,
    },
    /// The code that was mailed, if there is somebody to mail it to.
    RecoveryCode {
        /// What for.
        purpose: RecoveryPurpose,
        /// The name that was entered.
        identifier: String,
    },
    /// A new password for the one that was forgotten, or the first one of an account that is activated.
    ResetPassword {
        /// The user.
        user: UserId,
        /// What the user signs in with.
        identifier: String,
        /// Whether the account waits for its first password.
        is_first: bool,
    },
    /// The account is unlocked.
    Unlocked {
        /// The name that was entered.
        identifier: String,
    },
    /// Signed in.
    Done {
        /// The user.
        user: UserId,
        /// What the user signs in with.
        identifier: String,
    },
}

/// What the person sends.
#[derive(Debug, Clone)]
pub enum Input {
    /// A name, perhaps with the password.
    Identify {
        /// The name.
        identifier: String,
        /// The password, if it was asked for on the same page.
        password: Option<SecretString>,
        /// The secret of the browser, if somebody signed in with it before.
        device: Option<SecretString>,
    },
    /// The password after the name, or the one that is chosen.
    Password {
        /// The password.
        password: SecretString,
        /// The secret of the browser, if somebody signed in with it before.
        device: Option<SecretString>,
    },
    /// "Sign up".
    StartSignUp,
    /// The sign-up form.
    SignUp {
        /// What was filled in.
        profile: Map<String, Value>,
        /// The password, if the form asked for it.
        password: Option<SecretString>,
    },
    /// The form for what the profile lacks.
    Progressive {
        /// What was filled in.
        profile: Map<String, Value>,
    },
    /// The code that was mailed.
    EmailCode(SecretString),
    /// "Send it again".
    ResendCode,
    /// "Forgot password?"
    Recover,
    /// "Unlock account?"
    Unlock,
    /// A proof that was chosen.
    Choose {
        /// The id of the authenticator.
        authenticator: String,
        /// The name, where the same form asks for it.
        identifier: Option<String>,
    },
    /// "Skip".
    Skip,
    /// "Already have an account?"
    SelectIdentify,
    /// From the beginning.
    Cancel,
}

/// An address with most of it covered: enough to recognise, too little to learn.
#[must_use]
pub fn covered(address: &str) -> String {
    let Some((name, domain)) = address.rsplit_once('@') else { return "•••".to_owned() };
    let first = name.chars().next().map(String::from).unwrap_or_default();
    format!("{first}•••@{domain}")
}

#[cfg(test)]
mod tests;
