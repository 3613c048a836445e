//! How things are changed: read, decide, write, and from the start again if somebody else wrote in between.

use hookwright_engine::run_to_end;
use hookwright_store::{Change, CommitError};

use crate::turns::Turn;
use crate::{App, Error};

/// How often a change is tried.
const MAX_TRIES: u32 = 5;

/// The tries of one change. Writers of one process take turns, so that they don't lose against each other again and again.
pub(crate) struct Tries<'k> {
    key: &'k str,
    left: u32,
    _turn: Turn,
}

impl Tries<'_> {
    /// Begins the next try.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if there were enough.
    pub(crate) fn begin(&mut self) -> Result<(), Error> {
        self.left = self.left.checked_sub(1).ok_or_else(|| contended(self.key))?;
        Ok(())
    }
}

impl App {
    /// Waits for the turn to change the thing with this key.
    pub(crate) async fn tries<'k>(&self, key: &'k str) -> Result<Tries<'k>, Error> {
        let turn = self.inner.turns.take(key).await.ok_or_else(|| contended(key))?;
        Ok(Tries { key, left: MAX_TRIES, _turn: turn })
    }

    /// Commits, and then forgets what was known before, also if the client hangs up meanwhile.
    pub(crate) async fn commit(
        &self,
        changes: Vec<Change>,
        forget: impl FnOnce(&Self) + Send + 'static,
    ) -> Result<(), CommitError> {
        let app = self.clone();
        let under_way = self.inner.calls.token();
        run_to_end(async move {
            let result = app.inner.store.commit(changes).await;
            forget(&app);
            drop(under_way);
            result
        })
        .await
    }
}

fn contended(key: &str) -> Error {
    Error::Unavailable(format!("{key} is being changed by others"))
}
