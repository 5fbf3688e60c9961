#!/usr/bin/env python3
"""Writes Tests/EVMTests/Vectors/hashes.txt: digests of messages of every length from 0 to 300.

A line is `hash length digest`. Byte i of the message of length n is (7 i + 13 n + i * i / 11) mod
256. The digests come from Python's hashlib (OpenSSL). Keccak-256 is not in it: it is written out
here by FIPS 202, and checked with the padding of SHA3-256 against hashlib's at every length.
BLAKE2b is keyless with a digest of 64 bytes.
"""

import hashlib
import pathlib

MASK = (1 << 64) - 1


def message(n):
    return bytes((7 * i + 13 * n + i * i // 11) & 255 for i in range(n))


def rotated(value, count):
    count %= 64
    return ((value << count) | (value >> (64 - count))) & MASK


def permuted(a):
    """Keccak-f[1600] on a dictionary of lanes by (x, y)."""
    register = 1
    for _ in range(24):
        c = [a[x, 0] ^ a[x, 1] ^ a[x, 2] ^ a[x, 3] ^ a[x, 4] for x in range(5)]
        a = {(x, y): v ^ c[(x - 1) % 5] ^ rotated(c[(x + 1) % 5], 1) for (x, y), v in a.items()}
        b = {(0, 0): a[0, 0]}
        x, y = 1, 0
        for t in range(24):
            b[y, (2 * x + 3 * y) % 5] = rotated(a[x, y], (t + 1) * (t + 2) // 2)
            x, y = y, (2 * x + 3 * y) % 5
        a = {(x, y): b[x, y] ^ (~b[(x + 1) % 5, y] & b[(x + 2) % 5, y]) for x, y in b}
        for j in range(7):
            if register & 1:
                a[0, 0] ^= 1 << ((1 << j) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
    return a


def keccak256(data, padding=0x01):
    rate = 136
    padded = bytearray(data + bytes([padding]))
    padded += bytes(-len(padded) % rate)
    padded[-1] ^= 0x80
    a = {(x, y): 0 for x in range(5) for y in range(5)}
    for start in range(0, len(padded), rate):
        for i in range(rate // 8):
            a[i % 5, i // 5] ^= int.from_bytes(padded[start + 8 * i : start + 8 * i + 8], "little")
        a = permuted(a)
    return b"".join(a[i, 0].to_bytes(8, "little") for i in range(4)).hex()


HASHES = {
    "keccak256": keccak256,
    "sha256": lambda data: hashlib.sha256(data).hexdigest(),
    "ripemd160": lambda data: hashlib.new("ripemd160", data).hexdigest(),
    "blake2b": lambda data: hashlib.blake2b(data).hexdigest(),
}


def main():
    lines = []
    for n in range(301):
        data = message(n)
        assert keccak256(data, 0x06) == hashlib.sha3_256(data).hexdigest()
        lines += [f"{name} {n} {function(data)}" for name, function in HASHES.items()]
    folder = pathlib.Path(__file__).resolve().parents[2] / "Tests/EVMTests/Vectors"
    (folder / "hashes.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
