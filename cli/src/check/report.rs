//! What was found, for people and for programs.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::check::kind::Kind;
use crate::check::remark::{Field, Remark};
use crate::document::{Document, Place, SyntaxError};
use crate::field::Path;
use crate::plugin::{Plugin, Policy};
use crate::snippet::{self, Severity};
use crate::terminal::{self, BAD, GOOD, HEADING, SUSPICIOUS, styled};

/// A remark and where its field stands.
pub(crate) struct Finding {
    kind: Option<Kind>,
    path: String,
    /// What begins the sentence of a problem.
    subject: String,
    text: String,
    place: Place,
}

/// What was found about one plugin, or about the file around all of them.
pub(crate) struct Findings<'a> {
    /// `None`: about the file.
    pub(crate) plugin: Option<&'a Plugin<'a>>,
    /// In the order of the file.
    pub(crate) problems: Vec<Finding>,
    pub(crate) suspicions: Vec<Finding>,
}

impl<'a> Findings<'a> {
    /// Looks up where the fields stand.
    pub(crate) fn locate(
        document: &Document,
        plugin: Option<&'a Plugin<'a>>,
        remarks: Vec<Remark<'_>>,
    ) -> Self {
        let mut found: Vec<_> = remarks.into_iter().map(|remark| located(document, plugin, remark)).collect();
        found.sort_by_key(|finding| finding.place.bytes.start);
        let (problems, suspicions) = found.into_iter().partition(|finding| finding.kind.is_none());
        Self { plugin, problems, suspicions }
    }

    /// Leaves out kinds of suspicions.
    pub(crate) fn allow(&mut self, kinds: &[Kind]) {
        self.suspicions.retain(|finding| finding.kind.is_none_or(|kind| !kinds.contains(&kind)));
    }
}

