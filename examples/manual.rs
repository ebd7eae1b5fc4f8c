//! Writes the manual pages, one for each command, into a folder: `cargo run --example manual -- man`.

use std::path::PathBuf;
use std::{env, fs, io};

use clap::{Arg, Command, CommandFactory};
use clap_mangen::Man;
use update::cli::Cli;

/// Each with the option without which it has no meaning.
const ENVIRONMENT: &[(&str, &str, &str)] = &[
    (
        "from",
        "UPDATE_FROM",
        "The default of --from; empty is unset.",
    ),
    (
        "from",
        "GH_TOKEN, GITHUB_TOKEN",
        "Sent to GitHub's own hosts, and to no other.",
    ),
    (
        "from",
        "HTTPS_PROXY, HTTP_PROXY, NO_PROXY",
        "The proxies for what is fetched.",
    ),
    (
        "from",
        "SSL_CERT_FILE",
        "Certificates to trust instead of the system's.",
    ),
    (
        "from",
        "GITHUB_SERVER_URL, GITHUB_API_URL",
        "An Enterprise server, whose digests of a release are asked for.",
    ),
    (
        "format",
        "GITHUB_OUTPUT, GITHUB_STEP_SUMMARY",
        "Where --format github leaves the outputs and the summary of a step.",
    ),
    (
        "color",
        "NO_COLOR, CLICOLOR_FORCE",
        "Whether colours are used; --color overrides both.",
    ),
];

const FILES: &[(&str, &str)] = &[
    (
        "update.toml",
        "What the repository is, where its Dockerfiles do not tell: image, server, owner, directory.",
    ),
    (
        "templates/<family>/",
        "The files of all variants of a family.",
    ),
    (
        ".update/",
        "Where what is new is written first; gone when the program ends.",
    ),
];

const STATUS: &[(&str, &str)] = &[
    ("0", "Success."),
    (
        "1",
        "Findings of a check; with --exit-code, changes, or something newer.",
    ),
    (
        "2",
        "An error. The tree is as it was, unless the message says that files were written.",
    ),
];

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).unwrap_or_else(|| "man".into()));
    fs::create_dir_all(&folder)?;
    let mut whole = Cli::command();
    whole.build();
    let commands = whole.get_subcommands();
    let commands: Vec<&Command> = commands
        .filter(|command| command.get_name() != "help")
        .collect();
    let others: Vec<String> = commands.iter().copied().map(name).collect();
    for command in commands.into_iter().chain([&whole]) {
        let others: Vec<&String> = others
            .iter()
            .filter(|other| **other != name(command))
            .collect();
        // What all commands accept means nothing to the one that prints a fixed text.
        let is_fixed = command.get_name() == "completions";
        let is_left = |arg: &Arg| is_fixed && arg.is_global_set();
        let command = command.clone().mut_args(|arg| {
            let is_left = is_left(&arg);
            arg.hide(is_left)
        });
        let page = page(&command, &others)?;
        fs::write(folder.join(format!("{}.1", name(&command))), page)?;
    }
    Ok(())
}

/// `update-check` of `update check`.
fn name(command: &Command) -> String {
    command
        .get_display_name()
        .unwrap_or(command.get_name())
        .replace(' ', "-")
}

fn page(command: &Command, others: &[&String]) -> io::Result<Vec<u8>> {
    let is_whole = command.get_name() == "update";
    // What is told at the end of the help has sections of its own here.
    let man = Man::new(
        command
            .clone()
            .name(&*name(command).leak())
            .after_help("")
            .after_long_help(""),
    );
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    page.extend(synopsis(command).bytes());
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let about = |command: &Command| {
        command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let commands = command
        .get_subcommands()
        .filter(|command| command.get_name() != "help");
    let commands: Vec<(String, String)> = commands
        .map(|command| (name(command), about(command)))
        .collect();
    let mut list = |title: &str, items: &[(&str, &str)]| {
        if !items.is_empty() {
            page.extend(format!(".SH {title}\n").bytes());
        }
        for (term, text) in items {
            page.extend(format!(".TP\n\\fB{}\\fR\n{}\n", escaped(term), escaped(text)).bytes());
        }
    };
    if is_whole {
        let commands = commands
            .iter()
            .map(|(name, about)| (name.as_str(), about.as_str()));
        list("COMMANDS", &commands.collect::<Vec<_>>());
    }
    let has = |id: &str| {
        let mut args = command.get_arguments();
        args.any(|arg| arg.get_id() == id && !arg.is_hide_set())
    };
    let environment = ENVIRONMENT.iter().filter(|(option, ..)| has(option));
    let environment = environment.map(|(_, name, text)| (*name, *text));
    list("ENVIRONMENT", &environment.collect::<Vec<_>>());
    list("FILES", if has("root") { FILES } else { &[] });
    list("EXIT STATUS", STATUS);
    let help = command
        .get_after_long_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let examples = help
        .strip_prefix("Examples:\n")
        .and_then(|rest| rest.split("\n\n").next());
    if let Some(examples) = examples {
        page.extend(format!(".SH EXAMPLES\n.EX\n{}\n.EE\n", escaped(examples)).bytes());
    }
    let pages = others
        .iter()
        .map(|name| format!("\\fB{}\\fR(1)", escaped(name)));
    let whole = (!is_whole).then(|| "\\fBupdate\\fR(1)".to_owned());
    let pages: Vec<String> = whole.into_iter().chain(pages).collect();
    page.extend(format!(".SH SEE ALSO\n{}\n", pages.join(", ")).bytes());
    Ok(page)
}

/// How the command is called, as its help says it.
fn synopsis(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:");
    let lines = usage
        .lines()
        .map(|line| format!("{}\n.br\n", escaped(line.trim())));
    format!(
        ".SH SYNOPSIS\n{}",
        lines.collect::<String>().trim_end_matches(".br\n")
    )
}

/// A text in which nothing is taken for roff.
fn escaped(text: &str) -> String {
    let text = text
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('\'', "\\(aq");
    text.lines()
        .map(|line| {
            if line.starts_with(['.', '\'']) {
                format!("\\&{line}")
            } else {
                line.to_owned()
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
}
