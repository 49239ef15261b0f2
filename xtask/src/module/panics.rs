//! The places at which a module can panic: the compiler leaves a record of each, and code that points to it.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{BinaryReaderError, DataKind, ElementItems, ExternalKind, Operator, Parser, Payload};

use crate::error::Error;

/// A place that a panic would name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// As the module names it: of this repository by its path in it, of a dependency under `/dependencies/`, of the
    /// standard library under `/rustc/`.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// Whether code can come there at all.
    pub reach: Reach,
}

/// How code comes to a place, by the calls that stand in the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Nothing that the module exports leads there, whatever stands in its table.
    Nothing,
    /// Only functions that stand in the table, such as methods of a trait object.
    Table,
    /// Calls from an export.
    Calls,
}

/// The longest file name that is believed to be one.
const MAX_FILE_NAME: u32 = 300;
/// A record: where the file's name is and how long, line, column; 32 bits each.
const RECORD: usize = 16;

/// Every place, sorted. Records that no code points to directly count as reached through the table.
pub fn places(module: &[u8]) -> Result<Vec<Place>, Error> {
    let read = Contents::read(module).map_err(|error| {
        Error::unusable(
            format!("this is no WebAssembly module ({error})"),
            "build it again: `cargo xtask build`",
        )
    })?;
    let direct = read.reached(read.exported.clone());
    let indirect = read.reached(read.exported.union(&read.table).copied().collect());
    let mut places = BTreeMap::new();
    for (address, place) in read.records() {
        let pointing =
            || read.functions.iter().filter(move |(_, function)| function.constants.contains(&address));
        let reach = if pointing().any(|(index, _)| direct.contains(index)) {
            Reach::Calls
        } else if pointing().next().is_none() || pointing().any(|(index, _)| indirect.contains(index)) {
            Reach::Table
        } else {
            Reach::Nothing
        };
        let found = places.entry(place).or_insert(reach);
        *found = reach.max(*found);
    }
    let place = |((file, line, column), reach)| Place { file, line, column, reach };
    Ok(places.into_iter().map(place).collect())
}

/// What of a module says where it panics.
#[derive(Default)]
struct Contents<'m> {
    exported: BTreeSet<u32>,
    table: BTreeSet<u32>,
    functions: BTreeMap<u32, Function>,
    /// Initialized memory: where it begins, and its bytes.
    memory: Vec<(u32, &'m [u8])>,
}

#[derive(Default)]
struct Function {
    calls: BTreeSet<u32>,
    constants: BTreeSet<u32>,
}

