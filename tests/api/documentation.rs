//! The documentation says what is true: its links lead somewhere, and its examples and tables are the program's.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use gatepost::aws::VARIABLES;
use gatepost::config::{SECRETS, SETTINGS};

use crate::harness::program::{Program, Serving};
use crate::harness::{eventually, find, skip};

/// The folders whose Markdown files are read.
const FOLDERS: [&str; 6] = ["", "docs", "frontend", "lambda/post_confirmation", "lambda/user_migration", ".github"];

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The paths of all documents, such as `docs/api.md`.
fn documents() -> Vec<String> {
    let names = |folder: &str| {
        let entries = std::fs::read_dir(repository(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        names.filter(|name| name.ends_with(".md")).map(move |name| format!("{folder}{name}")).collect::<Vec<_>>()
    };
    FOLDERS.into_iter().flat_map(names).collect()
}

/// The lines of a document that are no code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// The parts of a line that are in backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Where the links and images of a document lead.
fn links(text: &str) -> Vec<String> {
    let without_code = |line: &str| line.split('`').step_by(2).collect::<Vec<_>>().join("code");
    let lines: Vec<String> = prose(text).map(without_code).collect();
    let text = lines.join("\n");
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

/// The anchors of a document, as GitHub makes them from its headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let names = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    names.map(|name| name.chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let mut broken = Vec::new();
    let mut checked = 0;
    for document in documents() {
        for target in links(&read(&document)) {
            if target.contains("://") {
                continue;
            }
            checked += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let folder = Path::new(&document).parent().expect("a folder");
            let path = if path.is_empty() { repository(&document) } else { repository("").join(folder).join(path) };
            let leads = path.exists()
                && (anchor.is_empty()
                    || std::fs::read_to_string(&path)
                        .is_ok_and(|text| anchors(&text).iter().any(|known| known == anchor)));
            if !leads {
                broken.push(format!("{document}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
    assert!(checked > 50, "only {checked} links were found");
}

#[test]
fn the_readme_fits_a_screen_and_a_half_and_leads_to_every_document() {
    let readme = read("README.md");
    let lines = readme.lines().count();
    assert!(lines <= 160, "README.md has {lines} lines");
    let linked = links(&readme);
    for document in documents() {
        let is_linked = linked.iter().any(|target| target.split('#').next() == Some(document.as_str()));
        assert!(is_linked || document == "README.md" || document.starts_with(".github/"), "{document} is not linked");
    }
}

/// The documents about the program itself, each with its text; CONTRIBUTING.md as far as it names what exists.
fn about_the_program() -> Vec<(String, String)> {
    let of_the_program = |path: &String| !path.starts_with("frontend/") && !path.starts_with("lambda/");
    let texts = documents().into_iter().filter(of_the_program).map(|path| {
        let text = read(&path);
        let existing = text.split_once("\n## Adding a resource").filter(|_| path == "CONTRIBUTING.md");
        let text = existing.map_or(text.clone(), |(existing, _)| existing.to_owned());
        (path, text)
    });
    texts.collect()
}

#[test]
fn every_path_that_is_named_exists() {
    const ROOTS: [&str; 8] = ["src/", "tests/", "docs/", "scripts/", ".ci/", "deploy/", "lambda/", "frontend/"];
    for (document, text) in about_the_program() {
        let named = prose(&text).flat_map(quoted).filter(|name| ROOTS.iter().any(|root| name.starts_with(root)));
        for name in named {
            assert!(repository(name).exists(), "{document} names {name}, which does not exist");
        }
    }
}

#[test]
fn every_variable_that_is_named_is_a_setting() {
    // Django's variables and setting, and words of the AWS command line.
    const OTHERS: [&str; 5] = [
        "ADMIN_USER_PASSWORD_AUTH",
        "DJANGO_SUPERUSER_PASSWORD_FILE",
        "DJANGO_SUPERUSER_USERNAME",
        "USE_TZ",
        "USER_PASSWORD_AUTH",
    ];
    for (document, text) in about_the_program() {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let is_variable = |word: &&str| {
            let is_written_so = word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            is_written_so && word.contains('_') && !word.starts_with('_') && !word.ends_with('_')
        };
        for name in words.filter(is_variable) {
            let is_setting =
                SETTINGS.iter().any(|setting| setting.name == name) || SECRETS.iter().any(|secret| secret.file == name);
            let is_known = is_setting || VARIABLES.contains(&name) || OTHERS.contains(&name);
            assert!(is_known, "{document} names {name}, which is no setting");
        }
    }
}

/// A command that a document shows, and what it shows as the output.
#[derive(Debug)]
struct Example {
    command: String,
    output: String,
}

/// The examples in the `console` blocks of a document.
fn examples(text: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let blocks = text.split("```console\n").skip(1).filter_map(|rest| rest.split_once("\n```"));
    for line in blocks.flat_map(|(block, _)| block.lines()) {
        match (line.strip_prefix("$ "), examples.last_mut()) {
            (Some(command), _) => examples.push(Example { command: command.to_owned(), output: String::new() }),
            (None, Some(example)) if example.command.ends_with('\\') => {
                example.command.push('\n');
                example.command.push_str(line);
            }
            (None, Some(example)) => {
                example.output.push_str(line);
                example.output.push('\n');
            }
            (None, None) => panic!("an output without a command: {line}"),
        }
    }
    examples
}

/// What a shell prints for each of these commands, beside a server of the same folder.
fn run_in_a_shell(examples: &[Example], program: &Program, server: &Serving) -> Vec<String> {
    const END: &str = "\n=== the end of an example\n";
    let commands = examples.iter().map(|example| format!("{}\nprintf '%s' '{END}'\n", example.command));
    let script = commands.collect::<String>().replace("cargo run --quiet --", "\"$GATEPOST\"");
    let script = script.replace("127.0.0.1:8000", &server.address.to_string());
    std::fs::write(program.path(".curlrc"), "silent\n").expect("a file");
    let ran = Command::new("bash")
        .args(["-c", &format!("exec 2>&1\n{script}")])
        .current_dir(program.path(""))
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "LLVM_PROFILE_FILE"))
        .envs([("GATEPOST", env!("CARGO_BIN_EXE_gatepost")), ("APP_ENV", "development"), ("RUST_LOG", "error")])
        .env("CURL_HOME", program.path(""))
        .output()
        .expect("bash runs");
    let text = String::from_utf8(ran.stdout).expect("UTF-8");
    let outputs: Vec<String> = text.split(END).map(|output| output.trim_end().to_owned()).collect();
    assert_eq!(outputs.len(), examples.len() + 1, "{text}");
    outputs
}

#[tokio::test]
async fn the_examples_print_what_the_documents_show() {
    if find("curl").is_none() {
        return skip("the_examples_print_what_the_documents_show", "curl");
    }
    for (document, at_least) in [("README.md", 5), ("docs/api.md", 6), ("docs/errors.md", 5)] {
        let examples = examples(&read(document));
        assert!(examples.len() >= at_least, "{document} has {} examples", examples.len());
        let program = Program::new();
        let server = program.serve().await;
        let outputs = run_in_a_shell(&examples, &program, &server);
        for (example, output) in examples.iter().zip(outputs) {
            let shown = example.output.trim_end();
            // Three dots stand for lines that are left out.
            match shown.strip_prefix("...\n") {
                Some(end) => assert!(output.ends_with(end), "{document}: {example:?} printed {output}"),
                None => assert_eq!(output, shown, "{document}: {}", example.command),
            }
        }
    }
}

/// The text between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("{before} is not in {text}")).1;
    rest.split_once(after).unwrap_or_else(|| panic!("{after} is not in {rest}")).0
}

#[tokio::test]
async fn the_readme_shows_what_the_first_start_prints() {
    let program = Program::new();
    let server = program.serve().await;
    eventually("the superuser is shown", async || server.stdout().contains("(shown this once)\n")).await;
    // Pool and password are others each time.
    let without_chance = |text: &str| {
        let (pool, password) = (between(text, "user pool  ", ":"), between(text, "password ", " "));
        text.replace(pool, "POOL").replace(password, "PASSWORD")
    };
    let mut printed = without_chance(&server.stdout().replace(&server.address.to_string(), "127.0.0.1:8000"));
    // A resource of your own is not in the README.
    for path in gatepost::server::api().iter().map(|viewset| viewset.path()).filter(|path| path != "/articles/") {
        printed = printed.replace(&format!("  http://127.0.0.1:8000{path}"), "");
    }
    let readme = read("README.md");
    let shown = without_chance(between(&readme, "```text\n", "```"));
    assert!(printed.starts_with(&shown), "{printed}");
}

/// What `--help` prints for a command.
async fn help(command: &[&str]) -> String {
    let program = Program::new();
    program.run(&[command, &["--help"]].concat()).await.success().to_owned()
}

#[tokio::test]
async fn the_table_of_commands_has_each_command_with_its_arguments() {
    let help_of_all = help(&[]).await;
    let listed = between(&help_of_all, "Commands:\n", "\n\n").lines().filter_map(|line| line.split_whitespace().next());
    let existing: BTreeSet<&str> = listed.filter(|name| *name != "help").collect();
    let text = read("docs/operation.md");
    let rows = between(&text, "\n## Commands\n", "\n## ").lines().filter_map(|line| line.strip_prefix("| `"));
    let usages: Vec<&str> = rows.filter_map(|row| row.split_once("` |")).map(|(usage, _)| usage).collect();
    let shown: BTreeSet<&str> = usages.iter().filter_map(|usage| usage.split(' ').next()).collect();
    assert_eq!(shown, existing);
    for usage in usages {
        let (command, arguments) = usage.split_once(' ').unwrap_or((usage, ""));
        let help = help(&[command]).await;
        for argument in arguments.split_whitespace() {
            assert!(help.contains(argument), "{usage}: {argument} is no argument of {command}:\n{help}");
        }
    }
}

#[tokio::test]
async fn the_options_of_commands_that_have_many_are_explained() {
    let flags = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '-');
        words.filter(|word| word.starts_with("--") && word.len() > 4).map(str::to_owned).collect()
    };
    for (command, document) in [("token", "docs/api.md"), ("import-django", "docs/django.md"), ("sync", "docs/sync.md")]
    {
        let mut existing = flags(&help(&[command]).await);
        assert!(existing.remove("--help"));
        let text = read(document);
        let rows = text.lines().filter(|line| line.starts_with("| `--"));
        assert_eq!(flags(&rows.collect::<Vec<_>>().join("\n")), existing, "{document}");
    }
}
