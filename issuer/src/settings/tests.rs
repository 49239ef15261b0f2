//! Settings as an operator gives them.

use super::signing::KeySettings;
use super::*;

const URL: &str = "postgres://bearward:s3cret@db.example.com/bearward";

fn sources(environment: &[(&str, &str)], file: &str) -> Sources {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).into()));
    Sources::new(environment, Ok(file))
}

fn problems<T>(
    compile: impl FnOnce(&mut Reader<'_>) -> Option<T>,
    environment: &[(&str, &str)],
    file: &str,
) -> String {
    match read(&sources(environment, file), compile) {
        Ok(_) => panic!("no problem was found"),
        Err(problems) => problems.to_string(),
    }
}

fn all(reader: &mut Reader<'_>) -> Option<(ServeSettings, LogSettings)> {
    let (serve, log) = (ServeSettings::read(reader), LogSettings::read(reader));
    Some((serve?, log?))
}

#[test]
fn without_anything_set_only_the_database_is_missing() {
    let text = problems(all, &[], "");
    assert!(
        text.contains("DATABASE_URL is not set; set DATABASE_URL or DATABASE_URL_FILE to postgres://"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 3, "{text}");
    let (serve, log) = read(&sources(&[("DATABASE_URL", URL)], ""), all).unwrap();
    let ServeSettings { database, listeners, tokens, signing, sessions, passwords, hashing, .. } = serve;
    assert_eq!((&serve.password_links.url, serve.password_links.seconds), (&None, 86_400));
    let ServeSettings { login_deadline, hash_share_percent, throttle, trusted_proxies, .. } = serve;
    let SigningSettings::EdDsa(keys) = signing else { panic!("secrets") };
    assert_eq!((database.connections, database.wait), (10, Duration::from_secs(30)));
    assert_eq!(listeners.public.to_string(), "127.0.0.1:8081");
    assert_eq!(listeners.internal.to_string(), "127.0.0.1:8091");
    assert_eq!(listeners.address_file, None);
    assert_eq!((tokens.iss.as_str(), tokens.access_token_seconds), ("http://issuer.bearward.local", 900));
    assert_eq!(tokens.audiences, ["restaurant"]);
    assert_eq!((tokens.public_url.as_str(), tokens.max_age_seconds), ("http://issuer.bearward.local", 300));
    assert_eq!((keys.encryption.len(), keys.rhythm.max_age_seconds), (0, 300));
    assert_eq!(keys.rhythm.rotate_after_seconds, Some(90 * 86_400));
    assert_eq!((sessions.seconds, sessions.idle_seconds), (30 * 86_400, 14 * 86_400));
    assert_eq!((passwords.min_length, hashing.queue), (8, 32));
    assert!(hashing.permits >= 1);
    assert_eq!(serve.audit_days, 90);
    assert_eq!((login_deadline, hash_share_percent), (None, 50));
    let shown = |limit: Option<Limit>| limit.map(|limit| (limit.attempts.get(), limit.seconds.get()));
    assert_eq!([throttle.login, throttle.login_account].map(shown), [Some((10, 900)), Some((30, 900))]);
    assert_eq!([throttle.login_address, throttle.signup].map(shown), [Some((300, 900)), Some((60, 3600))]);
    assert_eq!(shown(throttle.refresh), Some((60, 900)));
    assert!(trusted_proxies.is_empty(), "nobody is believed who was not named");
    assert_eq!((log.filter.as_str(), log.json), ("info", None));
}

#[test]
fn all_problems_are_reported_at_once_each_with_its_setting() {
    let environment = [
        ("DATABASE_URL", "mysql://nope:hunter2@host"),
        ("BEARWARD_LISTEN", "8081"),
        ("BEARWARD_ISSUER", "https://login.example.com/?a=b"),
        ("BEARWARD_AUDIENCE", "a,,b"),
        ("BEARWARD_ACCESS_TOKEN_SECONDS", "59"),
        ("BEARWARD_SESSION_SECONDS", "31536001"),
        ("BEARWARD_SESSION_IDLE_SECONDS", "0"),
        ("BEARWARD_PASSWORD_MIN_LENGTH", "7"),
        ("BEARWARD_HASH_PERMITS", "0"),
        ("BEARWARD_HASH_QUEUE", "many"),
        ("BEARWARD_LOGIN_DEADLINE_MS", "4001"),
        ("BEARWARD_AUDIT_DAYS", "0"),
        ("BEARWARD_PASSWORD_LINK_URL", "https://app.example.com/#x"),
        ("BEARWARD_PASSWORD_LINK_SECONDS", "604801"),
        ("BEARWARD_HASH_SHARE_PERCENT", "101"),
        ("BEARWARD_TRUSTED_PROXIES", "10.0.0.0/8,envoy"),
        ("BEARWARD_LOGIN_LIMIT", "ten/900"),
        ("BEARWARD_LOGIN_ACCOUNT_LIMIT", "0/900"),
        ("BEARWARD_LOGIN_ADDRESS_LIMIT", "10"),
        ("BEARWARD_SIGNUP_LIMIT", "10/0"),
        ("BEARWARD_REFRESH_LIMIT", "never"),
        ("BEARWARD_LOG_FORMAT", "xml"),
    ];
    let text = problems(all, &environment, "listne = 'x'");
    for (name, _) in environment {
        assert!(text.contains(&format!("\n  {name} ")), "{name} is missing in {text}");
    }
    assert!(text.contains("\n  listne in the configuration file is no setting"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn the_environment_wins_over_the_file_and_an_empty_variable_counts_as_not_set() {
    let file = "database_url = 'postgres://a@file/x'\naccess_token_seconds = 60\naudience = ['one', 'two']";
    let environment = [("BEARWARD_ACCESS_TOKEN_SECONDS", "120"), ("BEARWARD_AUDIENCE", "")];
    let ServeSettings { database, tokens, .. } =
        read(&sources(&environment, file), ServeSettings::read).unwrap();
    assert_eq!(database.options.get_host(), "file");
    assert_eq!(tokens.access_token_seconds, 120);
    assert_eq!(tokens.audiences, ["one", "two"]);
}

#[test]
fn a_secret_may_stand_in_a_file_of_its_own() {
    let path = std::env::temp_dir().join(format!("bearward-secret-{:016x}", crate::random::u64()));
    std::fs::write(&path, format!("{URL}\n")).unwrap();
    let path_text = path.to_str().unwrap();
    let read_from =
        |environment: &[(&str, &str)], file: &str| read(&sources(environment, file), DatabaseSettings::read);
    assert_eq!(
        read_from(&[("DATABASE_URL_FILE", path_text)], "").unwrap().options.get_host(),
        "db.example.com"
    );
    let in_file = format!("database_url_file = '{path_text}'");
    assert_eq!(read_from(&[], &in_file).unwrap().options.get_host(), "db.example.com");
    let both =
        problems(DatabaseSettings::read, &[("DATABASE_URL", URL), ("DATABASE_URL_FILE", path_text)], "");
    assert!(both.contains("DATABASE_URL is set together with DATABASE_URL_FILE"), "{both}");
    std::fs::write(&path, "\n").unwrap();
    assert!(problems(DatabaseSettings::read, &[("DATABASE_URL_FILE", path_text)], "").contains("is empty"));
    std::fs::remove_file(&path).unwrap();
    assert!(
        problems(DatabaseSettings::read, &[("DATABASE_URL_FILE", path_text)], "")
            .contains("DATABASE_URL_FILE")
    );
}

#[test]
fn an_unknown_parameter_of_the_database_is_refused_by_name_and_its_value_is_not_shown() {
    let read_url = |url: &str| read(&sources(&[("DATABASE_URL", url)], ""), DatabaseSettings::read);
    for known in
        ["?sslmode=verify-full&sslrootcert=/ca.pem", "?host=/run/postgresql", "?options[role]=x", "?"]
    {
        assert!(read_url(&format!("{URL}{known}")).is_ok(), "{known}");
    }
    for (wrong, named) in [
        ("?sslmod=hunter2", "unknown parameter `sslmod`"),
        ("?sslmode=require&SSLMODE=hunter2", "unknown parameter `SSLMODE`"),
        ("?%73slmode=hunter2", "unknown parameter after"),
        ("?sslmode=hunter2", "is not a PostgreSQL URL"),
        ("#?sslmode=verify-full&hunter2", "is not a PostgreSQL URL"),
        ("?hunter2@host/x", "is not a PostgreSQL URL"),
    ] {
        let text = problems(DatabaseSettings::read, &[("DATABASE_URL", &format!("{URL}{wrong}"))], "");
        assert!(text.contains(named), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("s3cret"), "{text}");
    }
}

#[test]
fn a_value_of_the_wrong_shape_in_the_file_is_refused() {
    let text = problems(
        ServeSettings::read,
        &[],
        "access_token_seconds = '900'\nissuer = 5\naudience = [1]\naddress_file = true",
    );
    assert!(text.contains("access_token_seconds in the configuration file must be an integer"), "{text}");
    assert!(text.contains("issuer in the configuration file must be a string"), "{text}");
    assert!(text.contains("audience in the configuration file must be an array of strings"), "{text}");
    assert!(text.contains("address_file in the configuration file must be a string"), "{text}");
}

#[test]
fn a_broken_file_is_one_problem_and_its_content_is_not_shown() {
    let text = problems(DatabaseSettings::read, &[], "database_url = 'postgres://u:hunter2@h/d");
    assert!(text.contains("BEARWARD_CONFIG not TOML"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("is not set"), "{text}");
}

#[test]
fn both_listeners_on_one_address_are_refused_unless_the_port_is_free_to_choose() {
    let pair = |address| [("BEARWARD_LISTEN", address), ("BEARWARD_INTERNAL_LISTEN", address)];
    assert!(
        problems(ListenerSettings::read, &pair("127.0.0.1:9000"), "").contains("BEARWARD_INTERNAL_LISTEN is")
    );
    assert!(read(&sources(&pair("127.0.0.1:0"), ""), ListenerSettings::read).is_ok());
}

#[test]
fn the_issuer_is_a_url_without_user_query_and_fragment() {
    for issuer in ["https://login.example.com", "http://issuer.bearward.local", "https://a.example/realms/x"]
    {
        assert!(read(&sources(&[("BEARWARD_ISSUER", issuer)], ""), TokenSettings::read).is_ok(), "{issuer}");
    }
    for issuer in
        ["login.example.com", "ftp://a", "https://a/#f", "https://u@a/", "https://a b/", "http://", "/a"]
    {
        assert!(read(&sources(&[("BEARWARD_ISSUER", issuer)], ""), TokenSettings::read).is_err(), "{issuer}");
    }
}

#[test]
fn a_variable_that_is_no_setting_is_noticed() {
    let sources =
        sources(&[("BEARWARD_ACESS_TOKEN_SECONDS", "60"), ("BEARWARD_LISTEN", "x"), ("PATH", "/bin")], "");
    assert_eq!(sources.ignored_variables().collect::<Vec<_>>(), ["BEARWARD_ACESS_TOKEN_SECONDS"]);
}

#[test]
fn key_encryption_keys_are_read_from_their_files_and_a_missing_one_is_named() {
    let directory = std::env::temp_dir();
    let name = |name: &str| directory.join(format!("bearward-{name}-{:016x}", crate::random::u64()));
    let (one, two, short) = (name("one"), name("two"), name("short"));
    std::fs::write(&one, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").unwrap();
    std::fs::write(&two, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHiA").unwrap();
    std::fs::write(&short, "hunter2").unwrap();
    let paths = |paths: &[&PathBuf]| {
        paths.iter().map(|path| path.to_str().unwrap().to_owned()).collect::<Vec<_>>().join(", ")
    };
    let set = |value: &str| [("BEARWARD_KEY_ENCRYPTION_KEY_FILES".to_owned(), value.to_owned())];
    let compile = |value: &str| {
        let environment = set(value).map(|(name, value)| (name, value.into()));
        read(&Sources::new(environment.into_iter(), Ok("key_encryption = 'required'")), KeySettings::read)
    };
    let keys = compile(&paths(&[&one, &two])).unwrap();
    assert_eq!(keys.encryption.len(), 2);
    assert_ne!(keys.encryption.fingerprints()[0], keys.encryption.fingerprints()[1]);
    for (wrong, text) in [
        (paths(&[&one, &one]), "the same key"),
        (paths(&[&one, &short]), "openssl rand -base64 32"),
        (paths(&[&one, &name("none")]), "cannot be read"),
        (format!("{},", paths(&[&one])), "without empty places"),
    ] {
        let problems = compile(&wrong).unwrap_err().to_string();
        assert!(problems.contains(text), "{problems}");
        assert!(!problems.contains("hunter2") && !problems.contains("AAEC"), "{problems}");
    }
    let required = problems(KeySettings::read, &[("BEARWARD_KEY_ENCRYPTION", "required")], "");
    assert!(required.contains("BEARWARD_KEY_ENCRYPTION_KEY_FILES names no file"), "{required}");
    for path in [one, two, short] {
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn the_feed_is_off_until_a_file_with_a_strong_credential_is_named() {
    let directory = std::env::temp_dir();
    let file = |text: &str| {
        let path = directory.join(format!("bearward-feed-{:016x}", crate::random::u64()));
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (one, two) = ("t9Wc2LrX7qVb4NzKf8YhJm3PdGs6RuEa\n", "Qw7eR2tY6uI1oP5aS9dF3gH8jK4lZ0xC");
    let (one, two, weak) = (file(one), file(two), file("hunter2"));
    let feed = |more: &[(&str, &str)]| {
        let environment = [&[("DATABASE_URL", URL)], more].concat();
        read(&sources(&environment, ""), ServeSettings::read).map(|settings| settings.feed)
    };
    const FILES: &str = "BEARWARD_FEED_CREDENTIAL_FILES";
    assert!(feed(&[]).unwrap().is_none());
    assert_eq!(feed(&[(FILES, &one)]).unwrap().unwrap().polls, 10_000);
    let both = format!("{one},{two}");
    assert_eq!(feed(&[(FILES, &both), ("BEARWARD_FEED_POLLS", "7")]).unwrap().unwrap().polls, 7);
    for (wrong, why) in [
        (weak.clone(), "shorter than 32"),
        (format!("{one},{one}"), "the same credential"),
        (format!("{one}x"), "cannot be read"),
    ] {
        let Err(problems) = feed(&[(FILES, &wrong)]) else { panic!("{wrong}") };
        let said = problems.to_string();
        assert!(said.contains(why) && !said.contains("hunter2") && !said.contains("t9Wc2"), "{said}");
    }
    // With secrets for tokens the keys of the feed are encrypted all the same, and it may be demanded.
    let secret = file("0Zq8vX1mK7pR3tYw9uC5eH2jN6bL4sGd");
    let named = format!("a={secret}");
    let with_secrets =
        [("BEARWARD_HS256_SECRET_FILES", named.as_str()), ("BEARWARD_KEY_ENCRYPTION", "required")];
    assert!(feed(&with_secrets).is_ok());
    assert!(feed(&[&with_secrets[..], &[(FILES, &one)]].concat()).is_err());
    let kek = file("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let sealed = [&with_secrets[..], &[("BEARWARD_KEY_ENCRYPTION_KEY_FILES", kek.as_str())]].concat();
    assert!(feed(&sealed).is_err(), "nothing to encrypt");
    assert!(feed(&[&sealed[..], &[(FILES, &one)]].concat()).unwrap().is_some());
    for path in [one, two, weak, secret, kek] {
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn trusted_proxies_are_named_exactly_and_are_never_everybody() {
    let trusted = |text: &str| {
        let environment = [("DATABASE_URL", URL), ("BEARWARD_TRUSTED_PROXIES", text)];
        read(&sources(&environment, ""), ServeSettings::read).map(|settings| settings.trusted_proxies)
    };
    let blocks = trusted("10.0.0.0/8, 192.0.2.7,::1,2001:db8::/32").unwrap();
    let shown: Vec<String> = blocks.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["10.0.0.0/8", "192.0.2.7/32", "::1/128", "2001:db8::/32"]);
    for (wrong, why) in [
        ("envoy", "comma separated list of addresses and CIDR blocks"),
        ("10.0.0.0/33", "comma separated list"),
        ("10.0.0.0/8,", "comma separated list"),
        ("10.0.0.1/8", "did you mean 10.0.0.0/8?"),
        ("0.0.0.0/0", "which is everybody"),
        ("::/0", "which is everybody"),
        ("::ffff:10.0.0.0/104", "in the form of IPv6"),
        (&vec!["192.0.2.7"; 65].join(","), "at most 64"),
    ] {
        let text = trusted(wrong).unwrap_err().to_string();
        assert!(text.contains(why), "{text}");
    }
}

#[test]
fn every_limit_can_be_switched_off() {
    let names =
        ["LOGIN_LIMIT", "LOGIN_ACCOUNT_LIMIT", "LOGIN_ADDRESS_LIMIT", "SIGNUP_LIMIT", "REFRESH_LIMIT"];
    let names = names.map(|name| format!("BEARWARD_{name}"));
    let off = names.iter().map(|name| (name.as_str(), "off")).chain([("DATABASE_URL", URL)]);
    let throttle = read(&sources(&off.collect::<Vec<_>>(), ""), ServeSettings::read).unwrap().throttle;
    let all =
        [throttle.login, throttle.login_account, throttle.login_address, throttle.signup, throttle.refresh];
    assert_eq!(all, [None; 5]);
}
