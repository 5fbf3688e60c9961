"""Cases made from state tests of the execution-spec-tests fixtures, with one or more changes."""

import glob
import json
import os
import random
from functools import lru_cache

import opcodes
import system_contracts as system
import transactions
from generator import hexadecimal
from precompile_inputs import random_bytes

_FORK_NAMES = {"EIP150": "TangerineWhistle", "EIP158": "SpuriousDragon", "Merge": "Paris"}
_LARGEST_FILE = 400_000


@lru_cache(maxsize=4)
def _files(fixtures):
    found = glob.glob(os.path.join(fixtures, "eest", "state_tests", "**", "*.json"),
                      recursive=True)
    return sorted(f for f in found if os.path.getsize(f) <= _LARGEST_FILE)


def _read(name):
    with open(name) as file:
        return json.load(file)


def _number(text):
    return int(text, 16)


def _bytes(text):
    return bytes.fromhex(text[2:])


def block(seed, fixtures):
    """The case of a seed, or None where the test drawn is of no use here."""
    rng = random.Random(seed * 2 + 1)
    files = _files(fixtures)
    tests = _read(rng.choice(files))
    name = rng.choice(sorted(tests))
    test = tests[name]
    fork = rng.choice(sorted(test["post"]))
    post = rng.choice(test["post"][fork])
    fork = _FORK_NAMES.get(fork, fork)
    if fork not in opcodes.RANK or "secretKey" not in test["transaction"]:
        return None
    if rng.random() < 0.35:
        fork = rng.choice(opcodes.FORKS)
    tx = _transaction(test["transaction"], post["indexes"], test.get("config", {}), fork)
    if tx is None:
        return None
    alloc = json.loads(json.dumps(test["pre"]))
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        _mutate(rng, tx, alloc)
    if opcodes.since(fork, "SpuriousDragon"):
        alloc = {a: v for a, v in alloc.items()
                 if _number(v["balance"]) or _number(v["nonce"]) or v["code"] != "0x"}
    txs = [transactions.encode(tx)]
    if rng.random() < 0.3:
        again = dict(tx, nonce=tx["nonce"] + 1)
        _mutate(rng, again, {})
        txs.append(transactions.encode(again))
    env = _environment(test["env"], fork)
    _add_system_contracts(alloc, fork)
    return {
        "name": f"mutated-{seed}", "fork": fork, "chainId": tx["chainId"], "reward": -1,
        "count": len(txs), "from": name,
        "input": {"alloc": alloc, "env": env,
                  "txs": hexadecimal(transactions.rlp_list_of_raw(txs))},
    }


def _transaction(fields, indexes, config, fork):
    tx = {
        "nonce": _number(fields["nonce"]), "gas": _number(fields["gasLimit"][indexes["gas"]]),
        "value": _number(fields["value"][indexes["value"]]),
        "data": _bytes(fields["data"][indexes["data"]]),
        "to": _bytes(fields["to"]) if fields.get("to") else b"",
        "secret": _number(fields["secretKey"]), "chainId": _number(config.get("chainid", "0x1")),
        "protected": opcodes.since(fork, "SpuriousDragon"), "type": 0, "accessList": [],
    }
    lists = fields.get("accessLists")
    access = lists[indexes["data"]] if lists else None
    if access is not None:
        tx["type"] = 1
        tx["accessList"] = [[_bytes(e["address"]), [_number(k) for k in e["storageKeys"]]]
                            for e in access]
    if "gasPrice" in fields:
        tx["gasPrice"] = _number(fields["gasPrice"])
    if "maxFeePerGas" in fields:
        tx["type"] = 2
        tx["maxFeePerGas"] = _number(fields["maxFeePerGas"])
        tx["maxPriorityFeePerGas"] = _number(fields["maxPriorityFeePerGas"])
    if "maxFeePerBlobGas" in fields:
        tx["type"] = 3
        tx["maxFeePerBlobGas"] = _number(fields["maxFeePerBlobGas"])
        tx["blobVersionedHashes"] = [_bytes(h) for h in fields["blobVersionedHashes"]]
    if "authorizationList" in fields:
        tx["type"] = 4
        tx["authorizationList"] = [
            [_number(a["chainId"]), _bytes(a["address"]), _number(a["nonce"]),
             _number(a.get("yParity", a.get("v"))), _number(a["r"]), _number(a["s"])]
            for a in fields["authorizationList"]]
    return tx


