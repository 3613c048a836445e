//! `hookwright backup FILE` and `hookwright restore FILE`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use hookwright_model::Clock as _;
use hookwright_store::{Backup, Store, backup, database_file, restore};
use url::Url;

use crate::config::Layer;
use crate::keyring::Source;
use crate::serve::StoreArguments;
use crate::system::SystemClock;

/// Flags of `backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// The file to write
    file: PathBuf,
    /// Overwrite a backup that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    store: StoreArguments,
}

/// Flags of `restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    /// The backup to put back
    file: PathBuf,
    #[command(flatten)]
    store: StoreArguments,
}

/// Copies the database of an org, also beside a running `serve`.
pub(crate) async fn back_up(arguments: BackupArguments) -> anyhow::Result<()> {
    let BackupArguments { file, force, store } = arguments;
    let settings = store.into_layer();
    let Some(database) = database_file(&settings.database_url())? else {
        return point_to_pg_dump(&settings, &file).await;
    };
    if Store::is_new(&settings.database_url()).await? {
        bail!("there is no org in {}: say where it is as `serve` is told", database.display());
    }
    // Without the keys it is a backup all the same, and the error comes at the end.
    let keyring = settings.keyring(false).await;
    let keys = keyring.as_ref().ok();
    let Backup { octets, key_ids, secrets } = backup(&database, &file, force, keys)?;
    say(&format!("backed up {} to {} ({}), and checked the copy", database.display(), file.display(), size(octets)));
    let keyring = keyring.map(|_| ()).context(UNOPENED);
    let secrets = keyring.and_then(|()| secrets.context(UNOPENED))?;
    say(&format!(
        "its {secrets} secrets open with {}, which {} not in it: keep a copy of {}, away from the backup",
        named(&key_ids),
        if key_ids.len() == 1 { "is" } else { "are" },
        place_of_keys(&settings)?,
    ));
    Ok(())
}

const UNOPENED: &str = "the backup is made, but it is worth nothing without its keys";

/// Puts a backup in the place of the database.
pub(crate) async fn put_back(arguments: RestoreArguments) -> anyhow::Result<()> {
    let RestoreArguments { file, store } = arguments;
    let settings = store.into_layer();
    let Some(database) = database_file(&settings.database_url())? else {
        bail!(
            "the database is PostgreSQL: stop every node, put the dump back by `pg_restore --clean --if-exists --dbname={} {}`, \
             and start with the keys that it was used with",
            without_password(&settings.database_url()),
            quoted(&file)
        );
    };
    let keyring = settings.keyring(false).await?;
    // Of 2026-12-01T03:51:35.000Z, what a file's name may have in it.
    let now = SystemClock.now().to_string();
    let mark: String = now.chars().take(19).filter(|character| !matches!(character, '-' | ':')).collect();
    let restored = restore(&database, &file, &keyring, &mark)?;
    say(&format!(
        "put {} back as {}: it is whole, and its {} secrets open with the keys of {}",
        file.display(),
        database.display(),
        restored.secrets,
        place_of_keys(&settings)?
    ));
    if let Some(aside) = &restored.aside {
        say(&format!(
            "the database before is kept as {}: `hookwright restore` puts it back, and you may delete it",
            aside.display()
        ));
    }
    say(
        "what was revoked, suspended or deleted after the backup was made is back: look at API tokens and users before you start",
    );
    Ok(())
}

/// PostgreSQL has a tool of its own, whose version must be the server's; the keys are checked here.
async fn point_to_pg_dump(settings: &Layer, file: &Path) -> anyhow::Result<()> {
    let url = settings.database_url();
    if Store::is_new(&url).await? {
        bail!("there is no org in this database: say where it is as `serve` is told");
    }
    let store = crate::serve::open_store(settings, true).await?;
    let secrets = store.open_every_secret().await;
    store.close().await;
    say(&format!("the {} secrets of the database open with the keys of {}", secrets?, place_of_keys(settings)?));
    bail!(
        "no file was made: the database is PostgreSQL, which `pg_dump --format=custom --file={} {}` backs up; the keys are not in \
         it, keep a copy of them",
        quoted(file),
        without_password(&url)
    )
}

/// A URL for a shell, for which the password comes from `PGPASSWORD` or the password file.
fn without_password(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else { return "DATABASE-URL".to_owned() };
    // A URL that can't have a password has none.
    let _ = url.set_password(None);
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != "password")
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    url.set_query(None);
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    quoted(Path::new(url.as_str()))
}

/// For a shell.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/._-:@%+,=".contains(character);
    if text.chars().all(is_plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

fn place_of_keys(settings: &Layer) -> anyhow::Result<String> {
    Ok(match settings.keyring_source()? {
        Source::File(path) => path.display().to_string(),
        Source::Value(_) => "HOOKWRIGHT_KEYS".to_owned(),
        Source::Command(program, _) => format!("what {program} prints"),
    })
}

fn named(key_ids: &[String]) -> String {
    let noun = if key_ids.len() == 1 { "key" } else { "keys" };
    format!("{noun} {}", key_ids.join(", "))
}

fn size(octets: u64) -> String {
    match octets {
        0..1_000_000 => format!("{} kB", octets.div_ceil(1000)),
        _ => format!("{}.{} MB", octets / 1_000_000, octets % 1_000_000 / 100_000),
    }
}

#[expect(clippy::print_stdout, reason = "the answer of a command line tool")]
fn say(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_for_pg_dump_has_no_password_and_can_be_pasted() {
        for (url, expected) in [
            ("postgres://org:s3cret@db.internal:5433/org", "postgres://org@db.internal:5433/org"),
            ("postgres://org@db/org?password=s3cret", "postgres://org@db/org"),
            (
                "postgresql://org:s3cret@db/org?sslmode=require&host=/run/pg",
                "'postgresql://org@db/org?sslmode=require&host=%2Frun%2Fpg'",
            ),
            ("postgres://:s3cret@", "DATABASE-URL"),
        ] {
            assert_eq!(without_password(url), expected);
        }
        assert_eq!(quoted(Path::new("/backups/it's here.db")), r"'/backups/it'\''s here.db'");
    }

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        assert_eq!(
            (size(300), size(4_096_000), size(123_456_789)),
            ("1 kB".into(), "4.0 MB".into(), "123.4 MB".into())
        );
    }
}
