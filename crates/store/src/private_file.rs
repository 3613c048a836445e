//! Files that only their owner may read, written so that a crash leaves the old content or the new, never half of it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Makes the folder of this file, and those above it, with mode 0700 where they are missing.
pub(crate) fn make_folder_of(path: &Path) -> io::Result<()> {
    let folder = folder_of(path);
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The path with something behind its name: what belongs to a file and is beside it.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// Makes an empty file with mode 0600 if it is missing.
pub(crate) fn touch(path: &Path) -> io::Result<File> {
    open_private(OpenOptions::new().read(true).write(true).create(true).truncate(false), path)
}

/// Writes a new file; fails with [`io::ErrorKind::AlreadyExists`] if there is one.
pub(crate) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    make_folder_of(path)?;
    let draft = write_draft(path, content)?;
    // A link, unlike a rename, never replaces what is there.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    linked?;
    sync_folder_of(path)
}

/// Writes a file over the one that may be there.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = write_draft(path, content)?;
    std::fs::rename(&draft, path)?;
    sync_folder_of(path)
}

/// The file's mode if others than its owner may use it; `None` where there are no modes.
pub(crate) fn mode_open_to_others(path: &Path) -> io::Result<Option<u32>> {
    let metadata = std::fs::metadata(path)?;
    #[cfg(unix)]
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    #[cfg(not(unix))]
    let mode = {
        let _ = metadata;
        0
    };
    Ok((mode & 0o077 != 0).then_some(mode))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Writes the content beside the file, under a name that nobody else uses.
fn write_draft(path: &Path, content: &[u8]) -> io::Result<PathBuf> {
    let (draft, mut file) = open_draft(path)?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(draft)
}

/// An empty file with mode 0600 beside another, under a name that nobody else uses.
pub(crate) fn open_draft(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut attempt = 0;
    loop {
        let draft = beside(path, &format!(".{}-{attempt}.draft", std::process::id()));
        match open_private(OpenOptions::new().write(true).create_new(true), &draft) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => attempt += 1,
            opened => return Ok((draft, opened?)),
        }
    }
}

fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

/// A name survives a power cut only once its folder is flushed (fsync(2)).
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder_of(path))?.sync_all()?;
    Ok(())
}
