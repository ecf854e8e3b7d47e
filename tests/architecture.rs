//! The directions between the rooms of `src`: the table in the doc comment of `lib.rs` says which room may use which,
//! and this test holds the code to it. `-- --nocapture` prints what it has counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What may lie directly in `src`. Everything else has a room.
const TOP_FILES: [&str; 3] = ["lib.rs", "main.rs", "schema.rs"];

#[test]
fn every_arrow_is_in_the_table_and_none_runs_in_a_circle() {
    let house = House::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let table = table(&house.files[Path::new("lib.rs")].text);
    let arrows = house.arrows();
    let (mut problems, mut between) = (house.stray_files(), BTreeMap::<_, BTreeSet<_>>::new());
    problems.extend(circle(&table).map(|rooms| format!("lib.rs: the table has a circle: {}", rooms.join(" -> "))));
    for arrow in &arrows {
        let (from, to) = (room(&table, &arrow.from), room(&table, &arrow.to));
        let place = format!("src/{}:{}", arrow.from.display(), arrow.line);
        match (from, to) {
            (Some(from), Some(to)) if from == to => {}
            (Some(from), Some(to)) => {
                between.entry(from.clone()).or_default().insert(to.clone());
                if !table[&from].contains(&to) {
                    problems.push(format!("{place}: `{from}` may not use `{to}` (`{}`)", arrow.path));
                }
            }
            (None, _) => problems.push(format!("{place}: this file's room is not in the table of lib.rs")),
            (_, None) => problems.push(format!("{place}: the room of `{}` is not in the table of lib.rs", arrow.path)),
        }
    }
    let mut files = BTreeMap::<_, BTreeSet<_>>::new();
    for arrow in &arrows {
        let name = |file: &Path| file.display().to_string();
        files.entry(name(&arrow.from)).or_default().insert(name(&arrow.to));
    }
    let circles = circles(files.clone());
    problems.extend(circles.iter().map(|files| {
        let first = arrows.iter().find(|arrow| arrow.from == Path::new(&files[0]) && arrow.to == Path::new(&files[1]));
        let line = first.map_or(0, |arrow| arrow.line);
        format!("src/{}:{line}: these files form a circle: {}", files[0], files.join(" -> "))
    }));
    println!(
        "{} files, {} rooms, {} arrows between files, {} between rooms, {} circles",
        house.files.len(),
        table.len(),
        files.values().map(BTreeSet::len).sum::<usize>(),
        between.values().map(BTreeSet::len).sum::<usize>(),
        circles.len(),
    );
    for (from, to) in &between {
        println!("  {from} -> {}", to.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
    }
    assert!(problems.is_empty(), "{} arrows or files break the rules:\n{}", problems.len(), problems.join("\n"));
}

/// For each room of the table, the rooms that it may use: the first and the last column.
fn table(lib: &str) -> BTreeMap<String, BTreeSet<String>> {
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | "));
    let rows = rows.filter(|row| !row.starts_with("room ") && !row.starts_with("---"));
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let mut table = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        let may_use: BTreeSet<String> = names(cells.last().expect("a last cell")).into_iter().collect();
        for room in names(cells[0]) {
            assert!(table.insert(room.clone(), may_use.clone()).is_none(), "`{room}` is in the table twice");
        }
    }
    for (room, may_use) in &table {
        let unknown = may_use.iter().find(|used| !table.contains_key(*used));
        assert_eq!(unknown, None, "the table lets `{room}` use a room that it does not have");
    }
    table
}

/// The room of a file: the most precise of the table's names that its module has.
fn room(table: &BTreeMap<String, BTreeSet<String>>, file: &Path) -> Option<String> {
    let mut module = module_of(file);
    while !module.is_empty() {
        if table.contains_key(&module.join("::")) {
            return Some(module.join("::"));
        }
        module.pop();
    }
    None
}

/// A circle, if there is one: its members in order, the first one again at the end.
fn circle(graph: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn visit<'a>(
        graph: &'a BTreeMap<String, BTreeSet<String>>,
        at: &'a str,
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<String>> {
        if let Some(begin) = way.iter().position(|met| *met == at) {
            return Some(way[begin..].iter().chain([&at]).map(|name| (*name).to_owned()).collect());
        }
        if !done.insert(at) {
            return None;
        }
        way.push(at);
        let found = graph.get(at).into_iter().flatten().find_map(|next| visit(graph, next, way, done));
        way.pop();
        found
    }
    let mut done = BTreeSet::new();
    graph.keys().find_map(|start| visit(graph, start, &mut Vec::new(), &mut done))
}

