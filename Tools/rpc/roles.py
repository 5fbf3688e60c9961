#!/usr/bin/env python3
"""A sequencer, a watcher and a forwarder, each a process of its own.

    Tools/rpc/roles.py .build/release/needletail [TRANSACTIONS] [SEED] [PART-OF-NAME]

Transactions go through the forwarder; the watcher and the forwarder must come to the sequencer's head
and root, though their connections are cut, they are killed, and the sequencer is started again. A
sequencer that keeps a wrong storage value must be found out, with the transaction that wrote the
value. The last line is `N passed, N failed`.
"""

import json
import random
import re
import select
import socket
import sys
import tempfile
import threading
import time

import rlp
from eth_account import Account
from eth_utils import keccak

from checks import Checks
from node import Node
from sockets import Connection

FIRST = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
SENDERS = 16
PRICE = {"maxFeePerGas": 10**12, "maxPriorityFeePerGas": 10**9, "chainId": 1337, "type": 2}
# calldata word 0 is the slot, word 1 the value: PUSH1 32 CALLDATALOAD PUSH1 0 CALLDATALOAD SSTORE
STORE = "60203560003555"

check = Checks()


class Proxy:
    """Passes connections on to a port, until it cuts them."""

    def __init__(self, target):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            self.sockets += [client, server]
            for pair in [(client, server), (server, client)]:
                threading.Thread(target=self.pump, args=pair, daemon=True).start()

    def pump(self, source, target):
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Ends all connections in the middle of whatever they carry."""
        sockets, self.sockets = self.sockets, []
        for end in sockets:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Trio:
    """The three nodes, the followers behind a proxy."""

    def __init__(self, binary, folder, **environment):
        self.binary = binary
        self.folder = folder
        self.environment = environment
        self.arguments = ["--dev", "--datadir", folder + "/sequencer", "--gas-limit", "200000000",
                          "--sync", "never"]
        self.sequencer = Node(binary, *self.arguments, **environment)
        self.proxy = Proxy(self.sequencer.port)
        self.watcher = self.follower("watcher")
        self.forwarder = self.follower("forwarder")

    def follower(self, role):
        url = f"ws://127.0.0.1:{self.proxy.port}"
        extra = ["--feed", url + "/feed"] if role == "watcher" else ["--sequencer", url]
        return Node(self.binary, "--role", role, "--datadir", f"{self.folder}/{role}", "--genesis",
                    self.folder + "/sequencer/genesis.json", "--sync", "never", *extra)

    def restart_sequencer(self):
        """Kills the sequencer and starts it again on another port."""
        self.sequencer.kill()
        self.sequencer = Node(self.binary, *self.arguments, **self.environment)
        self.proxy.target = self.sequencer.port
        self.proxy.cut()

    def heads(self):
        """The heads of the three, once they are the same, or after half a minute."""
        for _ in range(600):
            heads = [node.call("eth_getBlockByNumber", "latest", False)
                     for node in (self.sequencer, self.watcher, self.forwarder)]
            if len({head["hash"] for head in heads}) == 1:
                break
            time.sleep(0.05)
        return heads

    def agree(self):
        heads = self.heads()
        assert len({head["hash"] for head in heads}) == 1, [head["number"] for head in heads]
        assert len({head["stateRoot"] for head in heads}) == 1

    def metric(self, node, name):
        for line in node.page("/metrics").splitlines():
            if line.startswith(f"needletail_{name} "):
                return int(line.split()[1])
        raise KeyError(name)

    def stop(self):
        for node in (self.forwarder, self.watcher, self.sequencer):
            node.stop()


def accounts(seed):
    random.seed(seed)
    return [Account.from_key(random.randbytes(32)) for _ in range(SENDERS)]


def fund(node, senders):
    """Gives the senders ether; in a batch, so that they come in a few blocks."""
    funder = Account.from_key(KEY)
    nonce = int(node.call("eth_getTransactionCount", FIRST, "latest"), 16)
    send(node, [funder.sign_transaction({
        "to": sender.address, "value": 10**20, "gas": 21000, "nonce": nonce + index, **PRICE})
        for index, sender in enumerate(senders)])


def send(node, signed, tolerated=()):
    """Sends a batch; gives the hashes."""
    body = [{"jsonrpc": "2.0", "id": index, "method": "eth_sendRawTransaction",
             "params": [one.raw_transaction.to_0x_hex()]} for index, one in enumerate(signed)]
    answers = node.post(body, timeout=120)
    for answer, one in zip(answers, signed):
        if "error" in answer:
            assert any(text in answer["error"]["message"] for text in tolerated), answer
        else:
            assert answer["result"] == one.hash.to_0x_hex(), answer
    return answers


def load(trio, count, seed, disturb=None):
    """Sends transfers through the forwarder and gives their hashes; `disturb` is called now and then.

    What fails because a connection was cut is sent again until it is there."""
    senders = accounts(seed)
    fund(trio.sequencer, senders)
    trio.agree()
    hashes = []
    nonces = [0] * SENDERS
    batch = min(500, max(50, count // 20))
    began = time.time()
    while len(hashes) < count:
        signed = []
        for index in range(min(batch, count - len(hashes))):
            sender = (len(hashes) + index) % SENDERS
            signed.append(senders[sender].sign_transaction({
                "to": random.randbytes(20), "value": 1, "gas": 21000, "nonce": nonces[sender],
                **PRICE}))
            nonces[sender] += 1
        if disturb:
            disturb(len(hashes))
        for _ in range(200):
            tolerated = ("sequencer", "already known", "nonce too low") if disturb else ()
            answers = send(trio.forwarder, signed, tolerated)
            if not any("sequencer" in answer.get("error", {}).get("message", "")
                       for answer in answers):
                break
            time.sleep(0.05)
        hashes += [one.hash.to_0x_hex() for one in signed]
    print(f"{count} transactions through the forwarder in {time.time() - began:.1f} s",
          file=sys.stderr)
    return hashes


def every_one_is_there_once(trio, node, hashes):
    """All transactions are in the node's chain, and none twice."""
    found = []
    head = int(node.call("eth_blockNumber"), 16)
    for number in range(1, head + 1):
        found += node.call("eth_getBlockByNumber", hex(number), False)["transactions"]
    assert len(found) == len(set(found)), "a transaction is there twice"
    missing = set(hashes) - set(found)
    assert not missing, f"{len(missing)} of {len(hashes)} are missing"


