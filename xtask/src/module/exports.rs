use std::ops::Range;

use wasm_encoder::{ExportSection, Module, RawSection};
use wasmparser::{BinaryReaderError, ExternalKind, Parser, Payload};

use super::tables::ExportRow;
use crate::error::Error;

/// What a module offers and what it wants.
pub(super) struct Interface {
    pub(super) exports: Vec<Export>,
    /// `NAME` of the host's functions (module `env`), `MODULE.NAME` of all others.
    pub(super) imports: Vec<String>,
}

pub(super) struct Export {
    pub(super) name: String,
    kind: ExternalKind,
    pub(super) index: u32,
}

/// Reads the sections of imports and exports.
pub(super) fn read(module: &[u8]) -> Result<Interface, Error> {
    let mut interface = Interface { exports: Vec::new(), imports: Vec::new() };
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(malformed)? {
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(malformed)?;
                    let (kind, index) = (export.kind, export.index);
                    interface.exports.push(Export { name: export.name.to_owned(), kind, index });
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.map_err(malformed)?;
                    interface.imports.push(match import.module {
                        "env" => import.name.to_owned(),
                        module => format!("{module}.{}", import.name),
                    });
                }
            }
            _ => {}
        }
    }
    Ok(interface)
}

/// Copies the module, but for its exports, which become the rows' in their order, and for leftovers of debugging.
pub(super) fn rewrite(linked: &[u8], rows: &[ExportRow]) -> Result<Vec<u8>, Error> {
    let exports = chosen(&read(linked)?.exports, rows)?;
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(linked) {
        let payload = payload.map_err(malformed)?;
        match &payload {
            Payload::ExportSection(_) => {
                module.section(&exports);
            }
            Payload::CustomSection(section) if is_leftover(section.name()) => {}
            _ => {
                if let Some((id, range)) = payload.as_section() {
                    module.section(&RawSection { id, data: bytes(linked, range)? });
                }
            }
        }
    }
    Ok(module.finish())
}

fn chosen(found: &[Export], rows: &[ExportRow]) -> Result<ExportSection, Error> {
    let mut section = ExportSection::new();
    let mut missing = Vec::new();
    for row in rows {
        match found.iter().find(|export| export.name == row.from) {
            Some(export) => {
                section.export(&row.export, export.kind.into_encoder(), export.index);
            }
            None if row.from == row.export => missing.push(row.export.clone()),
            None => missing.push(format!("{} (from {})", row.export, row.from)),
        }
    }
    if missing.is_empty() {
        return Ok(section);
    }
    Err(Error::unusable(
        format!("the linked module lacks what bearward.wasm must export: {}", missing.join(", ")),
        "without it Envoy would pass over the filter or fail in it: bring it back in filter/wasm",
    ))
}

fn bytes(module: &[u8], range: Range<u64>) -> Result<&[u8], Error> {
    let range = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
    range.and_then(|(start, end)| module.get(start..end)).ok_or_else(|| {
        Error::unusable("a section of the module ends outside of it", "build it again: `cargo xtask build`")
    })
}

fn is_leftover(name: &str) -> bool {
    name.starts_with(".debug") || name.starts_with("reloc.") || name == "linking"
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn malformed(error: BinaryReaderError) -> Error {
    Error::unusable(format!("this is no WebAssembly module ({error})"), "build it again: `cargo xtask build`")
}

trait IntoEncoder {
    fn into_encoder(self) -> wasm_encoder::ExportKind;
}

impl IntoEncoder for ExternalKind {
    fn into_encoder(self) -> wasm_encoder::ExportKind {
        match self {
            ExternalKind::Func | ExternalKind::FuncExact => wasm_encoder::ExportKind::Func,
            ExternalKind::Table => wasm_encoder::ExportKind::Table,
            ExternalKind::Memory => wasm_encoder::ExportKind::Memory,
            ExternalKind::Global => wasm_encoder::ExportKind::Global,
            ExternalKind::Tag => wasm_encoder::ExportKind::Tag,
        }
    }
}
