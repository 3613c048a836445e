//! Inline hooks as rows: the secret sealed, the rest of the channel as JSON.

use hookwright_contract::HookType;
use hookwright_model::Timestamp;
use hookwright_model::channel::{Channel, ChannelAuth, HEADER_SCHEME, Header, OAuthClientAuth, OAuthConfig};
use hookwright_model::hook_settings::HookSettings;
use hookwright_model::hook_uri::HookUri;
use hookwright_model::id::InlineHookId;
use hookwright_model::inline_hook::InlineHook;
use hookwright_model::lifecycle::LifecycleStatus;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::change::Conflict;
use crate::database::{can_be_stored, fetch};
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::seal::{Place, RowError};
use crate::statement::{Argument, Count, Otherwise, Probe, Statement, count_down};
use crate::store::Store;
use crate::stored_form::to_text;

const INSERT: &str = "INSERT INTO inline_hooks (id, name, folded_name, hook_type, version, status, channel, \
     sealed_secret, metadata, created_ms, last_updated_ms, revision, hook_key_id, settings, sealed_client_key) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING";

const UPDATE: &str = "UPDATE inline_hooks SET name = $3, folded_name = $4, hook_type = $5, version = $6, status = $7, \
     channel = $8, sealed_secret = $9, metadata = $10, last_updated_ms = $11, hook_key_id = $12, settings = $13, \
     sealed_client_key = $14, revision = revision + 1 \
     WHERE id = $1 AND revision = $2 \
     AND NOT EXISTS (SELECT 1 FROM inline_hooks AS other WHERE other.folded_name = $4 AND other.id <> $1)";

const DELETE: &str = "DELETE FROM inline_hooks WHERE id = $1 AND revision = $2";

/// Whether another hook has the name.
const NAME_TAKEN: &str = "SELECT id FROM inline_hooks WHERE folded_name = $1 AND id <> $2";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, hook_type, version, status, channel, sealed_secret, metadata, created_ms, \
             last_updated_ms, revision, settings, sealed_client_key FROM inline_hooks ",
            $rest
        )
    };
}

/// Where the secret of a hook stands.
pub(crate) const fn place(id: &str) -> Place<'_> {
    Place { table: "inline_hooks", row: id, column: "sealed_secret" }
}

/// Where the private key of a hook's client certificate stands.
pub(crate) const fn client_key_place(id: &str) -> Place<'_> {
    Place { table: "inline_hooks", row: id, column: "sealed_client_key" }
}

pub(crate) fn insert(keyring: &Keyring, hook: &InlineHook, limit: u64) -> Result<(Count, Statement), StoreError> {
    let stored = Stored::of(hook, keyring)?;
    let full = name_taken_or(&stored.folded_name, "", Conflict::LimitReached);
    let arguments = vec![
        Argument::Text(hook.id.as_str().to_owned()),
        Argument::Text(hook.name.clone()),
        Argument::Text(stored.folded_name.clone()),
        Argument::Fixed(hook.hook_type.as_str()),
        Argument::Text(hook.version.clone()),
        Argument::Fixed(hook.status.as_str()),
        Argument::Text(stored.channel),
        Argument::OptionalBytes(stored.sealed_secret),
        Argument::OptionalText(stored.metadata),
        Argument::Integer(hook.created.as_millis()),
        Argument::Integer(hook.last_updated.as_millis()),
        Argument::Integer(hook.revision),
        hook_key_id(hook),
        Argument::OptionalText(stored.settings),
        Argument::OptionalBytes(stored.sealed_client_key),
    ];
    // Ids are not compared: a hook that is there already has its name too.
    let insert = Statement::new(INSERT, arguments).or(Otherwise::Conflict(Conflict::NameTaken));
    Ok((Count::new("inline_hooks", limit, full), insert))
}

pub(crate) fn update(keyring: &Keyring, hook: &InlineHook) -> Result<Statement, StoreError> {
    let stored = Stored::of(hook, keyring)?;
    let arguments = vec![
        Argument::Text(hook.id.as_str().to_owned()),
        Argument::Integer(hook.revision),
        Argument::Text(hook.name.clone()),
        Argument::Text(stored.folded_name.clone()),
        Argument::Fixed(hook.hook_type.as_str()),
        Argument::Text(hook.version.clone()),
        Argument::Fixed(hook.status.as_str()),
        Argument::Text(stored.channel),
        Argument::OptionalBytes(stored.sealed_secret),
        Argument::OptionalText(stored.metadata),
        Argument::Integer(hook.last_updated.as_millis()),
        hook_key_id(hook),
        Argument::OptionalText(stored.settings),
        Argument::OptionalBytes(stored.sealed_client_key),
    ];
    let otherwise = name_taken_or(&stored.folded_name, hook.id.as_str(), Conflict::Stale);
    Ok(Statement::new(UPDATE, arguments).or(otherwise))
}

