//! Prints the manual page of `update`, commands and all: `cargo run --example manual > update.1`.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::Man;
use update::cli::Cli;

fn main() -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    for command in command
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
    {
        let man = Man::new(command.clone());
        let title = format!(
            ".SH {}\n",
            command
                .get_display_name()
                .unwrap_or(command.get_name())
                .to_uppercase()
        );
        page.extend(title.bytes());
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    io::stdout().write_all(&page)
}
