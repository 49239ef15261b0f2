-- How often a session may be refreshed. Expands only.

-- When all refreshes of the session are made good, as `throttle.ends_at`. Here and not there: whoever refreshes has this
-- row locked and writes it anyway. Not indexed, so that a refresh goes on touching no index.
ALTER TABLE sessions ADD COLUMN refreshes_until timestamptz;
