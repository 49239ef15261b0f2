-- Authentication events: who did what, from where, with which result. Expands only.

CREATE TABLE audit_events (
    -- In the order of writing, not of commits.
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    event      text        NOT NULL CHECK (event ~ '^[a-z_]{1,32}$'),
    outcome    text        NOT NULL CHECK (outcome IN ('success', 'refused')),
    -- Why it was refused, or what brought it about.
    cause      text        CHECK (octet_length(cause) BETWEEN 1 AND 64),
    -- Who did it: an unknown client, a user, an operator at the command line, the issuer by itself.
    actor      text        NOT NULL CHECK (actor IN ('client', 'user', 'operator', 'issuer')),
    actor_id   uuid,
    -- Whom it concerns, and which session. They point to nothing: the trail outlives them.
    user_id    uuid,
    session_id uuid,
    address    text        CHECK (octet_length(address) <= 64),
    user_agent text        CHECK (octet_length(user_agent) <= 256),
    -- The identifier in the logs of issuer and proxy.
    request_id text        CHECK (octet_length(request_id) <= 64),
    CONSTRAINT audit_events_user_has_an_id CHECK ((actor = 'user') = (actor_id IS NOT NULL))
);

CREATE INDEX audit_events_by_time ON audit_events (at);
CREATE INDEX audit_events_by_user ON audit_events (user_id, id);

-- What is over is deleted by whoever serves; sessions that expire have their index already.
CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;
