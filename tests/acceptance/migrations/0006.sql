-- A one-time link that is out, of a maker whom nobody wrote down. Its token is 32 times 0x04.
INSERT INTO password_links (token_hash, user_id, created_at, expires_at) VALUES
    (sha256(decode(repeat('04', 32), 'hex')), '00000000-0000-4000-8000-000000000001', now() - interval '1 hour',
     now() + interval '1 day');
