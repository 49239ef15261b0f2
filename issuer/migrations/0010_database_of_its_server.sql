-- Where this runs: also in which of its server's databases. Expands only: the release before calls the same function.

-- Whoever asks where this is waits until both are there: one without the other looks like a fork.
LOCK TABLE issuer_state IN ACCESS EXCLUSIVE MODE;

-- What names another place stays, and is noticed as the fork that it is.
UPDATE issuer_state SET instance = instance || ':' || oid
FROM pg_database WHERE datname = current_database() AND instance = bearward_instance();

-- A dump that is played back into a new database of the same server is a fork, too, and the oid tells it. It is the same on
-- every standby.
CREATE OR REPLACE FUNCTION bearward_instance() RETURNS text
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN NOT pg_is_in_recovery()
                THEN system_identifier || ':' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || ':' || oid END
    FROM pg_control_system(), pg_database WHERE datname = current_database()
$$;

-- Whether a key has its record already.
CREATE INDEX revocations_of_keys ON revocations (name) WHERE kind = 'key';
