use super::*;
use crate::audit::{By, Kind};
use crate::store::testing::somebody;

fn text(register: impl FnOnce(&mut Registry)) -> String {
    let mut registry = Registry::default();
    register(&mut registry);
    let mut text = String::new();
    text::encode(&mut text, &registry).unwrap();
    text
}

#[test]
fn requests_are_counted_by_route_and_status_and_those_in_flight_by_number() {
    let metrics = Metrics::default();
    for _ in 0..3 {
        metrics.begin_request();
    }
    metrics.end_request("POST", "/api/auth/login", Some(200), Duration::from_millis(3));
    metrics.end_request("POST", "/api/auth/login", None, Duration::from_millis(3));
    let text = text(|registry| counted(registry, &metrics));
    let labels =
        r#"{http_request_method="POST",http_route="/api/auth/login",http_response_status_code="200"}"#;
    assert!(text.contains(&format!("http_server_request_duration_seconds_count{labels} 1\n")), "{text}");
    assert!(text.contains("http_server_active_requests 1\n"), "{text}");
    let bucket = |end: &str| format!(r#"le="{end}",http_request_method"#);
    let line = |end: &str| text.lines().find(|line| line.contains(&bucket(end))).unwrap().to_owned();
    assert!(line("0.0025").ends_with(" 0") && line("0.005").ends_with(" 1"), "{text}");
}

#[test]
fn events_are_counted_by_kind_outcome_and_cause() {
    let metrics = Metrics::default();
    let by: By<'_> = somebody();
    for event in [by.did(Kind::Login), by.was_refused(Kind::Login, "credentials"), by.did(Kind::Login)] {
        metrics.count(&event);
    }
    let text = text(|registry| counted(registry, &metrics));
    for line in [
        r#"bearward_issuer_events_total{event="login",outcome="success",cause="-"} 2"#,
        r#"bearward_issuer_events_total{event="login",outcome="refused",cause="credentials"} 1"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{text}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_tells_its_time_memory_and_files() {
    let text = text(process::register);
    for name in [
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_start_time_seconds",
    ] {
        let line =
            text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {text}"));
        let number: f64 = line.trim().parse().unwrap();
        assert!(number > 0.0 || name.starts_with("process_cpu"), "{text}");
    }
}
