//! What the nodes of one org tell each other at once, by PostgreSQL's LISTEN and NOTIFY: what a commit changed that others may
//! know from before, and whatever the operations above have to tell.
//!
//! A notice of a change is sent in the transaction of its commit and delivered after it. Nothing rests on that alone: whoever
//! keeps something keeps it for a short time only, so that a notice that is lost makes nobody wrong for longer.
//! <https://www.postgresql.org/docs/current/sql-notify.html>

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hookwright_model::user::UserStatus;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::time::{Instant, sleep, timeout};

use crate::change::Change;
use crate::database::Pool;
use crate::error::StoreError;
use crate::oauth_change::OAuthChange;
use crate::statement::{Argument, Statement};
use crate::store::Store;

const CHANNEL: &str = "hookwright";

const NOTIFY: &str = "SELECT pg_notify($1, $2)";

/// PostgreSQL takes payloads shorter than 8,000 bytes.
const MAX_PAYLOAD_BYTES: usize = 7_900;

/// How long telling may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long nothing may be heard, not even from this node itself, before the connection is taken for dead.
const SILENCE: Duration = Duration::from_secs(15);

/// How long to wait before another try to listen: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// How often the log says that listening fails still.
const COMPLAINT: Duration = Duration::from_secs(60);

/// Something that other nodes may know from before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// The hook with this id, and the lists that it stands in.
    InlineHook(String),
    /// API tokens.
    ApiTokens,
    /// Users who may do less than before, or more.
    Users,
    /// The user schema.
    UserSchema,
    /// User profile policies, and which apps use them.
    Policies,
    /// Apps.
    Applications,
    /// Trusted origins.
    TrustedOrigins,
    /// The keys that tokens are signed with.
    SigningKeys,
    /// The keys that secrets are sealed with.
    SealingKeys,
    /// Anything.
    Everything,
}

/// What a node hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Listening has begun, or begun again: what others told before was missed.
    Began,
    /// Another node changed this.
    Touched(Vec<Touched>),
    /// Another node says this.
    Told {
        /// The node.
        node: String,
        /// Its words.
        text: String,
    },
}

const HOOK: &str = "hook:";

impl Touched {
    /// What others may know from before that this change makes untrue.
    fn by(change: &Change) -> Option<Self> {
        Some(match change {
            Change::InsertInlineHook { hook, .. } | Change::UpdateInlineHook(hook) => {
                Self::InlineHook(hook.id.to_string())
            }
            Change::DeleteInlineHook { id, .. } => Self::InlineHook(id.to_string()),
            Change::InsertSigningSecret { description, .. } => Self::InlineHook(description.hook_id.to_string()),
            Change::DeleteSigningSecret { hook_id, .. } => Self::InlineHook(hook_id.to_string()),
            Change::RevokeApiToken { .. } => Self::ApiTokens,
            Change::InsertUserSchema(_) | Change::UpdateUserSchema(_) => Self::UserSchema,
            Change::InsertEnrollmentPolicy { .. }
            | Change::UpdateEnrollmentPolicy(_)
            | Change::DeleteEnrollmentPolicy { .. } => Self::Policies,
            Change::InsertApplication(_) | Change::UpdateApplication(_) | Change::DeleteApplication { .. } => {
                Self::Applications
            }
            Change::InsertTrustedOrigin(_) | Change::UpdateTrustedOrigin(_) | Change::DeleteTrustedOrigin { .. } => {
                Self::TrustedOrigins
            }
            // Commits with a notice are made one after the other: those of people who sign up or in have none.
            Change::UpdateUser(user) if !matches!(user.status, UserStatus::Active | UserStatus::Provisioned) => {
                Self::Users
            }
            Change::DeleteUser { .. } | Change::InsertUserRole(_) | Change::DeleteUserRole { .. } => Self::Users,
            Change::OAuth(OAuthChange::InsertSigningKey(_) | OAuthChange::RotateSigningKeys { .. }) => {
                Self::SigningKeys
            }
            _ => return None,
        })
    }

