//! Sign-in flows as rows.

use std::time::Duration;

use hookwright_model::Timestamp;
use hookwright_model::flow::Flow;
use hookwright_model::id::AppId;

use crate::change::Conflict;
use crate::database::fetch;
use crate::error::{CommitError, StoreError};
use crate::flow_change::Expected;
use crate::leases::Claim;
use crate::statement::{Argument, Otherwise, Probe, Statement};
use crate::store::Store;
use crate::stored_form::{from_text, hash, to_text};
use crate::work::Work;

/// The longest that a call of a hook may take, or longer.
const LONGEST_CLAIM: Duration = Duration::from_secs(10 * 60);

const INSERT: &str = "INSERT INTO flows (id, attempt, application_id, state, created_ms, expires_ms, revision) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";

const INSERT_WITHIN: &str = "INSERT INTO flows (id, attempt, application_id, state, created_ms, expires_ms, revision, network) \
     SELECT $1, $2, $3, $4, $5, $6, $7, $8 \
     WHERE (SELECT COUNT(*) FROM flows WHERE network = $8 AND expires_ms > $5) < $9 ON CONFLICT DO NOTHING";

const WITH_ID: &str = "SELECT attempt FROM flows WHERE id = $1";

/// Takes no lock on what is expected: whoever changes a policy does not wait for those who sign up.
const UPDATE: &str = "UPDATE flows SET attempt = $3, state = $4, revision = revision + 1, handle = $9, previous = $10, \
     claimed_until_ms = 0, network = CASE WHEN $11 = 1 THEN NULL ELSE network END \
     WHERE id = $1 AND revision = $2 \
     AND ($5 = '' OR EXISTS (SELECT 1 FROM enrollment_policies WHERE id = $5 AND revision = $6)) \
     AND ($7 = '' OR EXISTS (SELECT 1 FROM inline_hooks WHERE id = $7 AND revision = $8))";

const RELEASE: &str = "UPDATE flows SET claimed_until_ms = 0 WHERE id = $1 AND claim = $2";

const DELETE: &str = "DELETE FROM flows WHERE (id = $1 AND handle IS NULL) OR handle = $1";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, attempt, application_id, state, created_ms, expires_ms, revision, handle, previous, \
             claimed_until_ms FROM flows ",
            $rest
        )
    };
}

const DROP_EXPIRED: [&str; 11] = [
    "DELETE FROM flows WHERE expires_ms <= $1",
    "DELETE FROM flow_codes WHERE expires_ms <= $1",
    "DELETE FROM account_links WHERE expires_ms <= $1",
    "DELETE FROM sessions WHERE expires_ms <= $1",
    "DELETE FROM known_browsers WHERE expires_ms <= $1",
    "DELETE FROM sign_in_failures WHERE expires_ms <= $1",
    "DELETE FROM mails WHERE expires_ms <= $1",
    "DELETE FROM refresh_tokens WHERE expires_ms <= $1",
    "DELETE FROM oauth_grants WHERE expires_ms <= $1",
    "DELETE FROM signing_keys WHERE expires_ms <= $1",
    "UPDATE api_tokens SET revoked_ms = expires_ms WHERE expires_ms <= $1 AND revoked_ms IS NULL",
];

pub(crate) fn insert(flow: &Flow) -> Result<Statement, StoreError> {
    Ok(Statement::new(INSERT, columns(flow)?).or(Otherwise::Conflict(Conflict::AlreadyThere)))
}

pub(crate) fn insert_within(flow: &Flow, network: &[u8; 32], most: i64) -> Result<Statement, StoreError> {
    let mut arguments = columns(flow)?;
    arguments.extend([Argument::Bytes(network.to_vec()), Argument::Integer(most)]);
    let there = Probe::new(WITH_ID, vec![Argument::Bytes(flow.id.to_vec())], Conflict::AlreadyThere);
    let otherwise = Otherwise::FirstFound { probes: vec![there], conflict: Conflict::LimitReached };
    Ok(Statement::new(INSERT_WITHIN, arguments).or(otherwise))
}

fn columns(flow: &Flow) -> Result<Vec<Argument>, StoreError> {
    Ok(vec![
        Argument::Bytes(flow.id.to_vec()),
        Argument::Text(flow.attempt.clone()),
        Argument::Text(flow.application.as_str().to_owned()),
        Argument::Text(to_text(&flow.state)?),
        Argument::Integer(flow.created.as_millis()),
        Argument::Integer(flow.expires.as_millis()),
        Argument::Integer(flow.revision),
    ])
}

pub(crate) fn update(flow: &Flow, expected: Expected, is_over: bool) -> Result<Statement, StoreError> {
    let (policy, policy_revision) =
        expected.policy.map_or((String::new(), 0), |(id, revision)| (id.to_string(), revision));
    let (hook, hook_revision) = expected.hook.map_or((String::new(), 0), |(id, revision)| (id.to_string(), revision));
    let arguments = vec![
        Argument::Bytes(flow.id.to_vec()),
        Argument::Integer(flow.revision),
        Argument::Text(flow.attempt.clone()),
        Argument::Text(to_text(&flow.state)?),
        Argument::Text(policy),
        Argument::Integer(policy_revision),
        Argument::Text(hook),
        Argument::Integer(hook_revision),
        // The first handle is the one that the id is made of.
        Argument::OptionalBytes((flow.handle != flow.id).then(|| flow.handle.to_vec())),
        Argument::OptionalBytes(flow.previous.map(|previous| previous.to_vec())),
        Argument::Integer(i64::from(is_over)),
    ];
    Ok(Statement::new(UPDATE, arguments).or(Otherwise::Conflict(Conflict::Stale)))
}

