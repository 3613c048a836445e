//! `hookwright serve`: the org.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use hookwright_app::{App, Error, NewApiToken, Settings, StoredHookKeys, TokenGrant, prepare_org};
use hookwright_engine::{Engine, EngineOptions};
use hookwright_lanes::Lanes;
use hookwright_model::Clock as _;
use hookwright_model::id::UserId;
use hookwright_model::secret_display::SecretDisplay;
use hookwright_store::{Store, StoreOptions};
use hookwright_web::{Server, ServerLimits};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};

use crate::config::{self, Layer, Switch};
use crate::logging;
use crate::system::{SystemClock, SystemEntropy, termination};

/// How often mails are looked for that were not taken at once.
const MAIL_ROUND: Duration = Duration::from_secs(15);

/// What is over is removed every so many rounds of mails.
const ROUNDS_A_CLEANING: u32 = 4;

/// How often old records are forgotten.
const RETENTION_ROUND: Duration = Duration::from_secs(60 * 60);

/// The name of tokens that come from the configuration.
const CONFIGURED: &str = "bootstrap";

/// Flags of `serve`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// TOML file of settings; the environment and flags win over it
    #[arg(long, env = "HOOKWRIGHT_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Layer,
}

/// Flags of commands that only need the database.
#[derive(Debug, Args)]
pub(crate) struct StoreArguments {
    /// Folder of the SQLite file and generated keys [default: ./hookwright-data]
    #[arg(long, env = "HOOKWRIGHT_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// sqlite://... or postgres://... [default: SQLite in the data folder]
    #[arg(long, env = "HOOKWRIGHT_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// File of the keys that seal secrets [default: hookwright.key in the data folder]
    #[arg(long, env = "HOOKWRIGHT_KEY_FILE")]
    key_file: Option<PathBuf>,
    /// The keys themselves, in place of a file; better given by the environment, since flags show in `ps`
    #[arg(long, env = "HOOKWRIGHT_KEYS", hide_env_values = true)]
    keys: Option<SecretString>,
    /// Command that prints the keys, in place of a file; run without a shell
    #[arg(long, env = "HOOKWRIGHT_KEY_COMMAND")]
    key_command: Option<String>,
}

impl StoreArguments {
    /// As settings.
    pub(crate) fn into_layer(self) -> Layer {
        let Self { data_dir, database_url, key_file, keys, key_command } = self;
        Layer { data_dir, database_url, key_file, keys, key_command, ..Layer::default() }
    }

    /// The database, beside a running `serve` if there is one.
    ///
    /// # Errors
    /// The store's. There is no org yet: a new one, made at a misspelt place, would take a token that opens nothing.
    pub(crate) async fn open_shared(self) -> anyhow::Result<Store> {
        self.open_existing(|_| ()).await
    }

    /// The same, and the proof of its log begins again behind what it holds now.
    ///
    /// # Errors
    /// As [`StoreArguments::open_shared`].
    pub(crate) async fn restart_log(self) -> anyhow::Result<Store> {
        self.open_existing(|options| options.restart_log = true).await
    }

    async fn open_existing(self, change: impl FnOnce(&mut StoreOptions)) -> anyhow::Result<Store> {
        let settings = self.into_layer();
        if Store::is_new(&settings.database_url()).await? {
            let place = match &settings.database_url {
                Some(_) => "this database".to_owned(),
                None => settings.data_dir().display().to_string(),
            };
            bail!("there is no org in {place}: say where it is as `serve` is told, or make it by `hookwright migrate`");
        }
        open_store_with(&settings, |options| {
            options.shared = true;
            change(options);
        })
        .await
    }
}

/// An org that listens but does not serve yet.
pub(crate) struct Org {
    pub(crate) app: App,
    pub(crate) server: Server,
    /// For those who run the org, if it has an address of its own.
    pub(crate) operators: Option<Server>,
    pub(crate) store: Store,
    /// The super administrator who has been one for longest.
    pub(crate) administrator: UserId,
    /// The token that was made at the first start; the only time that it is known.
    pub(crate) first_token: Option<NewApiToken>,
}

