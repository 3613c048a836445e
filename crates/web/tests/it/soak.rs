//! A short soak: mixed faults leave nothing behind. The long one is the example `soak` of the testkit.

use std::time::Duration;

use hookwright_testkit::soak;

#[test]
fn mixed_faults_leave_no_call_connection_or_task_behind() {
    // A process of its own would be cleaner for counting descriptors, but other tests of this binary share this one: so the
    // descriptors are for the long run alone. Tasks are those of this runtime.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let report = runtime.block_on(soak::run(Duration::from_secs(5), 40));
    let leaks: Vec<String> = report.leaks().into_iter().filter(|leak| !leak.starts_with("descriptors")).collect();
    assert!(leaks.is_empty(), "{leaks:?}\n{report}");
    assert!(report.requests > 50, "{report}");
}
