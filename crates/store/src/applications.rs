//! Apps as rows: the client secret sealed, the rest of the OAuth client as JSON.

use hookwright_model::Timestamp;
use hookwright_model::application::{
    Application, ApplicationType, ClientAuthMethod, GrantType, OAuthClient, ResponseType, SignOnMode,
};
use hookwright_model::id::{AppId, PolicyId};
use hookwright_model::lifecycle::LifecycleStatus;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::change::Conflict;
use crate::database::{can_be_stored, fetch};
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::seal::{Place, RowError};
use crate::statement::{Argument, Otherwise, Probe, Statement};
use crate::store::Store;
use crate::stored_form::{from_text, object, to_text, unknown};

const INSERT: &str = "INSERT INTO applications (id, name, label, status, sign_on_mode, shown, client_id, oauth, \
     sealed_client_secret, policy_id, is_system, created_ms, last_updated_ms, revision) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING";

const UPDATE: &str = "UPDATE applications SET label = $3, status = $4, shown = $5, oauth = $6, \
     sealed_client_secret = $7, policy_id = $8, last_updated_ms = $9, revision = revision + 1 \
     WHERE id = $1 AND revision = $2";

const DELETE: &str = "DELETE FROM applications WHERE id = $1 AND revision = $2 AND is_system = 0";

const CLIENT_ID_TAKEN: &str = "SELECT id FROM applications WHERE client_id = $1";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, label, status, sign_on_mode, shown, client_id, oauth, sealed_client_secret, policy_id, \
             is_system, created_ms, last_updated_ms, revision FROM applications ",
            $rest
        )
    };
}

/// Where the secret of a client stands.
pub(crate) const fn place(id: &str) -> Place<'_> {
    Place { table: "applications", row: id, column: "sealed_client_secret" }
}

pub(crate) fn insert(keyring: &Keyring, app: &Application) -> Result<Statement, StoreError> {
    let client_id = app.oauth.as_ref().map(|oauth| oauth.client_id.clone());
    let arguments = vec![
        Argument::Text(app.id.as_str().to_owned()),
        Argument::Text(app.name.clone()),
        Argument::Text(app.label.clone()),
        Argument::Fixed(app.status.as_str()),
        Argument::Fixed(app.sign_on_mode.as_str()),
        Argument::Text(to_text(&app.shown)?),
        Argument::OptionalText(client_id.clone()),
        Argument::OptionalText(stored_client(app)?),
        Argument::OptionalBytes(sealed_secret(keyring, app)?),
        Argument::Text(app.policy_id.as_str().to_owned()),
        Argument::Integer(app.system.into()),
        Argument::Integer(app.created.as_millis()),
        Argument::Integer(app.last_updated.as_millis()),
        Argument::Integer(app.revision),
    ];
    let taken = Probe::new(CLIENT_ID_TAKEN, vec![Argument::OptionalText(client_id)], Conflict::ClientIdTaken);
    let otherwise = Otherwise::FirstFound { probes: vec![taken], conflict: Conflict::AlreadyThere };
    Ok(Statement::new(INSERT, arguments).or(otherwise))
}

pub(crate) fn update(keyring: &Keyring, app: &Application) -> Result<Statement, StoreError> {
    let arguments = vec![
        Argument::Text(app.id.as_str().to_owned()),
        Argument::Integer(app.revision),
        Argument::Text(app.label.clone()),
        Argument::Fixed(app.status.as_str()),
        Argument::Text(to_text(&app.shown)?),
        Argument::OptionalText(stored_client(app)?),
        Argument::OptionalBytes(sealed_secret(keyring, app)?),
        Argument::Text(app.policy_id.as_str().to_owned()),
        Argument::Integer(app.last_updated.as_millis()),
    ];
    Ok(Statement::new(UPDATE, arguments).or(Otherwise::Conflict(Conflict::Stale)))
}

pub(crate) fn delete(id: &AppId, revision: i64) -> Statement {
    let arguments = vec![Argument::Text(id.as_str().to_owned()), Argument::Integer(revision)];
    Statement::new(DELETE, arguments).or(Otherwise::Conflict(Conflict::Stale))
}

fn sealed_secret(keyring: &Keyring, app: &Application) -> Result<Option<Vec<u8>>, StoreError> {
    let secret = app.oauth.as_ref().and_then(|oauth| oauth.client_secret.as_ref());
    let seal = |secret: &SecretString| keyring.seal(place(app.id.as_str()), secret.expose_secret().as_bytes());
    Ok(secret.map(seal).transpose()?)
}

fn stored_client(app: &Application) -> Result<Option<String>, StoreError> {
    app.oauth.as_ref().map(|oauth| to_text(&StoredClient::of(oauth))).transpose()
}

/// The OAuth client without id and secret, as JSON in a column. Members are only ever added.
#[derive(Serialize, Deserialize)]
struct StoredClient {
    application_type: String,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    grant_types: Vec<String>,
    response_types: Vec<String>,
    token_endpoint_auth_method: String,
    pkce_required: bool,
    shown: Map<String, Value>,
}

impl StoredClient {
    fn of(oauth: &OAuthClient) -> Self {
        Self {
            application_type: oauth.application_type.as_str().to_owned(),
            redirect_uris: oauth.redirect_uris.clone(),
            post_logout_redirect_uris: oauth.post_logout_redirect_uris.clone(),
            grant_types: oauth.grant_types.iter().map(|grant| grant.as_str().to_owned()).collect(),
            response_types: oauth.response_types.iter().map(|response| response.as_str().to_owned()).collect(),
            token_endpoint_auth_method: oauth.token_endpoint_auth_method.as_str().to_owned(),
            pkce_required: oauth.pkce_required,
            shown: oauth.shown.clone(),
        }
    }

