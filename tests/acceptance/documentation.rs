use bearward_core::Policy;
use serde_json::Value;
use xtask::workspace;

#[test]
fn every_policy_in_the_documentation_compiles() {
    let text = std::fs::read_to_string(workspace::root().join("docs/policy.md")).unwrap();
    let blocks: Vec<_> =
        text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 6, "{} examples", blocks.len());
    for block in blocks {
        let policy: Value = serde_saphyr::from_str(block).unwrap_or_else(|error| panic!("{error}\n{block}"));
        let compiled = Policy::parse(policy.to_string().as_bytes(), &|_| None);
        assert!(compiled.is_ok(), "{}\n{block}", compiled.unwrap_err());
    }
}