def _mutate(rng, tx, alloc):
    choice = rng.randrange(9)
    if choice == 0 and tx["data"]:
        place = rng.randrange(len(tx["data"]))
        tx["data"] = tx["data"][:place] + random_bytes(rng, 1) + tx["data"][place + 1:]
    elif choice == 1:
        tx["data"] = tx["data"][: rng.randrange(len(tx["data"]) + 1)] + random_bytes(
            rng, rng.choice([0, 1, 32]))
    elif choice == 2:
        tx["gas"] = max(0, rng.choice([tx["gas"] - 1, tx["gas"] // 2, tx["gas"] * 2, 21000,
                                       rng.randrange(21000, 400_000)]))
    elif choice == 3:
        tx["value"] = rng.choice([0, 1, tx["value"] + 1, 10 ** 18])
    elif choice == 4:
        tx["accessList"] = tx["accessList"] + [[tx["to"] or b"\0" * 20, [rng.choice([0, 1, 2])]]]
        if tx["type"] == 0 and rng.random() < 0.5:
            tx["type"] = 1
    else:
        with_code = sorted(a for a, v in alloc.items() if v["code"] != "0x")
        if not with_code:
            return
        account = alloc[rng.choice(with_code)]
        code = bytearray(_bytes(account["code"]))
        place = rng.randrange(len(code))
        kind = rng.random()
        if kind < 0.5:
            code[place] = rng.randrange(256)
        elif kind < 0.7:
            del code[place]
        elif kind < 0.9:
            code.insert(place, rng.choice([0x50, 0x60, 0x80, 0x81, 0x90, 0x5A, 0x54, 0x55, 0x3D]))
        else:
            account["storage"]["0x00"] = hex(rng.randrange(1, 5))
        account["code"] = hexadecimal(code)


def _environment(source, fork):
    number = _number(source["currentNumber"])
    env = {name: source[name] for name in ("currentCoinbase", "currentGasLimit", "currentNumber",
                                           "currentTimestamp")}
    env["blockHashes"] = {
        hex(n): hexadecimal(transactions.keccak256(str(n).encode()))
        for n in range(max(0, number - 256), number)}
    if opcodes.since(fork, "Paris"):
        env["currentRandom"] = source.get("currentRandom", "0x" + "00" * 32)
    else:
        env["currentDifficulty"] = source.get("currentDifficulty", "0x20000")
    if opcodes.since(fork, "London"):
        env["currentBaseFee"] = source.get("currentBaseFee", "0x7")
    if opcodes.since(fork, "Shanghai"):
        env["withdrawals"] = []
    if opcodes.since(fork, "Cancun"):
        env["parentBeaconBlockRoot"] = "0x" + "00" * 32
        env["currentExcessBlobGas"] = source.get("currentExcessBlobGas", "0x0")
    return env


def _add_system_contracts(alloc, fork):
    present = {address.lower() for address in alloc}
    wanted = []
    if opcodes.since(fork, "Cancun"):
        wanted.append((system.BEACON_ROOTS, system.BEACON_ROOTS_CODE))
    if opcodes.since(fork, "Prague"):
        wanted += [(system.HISTORY_STORAGE, system.HISTORY_STORAGE_CODE),
                   (system.WITHDRAWAL_REQUESTS, system.WITHDRAWAL_REQUESTS_CODE),
                   (system.CONSOLIDATION_REQUESTS, system.CONSOLIDATION_REQUESTS_CODE)]
    for address, code in wanted:
        if hexadecimal(address) not in present:
            alloc[hexadecimal(address)] = {"balance": "0x0", "nonce": "0x1",
                                           "code": hexadecimal(code), "storage": {}}
