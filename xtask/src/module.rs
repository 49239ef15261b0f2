//! The filter's module: what it exports and imports, held against the tables in ARCHITECTURE.md.
//!
//! Envoy calls whatever a module exports and passes over what it does not: a module without
//! `proxy_on_request_headers` lets every request through, silently. And every callback that is exported costs
//! microseconds on every request. So the list of exports is a table, and a module that differs from it is not built.

use self::exports::rewrite;
use self::tables::Tables;
use crate::error::Error;

mod exports;
pub mod panics;
mod producers;
pub mod tables;

/// Makes the module that ships from the one that the linker left: the exports that the table names, under the names
/// that it gives them, and nothing else. Every other section stays as it is, but for debugging leftovers.
pub fn finish(linked: &[u8], tables: &Tables) -> Result<Vec<u8>, Error> {
    let finished = rewrite(linked, &tables.exports)?;
    check(&finished, tables)?;
    Ok(finished)
}

/// Holds a module against the tables: its exports and its imports are exactly those.
pub fn check(module: &[u8], tables: &Tables) -> Result<(), Error> {
    let found = exports::read(module)?;
    let exports: Vec<&str> = tables.exports.iter().map(|row| row.export.as_str()).collect();
    let found_exports: Vec<&str> = found.exports.iter().map(|export| export.name.as_str()).collect();
    if let Some(difference) = difference(&exports, &found_exports) {
        return Err(Error::unusable(
            format!("the module's exports are not those that ARCHITECTURE.md names: {difference}"),
            format!(
                "export what is missing from filter/wasm, or change the table under `{}`",
                tables::EXPORTS
            ),
        ));
    }
    let imports: Vec<&str> = tables.imports.iter().map(String::as_str).collect();
    let found_imports: Vec<&str> = found.imports.iter().map(String::as_str).collect();
    if let Some(difference) = difference(&imports, &found_imports) {
        return Err(Error::unusable(
            format!("the module's imports are not those that ARCHITECTURE.md names: {difference}"),
            format!("remove the call from filter/wasm, or change the table under `{}`", tables::IMPORTS),
        ));
    }
    Ok(())
}

/// The version of the Rust compiler that made a module, such as `1.95.0 (59807616e 2026-04-14)`, by its `producers`
/// section; `None` where it does not say.
pub fn compiler(module: &[u8]) -> Option<String> {
    producers::version(module, "rustc")
}

/// `missing a, b; surplus c`, or nothing if both lists hold the same names.
fn difference(expected: &[&str], found: &[&str]) -> Option<String> {
    let without = |some: &[&str], others: &[&str]| -> Vec<String> {
        some.iter().filter(|name| !others.contains(name)).map(|name| (*name).to_owned()).collect()
    };
    let parts: Vec<String> = [("missing", without(expected, found)), ("surplus", without(found, expected))]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(word, names)| format!("{word} {}", names.join(", ")))
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        CodeSection, CustomSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
        ImportSection, Module, TypeSection,
    };

    use super::tables::ExportRow;
    use super::*;

    /// A module with one import and functions that are exported under these names.
    fn module(exports: &[&str]) -> Vec<u8> {
        let (mut types, mut imports, mut functions, mut exported, mut code) = (
            TypeSection::new(),
            ImportSection::new(),
            FunctionSection::new(),
            ExportSection::new(),
            CodeSection::new(),
        );
        types.ty().function([], []);
        imports.import("env", "proxy_log", EntityType::Function(0));
        for (index, name) in (1..).zip(exports) {
            functions.function(0);
            exported.export(name, ExportKind::Func, index);
            let mut body = Function::new([]);
            body.instructions().end();
            code.function(&body);
        }
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&exported).section(&code);
        for name in ["name", ".debug_info"] {
            module.section(&CustomSection { name: name.into(), data: b"content".into() });
        }
        module.finish()
    }

    fn row(export: &str, from: &str) -> ExportRow {
        ExportRow { export: export.to_owned(), from: from.to_owned() }
    }

    fn tables(exports: &[(&str, &str)]) -> Tables {
        Tables {
            exports: exports.iter().map(|(export, from)| row(export, from)).collect(),
            imports: vec!["proxy_log".to_owned()],
        }
    }

    const TABLE: [(&str, &str); 2] = [
        ("proxy_on_request_headers", "proxy_on_request_headers"),
        ("proxy_on_http_call_response", "bearward_on_http_call_response"),
    ];

    #[test]
    fn exports_that_no_row_names_are_removed_and_the_others_renamed() {
        let linked = module(&[
            "proxy_on_request_headers",
            "proxy_on_request_body",
            "proxy_on_http_call_response",
            "bearward_on_http_call_response",
        ]);
        let finished = finish(&linked, &tables(&TABLE)).unwrap();
        let found = exports::read(&finished).unwrap();
        let exports: Vec<(&str, u32)> =
            found.exports.iter().map(|export| (export.name.as_str(), export.index)).collect();
        assert_eq!(exports, [("proxy_on_request_headers", 1), ("proxy_on_http_call_response", 4)]);
    }

    #[test]
    fn a_module_without_proxy_on_request_headers_is_refused_by_name() {
        let linked = module(&["proxy_on_request_body", "bearward_on_http_call_response"]);
        let error = finish(&linked, &tables(&TABLE)).unwrap_err().to_string();
        assert!(error.contains("proxy_on_request_headers"), "{error}");
        let error = check(&linked, &tables(&TABLE)).unwrap_err().to_string();
        assert!(error.contains("missing proxy_on_request_headers, proxy_on_http_call_response"), "{error}");
        assert!(error.contains("surplus proxy_on_request_body, bearward_on_http_call_response"), "{error}");
    }

    #[test]
    fn an_import_that_no_row_names_is_refused_by_name() {
        let linked = module(&["proxy_on_request_headers"]);
        let mut tables = tables(&[("proxy_on_request_headers", "proxy_on_request_headers")]);
        tables.imports = vec!["proxy_get_property".to_owned()];
        let error = finish(&linked, &tables).unwrap_err().to_string();
        assert!(error.contains("missing proxy_get_property; surplus proxy_log"), "{error}");
    }

    #[test]
    fn sections_that_are_not_exports_stay_as_they_are_but_debugging_leftovers_go() {
        let linked = module(&["proxy_on_request_headers"]);
        let finished =
            finish(&linked, &tables(&[("proxy_on_request_headers", "proxy_on_request_headers")])).unwrap();
        let holds = |needle: &[u8]| finished.windows(needle.len()).any(|window| window == needle);
        assert!(holds(b"\x04namecontent"));
        assert!(!holds(b".debug_info"));
    }

    #[test]
    fn something_else_than_a_module_is_refused() {
        assert!(finish(b"not a module", &tables(&TABLE)).is_err());
        let linked = module(&["proxy_on_request_headers"]);
        assert!(finish(linked.get(..linked.len() - 3).unwrap(), &tables(&TABLE)).is_err());
    }
}
