//! What the documents say is so: their commands run, their JSON parses, their links lead somewhere, and they leave out no setting and
//! no error code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Process, TOKEN, hookwright, run, serve, text};

/// `curl` that takes a refusal for a failure, and asks again while a list is empty: a record may follow its answer by a few moments.
const CURL: &str = r#"
curl() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        answer=$(command curl --fail --silent --show-error "$@")
        [ "$answer" = '[]' ] || break
        sleep 0.05
    done
    printf '%s\n' "$answer"
}
"#;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Our documents, with their text.
fn documents() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for folder in ["", "docs", "docs/decisions", "examples", "crates/responder"] {
        let entries = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        paths.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    paths.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

/// The blocks of code in this language.
pub(crate) fn blocks(document: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(found) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            if found == language {
                blocks.push(block.join("\n"));
            }
        }
    }
    blocks
}

/// Pastes every `sh` block of a document into one shell, beside an org and the sample service.
fn paste(document: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut org = Process::start(&mut serve(folder.path()));
    let mut service = Process::start(hookwright().args(["responder", "--listen", "127.0.0.1:0"]));
    let blocks = blocks(&read(&root().join(document)), "sh");
    assert!(!blocks.is_empty());
    let script = format!("set -eu\n{CURL}\n{}\n", blocks.join("\n"))
        .replace("127.0.0.1:8080", &org.address().to_string())
        .replace("127.0.0.1:8081", &service.address().to_string());
    let output = Command::new("sh").args(["-xc", &script]).env("HOOKWRIGHT_API_TOKEN", TOKEN).output().unwrap();
    let (printed, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{printed}\n{errors}");
    assert!(printed.contains("Only okta.com emails can register."), "{printed}\n{errors}");
}

#[test]
fn the_commands_of_the_readme_work_when_pasted() {
    paste("README.md");
}

#[test]
fn the_commands_of_the_api_document_work_when_pasted() {
    paste("docs/api.md");
}

#[test]
fn the_commands_of_the_sign_in_guide_work_when_pasted() {
    paste("docs/sign-in.md");
}

#[test]
fn the_service_of_the_readme_is_the_example() {
    let example = read(&root().join("crates/responder/examples/allow_domain.rs"));
    let code = example.split_once("\n\n").unwrap().1.trim_end();
    assert_eq!(blocks(&read(&root().join("README.md")), "rust"), [code]);
}

#[test]
fn json_in_documents_is_json() {
    for (path, document) in documents() {
        for block in blocks(&document, "json") {
            let parsed: Result<serde_json::Value, _> = serde_json::from_str(&block);
            assert!(parsed.is_ok(), "{}: {parsed:?}\n{block}", path.display());
        }
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    for (path, document) in documents() {
        let targets = document.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let linked = if file.is_empty() { path.clone() } else { path.with_file_name(file) };
            assert!(linked.exists(), "{} links to {target}", path.display());
            if !heading.is_empty() {
                let headings = headings(&read(&linked));
                assert!(headings.contains(heading), "{} links to {target}; there are {headings:?}", path.display());
            }
        }
    }
}

/// The anchors of a document's headings.
fn headings(document: &str) -> BTreeSet<String> {
    let titles = document.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |title: &str| {
        let kept = title.chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    titles.map(anchor).collect()
}

#[test]
fn every_setting_is_documented() {
    let document = read(&root().join("docs/operating.md"));
    for command in ["serve", "responder"] {
        let help = text(&run(hookwright().args([command, "--help"])).stdout);
        let variables = help.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next());
        let mut count = 0;
        for variable in variables {
            count += 1;
            assert!(document.contains(&format!("`{variable}`")), "{variable} of {command} is not in docs/operating.md");
        }
        assert!(count > 3, "{help}");
    }
}

#[test]
fn every_error_code_is_documented() {
    let source = read(&root().join("crates/web/src/error.rs"));
    let document = read(&root().join("docs/errors.md"));
    let codes: BTreeSet<&str> = source.split("\"E0").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(codes.len() > 10, "{codes:?}");
    for code in codes {
        assert!(document.contains(&format!("`E0{code}`")), "E0{code} is not in docs/errors.md");
    }
}

#[test]
fn every_test_that_the_security_page_names_is_there() {
    let mut functions = BTreeSet::new();
    let mut folders = vec![root().join("crates")];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = read(&path);
                let begun =
                    text.lines().filter_map(|line| line.split_once("fn ")).map(|(_, rest)| rest.split('(').next());
                functions.extend(begun.flatten().map(str::to_owned));
            }
        }
    }
    let page = read(&root().join("docs/security.md"));
    let is_test = |name: &&str| {
        let of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        name.matches('_').count() >= 3 && name.bytes().all(of_name)
    };
    let named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(is_test).collect();
    assert!(named.len() > 50, "{named:?}");
    let missing: Vec<&&str> = named.iter().filter(|name| !functions.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
