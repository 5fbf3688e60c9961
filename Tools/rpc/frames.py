#!/usr/bin/env python3
"""Hostile frames on the feed and on the ingest socket: they must not hurt the node, nor other clients.

    Tools/rpc/frames.py .build/release/needletail [--frames 100000] [--seed 1]

Sessions follow from the seed and their number: frames that are right, mutated, cut off, or of wrong
lengths; clients that do not read; a sequencer that sends nonsense to a watcher. The last line is
`N passed, N failed`.
"""

import argparse
import base64
import os
import random
import socket
import struct
import sys
import tempfile
import threading
import time
from collections import Counter

from eth_account import Account

from checks import Notes
from fuzz import measured
from node import Node

KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
FIRST = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
CLOSE_CODES = {1000, 1002, 1007, 1008, 1009, 1013}
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


def exactly(connection, count):
    """So many bytes; fewer where the other end has closed."""
    data = b""
    while len(data) < count:
        try:
            piece = connection.recv(count - len(data))
        except ConnectionResetError:
            break
        if not piece:
            break
        data += piece
    return data


# The ingest socket


def batch(number, transactions):
    body = struct.pack(">QI", number, len(transactions))
    for one in transactions:
        body += struct.pack(">I", len(one)) + one
    return struct.pack(">I", len(body)) + body


def answer(connection):
    """An answer: status, batch, accepted, refused, errors; `None` at the end."""
    head = exactly(connection, 4)
    if len(head) < 4:
        return None
    length, = struct.unpack(">I", head)
    assert 19 <= length < 1 << 16, f"an answer of {length} bytes"
    body = exactly(connection, length)
    assert len(body) == length, "an answer is cut off"
    status, number, accepted, refused, errors = struct.unpack(">BQIIH", body[:19])
    assert status <= 1 and errors <= 16, body
    texts, rest = [], body[19:]
    for _ in range(errors):
        place, size = struct.unpack(">IH", rest[:6])
        texts.append((place, rest[6:6 + size].decode()))
        rest = rest[6 + size:]
    assert not rest, "an answer has bytes too many"
    return status, number, accepted, refused, texts


def malformed(r, transactions):
    """A frame that the protocol does not allow."""
    good = batch(1, r.sample(transactions, 2))
    return r.choice([
        struct.pack(">I", r.choice([0, 1, 11])) + b"x" * 11,
        struct.pack(">I", r.choice([(4 << 20) + 1, 1 << 31, 2**32 - 1])) + good,
        struct.pack(">IQI", 12, 1, r.choice([1, 10_001, 2**32 - 1])),
        struct.pack(">IQI", 13, 1, 0) + b"\0",
        struct.pack(">IQII", 16, 1, 1, r.choice([1, 9, 2**32 - 1])),
        # A length inside that leads beyond the frame, or leaves bytes over.
        good[:16] + struct.pack(">I", r.choice([0, 7, len(good), 2**31])) + good[20:],
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40),
    ])


def mutated(r, transaction):
    data = bytearray(transaction)
    for _ in range(r.randrange(1, 6)):
        kind = r.randrange(4)
        place = r.randrange(len(data)) if data else 0
        if kind == 0 and data:
            data[place] ^= 1 << r.randrange(8)
        elif kind == 1 and data:
            del data[place:place + r.randrange(1, 20)]
        elif kind == 2:
            data[place:place] = r.randbytes(r.randrange(1, 20))
        elif data:
            data[place] = r.choice([0, 0x7f, 0x80, 0xb7, 0xbf, 0xc0, 0xf7, 0xff])
    return bytes(data)


def ingest_session(port, r, transactions, seen):
    """One connection; gives how many frames were sent."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        wanted, frames, ends = {}, 0, None
        for number in range(r.randrange(1, 12)):
            frames += 1
            kind = r.random()
            if kind < 0.08:
                ends = "malformed"
                connection.sendall(malformed(r, transactions))
                break
            if kind < 0.16:
                ends = "cut off"
                whole = batch(number, r.sample(transactions, 3))
                connection.sendall(whole[:r.randrange(len(whole))])
                break
            if kind < 0.2:
                ends = "noise"
                connection.sendall(r.randbytes(r.randrange(1, 3000)))
                break
            some = r.sample(transactions, r.choice([0, 1, 2, 5, 20]))
            if kind < 0.8:
                some = [mutated(r, one) if r.random() < 0.7 else one for one in some]
            elif kind < 0.85:
                some.append(bytes(r.choice([131_072, 131_073, 300_000])))
                if len(some[-1]) > 131_072:
                    ends = "malformed"
                    connection.sendall(batch(number, some))
                    break
            wanted[number] = len(some)
            connection.sendall(batch(number, some))
        if ends in ("cut off", "noise"):
            try:
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        while (wanted or ends) and (found := answer(connection)) is not None:
            status, number, accepted, refused, texts = found
            if status == 1:
                assert ends in ("malformed", "noise"), (ends, texts)
                assert len(texts) == 1 and texts[0][1], texts
                seen[texts[0][1][:40]] += 1
                ends = "told"
                continue
            assert accepted + refused == wanted.pop(number), (found, number)
            assert len(texts) == min(refused, 16), found
            assert all(text for _, text in texts), texts
            seen["accepted"] += accepted
            seen["refused"] += refused
        if ends is None:
            assert not wanted, f"{len(wanted)} batches were not answered"
        assert ends != "malformed", "a malformed frame was not told of"
        return frames


def ingest_flood(port, transactions, count):
    """Clients that send and do not read; gives the frames sent, and the open connections."""
    frame = batch(7, transactions[:3])
    sent, open_ones = 0, []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port), timeout=2)
        open_ones.append(connection)
        try:
            for _ in range(100):
                connection.sendall(frame * 20)
                sent += 20
        except OSError:
            pass
    return sent, open_ones


# The feed


def upgrade(port, path):
    """A connection after its handshake; `None` where it was refused."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(1)
        if not piece:
            break
        head += piece
    if b" 101 " not in head:
        connection.close()
        return None
    return connection


