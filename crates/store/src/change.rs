//! Changes as data, so that they can be grouped, retried and simulated.

use hookwright_model::Timestamp;
use hookwright_model::admin_role::RoleAssignment;
use hookwright_model::api_token::ApiToken;
use hookwright_model::application::Application;
use hookwright_model::enrollment_policy::EnrollmentPolicy;
use hookwright_model::execution::Execution;
use hookwright_model::group::Group;
use hookwright_model::hook_key::HookKey;
use hookwright_model::id::{
    AdminRoleId, ApiTokenId, AppId, GroupId, HookKeyId, InlineHookId, PolicyId, SigningSecretId, TrustedOriginId,
    UserId,
};
use hookwright_model::inline_hook::InlineHook;
use hookwright_model::signing_secret::SigningSecret;
use hookwright_model::system_log::LogEvent;
use hookwright_model::trusted_origin::TrustedOrigin;
use hookwright_model::user::User;
use hookwright_model::user_schema::{UniqueValue, UserSchema};
use secrecy::SecretSlice;

use crate::flow_change::FlowChange;
use crate::oauth_change::OAuthChange;

/// One change of the org. A commit holds several, all or nothing, in this order.
#[derive(Debug, Clone)]
pub enum Change {
    /// A new hook; [`Conflict::NameTaken`] or [`Conflict::LimitReached`] if it can't be, [`Conflict::Reference`] if its hook
    /// key is gone.
    InsertInlineHook {
        /// The hook; its `revision` is stored as it is.
        hook: InlineHook,
        /// How many hooks there may be, this one included.
        limit: u64,
    },
    /// The hook with this id gets all these values and the next revision, if its stored revision is still this one;
    /// [`Conflict::Stale`] otherwise, [`Conflict::NameTaken`] if another hook has the name, [`Conflict::Reference`] if its
    /// hook key is gone.
    UpdateInlineHook(InlineHook),
    /// The hook goes, if its revision is still this one; [`Conflict::Stale`] otherwise, [`Conflict::Reference`] if a policy
    /// uses it.
    DeleteInlineHook {
        /// The hook.
        id: InlineHookId,
        /// The revision that was read.
        revision: i64,
    },
    /// A new hook key; [`Conflict::NameTaken`] or [`Conflict::LimitReached`] if it can't be.
    InsertHookKey {
        /// The key.
        key: Box<HookKey>,
        /// Its private half (PKCS #8); sealed before it is stored.
        private_key: SecretSlice<u8>,
        /// How many keys there may be, this one included.
        limit: u64,
    },
    /// The key gets this name, this date and the next revision; [`Conflict::Stale`] or [`Conflict::NameTaken`].
    UpdateHookKey(Box<HookKey>),
    /// The key goes, if its revision is still this one; [`Conflict::Stale`] otherwise, [`Conflict::Reference`] if a hook
    /// uses it.
    DeleteHookKey {
        /// The key.
        id: HookKeyId,
        /// The revision that was read.
        revision: i64,
    },
    /// A new signing secret of a hook of this revision, which gets the next one; [`Conflict::Stale`] if its revision is
    /// another by now.
    InsertSigningSecret {
        /// The secret's description.
        description: Box<SigningSecret>,
        /// The secret; sealed before it is stored.
        secret: SecretSlice<u8>,
        /// The revision of the hook that was read.
        hook_revision: i64,
        /// When the hook's other secrets end, unless they end before; `None` leaves them as they are.
        others_end: Option<Timestamp>,
    },
    /// The signing secret goes, and its hook gets the next revision; [`Conflict::Stale`] if one of them is gone, or the hook's
    /// revision is another by now.
    DeleteSigningSecret {
        /// The secret.
        id: SigningSecretId,
        /// The hook.
        hook_id: InlineHookId,
        /// The revision of the hook that was read.
        hook_revision: i64,
    },
    /// A new token; [`Conflict::TokenExists`] if its id or hash is there already.
    InsertApiToken(ApiToken),
    /// A token was used: moves its dates forward, never back. Never a conflict, since the use has happened.
    TouchApiToken {
        /// The token.
        id: ApiTokenId,
        /// When it was used.
        last_used: Timestamp,
        /// When it dies if it is not used again.
        expires: Timestamp,
    },
    /// A token ends; [`Conflict::Stale`] if there is none or it was revoked before.
    RevokeApiToken {
        /// The token.
        id: ApiTokenId,
        /// When it ends.
        at: Timestamp,
    },
    /// All tokens of a user end that have not ended yet. Never a conflict.
    RevokeApiTokensOfUser {
        /// The user.
        user: UserId,
        /// When they end.
        at: Timestamp,
    },
    /// Tokens that belong to nobody belong to this user from now on, unless they were revoked: those of a database from before
    /// tokens had owners.
    AdoptApiTokens {
        /// The user.
        user: UserId,
    },
    /// A user gets a role; [`Conflict::AlreadyThere`] if the user has it, [`Conflict::Reference`] if the user is gone.
    InsertUserRole(RoleAssignment),
    /// A user loses a role; [`Conflict::Stale`] if it is gone.
    DeleteUserRole {
        /// The assignment.
        id: AdminRoleId,
        /// The user who has it.
        user: UserId,
    },
    /// Goes before changes that may take an administrator away, so that others who do the same wait.
    LockAdministrators,
    /// Goes after such changes: [`Conflict::LastAdministrator`] if no super administrator is left whose account is in force.
    KeepAnAdministrator,
    /// The schema of a new org; [`Conflict::AlreadyThere`] if it has one.
    InsertUserSchema(UserSchema),
    /// The schema gets these attributes and the next revision; [`Conflict::Stale`] if its revision is another by now.
    UpdateUserSchema(UserSchema),
    /// Notes a value of a user of this revision as one that no other may have; [`Conflict::UniqueTaken`] if another has it,
    /// nothing happens if the user has changed meanwhile.
    ClaimValue {
        /// The user.
        user: UserId,
        /// The revision that the value was read from.
        revision: i64,
        /// The value.
        value: UniqueValue,
    },
    /// Forgets which users have which values of an attribute: it need not be unique any longer.
    ReleaseValues {
        /// The attribute.
        attribute: String,
    },
    /// A new user; [`Conflict::LoginTaken`], [`Conflict::UniqueTaken`], or [`Conflict::SchemaChanged`] if the schema has
    /// another revision by now.
    InsertUser {
        /// The user.
        user: Box<User>,
        /// The values that no other user may have, the login aside.
        values: Vec<UniqueValue>,
        /// The revision of the schema that the profile was checked against.
        schema_revision: i64,
    },
    /// The user gets all these values and the next revision, the profile too; conflicts as for a new user, and
    /// [`Conflict::Stale`] if the revision is another by now.
    UpdateUserProfile {
        /// The user.
        user: Box<User>,
        /// The values that no other user may have, the login aside.
        values: Vec<UniqueValue>,
        /// The revision of the schema that the profile was checked against.
        schema_revision: i64,
    },
    /// The user gets this status, password, these dates and the next revision; the profile stays as it is.
    /// [`Conflict::Stale`] if the revision is another by now.
    UpdateUser(Box<User>),
    /// The user signed in; moves the date forward only, and makes no new revision. [`Conflict::Stale`] if what was proved in this
    /// epoch counts no longer.
    NoteSignIn {
        /// The user.
        id: UserId,
        /// The epoch that the user proved who they are in.
        proof_epoch: i64,
        /// When.
        at: Timestamp,
    },
    /// The user goes for good, if the revision is still this one; [`Conflict::Stale`] otherwise.
    DeleteUser {
        /// The user.
        id: UserId,
        /// The revision that was read.
        revision: i64,
    },
    /// A new group; [`Conflict::NameTaken`].
    InsertGroup(Group),
    /// The group gets this name and description and the next revision; [`Conflict::Stale`] or [`Conflict::NameTaken`].
    UpdateGroup(Group),
    /// The group goes; [`Conflict::Stale`], or [`Conflict::Reference`] if a policy adds people to it.
    DeleteGroup {
        /// The group.
        id: GroupId,
        /// The revision that was read.
        revision: i64,
    },
    /// The user is in the group from now on, if not before; [`Conflict::Reference`] if one of them is gone.
    AddGroupMember {
        /// The group.
        group: GroupId,
        /// The user.
        user: UserId,
    },
    /// The user is in the group no longer.
    RemoveGroupMember {
        /// The group.
        group: GroupId,
        /// The user.
        user: UserId,
    },
    /// Moves the date of a group's last change of members forward.
    TouchGroupMembership {
        /// The group.
        group: GroupId,
        /// When.
        at: Timestamp,
    },
    /// A new policy; [`Conflict::NameTaken`], [`Conflict::LimitReached`], [`Conflict::AlreadyThere`] if it is a second
    /// default policy, [`Conflict::Reference`] if its hook or group is gone.
    InsertEnrollmentPolicy {
        /// The policy.
        policy: Box<EnrollmentPolicy>,
        /// How many policies there may be, this one included.
        limit: u64,
    },
    /// The policy and its rule get all these values and the next revision; [`Conflict::Stale`], [`Conflict::NameTaken`],
    /// [`Conflict::Reference`] if its hook or group is gone.
    UpdateEnrollmentPolicy(Box<EnrollmentPolicy>),
    /// The policy goes, and its apps come under the default one; [`Conflict::Stale`], also for the default policy.
    DeleteEnrollmentPolicy {
        /// The policy.
        id: PolicyId,
        /// The revision that was read.
        revision: i64,
    },
    /// A new app; [`Conflict::ClientIdTaken`], [`Conflict::Reference`] if its policy is gone.
    InsertApplication(Box<Application>),
    /// The app gets all these values but the client id, and the next revision; [`Conflict::Stale`], [`Conflict::Reference`].
    UpdateApplication(Box<Application>),
    /// The app goes; [`Conflict::Stale`].
    DeleteApplication {
        /// The app.
        id: AppId,
        /// The revision that was read.
        revision: i64,
    },
    /// A new trusted origin; [`Conflict::NameTaken`], [`Conflict::OriginTaken`].
    InsertTrustedOrigin(TrustedOrigin),
    /// The origin gets all these values and the next revision; [`Conflict::Stale`], [`Conflict::NameTaken`],
    /// [`Conflict::OriginTaken`].
    UpdateTrustedOrigin(TrustedOrigin),
    /// The origin goes; [`Conflict::Stale`].
    DeleteTrustedOrigin {
        /// The origin.
        id: TrustedOriginId,
        /// The revision that was read.
        revision: i64,
    },
    /// A sign-in flow, a session, or what belongs to them.
    Flow(FlowChange),
    /// The authorization server's keys, grants and tokens.
    OAuth(OAuthChange),
    /// Events of the System Log, in this order.
    AppendEvents(Vec<LogEvent>),
    /// An execution that is part of what this commit does.
    AppendExecution(Execution),
}

