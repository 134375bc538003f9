#!/usr/bin/env python3
"""Writes seeds for the fuzz targets to fuzz/corpus/, from the samples in tests/vectors/."""

import base64
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent
VECTORS = ROOT.parent / "tests" / "vectors"


def seed(target, name, data):
    folder = ROOT / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def encode(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


for case in json.loads((VECTORS / "responses.json").read_text())["cases"]:
    body = case.get("body", "")
    body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    status = (case["http_status"] - 100).to_bytes(2, "big")
    # As many as `Operation::ALL` has.
    for operation in range(6):
        # The operation, the status, and a length before one of the headers and the body.
        data = bytes([operation]) + status + b"\x03" + b"\x0030" + body
        seed("response", f"{case['name']}-{operation}", data)
    if "keys" in case["name"] or "jwks" in case["name"]:
        seed("key_set", case["name"], body)

for case in json.loads((VECTORS / "session_claims.json").read_text())["cases"]:
    jwt = encode(case["header"]) + b"." + encode(case["claims"]) + b"." + b"A" * 342
    seed("session_jwt", case["name"], jwt)
    seed("session_jwt", case["name"] + "-claims", json.dumps(case["claims"]).encode())

key = {"kty": "RSA", "alg": "RS256", "kid": "k", "n": "0" * 342, "e": "AQAB", "use": "sig"}
seed("key_set", "one", json.dumps({"keys": [key], "request_id": "r"}).encode())
for target, name, value in [
    ("retry_after", "seconds", b"120"),
    ("retry_after", "date", b"Fri, 31 Dec 1999 23:59:59 GMT"),
    ("retry_after", "large", b"99999999999999999999"),
    ("session", "jwt", b"X-Stytch-Member-SessionJWT:a.b.c"),
    ("session", "token", b"x-stytch-member-session:WJtR5BCy38Szd5AfoDpf0iqFKEt4EE5JhjlWUY7l3FtY"),
    ("session", "cookies", b"cookie:theme=dark; stytch_session_jwt=a.b.c; a=\"j\"; b=t"),
    ("path_segment", "id", b"external-connection-test-d89ff7a0-e86f-4b4d-b6a3-9a74d967528e"),
    ("path_segment", "dots", b".."),
    ("path_segment", "encoded", b"%2e%2e/\xc3\xa4?#"),
]:
    seed(target, name, value)
