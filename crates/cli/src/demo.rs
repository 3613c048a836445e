//! `hookwright demo`: an org and a sample external service on loopback, and Okta's guide played through them.
//!
//! Both are the real servers, and everything between them and this command is real HTTP.

mod client;
mod guide;
mod meaning;
mod people;
mod play;
mod summary;
mod table;
mod visitor;
mod walks;

use std::io::{self, IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::pin::pin;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use hookwright_app::{NewApiToken, TokenGrant};
use hookwright_responder::BoundResponder;
use hookwright_responder::sample::{self, Matching};
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Layer;
use crate::logging::{self, LogFormat};
use crate::serve::Org;
use crate::system::{SystemClock, SystemEntropy, termination};
use client::Client;
use play::Registered;
use summary::Summary;
use table::Style;

/// Flags of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// End after the guide's requests; the status is 0 only if every answer is the guide's
    #[arg(long)]
    once: bool,
    /// Keep the org's data in this folder; a later demo goes on with it [default: a temporary folder]
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Loopback port of the org; a free one is taken if it is not free
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Loopback port of the external service; a free one is taken if it is not free
    #[arg(long, default_value_t = 8081)]
    responder_port: u16,
    /// Which log lines go to stderr; `info` shows each decision of the external service
    #[arg(long, default_value = "error")]
    log: String,
    /// <https://no-color.org>: any value turns colours off.
    #[arg(long, env = "NO_COLOR", hide = true, default_value = "")]
    no_color: String,
}

/// Runs the demo.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let _log = logging::start(LogFormat::Text, &arguments.log)?;
    let style = Style::new(arguments.no_color.is_empty() && io::stdout().is_terminal(), terminal_columns());
    let mut told_to_stop = pin!(termination());
    let folder = Folder::open(arguments.data_dir)?;
    let servers = Servers::start(&folder, arguments.port, arguments.responder_port).await?;
    let played = tokio::select! {
        played = play_guide(&servers, style) => played,
        () = &mut told_to_stop => Err(anyhow!("stopped before the guide was through")),
    };
    if let (Ok(outcome), false) = (&played, arguments.once) {
        let summary = Summary {
            org: servers.org_address,
            service: servers.service_address,
            token: servers.token.secret.expose_secret(),
            kept: folder.kept(),
            registered: &outcome.registered,
            apps: &outcome.apps,
            denied: outcome.denied.as_deref(),
        };
        say(&summary.render(style));
        told_to_stop.await;
        say("\nThe demo ends.\n");
    }
    servers.stop().await;
    match played?.differing {
        0 => Ok(()),
        differing => bail!("{differing} of the answers differ from the guide's"),
    }
}

/// The width of the terminal that stdout is, if it is one.
fn terminal_columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// What playing the guide came to.
struct Outcome {
    registered: Vec<Registered>,
    /// The apps whose people the hooks decide about, in the order of the hooks.
    apps: Vec<String>,
    /// Answers that were not the guide's.
    differing: usize,
    /// The record of the first call that the service denied.
    denied: Option<String>,
}

/// Sends every request of the guide, printing as they come.
async fn play_guide(servers: &Servers, style: Style) -> anyhow::Result<Outcome> {
    let mut client = Client::connect(servers.org_address, servers.token.secret.expose_secret()).await?;
    let registered = play::register(&mut client, servers.service_address).await?;
    say("\nThe requests of Okta's guide \"Registration inline hook\", sent through execute.\n");
    say(&format!("GUIDE: is the answer the one of the guide's code, byte for byte?\n\n{}", table::head(style)));
    let (mut differing, mut denied) = (0, None);
    for Registered { hook, id } in &registered {
        let name = format!("\"{}\"", hook.name);
        let calls = format!("calls http://{}{}", servers.service_address, hook.path);
        say(&format!("\n{}\n", style.heading(&name, &calls)));
        for scenario in (hook.scenarios)() {
            let played = play::play(&mut client, id, &scenario).await?;
            differing += usize::from(!played.row.as_guide);
            if !played.row.allowed {
                denied = denied.or(played.execution);
            }
            say(&played.row.render(style));
        }
    }
    let apps = people::prepare(&mut client, &registered).await?;
    say("\n\nThe same by people in a browser: they sign up and in on the org's pages, and\nthe hook decides.\n");
    say(&format!("GUIDE: does it end as the guide says?\n\n{}", table::head(style)));
    for (place, (Registered { hook, .. }, app)) in registered.iter().zip(&apps).enumerate() {
        let page = format!("http://{}{}", servers.org_address, walks::page_of(app));
        say(&format!("\n{}\n", style.heading(&page, &format!("\"{}\"", hook.name))));
        for walk in walks::of_hook(place) {
            let row = walks::walk(&mut client, app, walk).await?;
            differing += usize::from(!row.as_guide);
            say(&row.render(style));
        }
    }
    let verdict = match differing {
        0 => "Every answer is the guide's.".to_owned(),
        _ => format!("{differing} of the answers differ from the guide's."),
    };
    say(&format!("\n{}\n", style.good(differing == 0, &verdict)));
    Ok(Outcome { registered, apps, differing, denied })
}

