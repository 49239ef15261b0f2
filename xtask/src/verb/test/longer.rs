use crate::error::Error;
use crate::report::Report;
use crate::verb::{decoders, sqlx};

mod compose;
mod dependencies;
mod fuzz;
mod program;

type Step = fn(&mut Report) -> Result<(), Error>;

/// What takes too long, or needs too much, for every run.
const STEPS: [(&str, Step); 6] = [
    (".sqlx is fresh", sqlx::check),
    ("licences, sources and advisories of dependencies", dependencies::check),
    ("the compose file", compose::check),
    ("the fuzz targets compile", fuzz::check),
    ("the command line can be installed, and needs nothing of the machine", program::check),
    ("other servers take paths for what is written", |report| decoders::decoders(true, report)),
];

/// Runs every step; the first that fails ends the run.
pub(super) fn run(report: &mut Report) -> Result<(), Error> {
    for (name, step) in STEPS {
        report.step(name, step)?;
    }
    Ok(())
}
