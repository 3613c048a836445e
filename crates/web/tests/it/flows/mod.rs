//! Sign-in flows from the outside: over IDX and through the hosted pages, with a service that misbehaves on purpose.

pub(crate) mod browser;
pub(crate) mod idx;
pub(crate) mod mails;
pub(crate) mod org;

mod crowds;
mod echoes;
mod fixation;
mod guessing;
mod links;
mod lockout;
mod outcome_table;
mod outcomes;
mod pages;
mod progressive;
mod recovery;
mod recovery_idx;
mod replays;
mod sessions;
mod set_anew;
mod sign_in;
mod sign_up;
mod simulation;
mod unfinished;