@check
def the_three_agree(binary, folder, count, seed):
    trio = Trio(binary, folder)
    hashes = load(trio, count, seed)
    trio.agree()
    for node in (trio.sequencer, trio.watcher, trio.forwarder):
        every_one_is_there_once(trio, node, hashes)
    receipt = trio.forwarder.call("eth_getTransactionReceipt", hashes[-1])
    assert receipt == trio.sequencer.call("eth_getTransactionReceipt", hashes[-1])
    assert trio.metric(trio.watcher, "follower_differences_total") == 0
    assert trio.watcher.page("/ready") == "ready\n"
    # A watcher takes nothing.
    answer = trio.watcher.post({"id": 1, "method": "eth_sendRawTransaction", "params": ["0x02c0"]})
    assert "only watches" in answer["error"]["message"], answer
    # A receipt at once, through the forwarder.
    sender = accounts(seed)[0]
    nonce = int(trio.sequencer.call("eth_getTransactionCount", sender.address, "latest"), 16)
    signed = sender.sign_transaction(
        {"to": FIRST, "value": 1, "gas": 21000, "nonce": nonce, **PRICE})
    receipt = trio.forwarder.call(
        "eth_sendRawTransactionSync", signed.raw_transaction.to_0x_hex())
    assert receipt["status"] == "0x1", receipt
    trio.agree()
    trio.stop()


@check
def cut_and_killed_they_lose_nothing(binary, folder, count, seed):
    trio = Trio(binary, folder)
    steps = iter(range(1, 1000))

    def disturb(sent):
        step = next(steps)
        if step % 2 == 0:
            trio.proxy.cut()
        if step % 5 == 1:
            trio.watcher.kill()
            trio.watcher = trio.follower("watcher")
        if step % 7 == 3:
            trio.forwarder.kill()
            trio.forwarder = trio.follower("forwarder")
        if step % 9 == 5:
            trio.restart_sequencer()

    # The pool goes with the sequencer's process; blocks come with transactions, so that it is empty.
    hashes = load(trio, min(count, 5000), seed + 1, disturb)
    trio.agree()
    for node in (trio.sequencer, trio.watcher, trio.forwarder):
        every_one_is_there_once(trio, node, hashes)
    trio.stop()


