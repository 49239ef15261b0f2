-- How often something was tried, for limits that replicas share. Expands only.

-- UNLOGGED: every login writes here, and a commit that has written nothing else waits for no disk, so that the lock on
-- the row of a busy address is held for microseconds. The price: after a crash of PostgreSQL, or on a standby that
-- becomes the primary, counting begins anew. Nobody can bring that about by guessing, and it costs one more burst.
CREATE UNLOGGED TABLE throttle (
    -- HMAC-SHA-256, under a key of `server_keys`, of what is counted: no e-mail and no address is kept.
    key      bytea       PRIMARY KEY CHECK (octet_length(key) = 32),
    -- When all of it is made good: each attempt pushes this further. The row means nothing from here on.
    ends_at  timestamptz NOT NULL,
    -- Whether the last attempt was refused.
    refused  boolean     NOT NULL DEFAULT false,
    -- When a refusal was last written into the trail.
    noted_at timestamptz
-- Rows are updated in place far more often than made. Space on their page, and no index on what changes, so that an
-- update touches no index: the purge reads all of the table instead, which is small.
) WITH (fillfactor = 70);
