//! The CSV reader, compared with the one of Python's standard library in strict mode.

use std::io::Write;
use std::process::{Command, Stdio};

use gatepost::admin::import::reader::{Reader, Record};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::harness::{find, skip};

const FILES: usize = 20_000;

/// Prints the records of each text with their first lines, or null where there is an error. Python leaves it to the
/// caller which characters end a line: CR does if it ends the first one.
const SCRIPT: &str = r#"
import csv, io, json, re, sys
for text, delimiter in json.load(sys.stdin):
    first = re.search("\r*\n|\r", text)
    newline = "" if first and first.group() == "\r" else "\n"
    reader = csv.reader(io.StringIO(text, newline=newline), delimiter=delimiter, strict=True)
    records, line = [], 1
    try:
        for cells in reader:
            records.append([line, cells or [""]])
            line = reader.line_num + 1
    except csv.Error:
        records = None
    print(json.dumps(records))
"#;

fn python(files: &[(String, char)]) -> Vec<Value> {
    let mut child = Command::new("python3")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let input = json!(files).to_string();
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("Python reads");
    let output = child.wait_with_output().expect("Python ends");
    let output = String::from_utf8(output.stdout).expect("UTF-8");
    output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn ours(text: &str, delimiter: char) -> Value {
    let records: Result<Vec<Record>, String> = Reader::new(text, delimiter, 1).collect();
    match records {
        Ok(records) => records.iter().map(|record| json!([record.line, record.cells])).collect(),
        Err(_) => Value::Null,
    }
}

/// Texts of the characters that matter, and rows of cells that are mostly well-formed.
fn file() -> impl Strategy<Value = String> {
    let cell = prop_oneof!["[a ;,'é]{0,3}", "\"([a;,\r\n]|\"\"){0,4}\"", "[a\",; \r\n]{0,4}"];
    let row = prop::collection::vec(cell, 1..4).prop_map(|cells| cells.join(","));
    let rows = (prop::collection::vec(row, 1..5), prop::sample::select(vec!["\n", "\r\n", "\r", "\r\r\n"]));
    prop_oneof!["[a\",;\r\n]{0,12}", rows.prop_map(|(rows, end)| rows.join(end) + end)]
}

#[test]
fn it_reads_and_refuses_what_pythons_csv_does_in_strict_mode() {
    if find("python3").is_none() {
        return skip("it_reads_and_refuses_what_pythons_csv_does_in_strict_mode", "python3");
    }
    let (mut runner, strategy) = (TestRunner::deterministic(), (file(), prop::sample::select(vec![',', ';'])));
    let files: Vec<(String, char)> =
        (0..FILES).map(|_| strategy.new_tree(&mut runner).expect("a file").current()).collect();
    let expected = python(&files);
    assert_eq!(expected.len(), FILES);
    for ((text, delimiter), expected) in files.iter().zip(&expected) {
        assert_eq!(ours(text, *delimiter), *expected, "{text:?} with {delimiter:?}");
    }
    let refused = expected.iter().filter(|records| records.is_null()).count();
    assert!((FILES / 20..FILES * 19 / 20).contains(&refused), "{refused} of {FILES} files are malformed");
}
