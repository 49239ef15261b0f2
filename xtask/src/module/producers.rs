use wasmparser::{KnownCustom, Parser, Payload};

/// The version that a tool left in the `processed-by` field of the `producers` section.
pub(super) fn version(module: &[u8], tool: &str) -> Option<String> {
    for payload in Parser::new(0).parse_all(module) {
        let Ok(Payload::CustomSection(section)) = payload else { continue };
        let KnownCustom::Producers(fields) = section.as_known() else { continue };
        for field in fields.into_iter().flatten().filter(|field| field.name == "processed-by") {
            let found = field.values.into_iter().flatten().find(|value| value.name == tool);
            if let Some(value) = found {
                return Some(value.version.to_owned());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{Module, ProducersField, ProducersSection};

    use super::*;

    #[test]
    fn the_version_is_that_of_the_tool_that_is_asked_for() {
        let mut field = ProducersField::new();
        field.value("rustc", "1.95.0 (abc)").value("clang", "21");
        let mut section = ProducersSection::new();
        section.field("processed-by", &field);
        let mut module = Module::new();
        module.section(&section);
        let module = module.finish();
        assert_eq!(version(&module, "rustc").as_deref(), Some("1.95.0 (abc)"));
        assert_eq!(version(&module, "ld"), None);
        assert_eq!(version(b"no module", "rustc"), None);
    }
}
