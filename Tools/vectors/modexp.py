#!/usr/bin/env python3
"""Writes Tests/EVMTests/Vectors/modexp.txt: powers modulo numbers of many sizes and shapes.

A line is `base exponent modulus result`, each `x` and an even number of hexadecimal digits: the
bytes as they stand in the input of the MODEXP precompile, leading zeros included. Results come
from Python's pow. The seed is fixed, so the file comes out the same.
"""

import pathlib
import random

random.seed(20260102)


def number(bits):
    if bits == 0:
        return 0
    kind = random.randrange(6)
    if kind == 0:
        return (1 << bits) - 1
    if kind == 1:
        return 1 << (bits - 1)
    if kind == 2:  # limbs that make long division and carries go their rare ways
        limbs = [random.choice((0, (1 << 64) - 1, 1, 1 << 63, random.getrandbits(64)))]
        limbs = limbs * (bits // 64 + 1)
        return sum(limb << (64 * i) for i, limb in enumerate(limbs)) & ((1 << bits) - 1)
    return random.getrandbits(bits)


def modulus():
    bits = random.choice(
        (
            random.randrange(40),
            random.randrange(300),
            random.randrange(200, 700),
            random.randrange(250, 264),
            random.choice((256, 320, 512, 1024)),
        )
    )
    value = number(bits)
    kind = random.randrange(5)
    if kind == 0:
        return value | 1
    if kind == 1:
        zeros = random.randrange(bits + 1)
        return value >> zeros << zeros
    if kind == 2:
        return (value | 1) << random.randrange(300)
    return value


def encoded(value, length):
    return "x" + value.to_bytes(length, "big").hex()


def length(value):
    return (value.bit_length() + 7) // 8 + random.choice((0, 0, 0, 1, 9))


def main():
    lines = []
    for _ in range(1000):
        m = modulus()
        b = number(random.choice((random.randrange(300), m.bit_length(), random.randrange(1000))))
        e = number(random.choice((random.randrange(12), random.randrange(70), random.randrange(300))))
        if random.randrange(6) == 0:
            b &= ~1
        n = length(m)
        fields = encoded(b, length(b)), encoded(e, length(e)), encoded(m, n)
        lines.append(" ".join(fields + (encoded(pow(b, e, m) if m else 0, n),)))
    folder = pathlib.Path(__file__).resolve().parents[2] / "Tests/EVMTests/Vectors"
    (folder / "modexp.txt").write_text("\n".join(lines) + "\n")


main()