    /// The client; `None` if it says something that this release does not know.
    fn into_client(self, client_id: String, client_secret: Option<SecretString>) -> Option<OAuthClient> {
        Some(OAuthClient {
            client_id,
            client_secret,
            application_type: ApplicationType::parse(&self.application_type)?,
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            grant_types: self.grant_types.iter().map(|name| GrantType::parse(name)).collect::<Option<_>>()?,
            response_types: self.response_types.iter().map(|name| ResponseType::parse(name)).collect::<Option<_>>()?,
            token_endpoint_auth_method: ClientAuthMethod::parse(&self.token_endpoint_auth_method)?,
            pkce_required: self.pkce_required,
            shown: self.shown,
        })
    }
}

#[derive(sqlx::FromRow)]
struct ApplicationRow {
    id: String,
    name: String,
    label: String,
    status: String,
    sign_on_mode: String,
    shown: String,
    client_id: Option<String>,
    oauth: Option<String>,
    sealed_client_secret: Option<Vec<u8>>,
    policy_id: String,
    is_system: i64,
    created_ms: i64,
    last_updated_ms: i64,
    revision: i64,
}

impl ApplicationRow {
    fn to_application(&self, keyring: &Keyring) -> Result<Application, RowError> {
        let damaged = |error: StoreError| RowError::Damaged(error.to_string());
        let secret = match &self.sealed_client_secret {
            None => None,
            Some(sealed) => Some(keyring.unseal_text(place(&self.id), sealed)?),
        };
        let what = || format!("app {}", self.id);
        let oauth = match (&self.oauth, &self.client_id) {
            (Some(oauth), Some(client_id)) => {
                let stored: StoredClient = from_text(oauth, &what).map_err(damaged)?;
                let client = stored.into_client(client_id.clone(), secret);
                Some(client.ok_or_else(|| damaged(unknown("app", &self.id)))?)
            }
            _ => None,
        };
        let status = LifecycleStatus::parse(&self.status);
        let mode = SignOnMode::parse(&self.sign_on_mode);
        Ok(Application {
            id: AppId::from_text(self.id.as_str()),
            name: self.name.clone(),
            label: self.label.clone(),
            status: status.ok_or_else(|| damaged(unknown("app", &self.id)))?,
            sign_on_mode: mode.ok_or_else(|| damaged(unknown("app", &self.id)))?,
            shown: object(&self.shown, &what).map_err(damaged)?,
            oauth,
            policy_id: PolicyId::from_text(self.policy_id.as_str()),
            system: self.is_system == 1,
            created: Timestamp::from_millis(self.created_ms),
            last_updated: Timestamp::from_millis(self.last_updated_ms),
            revision: self.revision,
        })
    }
}

impl Store {
    /// The app of this id.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn application(&self, id: &str) -> Result<Option<Application>, StoreError> {
        if !can_be_stored(id) {
            return Ok(None);
        }
        let row = fetch!(self.database(), fetch_optional, ApplicationRow, select!("WHERE id = $1"), id)?;
        row.map(|row| self.read_application(&row)).transpose()
    }

    /// The app whose OAuth client calls itself so.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn application_by_client_id(&self, client_id: &str) -> Result<Option<Application>, StoreError> {
        if !can_be_stored(client_id) {
            return Ok(None);
        }
        let sql = select!("WHERE client_id = $1");
        let row = fetch!(self.database(), fetch_optional, ApplicationRow, sql, client_id)?;
        row.map(|row| self.read_application(&row)).transpose()
    }

    /// The built-in dashboard; `None` before the org is made.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn dashboard(&self) -> Result<Option<Application>, StoreError> {
        let row = fetch!(self.database(), fetch_optional, ApplicationRow, select!("WHERE is_system = 1"))?;
        row.map(|row| self.read_application(&row)).transpose()
    }

    /// A page of apps in the order of their ids, those after one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn applications(&self, after: &str, limit: usize) -> Result<Vec<Application>, StoreError> {
        if !can_be_stored(after) {
            return Ok(Vec::new());
        }
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = select!("WHERE id > $1 ORDER BY id LIMIT $2");
        let rows = fetch!(self.database(), fetch_all, ApplicationRow, sql, after, limit)?;
        rows.iter().map(|row| self.read_application(row)).collect()
    }

    /// The apps that come under a policy.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn applications_of_policy(&self, policy: &str) -> Result<Vec<Application>, StoreError> {
        let rows =
            fetch!(self.database(), fetch_all, ApplicationRow, select!("WHERE policy_id = $1 ORDER BY id"), policy)?;
        rows.iter().map(|row| self.read_application(row)).collect()
    }

    /// The redirect URIs of the OAuth clients of all active apps.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn redirect_uris(&self) -> Result<Vec<String>, StoreError> {
        #[derive(Deserialize)]
        struct Stored {
            redirect_uris: Vec<String>,
        }
        let sql = "SELECT oauth FROM applications WHERE oauth IS NOT NULL AND status = 'ACTIVE'";
        let rows = fetch!(self.database(), fetch_all, (String,), sql)?;
        let mut uris = Vec::new();
        for (oauth,) in rows {
            uris.extend(from_text::<Stored>(&oauth, &|| "an app".to_owned())?.redirect_uris);
        }
        Ok(uris)
    }

    fn read_application(&self, row: &ApplicationRow) -> Result<Application, StoreError> {
        self.unseal_row(
            |keyring| row.to_application(keyring),
            |error| match error {
                RowError::Sealed(error) => StoreError::Unreadable(format!("the secret of app {}: {error}", row.id)),
                RowError::Damaged(what) => StoreError::Unreadable(what),
            },
        )
    }
}
