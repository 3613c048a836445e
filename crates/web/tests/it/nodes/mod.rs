//! Two nodes on one PostgreSQL are one org: nothing is done twice, nothing is forgotten between them.
//!
//! What needs whole processes (a killed node, a restarted database) is in the tests of the command line.

mod changes;
mod flows;
mod limits;
mod mails;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use hookwright_testkit::postgres::PostgresServer;
use hookwright_testkit::{Org, OrgOptions};

/// A database of its own on the one server of these tests.
pub(crate) struct SharedDatabase {
    server: &'static PostgresServer,
    name: String,
}

impl SharedDatabase {
    pub(crate) async fn create() -> Self {
        static SERVER: OnceLock<PostgresServer> = OnceLock::new();
        static DATABASES: AtomicU64 = AtomicU64::new(0);
        let made = tokio::task::spawn_blocking(|| {
            let server = SERVER.get_or_init(PostgresServer::start);
            let name = format!("nodes_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
            assert_eq!(server.query("postgres", &format!("CREATE DATABASE {name}")), "");
            Self { server, name }
        });
        made.await.expect("a database")
    }

    /// What these statements say.
    pub(crate) fn query(&self, sql: &str) -> String {
        self.server.query(&self.name, sql)
    }

    /// The options of a node, completed by `change`; no two may have one seed.
    pub(crate) fn options(&self, seed: u64, change: impl FnOnce(&mut OrgOptions)) -> OrgOptions {
        let mut options = OrgOptions { database_url: Some(self.server.url(&self.name)), seed, ..OrgOptions::default() };
        change(&mut options);
        options
    }

    /// Two nodes.
    pub(crate) async fn nodes(&self, change: impl Fn(&mut OrgOptions)) -> (Org, Org) {
        (Org::start_with(self.options(100, &change)).await, Org::start_with(self.options(200, &change)).await)
    }
}