/// Circles that have no member in common, as many as there are.
fn circles(mut graph: BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let mut circles = Vec::new();
    while let Some(found) = circle(&graph) {
        graph.retain(|name, _| !found.contains(name));
        circles.push(found);
    }
    circles
}

/// `a/b.rs` and `a/b/mod.rs` are `a::b`; `lib.rs` is the root, `main.rs` a program of its own.
fn module_of(file: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_str().expect("UTF-8").to_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
        module.pop();
    }
    module
}

/// One use of a file by another one.
struct Arrow {
    from: PathBuf,
    line: usize,
    to: PathBuf,
    /// The path as it is written, from the root.
    path: String,
}

/// A path that a file names, from the root on: in a `use` or within the code.
struct Named {
    path: Vec<String>,
    line: usize,
    /// The name that a `use` gives it.
    binds: Option<String>,
    is_reexport: bool,
}

struct File {
    text: String,
    named: Vec<Named>,
}

struct House {
    files: BTreeMap<PathBuf, File>,
    modules: BTreeMap<Vec<String>, PathBuf>,
}

impl House {
    fn read(src: &Path) -> House {
        let mut house = House { files: BTreeMap::new(), modules: BTreeMap::new() };
        let mut folders = vec![src.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = fs::read_to_string(&path).expect("a source file");
                    let file = path.strip_prefix(src).expect("below src").to_owned();
                    house.modules.insert(module_of(&file), file.clone());
                    house.files.insert(file, File { text, named: Vec::new() });
                }
            }
        }
        for file in house.files.keys().cloned().collect::<Vec<_>>() {
            let named = Reader::new(&house, &file).read();
            house.files.get_mut(&file).expect("it was there").named = named;
        }
        house
    }

    /// Files that have no room.
    fn stray_files(&self) -> Vec<String> {
        let is_stray = |file: &&PathBuf| match file.parent() {
            Some(folder) if folder != Path::new("") => {
                let room = Path::new(file.iter().next().expect("a folder"));
                !self.files.contains_key(&room.join("mod.rs"))
            }
            _ => !TOP_FILES.iter().any(|allowed| Path::new(allowed) == file.as_path()),
        };
        let stray = self.files.keys().filter(is_stray);
        stray
            .map(|file| format!("src/{}:1: this file has to be in a room, a folder with mod.rs", file.display()))
            .collect()
    }

    fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for (from, file) in &self.files {
            let module = module_of(from);
            // What a room's mod.rs hands on from its own files is theirs.
            let is_own =
                |named: &&Named| named.is_reexport && from.ends_with("mod.rs") && named.path.starts_with(&module);
            for named in file.named.iter().filter(|named| !is_own(named)) {
                if let Some(to) = self.resolve(&named.path, 0).filter(|to| to != from) {
                    arrows.push(Arrow { from: from.clone(), line: named.line, to, path: named.path.join("::") });
                }
            }
        }
        arrows
    }

    /// The file in which a path leads to something: as far as there are modules, and on through re-exports.
    fn resolve(&self, path: &[String], depth: usize) -> Option<PathBuf> {
        let length = (0..=path.len()).rev().find(|length| self.modules.contains_key(&path[..*length]))?;
        let file = &self.modules[&path[..length]];
        let (Some(name), true) = (path.get(length), depth < 8) else {
            // A module as such, and the root with its modules, is nobody's business.
            return Some(file.clone()).filter(|file| file != Path::new("lib.rs"));
        };
        let named = &self.files[file].named;
        if let Some(reexport) = named.iter().find(|named| named.is_reexport && named.binds.as_ref() == Some(name)) {
            let target: Vec<String> = reexport.path.iter().chain(&path[length + 1..]).cloned().collect();
            return self.resolve(&target, depth + 1);
        }
        Some(file.clone()).filter(|file| file != Path::new("lib.rs"))
    }
}

/// Reads the paths of a file.
struct Reader<'a> {
    house: &'a House,
    file: &'a Path,
    module: Vec<String>,
    tokens: Vec<(String, usize)>,
    at: usize,
    named: Vec<Named>,
    /// Modules within the file, each with the depth of braces at which it ends.
    inner: Vec<(usize, usize)>,
}

