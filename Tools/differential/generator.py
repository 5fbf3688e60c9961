"""A random block from a seed: pre-state, environment and transactions, for any fork.

`block(seed)` always gives the same case for the same seed and Python minor version. A case is the
transition tool's own input: {"name", "fork", "chainId", "reward", "input": {alloc, env, txs}}.
"""

import random

import contracts
import opcodes
import precompile_inputs
import system_contracts as system
import transactions
from opcodes import since
from precompile_inputs import random_bytes

MAXIMUM_BLOBS = {"Cancun": 6, "Prague": 9, "Osaka": 9, "BPO1": 15, "BPO2": 21}
ETHER = 10 ** 18


def hexadecimal(data):
    return "0x" + bytes(data).hex()


class Block:
    def __init__(self, seed, fork=None):
        self.rng = rng = random.Random(seed)
        self.seed = seed
        # Half of the blocks are of the six newest rule sets.
        self.fork = fork or (
            rng.choice(opcodes.FORKS) if rng.random() < 0.6
            else rng.choice(["London", "Shanghai", "Cancun", "Prague", "Osaka", "BPO2"]))
        self.chain_id = 1 if rng.random() < 0.85 else rng.choice([2, 1337, (1 << 32) + 1])
        self.number = rng.choice([1, 2, 3, 10, 18]) if rng.random() < 0.93 else rng.choice(
            [256, 257, 300])
        self.world = contracts.World(self.fork, self.number)
        self.alloc = {}
        self.keys = []
        self.nonces = {}

    def since(self, first):
        return since(self.fork, first)

    # Pre-state

    def account(self, address, balance=0, nonce=0, code=b"", storage=None):
        if not (balance or nonce or code) and self.since("Paris"):
            balance = 1  # EIP-7523: no empty accounts since the merge
        entry = {"balance": hex(balance), "nonce": hex(nonce), "code": hexadecimal(code)}
        entry["storage"] = {
            "0x" + key.to_bytes(32, "big").hex(): "0x" + value.to_bytes(32, "big").hex()
            for key, value in (storage or {}).items()}
        self.alloc[hexadecimal(address)] = entry

    def storage(self):
        rng = self.rng
        return {slot: rng.choice([1, 2, 3, 0xFF, rng.getrandbits(256) or 1])
                for slot in range(5) if rng.random() < 0.5}

    def pre_state(self):
        rng, world = self.rng, self.world
        senders = []
        for index in range(rng.choice([1, 2, 3, 4])):
            secret = 0x1000 + rng.randrange(1 << 32)
            address = transactions.address_of_key(secret)
            self.keys.append(secret)
            senders.append(address)
            self.nonces[secret] = rng.choice([0, 0, 1, 5]) if rng.random() < 0.99 else (
                rng.choice([(1 << 64) - 2, (1 << 64) - 1, (1 << 32) - 1]))
        world.contracts = [random_bytes(rng, 20) for _ in range(rng.choice([1, 2, 3, 5]))]
        if rng.random() < 0.1:
            # An address near the precompiles.
            world.contracts[0] = rng.choice([0x0A, 0x12, 0x14, 0xFF, 0x101]).to_bytes(20, "big")
        others = [random_bytes(rng, 20) for _ in range(2)]
        self.coinbase = rng.choice(
            [random_bytes(rng, 20)] * 3 + [senders[0], world.contracts[0], others[0],
                                           (4).to_bytes(20, "big")])
        world.addresses = senders + others + [self.coinbase]
        if self.since("Cancun"):
            world.addresses += [system.BEACON_ROOTS]
        if self.since("Prague"):
            world.addresses += [system.HISTORY_STORAGE, system.WITHDRAWAL_REQUESTS,
                                system.CONSOLIDATION_REQUESTS, system.DEPOSIT]
        # Where creations will land, so that code calls there and some of them collide.
        future = [transactions.create_address(senders[0], self.nonces[self.keys[0]]),
                  transactions.create_address(world.contracts[0], 1)]
        world.addresses += future
        for address in world.contracts:
            self.account(address, rng.choice([0, 0, 1, 1000, ETHER]), rng.choice([0, 1, 1, 1, 2]),
                         contracts.contract(rng, world), self.storage())
        if self.diver:
            self.account(self.diver, 1, 1, contracts.diver(rng, world))
        if rng.random() < 0.6:
            self.account(others[0], rng.choice([0, 1, ETHER]), rng.choice([0, 1]))
        if rng.random() < 0.1:
            self.account(rng.choice(future), rng.choice([0, 1, 5]), rng.choice([0, 0, 1]),
                         rng.choice([b"", b"", b"\x00"]),
                         {1: 1} if rng.random() < 0.4 else None)
        if rng.random() < 0.1:
            number = precompile_inputs.pick(rng, self.fork)
            balance = rng.choice([0, 1, ETHER])
            # Not an empty 0x3: its touch outlives a revert, and go-ethereum and the specification
            # differ on a transaction's own revert.
            self.account(number.to_bytes(20, "big"), balance or int(number == 3))
        if not self.since("Paris"):
            # Empty accounts, which a touch deletes from EIP-161 on; not 0x3 here either.
            for address in (others[1], self.coinbase, rng.choice([1, 2, 4]).to_bytes(20, "big")):
                if rng.random() < 0.2 and hexadecimal(address) not in self.alloc:
                    self.account(address)
        for secret, address in zip(self.keys, senders):
            code = b""
            if rng.random() < 0.008:
                code = contracts.contract(rng, world)
            if self.since("Prague") and rng.random() < 0.2:
                code = self.delegation(address)
            balance = rng.choice([ETHER, 1000 * ETHER, 10 ** 24]) if rng.random() < 0.96 else (
                rng.choice([0, 1, 21000, 10 ** 6, 10 ** 12]))
            self.account(address, balance, self.nonces[secret], code,
                         self.storage() if rng.random() < 0.1 else None)
        if self.since("Prague") and rng.random() < 0.4:
            self.account(others[1], rng.choice([0, 1]), rng.choice([0, 1]),
                         self.delegation(others[1]))
        self.system_contracts()

    def delegation(self, own):
        rng = self.rng
        target = rng.choice([own, self.world.address(rng), self.world.address(rng),
                             rng.choice(self.world.contracts), (1).to_bytes(20, "big")])
        return b"\xef\x01\x00" + target

    def system_contracts(self):
        rng = self.rng
        present = rng.random() < 0.97
        if self.since("Cancun") and (present or rng.random() < 0.5):
            self.account(system.BEACON_ROOTS, 0, 1, system.BEACON_ROOTS_CODE)
        if self.since("Prague"):
            if present or rng.random() < 0.5:
                self.account(system.HISTORY_STORAGE, 0, 1, system.HISTORY_STORAGE_CODE)
            if present or rng.random() < 0.8:
                self.account(system.WITHDRAWAL_REQUESTS, 0, 1, system.WITHDRAWAL_REQUESTS_CODE)
            if present or rng.random() < 0.8:
                self.account(system.CONSOLIDATION_REQUESTS, 0, 1,
                             system.CONSOLIDATION_REQUESTS_CODE)
            self.account(system.DEPOSIT, 0, 1, system.DEPOSIT_STAND_IN)

    # Environment

    def environment(self):
        rng = self.rng
        timestamp = rng.choice([1000, 12 * self.number + 5, (1 << 32) + 7])
        env = {
            "currentCoinbase": hexadecimal(self.coinbase),
            "currentGasLimit": hex(self.gas_limit),
            "currentNumber": hex(self.number),
            "currentTimestamp": hex(timestamp),
            "blockHashes": {
                hex(n): hexadecimal(transactions.keccak256(str(n).encode()))
                for n in range(max(0, self.number - 256), self.number)},
        }
        if not self.since("Paris"):
            if rng.random() < 0.6:
                env["currentDifficulty"] = hex(rng.choice([0x20000, 1, rng.getrandbits(60)]))
            else:
                env["parentDifficulty"] = hex(rng.choice([0x20000, 0x20800, rng.getrandbits(60)
                                                          | (1 << 40)]))
                env["parentTimestamp"] = hex(
                    max(0, timestamp - rng.choice([1, 8, 9, 10, 13, 17, 30, 900])))
                if rng.random() < 0.5:
                    env["parentUncleHash"] = rng.choice([
                        "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
                        "0x" + "11" * 32])
            if rng.random() < 0.2:
                env["ommers"] = [
                    {"delta": rng.randint(1, min(6, self.number)),
                     "address": hexadecimal(rng.choice([self.coinbase, random_bytes(rng, 20)]))}
                    for _ in range(rng.choice([1, 2]))]
        else:
            env["currentRandom"] = "0x" + random_bytes(rng, 32).hex()
            env["currentDifficulty"] = "0x0"
        if self.since("London"):
            if rng.random() < 0.85:
                env["currentBaseFee"] = hex(self.base_fee)
            else:
                # A parent whose gas used equals its target keeps the fee.
                limit = self.gas_limit - self.gas_limit % 2
                env["parentBaseFee"] = hex(self.base_fee)
                env["parentGasLimit"] = hex(limit)
                env["parentGasUsed"] = hex(rng.choice([limit // 2, 0, limit, limit // 3]))
        if self.since("Shanghai"):
            env["withdrawals"] = [
                {"index": hex(index), "validatorIndex": hex(rng.randrange(100)),
                 "address": hexadecimal(rng.choice(self.world.addresses + self.world.contracts)
                                        if rng.random() < 0.7 else random_bytes(rng, 20)),
                 "amount": hex(rng.choice([0, 1, 10 ** 9, (1 << 64) - 1]))}
                for index in range(rng.choice([0, 0, 1, 2, 3]))]
        if self.since("Cancun"):
            env["parentBeaconBlockRoot"] = "0x" + random_bytes(rng, 32).hex()
            if rng.random() < 0.7:
                env["currentExcessBlobGas"] = hex(self.excess_blob_gas)
            else:
                env["parentExcessBlobGas"] = hex(self.excess_blob_gas)
                env["parentBlobGasUsed"] = hex(131072 * rng.randrange(7))
                env.setdefault("parentBaseFee", hex(self.base_fee))
        return env

    # Transactions

    def transaction(self):
        rng = self.rng
        secret = rng.choice(self.keys)
        kinds = [0, 0]
        if self.since("Berlin"):
            kinds.append(1)
        if self.since("London"):
            kinds += [2, 2]
        if self.since("Cancun"):
            kinds.append(3)
        if self.since("Prague"):
            kinds += [4, 4]
        kind = rng.choice(kinds)
        tx = {"type": kind, "secret": secret, "chainId": self.chain_id,
              "nonce": self.nonces[secret], "protected": self.since("SpuriousDragon")
              and rng.random() < 0.8, "data": b"", "accessList": [],
              "gas": int(21000 * 1.12 ** rng.uniform(3, 38)) + 20000,
              "value": rng.choice([0, 0, 0, 1, 1000, ETHER // 100])}
        roll = rng.random()
        if roll < 0.15 and kind < 3:
            tx["to"] = b""
            tx["data"] = contracts.init_code(rng, self.world)
            tx["gas"] += 40000 + 300 * len(tx["data"])
        elif roll < 0.8:
            tx["to"] = rng.choice(self.world.contracts)
        elif roll < 0.86:
            number = precompile_inputs.pick(rng, self.fork)
            tx["to"] = number.to_bytes(20, "big")
            tx["data"] = precompile_inputs.make(rng, number)
            tx["gas"] += precompile_inputs.gas_hint(number, tx["data"]) + 16 * len(tx["data"])
        else:
            tx["to"] = self.world.address(rng)
        if not tx["data"] and tx["to"]:
            tx["data"] = rng.choice([
                b"", b"\0" * rng.randrange(40), random_bytes(rng, rng.choice([1, 4, 32, 36, 68])),
                rng.choice(EDGE_WORDS) + rng.choice(EDGE_WORDS)])
            if rng.random() < 0.04:
                tx["data"] = random_bytes(rng, rng.choice([500, 3000]))
                tx["gas"] += rng.choice([0, 40 * len(tx["data"])])
            tx["gas"] += 40 * len(tx["data"])
        if self.diver and rng.random() < 0.5:
            tx["to"], tx["gas"] = self.diver, 1 << 40
        if self.since("Prague"):
            self.aim_at_system_contract(tx)
        self.fees(tx)
        if kind >= 1:
            for _ in range(rng.choice([0, 0, 1, 2, 3])):
                address = self.world.address(rng)
                keys = [rng.choice([0, 1, 2, 3, rng.getrandbits(256)])
                        for _ in range(rng.choice([0, 1, 2, 3]))]
                tx["accessList"].append([address, keys])
                tx["gas"] += 2400 + 1900 * len(keys)
        if kind == 3:
            count = rng.choice([1, 1, 2, 6])
            tx["blobVersionedHashes"] = [b"\x01" + random_bytes(rng, 31) for _ in range(count)]
        if kind == 4:
            tx["authorizationList"] = self.authorizations(tx)
            tx["gas"] += 25000 * len(tx["authorizationList"])
        return tx

    def aim_at_system_contract(self, tx):
        rng = self.rng
        if not tx["to"] or rng.random() > 0.1:
            return
        tx["gas"] += 150_000
        choice = rng.randrange(5)
        if choice == 0:
            tx["to"], tx["value"] = system.WITHDRAWAL_REQUESTS, rng.choice([0, 1, 1, 2, 1000])
            tx["data"] = random_bytes(rng, rng.choice([56, 56, 56, 0, 55]))
        elif choice == 1:
            tx["to"], tx["value"] = system.CONSOLIDATION_REQUESTS, rng.choice([0, 1, 1, 2])
            tx["data"] = random_bytes(rng, rng.choice([96, 96, 96, 0, 95]))
        elif choice == 2:
            tx["to"], tx["value"] = system.DEPOSIT, 0
            tx["data"] = system.deposit_data(rng)
            if rng.random() < 0.08:
                place = rng.choice([31, 63, 95, 127, 159, 191, 287, 351, 415, 543, 300])
                tx["data"] = tx["data"][:place] + b"\x07" + tx["data"][place + 1:]
            tx["gas"] += 40_000
        elif choice == 3:
            tx["to"], tx["value"] = system.HISTORY_STORAGE, 0
            tx["data"] = (self.number - rng.choice([0, 1, 2, -1])).to_bytes(
                32, "big") if self.number > 2 else b"\0" * 32
        else:
            tx["to"], tx["value"] = system.BEACON_ROOTS, 0
            tx["data"] = rng.choice([1000, 12 * self.number + 5, 7]).to_bytes(32, "big")

    def fees(self, tx):
        rng = self.rng
        price = self.base_fee + rng.choice([0, 0, 1, 2, 10 ** 9]) if self.since("London") else (
            rng.choice([0, 1, 7, 10, 10 ** 9]))
        if tx["type"] <= 1:
            tx["gasPrice"] = price
        else:
            tx["maxFeePerGas"] = price
            tx["maxPriorityFeePerGas"] = rng.choice([0, 1, price, price // 2, price])
            tx["maxPriorityFeePerGas"] = min(price, tx["maxPriorityFeePerGas"])
        if tx["type"] == 3:
            tx["maxFeePerBlobGas"] = self.blob_fee_ceiling * rng.choice([1, 1, 2])

    def authorizations(self, tx):
        rng = self.rng
        result = []
        for _ in range(rng.choice([1, 1, 2, 3])):
            secret = rng.choice(self.keys + [0x77 + rng.randrange(4)])
            nonce = self.nonces.get(secret, 0)
            if secret == tx["secret"]:
                nonce += 1
            chain = self.chain_id if rng.random() < 0.5 else 0
            roll = rng.random()
            fault = None
            if roll < 0.08:
                nonce += rng.choice([1, -1]) if nonce else 1
            elif roll < 0.12:
                chain = self.chain_id + 1
            elif roll < 0.2:
                fault = rng.choice(["highS", "parity", "zeroR", "zeroS"])
            elif roll < 0.22:
                nonce = (1 << 64) - 1
            target = rng.choice([
                rng.choice(self.world.contracts), rng.choice(self.world.contracts),
                self.world.address(rng), b"\0" * 20, transactions.address_of_key(secret),
                precompile_inputs.pick(rng, self.fork).to_bytes(20, "big")])
            nonce = min(nonce, (1 << 64) - 1)
            result.append(transactions.authorization(secret, chain, target, nonce, fault))
            if secret in self.nonces and fault is None and rng.random() < 0.7:
                # Later transactions of that account know of the nonce it used up.
                self.authorised.append(secret)
        return result

    def spoil(self, tx):
        """Break one rule."""
        rng = self.rng
        typed = tx["type"] >= 1
        faults = ["nonceLow", "nonceHigh", "gasLow", "gasIntrinsic", "poor", "exact", "blockGas",
                  "badV", "zeroR", "zeroS", "bigR", "extraField", "leadingZero", "highS",
                  "chainId", "nonceMaximum", "bigInit", "type"]
        if self.since("London"):
            faults += ["feeBelowBase"] * 2
        if tx["type"] >= 2:
            faults += ["priorityAboveMaximum"] * 3
        if tx["type"] == 3:
            faults += ["noBlobs", "manyBlobs", "blobVersion", "blobFee", "create"] * 2
        if tx["type"] == 4:
            faults += ["noAuthorizations", "create"] * 3
        if self.since("Osaka"):
            faults += ["gasCap"] * 2
        if self.since("Prague"):
            faults += ["floor"] * 2
        fault = rng.choice(faults)
        if fault == "nonceLow" and tx["nonce"] > 0:
            tx["nonce"] -= 1
        elif fault == "nonceHigh":
            tx["nonce"] = min(tx["nonce"] + rng.choice([1, 5]), (1 << 64) - 1)
        elif fault == "nonceMaximum":
            tx["nonce"] = (1 << 64) - 1
        elif fault == "gasLow":
            tx["gas"] = rng.choice([0, 20999, 21000, 25000])
        elif fault in ("gasIntrinsic", "floor"):
            tx["gas"] = max(0, intrinsic_gas(self.fork, tx, fault == "floor")
                            + rng.choice([-1, 0, 1]))
        elif fault == "poor":
            tx["value"] = 10 ** 30
        elif fault == "exact":
            tx["exact"] = rng.choice([0, 1, -1])
        elif fault == "blockGas":
            tx["gas"] = self.gas_limit + rng.choice([0, 1, 1000])
            if self.since("Osaka"):
                tx["gas"] = min(tx["gas"], 1 << 24)
        elif fault == "gasCap":
            tx["gas"] = (1 << 24) + rng.choice([0, 1])
        elif fault == "feeBelowBase":
            low = max(0, self.base_fee - 1)
            if tx["type"] <= 1:
                tx["gasPrice"] = low
            else:
                tx["maxFeePerGas"] = low
                tx["maxPriorityFeePerGas"] = min(low, tx["maxPriorityFeePerGas"])
        elif fault == "priorityAboveMaximum":
            tx["maxPriorityFeePerGas"] = tx["maxFeePerGas"] + 1
        elif fault == "chainId":
            # Of legacy transactions only: the oracle does not look at the one in typed ones.
            if tx["type"] == 0 and self.since("SpuriousDragon"):
                tx["chainId"] += 1
                tx["protected"] = True
        elif fault == "noBlobs":
            tx["blobVersionedHashes"] = []
        elif fault == "manyBlobs":
            most = MAXIMUM_BLOBS[self.fork]
            count = rng.choice([most, most + 1, 6, 7])
            tx["blobVersionedHashes"] = [b"\x01" + random_bytes(rng, 31) for _ in range(count)]
        elif fault == "blobVersion":
            tx["blobVersionedHashes"][-1] = b"\x02" + random_bytes(rng, 31)
        elif fault == "blobFee":
            tx["maxFeePerBlobGas"] = rng.choice([0, 1, self.blob_fee_ceiling // 3])
        elif fault == "create":
            tx["to"] = b""
        elif fault == "noAuthorizations":
            tx["authorizationList"] = []
        elif fault == "bigInit":
            if tx["type"] < 3:
                size = rng.choice([49152, 49153])
                tx["to"] = b""
                tx["data"] = rng.choice([b"\0", b"\x5b"]) * size
                tx["gas"] = 53000 + 16 * size + 2 * 1536 + 4000 + 40 * size
        elif fault == "type":
            if typed:
                tx["fault"], tx["faultType"] = "type", rng.choice([5, 0x7E, tx["type"] % 4 + 1])
            else:
                tx["type"], tx["chainId"] = rng.choice([1, 2]), self.chain_id
                tx.update({"maxFeePerGas": tx["gasPrice"], "accessList": [],
                           "maxPriorityFeePerGas": 0})
        elif fault in ("badV", "zeroR", "zeroS", "bigR", "extraField", "leadingZero", "highS"):
            tx["fault"] = fault
            tx["faultV"] = rng.choice([0, 1, 2, 26, 29, 30, 37, 38, 255])

    def settle_exact(self, tx):
        """Give the sender just what the transaction may cost (one more or less)."""
        price = tx.get("maxFeePerGas", tx.get("gasPrice"))
        cost = tx["gas"] * price + tx["value"]
        if tx["type"] == 3:
            cost += 131072 * len(tx["blobVersionedHashes"]) * tx["maxFeePerBlobGas"]
        entry = self.alloc[hexadecimal(transactions.address_of_key(tx["secret"]))]
        entry["balance"] = hex(max(1, cost + tx["exact"]))

    def build(self):
        rng = self.rng
        self.base_fee = rng.choice([7, 7, 1, 10, 10 ** 9, 0 if rng.random() < 0.3 else 100])
        self.excess_blob_gas = rng.choice([0, 0, 131072, 786432, 10_000_000, 60_000_000])
        self.blob_fee_ceiling = 1 if self.excess_blob_gas < 1_000_000 else (
            50 if self.excess_blob_gas < 20_000_000 else 10 ** 9)
        self.authorised = []
        # A contract that calls itself down to the depth limit (no fork with a gas cap gets there).
        self.diver = random_bytes(rng, 20) if rng.random() < 0.01 and not self.since("Osaka") else None
        self.pre_state()
        as_json = rng.random() < 0.15 and self.chain_id == 1
        count = rng.choice([1, 2, 3, 4, 5, 6, 8, 12]) if rng.random() < 0.98 else 0
        self.gas_limit = rng.choice([30_000_000, 30_000_000, 16_000_000, 45_000_000])
        if self.diver:
            self.gas_limit = 1 << 50
        txs = []
        for _ in range(count):
            tx = self.transaction()
            spoiled = not as_json and rng.random() < 0.08
            if spoiled:
                self.spoil(tx)
            if "exact" in tx:
                self.settle_exact(tx)
            if not spoiled or tx.get("exact", -1) >= 0:
                secret = tx["secret"]
                self.nonces[secret] = min(self.nonces[secret] + 1, (1 << 64) - 1)
                for other in self.authorised:
                    self.nonces[other] = min(self.nonces[other] + 1, (1 << 64) - 1)
            self.authorised = []
            txs.append(tx)
        if txs and rng.random() < 0.06:
            # The block gas limit falls among these transactions.
            self.gas_limit = max(5000, sum(tx["gas"] for tx in txs[: rng.randint(1, count)])
                                 + rng.choice([0, 0, -1, -20000]))
        env = self.environment()
        encoded = ([transactions.to_json(tx) for tx in txs] if as_json
                   else hexadecimal(transactions.rlp_list_of_raw(
                       [transactions.encode(tx) for tx in txs])))
        reward = -1
        if not self.since("Paris"):
            # The specification keeps a coinbase that a reward of zero touches. EIP-161 deletes it.
            reward = rng.choice([-1, 8 if self.since("SpuriousDragon") else 0, 2 * ETHER,
                                 2 * ETHER, 8])
        return {
            "name": f"random-{self.seed}", "fork": self.fork, "chainId": self.chain_id,
            "reward": reward, "count": count,
            "input": {"alloc": self.alloc, "env": env, "txs": encoded},
        }


EDGE_WORDS = [value.to_bytes(32, "big") for value in contracts.EDGES]


def intrinsic_gas(fork, tx, floor=False):
    """The intrinsic gas (or the call data floor), to aim at its edge."""
    zeros = tx["data"].count(0)
    nonzeros = len(tx["data"]) - zeros
    if floor:
        return 21000 + 10 * (zeros + 4 * nonzeros)
    gas = 21000 + 4 * zeros + (16 if since(fork, "Istanbul") else 68) * nonzeros
    if not tx["to"] and since(fork, "Homestead"):
        gas += 32000
        if since(fork, "Shanghai"):
            gas += 2 * ((len(tx["data"]) + 31) // 32)
    for _, keys in tx["accessList"]:
        gas += 2400 + 1900 * len(keys)
    return gas + 25000 * len(tx.get("authorizationList", []))


def block(seed, fork=None):
    """The case of a seed."""
    return Block(seed, fork).build()
