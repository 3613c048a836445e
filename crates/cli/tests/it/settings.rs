//! Settings of `serve` that can't be used.

use hookwright_testkit::postgres::PostgresServer;

use crate::process::{Process, hookwright, run, serve, text};

#[test]
fn an_unknown_key_is_named_with_its_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hookwright.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:0\"\nmax_cals = 8\n").unwrap();
    let output =
        run(hookwright().args(["serve", "--config"]).arg(&file).arg("--data-dir").arg(folder.path().join("d")));
    let errors = text(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("max_cals") && errors.contains("line 2") && errors.contains("hookwright.toml"), "{errors}");
}

#[test]
fn the_environment_wins_over_the_file_and_a_flag_over_both() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hookwright.toml");
    std::fs::write(&file, "listen = \"192.0.2.1:9\"\nlog_format = \"text\"\n").unwrap();
    let mut command = hookwright();
    command.arg("serve").arg("--config").arg(&file).arg("--data-dir").arg(folder.path().join("data"));
    command.env("HOOKWRIGHT_LISTEN", "192.0.2.1:10").args(["--listen", "127.0.0.1:0"]);
    let mut process = Process::start(&mut command);
    assert!(process.address().ip().is_loopback());
}

#[test]
fn an_address_that_is_not_ours_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(hookwright().args(["serve", "--listen", "192.0.2.1:9", "--data-dir"]).arg(folder.path()));
    let errors = text(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("192.0.2.1:9"), "{errors}");
}

#[test]
fn a_postgresql_that_may_lose_acknowledged_writes_is_refused() {
    // The throw-away server does not flush to disk.
    let server = PostgresServer::start();
    let folder = tempfile::tempdir().unwrap();
    let mut command = hookwright();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
    let output = run(command.env("HOOKWRIGHT_DATABASE_URL", server.url("postgres")));
    let errors = text(&output.stderr);
    assert!(!output.status.success());
    assert!(errors.contains("fsync"), "{errors}");
}

#[test]
fn a_setting_that_would_only_fail_later_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    for (variable, value, named) in [
        ("HOOKWRIGHT_API_TOKEN", "", "api_token"),
        ("HOOKWRIGHT_API_TOKEN", "a", "at least 32 random characters"),
        ("HOOKWRIGHT_PUBLIC_URL", "org.example.com", "public_url"),
        ("HOOKWRIGHT_MAX_CALLS", "0", "max_calls"),
        ("HOOKWRIGHT_LISTEN", "localhost:8080", "127.0.0.1:8080"),
        ("HOOKWRIGHT_LOG", "[[", "log: "),
    ] {
        let mut command = hookwright();
        command.args(["serve", "--data-dir"]).arg(folder.path().join("data")).env(variable, value);
        let output = run(&mut command);
        let errors = text(&output.stderr);
        assert!(!output.status.success() && errors.contains(named), "{variable}: {errors}");
    }
    assert!(!folder.path().join("data").exists());
}

#[tokio::test]
async fn a_forwarded_address_from_no_trusted_proxy_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&mut serve(folder.path()));
    let client = process.client();
    for client_address in ["203.0.113.7", "203.0.113.8", "203.0.113.9"] {
        let request =
            client.request(http::Method::GET, "/api/v1/inlineHooks").header("x-forwarded-for", client_address);
        assert_eq!(request.send().await.status, 200);
    }
    assert!(process.signal("TERM").success());
    let told = process.all_errors();
    assert_eq!(told.matches("counts for nothing").count(), 1, "{told}");
}

#[tokio::test]
async fn metrics_have_a_listener_of_their_own_if_one_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(serve(folder.path()).args(["--metrics-listen", "127.0.0.1:0"]));
    let line = process.line_with("metrics on http://");
    let address = line.trim_start_matches("metrics on http://").trim_end_matches("/metrics").parse().unwrap();
    let client = process.client();
    assert_eq!(hookwright_testkit::Client::new(client.address()).get("/metrics").await.status, 401);
    let metrics = hookwright_testkit::Client::new(address).get("/metrics").await;
    assert!(metrics.text().contains("hookwright_requests_total"), "{}", metrics.text());
    assert!(process.signal("TERM").success());
}

#[test]
fn a_proxy_without_its_network_stops_the_start_and_says_what_to_set() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = hookwright();
    command.args(["serve", "--behind-proxy", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
    let output = run(&mut command);
    let told = text(&output.stderr);
    assert!(!output.status.success() && told.contains("--trusted-proxies 127.0.0.1"), "{told}");
    Process::start(command.args(["--trusted-proxies", "127.0.0.1"])).address();
}