    fn word(&self) -> String {
        match self {
            Self::InlineHook(id) => format!("{HOOK}{id}"),
            Self::ApiTokens => "tokens".to_owned(),
            Self::Users => "users".to_owned(),
            Self::UserSchema => "schema".to_owned(),
            Self::Policies => "policies".to_owned(),
            Self::Applications => "apps".to_owned(),
            Self::TrustedOrigins => "origins".to_owned(),
            Self::SigningKeys => "signing-keys".to_owned(),
            Self::SealingKeys => "sealing-keys".to_owned(),
            Self::Everything => "everything".to_owned(),
        }
    }

    /// A word of a later release is anything.
    fn of(word: &str) -> Self {
        match word {
            "tokens" => Self::ApiTokens,
            "users" => Self::Users,
            "schema" => Self::UserSchema,
            "policies" => Self::Policies,
            "apps" => Self::Applications,
            "origins" => Self::TrustedOrigins,
            "signing-keys" => Self::SigningKeys,
            "sealing-keys" => Self::SealingKeys,
            _ => word.strip_prefix(HOOK).map_or(Self::Everything, |id| Self::InlineHook(id.to_owned())),
        }
    }
}

/// What these changes make untrue, each once.
fn touched_by(changes: &[Change]) -> Vec<Touched> {
    let mut touched = Vec::new();
    for one in changes.iter().filter_map(Touched::by) {
        if !touched.contains(&one) {
            touched.push(one);
        }
    }
    touched
}

/// The statement that tells other nodes what these changes make untrue, if there is anything.
pub(crate) fn notify_of(node: &str, changes: &[Change]) -> Option<Statement> {
    let touched = touched_by(changes);
    (!touched.is_empty()).then(|| notify(node, &touched))
}

/// The statement that tells other nodes, once its transaction is committed.
pub(crate) fn notify(node: &str, touched: &[Touched]) -> Statement {
    let words: Vec<String> = touched.iter().map(Touched::word).collect();
    let mut payload = format!("{node} touched {}", words.join(" "));
    if payload.len() > MAX_PAYLOAD_BYTES {
        payload = format!("{node} touched {}", Touched::Everything.word());
    }
    Statement::new(NOTIFY, vec![Argument::Fixed(CHANNEL), Argument::Text(payload)])
}

/// What a payload says to this node; nothing if it is its own.
fn read(payload: &str, own: &str) -> Option<Notice> {
    let (node, rest) = payload.split_once(' ')?;
    if node == own {
        return None;
    }
    let (kind, rest) = rest.split_once(' ')?;
    Some(match kind {
        "told" => Notice::Told { node: node.to_owned(), text: rest.to_owned() },
        _ => Notice::Touched(rest.split(' ').map(Touched::of).collect()),
    })
}

/// How a node is known to the others, and how it listens to them.
pub(crate) struct Node {
    pub(crate) connect: PgConnectOptions,
    pub(crate) name: String,
    hears: Arc<AtomicBool>,
}

impl Node {
    pub(crate) fn new(connect: PgConnectOptions, name: String) -> Self {
        Self { connect, name, hears: Arc::default() }
    }

    /// Whether it listens now.
    pub(crate) fn hears(&self) -> bool {
        self.hears.load(Ordering::Relaxed)
    }
}

impl Store {
    /// Listens to the other nodes; `None` where there can be none.
    #[must_use]
    pub fn listener(&self) -> Option<Listener> {
        let node = self.node()?;
        Some(Listener {
            connect: node.connect.clone(),
            name: node.name.clone(),
            hears: Arc::clone(&node.hears),
            open: None,
            pause: PAUSES.0,
            complained: None,
        })
    }

    /// Tells all other nodes something, of at most [`Store::MAX_TOLD_BYTES`]; nothing where there can be none. It comes back to
    /// this node as a sign of life.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn tell_nodes(&self, text: &str) -> Result<(), StoreError> {
        let (Some(node), Pool::Postgres(pool)) = (self.node(), &self.database().pool) else { return Ok(()) };
        let payload = format!("{} told {text}", node.name);
        let mut connection = pool.acquire().await?;
        let told = sqlx::query(NOTIFY).bind(CHANNEL).bind(payload).execute(&mut *connection);
        match timeout(PATIENCE, told).await {
            Ok(told) => told.map(drop).map_err(StoreError::from),
            Err(_) => {
                // It may never answer: it must not come back into the pool.
                connection.close_on_drop();
                Err(StoreError::unavailable("it does not answer in time"))
            }
        }
    }

    /// The longest text that fits in one notice, in bytes.
    pub const MAX_TOLD_BYTES: usize = MAX_PAYLOAD_BYTES - 64;
}

