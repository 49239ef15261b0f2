//! A file as JSON, whichever of the two languages it is written in: JSON is YAML. And where in it everything stands.

mod node;
mod place;
mod secrets;
mod text;

use std::fs;
use std::path::Path as File;

use serde_json::Value;

use self::node::Node;
pub(crate) use self::place::Place;
pub(crate) use self::secrets::is_variable_name;
use self::text::Text;
pub(crate) use self::text::{Window, window};
use crate::field::{At, Path};

/// Reads a YAML or JSON file of at most so many bytes.
///
/// # Errors
/// One sentence: what failed and where.
pub(crate) fn read(file: &File, max_bytes: u64) -> Result<Value, String> {
    let text = text_of(file, max_bytes)?;
    serde_saphyr::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}

fn text_of(file: &File, max_bytes: u64) -> Result<String, String> {
    let shown = file.display();
    let size = fs::metadata(file).map_err(|error| format!("{shown}: {error}"))?.len();
    if size > max_bytes {
        return Err(format!("{shown}: larger than {max_bytes} bytes"));
    }
    fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))
}

/// The text of a file, for people.
pub(crate) struct Source {
    /// The file as it was named.
    pub(crate) name: String,
    text: Text,
    /// The same with every secret masked, byte for byte; `None` where it cannot be known which bytes are secret.
    shown: Option<String>,
}

/// A file that was understood.
pub(crate) struct Document {
    pub(crate) source: Source,
    pub(crate) value: Value,
    root: Node,
}

/// A file that was not.
pub(crate) enum Unreadable {
    /// There is nothing to look at; why.
    File(String),
    /// It is neither YAML nor JSON.
    Syntax(Box<SyntaxError>),
}

/// Where a text ceases to be YAML, and why.
pub(crate) struct SyntaxError {
    pub(crate) source: Source,
    pub(crate) place: Place,
    pub(crate) text: String,
}

/// Reads a file as [`read`] does, and keeps where everything stands.
///
/// # Errors
/// [`Unreadable`].
pub(crate) fn open(file: &File, max_bytes: u64) -> Result<Document, Unreadable> {
    let text = text_of(file, max_bytes).map_err(Unreadable::File)?;
    let name = file.display().to_string();
    match node::parse(&text) {
        Ok((value, root)) => {
            let shown = Some(secrets::masked(&text, &value, &root));
            Ok(Document { source: Source { name, text: Text::new(text), shown }, value, root })
        }
        Err(error) => {
            let shown = (!secrets::may_hold(&text)).then(|| text.clone());
            let text = Text::new(text);
            let place = Place::of_error(&text, &error);
            let source = Source { name, text, shown };
            let text = node::in_words(&error);
            Err(Unreadable::Syntax(Box::new(SyntaxError { source, place, text })))
        }
    }
}

impl Source {
    /// What may be shown of the file.
    pub(crate) fn shown(&self) -> Option<&str> {
        self.shown.as_deref()
    }
}

impl Document {
    /// Everything, from the top.
    pub(crate) fn root(&self) -> At<'_> {
        At { value: &self.value, path: Path::default() }
    }

    /// Where a field stands; where it is missing, the object that lacks it.
    pub(crate) fn place(&self, path: &Path<'_>) -> Place {
        place::of(&self.source.text, self.root.found(path))
    }

    /// Where a field of a policy stands that is part of the file: by its path as the core writes it.
    pub(crate) fn place_in(&self, policy: &Path<'_>, field: &str) -> Place {
        let found = self.root.found(policy);
        place::of(&self.source.text, found.below(field))
    }

    /// Where a field of a policy stands that is a text of JSON in the file: in the text where its lines are lines of the
    /// file, else the whole text.
    pub(crate) fn place_in_text(&self, policy: &Path<'_>, text: &str, field: &str) -> Place {
        let file = &self.source.text;
        let found = self.root.found(policy);
        let error = bearward_core::json::parse(text.as_bytes()).err();
        let lines = found.node.literal_lines(file.as_str(), text);
        match (error, lines) {
            (Some(error), Some(lines)) => {
                let offset = text::offset(text, error.line(), error.column());
                Place::at(file, lines.in_file(offset))
            }
            (None, Some(lines)) => match node::parse(text) {
                Ok((_, inner)) => place::of(file, inner.moved(&lines).top().below(field)),
                Err(_) => place::of(file, found),
            },
            _ => place::of(file, found),
        }
    }
}
