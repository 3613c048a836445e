//! The other nodes of the org: what they change is forgotten here at once, and what they count is counted here too.
//!
//! Nothing here has to work for the org to be right: what is cached is believed for a second at most, see `cache`, and a node
//! that hears nobody counts rate limits by itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use hookwright_store::{Listener, Notice, Store, Touched};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use crate::{App, Inner};

/// How often a node tells what it has counted, unless there is reason to hurry.
const ROUND: Duration = Duration::from_millis(100);

/// How often a node says that it is there.
const GREETING: Duration = Duration::from_secs(5);

/// Whoever said nothing for so long is gone.
const MEMORY: Duration = Duration::from_secs(20);

/// A greeting. Anything else is counts.
const HERE: &str = "here";

/// Who else is there, and the tasks that listen and tell.
#[derive(Default)]
pub(crate) struct Nodes {
    others: Mutex<HashMap<String, Instant>>,
    /// Somebody is there who may not know of us.
    owes_greeting: AtomicBool,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl Nodes {
    /// Hears and tells nothing from now on.
    pub(crate) fn leave(&self) {
        for task in self.tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }

    /// Notes that a node is there; whether it is a new one.
    fn met(&self, node: String) -> bool {
        self.others.lock().unwrap_or_else(PoisonError::into_inner).insert(node, Instant::now()).is_none()
    }

    /// Whether anybody else is there.
    fn has_others(&self) -> bool {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        others.retain(|_, heard| heard.elapsed() < MEMORY);
        !others.is_empty()
    }
}

impl App {
    /// Begins to hear what other nodes on the same database change and count, and to tell them. There are none on SQLite.
    pub fn join_nodes(&self) {
        let Some(listener) = self.inner.store.listener() else { return };
        let listening = tokio::spawn(listen(Arc::downgrade(&self.inner), listener)).abort_handle();
        let telling = tokio::spawn(tell(Arc::downgrade(&self.inner))).abort_handle();
        self.inner.nodes.tasks.lock().unwrap_or_else(PoisonError::into_inner).extend([listening, telling]);
    }

    async fn heed(&self, notice: Notice) {
        match notice {
            Notice::Began => {
                self.forget_everything();
                self.inner.nodes.owes_greeting.store(true, Ordering::Relaxed);
                self.inner.rate_limits.hurry().notify_one();
            }
            Notice::Touched(touched) => {
                for one in touched {
                    self.forget_touched(one).await;
                }
            }
            Notice::Told { node, text } => {
                if self.inner.nodes.met(node.clone()) {
                    self.inner.nodes.owes_greeting.store(true, Ordering::Relaxed);
                    self.inner.rate_limits.tell_all();
                }
                if text != HERE {
                    self.inner.rate_limits.heard(&node, &text, self.now());
                }
            }
        }
    }

    async fn forget_touched(&self, touched: Touched) {
        match touched {
            Touched::InlineHook(id) => self.forget_hook(&id),
            Touched::ApiTokens | Touched::Users => self.forget_tokens(),
            Touched::UserSchema => self.forget_schema(),
            Touched::Policies => self.forget_policies(),
            Touched::Applications => self.forget_applications(),
            Touched::TrustedOrigins => self.forget_origins(),
            Touched::SigningKeys => self.inner.keys.forget_all(),
            Touched::SealingKeys => {
                self.forget_everything();
                // Reads the file again, and says so in the log if the key is not there.
                if let Err(error) = self.inner.store.lacking_keys().await {
                    tracing::warn!(%error, "it can't be told whether the keys are complete");
                }
            }
            Touched::Everything => self.forget_everything(),
        }
    }

    fn forget_everything(&self) {
        self.forget_hooks();
        self.forget_tokens();
        self.forget_schema();
        self.forget_policies();
        self.forget_applications();
        self.forget_origins();
        self.inner.keys.forget_all();
    }
}

/// Hears the others as long as there is an org.
async fn listen(inner: Weak<Inner>, mut listener: Listener) {
    loop {
        let notice = listener.next().await;
        let Some(inner) = inner.upgrade() else { return };
        App { inner }.heed(notice).await;
    }
}

/// Tells the others as long as there is an org.
async fn tell(inner: Weak<Inner>) {
    let Some(hurry) = inner.upgrade().map(|inner| inner.rate_limits.hurry()) else { return };
    let mut greeted: Option<Instant> = None;
    loop {
        // Whichever comes first.
        let _ = timeout(ROUND, hurry.notified()).await;
        let Some(inner) = inner.upgrade() else { return };
        let app = App { inner };
        let (nodes, limits, store) = (&app.inner.nodes, &app.inner.rate_limits, &app.inner.store);
        let owes = nodes.owes_greeting.swap(false, Ordering::Relaxed);
        if owes || greeted.is_none_or(|at| at.elapsed() >= GREETING) {
            greeted = Some(Instant::now());
            said(store, HERE).await;
        }
        limits.share(nodes.has_others());
        for text in limits.untold(Store::MAX_TOLD_BYTES) {
            said(store, &text).await;
        }
    }
}

async fn said(store: &Store, text: &str) {
    if let Err(error) = store.tell_nodes(text).await {
        tracing::debug!(%error, "the other nodes could not be told; they are told again");
    }
}
