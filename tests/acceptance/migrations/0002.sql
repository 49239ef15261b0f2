-- A session whose refresh token is 32 times 0x01, and follows 32 times 0x02; one that was ended; a record of that.
INSERT INTO sessions (id, user_id, created_at, expires_at, last_used_at, greatest_exp, refresh_hash, predecessor_hash,
                      rotated_at, ended_at, ended_why) VALUES
    ('00000000-0000-4000-8000-000000000021', '00000000-0000-4000-8000-000000000002', now() - interval '1 hour',
     now() + interval '1 day', now() - interval '10 minutes', extract(epoch FROM now())::bigint + 300,
     sha256(decode(repeat('01', 32), 'hex')), sha256(decode(repeat('02', 32), 'hex')), now() - interval '10 minutes',
     NULL, NULL),
    ('00000000-0000-4000-8000-000000000022', '00000000-0000-4000-8000-000000000002', now() - interval '1 hour',
     now() + interval '1 day', now() - interval '10 minutes', extract(epoch FROM now())::bigint + 300,
     sha256(decode(repeat('03', 32), 'hex')), NULL, NULL, now() - interval '5 minutes', 'logout');

INSERT INTO refresh_tokens (token_hash, session_id, predecessor_hash, created_at, used_at) VALUES
    (sha256(decode(repeat('02', 32), 'hex')), '00000000-0000-4000-8000-000000000021', NULL, now() - interval '1 hour',
     now() - interval '10 minutes'),
    (sha256(decode(repeat('01', 32), 'hex')), '00000000-0000-4000-8000-000000000021',
     sha256(decode(repeat('02', 32), 'hex')), now() - interval '10 minutes', NULL),
    (sha256(decode(repeat('03', 32), 'hex')), '00000000-0000-4000-8000-000000000022', NULL, now() - interval '1 hour',
     NULL);

INSERT INTO server_keys (purpose, key) VALUES ('refresh-successors', decode(repeat('05', 32), 'hex'));

INSERT INTO revocations (sequence, kind, name, minimum, reason, ends_at) VALUES
    (1, 'session', '00000000-0000-4000-8000-000000000022', NULL, NULL, extract(epoch FROM now())::bigint + 960);
UPDATE revocation_head SET sequence = 1;
