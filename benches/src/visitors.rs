//! Browsers that walk through the sign-in pages: they sign up one after the other, or guess passwords at a rate.
//!
//! A walk needs what the page before it said (cookie, form token, attempt), so these requests are made as they go, unlike
//! those of the other measurements.

mod browser;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use url::Url;

use crate::process;
use crate::summary::Summary;
use crate::tally::Tally;
use browser::Browser;

const WRONG_PASSWORD: u16 = 401;
const TOO_MANY: u16 = 429;

/// What the visitors do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// From the first page to the accepted form, four requests, or to the user. A walk is one answer.
    SignUp {
        /// Whether a password is set, too, which makes the user: one more request, and a hash.
        with_password: bool,
    },
    /// Guesses the password of names that nobody has. A guess is one answer.
    Guess,
}

/// How they walk.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What they do.
    pub walk: Walk,
    /// Browsers at once.
    pub browsers: u32,
    /// Walks a second, all browsers together; without it each begins again when it is through.
    pub rate: Option<f64>,
    /// Time before the measuring begins.
    pub warm_up: Duration,
    /// Time that is measured.
    pub measured: Duration,
    /// Processes whose CPU time is taken over the measured time.
    pub watched: Vec<u32>,
}

struct Run {
    plan: Plan,
    page: Url,
    /// Makes names that no earlier run has used.
    run_number: u32,
    next_number: AtomicU64,
    measure_from: Instant,
    stop_at: Instant,
    tally: Mutex<Tally>,
}

/// Lets visitors walk from this page, which is the sign-in page of an app.
///
/// # Errors
///
/// When no walk came to its end, or a watched process is gone.
pub fn run(tag: &str, plan: Plan, page: &Url) -> anyhow::Result<Summary> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measure_from = Instant::now() + plan.warm_up;
    let run = Arc::new(Run {
        page: page.clone(),
        run_number: std::process::id(),
        next_number: AtomicU64::new(0),
        measure_from,
        stop_at: measure_from + plan.measured,
        tally: Mutex::new(Tally::new()?),
        plan,
    });
    let cpu_used = runtime.block_on(walk_all(&run))?;
    let run = Arc::into_inner(run).context("a browser outlived its run")?;
    let tally = run.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    if tally.statuses.is_empty() {
        bail!("{tag}: no walk came to its end: {}", tally.first_error.unwrap_or_default());
    }
    let mut summary = Summary::of_tally(tag, &tally, run.plan.measured);
    if run.plan.walk == Walk::Guess {
        // Both are what should come: the one was compared with a hash, the other one sent away since all places were taken.
        let whole = (run.plan.warm_up + run.plan.measured).as_secs_f64();
        for (name, status) in [("compared_per_s", WRONG_PASSWORD), ("shed_per_s", TOO_MANY)] {
            let count = summary.statuses.remove(&status).unwrap_or_default();
            *summary.statuses.entry(200).or_default() += count;
            summary.set(name, f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / whole);
        }
    }
    if !run.plan.watched.is_empty() {
        summary.set_cpu_time(cpu_used);
    }
    Ok(summary)
}

async fn walk_all(run: &Arc<Run>) -> anyhow::Result<Duration> {
    let mut browsers = JoinSet::new();
    for number in 0..run.plan.browsers {
        browsers.spawn(walk_on(Arc::clone(run), number));
    }
    tokio::time::sleep_until(run.measure_from.into()).await;
    let before = process::cpu_time(&run.plan.watched)?;
    tokio::time::sleep_until(run.stop_at.into()).await;
    let used = process::cpu_time(&run.plan.watched)?.saturating_sub(before);
    browsers.join_all().await;
    Ok(used)
}

/// One browser after the other, until the time is over.
async fn walk_on(run: Arc<Run>, number: u32) {
    let mut ticks = run.plan.rate.map(|rate| {
        let pause = Duration::from_secs_f64(f64::from(run.plan.browsers) / rate);
        let offset = pause.mul_f64(f64::from(number) / f64::from(run.plan.browsers));
        let mut ticks = tokio::time::interval_at((Instant::now() + offset).into(), pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    });
    let mut browser = None;
    while Instant::now() < run.stop_at {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
        let began = Instant::now();
        let walked = match run.plan.walk {
            Walk::SignUp { with_password } => sign_up(&run, &mut browser, with_password).await,
            Walk::Guess => guess(&run, &mut browser).await,
        };
        let ended = Instant::now();
        let mut tally = run.tally.lock().unwrap_or_else(PoisonError::into_inner);
        match walked {
            Ok(status) => tally.answer(status, ended - began, began >= run.measure_from && ended <= run.stop_at),
            Err(error) => {
                tally.error(&format!("{error:#}"));
                browser = None;
            }
        }
    }
}

impl Run {
    /// A name that nobody has.
    fn name(&self) -> String {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        format!("visitor-{}-{number}@okta.com", self.run_number)
    }
}

/// Opens the connection if there is none.
async fn opened<'b>(run: &Run, browser: &'b mut Option<Browser>) -> anyhow::Result<&'b mut Browser> {
    match browser {
        Some(browser) => Ok(browser),
        none => Ok(none.insert(Browser::connect(&run.page).await?)),
    }
}

async fn sign_up(run: &Run, browser: &mut Option<Browser>, with_password: bool) -> anyhow::Result<u16> {
    let browser = opened(run, browser).await?;
    let email = run.name();
    browser.forget();
    browser.open(&run.page).await?;
    browser.send("/signin/sign-up", &[]).await?;
    browser.open_path("/signin").await?;
    let form = [
        ("userProfile.email", email.as_str()),
        ("userProfile.firstName", "Rosario"),
        ("userProfile.lastName", "Jones"),
    ];
    let mut status = browser.send("/signin/register", &form).await?;
    if with_password && status == 303 {
        browser.open_path("/signin").await?;
        status = browser.send("/signin/set-password", &[("passcode", "correct-horse-bench")]).await?;
    }
    if status == 303 { Ok(200) } else { bail!("a sign-up was answered {status}: {}", browser.words()) }
}

async fn guess(run: &Run, browser: &mut Option<Browser>) -> anyhow::Result<u16> {
    let is_new = browser.is_none();
    let browser = opened(run, browser).await?;
    if is_new {
        browser.open(&run.page).await?;
        browser.keep_page();
    }
    let name = run.name();
    browser.send("/signin/identify", &[("identifier", name.as_str()), ("passcode", "wrong-horse-bench")]).await
}
