//! The authorization server from the outside: clients that get tokens over IDX and through the hosted pages.

mod client;

mod access_ends;
mod codes;
mod cors;
mod pages;
mod refresh;
mod tokens;
mod visitors;
