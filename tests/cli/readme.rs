//! What the README shows is what the program prints: its help, its picture, and the output of every command in it.
//!
//! After a change that is meant, `README=write cargo test readme` puts the new output in.

use std::fs;
use std::path::PathBuf;

use crate::support::{RELEASES_OF_SERIES, Repository, Run, program, project, releases, run, tree};

fn document(path: &str) -> String {
    fs::read_to_string(project().join(path)).expect("a document")
}

/// The file is this; or is made so, where that is wanted.
#[track_caller]
fn is_file(path: &str, expected: &str) {
    let path = project().join(path);
    if std::env::var_os("README").is_some_and(|what| what == "write") {
        fs::write(&path, expected).expect("it can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is not what the program prints now: `README=write cargo test readme`",
        path.display()
    );
}

#[test]
fn the_readme_shows_the_real_output_of_every_command() {
    let readme = document("README.md");
    let first = "cp -R tests/trees/streaming/before demo && cargo run --release -- -C demo --from tests/releases 0.25.6\n";
    assert!(readme.contains(first));
    assert!(readme.lines().count() <= 150, "it is read in ten minutes");
    is_file("README.md", &consoles(&readme));
}

#[test]
fn the_reference_shows_the_real_help_and_output() {
    let help = Repository::empty().run(&["-h"]).exits_with(0).stdout;
    let reference = document("docs/reference.md");
    let (before, rest) = reference
        .split_once("<!-- the output of `update -h`, tested -->\n```text\n")
        .expect("the help");
    let (_, after) = rest.split_once("\n```").expect("its end");
    let help = help.trim_end();
    let expected =
        format!("{before}<!-- the output of `update -h`, tested -->\n```text\n{help}\n```{after}");
    is_file("docs/reference.md", &consoles(&expected));
}

/// A document with the output of the commands in its console blocks, each run where the comment above the block says.
fn consoles(document: &str) -> String {
    let mut text = String::new();
    let mut rest = document;
    while let Some((before, comment)) = rest.split_once("<!-- tested in ") {
        let (place, after) = comment.split_once(" -->\n").expect("the end of a comment");
        let (indent, block) = after.split_once("```console\n").expect("a block");
        let (block, after) = block.split_once("```").expect("its end");
        let command = block
            .trim_start()
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("$ update "))
            .expect("a command");
        let shown: Vec<String> = format!("$ update {command}\n{}", output(place, command))
            .lines()
            .map(|line| format!("{indent}{line}"))
            .collect();
        let shown: Vec<&str> = shown.iter().map(|line| line.trim_end()).collect();
        text.push_str(&format!(
            "{before}<!-- tested in {place} -->\n{indent}```console\n{}\n{indent}```",
            shown.join("\n")
        ));
        rest = after;
    }
    text + rest
}

/// What a command prints in a place.
fn output(place: &str, command: &str) -> String {
    let args: Vec<&str> = command.split_whitespace().collect();
    let quoted = |args: &[&str]| args.join(" ");
    assert!(
        !quoted(&args).contains(['"', '\'']),
        "a command without quotes: {command}"
    );
    if let Some(rest) = place.strip_prefix("tests/trees/series/before") {
        let repository = Repository::of(&tree("series/before"));
        // `, with <new> for <old> in <file>`
        if let Some(mistake) = rest.strip_prefix(", with ") {
            let (texts, path) = mistake.split_once(" in ").expect("a file");
            let (new, old) = texts.split_once(" for ").expect("two texts");
            repository.edit(path, old, new);
        }
        let mut command = program(repository.root(), &args);
        return Run::of(command.env("UPDATE_FROM", RELEASES_OF_SERIES)).stdout;
    }
    let outside = Repository::empty();
    for (path, (mode, bytes)) in Repository::of_this_project().snapshot() {
        let path = format!("here/{path}");
        outside.write(&path, bytes);
        outside.set_mode(&path, mode);
    }
    let library = if args.contains(&"--check") {
        "nats-streaming-0.25.6"
    } else {
        "nats-streaming-0.25.5"
    };
    let library = fs::read(project().join("tests/library").join(library)).expect("a library file");
    outside.write("official-images/library/nats-streaming", library);
    run(&outside.path("here"), &args).stdout
}

#[test]
fn the_picture_shows_the_real_output() {
    let repository = Repository::of(&tree("streaming/before"));
    let releases = releases();
    let from = releases.to_str().expect("UTF-8");
    let mut lines: Vec<String> = Vec::new();
    for args in [vec!["0.25.6"], vec!["check"]] {
        lines.push(format!("\u{1b}[1m$ update {}\u{1b}[0m", args.join(" ")));
        let more: &[&str] = if args == ["check"] {
            &[]
        } else {
            &["--from", from]
        };
        let output = repository
            .run(&[&args, more, &["--color", "always"]].concat())
            .exits_with(0)
            .stdout;
        lines.extend(output.lines().map(str::to_owned));
        lines.push(String::new());
    }
    lines.pop();
    is_file(".github/update.svg", &svg(&lines));
}

/// A terminal's lines as a picture.
fn svg(lines: &[String]) -> String {
    const LINE: usize = 18;
    let height = 24 + LINE * lines.len();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"{height}\" font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#161b22\"/>\n"
    );
    for (number, line) in lines.iter().enumerate() {
        let y = 24 + LINE * number;
        out.push_str(&format!(
            "<text x=\"16\" y=\"{y}\" xml:space=\"preserve\" fill=\"#c9d1d9\">{}</text>\n",
            spans(line)
        ));
    }
    out + "</svg>\n"
}

/// A line's parts, each in the style that its escapes say.
fn spans(line: &str) -> String {
    let mut styles: Vec<&str> = Vec::new();
    let mut out = String::new();
    for (index, part) in line.split('\u{1b}').enumerate() {
        let (codes, text) = if index == 0 {
            ("", part)
        } else {
            part[1..].split_once('m').expect("a style")
        };
        for code in codes.split(';').filter(|_| index > 0) {
            match code {
                "0" => styles.clear(),
                "1" => styles.push("font-weight=\"bold\""),
                "2" => styles.push("fill=\"#8b949e\""),
                "31" => styles.push("fill=\"#ff7b72\""),
                "32" => styles.push("fill=\"#7ee787\""),
                "33" => styles.push("fill=\"#d29922\""),
                other => assert_eq!(other, "", "a code without a style here"),
            }
        }
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        if styles.is_empty() || text.is_empty() {
            out.push_str(&text);
        } else {
            out.push_str(&format!("<tspan {}>{text}</tspan>", styles.join(" ")));
        }
    }
    out
}

#[test]
fn every_file_and_heading_that_a_document_links_to_is_there() {
    for name in [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "docs/reference.md",
    ] {
        let text = document(name);
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'))
            .map(|(link, _)| link);
        let folder = project().join(name);
        let folder = folder.parent().expect("a folder");
        for link in links.filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let path: PathBuf = if file.is_empty() {
                project().join(name)
            } else {
                folder.join(file)
            };
            assert!(path.exists(), "{name}: {link}");
            let anchor = |line: &str| {
                line.trim_start_matches('#')
                    .trim()
                    .to_lowercase()
                    .replace(' ', "-")
            };
            let is_there = || {
                let target = fs::read_to_string(&path).expect("a document");
                target
                    .lines()
                    .any(|line| line.starts_with('#') && anchor(line) == heading)
            };
            assert!(heading.is_empty() || is_there(), "{name}: {link}");
        }
    }
}
