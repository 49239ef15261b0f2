-- One-time links by which a user sets a password, and what administrators look for. Expands only.

CREATE TABLE password_links (
    -- SHA-256, and no slow hash: the token is 256 random bits, which nobody guesses however fast guessing is.
    token_hash bytea       PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    -- One for each user: a new link takes the place of the one before. A link that was used, or that something made
    -- void, is not there any more.
    user_id    uuid        NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CHECK (expires_at > created_at)
);

CREATE INDEX password_links_by_expiry ON password_links (expires_at);

-- The order in which users are listed.
CREATE INDEX users_by_creation ON users (created_at, id);
-- Few among many: whether another administrator is there is asked before one goes.
CREATE INDEX users_administrators ON users (id) WHERE 'admin' = ANY (roles);
-- What happens seldom is found among what happens always.
CREATE INDEX audit_events_by_event ON audit_events (event, id);
