-- Who made a one-time link, and as what. Expands only.

-- Of a link of before nobody knows whether an administrator made it, and whether he is one still: it could be good for
-- longer than its maker administers. So they end here, and the purge deletes them. There are few, each for a week at most,
-- and a new one is one call away.
UPDATE password_links SET expires_at = created_at + interval '1 microsecond';

ALTER TABLE password_links
    -- The administrator who made it, and the version that he had then: the link is good for as long as a token of his from
    -- then would be. It points to nothing: who is deleted has no version any more. NULL: an operator made it, or, while
    -- both run, the release before.
    ADD COLUMN created_by      uuid,
    ADD COLUMN created_version bigint CHECK (created_version >= 1),
    ADD CONSTRAINT password_links_maker_has_a_version CHECK ((created_by IS NULL) = (created_version IS NULL));
