//! `hookwright log verify|restart`: whether the System Log and the executions are what was written, also beside a running
//! `serve`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use hookwright_app::note_log_restart;
use hookwright_store::{LogBreak, LogHead, LogPlace, LogProof, Store};
use serde_json::{Value, json};

use crate::serve::StoreArguments;
use crate::system::{SystemClock, SystemEntropy};

/// How many ids of a place are shown.
const SHOWN_IDS: usize = 3;

/// Flags of `log`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check that no event and no execution was changed, removed, added or moved; ends with 1 and names the first break if one was
    Verify {
        /// A head that was noted before, elsewhere: the log must still be what it was then
        #[arg(long, value_name = "HEAD")]
        expect: Option<LogHead>,
        /// Print one object of JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        store: StoreArguments,
    },
    /// Begin the proof again behind what the log holds now: after a break that was looked into
    Restart {
        #[command(flatten)]
        store: StoreArguments,
    },
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.verb {
        Verb::Verify { expect, json, store } => {
            let store = store.open_shared().await?;
            let proof = store.verify_log(expect.as_ref()).await;
            store.close().await;
            let proof = proof?;
            say(&if json { as_json(&proof).to_string() } else { as_text(&proof) });
            Ok(if proof.broken.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Verb::Restart { store } => {
            let store = store.restart_log().await?;
            let noted = note_log_restart(&store, &SystemClock, &SystemEntropy).await;
            let proof = prove_and_close(store).await;
            noted?;
            say(&as_text(&proof?));
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn prove_and_close(store: Store) -> anyhow::Result<LogProof> {
    let proof = store.verify_log(None).await;
    store.close().await;
    Ok(proof?)
}

fn as_text(proof: &LogProof) -> String {
    let Some(broken) = &proof.broken else {
        let head = proof.head.map_or_else(String::new, |head| format!("\nhead {head}"));
        let mut text = format!("the log is whole: {} records in {} chunks", proof.items, proof.chunks);
        if proof.removed_chunks > 0 {
            text.push_str(&format!("; retention has removed {} chunks", proof.removed_chunks));
        }
        if proof.unproved_items > 0 {
            text.push_str(&format!(
                "; nothing is known of {} records from before the chain began",
                proof.unproved_items
            ));
        }
        return text + &head;
    };
    let mut text = format!("the log is broken: {}: {}", broken.kind.as_str(), broken.kind.meaning());
    if let Some(missing) = broken.missing {
        text.push_str(&format!("\nmissing: {missing} {}", if missing == 1 { "chunk" } else { "chunks" }));
    }
    match &broken.at {
        Some(at) => text.push_str(&format!("\nat: {}", place_as_text(at))),
        None => text.push_str("\nat: the end of the log"),
    }
    if let Some(after) = &broken.after {
        text.push_str(&format!("\nafter: {}", place_as_text(after)));
    }
    text.push_str(&format!("\nwhole up to there: {} records in {} chunks", proof.items, proof.chunks));
    text
}

fn place_as_text(place: &LogPlace) -> String {
    let mut ids = place.ids.iter().take(SHOWN_IDS).map(String::as_str).collect::<Vec<_>>().join(", ");
    if place.ids.len() > SHOWN_IDS {
        ids.push_str(&format!(" and {} more", place.ids.len() - SHOWN_IDS));
    }
    let LogPlace { position, from, until, .. } = place;
    format!("position {position}, {from} to {until}{}{ids}", if ids.is_empty() { "" } else { ", " })
}

fn as_json(proof: &LogProof) -> Value {
    json!({
        "whole": proof.broken.is_none(),
        "records": proof.items,
        "chunks": proof.chunks,
        "removedChunks": proof.removed_chunks,
        "unprovedRecords": proof.unproved_items,
        "head": proof.head.map(|head| head.to_string()),
        "break": proof.broken.as_ref().map(break_as_json),
    })
}

fn break_as_json(broken: &LogBreak) -> Value {
    let place = |place: &LogPlace| {
        json!({
            "position": place.position,
            "from": place.from.to_string(),
            "until": place.until.to_string(),
            "ids": place.ids,
        })
    };
    json!({
        "kind": broken.kind.as_str(),
        "meaning": broken.kind.meaning(),
        "missingChunks": broken.missing,
        "at": broken.at.as_ref().map(place),
        "after": broken.after.as_ref().map(place),
    })
}

#[expect(clippy::print_stdout, reason = "the answer of a command line tool")]
fn say(text: &str) {
    println!("{text}");
}
