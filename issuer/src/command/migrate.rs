//! `bearward-issuer migrate`

use super::{Failure, begin, runtime};
use crate::settings::{DatabaseSettings, Sources};
use crate::store::connect;

pub(crate) fn run(sources: &Sources) -> Result<(), Failure> {
    let (settings, _log) = begin(sources, DatabaseSettings::read)?;
    runtime()?.block_on(async { connect::bring_up_to_date(&settings).await.map_err(Failure::new) })
}
