-- A key whose last token has expired long ago.
INSERT INTO signing_keys (kid, algorithm, public_key, created_at, signs_from, longest_token_seconds, retired_at) VALUES
    ('retired-long-ago', 'EdDSA', decode(repeat('09', 32), 'hex'), now() - interval '300 days',
     now() - interval '300 days', 900, now() - interval '100 days');