/// Runs the org until it is told to stop.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let given = |flag: &str| std::env::args().any(|argument| argument.split('=').next() == Some(flag));
    let (token_from_flag, proxy_from_flag) = (given("--api-token"), given("--egress-proxy"));
    let settings = arguments.settings.over_file(arguments.config.as_deref())?;
    let _log = logging::start(settings.log_format.unwrap_or_default(), settings.log.as_deref().unwrap_or("info"))?;
    settings.check()?;
    if token_from_flag {
        tracing::warn!("--api-token shows in the list of processes; HOOKWRIGHT_API_TOKEN does not");
    }
    for opening in settings.address_policy()?.openings() {
        tracing::warn!("{opening}");
    }
    if let Some(listen) = settings.open_listener() {
        tracing::warn!(
            address = %listen,
            "Others reach this address by plain HTTP: name the https:// address of the proxy with TLS in --public-url. Until \
             then cookies go without Secure too."
        );
    }
    if let Some(setting) = settings.proxy_without_word()? {
        tracing::warn!(
            "{setting} says that a proxy is in front, and none is named in --trusted-proxies: limits count all its clients as one"
        );
    }
    if proxy_from_flag {
        tracing::warn!(
            "--egress-proxy shows in the list of processes, its password too; HOOKWRIGHT_EGRESS_PROXY does not"
        );
    }
    if std::env::args().any(|argument| argument.starts_with("--keys")) {
        tracing::warn!("--keys shows in the list of processes; HOOKWRIGHT_KEYS does not");
    }
    let mut org = Org::open(&settings).await?;
    if settings.lacks_public_url(org.server.local_address()) {
        tracing::warn!(
            "links in answers lead nowhere, and forms may be refused: set --public-url to what clients open"
        );
    }
    let lanes = Lanes::start().context("can't start the threads that answer requests")?;
    let told_to_stop = termination();
    announce(&org);
    let retention = tokio::spawn(keep_retention(org.store.clone(), settings));
    let housekeeping = tokio::spawn(keep_house(org.app.clone()));
    let (serving, served) = tokio::sync::oneshot::channel::<()>();
    if let Some(operators) = org.operators.take() {
        // To the last: how the end goes can be watched.
        tokio::spawn(operators.serve(org.app.clone(), async move { drop(served.await) }));
    }
    org.server.serve_in(&lanes, org.app.clone(), told_to_stop).await;
    drop(serving);
    retention.abort();
    housekeeping.abort();
    org.app.close().await;
    tracing::info!("stopped");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "scripts wait for this line, and the token is shown only here")]
fn announce(org: &Org) {
    if let Some(token) = &org.first_token {
        println!("API token (shown once): {}", token.secret.expose_secret());
    }
    let address = org.server.local_address();
    if let Some(operators) = &org.operators {
        println!("metrics on http://{}/metrics", operators.local_address());
    }
    println!("listening on http://{address}");
    tracing::info!(%address, public_url = org.app.settings().public_url, "listening");
}

/// Flags of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateArguments {
    #[command(flatten)]
    store: StoreArguments,
    /// Login and email address of the first administrator, if the org has none yet [default: one that no mail reaches]
    #[arg(long, env = "HOOKWRIGHT_ADMIN_LOGIN")]
    admin_login: Option<String>,
}

/// Brings the database to this release's schema, and makes the org if there is none.
pub(crate) async fn migrate(arguments: MigrateArguments) -> anyhow::Result<()> {
    let store = open_store(&arguments.store.into_layer(), false).await?;
    let made = prepare_org(&store, arguments.admin_login.as_deref(), &SystemClock, &SystemEntropy).await;
    store.close().await;
    made.context("the org can't be made")?;
    Ok(())
}

