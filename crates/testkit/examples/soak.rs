//! A long run under mixed faults: `cargo run -p hookwright-testkit --example soak -- SECONDS REQUESTS_A_SECOND`.
//!
//! Prints what there was at the start and what is left at the end; fails if something leaked.

use std::process::ExitCode;
use std::time::Duration;

use hookwright_testkit::soak;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "the report is what it is run for")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<u32>().ok());
    let seconds = arguments.next().unwrap_or(20);
    let report = soak::run(Duration::from_secs(seconds.into()), arguments.next().unwrap_or(15)).await;
    println!("{report}");
    let leaks = report.leaks();
    for leak in &leaks {
        println!("LEAK {leak}");
    }
    if leaks.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