impl<'a> Reader<'a> {
    fn new(house: &'a House, file: &'a Path) -> Reader<'a> {
        let tokens = tokens(&house.files[file].text);
        Reader { house, file, module: module_of(file), tokens, at: 0, named: Vec::new(), inner: Vec::new() }
    }

    fn token(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |(token, _)| token)
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).map_or(0, |(_, line)| *line)
    }

    fn read(mut self) -> Vec<Named> {
        let mut depth = 0;
        let mut is_public = false;
        while self.at < self.tokens.len() {
            match self.token(0) {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    self.inner.retain(|(end, _)| *end < depth + 1);
                }
                "mod" if self.token(2) == "{" => self.inner.push((depth + 1, 1)),
                "pub" => is_public = true,
                ";" => is_public = false,
                "use" if self.token(1) != "<" => {
                    self.at += 1;
                    self.tree(Vec::new(), is_public);
                    is_public = false;
                    continue;
                }
                token if is_name(token) && self.token(1) == "::" && !self.is_within_path() => self.inline(),
                token if !matches!(token, "(" | ")" | "crate" | "super" | "in" | "self") => is_public = false,
                _ => {}
            }
            self.at += 1;
        }
        self.named
    }

    fn is_within_path(&self) -> bool {
        self.at > 0 && self.tokens[self.at - 1].0 == "::"
    }

    /// A part of a `use`, after what stands before its braces.
    fn tree(&mut self, before: Vec<String>, is_public: bool) {
        let (mut path, line) = (before, self.line());
        loop {
            match self.token(0) {
                "{" => {
                    self.at += 1;
                    while self.token(0) != "}" {
                        self.tree(path.clone(), is_public);
                        if self.token(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "::" => self.at += 1,
                "," | "}" | ";" | "" | "as" => break,
                part => {
                    path.push(part.to_owned());
                    self.at += 1;
                }
            }
        }
        if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
            path.pop();
        }
        let mut binds = path.last().cloned();
        if self.token(0) == "as" {
            binds = Some(self.token(1).to_owned());
            self.at += 2;
        }
        // A `use` within a function or a module of its own re-exports nothing.
        let is_reexport = is_public && self.inner.is_empty();
        if let Some(path) = self.absolute(&path) {
            self.named.push(Named { path, line, binds, is_reexport });
        }
    }

    /// A path within the code.
    fn inline(&mut self) {
        let (mut path, line) = (vec![self.token(0).to_owned()], self.line());
        while self.token(1) == "::" && is_name(self.token(2)) {
            path.push(self.token(2).to_owned());
            self.at += 2;
        }
        if let Some(path) = self.absolute(&path) {
            self.named.push(Named { path, line, binds: None, is_reexport: false });
        }
    }

    /// The path from the crate's root; `None` for another crate's.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let is_main = self.file == Path::new("main.rs");
        let mut base = self.module.clone();
        let mut ups = self.inner.len();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" if !is_main => return Some(path[1..].to_vec()),
            "gatepost" if is_main => return Some(path[1..].to_vec()),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    if ups > 0 {
                        ups -= 1;
                    } else {
                        base.pop();
                    }
                    rest = &rest[1..];
                }
            }
            first => {
                // The name of a module below this one, or of one that a `use` has brought.
                let known = self.named.iter().find(|named| named.binds.as_deref() == Some(first));
                if let Some(known) = known {
                    return Some(known.path.iter().chain(&path[1..]).cloned().collect());
                }
                let child: Vec<String> = base.iter().cloned().chain([first.to_owned()]).collect();
                self.house.modules.get(&child)?;
            }
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The code without comments and texts, in names, `::` and single characters, each with its line.
fn tokens(text: &str) -> Vec<(String, usize)> {
    let (mut tokens, mut line, mut rest) = (Vec::new(), 1, text);
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("r#\"") {
            rest.find("\"#").map_or(rest.len(), |end| end + 2)
        } else if first == '"' {
            string_length(rest)
        } else if first == '\'' {
            character_length(rest)
        } else if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        if !first.is_whitespace()
            && !token.starts_with(['"', '\''])
            && !token.starts_with("//")
            && !token.starts_with("r#")
        {
            tokens.push((token.to_owned(), line));
        }
        line += token.matches('\n').count();
        rest = after;
    }
    tokens
}

fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let is_end = *c == '"' && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// Of a character, or of the mark before a lifetime's name.
fn character_length(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), Some((at, _))) => text[at + 1..].find('\'').map_or(1, |end| at + 1 + end + 1),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}
