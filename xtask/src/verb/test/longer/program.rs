use crate::error::Error;
use crate::report::Report;
use crate::verb::build;

/// Installs the command line as somebody would who wants one file for any machine.
pub(super) fn check(report: &mut Report) -> Result<(), Error> {
    build::program(report).map(|_| ())
}
