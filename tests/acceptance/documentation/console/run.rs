use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use bearward_tests::harness::program;
use xtask::directory::{TemporaryDirectory, random_hex};
use xtask::workspace;

use super::block::Block;

/// What commands in documents may speak of.
const COPIED: [&str; 4] = ["README.md", "docs", "envoy.yaml", "examples"];

/// What each command of the block prints, to the standard output and the standard error as they come, and how it ends where
/// that is no success.
pub(super) fn outputs(block: &Block) -> Vec<Vec<String>> {
    let copy = TemporaryDirectory::new(&env::temp_dir(), "bearward-test").unwrap();
    for name in COPIED {
        copy_all(&workspace::root().join(name), &copy.path().join(name));
    }
    // One shell for all, so that they share variables; a word that nothing prints stands between their outputs.
    let mark = random_hex(16).unwrap();
    let commands = block.commands.iter();
    let script: String =
        commands.map(|command| format!("{}\nprintf '\\n{mark} %s\\n' $?\n", command.text)).collect();
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{script}")])
        .current_dir(copy.path())
        .env("PATH", path())
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut outputs = Vec::new();
    let mut rest = text.as_str();
    while let Some((printed, after)) = rest.split_once(&format!("\n{mark} ")) {
        let (status, next) = after.split_once('\n').unwrap();
        outputs.push(lines(printed, status));
        rest = next;
    }
    assert_eq!(outputs.len(), block.commands.len(), "a command ended the shell: {text}");
    outputs
}

fn lines(printed: &str, status: &str) -> Vec<String> {
    let mut lines: Vec<_> = printed.trim_end().lines().map(|line| line.trim_end().to_owned()).collect();
    if status != "0" {
        lines.push(format!("[exit {status}]"));
    }
    lines
}

/// The program comes first.
fn path() -> std::ffi::OsString {
    let program = program("bearward");
    let own = program.parent().unwrap().to_owned();
    let others = env::var_os("PATH").unwrap_or_default();
    env::join_paths([own].into_iter().chain(env::split_paths(&others))).unwrap()
}

fn copy_all(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy_all(&entry.path(), &to.join(entry.file_name()));
    }
}
