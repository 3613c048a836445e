//! An org under test: the real server, its database in a folder of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use hookwright_app::{App, NewApiToken, Settings, StoredHookKeys, TokenGrant};
use hookwright_engine::{Engine, EngineOptions};
use hookwright_model::Timestamp;
use hookwright_model::address::AddressPolicy;
use hookwright_model::id::{ApiTokenId, UserId};
use hookwright_store::{Keyring, Store, StoreOptions};
use hookwright_web::{Server, ServerLimits};
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::canaries::{self, Remains};
use crate::client::Client;
use crate::entropy::{FixedClock, SeededEntropy};

/// The API token of every org under test.
pub const TOKEN: &str = "hwt_test_0123456789abcdef0123456789abcdef";

/// What may differ from one org under test to another.
#[derive(Debug, Clone)]
pub struct OrgOptions {
    /// The operations' settings; the public URL follows from the port, unless it is set. Development is on.
    pub settings: Settings,
    /// The engine's options; the address policy is the one of the settings.
    pub engine: EngineOptions,
    /// The server's limits.
    pub limits: ServerLimits,
    /// Another database than SQLite in a folder of its own.
    pub database_url: Option<String>,
    /// Where chance begins; two orgs on one database need two of them.
    pub seed: u64,
    /// The size at which the database refuses to grow.
    pub max_database_bytes: Option<u64>,
}

impl Default for OrgOptions {
    fn default() -> Self {
        let address_policy = AddressPolicy { development: true, ..AddressPolicy::default() };
        Self {
            settings: Settings { address_policy, rate_limits: false, public_url: String::new(), ..Settings::default() },
            engine: EngineOptions::default(),
            limits: ServerLimits::default(),
            database_url: None,
            seed: 0,
            max_database_bytes: None,
        }
    }
}

/// A running org.
pub struct Org {
    /// Speaks to it with [`TOKEN`].
    pub client: Client,
    /// Its operations, without HTTP.
    pub app: App,
    /// Its database.
    pub store: Store,
    /// Its first administrator, who owns [`TOKEN`].
    pub administrator: UserId,
    /// Its time.
    pub clock: Arc<FixedClock>,
    ground: Ground,
    entropy: Arc<SeededEntropy>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

/// What an org stands on, and what stays when it is started again.
struct Ground {
    options: OrgOptions,
    /// Before the folder, which goes behind it.
    remains: Remains,
    folder: TempDir,
    keyring: Keyring,
    starts: u64,
}

#[expect(clippy::expect_used, reason = "a failed expectation is how a test fails")]
impl Org {
    /// Starts an org in development mode, with rate limits off.
    ///
    /// # Panics
    /// It can't be started.
    pub async fn start() -> Self {
        Self::start_with(OrgOptions::default()).await
    }

    /// Starts an org.
    ///
    /// # Panics
    /// It can't be started.
    pub async fn start_with(options: OrgOptions) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let keyring = Keyring::in_memory(&SeededEntropy::new(7));
        let clock = Arc::new(FixedClock::at(Timestamp::from_millis(1_700_000_000_000)));
        let remains = Remains::new(folder.path(), options.database_url.clone(), keyring.clone());
        Self::run(Ground { options, remains, folder, keyring, starts: 0 }, clock).await
    }

    async fn run(mut ground: Ground, clock: Arc<FixedClock>) -> Self {
        ground.starts += 1;
        let entropy = Arc::new(SeededEntropy::new(ground.options.seed + ground.starts));
        let options = ground.options.clone();
        let database_url = options
            .database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}", ground.folder.path().join("hookwright.db").display()));
        let mut store_options = StoreOptions::new(database_url, ground.keyring.clone());
        store_options.accept_data_loss = options.database_url.is_some();
        store_options.max_database_bytes = options.max_database_bytes;
        let store = Store::open(store_options).await.expect("the store opens");
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::bind(address, options.limits).await.expect("an ephemeral port");
        let address = server.local_address();
        canaries::watch(address, &ground.remains.canaries);
        let mut settings = options.settings;
        if settings.public_url.is_empty() {
            settings.public_url = format!("http://{address}");
        }
        let assertions = StoredHookKeys::assertions(store.clone(), clock.clone(), entropy.clone());
        let policy = settings.address_policy.clone();
        let engine = EngineOptions { policy, assertions: Some(assertions), ..options.engine };
        let engine = Engine::new(engine).expect("the engine starts");
        engine.refuse_own_listener(address);
        let app = App::new(store.clone(), engine, clock.clone(), entropy.clone(), settings);
        let administrator = app.prepare_org().await.expect("the org is made");
        app.join_nodes();
        let grant = TokenGrant::all_of(administrator.clone());
        let secret = SecretString::from(TOKEN);
        let token = NewApiToken::with_secret("test", secret, grant, clock.as_ref(), entropy.as_ref());
        token.store(&store, entropy.as_ref()).await.expect("the token is stored");
        ground.remains.apps.push(app.clone());
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.serve(app.clone(), async move {
            // A dropped sender stops the org too.
            let _ = stopped.await;
        }));
        let client = Client::new(address).with_token(TOKEN);
        Self { client, app, store, clock, administrator, ground, entropy, stop: Some(stop), serving: Some(serving) }
    }

    /// A client without credentials.
    #[must_use]
    pub fn stranger(&self) -> Client {
        Client::new(self.client.address())
    }

    /// Makes another API token of the first administrator; its id, and a client that uses it.
    ///
    /// # Panics
    /// It can't be stored.
    pub async fn another_token(&self, name: &str) -> (ApiTokenId, Client) {
        self.token_for(name, TokenGrant::all_of(self.administrator.clone())).await
    }

    /// Makes an API token of anybody's; its id, and a client that uses it.
    ///
    /// # Panics
    /// It can't be stored.
    pub async fn token_for(&self, name: &str, grant: TokenGrant) -> (ApiTokenId, Client) {
        let token = NewApiToken::mint(name, grant, self.clock.as_ref(), self.entropy.as_ref());
        token.store(&self.store, self.entropy.as_ref()).await.expect("the token is stored");
        (token.token.id.clone(), self.client.with_token(token.secret.expose_secret()))
    }

    /// The bytes of all its database files.
    ///
    /// # Panics
    /// They can't be read.
    #[must_use]
    pub fn database_bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.ground.folder.path()).expect("the folder is there");
        files.flat_map(|file| std::fs::read(file.expect("a file").path()).expect("a readable file")).collect()
    }

    /// Begins to stop it as SIGTERM does; the end is waited for by [`Self::stop`].
    pub fn begin_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have stopped already.
            let _ = stop.send(());
        }
    }

    /// Stops it as SIGTERM does, and waits for its end.
    pub async fn stop(mut self) {
        self.end().await;
    }

    /// Stops it and starts it again on the same database, at another port.
    pub async fn restart(mut self) -> Self {
        self.end().await;
        Self::run(self.ground, self.clock).await
    }

    async fn end(&mut self) {
        self.begin_to_stop();
        if let Some(serving) = self.serving.take() {
            serving.await.expect("the server ends well");
        }
        self.app.close().await;
    }
}
