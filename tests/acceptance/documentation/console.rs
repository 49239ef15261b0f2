//! What the documents show of `bearward` on a console is what it does.
//!
//! A block of `console` in which a command runs `bearward` is run by `sh`, all of its commands in order, in a copy of what
//! the documents speak of, and what each prints is held against what the block shows. In reading order: [`block`] the
//! blocks of a document, [`run`] running one, [`shown`] what stands for what.

mod block;
mod run;
mod shown;

use std::fs;
use std::path::{Path, PathBuf};

use bearward_tests::harness;
use bearward_tests::note::note;
use xtask::workspace;

use self::block::{Block, blocks};

/// A command that does not print what the document shows.
struct Difference {
    /// The line of the command in the document, from 1.
    line: usize,
    command: String,
    shown: Vec<String>,
    came: Vec<String>,
}

/// Runs a document's blocks: what differs, and the document that shows what came.
fn differences(document: &str) -> (Vec<Difference>, String) {
    let mut fresh: Vec<String> = document.lines().map(str::to_owned).collect();
    let mut found = Vec::new();
    for block in blocks(document) {
        found.extend(differences_of(&block));
    }
    // From the end, so that the lines before stay where they are.
    for difference in found.iter().rev() {
        let first = difference.line - 1 + difference.command.lines().count();
        fresh.splice(first..first + difference.shown.len(), difference.came.iter().cloned());
    }
    (found, fresh.join("\n") + "\n")
}

fn differences_of(block: &Block) -> Vec<Difference> {
    let came = run::outputs(block);
    let pairs = block.commands.iter().zip(came);
    let differ = pairs.filter(|(command, came)| !shown::stands_for(&command.shown, came));
    differ
        .map(|(command, came)| Difference {
            line: command.line,
            command: command.text.clone(),
            shown: command.shown.clone(),
            came,
        })
        .collect()
}

/// Every document that people read: the root's, those in `docs` and in `examples`.
fn documents() -> Vec<PathBuf> {
    let root = workspace::root();
    let mut found = vec![root.join("README.md")];
    collect(&root.join("docs"), &mut found);
    collect(&root.join("examples"), &mut found);
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

#[test]
fn what_the_documents_show_of_the_command_line_is_what_it_prints() {
    let (mut commands, mut wrong) = (0, String::new());
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        commands += blocks(&text).iter().map(|block| block.commands.len()).sum::<usize>();
        let (found, fresh) = differences(&text);
        if harness::is_blessing("docs") {
            fs::write(&path, fresh).unwrap();
            continue;
        }
        for Difference { line, command, shown, came } in found {
            let (shown, came) = (shown.join("\n"), came.join("\n"));
            wrong += &format!("{}:{line}: $ {command}\nshown:\n{shown}\ncame:\n{came}\n\n", path.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}`cargo xtask bless docs` writes what came");
    assert!(commands > 0);
    note(&format!("commands in the documents that were run: {commands}"));
}

/// One that is passed over would show what nobody has seen.
#[test]
fn no_command_in_the_documents_is_passed_over() {
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let blocks = blocks(&text);
        let run: Vec<_> =
            blocks.iter().flat_map(|block| &block.commands).map(|command| command.line).collect();
        for (index, line) in text.lines().enumerate() {
            let is_one = line.trim_start().trim_start_matches("> ").starts_with("$ bearward ");
            assert!(!is_one || run.contains(&(index + 1)), "{}:{}: {line}", path.display(), index + 1);
        }
    }
}

fn of(lines: &[&str]) -> String {
    let lines = lines.join("\n");
    format!("# A document\n\n```console\n{lines}\n```\n\nIts end.\n")
}

#[test]
fn an_output_that_differs_is_found_with_its_line() {
    let document = of(&["$ bearward --version", "bearward [..]", "$ bearward --version", "bearward 0.0.1"]);
    let (found, _) = differences(&document);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].line, found[0].command.as_str()), (6, "bearward --version"));
    assert_eq!(found[0].came, [format!("bearward {}", env!("CARGO_PKG_VERSION"))]);
    for wrong in [
        of(&["$ bearward --version"]),
        of(&["$ bearward --version", "bearward [..]", "and more"]),
        of(&["$ bearward --version", "bearward [..]", "[exit 1]"]),
        of(&["$ bearward check nowhere.yaml", "..."]).replace("...", "nowhere.yaml: [..]"),
    ] {
        assert_eq!(differences(&wrong).0.len(), 1, "{wrong}");
    }
}

#[test]
fn the_status_of_a_command_that_fails_is_part_of_what_is_shown() {
    let document = of(&["$ bearward check nowhere.yaml", "nowhere.yaml: No such file [..]", "[exit 2]"]);
    assert_eq!(differences(&document).0.len(), 0);
}

#[test]
fn the_commands_of_a_block_share_a_copy_and_leave_nothing_in_the_repository() {
    let document = of(&[
        "$ bearward schema --output made-by-a-document.json && NAME=made-by-a-document",
        "$ head -n 1 \\",
        "    $NAME.json",
        "{",
        "$ bearward schema --output envoy.yaml",
        "$ bearward check envoy.yaml",
        "envoy.yaml: neither [..]",
        "[exit 2]",
    ]);
    let before = fs::read(workspace::root().join("envoy.yaml")).unwrap();
    let (found, _) = differences(&document);
    let found: Vec<_> = found.iter().map(|difference| (&difference.command, &difference.came)).collect();
    assert!(found.is_empty(), "{found:?}");
    assert!(!workspace::root().join("made-by-a-document.json").exists());
    assert_eq!(fs::read(workspace::root().join("envoy.yaml")).unwrap(), before);
}

#[test]
fn a_document_that_was_blessed_shows_what_came_and_is_otherwise_the_same() {
    let stale = of(&[
        "$ bearward \\",
        "    --version",
        "bearward 0.0.1",
        "another line",
        "$ bearward check nowhere.yaml",
        "$ bearward schema | head -n 2",
        "...",
    ]);
    let (found, fresh) = differences(&stale);
    assert_eq!(found.len(), 2);
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        fresh.contains(&format!("    --version\nbearward {version}\n$ bearward check nowhere.yaml\n")),
        "{fresh}"
    );
    assert!(fresh.contains("[exit 2]\n$ bearward schema | head -n 2\n...\n```\n\nIts end.\n"), "{fresh}");
    let (found, again) = differences(&fresh);
    assert_eq!((found.len(), again), (0, fresh));
}

#[test]
fn blocks_that_do_not_run_bearward_are_left_alone() {
    for other in
        ["```console\n$ curl -i http://127.0.0.1:8080/\n```\n", "```sh\nbearward check envoy.yaml\n```\n"]
    {
        assert!(blocks(other).is_empty());
        assert_eq!(differences(other).1, other);
    }
}