def frame(payload, opcode, masked=True, fin=True, bits=0, length=None):
    length = len(payload) if length is None else length
    head = bytes([(128 if fin else 0) | bits | opcode])
    mask = 128 if masked else 0
    if length < 126:
        head += bytes([mask | length])
    elif length < 1 << 16:
        head += bytes([mask | 126]) + struct.pack(">H", length)
    else:
        head += bytes([mask | 127]) + struct.pack(">Q", length)
    return head + (bytes(4) if masked else b"") + payload


def received(connection):
    """The opcode and payload of a frame; `None` at the end."""
    head = exactly(connection, 2)
    if len(head) < 2:
        return None
    length = head[1] & 127
    if length == 126:
        length, = struct.unpack(">H", exactly(connection, 2))
    elif length == 127:
        length, = struct.unpack(">Q", exactly(connection, 8))
    payload = exactly(connection, length)
    return (head[0] & 15, payload) if len(payload) == length else None


def first_message(r):
    number = r.choice([0, 1, 2, 10**6, 2**63 - 1, 2**64 - 1, 2**64, -1, "1", None, 1.5, [1], {}])
    text = str(number).replace("'", '"').replace("None", "null")
    return r.choice([
        f'{{"from": {text}}}', f'{{"from": {text}, "parts": true}}', f'{{"parts": {text}}}',
        "[" * r.choice([1, 70, 5000]), "{}", "", "null", f'{{"from": 1, "from": {text}}}',
        f'{{"from": 1}}{text}',
    ]).encode()


def feed_session(port, r, seen):
    """One connection; gives how many frames were sent."""
    query = r.choice(["", "?from=1", "?from=1&parts=1", "?from=0", "?from=18446744073709551615",
                      "?from=18446744073709551616", "?from=-1", "?from=", "?from=%31", "?&&&=&",
                      "?from=1&from=2", "?parts=1", "?" + "x" * r.choice([10, 5000])])
    connection = upgrade(port, "/feed" + query)
    if connection is None:
        seen["refused the handshake"] += 1
        return 1
    with connection:
        frames = 0
        try:
            for _ in range(r.randrange(1, 8)):
                frames += 1
                kind = r.random()
                payload = first_message(r)
                if kind < 0.4:
                    data = frame(payload, r.choice([TEXT, BINARY]))
                elif kind < 0.5:
                    place = r.randrange(len(payload) + 1)
                    data = (frame(payload[:place], TEXT, fin=False)
                            + frame(payload[place:], r.choice([0, 0, TEXT])))
                elif kind < 0.6:
                    data = frame(r.randbytes(r.randrange(200)), r.choice([PING, CLOSE, 10, 3, 11]))
                elif kind < 0.7:
                    data = frame(payload, TEXT, masked=r.random() < 0.5, bits=r.choice([0, 64, 16]))
                elif kind < 0.8:
                    data = frame(payload, TEXT, length=r.choice([0, 1 << 40, 2**63, 6 << 20, 200]))
                elif kind < 0.9:
                    data = r.randbytes(r.randrange(1, 500))
                else:
                    data = bytearray(frame(payload, TEXT))
                    data[r.randrange(len(data))] ^= 1 << r.randrange(8)
                connection.sendall(data)
            # Some wait for what comes, some are gone at once.
            if r.random() < 0.5:
                return frames
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        while (found := received(connection)) is not None:
            opcode, payload = found
            if opcode == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1000
                # What the client said is said back.
                seen[f"closed with {code if code in CLOSE_CODES else 'its own code'}"] += 1
            elif opcode == BINARY:
                assert payload[0] >= 0xC0, payload[:20]
                seen["messages"] += 1
        return frames


