//! Whose fault a failed statement is.

use std::fmt;

/// A statement failed.
#[derive(Debug)]
pub(crate) enum StoreError {
    /// PostgreSQL is away, overloaded, changing or does not let us in: the same request may succeed later.
    Unavailable(sqlx::Error),
    /// The tables are not there.
    NoSchema,
    /// Anything else: ours.
    Failed(sqlx::Error),
}

impl StoreError {
    /// Whether the same may succeed later without an operator.
    pub(crate) fn passes(&self) -> bool {
        matches!(self, Self::Unavailable(error) if passes(error))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        if passes(&error) || code.is_some_and(|code| is_for_the_operator(&code)) {
            Self::Unavailable(error)
        } else if is_undefined_table(&error) {
            Self::NoSchema
        } else {
            Self::Failed(error)
        }
    }
}

/// Whether the same may succeed later, without anybody doing anything to us or to our settings.
pub(super) fn passes(error: &sqlx::Error) -> bool {
    match error {
        // A protocol error is an answer that was torn on its way.
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::BeginFailed
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(cause) => cause.code().is_some_and(|code| is_passing(&code)),
        _ => false,
    }
}

pub(crate) fn is_undefined_table(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("42P01"))
}

/// Whether the schema is that of an earlier release, or none: it lacks the table, the column or the function.
pub(super) fn is_undefined(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| ["42P01", "42703", "42883"].contains(&code.as_ref()))
}

/// SQLSTATE codes of conditions that pass (PostgreSQL's Appendix A).
pub(crate) fn is_passing(code: &str) -> bool {
    const CLASSES: [&str; 3] = ["08", "53", "57"]; // connection, resources, operator intervention (also timeouts)
    const CODES: [&str; 6] = [
        "25P03", // idle_in_transaction_session_timeout
        "25P04", // transaction_timeout
        "25006", // read_only_sql_transaction: this server is no longer the primary
        "40001", // serialization_failure
        "40P01", // deadlock_detected
        "55P03", // lock_not_available: lock_timeout
    ];
    CLASSES.iter().any(|class| code.starts_with(class)) || CODES.contains(&code)
}

/// SQLSTATE codes of what only an operator can mend. A start does not wait for it; a request that meets it while we
/// run meets a change that is under way, a rotated password for one.
fn is_for_the_operator(code: &str) -> bool {
    const CLASSES: [&str; 2] = ["28", "3D"]; // invalid authorization, invalid catalog name: no such database
    CLASSES.iter().any(|class| code.starts_with(class)) || code == "42501" // insufficient_privilege
}

/// For the log. The server's message only: its detail may quote a row.
impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSchema => formatter.write_str(
                "the database has no tables of Bearward yet: run `bearward-issuer migrate` on it first",
            ),
            Self::Unavailable(error) | Self::Failed(error) => formatter.write_str(&cause(error)),
        }
    }
}

/// What happened, in the server's own words where they are from the server.
pub(crate) fn cause(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_or_exhausted_is_told_from_a_fault_of_ours() {
        let io = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        for away in [sqlx::Error::Io(io), sqlx::Error::PoolTimedOut, sqlx::Error::PoolClosed] {
            assert!(matches!(StoreError::from(away), StoreError::Unavailable(_)));
        }
        assert!(matches!(StoreError::from(sqlx::Error::RowNotFound), StoreError::Failed(_)));
        for code in ["57P01", "57014", "53300", "08006", "25006", "25P03", "55P03"] {
            assert!(is_passing(code), "{code}");
        }
        for code in ["23505", "42703", "22021", "28P01", "3D000", "42501"] {
            assert!(!is_passing(code), "{code}");
        }
        for code in ["28P01", "28000", "3D000", "42501"] {
            assert!(is_for_the_operator(code), "{code}");
        }
        assert!(!is_for_the_operator("23505"));
    }
}
