"""Writes Examples/batches/transfers.json: transfers of ether and of a token in one block.

    python3 Tools/generators/transfers.py > Examples/batches/transfers.json

The senders are the keys 1, 2, 3 and so on, which everybody knows: never send them anything. What
the file expects of the run was worked out by the executable specification, not by this project:
EXPECT below has the figures. To work them out again, `--t8n FOLDER` writes the transition tool's
input (alloc.json, env.json, txs.json) for `ethereum-spec-evm t8n --state.fork Cancun`: the batch
runs without system contracts, and nothing in it costs more or less under Osaka.
"""

import argparse
import json
import pathlib
import random

# The curve secp256k1 (SEC 2, section 2.4.1).
P = 2**256 - 2**32 - 977
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)

SENDERS = 8
TRANSACTIONS = 48
TOKEN = 0x70CE
EXPECT = {
    "gasUsed": 1_297_728,
    "stateRoot": "0xc3acbdbc6cd5609c200a92f9b221cdee5f3526f493fb46de87a956bf9cc435df",
    "receiptsRoot": "0xd8602ad1adeee86228cabf0857f137bde803e41cc339819c759eabab2192e1d2",
}
GWEI = 10**9
ETHER = 10**18


def keccak256(data):
    """Keccak-256 with the original padding (The Keccak reference 3.0)."""
    mask = 2**64 - 1
    rate = 136
    block = bytearray(data) + b"\x01"
    block += bytes(-len(block) % rate)
    block[-1] |= 0x80
    lanes = [[0] * 5 for _ in range(5)]
    for start in range(0, len(block), rate):
        for index in range(rate // 8):
            word = int.from_bytes(block[start + 8 * index:start + 8 * index + 8], "little")
            lanes[index % 5][index // 5] ^= word
        register = 1
        for _ in range(24):
            columns = [a ^ b ^ c ^ d ^ e for a, b, c, d, e in lanes]
            for x in range(5):
                right = columns[(x + 1) % 5]
                mixed = columns[x - 1] ^ (right << 1 & mask | right >> 63)
                lanes[x] = [lane ^ mixed for lane in lanes[x]]
            x, y, current = 1, 0, lanes[1][0]
            for step in range(24):
                x, y = y, (2 * x + 3 * y) % 5
                count = (step + 1) * (step + 2) // 2 % 64
                current, lanes[x][y] = (
                    lanes[x][y], current << count & mask | current >> (64 - count))
            for y in range(5):
                row = [lanes[x][y] for x in range(5)]
                for x in range(5):
                    lanes[x][y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5] & mask)
            for bit in range(7):
                register = (register << 1 ^ (register >> 7) * 0x171) % 256
                if register & 2:
                    lanes[0][0] ^= 1 << (2**bit - 1)
    return b"".join(lanes[x][0].to_bytes(8, "little") for x in range(4))


def add(a, b):
    """The sum of two points; `None` is the point at infinity."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def address_of(key):
    """The account of a small secret key."""
    point = None
    for _ in range(key):
        point = add(point, G)
    return "0x" + keccak256(b"".join(c.to_bytes(32, "big") for c in point))[12:].hex()


def assemble(source):
    """Byte code from opcode names, `PUSHn value` as `name:value`, and labels `at:` / `@at`."""
    names = {
        "ADD": 0x01, "SUB": 0x03, "LT": 0x10, "EQ": 0x14, "SHR": 0x1C, "SHA3": 0x20,
        "CALLER": 0x33, "CALLDATALOAD": 0x35, "POP": 0x50, "MSTORE": 0x52, "SLOAD": 0x54,
        "SSTORE": 0x55, "JUMPI": 0x57, "JUMPDEST": 0x5B, "PUSH0": 0x5F, "DUP1": 0x80,
        "DUP2": 0x81, "DUP3": 0x82, "SWAP1": 0x90, "SWAP2": 0x91, "LOG3": 0xA3, "RETURN": 0xF3,
        "REVERT": 0xFD,
    }
    code, labels, uses = bytearray(), {}, {}
    for word in source.split():
        if word.endswith(":"):
            labels[word[:-1]] = len(code)
            code.append(names["JUMPDEST"])
        elif word.startswith("@"):
            code += b"\x60\x00"
            uses[len(code) - 1] = word[1:]
        elif word.startswith("0x"):
            value = bytes.fromhex(word[2:])
            code.append(0x5F + len(value))
            code += value
        else:
            code.append(names[word])
    for position, label in uses.items():
        code[position] = labels[label]
    return "0x" + code.hex()


def token_code():
    """`transfer(address,uint256)` of a token whose balances are the mapping at slot 0."""
    topic = keccak256(b"Transfer(address,address,uint256)").hex()
    selector = keccak256(b"transfer(address,uint256)")[:4].hex()
    return assemble(f"""
        PUSH0 CALLDATALOAD 0xe0 SHR 0x{selector} EQ @transfer JUMPI
        fail: PUSH0 PUSH0 REVERT
        transfer:
        CALLER PUSH0 MSTORE 0x40 PUSH0 SHA3
        DUP1 SLOAD 0x24 CALLDATALOAD
        DUP1 DUP3 LT @fail JUMPI
        DUP1 SWAP2 SUB DUP3 SSTORE SWAP1 POP
        0x04 CALLDATALOAD PUSH0 MSTORE 0x40 PUSH0 SHA3
        DUP1 SLOAD DUP3 ADD SWAP1 SSTORE
        PUSH0 MSTORE
        0x04 CALLDATALOAD CALLER 0x{topic} 0x20 PUSH0 LOG3
        0x01 PUSH0 MSTORE 0x20 PUSH0 RETURN
    """)


def word(value):
    return "0x" + value.to_bytes(32, "big").hex()


def balance_slot(address):
    return "0x" + keccak256(int(address, 16).to_bytes(32, "big") + bytes(32)).hex()


def batch():
    """The batch, without what it expects, and whether each transaction succeeds."""
    random.seed("needletail transfers")
    keys = range(1, SENDERS + 1)
    addresses = {key: address_of(key) for key in keys}
    token = "0x" + TOKEN.to_bytes(20, "big").hex()
    tokens = {key: 1_000_000 for key in keys}
    tokens[SENDERS] = 0
    nonces = {key: 0 for key in keys}
    pre = {
        address: {"balance": hex(10 * ETHER), "nonce": "0x0", "code": "0x", "storage": {}}
        for address in addresses.values()}
    pre[token] = {
        "balance": "0x0", "nonce": "0x1", "code": token_code(),
        "storage": {
            balance_slot(addresses[key]): word(tokens[key]) for key in keys if tokens[key]}}

    transactions, statuses = [], []
    selector = keccak256(b"transfer(address,uint256)")[:4].hex()
    for index in range(TRANSACTIONS):
        # The last sender begins without tokens: its first transfer of them is reverted.
        key = SENDERS if index == 0 else random.choice(keys)
        target = random.choice([other for other in keys if other != key])
        transaction = {"nonce": hex(nonces[key]), "secretKey": word(key)}
        nonces[key] += 1
        if index % 3 == 2:
            transaction |= {"type": "0x0", "gasPrice": hex(12 * GWEI)}
        else:
            transaction |= {
                "type": "0x2", "maxFeePerGas": hex(20 * GWEI),
                "maxPriorityFeePerGas": hex(random.randrange(1, 4) * GWEI)}
        if index % 2 == 0:
            amount = random.randrange(1, 5_000)
            succeeds = tokens[key] >= amount
            if succeeds:
                tokens[key] -= amount
                tokens[target] += amount
            data = selector + word(int(addresses[target], 16))[2:] + word(amount)[2:]
            transaction |= {
                "to": token, "value": "0x0", "gas": hex(80_000), "input": "0x" + data}
        else:
            succeeds = True
            transaction |= {
                "to": addresses[target], "value": hex(random.randrange(1, ETHER // 10)),
                "gas": hex(21_000), "input": "0x"}
        transactions.append(transaction)
        statuses.append(succeeds)
    environment = {
        "currentCoinbase": "0x" + (0xFEE).to_bytes(20, "big").hex(),
        "currentGasLimit": hex(36_000_000), "currentNumber": "0x1",
        "currentTimestamp": "0x67000000", "currentRandom": word(7),
        "currentBaseFee": hex(10 * GWEI), "currentDifficulty": "0x0",
        "currentExcessBlobGas": "0x0"}
    return {
        "fork": "Osaka", "config": {"chainid": "0x1"}, "env": environment, "pre": pre,
        "transactions": transactions}, statuses


def write_t8n(folder, made):
    """The input of the transition tool."""
    folder.mkdir(parents=True, exist_ok=True)
    transactions = [
        transaction | {"v": "0x0", "r": "0x0", "s": "0x0", "chainId": "0x1"}
        | ({"protected": True} if transaction["type"] == "0x0" else {"accessList": []})
        for transaction in made["transactions"]]
    environment = made["env"] | {"withdrawals": [], "parentBeaconBlockRoot": word(0)}
    for name, content in (
            ("alloc", made["pre"]), ("env", environment), ("txs", transactions)):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--t8n", type=pathlib.Path, help="write the transition tool's input here")
    arguments = parser.parse_args()
    made, statuses = batch()
    if arguments.t8n:
        write_t8n(arguments.t8n, made)
        return
    made["expect"] = EXPECT | {"statuses": statuses}
    print(json.dumps({"transfers": made}, indent=1))


if __name__ == "__main__":
    main()
