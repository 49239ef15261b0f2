use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{Site, Tell, Workers, life};
use crate::harness::database::run;

/// Records that are written at a time.
const BLOCK: usize = 250;

/// The samples of lives that are led while so many records are written, of sessions of nobody, as fast as the database takes them.
///
/// # Panics
/// If the database refuses.
pub fn growth(site: &Site, records: usize, tell: Tell<'_>) {
    let is_over = AtomicBool::new(false);
    let mut workers = Workers::connect(site);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..records.div_ceil(BLOCK) {
                run(&site.database_url(), &block()).expect("records");
            }
            is_over.store(true, Ordering::SeqCst);
        });
        while !is_over.load(Ordering::SeqCst) {
            life(site, &mut workers, tell);
        }
    });
}

/// As the issuer writes them; the digests are made by the database.
fn block() -> String {
    format!(
        "WITH head AS (UPDATE revocation_head SET sequence = sequence + {BLOCK} RETURNING sequence - {BLOCK} AS before)
         INSERT INTO revocations (sequence, kind, name, ends_at)
         SELECT before + number, 'session', gen_random_uuid(), floor(extract(epoch FROM now()))::bigint + 3600
         FROM head, generate_series(1, {BLOCK}) AS number ORDER BY number;
         NOTIFY bearward_revocations"
    )
}