pub(crate) fn delete(id: &InlineHookId, revision: i64) -> [Statement; 2] {
    let arguments = vec![Argument::Text(id.as_str().to_owned()), Argument::Integer(revision)];
    let delete = Statement::new(DELETE, arguments).or(Otherwise::Conflict(Conflict::Stale));
    [count_down("inline_hooks"), delete]
}

/// The key that signs for the hook; also in a column of its own, so that it can't go while it is used.
fn hook_key_id(hook: &InlineHook) -> Argument {
    Argument::OptionalText(hook.channel.auth.hook_key_id().map(str::to_owned))
}

fn name_taken_or(folded_name: &str, id: &str, conflict: Conflict) -> Otherwise {
    let arguments = vec![Argument::Text(folded_name.to_owned()), Argument::Text(id.to_owned())];
    Otherwise::FirstFound { probes: vec![Probe::new(NAME_TAKEN, arguments, Conflict::NameTaken)], conflict }
}

/// What of a hook is stored in another form than it has.
struct Stored {
    folded_name: String,
    channel: String,
    sealed_secret: Option<Vec<u8>>,
    metadata: Option<String>,
    settings: Option<String>,
    sealed_client_key: Option<Vec<u8>>,
}

impl Stored {
    fn of(hook: &InlineHook, keyring: &Keyring) -> Result<Self, StoreError> {
        let id = hook.id.as_str();
        let seal = |place, secret: Option<&SecretString>| {
            secret.map(|secret| keyring.seal(place, secret.expose_secret().as_bytes())).transpose()
        };
        let settings = &hook.settings;
        Ok(Self {
            folded_name: hook.name.to_lowercase(),
            channel: to_text(&StoredChannel::of(&hook.channel))?,
            sealed_secret: seal(place(id), hook.channel.auth.secret())?,
            metadata: hook.metadata.as_ref().map(to_text).transpose()?,
            settings: (!settings.is_default()).then(|| to_text(settings)).transpose()?,
            sealed_client_key: seal(client_key_place(id), settings.tls.secret())?,
        })
    }
}

/// The channel without its secret, as JSON in a column. Members are only ever added.
#[derive(Serialize, Deserialize)]
struct StoredChannel {
    uri: String,
    headers: Vec<(String, String)>,
    auth: StoredAuth,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum StoredAuth {
    None,
    /// Without a type where it is `HEADER`, as nearly everywhere.
    Header {
        key: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scheme_type: Option<String>,
    },
    ClientSecretPost {
        client_id: String,
        token_url: String,
        scope: Option<String>,
    },
    PrivateKeyJwt {
        client_id: String,
        token_url: String,
        scope: Option<String>,
        hook_key_id: String,
    },
}

impl StoredChannel {
    fn of(channel: &Channel) -> Self {
        let auth = match &channel.auth {
            ChannelAuth::None => StoredAuth::None,
            ChannelAuth::Header { scheme_type, key, .. } => {
                let scheme_type = (scheme_type != HEADER_SCHEME).then(|| scheme_type.clone());
                StoredAuth::Header { key: key.clone(), scheme_type }
            }
            ChannelAuth::OAuth(OAuthConfig { client_id, token_url, scope, client_auth }) => {
                let (client_id, token_url) = (client_id.clone(), token_url.as_str().to_owned());
                let scope = scope.clone();
                match client_auth {
                    OAuthClientAuth::ClientSecretPost(_) => {
                        StoredAuth::ClientSecretPost { client_id, token_url, scope }
                    }
                    OAuthClientAuth::PrivateKeyJwt { hook_key_id } => {
                        StoredAuth::PrivateKeyJwt { client_id, token_url, scope, hook_key_id: hook_key_id.clone() }
                    }
                }
            }
        };
        let headers = channel.headers.iter().map(|header| (header.key.clone(), header.value.clone())).collect();
        Self { uri: channel.uri.as_str().to_owned(), headers, auth }
    }

