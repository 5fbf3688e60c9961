#!/usr/bin/env python3
"""WebSocket connections to a node: what RFC 6455 asks for, hostile frames, slow readers.

    Tools/rpc/sockets.py .build/release/needletail

Frames are written by hand, so that they can be wrong. The last line is `N passed, N failed`.
"""

import base64
import json
import os
import socket
import struct
import sys
import threading
import time

from checks import Checks
from node import Node

FIRST = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

check = Checks()


class Connection:
    """A WebSocket connection that sends what it is told to."""

    def __init__(self, node, path="/", headers=(), wants=101):
        self.socket = socket.create_connection(("127.0.0.1", node.port), timeout=20)
        self.buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{node.port}", "Upgrade: websocket",
                 "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
                 *headers]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer:
            self.receive()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.status = int(head.split()[1])
        assert self.status == wants, head

    def receive(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionResetError
        self.buffer += data

    def take(self, count):
        while len(self.buffer) < count:
            self.receive()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def send(self, payload, opcode=TEXT, fin=True, masked=True, bits=0):
        if isinstance(payload, str):
            payload = payload.encode()
        head = bytes([(128 if fin else 0) | bits | opcode])
        mask = 128 if masked else 0
        if len(payload) < 126:
            head += bytes([mask | len(payload)])
        elif len(payload) < 1 << 16:
            head += bytes([mask | 126]) + struct.pack(">H", len(payload))
        else:
            head += bytes([mask | 127]) + struct.pack(">Q", len(payload))
        # A mask of zeros changes nothing.
        self.socket.sendall(head + (bytes(4) if masked else b"") + payload)

    def frame(self):
        first, second = self.take(2)
        length = second & 127
        if length == 126:
            length, = struct.unpack(">H", self.take(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.take(8))
        assert not second & 128, "a server masks nothing"
        return first & 15, self.take(length)

    def message(self):
        while True:
            opcode, payload = self.frame()
            if opcode == TEXT:
                return json.loads(payload)
            assert opcode in (PING, PONG), (opcode, payload)

    def call(self, method, *parameters, id=1):
        self.send(json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters}))
        return self.message()

    def close_code(self):
        """The code of the close frame that comes next, after answers; the connection ends."""
        while True:
            opcode, payload = self.frame()
            if opcode == CLOSE:
                break
        try:
            while True:
                self.receive()
        except (ConnectionResetError, BrokenPipeError):
            return struct.unpack(">H", payload[:2])[0]


@check
def answers_requests_batches_and_pings(node):
    connection = Connection(node)
    assert connection.call("eth_chainId") == {"jsonrpc": "2.0", "id": 1, "result": "0x539"}
    connection.send(json.dumps([{"id": n, "method": "eth_chainId"} for n in range(3)]), BINARY)
    assert [answer["id"] for answer in connection.message()] == [0, 1, 2]
    connection.send(b"are you there", PING)
    assert connection.frame() == (PONG, b"are you there")
    connection.send(struct.pack(">H", 1000) + b"bye", CLOSE)
    assert connection.close_code() == 1000


@check
def puts_fragments_together(node):
    connection = Connection(node)
    text = b'{"id":1,"method":"eth_chainId"}'
    connection.send(text[:5], TEXT, fin=False)
    connection.send(b"", PING)
    for byte in text[5:-1]:
        connection.send(bytes([byte]), 0, fin=False)
    connection.send(text[-1:], 0)
    assert connection.frame() == (PONG, b"")
    assert connection.message()["result"] == "0x539"


@check
def refuses_what_the_protocol_does_not_allow(node):
    wrong = [
        (1002, lambda c: c.send("{}", masked=False)),
        (1002, lambda c: c.send("{}", bits=64)),
        (1002, lambda c: c.send("{}", opcode=3)),
        (1002, lambda c: c.send("{}", opcode=11)),
        (1002, lambda c: c.send("{}", opcode=0)),
        (1002, lambda c: (c.send("{", fin=False), c.send("}"))),
        (1002, lambda c: c.send("x", opcode=PING, fin=False)),
        (1002, lambda c: c.send("x" * 126, opcode=PING)),
        (1002, lambda c: c.send(b"\x03", opcode=CLOSE)),
        (1007, lambda c: c.send(b"\xff\xfe{}")),
        (1007, lambda c: (c.send(b"\xe2\x82", fin=False), c.send(b"{}", opcode=0))),
        (1007, lambda c: c.send(struct.pack(">H", 1000) + b"\xff", opcode=CLOSE)),
        (1009, lambda c: c.socket.sendall(b"\x81\xff" + struct.pack(">Q", 1 << 40) + bytes(4))),
        (1009, lambda c: [c.send(b"x", TEXT if n == 0 else 0, fin=False) for n in range(1100)]),
    ]
    for number, (code, send) in enumerate(wrong):
        connection = Connection(node)
        try:
            send(connection)
        except (ConnectionResetError, BrokenPipeError):
            pass
        found = connection.close_code()
        assert found == code, f"case {number}: {found}, expected {code}"
    assert Connection(node).call("eth_chainId")["result"] == "0x539"


