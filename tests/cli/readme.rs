//! What the README shows is what the program prints.

use crate::support::{Repository, project, tree};

fn readme() -> String {
    std::fs::read_to_string(project().join("README.md")).expect("the README")
}

#[test]
fn the_readme_shows_the_real_help() {
    let help = Repository::empty().run(&["-h"]).exits_with(0).stdout;
    assert!(readme().contains(&format!("```text\n{}\n```", help.trim_end())), "{help}");
}

#[test]
fn the_readme_shows_the_real_output_of_its_first_command() {
    let command = "cp -R tests/trees/streaming/before demo && cargo run --release -- -C demo --from tests/releases 0.25.6\n";
    assert!(readme().contains(command));
    let output = Repository::of(&tree("streaming/before")).update(&["0.25.6"]).exits_with(0).stdout;
    assert!(readme().contains(&format!("```text\n{}\n```", output.trim_end())), "{output}");
}

#[test]
fn the_readme_shows_a_real_finding() {
    let repository = Repository::of_this_project();
    repository.edit("0.25.6/scratch/Dockerfile", "0.25.6-alpine3.18", "0.25.6-alpine3.17");
    let output = repository.run(&["check"]).exits_with(1).stdout;
    assert!(readme().contains(&format!("$ update check\n{output}")), "{output}");
}