pub(crate) fn delete(handle: &[u8; 32]) -> Statement {
    Statement::new(DELETE, vec![Argument::Bytes(handle.to_vec())])
}

/// Drops what is over here and in the tables around.
pub(crate) fn drop_expired(now: Timestamp) -> [Statement; 11] {
    DROP_EXPIRED.map(|sql| Statement::new(sql, vec![Argument::Integer(now.as_millis())]))
}

#[derive(sqlx::FromRow)]
struct FlowRow {
    id: Vec<u8>,
    attempt: String,
    application_id: String,
    state: String,
    created_ms: i64,
    expires_ms: i64,
    revision: i64,
    handle: Option<Vec<u8>>,
    previous: Option<Vec<u8>>,
    claimed_until_ms: i64,
}

impl TryFrom<FlowRow> for Flow {
    type Error = StoreError;

    fn try_from(row: FlowRow) -> Result<Self, StoreError> {
        let what = || format!("flow {}", row.attempt);
        let id = hash(row.id)?;
        Ok(Self {
            state: from_text(&row.state, &what)?,
            id,
            handle: row.handle.map(hash).transpose()?.unwrap_or(id),
            previous: row.previous.map(hash).transpose()?,
            application: AppId::from_text(row.application_id),
            created: Timestamp::from_millis(row.created_ms),
            expires: Timestamp::from_millis(row.expires_ms),
            revision: row.revision,
            attempt: row.attempt,
        })
    }
}

impl Store {
    /// The flow that the state handle with this SHA-256 opens, also if it has expired.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn flow(&self, handle: &[u8; 32]) -> Result<Option<Flow>, StoreError> {
        Ok(self.flow_with_claim(handle).await?.map(|(flow, _)| flow))
    }

    /// The same flow, and until when its next input is claimed; that may be over.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn flow_with_claim(&self, handle: &[u8; 32]) -> Result<Option<(Flow, Timestamp)>, StoreError> {
        let sql = select!("WHERE (id = $1 AND handle IS NULL) OR handle = $1");
        let row = fetch!(self.database(), fetch_optional, FlowRow, sql, handle.to_vec())?;
        let Some(row) = row else { return Ok(None) };
        let claimed_until = Timestamp::from_millis(row.claimed_until_ms);
        Ok(Some((Flow::try_from(row)?, claimed_until)))
    }

    /// The flow with this id, whatever state handle opens it now, also if it has expired.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn flow_with_id(&self, id: &[u8; 32]) -> Result<Option<Flow>, StoreError> {
        let row = fetch!(self.database(), fetch_optional, FlowRow, select!("WHERE id = $1"), id.to_vec())?;
        row.map(Flow::try_from).transpose()
    }

    /// The flow that the state handle with this SHA-256 opened until its last rise in rights.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn flow_that_moved_on(&self, handle: &[u8; 32]) -> Result<Option<Flow>, StoreError> {
        let sql = select!("WHERE previous = $1 LIMIT 1");
        let row = fetch!(self.database(), fetch_optional, FlowRow, sql, handle.to_vec())?;
        row.map(Flow::try_from).transpose()
    }

    /// Claims the next input of the flow of this revision; `false` if somebody else has, or the flow has moved. The claim ends
    /// when the flow moves, at its own end, or with [`Store::release_flow`].
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn claim_flow(&self, flow: &Flow, claim: &Claim) -> Result<bool, StoreError> {
        let arguments = vec![
            Argument::Bytes(flow.id.to_vec()),
            Argument::Integer(flow.revision),
            Argument::Text(claim.token.clone()),
            Argument::Integer(claim.until().as_millis()),
            Argument::Integer(claim.now.as_millis()),
            Argument::Integer(claim.latest(LONGEST_CLAIM).as_millis()),
        ];
        let statement = Statement::new(self.dialect().claim_flow(), arguments).or(Otherwise::Conflict(Conflict::Stale));
        match self.write(Work::of_statements(vec![statement])).await {
            Ok(()) => Ok(true),
            Err(CommitError::Conflict(_)) => Ok(false),
            Err(error) => Err(error.into_store_error()),
        }
    }

    /// Gives up a claim, if it holds still.
    ///
    /// # Errors
    /// See [`StoreError`]; the claim then ends by itself.
    pub async fn release_flow(&self, id: &[u8; 32], token: &str) -> Result<(), StoreError> {
        let arguments = vec![Argument::Bytes(id.to_vec()), Argument::Text(token.to_owned())];
        let statement = Statement::new(RELEASE, arguments);
        self.write(Work::of_statements(vec![statement])).await.map_err(CommitError::into_store_error)
    }
}

/// Whether a claim that was noted to end then holds now. What a wrong clock noted does not.
#[must_use]
pub fn is_claimed(until: Timestamp, now: Timestamp) -> bool {
    now < until && until <= now.plus(LONGEST_CLAIM * 2)
}
