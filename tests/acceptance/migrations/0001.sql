-- As the release of this schema left them: of `mypassword123` all passwords, of 32 times 0x07 the key.
INSERT INTO users (id, name, email, password_hash, roles, user_version, disabled_at, created_at) VALUES
    ('00000000-0000-4000-8000-000000000001', 'Priya', 'priya@example.com',
     '$argon2id$v=19$m=19456,t=2,p=1$N4wrjcPmcZlclRljM9eqow$tBMezIN0b9hkThmsXZLJLvIBAW4K3tAlDjwYnLFE2W4',
     '{customer}', 3, NULL, now() - interval '1 day'),
    ('00000000-0000-4000-8000-000000000002', 'Chef', 'chef@example.com',
     '$argon2id$v=19$m=19456,t=2,p=1$N4wrjcPmcZlclRljM9eqow$tBMezIN0b9hkThmsXZLJLvIBAW4K3tAlDjwYnLFE2W4',
     '{admin,customer}', 1, NULL, now() - interval '1 day'),
    ('00000000-0000-4000-8000-000000000003', 'Gone', 'gone@example.com',
     '$argon2id$v=19$m=19456,t=2,p=1$N4wrjcPmcZlclRljM9eqow$tBMezIN0b9hkThmsXZLJLvIBAW4K3tAlDjwYnLFE2W4',
     '{customer}', 2, now() - interval '1 hour', now() - interval '1 day');

INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES
    ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001', now() - interval '1 hour', now() + interval '1 hour'),
    ('00000000-0000-4000-8000-000000000012', '00000000-0000-4000-8000-000000000001', now() - interval '2 days', now() - interval '1 day'),
    ('00000000-0000-4000-8000-000000000013', '00000000-0000-4000-8000-000000000003', now() - interval '1 hour', now() + interval '1 hour');

INSERT INTO signing_keys (kid, algorithm, private_key, public_key, created_at) VALUES
    ('--6IM5l0OosLj9yWskISYhUA3n_3CURQkmrYMSha_ck', 'EdDSA',
     '\x0707070707070707070707070707070707070707070707070707070707070707',
     '\xea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c', now() - interval '1 day');
