use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use serde_json::Value;
use xtask::directory::TemporaryDirectory;
use xtask::envoy::ENVOY_VERSION;
use xtask::workspace;

fn text(path: &str) -> String {
    fs::read_to_string(workspace::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn compose() -> Value {
    serde_saphyr::from_str(&text("docker-compose.yml")).unwrap()
}

/// Every string and every member name of a document, with its place.
fn strings<'v>(value: &'v Value, place: &str, found: &mut Vec<(String, &'v str)>) {
    match value {
        Value::String(text) => found.push((place.to_owned(), text)),
        Value::Array(items) => items.iter().for_each(|item| strings(item, place, found)),
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| strings(value, &format!("{place}/{name}"), found));
        }
        _ => {}
    }
}

#[test]
fn the_compose_file_is_what_the_compose_specification_allows() {
    let schema = serde_json::from_str(&text("tests/compose/compose-spec.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<_> = validator
        .iter_errors(&compose())
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_schema_notices_a_misspelled_field() {
    let schema = serde_json::from_str(&text("tests/compose/compose-spec.json")).unwrap();
    let mut document = compose();
    let issuer = document["services"]["issuer"].as_object_mut().unwrap();
    let dependencies = issuer.remove("depends_on").unwrap();
    issuer.insert("depend_on".to_owned(), dependencies);
    assert!(!jsonschema::validator_for(&schema).unwrap().is_valid(&document));
}

#[test]
fn only_the_port_of_envoy_is_published() {
    let document = compose();
    for (name, service) in document["services"].as_object().unwrap() {
        let ports = service["ports"].as_array().map_or(0, Vec::len);
        assert_eq!(ports, usize::from(name == "envoy"), "{name}");
        assert_ne!(service["network_mode"], "host", "{name}");
    }
}

#[test]
fn every_service_is_watched_and_starts_after_what_it_needs() {
    let document = compose();
    let services = document["services"].as_object().unwrap();
    for name in ["postgres", "issuer", "restaurant", "envoy"] {
        assert!(services[name]["healthcheck"]["test"].is_array(), "{name} has no healthcheck");
    }
    let waits =
        |name: &str, other: &str| services[name]["depends_on"][other]["condition"] == "service_healthy";
    assert!(waits("issuer", "postgres") && waits("envoy", "issuer") && waits("envoy", "restaurant"));
}

#[test]
fn the_issuer_believes_the_address_of_envoy_alone() {
    let document = compose();
    let (services, network) = (&document["services"], &document["networks"]["identity"]);
    let address = |name: &str| {
        let address = services[name]["networks"]["identity"]["ipv4_address"].as_str();
        address.unwrap_or_else(|| panic!("{name} has no fixed address")).parse::<Ipv4Addr>().unwrap()
    };
    let (envoy, issuer) = (address("envoy"), address("issuer"));
    assert_eq!(services["issuer"]["environment"]["BEARWARD_TRUSTED_PROXIES"], envoy.to_string());
    let (first, bits) = network["ipam"]["config"][0]["subnet"].as_str().unwrap().split_once('/').unwrap();
    let first: Ipv4Addr = first.parse().unwrap();
    let last = first.to_bits() + (1 << (32 - bits.parse::<u32>().unwrap())) - 1;
    // The first is the network's, the one after it its gateway's, the last the broadcast's.
    for address in [envoy, issuer] {
        assert!((first.to_bits() + 2..last).contains(&address.to_bits()), "{address}");
    }
    assert_ne!(envoy, issuer);
    for (name, service) in services.as_object().unwrap() {
        let others = service["networks"].as_array().is_some_and(|all| all.contains(&"identity".into()));
        assert!(!others, "{name} could be given the address of Envoy");
    }
}

#[test]
fn no_secret_stands_in_the_compose_file() {
    let document = compose();
    let mut found = Vec::new();
    strings(&document, "", &mut found);
    for (place, value) in found {
        let name = place.rsplit('/').next().unwrap_or_default().to_ascii_uppercase();
        let is_secret =
            ["PASSWORD", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE"].iter().any(|word| name.contains(word));
        let is_file = name.ends_with("_FILE") || name.ends_with("_FILES");
        assert!(!is_secret || is_file, "{place} holds its secret itself");
        // A URL with a password in it; `%s` stands for one that is made at the first start.
        let password = value.split_once("://").and_then(|(_, rest)| rest.split_once('@')?.0.split_once(':'));
        assert!(password.is_none_or(|(_, password)| password == "%s"), "{place} holds a password in a URL");
    }
}

/// The script itself, in another folder and as nobody in particular.
#[test]
fn the_secrets_are_made_once_and_what_was_left_half_done_is_made_again() {
    let directory = TemporaryDirectory::new(&std::env::temp_dir(), "bearward-test").unwrap();
    let at = |name: &str| directory.path().join(name);
    let document = compose();
    let script = document["services"]["credentials"]["command"][0].as_str().unwrap().replace("$$", "$");
    let script = script.replace("cd /credentials", &format!("cd '{}'", directory.path().display()));
    let run = || {
        let script = format!("chown() {{ :; }}\n{script}");
        assert!(Command::new("/bin/sh").args(["-euc", &script]).status().unwrap().success());
        ["postgres_password", "database_url", "feed_credential", "feed_token"]
            .map(|name| fs::read_to_string(at(name)).unwrap_or_else(|error| panic!("{name}: {error}")))
    };
    let first = run();
    let [password, url, credential, token] = &first;
    assert_eq!(*url, format!("postgres://bearward:{password}@postgres:5432/bearward"));
    assert_eq!(credential, token);
    assert!(password.len() == 64 && credential.len() == 64 && password != credential);
    assert_eq!(run(), first);
    fs::remove_file(at("feed_token")).unwrap();
    let again = run();
    assert_eq!((&again[..2], &again[2]), (&first[..2], &again[3]));
    assert_ne!(again[2], first[2]);
}

/// The issuer's answers to the one, the other's questions: both read a file of their own, with the same in it.
#[test]
fn the_filter_asks_with_what_the_issuer_was_given() {
    let services = &compose()["services"];
    assert_eq!(
        services["issuer"]["environment"]["BEARWARD_FEED_CREDENTIAL_FILES"],
        "/credentials/feed_credential"
    );
    let start = services["envoy"]["command"][0].as_str().unwrap();
    assert!(start.contains("BEARWARD_FEED_TOKEN=$$(cat /credentials/feed_token)"), "{start}");
    assert!(text("envoy.yaml").contains("host_env_keys: [BEARWARD_FEED_TOKEN]"));
    for name in ["issuer", "envoy"] {
        assert_eq!(services[name]["volumes"][0], "credentials:/credentials:ro", "{name}");
    }
}

#[test]
fn the_containers_run_the_envoy_that_the_tests_run() {
    let files = text("deploy/docker/Dockerfile") + &text("docker-compose.yml");
    let images: Vec<_> = files.lines().filter(|line| line.contains("envoyproxy/envoy")).collect();
    assert!(!images.is_empty(), "no image of Envoy");
    for image in images {
        assert!(image.contains(&format!("envoyproxy/envoy:v{ENVOY_VERSION}")), "{image}");
    }
}
