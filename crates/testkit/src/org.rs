//! An org under test: the real server, its database in a folder of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use hookwright_app::{App, NewApiToken, Settings};
use hookwright_engine::{Engine, EngineOptions};
use hookwright_model::Timestamp;
use hookwright_model::address::AddressPolicy;
use hookwright_store::{Keyring, Store, StoreOptions};
use hookwright_web::{Server, ServerLimits};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::entropy::{FixedClock, SeededEntropy};

/// The API token of every org under test.
pub const TOKEN: &str = "hwt_test_0123456789abcdef0123456789abcdef";

/// What may differ from one org under test to another.
#[derive(Debug, Clone)]
pub struct OrgOptions {
    /// The operations' settings; the public URL follows from the port. Development is on.
    pub settings: Settings,
    /// The engine's options; the address policy is the one of the settings.
    pub engine: EngineOptions,
    /// The server's limits.
    pub limits: ServerLimits,
    /// Another database than SQLite in a folder of its own.
    pub database_url: Option<String>,
}

impl Default for OrgOptions {
    fn default() -> Self {
        let address_policy = AddressPolicy { development: true, ..AddressPolicy::default() };
        Self {
            settings: Settings { address_policy, rate_limits: false, ..Settings::default() },
            engine: EngineOptions::default(),
            limits: ServerLimits::default(),
            database_url: None,
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
    /// Its time.
    pub clock: Arc<FixedClock>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
    _folder: TempDir,
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
        let clock = Arc::new(FixedClock::at(Timestamp::from_millis(1_700_000_000_000)));
        let entropy = Arc::new(SeededEntropy::new(7));
        let database_url = options
            .database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}", folder.path().join("hookwright.db").display()));
        let keyring = Keyring::in_memory(entropy.as_ref());
        let mut store_options = StoreOptions::new(database_url, keyring);
        store_options.accept_data_loss = options.database_url.is_some();
        let store = Store::open(store_options).await.expect("the store opens");
        let token = NewApiToken::with_secret("test", SecretString::from(TOKEN), clock.as_ref(), entropy.as_ref());
        token.store(&store, entropy.as_ref()).await.expect("the token is stored");

        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::bind(address, options.limits).await.expect("an ephemeral port");
        let address = server.local_address();
        let settings = Settings { public_url: format!("http://{address}"), ..options.settings };
        let engine = EngineOptions { policy: settings.address_policy.clone(), ..options.engine };
        let engine = Engine::new(engine).expect("the engine starts");
        let app = App::new(store.clone(), engine, clock.clone(), entropy, settings);
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.serve(app.clone(), async move {
            // A dropped sender stops the org too.
            let _ = stopped.await;
        }));
        let client = Client::new(address).with_token(TOKEN);
        Self { client, app, store, clock, stop: Some(stop), serving: Some(serving), _folder: folder }
    }

    /// Stops it as SIGTERM does, and waits for its end.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have stopped already.
            let _ = stop.send(());
        }
        if let Some(serving) = self.serving.take() {
            serving.await.expect("the server ends well");
        }
        self.app.close().await;
    }
}
