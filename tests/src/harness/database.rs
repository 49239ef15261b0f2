//! A database of one's own on the server that the test run provides.

use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use tokio::runtime::{Builder, Runtime};
use xtask::directory::random_hex;

/// An empty database. Dropping it removes it from the server, connections or not.
#[derive(Debug)]
pub struct TestDatabase {
    server: String,
    name: String,
}

impl TestDatabase {
    /// Makes one on the server, whose URL may create databases.
    ///
    /// # Panics
    /// If the server is away or refuses.
    #[must_use]
    pub fn create(server: &str) -> Self {
        let name = format!("bearward_test_{}", random_hex(8).expect("random numbers"));
        run(server, &format!("CREATE DATABASE {name}")).expect("a database");
        Self { server: server.to_owned(), name }
    }

    /// The server's URL with this database in it.
    #[must_use]
    pub fn url(&self) -> String {
        let (address, query) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (scheme, rest) = address.split_once("://").unwrap_or(("postgres", address));
        let authority = rest.split('/').next().unwrap_or_default();
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        format!("{scheme}://{authority}/{}{query}", self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // The server may be gone already: then the database is, too.
        let _ = run(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// A connection that has done something and not committed it. Dropping it undoes that.
pub struct Open {
    runtime: Runtime,
    connection: Option<PgConnection>,
}

impl Open {
    /// # Panics
    /// If the server refuses.
    #[must_use]
    pub fn after(url: &str, statements: &'static str) -> Self {
        let options: PgConnectOptions = url.parse().expect("a URL of PostgreSQL");
        let runtime = runtime();
        let connection = runtime.block_on(async {
            let mut connection = options.connect().await?;
            sqlx::raw_sql("BEGIN").execute(&mut connection).await?;
            sqlx::raw_sql(statements).execute(&mut connection).await?;
            Ok::<_, sqlx::Error>(connection)
        });
        Self { runtime, connection: Some(connection.expect("a connection")) }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let _ = self.connection.take().map(|connection| self.runtime.block_on(connection.close()));
    }
}

/// The one row that a statement yields.
///
/// # Errors
/// What the server says, also that there is none.
pub fn query_one(url: &str, statement: &'static str) -> Result<PgRow, String> {
    on_connection(url, async |connection| connection.fetch_one(statement).await)
}

/// All rows of all tables, as PostgreSQL writes them.
///
/// # Errors
/// What the server says.
pub fn dump(url: &str) -> Result<String, String> {
    on_connection(url, async |connection| {
        let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *connection).await?;
        let mut all = String::new();
        for table in tables {
            let rows = format!("SELECT COALESCE(string_agg(t::text, E'\\n'), '') FROM \"{table}\" AS t");
            let rows: String = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_one(&mut *connection).await?;
            all.push_str(&format!("{table}\n{rows}\n"));
        }
        Ok(all)
    })
}

/// Applies the migrations of this folder that are missing.
///
/// # Errors
/// What the server says, or the folder.
pub fn migrate(url: &str, folder: &Path) -> Result<(), String> {
    on_connection(url, async |connection| {
        Migrator::new(folder).await?.run(connection).await.map_err(sqlx::Error::from)
    })
}

/// The texts that a query of this package's own yields.
///
/// # Errors
/// What the server says.
pub fn texts(url: &str, query: &str) -> Result<Vec<String>, String> {
    on_connection(url, async |connection| {
        let query = AssertSqlSafe(query.to_owned());
        sqlx::query_scalar::<_, String>(query).fetch_all(connection).await
    })
}

/// Executes statements whose text is this package's own.
///
/// # Errors
/// What the server says.
pub fn run(url: &str, statements: &str) -> Result<(), String> {
    on_connection(url, async |connection| {
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(connection).await.map(|_| ())
    })
}

fn on_connection<T>(
    url: &str,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
) -> Result<T, String> {
    let options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| error.to_string())?;
    runtime()
        .block_on(async {
            let mut connection = options.disable_statement_logging().connect().await?;
            let result = work(&mut connection).await?;
            connection.close().await?;
            Ok(result)
        })
        .map_err(|error: sqlx::Error| error.to_string())
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}
