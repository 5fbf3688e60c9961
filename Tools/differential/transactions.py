"""RLP, signing and encoding of transactions, faulty ones included.

Fields are a plain dictionary; what is wrong about a transaction is wrong on purpose, so nothing
here checks anything.
"""

from functools import lru_cache

import coincurve
from Crypto.Hash import keccak as _keccak

SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def keccak256(data):
    return _keccak.new(digest_bits=256, data=bytes(data)).digest()


def integer(value):
    """An integer as RLP wants it: big endian without leading zeros."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def rlp(item):
    """RLP of bytes, integers and (nested) lists."""
    if isinstance(item, int):
        item = integer(item)
    if isinstance(item, (bytes, bytearray)):
        if len(item) == 1 and item[0] < 0x80:
            return bytes(item)
        return _prefix(0x80, len(item)) + bytes(item)
    body = b"".join(rlp(part) for part in item)
    return _prefix(0xC0, len(body)) + body


def split_list(data):
    """The encoded elements of an RLP list."""
    def header(place):
        first = data[place]
        if first < 0x80:
            return place, 1
        base = 0x80 if first < 0xC0 else 0xC0
        if first - base < 56:
            return place + 1, first - base
        size = first - base - 55
        return place + 1 + size, int.from_bytes(data[place + 1:place + 1 + size], "big")

    place, length = header(0)
    end, parts = place + length, []
    while place < end:
        body, size = header(place)
        parts.append(data[place:body + size])
        place = body + size
    return parts


def _prefix(base, length):
    if length < 56:
        return bytes([base + length])
    size = integer(length)
    return bytes([base + 55 + len(size)]) + size


def rlp_list_of_raw(parts):
    body = b"".join(parts)
    return _prefix(0xC0, len(body)) + body


@lru_cache(maxsize=4096)
def address_of_key(secret):
    public = coincurve.PrivateKey.from_int(secret).public_key.format(compressed=False)
    return keccak256(public[1:])[12:]


def sign(secret, digest):
    """Deterministic (RFC 6979) secp256k1 signature: r, s, recovery bit."""
    signature = coincurve.PrivateKey.from_int(secret).sign_recoverable(digest, hasher=None)
    return (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"),
            signature[64])


def create_address(sender, nonce):
    return keccak256(rlp([sender, nonce]))[12:]


def create2_address(sender, salt, init_code):
    return keccak256(
        b"\xff" + sender + salt.to_bytes(32, "big") + keccak256(init_code))[12:]


def authorization(secret, chain_id, address, nonce, fault=None):
    """An EIP-7702 authorisation as a list of RLP fields."""
    r, s, y = sign(secret, keccak256(b"\x05" + rlp([chain_id, address, nonce])))
    if fault == "highS":
        s, y = SECP256K1_N - s, 1 - y
    elif fault == "parity":
        y = 27 + y
    elif fault == "zeroR":
        r = 0
    elif fault == "zeroS":
        s = 0
    return [chain_id, address, nonce, y, r, s]


def payload(tx):
    """The unsigned fields of a typed transaction, in order."""
    fees = ([tx["gasPrice"]] if tx["type"] == 1
            else [tx["maxPriorityFeePerGas"], tx["maxFeePerGas"]])
    fields = [tx["chainId"], tx["nonce"], *fees, tx["gas"], tx["to"], tx["value"], tx["data"],
              [[address, [key.to_bytes(32, "big") for key in keys]]
               for address, keys in tx["accessList"]]]
    if tx["type"] == 3:
        fields += [tx["maxFeePerBlobGas"], list(tx["blobVersionedHashes"])]
    if tx["type"] == 4:
        fields += [tx["authorizationList"]]
    return fields


def encode(tx):
    """One element of the RLP list of transactions, signed with tx["secret"].

    `tx["fault"]` may name a fault of the signature or the encoding.
    """
    fault = tx.get("fault")
    if tx["type"] == 0:
        fields = [tx["nonce"], tx["gasPrice"], tx["gas"], tx["to"], tx["value"], tx["data"]]
        protected = tx["protected"]
        message = fields + ([tx["chainId"], b"", b""] if protected else [])
        r, s, y = sign(tx["secret"], keccak256(rlp(message)))
        if fault == "highS":
            s, y = SECP256K1_N - s, 1 - y
        v = 35 + 2 * tx["chainId"] + y if protected else 27 + y
        if fault == "badV":
            v = tx.get("faultV", 26)
        if fault == "zeroR":
            r = 0
        if fault == "zeroS":
            s = 0
        if fault == "bigR":
            r = SECP256K1_N
        fields += [v, r, s]
        if fault == "extraField":
            fields.append(0)
        if fault == "leadingZero":
            fields[4] = b"\x00" + integer(tx["value"])
        return rlp(fields)
    fields = payload(tx)
    kind = bytes([tx["type"]])
    r, s, y = sign(tx["secret"], keccak256(kind + rlp(fields)))
    if fault == "highS":
        s, y = SECP256K1_N - s, 1 - y
    if fault == "badV":
        y = tx.get("faultV", 2)
    if fault == "zeroR":
        r = 0
    if fault == "zeroS":
        s = 0
    if fault == "bigR":
        r = SECP256K1_N
    fields += [y, r, s]
    if fault == "extraField":
        fields.append(0)
    if fault == "leadingZero":
        fields[1] = b"\x00" + integer(tx["nonce"])
    return rlp(bytes([tx.get("faultType", tx["type"])]) + rlp(fields))


def to_json(tx):
    """The unsigned JSON form with `secretKey`, which the transition tool signs."""
    out = {
        "type": hex(tx["type"]), "nonce": hex(tx["nonce"]), "gas": hex(tx["gas"]),
        "value": hex(tx["value"]), "input": "0x" + tx["data"].hex(),
        "to": "0x" + tx["to"].hex() if tx["to"] else None,
        "v": "0x0", "r": "0x0", "s": "0x0",
        "secretKey": "0x" + tx["secret"].to_bytes(32, "big").hex(),
    }
    if tx["type"] == 0:
        out["protected"] = tx["protected"]
    else:
        out["chainId"] = hex(tx["chainId"])
        out["accessList"] = [
            {"address": "0x" + address.hex(),
             "storageKeys": ["0x" + key.to_bytes(32, "big").hex() for key in keys]}
            for address, keys in tx["accessList"]]
    if tx["type"] <= 1:
        out["gasPrice"] = hex(tx["gasPrice"])
    else:
        out["maxFeePerGas"] = hex(tx["maxFeePerGas"])
        out["maxPriorityFeePerGas"] = hex(tx["maxPriorityFeePerGas"])
    if tx["type"] == 3:
        out["maxFeePerBlobGas"] = hex(tx["maxFeePerBlobGas"])
        out["blobVersionedHashes"] = ["0x" + h.hex() for h in tx["blobVersionedHashes"]]
    if tx["type"] == 4:
        out["authorizationList"] = [
            {"chainId": hex(c), "address": "0x" + a.hex(), "nonce": hex(n), "v": hex(y),
             "yParity": hex(y), "r": hex(r), "s": hex(s)}
            for c, a, n, y, r, s in tx["authorizationList"]]
    return out
