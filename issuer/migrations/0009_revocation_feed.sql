-- The feed of revocations: what its positions and records need. Expands only: the release before this one runs on.

ALTER TABLE revocations
    -- Of a subject: the epoch that its transaction read. Tokens of a later one are not concerned.
    ADD COLUMN epoch  bigint CHECK (epoch >= 1),
    -- SHA-256 of the digest before and of this record.
    ADD COLUMN digest bytea  CHECK (octet_length(digest) = 32),
    -- NULL: no end. A thief who has a key writes whatever `exp` he likes.
    ALTER COLUMN ends_at DROP NOT NULL;

-- Where the newest record is, in which log. The digest stands here too, since the newest row may be purged.
ALTER TABLE revocation_head
    ADD COLUMN digest     bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (octet_length(digest) = 32),
    -- Random, and another one whenever the log may have forked.
    ADD COLUMN generation uuid  NOT NULL DEFAULT gen_random_uuid();

ALTER TABLE issuer_state
    -- `system_identifier` and timeline of the server that this was written on. NULL: not known yet.
    ADD COLUMN instance            text   CHECK (octet_length(instance) BETWEEN 1 AND 64),
    -- The least epoch of a session that may be refreshed: raised where the log may have forked, since a session that was
    -- ended in what is lost would live again.
    ADD COLUMN sessions_from_epoch bigint NOT NULL DEFAULT 1 CHECK (sessions_from_epoch >= 1);

ALTER TABLE sessions
    -- The epoch in which it was opened. The release before this one does not know it: 1 is refused after a fork.
    ADD COLUMN epoch bigint NOT NULL DEFAULT 1 CHECK (epoch >= 1);

-- The server and the line of its history on which this runs. NULL: it follows another one, and takes no writes. Not the control
-- file's timeline, which a promotion changes later. It runs with the rights of whoever migrates.
CREATE FUNCTION bearward_instance() RETURNS text LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN NOT pg_is_in_recovery()
                THEN system_identifier || ':' || left(pg_walfile_name(pg_current_wal_lsn()), 8) END
    FROM pg_control_system()
$$;

UPDATE issuer_state SET instance = bearward_instance();

-- SHA-256 of the digest before and the record's members, each with its length before it, so that no two records are the same
-- bytes.
CREATE FUNCTION revocation_digest(before bytea, record revocations) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(before || convert_to(string_agg(coalesce(octet_length(member) || ':' || member, '-'), ',' ORDER BY place), 'UTF8'))
    FROM unnest(ARRAY[record.sequence::text, record.kind, record.name, record.minimum::text, record.epoch::text, record.reason,
                      record.ends_at::text]) WITH ORDINALITY AS given (member, place)
$$;

-- Every record gets its digest here, whoever writes it: also the release before this one. Whoever inserts holds the head's row.
CREATE FUNCTION chain_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before bytea;
BEGIN
    -- After the user's row was locked, and so of no earlier epoch than any token that the record concerns.
    IF NEW.kind = 'subject' AND NEW.epoch IS NULL THEN
        NEW.epoch := (SELECT epoch FROM issuer_state);
    END IF;
    SELECT digest INTO STRICT before FROM revocation_head;
    NEW.digest := revocation_digest(before, NEW);
    UPDATE revocation_head SET digest = NEW.digest;
    RETURN NEW;
END
$$;

CREATE TRIGGER chain_revocation BEFORE INSERT ON revocations FOR EACH ROW EXECUTE FUNCTION chain_revocation();

-- Wakes the replicas. They look by themselves, too, and need not hear it.
CREATE FUNCTION tell_revocations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('bearward_revocations', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_revocations AFTER INSERT ON revocations FOR EACH STATEMENT EXECUTE FUNCTION tell_revocations();

-- Records that are there get their digests in the order of their sequence.
DO $$
DECLARE
    record revocations;
    before bytea := decode(repeat('00', 32), 'hex');
BEGIN
    UPDATE revocations SET epoch = (SELECT epoch FROM issuer_state) WHERE kind = 'subject';
    FOR record IN SELECT * FROM revocations ORDER BY sequence LOOP
        before := revocation_digest(before, record);
        UPDATE revocations SET digest = before WHERE sequence = record.sequence;
    END LOOP;
    UPDATE revocation_head SET digest = before;
END
$$;

ALTER TABLE revocations
    ADD CONSTRAINT revocations_have_a_digest CHECK (digest IS NOT NULL),
    DROP CONSTRAINT revocations_kind_has_its_members,
    ADD CONSTRAINT revocations_kind_has_its_members CHECK (CASE kind
        WHEN 'session' THEN name IS NOT NULL AND minimum IS NULL     AND epoch IS NULL     AND reason IS NULL
                            AND ends_at IS NOT NULL
        WHEN 'subject' THEN name IS NOT NULL AND minimum IS NOT NULL AND epoch IS NOT NULL
                            AND reason IS NOT NULL AND reason IN ('changed', 'gone') AND ends_at IS NOT NULL
        WHEN 'key'     THEN name IS NOT NULL AND minimum IS NULL     AND epoch IS NULL     AND reason IS NULL
                            AND ends_at IS NULL
        WHEN 'epoch'   THEN name IS NULL     AND minimum IS NOT NULL AND epoch IS NULL     AND reason IS NULL
                            AND ends_at IS NOT NULL
        ELSE false END);

-- The keys that sign the feed: a set of their own, since no key of one set may verify what is the other's. As `signing_keys`.
CREATE TABLE feed_keys (
    -- The key's RFC 7638 thumbprint.
    kid         text        PRIMARY KEY CHECK (octet_length(kid) BETWEEN 1 AND 128),
    private_key bytea       CHECK (octet_length(private_key) = 32),
    sealed_key  bytea       CHECK (octet_length(sealed_key) BETWEEN 1 AND 256),
    public_key  bytea       NOT NULL UNIQUE CHECK (octet_length(public_key) = 32),
    created_at  timestamptz NOT NULL DEFAULT now(),
    signs_from  timestamptz NOT NULL DEFAULT now(),
    retired_at  timestamptz CHECK (retired_at >= created_at),
    CONSTRAINT feed_keys_one_private_form
        CHECK (num_nonnulls(private_key, sealed_key) = 1
               OR (num_nonnulls(private_key, sealed_key) = 0 AND retired_at IS NOT NULL))
);
