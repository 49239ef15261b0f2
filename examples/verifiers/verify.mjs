// Verifies an access token of Bearward's issuer with jose: verify.mjs ISSUER AUDIENCE < token

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// Where `jose` was installed: beside this file, or in the folder that this variable names.
const folder = process.env.JOSE_FOLDER;
const jose = await import(
  folder ? pathToFileURL(createRequire(join(folder, "/")).resolve("jose")).href : "jose"
);

const [issuer, audience] = process.argv.slice(2);
const token = readFileSync(0, "utf8").trim();

// RFC 8414 section 3; section 3.3: the document must name the issuer that was asked for.
const answer = await fetch(`${issuer}/.well-known/oauth-authorization-server`);
const metadata = await answer.json();
if (metadata.issuer !== issuer) {
  console.error(`refused: the metadata is that of ${metadata.issuer}`);
  process.exit(1);
}

// A service keeps this function: it holds the set for `cacheMaxAge`, and fetches it anew for an unknown `kid`.
const keys = jose.createRemoteJWKSet(new URL(metadata.jwks_uri), { cacheMaxAge: 300_000 });
try {
  const { payload } = await jose.jwtVerify(token, keys, {
    algorithms: ["EdDSA"],
    typ: "at+jwt",
    issuer,
    audience,
    clockTolerance: 30,
    requiredClaims: ["iss", "aud", "sub", "iat", "exp", "jti"],
  });
  console.log(JSON.stringify(payload));
} catch (error) {
  console.error(`refused: ${error.message}`);
  process.exit(1);
}