impl Change {
    /// A new user whose profile was checked against this schema.
    #[must_use]
    pub fn insert_user(user: User, schema: &UserSchema) -> Self {
        let values = schema.unique_values(&user.profile);
        Self::InsertUser { user: Box::new(user), values, schema_revision: schema.revision }
    }

    /// The new values of a user whose profile was checked against this schema.
    #[must_use]
    pub fn update_user_profile(user: User, schema: &UserSchema) -> Self {
        let values = schema.unique_values(&user.profile);
        Self::UpdateUserProfile { user: Box::new(user), values, schema_revision: schema.revision }
    }
}

/// Why a commit was not applied although the database is well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another one of its kind has the name, letter case aside.
    #[error("another one has this name")]
    NameTaken,
    /// Another user has the login, as logins are compared.
    #[error("another user has this login")]
    LoginTaken,
    /// Another user has the value of an attribute that must be unique.
    #[error("another user has this value of {attribute}")]
    UniqueTaken {
        /// The attribute.
        attribute: String,
    },
    /// Another app has the client id.
    #[error("another app has this client id")]
    ClientIdTaken,
    /// Another trusted origin has the origin.
    #[error("another trusted origin has this origin")]
    OriginTaken,
    /// There are as many of its kind as there may be.
    #[error("there are as many as there may be")]
    LimitReached,
    /// What there can be once only is there already.
    #[error("it is there already")]
    AlreadyThere,
    /// The user schema has changed since the profile was checked.
    #[error("the user schema has changed")]
    SchemaChanged,
    /// What it refers to is gone, or something refers to what was to go.
    #[error("something that it refers to, or that refers to it, is in the way")]
    Reference,
    /// A token with this id or hash is there already.
    #[error("this token is there already")]
    TokenExists,
    /// No super administrator would be left.
    #[error("no super administrator would be left")]
    LastAdministrator,
    /// What was to change is gone, or changed since it was read.
    #[error("gone, or changed since it was read")]
    Stale,
}
