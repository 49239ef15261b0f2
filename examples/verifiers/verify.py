"""Verifies an access token of Bearward's issuer with PyJWT: verify.py ISSUER AUDIENCE < token"""

import json
import sys
import urllib.request

import jwt

issuer, audience = sys.argv[1:]
token = sys.stdin.read().strip()

# RFC 8414 section 3; section 3.3: the document must name the issuer that was asked for.
with urllib.request.urlopen(f"{issuer}/.well-known/oauth-authorization-server", timeout=5) as answer:
    metadata = json.load(answer)
if metadata["issuer"] != issuer:
    sys.exit(f"refused: the metadata is that of {metadata['issuer']}")

# A service keeps this client: it holds the set as long as `lifespan`, and fetches it anew for an unknown `kid`.
keys = jwt.PyJWKClient(metadata["jwks_uri"], lifespan=300, timeout=5)
try:
    # RFC 9068 section 4: another kind of token of the same issuer is no access token.
    if jwt.get_unverified_header(token).get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("typ is not at+jwt")
    claims = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=["EdDSA"],
        issuer=issuer,
        audience=audience,
        leeway=30,
        options={"require": ["iss", "aud", "sub", "iat", "exp", "jti"]},
    )
except jwt.PyJWTError as error:
    sys.exit(f"refused: {error}")
print(json.dumps(claims))
