#!/usr/bin/env python3
"""Runs the exchanges of execution-apis against a node, as hive's rpc-compat does.

    Tools/rpc/compat.py .build/release/needletail .fixtures/execution-apis/tests [PART-OF-NAME]

It starts a node with genesis.json and chain.rlp in a new folder, sends headfcu.json to the engine
port, then every request of every file in the order of their names. Results, codes and data of
errors must be equal; messages of errors may differ where both sides have one. Where a file says
`speconly`, the answer must have the form of the expected one: the same kinds of values, and the same
members but for those that may be missing. The last line is `N passed, N failed`.
"""

import hashlib
import hmac
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

OPTIONAL = {"error", "refund", "storage", "memory", "stack", "returnData", "deleteStrategy"}
# Maps whose keys are data.
MAPS = {"storage", "pending", "queued"}


def token(secret):
    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    head = encode(b'{"alg":"HS256","typ":"JWT"}') + b"." + encode(
        json.dumps({"iat": int(time.time())}).encode())
    return (head + b"." + encode(hmac.new(secret, head, hashlib.sha256).digest())).decode()


def post(port, body, headers={}):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}", body.encode(),
        {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def differences(want, got, path=""):
    """What differs, messages of errors aside."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted(want.keys() | got.keys()):
            here = f"{path}.{key}"
            if re.search(r"(^|\.)error$", path) and key == "message":
                if key in want and key in got:
                    continue
            if key not in got:
                yield f"{here}: missing, expected {json.dumps(want[key])[:200]}"
            elif key not in want:
                yield f"{here}: unexpected {json.dumps(got[key])[:200]}"
            else:
                yield from differences(want[key], got[key], here)
    elif isinstance(want, list) and isinstance(got, list):
        if len(want) != len(got):
            yield f"{path}: {len(got)} items, expected {len(want)}"
        for index, (a, b) in enumerate(zip(want, got)):
            yield from differences(a, b, f"{path}[{index}]")
    elif want != got or type(want) is not type(got):
        yield f"{path}: {json.dumps(got)[:200]}, expected {json.dumps(want)[:200]}"


def kind(value):
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "hexadecimal" if re.fullmatch(r"0x[0-9a-fA-F]*", value) else "text"
    return type(value).__name__


def form_differences(want, got, path="", name=""):
    """In what the form of an answer differs."""
    if want is None:
        return
    if kind(want) != kind(got):
        yield f"{path}: {kind(got)}, expected {kind(want)}"
        return
    if isinstance(want, dict):
        if name in MAPS or path.startswith(".result.pending") and name.startswith("0x"):
            return
        for key in want:
            if key not in got:
                if key not in OPTIONAL:
                    yield f"{path}.{key}: missing"
            else:
                yield from form_differences(want[key], got[key], f"{path}.{key}", key)
    elif isinstance(want, list) and want:
        for index, item in enumerate(got):
            model = want[min(index, len(want) - 1)]
            yield from form_differences(model, item, f"{path}[{index}]")


def run_file(port, path):
    """The differences of a file's exchanges."""
    text = open(path).read()
    only_form = "speconly" in text
    request = None
    for line in text.splitlines():
        if line.startswith(">> "):
            request = line[3:]
        elif line.startswith("<< "):
            want = json.loads(line[3:])
            got = post(port, request)
            yield from (form_differences if only_form else differences)(want, got)


def main():
    binary, folder = sys.argv[1], sys.argv[2]
    part = sys.argv[3] if len(sys.argv) > 3 else ""
    secret = os.urandom(32)
    with tempfile.TemporaryDirectory() as work:
        with open(work + "/jwt", "w") as file:
            file.write("0x" + secret.hex())
        log = open(work + "/log", "w")
        node = subprocess.Popen(
            [binary, "node", "--datadir", work + "/chain", "--genesis", folder + "/genesis.json",
             "--import", folder + "/chain.rlp", "--http-port", "0", "--engine-port", "0",
             "--jwt-secret", work + "/jwt", "--apis", "testing"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            port = engine = None
            for line in node.stdout:
                sys.stderr.write("node: " + line)
                if found := re.match(r"engine on .*:(\d+)$", line):
                    engine = int(found[1])
                if found := re.match(r"JSON-RPC on .*:(\d+)$", line):
                    port = int(found[1])
                    break
            if port is None:
                print("compat: the node did not start", file=sys.stderr)
                print("0 passed, 1 failed")
                return 1
            answer = post(
                engine, open(folder + "/headfcu.json").read(),
                {"Authorization": "Bearer " + token(secret)})
            if answer.get("result", {}).get("payloadStatus", {}).get("status") != "VALID":
                print(f"compat: headfcu.json: {answer}", file=sys.stderr)
                print("0 passed, 1 failed")
                return 1
            passed = failed = 0
            for group in sorted(os.listdir(folder)):
                if not os.path.isdir(f"{folder}/{group}"):
                    continue
                for name in sorted(os.listdir(f"{folder}/{group}")):
                    if not name.endswith(".io") or part not in f"{group}/{name}":
                        continue
                    try:
                        found = list(run_file(port, f"{folder}/{group}/{name}"))
                    except Exception as error:
                        found = [f"{type(error).__name__}: {error}"]
                    if found:
                        failed += 1
                        print(f"{group}/{name}")
                        for difference in found[:8]:
                            print(f"  {difference}")
                        if len(found) > 8:
                            print(f"  and {len(found) - 8} more")
                    else:
                        passed += 1
            print(f"{passed} passed, {failed} failed")
            return 1 if failed else 0
        finally:
            node.terminate()
            node.wait(timeout=30)


if __name__ == "__main__":
    sys.exit(main())
