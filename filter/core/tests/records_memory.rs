//! What a hundred thousand records take, as the kernel counts it. Alone in its process, so that nothing else is counted.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test as a whole")]

use bearward_core::revocations::records::Name;
use bearward_core::revocations::{Record, Records};
use bearward_protocol::revocations::SubjectReason;

const COUNT: u64 = 100_000;
const MOST_BYTES: usize = 8 * 1024 * 1024;

#[test]
fn a_hundred_thousand_records_of_users_take_at_most_eight_mebibytes() {
    let before = resident_bytes();
    let mut records = Records::default();
    for index in 0..COUNT {
        let name = Name::Uuid(spread(index));
        let record =
            Record::Subject { name, minimum: index, epoch: 1, reason: SubjectReason::Changed, ends_at: 9 };
        records.merge(record, 1);
    }
    let taken = resident_bytes() - before;
    assert_eq!(records.len(), 100_000);
    assert!(taken <= MOST_BYTES, "{taken} bytes");
    assert!(taken >= MOST_BYTES / 4, "{taken} bytes: not measured");
    assert!(records.bytes() >= taken * 9 / 10, "estimated as {}, taken are {taken}", records.bytes());
}

/// A bijection of 64 bits (the finalizer of MurmurHash3), twice: what random UUIDs look like.
fn spread(index: u64) -> [u8; 16] {
    let mix = |mut x: u64| {
        for factor in [0xff51_afd7_ed55_8ccd_u64, 0xc4ce_b9fe_1a85_ec53] {
            x ^= x >> 33;
            x = x.wrapping_mul(factor);
        }
        x ^ (x >> 33)
    };
    let mut uuid = [0; 16];
    uuid[..8].copy_from_slice(&mix(index + 1).to_le_bytes());
    uuid[8..].copy_from_slice(&mix(index + 7).to_le_bytes());
    uuid
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}
