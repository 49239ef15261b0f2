//! `bearward-issuer migrate`

use super::{Failure, begin, runtime};
use crate::settings::{DatabaseSettings, Sources};
use crate::store::connect;

pub(crate) fn run(sources: &Sources) -> Result<(), Failure> {
    let (settings, _log) = begin(sources, DatabaseSettings::read)?;
    runtime()?.block_on(async {
        let mut connection = connect::connection(&settings).await.map_err(Failure::new)?;
        connect::migrate(&mut connection).await.map_err(Failure::new)
    })
}