/// Leaves out what was found before, about another plugin of the same connection manager.
pub(crate) fn once(all: &mut [Findings<'_>]) {
    let mut seen = HashSet::new();
    for findings in all {
        let mut is_new = |found: &Finding| {
            seen.insert((found.kind, found.path.clone(), found.place.bytes.start, found.text.clone()))
        };
        findings.problems.retain(|found| found.place.other.is_some() || is_new(found));
        findings.suspicions.retain(|found| found.place.other.is_some() || is_new(found));
    }
}

fn located(document: &Document, plugin: Option<&Plugin<'_>>, remark: Remark<'_>) -> Finding {
    let Remark { kind, field, text } = remark;
    let (path, subject, place) = match field {
        Field::File(path) => {
            // What is within the plugin is named from there, other fields by their own name: the snippet shows the rest.
            let outside = match plugin {
                Some(plugin) if path.is_within(&plugin.path) => plugin.path.steps().len(),
                _ => path.steps().len().saturating_sub(1),
            };
            (path.to_string(), path.without_first(outside).to_string(), document.place(&path))
        }
        Field::Policy(path) => {
            let place = match plugin.map(|plugin| (&plugin.path, &plugin.policy)) {
                Some((_, Ok(Policy::Inline(at)))) => document.place_in(&at.path, &path),
                Some((_, Ok(Policy::Text(at, text)))) => document.place_in_text(&at.path, text, &path),
                Some((carrier, Err(_))) => document.place(carrier),
                None => document.place(&Path::default()),
            };
            (path.clone(), path, place)
        }
    };
    Finding { kind, path, subject, text, place }
}

impl Finding {
    /// The sentence.
    fn sentence(&self) -> String {
        if self.kind.is_some() || self.subject.is_empty() {
            self.text.clone()
        } else {
            format!("{}: {}", self.subject, self.text)
        }
    }

    /// Shown in its file; `columns` as in [`snippet::shown`].
    pub(crate) fn shown(&self, document: &Document, columns: Option<usize>) -> String {
        let name = self.kind.map(Kind::name);
        let severity = name.as_deref().map_or(Severity::Error, Severity::Warning);
        snippet::shown(&document.source, severity, &self.sentence(), &self.place, columns)
    }

    fn as_json(&self, plugin: Option<&Plugin<'_>>) -> Value {
        let mut object = json!({
            "plugin": plugin.map(|plugin| plugin.path.to_string()),
            "path": self.path,
            "line": self.place.line,
            "column": self.place.column,
            "text": self.text,
        });
        if let (Some(kind), Some(members)) = (self.kind, object.as_object_mut()) {
            members.insert("kind".to_owned(), kind.name().into());
        }
        object
    }
}

/// For people: every finding in its file, then how many there are. With styles: print it by `anstream`.
pub(crate) fn text(document: &Document, all: &[Findings<'_>]) -> String {
    let columns = terminal::columns();
    let plugins = all.iter().filter(|findings| findings.plugin.is_some()).count();
    let mut text = String::new();
    for (index, findings) in all.iter().enumerate() {
        let of_plugin: Vec<_> = findings.problems.iter().chain(&findings.suspicions).collect();
        if plugins > 1 && !of_plugin.is_empty() {
            let place = match findings.plugin {
                Some(plugin) => format!("plugin {} of {plugins}: {}", index + 1, plugin.path),
                None => "around the plugins".to_owned(),
            };
            text.push_str(&styled(HEADING, &terminal::wrapped("", &place)));
            text.push_str("\n\n");
        }
        for finding in of_plugin {
            text.push_str(&finding.shown(document, columns));
            text.push_str("\n\n");
        }
    }
    let problems = all.iter().map(|findings| findings.problems.len()).sum();
    let suspicions = all.iter().map(|findings| findings.suspicions.len()).sum();
    text + &summary(&document.source.name, problems, suspicions)
}

/// The last line.
fn summary(file: &str, problems: usize, suspicions: usize) -> String {
    let count = |count: usize, one: &str, many: &str| match count {
        0 => format!("no {one}"),
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    };
    let problems_counted = count(problems, "problem", "problems");
    let suspicions_counted = count(suspicions, "suspicion", "suspicions");
    let verdict = match (problems, suspicions) {
        (0, 0) => styled(GOOD, "nothing wrong"),
        (0, _) => format!("{}, {}", styled(GOOD, &problems_counted), styled(SUSPICIOUS, &suspicions_counted)),
        (_, 0) => styled(BAD, &problems_counted),
        _ => format!("{}, {}", styled(BAD, &problems_counted), styled(SUSPICIOUS, &suspicions_counted)),
    };
    terminal::wrapped("", &format!("{file}: {verdict}")) + "\n"
}

/// For programs: one object.
pub(crate) fn json(all: &[Findings<'_>]) -> String {
    let every = |of: for<'f> fn(&'f Findings<'_>) -> &'f [Finding]| -> Vec<Value> {
        let each =
            all.iter().flat_map(|findings| of(findings).iter().map(|found| found.as_json(findings.plugin)));
        each.collect()
    };
    let problems = every(|findings| &findings.problems);
    let suspicions = every(|findings| &findings.suspicions);
    let plugins = all.iter().filter(|findings| findings.plugin.is_some()).count();
    format!("{}\n", json!({ "plugins": plugins, "problems": problems, "suspicions": suspicions }))
}

/// A file that cannot be understood, as the one problem that it has.
pub(crate) fn syntax(error: &SyntaxError, as_json: bool) -> String {
    let SyntaxError { source, place, text } = error;
    if as_json {
        let (line, column) = (place.line, place.column);
        let problem = json!({ "plugin": null, "path": "", "line": line, "column": column, "text": text });
        return format!("{}\n", json!({ "plugins": 0, "problems": [problem], "suspicions": [] }));
    }
    let shown = snippet::shown(source, Severity::Error, text, place, terminal::columns());
    format!("{shown}\n\n{}", summary(&source.name, 1, 0))
}
