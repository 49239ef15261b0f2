//! What holds for the command line alone.

use super::*;

/// Writes down how long a statement may take that ends a session or deletes a user.
const NOTED: &str = "
    CREATE TABLE noted (timeout text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO noted VALUES (TG_OP || ' ' || current_setting('statement_timeout'));
      RETURN NULL;
    END $$;
    CREATE TRIGGER noted AFTER UPDATE ON sessions EXECUTE FUNCTION note();
    CREATE TRIGGER noted AFTER DELETE ON users EXECUTE FUNCTION note()";

#[tokio::test]
async fn an_operators_statements_have_a_minute_and_those_of_requests_have_not() {
    let office = Office::new().await;
    office.store.execute(NOTED).await;
    let chef = office.user("chef@example.com", ADMIN).await;
    let noted = async || office.store.texts("SELECT timeout FROM noted ORDER BY 1").await;
    for (actor, timeout) in [(Actor::Operator, "1min"), (Actor::User(chef.id), "5s")] {
        let priya = office.user("priya@example.com", CUSTOMER).await;
        let by = By { actor, ..By::operator() };
        office.store.log_out_user(priya.id, by).await.unwrap();
        assert_eq!(office.remove(Removal::Delete, actor, priya.id).await, Ok(true));
        assert_eq!(noted().await, [format!("DELETE {timeout}"), format!("UPDATE {timeout}")]);
        office.store.execute("DELETE FROM noted").await;
    }
    // And the connections are as before.
    let on_all = office.store.occupy().await;
    for mut connection in on_all {
        let timeout = sqlx::query_scalar::<_, String>("SHOW statement_timeout");
        assert_eq!(timeout.fetch_one(&mut *connection).await.unwrap(), "5s");
    }
}
