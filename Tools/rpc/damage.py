#!/usr/bin/env python3
"""Ends a node at the worst moments, damages its log, fills its disk: what it acknowledged must be there.

    Tools/rpc/damage.py .build/release/needletail [ROUNDS] [SEED]

Each round: the node ends itself at every point that NEEDLETAIL_STOP_AT names, under load; the end of
the log of a node that ended well is cut, flipped, or followed by half an entry. A flipped entry of a block
that was acknowledged and not stored must be refused. Then a second node on a folder that has one; copies, exports and imports of a folder while its node works; and a node on a small
tmpfs until the disk is full (root alone can mount it). Each time all acknowledged receipts must be as
they were, once, and at the end a node that imports nothing but the blocks must come to the same head.
The last line is `N passed, N failed`.
"""

import os
import random
import subprocess
import sys
import tempfile
import threading
import time

from eth_account import Account

from kills import KEYS, load, reimport
from node import Node

POINTS = ["before-append", "during-append", "after-append", "after-commit", "during-store",
          "after-store"]


class Count:
    passed = 0
    failed = 0

    def __call__(self, name, fault):
        if fault:
            self.failed += 1
            print(f"{name}: {fault}")
        else:
            self.passed += 1


def lost(node, acknowledged):
    """What is wrong with the receipts that were given, if anything."""
    for receipt in acknowledged:
        found = node.call("eth_getTransactionReceipt", receipt["transactionHash"])
        if found != receipt:
            return f"{receipt['transactionHash']} is {found}, not {receipt}"
    return None


def run_until_it_ends(binary, arguments, point, acknowledged, times=(1, 8)):
    """Loads a node that ends itself; gives what went wrong."""
    node = Node(binary, *arguments, NEEDLETAIL_STOP_AT=f"{point}:{random.randint(*times)}")
    end = threading.Event()
    end.problem = None
    threads = [threading.Thread(target=load, args=(node, key, acknowledged, end)) for key in KEYS]
    for thread in threads:
        thread.start()
    try:
        status = node.process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        node.kill()
        return f"it did not end at {point}"
    finally:
        end.set()
        for thread in threads:
            thread.join()
    return None if status == -9 else f"it ended with {status}"


def newest_log(chain):
    folder = chain + "/log"
    return folder + "/" + max(name for name in os.listdir(folder) if name.endswith(".log"))


def damage_log(chain):
    """Damages the end of the newest log file; gives a name for it."""
    path = newest_log(chain)
    size = os.path.getsize(path)
    kind = random.choice(["cut", "flip", "torn"])
    with open(path, "r+b") as file:
        if kind == "cut":
            file.truncate(max(0, size - random.randint(1, 200)))
        elif kind == "flip":
            place = size - random.randint(1, min(size, 150))
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ 1 << random.randint(0, 7)]))
        else:
            file.seek(max(16, size - 120))
            piece = file.read()
            file.seek(size)
            file.write(piece[:random.randint(1, len(piece))])
    return kind


def flip(path, place):
    with open(path, "r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1 << place % 8]))


def lose_unstored(binary, arguments, folder, acknowledged, count):
    """Flips bits of entries that are in the log alone: a node must refuse to go on without them."""
    chain = folder + "/chain"
    for turn in range(4):
        # Too few to be stored, and too soon.
        fault = run_until_it_ends(binary, arguments, "after-commit", acknowledged, (4, 6))
        path = newest_log(chain)
        # In the last entry, or in one before it.
        place = os.path.getsize(path) - random.randint(*((1, 150) if turn % 2 else (800, 1400)))
        flip(path, place)
        copy = folder + f"/flipped-{turn}"
        # With holes: the database's file looks very large.
        subprocess.run(["cp", "-r", "--sparse=always", chain, copy], check=True)
        refused = subprocess.run(
            [binary, "node", "--http-port", "0", *arguments], capture_output=True, text=True,
            timeout=60)
        count("flipped, not stored: refused", fault or (
            None if refused.returncode == 2 and "--accept-lost-blocks" in refused.stderr
            else f"status {refused.returncode}: {refused.stderr}"))
        check = subprocess.run(
            [binary, "db", "check", "--datadir", chain], capture_output=True, text=True)
        count("flipped, not stored: db check", None if check.returncode == 1 else check.stdout)
        node = Node(binary, "--dev", "--datadir", copy, "--accept-lost-blocks")
        kept = int(node.call("eth_blockNumber"), 16)
        node.stop()
        node = Node(binary, "--dev", "--datadir", copy)
        again = int(node.call("eth_blockNumber"), 16)
        node.stop()
        # Nothing is gone of what was there.
        flip(path, place)
        node = Node(binary, *arguments)
        head = int(node.call("eth_blockNumber"), 16)
        count("flipped back", lost(node, acknowledged[-300:]))
        # What was lost may wait in the pool's journal, and be in a block anew.
        count("loss accepted", None if kept <= min(again, head) else f"{kept}, {again}, {head}")
        node.stop()


def fill_disk(binary, count):
    """A node on a disk that becomes full, and then larger."""
    if os.geteuid() != 0:
        print("SKIPPED: a full disk: only root can mount a tmpfs")
        return
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], capture_output=True)
        if mounted.returncode != 0:
            print(f"SKIPPED: a full disk: mount: {mounted.stderr.decode().strip()}")
            return
        try:
            arguments = ["--dev", "--datadir", folder + "/chain"]
            node = Node(binary, *arguments)
            account = Account.from_key(KEYS[0])
            acknowledged = []
            refusal = None
            for nonce in range(400):
                signed = account.sign_transaction({
                    "to": account.address, "value": 0, "gas": 1_600_000, "data": bytes(100_000),
                    "maxFeePerGas": 10**12, "maxPriorityFeePerGas": 10**9, "nonce": nonce,
                    "chainId": 1337, "type": 2})
                try:
                    acknowledged.append(node.call(
                        "eth_sendRawTransactionSync", signed.raw_transaction.to_0x_hex(), 1000))
                except RuntimeError as error:
                    refusal = str(error)
                    break
            count("full disk", None if refusal else "it never refused")
            count("full disk: receipts", lost(node, acknowledged))
            status = node.process.poll()
            count("full disk: it lives", None if status is None else f"it ended with {status}")
            node.kill()
            subprocess.run(["mount", "-o", "remount,size=200m", folder], check=True)
            node = Node(binary, *arguments)
            count("more space", lost(node, acknowledged))
            before = len(acknowledged)
            end = threading.Event()
            end.problem = None
            thread = threading.Thread(target=load, args=(node, KEYS[1], acknowledged, end))
            thread.start()
            time.sleep(0.5)
            end.set()
            thread.join()
            count("more space: it goes on", None if len(acknowledged) > before else "it does not")
            node.stop()
        finally:
            subprocess.run(["umount", "-l", folder])