@check
def bounds_a_message_in_fragments(node):
    connection = Connection(node)
    part = b"x" * (1 << 20)
    try:
        for number in range(8):
            connection.send(part, TEXT if number == 0 else 0, fin=False)
    except (ConnectionResetError, BrokenPipeError):
        pass
    assert connection.close_code() == 1009


@check
def refuses_other_pages_and_paths(node):
    Connection(node, headers=["Origin: https://example.org"], wants=403)
    Connection(node, path="/nothing", wants=404)
    evil = socket.create_connection(("127.0.0.1", node.port))
    evil.sendall(b"GET / HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\n"
                 b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                 b"Sec-WebSocket-Version: 13\r\n\r\n")
    assert b" 403 " in evil.recv(100)


@check
def tells_subscribers(node):
    connection = Connection(node)
    names = {}
    for kind in ["newHeads", "newPendingTransactions", "logs", "transactionReceipts"]:
        names[connection.call("eth_subscribe", kind)["result"]] = kind
    full = connection.call("eth_subscribe", "newPendingTransactions", True)["result"]
    names[full] = "full"
    hash = node.call("eth_sendTransaction", {"from": FIRST, "to": FIRST, "value": "0x1"})
    told = {}
    for _ in range(4):
        message = connection.message()
        assert message["method"] == "eth_subscription"
        told[names[message["params"]["subscription"]]] = message["params"]["result"]
    block = node.call("eth_getBlockByNumber", "latest", False)
    assert told["newHeads"]["hash"] == block["hash"]
    assert told["newPendingTransactions"] == hash and told["full"]["hash"] == hash
    assert told["transactionReceipts"] == [node.call("eth_getTransactionReceipt", hash)]
    assert connection.call("eth_unsubscribe", full) == {"jsonrpc": "2.0", "id": 1, "result": True}
    assert "error" in connection.call("eth_unsubscribe", full)
    assert connection.call("eth_subscribe", "gossip")["error"]["code"] == -32601
    answer = node.post({"id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
    assert answer["error"]["code"] == -32601


@check
def tells_of_logs_that_are_taken_back(node):
    # Code that logs 32 zero bytes under the topic 7.
    code = "600760205fa100"
    init = "0x66" + code + "5f5260076019f3"
    receipt = node.call("eth_getTransactionReceipt", node.call(
        "eth_sendTransaction", {"from": FIRST, "data": init}))
    address = receipt["contractAddress"]
    connection = Connection(node)
    wanted = {"address": address, "topics": [["0x" + f"{7:064x}", "0x" + f"{8:064x}"]]}
    connection.call("eth_subscribe", "logs", wanted)
    other = dict(wanted, topics=["0x" + f"{9:064x}"])
    connection.call("eth_subscribe", "logs", other)
    snapshot = node.call("evm_snapshot")
    hash = node.call("eth_sendTransaction", {"from": FIRST, "to": address})
    log = connection.message()["params"]["result"]
    assert log == node.call("eth_getTransactionReceipt", hash)["logs"][0] and not log["removed"]
    node.call("evm_revert", snapshot)
    assert connection.message()["params"]["result"] == dict(log, removed=True)


@check
def drops_who_does_not_read(node):
    """Answers of some megabytes that nobody reads: the connection goes, others are served."""
    slow = Connection(node)
    # A busy machine takes a while to make more answers than it keeps.
    slow.socket.settimeout(15)
    request = json.dumps([{"id": n, "method": "rpc_modules"} for n in range(1000)])
    for _ in range(10_000):
        try:
            slow.send(request)
        except (TimeoutError, ConnectionResetError, BrokenPipeError):
            break
    assert Connection(node).call("eth_chainId")["result"] == "0x539"
    slow.socket.settimeout(20)
    try:
        while slow.socket.recv(1 << 20):
            pass
    except ConnectionResetError:
        pass
    assert node.memory() < 700 << 20, f"{node.memory() >> 20} MiB"


@check
def bears_a_flood_of_messages(node):
    """Each message is answered in the end, though they come faster than they are answered."""
    connection = Connection(node)
    frame = b'{"id":1,"method":"eth_blockNumber"}'
    one = bytes([129, 128 | len(frame)]) + bytes(4) + frame
    count = 20_000
    sender = threading.Thread(target=connection.socket.sendall, args=(one * count,))
    sender.start()
    began = time.time()
    answers = 0
    while answers < count:
        assert connection.message()["id"] == 1
        answers += 1
    sender.join()
    print(f"{count / (time.time() - began):.0f} requests/s over one WebSocket", file=sys.stderr)


@check
def bears_many_idle_connections(node):
    connections = [Connection(node) for _ in range(1000)]
    assert node.call("eth_chainId") == "0x539"
    assert connections[-1].call("eth_chainId")["result"] == "0x539"
    for connection in connections:
        connection.socket.close()


def main():
    node = Node(sys.argv[1], "--dev")
    return check.run(lambda function: function(node), end=node.stop)


if __name__ == "__main__":
    sys.exit(main())
