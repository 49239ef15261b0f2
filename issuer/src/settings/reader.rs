//! Reads settings one after the other and remembers all that is wrong.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::sources::{Found, Sources};
use super::table::{Kind, Setting, WhenUnset};
use super::{Problem, Problems};

/// Reads settings and collects problems. A method that returns `None` has recorded why.
pub(crate) struct Reader<'s> {
    sources: &'s Sources,
    problems: Vec<Problem>,
}

impl<'s> Reader<'s> {
    pub(crate) fn new(sources: &'s Sources) -> Self {
        Self { sources, problems: sources.problems().to_vec() }
    }

    /// All that was wrong, or what was compiled.
    pub(crate) fn finish<T>(self, compiled: Option<T>) -> Result<T, Problems> {
        match compiled {
            Some(compiled) if self.problems.is_empty() => Ok(compiled),
            _ => Err(Problems(self.problems)),
        }
    }

    /// A setting that may stay unset: `Some(None)` then.
    pub(crate) fn optional<T, E: Display>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match self.find(setting)? {
            None => Some(None),
            Some(found) => self.parse(setting, &found, parse).map(Some),
        }
    }

    /// A setting with a default, or one that is required.
    pub(crate) fn value<T, E: Display>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if let Some(found) = self.find(setting)? {
            return self.parse(setting, &found, parse);
        }
        if let WhenUnset::Is(text) = setting.unset {
            let default = Found { text: text.to_owned(), place: setting.name.to_owned() };
            return self.parse(setting, &default, parse);
        }
        // Where the configuration file is broken, nobody knows whether it held the value.
        if self.sources.problems().is_empty() {
            let file = setting.file_name().map(|name| format!(" or {name}")).unwrap_or_default();
            self.problem(
                setting.name,
                format!("is not set; set {}{file} to {}", setting.name, setting.value),
            );
        }
        None
    }

    /// A number within a range.
    pub(crate) fn number(&mut self, setting: &Setting, range: RangeInclusive<u32>) -> Option<u32> {
        self.value(setting, |text| number(text, &range))
    }

    /// A number within a range that may stay unset: `Some(None)` then.
    pub(crate) fn optional_number(
        &mut self,
        setting: &Setting,
        range: RangeInclusive<u32>,
    ) -> Option<Option<u32>> {
        self.optional(setting, |text| number(text, &range))
    }

    /// A number within a range, or what was found out.
    pub(crate) fn number_or(
        &mut self,
        setting: &Setting,
        range: RangeInclusive<u32>,
        computed: u32,
    ) -> Option<u32> {
        self.optional_number(setting, range).map(|value| value.unwrap_or(computed))
    }

    pub(crate) fn problem(&mut self, setting: &str, text: String) {
        self.problems.push(Problem::new(setting, text));
    }

    /// Whether there is a value, right or wrong.
    pub(crate) fn is_set(&self, setting: &Setting) -> bool {
        matches!(self.sources.find(setting), Ok(Some(_)) | Err(_))
    }

    fn find(&mut self, setting: &Setting) -> Option<Option<Found>> {
        self.sources.find(setting).map_err(|problem| self.problems.push(problem)).ok()
    }

    fn parse<T, E: Display>(
        &mut self,
        setting: &Setting,
        found: &Found,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = if setting.kind == Kind::Secret { &found.text } else { found.text.trim() };
        parse(text)
            .map_err(|why| {
                let shown = if setting.kind == Kind::Secret { String::new() } else { format!("`{text}` ") };
                self.problem(&found.place, format!("{shown}{why}"));
            })
            .ok()
    }
}

fn number(text: &str, range: &RangeInclusive<u32>) -> Result<u32, String> {
    match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("must be an integer from {} to {}", range.start(), range.end())),
    }
}