/// Names a node that opens a database now.
pub(crate) async fn name(pool: &PgPool) -> Result<String, StoreError> {
    const NAME: &str = "SELECT md5(concat(random(), clock_timestamp(), pg_backend_pid()))";
    let (name,): (String,) = sqlx::query_as(NAME).fetch_one(pool).await?;
    Ok(name)
}

/// Hears what other nodes tell, over a connection of its own that is opened again whenever it is lost.
pub struct Listener {
    connect: PgConnectOptions,
    name: String,
    hears: Arc<AtomicBool>,
    open: Option<PgListener>,
    pause: Duration,
    /// When the log was last told that listening fails.
    complained: Option<Instant>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Listener").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Listener {
    /// The next thing that another node tells. Waits for it as long as need be, also for the database to come back.
    pub async fn next(&mut self) -> Notice {
        loop {
            let Some(open) = &mut self.open else {
                match timeout(PATIENCE, listen(&self.connect)).await {
                    Ok(Ok(open)) => {
                        self.began(open);
                        return Notice::Began;
                    }
                    Ok(Err(error)) => self.complain(&error),
                    Err(_) => self.complain(&"it does not answer in time"),
                }
                sleep(self.pause).await;
                self.pause = (self.pause * 2).min(PAUSES.1);
                continue;
            };
            match timeout(SILENCE, open.try_recv()).await {
                Ok(Ok(Some(notification))) => {
                    if let Some(notice) = read(notification.payload(), &self.name) {
                        return notice;
                    }
                }
                Ok(Ok(None)) => self.lost(&"the connection was lost"),
                Ok(Err(error)) => self.lost(&error),
                Err(_) => self.lost(&"nothing was heard for too long"),
            }
        }
    }

    fn began(&mut self, mut open: PgListener) {
        open.eager_reconnect(false);
        (self.open, self.pause) = (Some(open), PAUSES.0);
        self.hears.store(true, Ordering::Relaxed);
        if self.complained.take().is_some() {
            tracing::info!("this node hears the others again");
        }
    }

    fn lost(&mut self, why: &dyn std::fmt::Display) {
        self.open = None;
        self.complain(why);
    }

    fn complain(&mut self, why: &dyn std::fmt::Display) {
        self.hears.store(false, Ordering::Relaxed);
        if self.complained.is_none_or(|at| at.elapsed() >= COMPLAINT) {
            self.complained = Some(Instant::now());
            tracing::warn!(%why, "this node does not hear the others now; it sees their changes a little later");
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.hears.store(false, Ordering::Relaxed);
    }
}

async fn listen(connect: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    // A pool of one, since that is what the driver listens with; it may rest for as long as nobody says anything.
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let pool = pool.connect_with(connect.clone()).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_by_the_others_and_not_by_whoever_told_it() {
        let all = [
            Touched::InlineHook("cal1".to_owned()),
            Touched::ApiTokens,
            Touched::Users,
            Touched::UserSchema,
            Touched::Policies,
            Touched::Applications,
            Touched::TrustedOrigins,
            Touched::SigningKeys,
            Touched::SealingKeys,
            Touched::Everything,
        ];
        let payload = |touched: &[Touched]| match notify("a", touched).arguments.pop() {
            Some(Argument::Text(payload)) => payload,
            _ => String::new(),
        };
        assert_eq!(read(&payload(&all), "b"), Some(Notice::Touched(all.to_vec())));
        assert_eq!(read(&payload(&all), "a"), None);
        let many: Vec<_> = (0..2000).map(|number| Touched::InlineHook(format!("cal{number}"))).collect();
        assert_eq!(read(&payload(&many), "b"), Some(Notice::Touched(vec![Touched::Everything])));
        assert_eq!(read("a touched word-of-tomorrow", "b"), Some(Notice::Touched(vec![Touched::Everything])));
        let told = Notice::Told { node: "a".to_owned(), text: "one two".to_owned() };
        assert_eq!(read("a told one two", "b"), Some(told));
        assert_eq!(read("", "b"), None);
    }
}
