//! `bearward-issuer hash calibrate`: what hashing costs on this machine.

use std::io::{Write, stdout};
use std::time::Duration;

use super::{Failure, runtime};
use crate::hashing::{Cost, Speed};
use crate::settings::{self, DatabaseSettings, Sources, table};
use crate::store::connect;

/// bcrypt costs that are shown whether somebody has them or not.
const USUAL_BCRYPT_COSTS: [u32; 2] = [10, 12];

/// No log is begun: standard output is the report's alone.
pub(super) fn calibrate(sources: &Sources) -> Result<(), Failure> {
    let database = settings::read(sources, DatabaseSettings::read)?;
    runtime()?.block_on(async {
        drop(connect::connection(&database).await.map_err(Failure::new)?);
        let stored = connect::pool(&database).hash_costs().await.map_err(Failure::new)?;
        let speed = Speed::measure().map_err(Failure::new)?;
        // Who does not read it has been told nothing, and nothing was changed.
        let _ = write!(stdout(), "{}", report(&speed, &stored));
        Ok(())
    })
}

fn report(speed: &Speed, stored: &[Cost]) -> String {
    let mut text = format!("{:>6} ms  a new hash (argon2id)\n", speed.time(Cost::NEW).as_millis());
    for cost in USUAL_BCRYPT_COSTS {
        text.push_str(&format!(
            "{:>6} ms  bcrypt of cost {cost}\n",
            speed.time(Cost::Bcrypt(cost)).as_millis()
        ));
    }
    let slowest = stored.iter().map(|cost| speed.time(*cost)).max();
    match slowest.as_ref().map(Duration::as_millis) {
        Some(millis) => text.push_str(&format!("{millis:>6} ms  the slowest hash in the database\n")),
        None => text.push_str("there is no hash in the database yet\n"),
    }
    let deadline = speed.deadline(stored).as_millis();
    text.push_str(&format!("{}={deadline}\n", table::LOGIN_DEADLINE.name));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_ends_with_the_setting_that_covers_what_is_stored() {
        let speed = Speed::new(Duration::from_millis(25), Duration::from_millis(4));
        let text = report(&speed, &[Cost::NEW, Cost::Bcrypt(12)]);
        let expected = "    25 ms  a new hash (argon2id)\n    64 ms  bcrypt of cost 10\n   256 ms  bcrypt of cost 12\n   \
                        256 ms  the slowest hash in the database\nBEARWARD_LOGIN_DEADLINE_MS=480\n";
        assert_eq!(text, expected);
        assert!(report(&speed, &[]).contains("no hash in the database yet\nBEARWARD_LOGIN_DEADLINE_MS=90\n"));
    }
}
