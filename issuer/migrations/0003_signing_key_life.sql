-- Signing keys encrypted at rest, and their life: published, signs, retired. Expands only.

ALTER TABLE signing_keys
    -- The private key in the clear: only where no key-encryption key was given.
    ALTER COLUMN private_key DROP NOT NULL,
    -- The private key, encrypted: one byte for the version of the form, nonce, ciphertext and tag.
    ADD COLUMN sealed_key bytea CHECK (octet_length(sealed_key) BETWEEN 1 AND 256),
    -- The first moment at which the key signs; the next key's ends it. `created_at` is when it was first published.
    ADD COLUMN signs_from timestamptz,
    -- The longest life that a token under this key may have: it stays published for so long after its last one. The
    -- default is the longest that there ever was a setting for.
    ADD COLUMN longest_token_seconds integer NOT NULL DEFAULT 86400 CHECK (longest_token_seconds > 0);

-- So far the newest key signed from its making on.
UPDATE signing_keys SET signs_from = created_at;

ALTER TABLE signing_keys
    ALTER COLUMN signs_from SET DEFAULT now(),
    ALTER COLUMN signs_from SET NOT NULL,
    -- One form, not two; a retired key needs none.
    ADD CONSTRAINT signing_keys_one_private_form
        CHECK (num_nonnulls(private_key, sealed_key) = 1
               OR (num_nonnulls(private_key, sealed_key) = 0 AND retired_at IS NOT NULL));

COMMENT ON COLUMN signing_keys.retired_at IS
    'From here on it is neither published nor trusted; every replica notices within seconds.';
