//! How many hooks a second the store creates, each with its event, and every answer after it is on disk.
//!
//! `cargo run --release -p hookwright-store --example create_rate [DATABASE_URL]`. Without a URL it uses SQLite in the
//! current folder and also measures the baseline: the same rows written one by one, each in a commit of its own with
//! `synchronous=FULL`. Rounds are interleaved, so that a busy machine is equally busy for all; medians are printed.

use std::path::Path;
use std::time::{Duration, Instant};

use hookwright_contract::HookType;
use hookwright_model::channel::{Channel, ChannelAuth, Header};
use hookwright_model::execution::{Actor, Attempt, Execution, ExecutionSummary, Origin, Trigger, Verdict};
use hookwright_model::hook_settings::HookSettings;
use hookwright_model::hook_uri::HookUri;
use hookwright_model::id::{ExecutionId, InlineHookId};
use hookwright_model::inline_hook::InlineHook;
use hookwright_model::lifecycle::LifecycleStatus;
use hookwright_model::shown::ShownBody;
use hookwright_model::system_log::{LogEvent, Outcome, Severity};
use hookwright_model::{Entropy, Timestamp};
use hookwright_store::{Change, Keyring, Store, StoreOptions};
use secrecy::SecretString;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(1_000);
const CLIENTS: [u64; 3] = [1, 16, 64];

type Failure = Box<dyn std::error::Error + Send + Sync>;

struct Counting;

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.iter_mut().zip(1..).for_each(|(byte, value)| *byte = value);
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a measurement is printed")]
async fn main() -> Result<(), Failure> {
    let given = std::env::args().nth(1);
    let folder = tempfile::tempdir_in(".")?;
    let url = given.clone().unwrap_or_else(|| format!("sqlite://{}/org.db", folder.path().display()));
    let mut options = StoreOptions::new(url, Keyring::in_memory(&Counting));
    options.accept_data_loss = true;
    let store = Store::open(options).await?;
    let start = i64::try_from(store.inline_hooks(None).await?.len())?;
    let mut next = u64::try_from(start)? + 1;
    let mut baselines = Vec::new();
    let mut rates = CLIENTS.map(|_| Vec::new());
    for round in 0..ROUNDS {
        if given.is_none() {
            baselines.push(row_by_row(&folder.path().join(format!("raw-{round}.db"))).await?);
        }
        for (clients, rates) in CLIENTS.iter().zip(&mut rates) {
            rates.push(create(&store, *clients, &mut next).await?);
        }
    }
    let baseline = median(&mut baselines);
    if let Some(baseline) = baseline {
        println!("row by row, one client: {baseline:.0} a second");
    }
    for (clients, mut rates) in CLIENTS.into_iter().zip(rates) {
        let Some(rate) = median(&mut rates) else { continue };
        let ratio = baseline.map(|baseline| format!(", {:.2} of row by row", rate / baseline)).unwrap_or_default();
        println!("{clients:2} clients: {rate:.0} creates a second{ratio}");
    }
    let (wall, count) = record(&store).await;
    println!("recording: {:.2} us a record, with {count} records", wall.as_secs_f64() * 1e6 / f64::from(count));
    store.close().await;
    Ok(())
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The same columns and indexes, without what makes the store fast.
async fn row_by_row(path: &Path) -> Result<f64, Failure> {
    let mut connection: SqliteConnection = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?;
    let table = "CREATE TABLE hooks (id TEXT PRIMARY KEY, name TEXT UNIQUE, channel TEXT, created INTEGER)";
    connection.execute(table).await?;
    let begun = Instant::now();
    let mut count = 0_u32;
    while begun.elapsed() < ROUND {
        sqlx::query("INSERT INTO hooks VALUES ($1, $2, $3, $4)")
            .bind(format!("cal{count:017}"))
            .bind(format!("hook {count}"))
            .bind("{\"uri\":\"https://hooks.example.com/registration\",\"headers\":[[\"x\",\"y\"]],\"auth\":{}}")
            .bind(1_i64)
            .execute(&mut connection)
            .await?;
        count += 1;
    }
    let rate = f64::from(count) / begun.elapsed().as_secs_f64();
    connection.close().await?;
    Ok(rate)
}

async fn create(store: &Store, clients: u64, next: &mut u64) -> Result<f64, Failure> {
    const STRIDE: u64 = 1_000_000;
    let first = *next;
    *next += clients * STRIDE;
    let begun = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut count = 0;
                while begun.elapsed() < ROUND {
                    let number = first + client * STRIDE + count;
                    let insert = Change::InsertInlineHook { hook: hook(number)?, limit: u64::MAX };
                    store.commit(vec![insert, Change::AppendEvents(vec![event(number)])]).await?;
                    count += 1;
                }
                Ok::<_, Failure>(count)
            })
        })
        .collect();
    let mut total = 0.0;
    for task in tasks {
        total += f64::from(u32::try_from(task.await??)?);
    }
    Ok(total / begun.elapsed().as_secs_f64())
}

