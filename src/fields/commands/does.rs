//! What the commands of a Dockerfile do, by their names.

use std::sync::LazyLock;

/// What a command does, where that matters to a hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Does {
    Fetch,
    Hash,
    Compare,
    /// Go to another folder.
    Move,
    /// Set a variable whose name is not in front of a `=`.
    Assign,
}

const COMMANDS: [(Does, &str); 5] = [
    (
        Does::Fetch,
        "wget curl Invoke-WebRequest iwr irm DownloadFile Start-BitsTransfer",
    ),
    (
        Does::Hash,
        "sha256sum shasum -sha256 sha512sum sha384sum sha1sum md5sum Get-FileHash certutil ComputeHash",
    ),
    (Does::Compare, "-ne -eq"),
    (
        Does::Assign,
        "Set-Variable New-Variable Set-Item sv nv -OutVariable",
    ),
    (
        Does::Move,
        "cd pushd popd Set-Location Push-Location Pop-Location",
    ),
];

/// How long the longest of them is.
const LONGEST: usize = 18;

/// The commands by their lengths.
static BY_LENGTH: LazyLock<[Vec<(Does, &str)>; LONGEST + 1]> = LazyLock::new(|| {
    let mut all = [const { Vec::new() }; LONGEST + 1];
    for (does, commands) in COMMANDS {
        let commands = commands.split(' ');
        commands.for_each(|command| all[command.len()].push((does, command)));
    }
    all
});

/// What a word does as a command, or as an option or a method that acts as one.
pub(super) fn does(word: &[u8]) -> Option<Does> {
    let is_sign = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'-';
    let word = &word[word.len().saturating_sub(LONGEST + 1)..];
    let name = word.iter().rposition(is_sign);
    // `$cd` and `${cd}` are none, `$client.DownloadFile` is one.
    let name = match name.map(|sign| (word[sign], &word[sign + 1..])) {
        Some((b'/' | b'\\' | b'.' | b':', name)) => name,
        Some(_) => return None,
        None => word,
    };
    let mut alike = BY_LENGTH.get(name.len())?.iter();
    let found = alike.find(|(_, command)| command.as_bytes().eq_ignore_ascii_case(name));
    found.map(|(does, _)| *does)
}
