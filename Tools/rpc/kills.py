#!/usr/bin/env python3
"""Kills a node under load, again and again: what it acknowledged must be there once.

    Tools/rpc/kills.py .build/release/needletail [COUNT] [SEED]

A transaction is acknowledged when eth_sendRawTransactionSync has answered with its receipt. After each
kill the node is started on the same folder; every receipt must be as it was, and at the end a node
that imports nothing but the blocks must come to the same head. The last line is
`N passed, N failed`: one for each kill, and one for the import.
"""

import json
import random
import sys
import tempfile
import threading
import time

from eth_account import Account

from node import Node

KEYS = [
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
]


def load(node, key, acknowledged, end):
    """Sends transfers of one account, one after the other, until the node is gone."""
    account = Account.from_key(key)
    try:
        nonce = int(node.call("eth_getTransactionCount", account.address, "latest"), 16)
        while not end.is_set():
            signed = account.sign_transaction({
                "to": random.randbytes(20), "value": 1, "gas": 21000,
                "maxFeePerGas": 10**12, "maxPriorityFeePerGas": 10**9, "nonce": nonce,
                "chainId": 1337, "type": 2})
            receipt = node.call("eth_sendRawTransactionSync", signed.raw_transaction.to_0x_hex())
            acknowledged.append(receipt)
            nonce += 1
    except Exception as error:
        # The node is gone; anything else shows when the receipts are compared.
        if not end.is_set():
            end.problem = error


def reimport(binary, arguments, folder):
    """Has a node of its own execute the same blocks from the genesis on, one transaction after the
    other; gives what differs."""
    node = Node(binary, *arguments)
    head = node.call("eth_getBlockByNumber", "latest", False)
    with open(folder + "/chain.rlp", "wb") as file:
        for number in range(1, int(head["number"], 16) + 1):
            file.write(bytes.fromhex(node.call("debug_getRawBlock", hex(number))[2:]))
    node.stop()
    other = Node(
        binary, "--datadir", folder + "/other", "--genesis", folder + "/chain/genesis.json",
        "--import", folder + "/chain.rlp")
    again = other.call("eth_getBlockByNumber", "latest", False)
    other.stop()
    return None if again == head else f"the import ends with {again['hash']}, not {head['hash']}"


def main():
    binary = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    random.seed(seed)
    print(f"seed {seed}")
    passed = failed = 0
    acknowledged = []
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--dev", "--datadir", folder + "/chain"]
        for _ in range(count):
            node = Node(binary, *arguments)
            end = threading.Event()
            end.problem = None
            threads = [
                threading.Thread(target=load, args=(node, key, acknowledged, end)) for key in KEYS]
            for thread in threads:
                thread.start()
            time.sleep(random.uniform(0.05, 1.0))
            end.set()
            node.kill()
            for thread in threads:
                thread.join()
            node = Node(binary, *arguments)
            lost = [
                receipt["transactionHash"] for receipt in acknowledged
                if node.call("eth_getTransactionReceipt", receipt["transactionHash"]) != receipt]
            if lost or end.problem:
                failed += 1
                print(f"lost {len(lost)} of {len(acknowledged)}: {lost[:3]} {end.problem or ''}")
            else:
                passed += 1
            node.stop()
        fault = reimport(binary, arguments, folder)
        if fault or not acknowledged:
            failed += 1
            print(fault or "nothing was acknowledged")
        else:
            passed += 1
    print(f"{len(acknowledged)} transactions were acknowledged", file=sys.stderr)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