impl Org {
    /// Opens the store, builds the engine, binds the address.
    pub(crate) async fn open(settings: &Layer) -> anyhow::Result<Self> {
        let development = settings.is_development();
        let listen = settings.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
        let store = open_store(settings, false).await?;
        let defaults = ServerLimits::default();
        let limits = ServerLimits {
            connections: settings.max_connections.unwrap_or(defaults.connections),
            connections_per_peer: settings.max_connections_per_address.unwrap_or(defaults.connections_per_peer),
            ..defaults
        };
        let server = bind(listen, limits).await?;
        let operators = match settings.metrics_listen {
            Some(address) => Some(bind(address, defaults).await?.for_operators()),
            None => None,
        };
        let policy = settings.address_policy()?;
        let defaults = EngineOptions::default();
        let assertions = StoredHookKeys::assertions(store.clone(), Arc::new(SystemClock), Arc::new(SystemEntropy));
        let engine = Engine::new(EngineOptions {
            assertions: Some(assertions),
            policy: policy.clone(),
            max_calls: settings.max_calls.unwrap_or(defaults.max_calls),
            max_calls_per_hook: settings.max_calls_per_hook.unwrap_or(defaults.max_calls_per_hook),
            proxy: settings.egress_proxy()?,
            extra_roots: settings.ca_file.as_ref().map(read_roots).transpose()?.unwrap_or_default(),
            ..defaults
        })?;
        for server in operators.iter().chain([&server]) {
            engine.refuse_own_listener(server.local_address());
        }
        let app_defaults = Settings::default();
        let public_url = match settings.public_base()? {
            Some(url) => url,
            None => format!("http://{}", server.local_address()),
        };
        let app_settings = Settings {
            public_url,
            admin_login: settings.admin_login.clone(),
            secret_display: match settings.secret_display {
                Some(config::SecretDisplay::Omit) => SecretDisplay::Omit,
                _ => SecretDisplay::Mask,
            },
            address_policy: policy,
            inline_hook_limit: settings.inline_hook_limit.unwrap_or(app_defaults.inline_hook_limit),
            rate_limits: match settings.rate_limits {
                Some(switch) => switch == Switch::On,
                None => !development,
            },
            sign_ups_per_hour: settings.sign_ups_per_hour.unwrap_or(app_defaults.sign_ups_per_hour),
            trusted_proxies: settings.trusted_proxies()?,
            log_successful_calls: settings.log_successful_calls != Some(Switch::Off),
            mail: settings.mail()?,
            ..app_defaults
        };
        let app = App::new(store.clone(), engine, Arc::new(SystemClock), Arc::new(SystemEntropy), app_settings);
        let administrator = app.prepare_org().await.context("the org can't be made")?;
        app.join_nodes();
        // The last step: a token of a start that fails would be kept, and never shown.
        let first_token = provide_token(settings, &store, TokenGrant::all_of(administrator.clone())).await?;
        Ok(Self { app, server, operators, store, administrator, first_token })
    }
}

async fn bind(address: SocketAddr, limits: ServerLimits) -> anyhow::Result<Server> {
    Server::bind(address, limits).await.with_context(|| format!("can't listen on {address}"))
}

fn read_roots(path: &PathBuf) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let context = || format!("the CA file {} can't be used", path.display());
    let roots: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).with_context(context)?.collect();
    let roots = roots.with_context(context)?;
    if roots.is_empty() {
        bail!("the CA file {} holds no certificate", path.display());
    }
    Ok(roots)
}

/// The database, with its keys; `shared` beside a running `serve`.
pub(crate) async fn open_store(settings: &Layer, shared: bool) -> anyhow::Result<Store> {
    open_store_with(settings, |options| options.shared = shared).await
}