impl<'m> Contents<'m> {
    fn read(module: &'m [u8]) -> Result<Self, BinaryReaderError> {
        let mut contents = Self::default();
        let mut next_function = 0;
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        next_function += u32::from(matches!(import?.ty, wasmparser::TypeRef::Func(_)));
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.kind == ExternalKind::Func {
                            contents.exported.insert(export.index);
                        }
                    }
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        if let ElementItems::Functions(functions) = element?.items {
                            for function in functions {
                                contents.table.insert(function?);
                            }
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let mut function = Function::default();
                    for operator in body.get_operators_reader()? {
                        match operator? {
                            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                                function.calls.insert(function_index);
                            }
                            Operator::I32Const { value } => {
                                function.constants.insert(value.cast_unsigned());
                            }
                            _ => {}
                        }
                    }
                    contents.functions.insert(next_function, function);
                    next_function += 1;
                }
                Payload::DataSection(section) => {
                    for segment in section {
                        let segment = segment?;
                        if let DataKind::Active { offset_expr, .. } = &segment.kind
                            && let Operator::I32Const { value } = offset_expr.get_operators_reader().read()?
                        {
                            contents.memory.push((value.cast_unsigned(), segment.data));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(contents)
    }

    /// The functions that these and the functions that they call lead to.
    fn reached(&self, mut left: BTreeSet<u32>) -> BTreeSet<u32> {
        let mut reached = BTreeSet::new();
        while let Some(index) = left.pop_first() {
            if reached.insert(index)
                && let Some(function) = self.functions.get(&index)
            {
                left.extend(function.calls.difference(&reached));
            }
        }
        reached
    }

    /// The records in memory, each with its address.
    fn records(&self) -> impl Iterator<Item = (u32, (String, u32, u32))> + '_ {
        let starts = self.memory.iter().flat_map(|(begin, bytes)| {
            let windows = bytes.windows(RECORD).enumerate();
            windows.filter_map(|(at, record)| Some((begin.checked_add(u32::try_from(at).ok()?)?, record)))
        });
        starts.filter(|(address, _)| address % 4 == 0).filter_map(|(address, record)| {
            let (file, rest) = record.split_first_chunk::<4>()?;
            let (size, rest) = rest.split_first_chunk::<4>()?;
            let (line, column) = rest.split_first_chunk::<4>()?;
            let column = column.first_chunk::<4>()?;
            let [file, size, line, column] =
                [file, size, line, column].map(|bytes| u32::from_le_bytes(*bytes));
            let name = self.text(file, size).filter(|name| name.ends_with(".rs"))?;
            (line > 0 && column > 0).then(|| (address, (name.to_owned(), line, column)))
        })
    }

    fn text(&self, address: u32, size: u32) -> Option<&'m str> {
        if size > MAX_FILE_NAME {
            return None;
        }
        self.memory.iter().find_map(|(begin, bytes)| {
            let start = usize::try_from(address.checked_sub(*begin)?).ok()?;
            let end = start.checked_add(usize::try_from(size).ok()?)?;
            std::str::from_utf8(bytes.get(start..end)?).ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        CodeSection, ConstExpr, DataSection, ElementSection, Elements, ExportKind, ExportSection, Function,
        FunctionSection, MemorySection, MemoryType, Module, TableSection, TableType, TypeSection,
    };

    use super::*;

    const NAME: &str = "src/here.rs";
    const RECORDS: i32 = 1024;

    /// Functions 0 to 3: the exported one calls the next; the third stands in the table; nobody knows the last. Each
    /// points to the record of its own line, but for the first, which points to none.
    fn module() -> Vec<u8> {
        let mut data = Vec::new();
        for line in 1..=3_u32 {
            for number in [2048, u32::try_from(NAME.len()).unwrap(), line, 7] {
                data.extend_from_slice(&number.to_le_bytes());
            }
        }
        let record = |line: i32| {
            let mut function = Function::new([]);
            function.instructions().i32_const(RECORDS + 16 * (line - 1)).drop().end();
            function
        };
        let mut first = Function::new([]);
        first.instructions().call(1).end();
        let (mut types, mut functions, mut code) =
            (TypeSection::new(), FunctionSection::new(), CodeSection::new());
        types.ty().function([], []);
        for function in [first, record(1), record(2), record(3)] {
            functions.function(0);
            code.function(&function);
        }
        let mut tables = TableSection::new();
        let element_type = wasm_encoder::RefType::FUNCREF;
        tables.table(TableType { element_type, minimum: 1, maximum: None, table64: false, shared: false });
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut exports = ExportSection::new();
        exports.export("proxy_on_request_headers", ExportKind::Func, 0);
        let mut elements = ElementSection::new();
        elements.active(None, &ConstExpr::i32_const(0), Elements::Functions((&[2_u32][..]).into()));
        let mut segments = DataSection::new();
        segments.active(0, &ConstExpr::i32_const(RECORDS), data);
        segments.active(0, &ConstExpr::i32_const(2048), NAME.bytes());
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&tables).section(&memories).section(&exports);
        module.section(&elements).section(&code).section(&segments);
        module.finish()
    }

    #[test]
    fn every_place_is_found_with_how_code_comes_there() {
        let found = places(&module()).unwrap();
        let found: Vec<_> =
            found.iter().map(|place| (place.file.as_str(), place.line, place.reach)).collect();
        assert_eq!(found, [(NAME, 1, Reach::Calls), (NAME, 2, Reach::Table), (NAME, 3, Reach::Nothing)]);
    }

    #[test]
    fn something_else_than_a_module_is_refused() {
        assert!(places(b"not a module").is_err());
    }
}
