//! What a shell offers behind a word: the program's own words, and the names of the repository that it is in.

use std::path::Path;
use std::process::Command;

use crate::support::{Repository, Run, tree};

#[test]
fn every_shell_has_its_completions() {
    for (shell, part) in [
        ("bash", "-F _clap_complete_update update"),
        ("elvish", "edit:completion:arg-completer[update]"),
        ("fish", "complete --keep-order --exclusive --command update"),
        ("powershell", "Register-ArgumentCompleter"),
        ("zsh", "#compdef update"),
    ] {
        let run = Repository::empty()
            .run(&["completions", shell])
            .exits_with(0);
        assert!(run.stdout.contains(part), "{part}\n{}", run.stdout);
    }
    Repository::empty()
        .run(&["completions", "tcsh"])
        .exits_with(2);
}

/// What bash offers for the last word of a command line.
fn offered(repository: &Repository, words: &[&str]) -> Vec<String> {
    const SCRIPT: &str = "\
        source <(update completions bash)\n\
        COMP_WORDS=(update \"$@\") COMP_CWORD=$# COMP_TYPE=9\n\
        _clap_complete_update update \"${!#}\"\n\
        printf '%s\\n' \"${COMPREPLY[@]}\"\n";
    let program = Path::new(env!("CARGO_BIN_EXE_update"));
    let folder = program.parent().expect("a folder").display().to_string();
    let path = std::env::var("PATH").expect("a PATH");
    let mut bash = Command::new("bash");
    bash.args(["-c", SCRIPT, "bash"]).args(words);
    let bash = bash.current_dir(repository.root());
    let run = Run::of(bash.env("PATH", format!("{folder}:{path}"))).exits_with(0);
    run.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn names_of_the_repository_are_offered() {
    let series = Repository::nested(&tree("series/before"));
    series.write("../official-images/library/nats", "");
    for (words, expected) in [
        (&["la"][..], &["latest"][..]),
        (&["2."], &["2.12.x", "2.14.x"]),
        (&["--remove", "2.14.x/a"], &["2.14.x/alpine3.22"]),
        (&["--remove", "alp"], &["alpine3.21", "alpine3.22"]),
        (
            &["--base", "alpine"],
            &["alpine3.21=", "alpine3.22=", "alpine="],
        ),
        (
            &["--base", "2.14.x/a"],
            &["2.14.x/alpine3.22=", "2.14.x/alpine="],
        ),
        (&["--base", "scr"], &[""]),
        (&["--add", "2.14.x/a"], &["2.14.x/alpine"]),
        (
            &["status", "--library", "../official-images/l"],
            &[
                "../official-images/library/nats",
                "../official-images/library/",
            ],
        ),
        (
            &["library", "file", "--add", "2.12.x/s"],
            &["2.12.x/scratch"],
        ),
        (&["check", "--arc"], &["--archives"]),
    ] {
        assert_eq!(offered(&series, words), expected, "{words:?}");
    }
}

#[test]
fn outside_of_a_repository_the_program_s_own_words_are_offered() {
    let empty = Repository::empty();
    assert_eq!(offered(&empty, &["lat"]), ["latest"]);
    assert_eq!(offered(&empty, &["--remove", "a"]), [""]);
}