async fn open_store_with(settings: &Layer, change: impl FnOnce(&mut StoreOptions)) -> anyhow::Result<Store> {
    let data_dir = settings.data_dir();
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&data_dir)
        .with_context(|| format!("the data folder {} can't be made", data_dir.display()))?;
    let mode = fs::metadata(&data_dir)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(folder = %data_dir.display(), "the data folder is open to other users of this machine");
    }
    let database_url = settings.database_url();
    let new = Store::is_new(&database_url).await?;
    let keyring = settings.keyring(new).await?;
    let mut options = StoreOptions::new(database_url, keyring);
    change(&mut options);
    Ok(Store::open(options).await?)
}

/// Stores the configured token, or makes one if there is none at all.
async fn provide_token(settings: &Layer, store: &Store, grant: TokenGrant) -> anyhow::Result<Option<NewApiToken>> {
    if let Some(secret) = &settings.api_token {
        let token = NewApiToken::with_secret(CONFIGURED, secret.clone(), grant, &SystemClock, &SystemEntropy);
        match token.store(store, &SystemEntropy).await {
            // No reason to shut everybody else out.
            Err(Error::WrongState(_)) => tracing::warn!(
                "The API token of the configuration was revoked and opens nothing: take it out of HOOKWRIGHT_API_TOKEN, or put \
                 another there. `hookwright token create` makes one beside this server."
            ),
            stored => stored.context("the configured API token can't be used")?,
        }
        tell_of_earlier_tokens(store, &token).await?;
        return Ok(None);
    }
    if !store.api_tokens().await?.is_empty() {
        return Ok(None);
    }
    let token = NewApiToken::mint("first", grant, &SystemClock, &SystemEntropy);
    token.store(store, &SystemEntropy).await?;
    Ok(Some(token))
}

/// Names the tokens that came from the configuration of earlier starts and are still good: another value there does not end
/// them, since its clients may still be on their way to it.
async fn tell_of_earlier_tokens(store: &Store, configured: &NewApiToken) -> anyhow::Result<()> {
    let now = SystemClock.now();
    for earlier in store.api_tokens().await? {
        if earlier.name == CONFIGURED && earlier.sha256 != configured.token.sha256 && earlier.is_valid_at(now) {
            tracing::warn!(
                token = earlier.id.as_str(),
                created = %earlier.created,
                "An API token that the configuration had before is still valid: end it with `hookwright token revoke {}`",
                earlier.id
            );
        }
    }
    Ok(())
}

/// Sends mails that were not taken at once, and removes flows, sessions and the like that are over.
async fn keep_house(app: App) {
    for round in 1_u32.. {
        tokio::time::sleep(MAIL_ROUND).await;
        app.sweep_refused_tokens();
        let sent = app.send_mails().await;
        let dropped = match round % ROUNDS_A_CLEANING {
            // A little less than the time between two, so that a clock that is slow to tick misses none.
            0 => app.drop_expired(MAIL_ROUND * (ROUNDS_A_CLEANING - 1)).await,
            _ => Ok(()),
        };
        for done in [sent, dropped] {
            if let Err(error) = done {
                tracing::warn!(%error, "the housekeeping failed; it is tried again");
            }
        }
    }
}

/// Forgets old records, an hour after the start and then every hour.
async fn keep_retention(store: Store, settings: Layer) {
    let age = Duration::from_secs(u64::from(settings.retention_days.unwrap_or(90)) * 24 * 60 * 60);
    let bytes = settings.retention_mb.unwrap_or(4096).saturating_mul(1024 * 1024);
    loop {
        tokio::time::sleep(RETENTION_ROUND).await;
        let now = SystemClock.now();
        let removed = match store.take_lease("retention", now, RETENTION_ROUND * 9 / 10).await {
            Ok(true) => store.apply_retention(now.minus(age), bytes).await,
            // Another node does it.
            Ok(false) => continue,
            Err(error) => Err(error),
        };
        match removed {
            Ok(removed) => tracing::debug!(?removed, "old records were removed"),
            Err(error) => tracing::warn!(%error, "old records could not be removed"),
        }
    }
}
