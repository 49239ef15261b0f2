-- Users, their sessions, and the keys that sign tokens. PostgreSQL 13 or later, no extension.

CREATE TABLE users (
    id            uuid        PRIMARY KEY,
    name          text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    -- Stored as it is compared: lower case, no spaces. So the constraint, and nothing else, decides uniqueness.
    email         text        NOT NULL UNIQUE
                              CHECK (email = lower(email) AND email !~ '\s' AND octet_length(email) BETWEEN 3 AND 254),
    -- A PHC string. It names its own algorithm and parameters, so these can change with the next login.
    password_hash text        NOT NULL CHECK (octet_length(password_hash) BETWEEN 1 AND 512),
    roles         text[]      NOT NULL DEFAULT '{customer}'
                              CHECK (cardinality(roles) BETWEEN 1 AND 64 AND array_position(roles, NULL) IS NULL)
                              -- The filter joins them with commas, and refuses a token whose roles it cannot join.
                              CHECK (array_position(roles, '') IS NULL AND position(',' IN array_to_string(roles, '')) = 0),
    -- Raised by every change that must end tokens issued before it.
    user_version  bigint      NOT NULL DEFAULT 1 CHECK (user_version >= 1),
    disabled_at   timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
    id         uuid        PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- No token of the session outlives this.
    expires_at timestamptz NOT NULL,
    CHECK (expires_at > created_at)
);

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE signing_keys (
    -- The key's RFC 7638 thumbprint.
    kid         text        PRIMARY KEY CHECK (octet_length(kid) BETWEEN 1 AND 128),
    algorithm   text        NOT NULL CHECK (algorithm = 'EdDSA'),
    private_key bytea       NOT NULL CHECK (octet_length(private_key) = 32),
    public_key  bytea       NOT NULL UNIQUE CHECK (octet_length(public_key) = 32),
    created_at  timestamptz NOT NULL DEFAULT now(),
    -- Neither signs nor is published by a process that starts after this. One that runs keeps the keys that it began
    -- with until it is restarted, so restart every replica.
    retired_at  timestamptz CHECK (retired_at >= created_at)
);

CREATE TABLE issuer_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- Raised by everything that must end all tokens issued before it.
    epoch    bigint  NOT NULL DEFAULT 1 CHECK (epoch >= 1)
);

INSERT INTO issuer_state DEFAULT VALUES;