def feed_flood(port, count):
    """Followers that ask for all and do not read; gives them."""
    return [one for one in (upgrade(port, "/feed?from=1&parts=1") for _ in range(count)) if one]


# A watcher, and who tells it nonsense


def capture(port, count):
    """Messages of the feed from its beginning."""
    connection = upgrade(port, "/feed?from=1")
    messages = []
    with connection:
        while len(messages) < count:
            opcode, payload = received(connection)
            if opcode == BINARY:
                messages.append(payload)
    return messages


class Liar:
    """A sequencer's feed with mutated messages."""

    def __init__(self, messages, r):
        self.messages, self.r = messages, r
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = self.sent = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        import hashlib
        while True:
            connection, _ = self.listener.accept()
            self.connections += 1
            try:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(4096) or b"\r\n\r\n"
                key = [line.split(b": ")[1] for line in head.split(b"\r\n")
                       if line.lower().startswith(b"sec-websocket-key")][0]
                accept = base64.b64encode(hashlib.sha1(
                    key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
                connection.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
                for index, message in enumerate(self.messages):
                    if index > 0 or self.connections % 2:
                        message = mutated(self.r, message)
                    self.sent += 1
                    connection.sendall(frame(
                        message, BINARY, masked=False,
                        length=None if self.r.random() < 0.9 else self.r.choice([0, 2**62])))
                exactly(connection, 4)
            except (OSError, IndexError):
                pass
            connection.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--frames", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    note = Notes()

    with tempfile.TemporaryDirectory() as folder:
        node = Node(options.binary, "--dev", "--datadir", folder + "/s", "--ingest-port", "0",
                    "--sync", "never")
        account = Account.from_key(KEY)
        transactions = [account.sign_transaction({
            "to": FIRST, "value": nonce, "gas": 21000, "nonce": nonce, "chainId": 1337, "type": 2,
            "maxFeePerGas": 10**12, "maxPriorityFeePerGas": 10**9}).raw_transaction
            for nonce in range(200)]

        def sessions(name, count, run):
            seen, frames, number, problems = Counter(), 0, 0, []
            began = time.time()
            while frames < count and len(problems) < 5:
                number += 1
                r = random.Random(f"{options.seed}:{name}:{number}")
                try:
                    frames += run(r, seen)
                except Exception as error:
                    problems.append(f"session {number}: {type(error).__name__}: {error}")
            note(f"{name}: {frames} frames in {number} sessions, {time.time() - began:.0f} s",
                 "; ".join(problems))
            for text, times in seen.most_common(12):
                print(f"  {times:7} {text}")
            return frames

        before = measured(node.port, lambda: time.sleep(1))
        latency = {}
        half = options.frames // 2
        latency["under ingest frames"] = measured(node.port, lambda: sessions(
            "ingest", half,
            lambda r, seen: ingest_session(node.ingest_port, r, transactions, seen)))
        latency["under feed frames"] = measured(node.port, lambda: sessions(
            "feed", half, lambda r, seen: feed_session(node.port, r, seen)))

        flood = []

        def floods():
            nonlocal flood
            sent, flood = ingest_flood(node.ingest_port, transactions, 20)
            note(f"{sent} batches of 20 clients that do not read")
            flood += feed_flood(node.port, 200)
            node.call("eth_sendTransaction", {"from": FIRST, "to": FIRST, "value": "0x1"})
            note("200 followers that do not read")

        latency["under floods"] = measured(node.port, floods)
        with socket.create_connection(("127.0.0.1", node.ingest_port), timeout=60) as other:
            other.sendall(batch(9, []))
            found = answer(other)
        note("another ingest client is served meanwhile",
             None if found == (0, 9, 0, 0, []) else f"{found}")
        for connection in flood:
            connection.close()

        for _ in range(3):
            node.call("evm_mine")
        liar = Liar(capture(node.port, 3), random.Random(f"{options.seed}:liar"))
        watcher = Node(options.binary, "--role", "watcher", "--datadir", folder + "/w", "--genesis",
                       folder + "/s/genesis.json", "--feed", f"ws://127.0.0.1:{liar.port}/feed")
        deadline = time.time() + 20
        while liar.connections < 5 and time.time() < deadline:
            time.sleep(0.1)
        ready = watcher.process.poll() is None
        note(f"a watcher bears {liar.sent} messages of a liar on {liar.connections} connections",
             None if ready and watcher.call("eth_blockNumber") == "0x0" else "it does not")
        if ready:
            watcher.stop()

        note.waits({"before": before, **latency})
        worst = max(times[2] for times in latency.values())
        note("other clients are served meanwhile", None if worst < 10_000 else
             f"one waited {worst / 1000:.0f} s")
        note.survives(node, 1024)
    return note.end()


if __name__ == "__main__":
    try:
        sys.exit(main())
    finally:
        for node in list(Node.running):
            node.kill()
