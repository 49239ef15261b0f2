//! From the issuer's answer to the first refusal at each of two workers, before two replicas: twenty times for each cause.
//! `cargo xtask bench revocation` asks it more often, on a machine that does nothing else.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use bearward_tests::harness::is_longer_run;
use bearward_tests::note::note;
use bearward_tests::revocation_times::{Cause, Sample, Site, everybody, growth, lives};

const SAMPLES: usize = 20;
/// How many users live at the same time: more would wait for each other's hashes.
const BESIDE: usize = 3;
/// How soon a token that has ended is refused everywhere, at the latest.
const PROMISED: Duration = Duration::from_secs(1);

#[test]
fn every_cause_is_felt_within_a_second_twenty_times_and_no_other_token_is_hurt() {
    let site = Site::start();
    let samples = Samples::default();
    lives(&site, SAMPLES, BESIDE, &|sample| samples.add(sample));
    samples.check(&Cause::OF_ONE);
}

#[test]
fn a_key_and_everything_are_revoked_within_a_second_twenty_times_and_every_time_another_key_signs() {
    let site = Site::start();
    let samples = Samples::default();
    everybody(&site, SAMPLES, &|sample| samples.add(sample));
    samples.check(&Cause::OF_ALL);
}

#[test]
fn what_ends_is_felt_within_a_second_while_so_many_others_end_that_the_chain_is_renewed_time_and_again() {
    let records = if is_longer_run() { 100_000 } else { 10_000 };
    let site = Site::start();
    let times = Mutex::new(Vec::new());
    growth(&site, records, &|sample| times.lock().unwrap().push(sample.everywhere()));
    let mut times = times.into_inner().unwrap();
    times.sort();
    let (middle, last) = (times[times.len() / 2], times[times.len() - 1]);
    let count = times.len();
    note(&format!(
        "revocation: while {records} records are written: felt everywhere after {middle:.1?} (median of {count}), {last:.1?} at most"
    ));
    assert!(last <= PROMISED, "{times:?}");
}

#[derive(Default)]
struct Samples(Mutex<BTreeMap<Cause, Vec<Sample>>>);

impl Samples {
    fn add(&self, sample: Sample) {
        self.0.lock().unwrap().entry(sample.cause).or_default().push(sample);
    }

    fn check(&self, causes: &[Cause]) {
        let of_causes = self.0.lock().unwrap();
        assert_eq!(of_causes.len(), causes.len());
        let mut late = Vec::new();
        for cause in causes {
            let samples = &of_causes[cause];
            let mut times: Vec<Duration> = samples.iter().map(Sample::everywhere).collect();
            times.sort();
            assert_eq!(times.len(), SAMPLES, "{cause:?}");
            let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
            let same = samples.iter().filter(|sample| sample.is_same_second == Some(true)).count();
            let (middle, last) = (ms(times[SAMPLES / 2]), ms(times[SAMPLES - 1]));
            let key = cause.key();
            note(&format!(
                "revocation: {key}: felt everywhere after {middle:.1} ms (median of {SAMPLES}), {last:.1} ms at most; {same} logins in the same second"
            ));
            if times[SAMPLES - 1] > PROMISED {
                late.push((key, times));
            }
            let nobody_logs_in = samples.iter().all(|sample| sample.is_same_second.is_none());
            assert!(nobody_logs_in || same > 0, "{key}: no login was in the same second");
        }
        assert!(late.is_empty(), "{late:?}");
    }
}
