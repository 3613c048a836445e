//! `hookwright token create|list|revoke`: API tokens, also beside a running `serve`.

use clap::{Args, Subcommand};
use hookwright_app::{NewApiToken, revoke_api_token};
use hookwright_model::Clock;
use hookwright_model::id::ApiTokenId;
use secrecy::ExposeSecret;

use crate::serve::StoreArguments;
use crate::system::{SystemClock, SystemEntropy};

/// Flags of `token`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a token and print it, the only time that it is shown
    Create {
        /// What the token is for
        #[arg(long, value_parser = read_name)]
        name: String,
        #[command(flatten)]
        store: StoreArguments,
    },
    /// List the tokens, never the secrets
    List {
        #[command(flatten)]
        store: StoreArguments,
    },
    /// End a token; a running serve refuses it within a second
    Revoke {
        /// The token's id, 00T...
        id: String,
        #[command(flatten)]
        store: StoreArguments,
    },
}

/// A name that fits into a line of the list.
fn read_name(text: &str) -> Result<String, &'static str> {
    let fits = !text.trim().is_empty() && text.chars().count() <= 255 && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("expected 1 to 255 characters in one line") }
}

#[expect(clippy::print_stdout, reason = "the answer of a command line tool")]
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.verb {
        Verb::Create { name, store } => {
            let store = store.open_shared().await?;
            let token = NewApiToken::mint(&name, &SystemClock, &SystemEntropy);
            token.store(&store, &SystemEntropy).await?;
            store.close().await;
            println!("{}", token.secret.expose_secret());
        }
        Verb::List { store } => {
            let store = store.open_shared().await?;
            let now = SystemClock.now();
            println!("{:<20}  {:<8}  {:<24}  {:<24}  {:<24}  NAME", "ID", "STATUS", "CREATED", "LAST USED", "EXPIRES");
            for token in store.api_tokens().await? {
                let status = if token.revoked.is_some() {
                    "REVOKED"
                } else if token.is_valid_at(now) {
                    "ACTIVE"
                } else {
                    "EXPIRED"
                };
                println!(
                    "{:<20}  {:<8}  {:<24}  {:<24}  {:<24}  {}",
                    token.id.as_str(),
                    status,
                    token.created.to_string(),
                    token.last_used.to_string(),
                    token.expires.to_string(),
                    token.name
                );
            }
            store.close().await;
        }
        Verb::Revoke { id, store } => {
            let store = store.open_shared().await?;
            let token = revoke_api_token(&store, &ApiTokenId::from_text(id), &SystemClock, &SystemEntropy).await?;
            store.close().await;
            println!("revoked {} ({})", token.id, token.name);
        }
    }
    Ok(())
}
