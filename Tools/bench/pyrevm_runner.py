"""Times one case in revm through pyrevm, as `needletail bench evm --against pyrevm` asks for it.

The case comes on standard input as lines of words (Sources/needletail/Bench/PeerCase.swift writes
them), one line of JSON goes out. pyrevm runs whole transactions only; what the same call costs at
an account without code is measured too and taken off, so that Python's part does not count. pyrevm
puts the accounts and slots that it is given into the journal, as if the transaction had read them:
they are warm there, which makes the gas lower and the calls no slower.
"""

import json
import sys
import time

from pyrevm import EVM, AccountInfo, BlockEnv, Env

FORKS = {
    "Istanbul": "ISTANBUL", "Berlin": "BERLIN", "London": "LONDON", "Paris": "MERGE",
    "Shanghai": "SHANGHAI", "Cancun": "CANCUN",
}
NOWHERE = "0x00000000000000000000000000000000000fade0"


def unhex(text):
    return bytes.fromhex(text[2:])


def number(text):
    return int(text, 16)


def read(lines):
    """The case's single fields, its accounts and its slots."""
    fields, accounts, slots = {}, [], []
    for line in lines:
        words = line.split()
        if words[0] == "account":
            accounts.append(words[1:])
        elif words[0] == "slot":
            slots.append(words[1:])
        else:
            fields[words[0]] = words[1] if len(words) > 1 else ""
    return fields, accounts, slots


class Case:
    def __init__(self, fields, accounts, slots):
        self.sender = fields["sender"]
        self.target = fields["to"]
        self.data = unhex(fields["input"])
        self.value = number(fields["value"])
        self.gas = int(fields["gas"])
        self.gas_price = number(fields["gasPrice"])
        block = BlockEnv(
            number=int(fields["number"]), coinbase=fields["coinbase"],
            timestamp=int(fields["timestamp"]), gas_limit=2**64 - 1,
            basefee=number(fields["baseFee"]), prevrandao=unhex(fields["prevRandao"]),
            difficulty=number(fields["prevRandao"]))
        self.evm = EVM(
            env=Env(block=block), gas_limit=2**64 - 1, spec_id=FORKS[fields["fork"]])
        for address, balance, nonce, code in accounts:
            self.evm.insert_account_info(
                address, AccountInfo(nonce=int(nonce), code=unhex(code) or None))
            least = 2**128 if address == self.sender else 0
            self.evm.set_balance(address, max(number(balance), least))
        for address, slot, value in slots:
            self.evm.insert_account_storage(address, number(slot), number(value))

    def call(self, target):
        return self.evm.message_call(
            caller=self.sender, to=target, calldata=self.data, value=self.value, gas=self.gas,
            gas_price=self.gas_price)

    def time(self, target, count):
        """CPU nanoseconds of so many calls, each from the same state."""
        evm, call = self.evm, self.call
        start = time.thread_time_ns()
        for _ in range(count):
            checkpoint = evm.snapshot()
            call(target)
            evm.revert(checkpoint)
        return time.thread_time_ns() - start

    def samples(self, target, seconds):
        """Sorted nanoseconds a call, over batches that take at least 2 ms."""
        count, taken = 1, self.time(target, 1)
        while taken < 2e6:
            count = max(count * 2, int(count * 2e6 / taken))
            taken = self.time(target, count)
        result, total = [], 0
        while total < seconds * 1e9 or len(result) < 3:
            taken = self.time(target, count)
            total += taken
            result.append(taken / count)
        return sorted(result)


def main():
    fields, accounts, slots = read(sys.stdin.read().splitlines())
    if fields["fork"] not in FORKS:
        print(json.dumps({"error": f"pyrevm has no fork {fields['fork']}"}))
        return
    case = Case(fields, accounts, slots)
    checkpoint = case.evm.snapshot()
    output = case.call(case.target)
    result = case.evm.result
    case.evm.revert(checkpoint)

    seconds = float(fields["seconds"])
    floor = case.samples(NOWHERE, seconds / 4)
    times = case.samples(case.target, seconds)
    base = floor[len(floor) // 2]

    def at(part):
        return times[round((len(times) - 1) * part)]

    median = at(0.5) - base
    if median < base / 10:
        print(json.dumps({"error": f"too short beside pyrevm's own {base / 1000:.1f} us a call"}))
        return
    print(json.dumps({
        "peer": "revm 8.0.0 in pyrevm 0.3.7",
        "status": "success" if result.is_success else "halt",
        "gas": result.gas_used,
        "output": "0x" + bytes(output).hex(),
        "modes": [{
            "name": "revm", "median": median, "lowest": max(times[0] - floor[0], 1),
            "spread": (at(0.75) - at(0.25)) / median,
        }],
    }))


try:
    main()
except Exception as error:  # Whatever it is, the answer is that this case has no time.
    print(json.dumps({"error": f"{type(error).__name__}: {error}"[:200]}))