@check
def goes_back_with_a_development_chain(binary, folder, count, seed):
    trio = Trio(binary, folder)
    load(trio, 100, seed + 2)
    snapshot = trio.sequencer.call("evm_snapshot")
    for value in range(3):
        trio.sequencer.call(
            "eth_sendTransaction", {"from": FIRST, "to": FIRST, "value": hex(value)})
    trio.agree()
    trio.sequencer.call("evm_revert", snapshot)
    trio.sequencer.call("eth_sendTransaction", {"from": FIRST, "to": FIRST, "value": "0x9"})
    trio.agree()
    trio.stop()


def transactions_of(part):
    """The hashes, outcomes and gas of a part's transactions."""
    return [(keccak(envelope).hex(), bool(status), int.from_bytes(gas, "big"))
            for envelope, status, gas in part[3]]


@check
def blocks_in_the_making_are_told(binary, folder, count, seed):
    """Parts come before their block, in order, and are what it has; a follower shows them as pending."""
    sequencer = Node(binary, "--dev", "--datadir", folder + "/s", "--block-time", "2000",
                     "--part-time", "50", "--sync", "never")
    watcher = Node(binary, "--role", "watcher", "--datadir", folder + "/w", "--genesis",
                   folder + "/s/genesis.json", "--feed", f"ws://127.0.0.1:{sequencer.port}/feed",
                   "--feed-parts")
    feed = Connection(sequencer, "/feed")
    feed.send('{"from": 1, "parts": true}')
    plain = Connection(sequencer, "/feed?from=1")
    sender = Account.from_key(KEY)
    waited, told, blocks, sent = [], [], [], []
    began = time.time()
    while len(blocks) < 3 or not sent or time.time() - began < 5:
        if len(sent) < 40 and len(sent) < (time.time() - began) * 20:
            one = sender.sign_transaction(
                {"to": FIRST, "value": 1, "gas": 21000, "nonce": len(sent), **PRICE})
            sequencer.call("eth_sendRawTransaction", one.raw_transaction.to_0x_hex())
            sent.append((one.hash.hex().removeprefix("0x"), time.time()))
        if not feed.buffer and not select.select([feed.socket], [], [], 0.02)[0]:
            continue
        _, payload = feed.frame()
        message = rlp.decode(payload)
        kind = int.from_bytes(message[0], "big")
        if kind == 3:
            number, _, first = (message[1][index] for index in range(3))
            assert int.from_bytes(number, "big") == len(blocks) + 1
            # Each part goes on where the one before ended.
            assert int.from_bytes(first, "big") == len(told), (first, told)
            told += transactions_of(message[1])
            assert len(message[2]) == 65
            times = dict(sent)
            waited += [time.time() - times[hash] for hash, _, _ in transactions_of(message[1])]
            hash = "0x" + told[-1][0]
            for _ in range(50):
                if found := watcher.call("eth_getTransactionByHash", hash):
                    break
                time.sleep(0.01)
            assert found["hash"] == hash and found["from"] == FIRST.lower(), found
        elif kind == 1:
            inside = [keccak(one if isinstance(one, bytes) else rlp.encode(one)).hex()
                      for one in message[1][1]]
            # What came last may be in the block before it is told of.
            assert inside[:len(told)] == [hash for hash, _, _ in told], (inside, told)
            receipts = [(bool(status), int.from_bytes(gas, "big"))
                        for _, status, gas, _ in message[3]]
            assert receipts[:len(told)] == [entry[1:] for entry in told]
            blocks.append(inside)
            told = []
    assert waited and sum(len(block) for block in blocks) >= len(waited)
    waited.sort()
    print(f"told after {waited[len(waited) // 2] * 1000:.0f} ms (median), "
          f"{waited[-1] * 1000:.0f} ms (longest), with blocks of 2 s", file=sys.stderr)
    # Who did not ask is told of blocks alone.
    kinds = [int.from_bytes(rlp.decode(plain.frame()[1])[0], "big") for _ in range(3)]
    assert kinds == [0, 1, 1], kinds
    page = watcher.page("/metrics")
    assert "needletail_follower_broken_promises_total 0" in page
    assert int(re.search(r"preconfirmed_transactions_total (\d+)", page)[1]) > 0
    for node in (watcher, sequencer):
        node.stop()


