//! What is printed for programs has the form that `docs/output.schema.json` says.

use std::fs;

use serde_json::Value;

use crate::support::{Repository, project, releases, tree};

fn schema() -> Value {
    let text = fs::read_to_string(project().join("docs/output.schema.json")).expect("a schema");
    serde_json::from_str(&text).expect("JSON")
}

/// What in a value is not as a schema says it: the part of JSON Schema that ours is made of, every other word of it refused.
fn problems(value: &Value, schema: &Value, all: &Value, place: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (word, said) in schema.as_object().expect("a schema") {
        match (word.as_str(), value) {
            ("description" | "required" | "additionalProperties", _) => {}
            ("$ref", _) => {
                let name = said.as_str().and_then(|path| path.rsplit('/').next());
                let schema = &all["$defs"][name.expect("a name")];
                problems.extend(self::problems(value, schema, all, place));
            }
            ("type", _) => {
                let is_it = |name: &Value| match name.as_str().expect("a type") {
                    "string" => value.is_string(),
                    "integer" => value.is_u64(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    "array" => value.is_array(),
                    "object" => value.is_object(),
                    other => unreachable!("no type {other}"),
                };
                let names = said
                    .as_array()
                    .map_or(std::slice::from_ref(said), Vec::as_slice);
                if !names.iter().any(is_it) {
                    problems.push(format!("{place} is no {said}: {value}"));
                }
            }
            ("enum", _) if said.as_array().expect("values").contains(value) => {}
            ("enum", _) => problems.push(format!("{place} is none of {said}: {value}")),
            ("items", Value::Array(items)) => problems.extend(
                items
                    .iter()
                    .flat_map(|item| self::problems(item, said, all, &format!("{place}[]"))),
            ),
            ("properties", Value::Object(found)) => {
                for (name, schema) in said.as_object().expect("properties") {
                    let place = format!("{place}.{name}");
                    match found.get(name) {
                        None => problems.push(format!("{place} is missing")),
                        Some(value) => problems.extend(self::problems(value, schema, all, &place)),
                    }
                }
                let more = found.keys().filter(|name| said.get(name).is_none());
                problems.extend(more.map(|name| format!("{place}.{name} is not in the schema")));
            }
            (word, _) => unreachable!("{word}: nothing here understands it"),
        }
    }
    problems
}

#[track_caller]
fn is_of(name: &str, repository: &Repository, args: &[&str]) -> Value {
    let run = repository.run(&[args, &["--format", "json"]].concat());
    let value: Value = serde_json::from_str(&run.stdout).expect(&run.stderr);
    let all = schema();
    assert_eq!(
        problems(&value, &all["$defs"][name], &all, name),
        [""; 0],
        "{args:?}"
    );
    value
}

#[test]
fn every_command_prints_what_the_schema_says() {
    let releases = releases();
    let from = ["--from", releases.to_str().expect("UTF-8")];
    let repository = Repository::of(&tree("streaming/before"));
    repository.edit("0.25.5/alpine3.18/Dockerfile", "aarch64)", "arm64)");
    is_of("check", &repository, &["check"]);
    is_of("status", &repository, &["status", from[0], from[1]]);
    let update = ["0.25.6", "--add", "alpine3.19", from[0], from[1]];
    let value = is_of("update", &repository, &update);
    assert_eq!(value["fixes"].as_array().map(Vec::len), Some(1));
    is_of("update", &repository, &["--remove", "alpine3.19"]);
    let library = project().join("tests/library/nats-2.14.4");
    let library = library.to_str().expect("UTF-8");
    let series = Repository::of(&tree("series/after"));
    series.write("official", fs::read(library).expect("a library file"));
    let commit = ["--commit", "b58b5957ac6c7e2349e52a01ec61fb0afb376ac5"];
    let args = ["library", "official", "-n", commit[0], commit[1]];
    let value = is_of("library", &series, &args);
    assert!(
        value["changes"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    );
    is_of(
        "library_check",
        &series,
        &["library", "official", "--check"],
    );
}

#[test]
fn the_schema_says_of_every_key_that_it_is_there_and_that_there_is_no_other() {
    for (name, schema) in schema()["$defs"].as_object().expect("definitions") {
        let keys = schema["properties"].as_object().expect("properties").keys();
        let required = schema["required"].as_array().expect("required");
        let required: Vec<&str> = required.iter().filter_map(Value::as_str).collect();
        assert_eq!(required.len(), keys.len(), "{name}");
        assert!(
            keys.clone().all(|key| required.contains(&key.as_str())),
            "{name}"
        );
        assert_eq!(schema["additionalProperties"], false, "{name}");
    }
}
