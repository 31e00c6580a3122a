// A backend that verifies access tokens by itself, with the public keys of the server (SIGNING_ALG=EdDSA). It asks the
// server for keys only, so it does not know of a sign-out until the token expires, after 15 minutes at most.
import { createServer } from "node:http";
import { createPublicKey, verify } from "node:crypto";

const AUTH = process.env.AUTH ?? "http://127.0.0.1:8000";
const ISSUER = process.env.ISSUER ?? "password-auth";
const KEPT = 300_000; // as long as the server's Cache-Control says
const PAUSE = 5_000; // between two requests because of unknown keys, which anybody can invent

let keys = new Map();
let fetched = -Infinity;

async function fetchKeys() {
  fetched = Date.now();
  const answer = await fetch(`${AUTH}/.well-known/jwks.json`);
  if (!answer.ok) throw new Error(`the sign-in server answers ${answer.status}`);
  const set = await answer.json();
  keys = new Map(set.keys.map((jwk) => [jwk.kid, createPublicKey({ key: jwk, format: "jwk" })]));
}

async function keyOf(kid) {
  const age = Date.now() - fetched;
  if (age > KEPT || (!keys.has(kid) && age > PAUSE)) await fetchKeys();
  return keys.get(kid);
}

/** The claims of the token that a request carries, or null. */
async function claimsOf(request) {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  const parts = token?.split(".") ?? [];
  if (scheme.toLowerCase() !== "bearer" || parts.length !== 3) return null;
  const read = (part) => JSON.parse(Buffer.from(part, "base64url").toString());
  let header, claims;
  try {
    [header, claims] = parts.slice(0, 2).map(read);
  } catch {
    return null;
  }
  // The algorithm is ours to choose, never the token's.
  if (header?.alg !== "EdDSA" || header.typ !== "at+jwt" || header.crit) return null;
  const key = await keyOf(header.kid);
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`);
  if (!key || !verify(null, signed, key, Buffer.from(parts[2], "base64url"))) return null;
  const valid = claims.iss === ISSUER && claims.aud === ISSUER && claims.exp > Date.now() / 1000;
  return valid ? claims : null;
}

const server = createServer(async (request, response) => {
  const say = (status, body, headers) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  try {
    const claims = await claimsOf(request);
    if (!claims) return say(401, { message: "Please sign in." }, { "www-authenticate": "Bearer" });
    if (request.url === "/notes") return say(200, { notes: [`A note of ${claims.preferred_username}`] });
    say(404, { message: "Not found." });
  } catch {
    say(503, { message: "Please try again in a moment." });
  }
});
server.listen(process.env.PORT ?? 3000, "127.0.0.1", () => console.log(`listening on ${server.address().port}`));