async fn record(store: &Store) -> (Duration, u32) {
    const COUNT: u32 = 100_000;
    let sample = execution();
    let begun = Instant::now();
    for _ in 0..COUNT {
        store.record(sample.clone()).await;
    }
    (begun.elapsed(), COUNT)
}

fn hook(number: u64) -> Result<InlineHook, Failure> {
    let value = SecretString::from("a secret of some length".to_owned());
    Ok(InlineHook {
        // Scattered like real ids, which are random.
        id: InlineHookId::from_text(format!("cal{:020}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))),
        name: format!("Hook {number}"),
        hook_type: HookType::Registration,
        version: "1.0.0".to_owned(),
        status: LifecycleStatus::Active,
        channel: Channel {
            uri: HookUri::parse_stored("https://hooks.example.com/registration")?,
            headers: vec![Header { key: "X-One".to_owned(), value: "1".to_owned() }],
            auth: ChannelAuth::Header { scheme_type: "HEADER".to_owned(), key: "Authorization".to_owned(), value },
        },
        settings: HookSettings::default(),
        metadata: None,
        created: Timestamp::from_millis(1_767_225_600_000),
        last_updated: Timestamp::from_millis(1_767_225_600_000),
        revision: 1,
    })
}

fn actor() -> Actor {
    Actor {
        id: "00T0000000000000000A".to_owned(),
        kind: "PublicClientApp".to_owned(),
        display_name: "token".to_owned(),
        alternate_id: "token".to_owned(),
    }
}

fn event(number: u64) -> LogEvent {
    LogEvent {
        uuid: format!("{number:032x}"),
        published: Timestamp::from_millis(1_767_225_600_000),
        event_type: "inline_hook.created".into(),
        severity: Severity::Info,
        display_message: "Create an inline hook".into(),
        actor: actor(),
        origin: Origin::default(),
        outcome: Outcome { result: "SUCCESS".into(), reason: None },
        targets: Vec::new(),
        debug_data: serde_json::Map::new(),
    }
}

/// About as much as a self-service registration request and its answer.
fn execution() -> Execution {
    let attempt = Attempt {
        started_after_us: 10,
        duration_us: 900,
        status: Some(200),
        content_type: Some("application/json".into()),
        reused_connection: true,
        peer: Some("192.0.2.1:443".to_owned()),
        failure: None,
        body: ShownBody::stored(vec![b'a'; 120].into()),
    };
    Execution {
        id: ExecutionId::mint_at(Timestamp::from_millis(1_767_225_600_000), &Counting),
        summary: ExecutionSummary {
            hook_id: "cal00000000000000001".into(),
            hook_name: "Registration".to_owned(),
            hook_type: HookType::Registration,
            url: "https://hooks.example.com/registration".into(),
            trigger: Trigger::Execute,
            actor: actor(),
            origin: Origin::default(),
            event_id: Some("GOsk2z6tSSQlVK5eFSKYRA".into()),
            request_type: Some("self.service.registration".into()),
            started_ms: 1_767_225_600_000,
            duration_us: 1_000,
            verdict: Verdict::Answered,
            failure: None,
            effect: None,
            attempts: vec![attempt],
        },
        request: ShownBody::stored(vec![b'r'; 640].into()),
    }
}
