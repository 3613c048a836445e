//! `hookwright key generate|list|rotate|reseal`: the keys that seal secrets, also beside a running `serve`.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use hookwright_app::{reseal, rotate_sealing_key};
use hookwright_store::Keyring;
use secrecy::ExposeSecret;

use crate::keyring::Source;
use crate::serve::StoreArguments;
use crate::system::{SystemClock, SystemEntropy};

/// Flags of `key`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print a fresh key, for keys that are kept elsewhere than in a file
    Generate,
    /// List the names of the keys; the first one seals, a name tells nothing of its key
    List {
        #[command(flatten)]
        store: StoreArguments,
    },
    /// Put a fresh key in front of the key file and seal every secret with it; a running serve goes on meanwhile
    Rotate {
        #[command(flatten)]
        store: StoreArguments,
    },
    /// Seal with the first key what another one has sealed: the end of a rotation that was cut short
    Reseal {
        #[command(flatten)]
        store: StoreArguments,
    },
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.verb {
        Verb::Generate => {
            say(Keyring::fresh_line(&SystemEntropy).expose_secret());
            Ok(())
        }
        Verb::List { store } => {
            let keyring = store.into_layer().keyring(false).await?;
            keyring.key_ids().for_each(|id| say(&id));
            Ok(())
        }
        Verb::Rotate { store } => rotate(store).await,
        Verb::Reseal { store } => {
            let store = store.open_shared().await?;
            let done = reseal(&store, progress).await;
            store.close().await;
            say(&format!("sealed {} secrets anew", done.context(CUT_SHORT)?));
            Ok(())
        }
    }
}

const CUT_SHORT: &str = "not every secret is sealed anew yet; nothing is lost, `hookwright key reseal` goes on";

/// The fresh key is saved before anything is sealed with it, and the old ones stay: whenever this ends, every secret can be
/// opened with the file as it is.
async fn rotate(arguments: StoreArguments) -> anyhow::Result<()> {
    let layer = arguments.into_layer();
    let Source::File(path) = layer.keyring_source()? else {
        bail!(
            "the keys are not in a file, so they can't be changed from here: make a key with `hookwright key generate`, put it \
             behind the others where they are kept and restart, then in front and restart, then run `hookwright key reseal`"
        );
    };
    let store = crate::serve::open_store(&layer, true).await?;
    let keyring = Keyring::open(&path)?.with_fresh_key(&SystemEntropy);
    keyring.save(&path)?;
    let id = keyring.key_ids().next().unwrap_or_default();
    let done = rotate_sealing_key(&store, keyring, &SystemClock, &SystemEntropy, progress).await;
    store.close().await;
    say(&format!("sealed {} secrets with key {id}", done.context(CUT_SHORT)?));
    Ok(())
}

fn progress(done: u64) {
    say(&format!("{done} secrets sealed anew"));
}

#[expect(clippy::print_stdout, reason = "the answer of a command line tool")]
fn say(text: &str) {
    println!("{text}");
}