/// Where the org's data is.
enum Folder {
    Kept(PathBuf),
    /// Removed with everything in it when the demo ends.
    Temporary(TempDir),
}

impl Folder {
    fn open(kept: Option<PathBuf>) -> anyhow::Result<Self> {
        match kept {
            Some(path) => Ok(Self::Kept(path)),
            None => {
                let temporary = tempfile::Builder::new().prefix("hookwright-demo-").tempdir();
                Ok(Self::Temporary(temporary.context("no temporary folder can be made")?))
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }

    fn kept(&self) -> Option<&Path> {
        match self {
            Self::Kept(path) => Some(path),
            Self::Temporary(_) => None,
        }
    }
}

/// The org and the external service, running.
struct Servers {
    org_address: SocketAddr,
    service_address: SocketAddr,
    token: NewApiToken,
    stop: watch::Sender<bool>,
    org: JoinHandle<()>,
    service: JoinHandle<()>,
}

impl Servers {
    async fn start(folder: &Folder, port: u16, service_port: u16) -> anyhow::Result<Self> {
        let service = bind_service(service_port).await?;
        let service_address = service.local_addr();
        let settings = Layer {
            listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port(port)))),
            data_dir: Some(folder.path().to_owned()),
            development: Some(true),
            ..Layer::default()
        };
        let org = Org::open(&settings).await?;
        let org_address = org.server.local_address();
        say_where("The org", port, org_address);
        say_where("The external service", service_port, service_address);
        let token = match org.first_token {
            Some(token) => token,
            None => {
                let token = NewApiToken::mint(
                    "demo",
                    TokenGrant::all_of(org.administrator.clone()),
                    &SystemClock,
                    &SystemEntropy,
                );
                token.store(&org.store, &SystemEntropy).await?;
                token
            }
        };
        let (stop, stopping) = watch::channel(false);
        let (app, server) = (org.app, org.server);
        let stop_org = stopped(stopping.clone());
        let org = tokio::spawn(async move {
            server.serve(app.clone(), stop_org).await;
            app.close().await;
        });
        let service = tokio::spawn(service.serve_until(stopped(stopping)));
        Ok(Self { org_address, service_address, token, stop, org, service })
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        for server in [self.org, self.service] {
            if let Err(error) = server.await {
                tracing::error!(%error, "a server ended badly");
            }
        }
    }
}

/// Ends when the demo begins to stop, or is gone.
async fn stopped(mut stopping: watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// The sample service on the wanted port, or on another if that one is taken.
async fn bind_service(port: u16) -> anyhow::Result<BoundResponder> {
    let responder = sample::responder(Matching::Strict).basic_auth(guide::USER, guide::PASSWORD);
    match responder.clone().bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(service) => Ok(service),
        Err(_) => responder.bind((Ipv4Addr::LOCALHOST, 0)).await.context("the external service can't be started"),
    }
}

/// The wanted port if nobody has it, else 0 for any.
fn free_port(port: u16) -> u16 {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => port,
        Err(_) => 0,
    }
}

fn say_where(who: &str, wanted: u16, address: SocketAddr) {
    let instead = match wanted {
        0 => String::new(),
        wanted if wanted == address.port() => String::new(),
        wanted => format!(" (port {wanted} is taken)"),
    };
    say(&format!("{who} listens on http://{address}{instead}\n"));
}

/// Prints. Whoever closed the pipe does not want to read more, which is no failure of the demo.
fn say(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
