use bearward_tests::harness::Setup;
use bearward_tests::recorder::Recorder;

/// Starts Envoy with it, which must fail, and returns the log.
fn refused(setup: &Setup) -> String {
    let nobody = Recorder::start().address();
    match setup.start_envoy(nobody, nobody) {
        Ok(proxy) => panic!("Envoy started with a wrong configuration at {}", proxy.url()),
        Err(log) => log,
    }
}

fn names(log: &str, problem: &str) {
    let line = format!("bearward: policy refused: {problem}");
    let said: Vec<_> = log.lines().filter(|line| line.contains("bearward: ")).collect();
    assert!(log.contains(&line), "the log does not say `{line}` but:\n{}", said.join("\n"));
}

#[test]
fn envoy_does_not_start_with_a_misspelled_field_and_says_which() {
    let log = refused(
        &Setup::shipped().edit("paths: [/api/menu], access: public", "paths: [/api/menu], acess: public"),
    );
    names(&log, "policies[0].rules[1].acess: unknown field; did you mean `access`?");
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let log = refused(
        &Setup::shipped()
            .edit("version: 1\n", "version: 2\n")
            .edit("audiences: [restaurant]", "audience: [restaurant]")
            .edit("refresh_seconds: 300", "refresh_seconds: 1")
            .edit("paths: [/api/menu], access: public", "paths: [/api/menu], acess: public")
            .edit("any_role: [admin, rider]", "any_roles: [admin, rider]")
            .edit("x-user-id: { from: subject }", "x-user-id: { from: subjekt }"),
    );
    for problem in [
        "version: ",
        "issuers.bearward.audience: unknown field; did you mean `audiences`?",
        "issuers.bearward.audiences: is missing",
        "issuers.bearward.keys.remote.refresh_seconds: must be a whole number",
        "policies[0].rules[1].acess: unknown field; did you mean `access`?",
        "policies[0].rules[3].require.any_roles: unknown field; did you mean `any_role`?",
        "forward.headers.x-user-id.from: ",
    ] {
        names(&log, problem);
    }
}

#[test]
fn what_the_language_does_not_have_yet_is_unknown_and_never_ignored() {
    let log = refused(
        &Setup::shipped()
            .edit(
                "                            version: 1\n",
                "                            version: 1\n                            tenants: []\n",
            )
            .edit(
                "token_types: [at+jwt]\n",
                "token_types: [at+jwt]\n                                introspection: { cluster: issuer }\n",
            ),
    );
    names(&log, "tenants: unknown field");
    names(&log, "issuers.bearward.introspection: unknown field");
}

#[test]
fn a_secret_that_is_missing_or_weak_is_named_and_never_shown() {
    const WEAK: &str = "hunter2-hunter2";
    let with_secret = || {
        Setup::shipped()
            .edit("algorithms: [EdDSA]", "algorithms: [HS256]")
            .edit("                                  remote:\n                                    cluster: issuer\n                                    uri: http://issuer.bearward.local/.well-known/jwks.json\n                                    refresh_seconds: 300\n                                    timeout_ms: 2000\n", "                                  secrets_env: [BEARWARD_SECRET]\n")
    };
    let place = "issuers.bearward.keys.secrets_env[0]: ";
    names(&refused(&with_secret()), &format!("{place}the environment variable `BEARWARD_SECRET` is not set"));
    let log = refused(&with_secret().secret("BEARWARD_SECRET", WEAK));
    names(&log, &format!("{place}the secret in `BEARWARD_SECRET` is shorter than 32 bytes"));
    assert!(!log.contains(WEAK), "the secret is in the log");
}

#[test]
fn envoy_does_not_start_without_a_policy() {
    let log = refused(&Setup::shipped().policy(&serde_json::json!({})));
    names(&log, "there is none: write it into the plugin's `configuration`");
}