@check
def a_broken_promise_is_reported(binary, folder, count, seed):
    sequencer = Node(binary, "--dev", "--datadir", folder + "/s", "--block-time", "1000",
                     "--part-time", "50", "--sync", "never", NEEDLETAIL_FAULT="promise:2")
    watcher = Node(binary, "--role", "watcher", "--datadir", folder + "/w", "--genesis",
                   folder + "/s/genesis.json", "--feed", f"ws://127.0.0.1:{sequencer.port}/feed",
                   "--feed-parts")
    number = lambda node: int(node.call("eth_blockNumber"), 16)
    while number(watcher) < 1:
        time.sleep(0.01)
    hash = sequencer.call("eth_sendTransaction", {"from": FIRST, "to": FIRST, "value": "0x1"})
    while number(watcher) < 4:
        time.sleep(0.05)
    assert sequencer.call("eth_getTransactionReceipt", hash)["blockNumber"] == "0x2"
    page = watcher.page("/metrics")
    assert "needletail_follower_broken_promises_total 1" in page
    assert "needletail_follower_differences_total 0" in page
    with open(f"{folder}/w/broken-promise-2.json") as file:
        report = json.load(file)
    assert report["kind"] == "brokenPromise" and report["block"]["number"] == 2, report
    assert report["differences"] == [
        {"field": "preconfirmation.status", "transactionIndex": 0, "expected": "0x0",
         "got": "0x1"}], report
    assert report["transaction"] == {"index": 0, "hash": hash}, report
    # The promise is the sequencer's own message.
    kind, part, signature = rlp.decode(bytes.fromhex(report["promise"][2:]))
    assert kind == b"\x03" and len(signature) == 65
    assert "0x" + transactions_of(part)[0][0] == hash, report
    # It goes on.
    assert watcher.page("/ready") == "ready\n"
    for node in (watcher, sequencer):
        node.stop()


@check
def a_wrong_storage_value_is_found(binary, folder, count, seed):
    """Slot 5 is written by the third transaction of a block of five, and kept wrong."""
    trio = Trio(binary, folder, NEEDLETAIL_FAULT="storage:1:5")
    init = "0x66" + STORE + "5f5260076019f3"
    receipt = trio.sequencer.call("eth_getTransactionReceipt", trio.sequencer.call(
        "eth_sendTransaction", {"from": FIRST, "data": init}))
    contract = receipt["contractAddress"]
    senders = accounts(seed)
    fund(trio.sequencer, senders)
    trio.agree()
    good = trio.watcher.call("eth_getBlockByNumber", "latest", False)
    trio.sequencer.call("evm_setAutomine", False)
    signed = [sender.sign_transaction({
        "to": bytes.fromhex(contract[2:]), "gas": 100_000, "nonce": 0, "data": f"0x{slot:064x}{7:064x}", **PRICE,
        "maxPriorityFeePerGas": 10**9 * (10 - index)})
        for index, (sender, slot) in enumerate(zip(senders, [3, 4, 5, 6, 7]))]
    send(trio.sequencer, signed)
    trio.sequencer.call("evm_mine")
    bad = trio.sequencer.call("eth_getBlockByNumber", "latest", False)
    assert bad["transactions"][2] == signed[2].hash.to_0x_hex()
    number = int(bad["number"], 16)
    for node, role in ((trio.watcher, "watcher"), (trio.forwarder, "forwarder")):
        for _ in range(200):
            if trio.metric(node, "follower_differences_total") == 1:
                break
            time.sleep(0.05)
        with open(f"{folder}/{role}/difference-{number}.json") as file:
            report = json.load(file)
        assert report["kind"] == "difference", report
        assert report["block"] == {"number": number, "hash": bad["hash"]}, report
        assert report["transaction"] == {"index": 2, "hash": signed[2].hash.to_0x_hex()}, report
        first = report["differences"][0]
        assert first["field"] == "storage" and first["address"] == contract, report
        assert int(first["slot"], 16) == 5 and int(first["expected"], 16) == 7, report
        assert int(first["got"], 16) == 7 ^ 0xBAD, report
        assert {entry["field"] for entry in report["differences"][1:]} == {"header.stateRoot"}
        # It goes on serving what was right.
        assert node.call("eth_getBlockByNumber", "latest", False) == good
        assert "following has ended" in node.page("/ready", 503)
    trio.stop()


def main():
    binary = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    print(f"seed {seed}")

    def run_in_a_folder(function):
        with tempfile.TemporaryDirectory() as folder:
            function(binary, folder, count, seed)

    return check.run(run_in_a_folder, sys.argv[4] if len(sys.argv) > 4 else "")


if __name__ == "__main__":
    sys.exit(main())
