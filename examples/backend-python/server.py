"""A backend that verifies access tokens by itself, with the public keys of the server (SIGNING_ALG=EdDSA).

It asks the server for keys only, so it does not know of a sign-out until the token expires, after 15 minutes at most.
Needs PyJWT: `pip install "pyjwt[crypto]"`, or the packages python3-jwt and python3-cryptography.
"""

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

AUTH = os.environ.get("AUTH", "http://127.0.0.1:8000")
ISSUER = os.environ.get("ISSUER", "password-auth")
KEPT = 300  # seconds: as long as the server's Cache-Control says
PAUSE = 5  # between two requests because of unknown keys, which anybody can invent


class Keys:
    def __init__(self):
        self.client = jwt.PyJWKClient(f"{AUTH}/.well-known/jwks.json", cache_jwk_set=False, cache_keys=False)
        self.lock = threading.Lock()
        self.keys, self.fetched = {}, float("-inf")

    def get(self, kid):
        with self.lock:
            age = time.monotonic() - self.fetched
            if age > KEPT or (kid not in self.keys and age > PAUSE):
                self.fetched = time.monotonic()
                data = self.client.fetch_data()
                self.keys = {jwk["kid"]: jwt.PyJWK(jwk).key for jwk in data["keys"]}
            return self.keys.get(kid)


KEYS = Keys()


def claims_of(authorization):
    """The claims of the token in the header, or None."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        header = jwt.get_unverified_header(token)
        # The algorithm is ours to choose, never the token's.
        if header.get("alg") != "EdDSA" or header.get("typ") != "at+jwt" or "crit" in header:
            return None
    except jwt.InvalidTokenError:
        return None
    key = KEYS.get(header.get("kid"))
    if key is None:
        return None
    required = {"require": ["iss", "aud", "sub", "exp"]}
    try:
        return jwt.decode(token, key, algorithms=["EdDSA"], issuer=ISSUER, audience=ISSUER, options=required)
    except jwt.InvalidTokenError:
        return None


class Notes(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            claims = claims_of(self.headers.get("Authorization"))
        except Exception:  # the sign-in server does not answer
            return self.say(503, {"message": "Please try again in a moment."})
        if claims is None:
            return self.say(401, {"message": "Please sign in."})
        if self.path == "/notes":
            return self.say(200, {"notes": [f"A note of {claims['preferred_username']}"]})
        return self.say(404, {"message": "Not found."})

    def say(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "3000"))), Notes)
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()
