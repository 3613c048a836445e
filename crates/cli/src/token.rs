//! `hookwright token create|list|revoke`: API tokens, also beside a running `serve`.

use anyhow::bail;
use clap::{Args, Subcommand};
use hookwright_app::{NewApiToken, TokenGrant, revoke_api_token};
use hookwright_model::api_scope::ApiScopes;
use hookwright_model::api_token::ApiToken;
use hookwright_model::id::ApiTokenId;
use hookwright_model::user::User;
use hookwright_model::{Clock, Timestamp};
use hookwright_store::Store;
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
        /// Login or id of the administrator whose rights it has [default: the super administrator of longest standing]
        #[arg(long)]
        owner: Option<String>,
        /// Okta's scopes that it is narrowed to, such as okta.inlineHooks.read,okta.logs.read [default: all its owner may do]
        #[arg(long, value_parser = ApiScopes::parse, default_value = "", hide_default_value = true)]
        scopes: ApiScopes,
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
        Verb::Create { name, owner, scopes, store } => {
            let store = store.open_shared().await?;
            let made = create(&store, &name, owner.as_deref(), scopes).await;
            store.close().await;
            println!("{}", made?.secret.expose_secret());
        }
        Verb::List { store } => {
            let store = store.open_shared().await?;
            let now = SystemClock.now();
            println!(
                "{:<20}  {:<8}  {:<24}  {:<24}  {:<24}  {:<28}  {:<24}  NAME",
                "ID", "STATUS", "CREATED", "LAST USED", "EXPIRES", "OWNER", "SCOPES"
            );
            for token in store.api_tokens().await? {
                let owner = match &token.owner {
                    Some(owner) => store.user(owner.as_str()).await?,
                    None => None,
                };
                println!(
                    "{:<20}  {:<8}  {:<24}  {:<24}  {:<24}  {:<28}  {:<24}  {}",
                    token.id.as_str(),
                    status(&token, owner.as_ref(), now),
                    token.created.to_string(),
                    token.last_used.to_string(),
                    token.expires.to_string(),
                    owner.as_ref().map_or("-", User::login),
                    if token.scopes.is_empty() { "-".to_owned() } else { token.scopes.to_string().replace(' ', ",") },
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

/// Makes a token for an administrator.
async fn create(store: &Store, name: &str, owner: Option<&str>, scopes: ApiScopes) -> anyhow::Result<NewApiToken> {
    let owner = match owner {
        Some(named) => {
            let found = match store.user(named).await? {
                Some(user) => Some(user),
                None => store.user_by_login(named).await?,
            };
            let Some(user) = found else { bail!("there is no user with the id or login {named:?}") };
            if store.roles_of_user(user.id.as_str()).await?.is_empty() {
                bail!(
                    "{named} has no administrator role, so that a token could do nothing; grant SUPER_ADMIN or READ_ONLY_ADMIN"
                );
            }
            if !user.status.is_in_force() {
                bail!("{named} is {}, and tokens of such a user don't work", user.status.as_str());
            }
            user.id
        }
        None => match store.first_administrator().await? {
            Some(administrator) => administrator.user,
            None => bail!("the org has no administrator yet: start `serve`, or run `hookwright migrate`"),
        },
    };
    let token = NewApiToken::mint(name, TokenGrant { owner, scopes }, &SystemClock, &SystemEntropy);
    token.store(store, &SystemEntropy).await?;
    Ok(token)
}

/// Whether the token opens the door, and if not, why.
fn status(token: &ApiToken, owner: Option<&User>, now: Timestamp) -> &'static str {
    if token.revoked.is_some() {
        "REVOKED"
    } else if !token.is_valid_at(now) {
        "EXPIRED"
    } else if owner.is_some_and(|owner| owner.status.is_in_force()) {
        "ACTIVE"
    } else {
        "STOPPED"
    }
}