    fn into_channel(self, secret: Option<SecretString>) -> Result<Channel, String> {
        let need = |secret: Option<SecretString>| secret.ok_or_else(|| "its secret is gone".to_owned());
        let oauth = |client_id, token_url: &str, scope, client_auth| {
            let token_url = HookUri::parse_stored(token_url)?;
            Ok::<_, String>(ChannelAuth::OAuth(OAuthConfig { client_id, token_url, scope, client_auth }))
        };
        let auth = match self.auth {
            StoredAuth::None => ChannelAuth::None,
            StoredAuth::Header { key, scheme_type } => {
                let scheme_type = scheme_type.unwrap_or_else(|| HEADER_SCHEME.to_owned());
                ChannelAuth::Header { scheme_type, key, value: need(secret)? }
            }
            StoredAuth::ClientSecretPost { client_id, token_url, scope } => {
                oauth(client_id, &token_url, scope, OAuthClientAuth::ClientSecretPost(need(secret)?))?
            }
            StoredAuth::PrivateKeyJwt { client_id, token_url, scope, hook_key_id } => {
                oauth(client_id, &token_url, scope, OAuthClientAuth::PrivateKeyJwt { hook_key_id })?
            }
        };
        let headers = self.headers.into_iter().map(|(key, value)| Header { key, value }).collect();
        Ok(Channel { uri: HookUri::parse_stored(&self.uri)?, headers, auth })
    }
}

/// A row as it is read.
#[derive(sqlx::FromRow)]
struct InlineHookRow {
    id: String,
    name: String,
    hook_type: String,
    version: String,
    status: String,
    channel: String,
    sealed_secret: Option<Vec<u8>>,
    metadata: Option<String>,
    created_ms: i64,
    last_updated_ms: i64,
    revision: i64,
    settings: Option<String>,
    sealed_client_key: Option<Vec<u8>>,
}

impl InlineHookRow {
    /// The hook of this row, its secret opened.
    fn to_hook(&self, keyring: &Keyring) -> Result<InlineHook, RowError> {
        let damaged = |what: &str, error: &dyn std::fmt::Display| RowError::Damaged(format!("{what}: {error}"));
        let secret = match &self.sealed_secret {
            None => None,
            Some(sealed) => Some(keyring.unseal_text(place(&self.id), sealed)?),
        };
        let settings = self.settings(keyring)?;
        let hook_type: HookType =
            self.hook_type.parse().map_err(|_| damaged("type", &"it is none that this release knows"))?;
        let status = LifecycleStatus::parse(&self.status);
        let channel: StoredChannel = serde_json::from_str(&self.channel).map_err(|error| damaged("channel", &error))?;
        let metadata = self.metadata.as_deref().map(serde_json::from_str).transpose();
        Ok(InlineHook {
            id: InlineHookId::from_text(self.id.as_str()),
            name: self.name.clone(),
            hook_type,
            version: self.version.clone(),
            status: status.ok_or_else(|| damaged("status", &"it is none that this release knows"))?,
            channel: channel.into_channel(secret).map_err(|error| damaged("channel", &error))?,
            settings,
            metadata: metadata.map_err(|error| damaged("metadata", &error))?,
            created: Timestamp::from_millis(self.created_ms),
            last_updated: Timestamp::from_millis(self.last_updated_ms),
            revision: self.revision,
        })
    }

    /// What the hook is set to, the private key opened.
    fn settings(&self, keyring: &Keyring) -> Result<HookSettings, RowError> {
        let Some(text) = &self.settings else { return Ok(HookSettings::default()) };
        let damaged = |what: String| RowError::Damaged(format!("settings: {what}"));
        let mut settings: HookSettings = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        if let Some(own) = &mut settings.tls.client_certificate {
            let sealed =
                self.sealed_client_key.as_ref().ok_or_else(|| damaged("the private key is gone".to_owned()))?;
            own.private_key = keyring.unseal_text(client_key_place(&self.id), sealed)?;
        }
        Ok(settings)
    }

    /// An error that names the hook.
    fn unreadable(&self, error: &RowError) -> StoreError {
        match error {
            RowError::Sealed(error) => StoreError::Unreadable(format!("the secret of hook {}: {error}", self.id)),
            RowError::Damaged(what) => StoreError::Unreadable(format!("hook {}: {what}", self.id)),
        }
    }
}

impl Store {
    /// The hook of this id.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn inline_hook(&self, id: &str) -> Result<Option<InlineHook>, StoreError> {
        if !can_be_stored(id) {
            return Ok(None);
        }
        let row = fetch!(self.database(), fetch_optional, InlineHookRow, select!("WHERE id = $1"), id)?;
        row.map(|row| self.unseal_hook(&row)).transpose()
    }

    /// All hooks, or those of one type, oldest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn inline_hooks(&self, hook_type: Option<HookType>) -> Result<Vec<InlineHook>, StoreError> {
        let rows = match hook_type {
            None => fetch!(self.database(), fetch_all, InlineHookRow, select!("ORDER BY created_ms, id"))?,
            Some(hook_type) => {
                let sql = select!("WHERE hook_type = $1 ORDER BY created_ms, id");
                fetch!(self.database(), fetch_all, InlineHookRow, sql, hook_type.as_str())?
            }
        };
        rows.iter().map(|row| self.unseal_hook(row)).collect()
    }

    fn unseal_hook(&self, row: &InlineHookRow) -> Result<InlineHook, StoreError> {
        self.unseal_row(|keyring| row.to_hook(keyring), |error| row.unreadable(&error))
    }
}