def keep(binary, arguments, folder, count):
    """Copies, exports and checks the folder of a node that works, and makes nodes of both."""
    def db(*words):
        result = subprocess.run([binary, "db", *words], capture_output=True, text=True, timeout=60)
        return None if result.returncode == 0 else result.stdout + result.stderr

    chain = folder + "/chain"
    node = Node(binary, *arguments)
    end = threading.Event()
    end.problem = None
    acknowledged = []
    thread = threading.Thread(target=load, args=(node, KEYS[0], acknowledged, end))
    thread.start()
    time.sleep(0.3)
    before = list(acknowledged)
    count("db check of a node", db("check", "--datadir", chain))
    count("db backup of a node", db("backup", "--datadir", chain, "--to", folder + "/backup"))
    count("db export of a node", db("export", "--datadir", chain, "--to", folder + "/export.rlp"))
    end.set()
    thread.join()
    head = node.call("eth_getBlockByNumber", "latest", False)
    node.stop()
    count("db restore", db("restore", "--from", folder + "/backup", "--datadir", folder + "/restored"))
    node = Node(binary, "--dev", "--datadir", folder + "/restored")
    count("restored", lost(node, before))
    node.stop()
    count("db check of it", db("check", "--datadir", folder + "/restored"))
    count("db import", db(
        "import", "--datadir", folder + "/imported", "--genesis", chain + "/genesis.json",
        folder + "/export.rlp"))
    count("db export of all", db("export", "--datadir", chain, "--to", folder + "/export.rlp"))
    count("db import of the rest", db(
        "import", "--datadir", folder + "/imported", folder + "/export.rlp"))
    node = Node(binary, "--dev", "--datadir", folder + "/imported")
    found = node.call("eth_getBlockByNumber", "latest", False)
    count("imported", None if found == head else f"the head is {found['hash']}, not {head['hash']}")
    node.stop()


def open_twice(binary, arguments, count):
    node = Node(binary, *arguments)
    second = subprocess.run(
        [binary, "node", "--http-port", "0", *arguments], capture_output=True, text=True,
        timeout=60)
    count("opened twice", None if second.returncode == 2 and "in use" in second.stderr else
          f"status {second.returncode}: {second.stderr}")
    node.stop()


def main():
    binary = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    random.seed(seed)
    print(f"seed {seed}")
    count = Count()
    acknowledged = []
    with tempfile.TemporaryDirectory() as folder:
        chain = folder + "/chain"
        arguments = ["--dev", "--datadir", chain]
        for _ in range(rounds):
            for point in POINTS:
                fault = run_until_it_ends(binary, arguments, point, acknowledged)
                node = Node(binary, *arguments)
                count(point, fault or lost(node, acknowledged[-300:]))
                node.stop()
            for _ in range(3):
                kind = damage_log(chain)
                node = Node(binary, *arguments)
                fault = lost(node, acknowledged[-300:])
                end = threading.Event()
                end.problem = None
                thread = threading.Thread(
                    target=load, args=(node, KEYS[0], acknowledged, end))
                thread.start()
                time.sleep(0.2)
                end.set()
                thread.join()
                count(f"log: {kind}", fault or end.problem)
                node.stop()
        lose_unstored(binary, arguments, folder, acknowledged, count)
        open_twice(binary, arguments, count)
        keep(binary, arguments, folder, count)
        node = Node(binary, *arguments)
        count("all receipts", lost(node, acknowledged))
        node.stop()
        check = subprocess.run(
            [binary, "db", "check", "--datadir", chain], capture_output=True, text=True)
        count("db check", None if check.returncode == 0 else check.stdout + check.stderr)
        count("import", reimport(binary, arguments, folder))
    fill_disk(binary, count)
    print(f"{len(acknowledged)} transactions were acknowledged", file=sys.stderr)
    print(f"{count.passed} passed, {count.failed} failed")
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main())
