#!/usr/bin/env python3
"""Hostile clients: what they send must not hurt the node, nor other clients.

    Tools/rpc/fuzz.py .build/release/needletail [--requests 200000] [--seed 1] [--only INDEX]

Requests are generated from the node's own description (`rpc.discover`): values of the schemas, values at
their edges, and wrong ones; then text that is hardly JSON, and what is hardly HTTP. Every message follows
from the seed and its index alone: `--only` sends one again. The last line is `N passed, N failed`: one for
each kind of message, and the checks of the node afterwards.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import random
import re
import socket
import sys
import threading
import time
import urllib.request

from checks import Notes
from node import Node

ACCOUNT = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
# An account that no message names.
PLANTER = "0xa0ee7a142d267c1f36714e4a8f75612f20a79720"
WORDS = ["0x0", "0x1", "0x2", "0x20", "0xffffffffffff", "0xffffffffffffffff", "0x10000000000000000",
         "0x" + "f" * 64, "0x1" + "0" * 64, "0x00", "0x", "0X1", "-0x1", "0xg", "1", "", " 0x1",
         "0x" + "0" * 100_000]
OTHERS = [None, True, False, 0, 1, -1, 1.5, 1e308, 2**64, 2**63, -2**63, [], {}, [[]], [None], {"": {}},
          "latest", "pending", "earliest", "safe", "finalized", "\u0000", "\U0001f426", "é" * 1000]
# What is there now: the names stand for it until a message is sent.
NAMES = ["@transaction@", "@block@", "@parent@", "@filter@"]
# What takes away what others ask for is rare.
RARE = {"anvil_reset", "hardhat_reset", "anvil_rollback", "evm_revert", "anvil_revert"}
# What would take the node's time, as it is told to, or what another message relies on.
BOUNDED = {"count": 3, "seconds": 1000, "depth": 2, "milliseconds": 60_000, "secondsApart": 100}
TRACERS = ["callTracer", "prestateTracer", "4byteTracer", "noTracer", ""]


class Generator:
    """Messages of one seed."""

    def __init__(self, methods, seed):
        self.methods = methods
        self.seed = seed

    def known(self, r, schema):
        """Something that is there, where the schema says what it is."""
        pattern = schema.get("pattern", "")
        if "{40}" in pattern:
            return r.choice([ACCOUNT, "0x" + "00" * 19 + "01", "0x" + r.randbytes(20).hex()])
        if "{64}" in pattern:
            return r.choice(NAMES[:3] + ["0x" + r.randbytes(32).hex()])
        return None

    signed = []

    def value(self, r, schema, name="", depth=0):
        if name in BOUNDED and r.random() < 0.8:
            return hex(r.randrange(BOUNDED[name] + 1))
        if r.random() < 0.08:
            return r.choice(OTHERS)
        if r.random() < 0.08:
            return r.choice(WORDS)
        if "oneOf" in schema:
            return self.value(r, r.choice(schema["oneOf"]), name, depth)
        if "enum" in schema:
            return r.choice(schema["enum"])
        kind = schema.get("type")
        if kind == "boolean":
            return r.random() < 0.5
        if kind == "string":
            return self.text(r, schema, name)
        if kind == "array":
            items = schema.get("items", {"type": "string", "pattern": r.choice(["{40}", "{64}", ""])})
            return [self.value(r, items, "", depth + 1) for _ in range(r.choice([0, 1, 1, 2, 5]))]
        if kind == "object":
            members = schema.get("properties")
            if members is None:
                return self.options(r, depth)
            if "from" in members and r.random() < 0.5:
                return {"from": ACCOUNT, "to": r.choice([ACCOUNT, "0x" + "00" * 19 + "02", None]),
                        "data": "0x" + r.randbytes(r.choice([0, 4, 40])).hex(),
                        "value": hex(r.choice([0, 1, 2**60]))}
            return {
                key: self.value(r, value, key, depth + 1)
                for key, value in members.items() if r.random() < 0.35}
        return r.choice(OTHERS + WORDS[:6])

    def text(self, r, schema, name):
        if name in BOUNDED:
            return hex(r.randrange(BOUNDED[name] + 1))
        if (value := self.known(r, schema)) is not None:
            return value
        pattern = schema.get("pattern", "")
        if "[1-9a-f]" in pattern:
            return hex(r.choice([0, 1, 2, 21000, 10**6, r.getrandbits(r.choice([8, 32, 64]))]))
        if "{2})*" in pattern:
            return "0x" + r.randbytes(r.choice([0, 1, 4, 36, 100, 1000])).hex()
        if "{0,64}" in pattern:
            return "0x" + "%x" % r.getrandbits(r.choice([1, 8, 256]))
        return r.choice(["newHeads", "logs", "0x1", "x", "@filter@", "@filter@"])

    def options(self, r, depth):
        """Options of tracers, overrides, simulations: whatever is an object."""
        account = {k: r.choice(WORDS[:8]) for k in ["balance", "nonce"] if r.random() < 0.5}
        if r.random() < 0.3:
            account["code"] = "0x" + r.randbytes(20).hex()
        if r.random() < 0.3:
            account[r.choice(["state", "stateDiff"])] = {"0x" + "00" * 32: "0x" + "11" * 32}
        return r.choice([
            {"tracer": r.choice(TRACERS), "timeout": r.choice(["1s", "1ms", "x", 5]),
             "tracerConfig": {r.choice(["diffMode", "withLog", "onlyTopCall"]): r.random() < 0.7}},
            {ACCOUNT: account}, account, {ACCOUNT: ["0x0", "0x" + "00" * 32]},
            {"enableMemory": True, "limit": r.choice([0, 5, -1])},
            {"blockStateCalls": [{"calls": [{"from": ACCOUNT, "to": ACCOUNT}],
                                  "blockOverrides": {"number": r.choice(WORDS[:8])},
                                  "stateOverrides": {ACCOUNT: account}}],
             "validation": r.random() < 0.5},
            {r.choice(["number", "time", "gasLimit", "baseFeePerGas"]): r.choice(WORDS[:8])},
        ])

    def request(self, r, id):
        method = r.choice(self.methods)
        if method["name"] in RARE and r.random() < 0.9:
            method = self.methods[0]
        params = [
            self.value(r, parameter["schema"], parameter["name"])
            for parameter in method["params"]
            if parameter["required"] or r.random() < 0.6]
        if r.random() < 0.03:
            params.append(self.value(r, {}))
        if r.random() < 0.03 and params:
            params.pop()
        if method["name"].startswith("eth_sendRawTransaction") and r.random() < 0.7:
            params = [self.raw(r)]
        request = {"jsonrpc": "2.0", "id": id, "method": method["name"], "params": params}
        if r.random() < 0.02:
            request[r.choice(["jsonrpc", "id", "method", "params", "extra"])] = r.choice(OTHERS)
        return request

    def raw(self, r):
        """A transaction that nearly is one."""
        raw = bytearray(bytes.fromhex(r.choice(self.signed)[2:]))
        for _ in range(r.choice([0, 1, 1, 2, 8])):
            place = r.randrange(len(raw))
            match r.randrange(3):
                case 0: raw[place] = r.randrange(256)
                case 1: del raw[place:place + r.randrange(1, 9)]
                case 2: raw[place:place] = r.randbytes(r.randrange(1, 9))
            if not raw:
                break
        return "0x" + bytes(raw).hex()

    def message(self, index):
        """A body and how many requests it is; `None` for one whose answer can be anything."""
        r = random.Random(f"{self.seed}:{index}")
        choice = r.random()
        if choice < 0.55:
            return [json.dumps(self.request(r, 7)).encode(), 1]
        if choice < 0.85:
            count = r.choice([1, 2, 10, 40])
            return [json.dumps([self.request(r, i) for i in range(count)]).encode(), count]
        body = bytearray(json.dumps(self.request(r, 7)).encode())
        match r.randrange(6):
            case 0: body = bytearray(r.randbytes(r.randrange(200)))
            case 1: body = bytearray(r.choice([b"[", b'{"a":', b'[{"":']) * r.randrange(1, 30_000))
            case 2: body += body[:r.randrange(len(body))]
            case 3: del body[r.randrange(len(body)):]
            case _:
                for _ in range(r.randrange(1, 6)):
                    body[r.randrange(len(body))] = r.randrange(256)
        return [bytes(body), None]


def check(body, count, status, text):
    """What is wrong with an answer; `None` for nothing."""
    if status != 200:
        return f"status {status}"
    if not text:
        return None if count is None or b'"id"' not in body or count == 1 else "no answer"
    answer = json.loads(text)
    answers = answer if isinstance(answer, list) else [answer]
    if count is not None and count > 1 and len(answers) > count:
        return f"{len(answers)} answers to {count} requests"
    for one in answers:
        if not isinstance(one, dict) or ("result" in one) == ("error" in one):
            return f"neither a result nor an error: {text[:200]}"
        error = one.get("error")
        if error is None:
            continue
        if not isinstance(error.get("code"), int) or not isinstance(error.get("message"), str):
            return f"an error without code and message: {text[:200]}"
        if error["code"] == -32603:
            return f"an internal error: {error['message'][:300]}"
    return None


class Clients:
    """Several connections that send a range of messages."""

    def __init__(self, node, generator):
        self.node = node
        self.port = node.port
        self.generator = generator
        self.requests = 0
        self.failures = []
        self.names = {}
        self.lock = threading.Lock()

    def plant(self):
        """Sees to it that there is something to ask for."""
        try:
            self.node.call("evm_setAutomine", True)
            sent = self.node.call(
                "eth_sendTransaction", {"from": PLANTER, "to": PLANTER, "gas": "0x5208"})
        except RuntimeError:
            return  # Somebody has set a base fee that nobody can pay; the next block has another.
        head = self.node.call("eth_getBlockByNumber", "latest", False)
        values = [sent, head["hash"], head["parentHash"], self.node.call("eth_newFilter", {})]
        self.names = {name.encode(): value.encode() for name, value in zip(NAMES, values)}

    def send(self, connection, index):
        body, count = self.generator.message(index)
        for name, value in self.names.items():
            body = body.replace(name, value)
        connection.request("POST", "/", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        try:
            problem = check(body, count, response.status, text)
        except ValueError as error:
            problem = f"not JSON: {error}: {text[:100]}"
        with self.lock:
            self.requests += count or 1
            if problem:
                self.failures.append((index, problem, body[:400]))

    def run(self, first, last, workers, wanted=None):
        def work(place):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            for index in range(first + place, last, workers):
                if len(self.failures) > 20 or wanted and self.requests >= wanted:
                    break
                try:
                    if index % 64 == 0:
                        self.plant()
                    self.send(connection, index)
                except Exception as error:
                    with self.lock:
                        self.failures.append((index, f"{type(error).__name__}: {error}", b""))
                    connection.close()
                    connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        threads = [threading.Thread(target=work, args=(place,)) for place in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def probe(port, stop, queue):
    """Another client: how long it waits for a balance, in milliseconds."""
    times = []
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_getBalance",
                       "params": [ACCOUNT, "latest"]})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while not stop.is_set():
        start = time.perf_counter()
        try:
            connection.request("POST", "/", body)
            connection.getresponse().read()
        except OSError:
            connection.close()
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        times.append((time.perf_counter() - start) * 1000)
        time.sleep(0.01)
    queue.put(sorted(times))


def measured(port, work):
    """Does work while another client asks; gives its median, 99th percentile, longest and count."""
    stop, queue = multiprocessing.Event(), multiprocessing.Queue()
    process = multiprocessing.Process(target=probe, args=(port, stop, queue))
    process.start()
    work()
    stop.set()
    times = queue.get(timeout=120)
    process.join()
    return (times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)], times[-1],
            len(times))


def silent(node, methods):
    """Methods that never gave a result: the generator does not reach them."""
    with urllib.request.urlopen(node.url + "/metrics", timeout=30) as response:
        text = response.read().decode()

    def counts(name):
        return {
            found[1]: int(found[2])
            for found in re.finditer(name + r'{method="([^"]+)"} (\d+)', text)}

    calls, errors = counts("needletail_rpc_seconds_count"), counts("needletail_rpc_errors_total")
    return sorted(
        method["name"] for method in methods
        if calls.get(method["name"], 0) <= errors.get(method["name"], 0))


def bad_http(port, seed):
    """Connections that hardly speak HTTP; each may be closed or refused."""
    r = random.Random(f"{seed}:http")
    host = b"Host: localhost\r\n"
    starts = [
        b"GET", b"\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFF\r\n",
        b"POST / HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"POST / HTTP/1.1\r\n" + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(20_000)) + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + host + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"DELETE / HTTP/1.1\r\n" + host + b"\r\n", b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + host + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    ]
    for index in range(400):
        text = r.choice(starts)
        if b"websocket" in text:
            text += r.randbytes(r.randrange(200))
        elif r.random() < 0.3:
            text = text[:r.randrange(len(text) + 1)]
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            try:
                connection.sendall(text)
                if r.random() < 0.7:
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(5)
                    while connection.recv(65536):
                        pass
            except OSError:
                pass


def oversized(port):
    """Bodies beyond the limit are refused, announced or not."""
    for chunked in [False, True]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        piece = b"x" * (1 << 20)
        try:
            if chunked:
                connection.request("POST", "/", (piece for _ in range(8)), encode_chunked=True)
            else:
                connection.request("POST", "/", piece * 8)
        except OSError:
            pass  # It is closed while we send.
        try:
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            status = None
        if status not in (413, None):
            return f"a body of 8 MiB is answered with status {status}"
    return None


def idle(port, count):
    """Opens connections that send nothing, or a request byte by byte; gives them."""
    sockets = []
    for index in range(count):
        connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        if index % 2:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\nX-Slow: ")
        sockets.append(connection)
    return sockets


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--only", type=int)
    options = parser.parse_args()
    print(f"seed {options.seed}")

    node = Node(options.binary, "--dev")
    note = Notes()

    methods = node.call("rpc.discover")["methods"]
    Generator.signed = [
        node.call("eth_signTransaction", {
            "from": ACCOUNT, "to": ACCOUNT, "nonce": hex(nonce), "gas": "0x5208",
            "maxFeePerGas": "0x174876e800", "maxPriorityFeePerGas": "0x1"})["raw"]
        for nonce in [*range(0, 64, 2), 10**6]]
    generator = Generator(methods, options.seed)
    clients = Clients(node, generator)
    clients.plant()
    if options.only is not None:
        body, count = generator.message(options.only)
        print(body[:2000].decode(errors="replace"))
        clients.run(options.only, options.only + 1, 1)
        print(clients.failures)
        return 1 if clients.failures else 0

    before = measured(node.port, lambda: time.sleep(2))
    start = time.perf_counter()
    during = measured(
        node.port, lambda: clients.run(0, 1 << 40, options.workers, options.requests))
    seconds = time.perf_counter() - start
    for index, problem, body in clients.failures[:10]:
        print(f"message {index} of seed {options.seed}: {problem}\n  {body}")
    note(f"{clients.requests} requests in {seconds:.0f} s",
         f"{len(clients.failures)} are answered wrongly" if clients.failures else None)

    never = silent(node, methods)
    note(f"{len(methods) - len(never)} of {len(methods)} methods gave a result",
         None if len(never) * 6 < len(methods) else f"these did not: {never}")
    print(f"without a result: {', '.join(never)}")

    note("other clients are served meanwhile", None if during[2] < 10_000 else
         f"one waited {during[2] / 1000:.0f} s")
    bad_http(node.port, options.seed)
    note("400 connections that hardly speak HTTP")
    note("bodies of 8 MiB", oversized(node.port))
    sockets = idle(node.port, options.idle)
    crowded = measured(node.port, lambda: time.sleep(2))
    note(f"{options.idle} idle and slow connections")
    for connection in sockets:
        connection.close()

    note.survives(node, 2048)
    note.waits({"before": before, "under fuzz": during, "with idle connections": crowded})
    return note.end()


if __name__ == "__main__":
    sys.exit(main())
