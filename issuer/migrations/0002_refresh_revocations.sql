-- Refresh tokens, the life of a session, and revocation records. Expands only: the release before this one runs on.

ALTER TABLE sessions
    -- When it was opened, or refreshed last. Access tokens are used where nobody writes it down.
    ADD COLUMN last_used_at     timestamptz NOT NULL DEFAULT now(),
    -- From where and with what, as the client said when it was used last.
    ADD COLUMN address          text        CHECK (octet_length(address) <= 64),
    ADD COLUMN user_agent       text        CHECK (octet_length(user_agent) <= 256),
    -- The greatest `exp` among its access tokens, in seconds since the epoch. NULL: opened by the release before, whose
    -- one token ends with the session. A row must stay until this has passed by MAX_LEEWAY: records end by it.
    ADD COLUMN greatest_exp     bigint      CHECK (greatest_exp >= 0),
    -- Nothing of it counts from here on. The row stays, so that its tokens are known as those of an ended session.
    ADD COLUMN ended_at         timestamptz,
    ADD COLUMN ended_why        text        CHECK (octet_length(ended_why) BETWEEN 1 AND 64),
    -- The refresh token that may be used, and the one before it. Both stand here and not with the tokens, so that one
    -- row, locked, decides between two that come at once. SHA-256.
    ADD COLUMN refresh_hash     bytea       CHECK (octet_length(refresh_hash) = 32),
    ADD COLUMN predecessor_hash bytea       CHECK (octet_length(predecessor_hash) = 32),
    -- When the predecessor was used first.
    ADD COLUMN rotated_at       timestamptz,
    ADD CONSTRAINT sessions_end_has_a_cause CHECK ((ended_at IS NULL) = (ended_why IS NULL)),
    ADD CONSTRAINT sessions_rotation_is_whole CHECK ((predecessor_hash IS NULL) = (rotated_at IS NULL)
                                                     AND (predecessor_hash IS NULL OR refresh_hash IS NOT NULL));

-- Every refresh token of a session, for as long as the session: one that was used and comes again is a theft.
CREATE TABLE refresh_tokens (
    -- SHA-256, and no slow hash: the token is 256 random bits, which nobody guesses however fast guessing is.
    token_hash       bytea       PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    -- The family.
    session_id       uuid        NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    -- No token has two successors, whatever the statements do.
    predecessor_hash bytea       UNIQUE CHECK (octet_length(predecessor_hash) = 32),
    created_at       timestamptz NOT NULL DEFAULT now(),
    used_at          timestamptz
);

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- Keys that never leave the issuer, one for each purpose; made by the first process that needs it.
CREATE TABLE server_keys (
    purpose    text        PRIMARY KEY CHECK (octet_length(purpose) BETWEEN 1 AND 64),
    key        bytea       NOT NULL CHECK (octet_length(key) = 32),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- What verifiers must refuse although its signature holds. Integers only: no record compares clocks.
CREATE TABLE revocations (
    -- Gapless, in the order of commits.
    sequence   bigint      PRIMARY KEY CHECK (sequence >= 1),
    kind       text        NOT NULL,
    -- `sid`, `sub` or `kid`.
    name       text        CHECK (octet_length(name) BETWEEN 1 AND 256),
    -- The least `user_version` or `epoch` that is still good.
    minimum    bigint      CHECK (minimum >= 1),
    -- Why a subject's tokens ended: something `changed`, and new tokens pass; or the user is `gone`.
    reason     text,
    -- Seconds since the epoch; no token that it concerns is accepted by anybody from here on.
    ends_at    bigint      NOT NULL CHECK (ends_at >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT revocations_kind_has_its_members CHECK (CASE kind
        WHEN 'session' THEN name IS NOT NULL AND minimum IS NULL     AND reason IS NULL
        WHEN 'subject' THEN name IS NOT NULL AND minimum IS NOT NULL
                            AND reason IS NOT NULL AND reason IN ('changed', 'gone')
        WHEN 'key'     THEN name IS NOT NULL AND minimum IS NULL     AND reason IS NULL
        WHEN 'epoch'   THEN name IS NULL     AND minimum IS NOT NULL AND reason IS NULL
        ELSE false END)
);

CREATE INDEX revocations_by_end ON revocations (ends_at);

-- The sequence of the newest record. Its row is updated by the last statement before COMMIT and nowhere else: whoever
-- holds it takes no other lock, and who reads a head sees every record up to it.
CREATE TABLE revocation_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    sequence bigint  NOT NULL DEFAULT 0 CHECK (sequence >= 0)
);

INSERT INTO revocation_head DEFAULT VALUES;
