//! What a migration may do beside the release before it, which still reads and writes.

/// Where a migration ends what no release uses any more, a comment that begins like this says since when.
const CONTRACT: &str = "-- Contract:";

/// What in a migration the release before it would not survive. By its text: PostgreSQL's grammar is larger than this,
/// and what is not known here is for its reader.
pub(super) fn broken(migration: &str) -> Vec<String> {
    if migration.lines().any(|line| line.trim_start().starts_with(CONTRACT)) {
        return Vec::new();
    }
    let text = migration.lines().map(|line| line.split("--").next().unwrap_or_default());
    let text = text.collect::<Vec<_>>().join(" ").to_uppercase();
    let words = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
    let statements: Vec<String> = text.split(';').map(words).collect();
    statements.iter().flat_map(|statement| of_statement(statement, &statements)).collect()
}

fn of_statement(statement: &str, all: &[String]) -> Vec<String> {
    const REFUSED: [&str; 4] = ["DROP ", "TRUNCATE ", "DELETE ", "ALTER TYPE "];
    // Nobody names an index.
    if REFUSED.iter().any(|begin| statement.starts_with(begin)) && !statement.starts_with("DROP INDEX ") {
        return vec![statement.to_owned()];
    }
    let Some(altered) = statement.strip_prefix("ALTER TABLE ") else { return Vec::new() };
    let altered = altered.trim_start_matches("IF EXISTS ").trim_start_matches("ONLY ");
    let actions = altered.split_once(' ').map_or("", |(_, actions)| actions);
    let refused = |action: &&String| !is_expansion(action, all);
    parts(actions).iter().filter(refused).map(|action| format!("ALTER TABLE: {action}")).collect()
}

fn is_expansion(action: &str, all: &[String]) -> bool {
    let has = |text: &str| action.contains(text);
    if action.starts_with("ADD CONSTRAINT ") || action.starts_with("DROP CONSTRAINT ") {
        return true;
    }
    if action.starts_with("ADD ") {
        return !has(" NOT NULL") || has(" DEFAULT ") || has(" GENERATED ");
    }
    let Some(column) = action.strip_prefix("ALTER COLUMN ") else {
        return !["DROP ", "RENAME ", "ALTER "].iter().any(|begin| action.starts_with(begin));
    };
    let (name, change) = column.split_once(' ').unwrap_or((column, ""));
    match change {
        "DROP NOT NULL" => true,
        // The release before does not name the column, so a default has to.
        "SET NOT NULL" => all.iter().any(|other| other.contains(&format!("ALTER COLUMN {name} SET DEFAULT"))),
        other => other.starts_with("SET DEFAULT "),
    }
}

/// The actions of a statement: what stands between commas, those within parentheses aside.
fn parts(actions: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0_u32);
    for character in actions.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("one part at least").push(character);
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

#[test]
fn what_the_release_before_would_not_survive_is_named_and_what_expands_is_not() {
    for refused in [
        "DROP TABLE users;",
        "ALTER TABLE users DROP COLUMN name;",
        "ALTER TABLE users DROP name;",
        "ALTER TABLE users\n  ADD COLUMN a text,\n  RENAME COLUMN name TO full_name;",
        "ALTER TABLE users RENAME TO people;",
        "ALTER TABLE users ALTER COLUMN name TYPE varchar(10);",
        "ALTER TABLE users ALTER COLUMN roles DROP DEFAULT;",
        "ALTER TABLE users ADD COLUMN phone text NOT NULL;",
        "ALTER TABLE users ADD COLUMN a text; ALTER TABLE users ALTER COLUMN a SET NOT NULL;",
        "DELETE FROM sessions;",
        "TRUNCATE sessions;",
    ] {
        assert_eq!(broken(refused).len(), 1, "{refused}");
        assert!(broken(&format!("-- Contract: unused since 0.2\n{refused}")).is_empty(), "{refused}");
    }
    for expands in [
        "CREATE TABLE a (b text NOT NULL, c text CHECK (c <> 'DROP '));",
        "ALTER TABLE users ADD COLUMN a text CHECK (a IN ('x', 'y')), ADD COLUMN b bigint NOT NULL DEFAULT 1;",
        "ALTER TABLE users ALTER COLUMN name DROP NOT NULL; -- DROP TABLE users;",
        "CREATE INDEX a ON users (name); DROP INDEX b;",
        "UPDATE users SET name = 'x';",
    ] {
        assert_eq!(broken(expands), Vec::<String>::new());
    }
}
