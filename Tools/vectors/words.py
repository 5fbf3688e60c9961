#!/usr/bin/env python3
"""Writes Tests/EVMTests/Vectors/words.txt: every operation of UInt256 on random and edge words.

A line is `operation operand... result` in hexadecimal without leading zeros. Results come from
Python's integers by the yellow paper's definitions (appendix H.2), not from Needletail.
Run it without arguments in any folder; the seed is fixed, so the file comes out the same.
"""

import pathlib
import random

MODULUS = 1 << 256
random.seed(20260101)

EDGES = sorted(
    {
        value % MODULUS
        for exponent in (0, 1, 7, 8, 31, 32, 63, 64, 65, 127, 128, 191, 192, 254, 255, 256)
        for value in ((1 << exponent) - 1, 1 << exponent, (1 << exponent) + 1)
    }
    | {MODULUS - value for value in (1, 2, 3, 128, 1 << 64, (1 << 64) + 1, 1 << 192)}
    | {0x0F << 248, 0xFF << 120, int("ff00" * 16, 16), int("0123456789abcdef" * 4, 16)}
)


def signed(value):
    return value - MODULUS if value >> 255 else value


def word():
    kind = random.randrange(8)
    if kind == 0:
        return random.choice(EDGES)
    if kind == 1:  # limbs of all ones and all zeros: the rare corrections in long division
        limbs = (random.choice((0, 0, 1, (1 << 64) - 1, (1 << 64) - 1, 1 << 63)) for _ in range(4))
        return sum(limb << (64 * index) for index, limb in enumerate(limbs))
    if kind == 2:
        return (-random.getrandbits(random.choice((4, 64, 130)))) % MODULUS
    return random.getrandbits(random.choice((8, 32, 60, 64, 96, 128, 160, 192, 200, 256, 256)))


def count():
    return random.choice((random.randrange(300), random.randrange(258), 8 * random.randrange(33), word()))


def truncated(a, b):
    return abs(a) // abs(b) * (-1 if (a < 0) != (b < 0) else 1)


def sign_extend(index, a):
    if index >= 31:
        return a
    bits = 8 * index + 8
    low = a & ((1 << bits) - 1)
    return low | (MODULUS - (1 << bits)) if low >> (bits - 1) else low


OPERATIONS = {
    "add": (word, word, lambda a, b: a + b),
    "sub": (word, word, lambda a, b: a - b),
    "mul": (word, word, lambda a, b: a * b),
    "div": (word, word, lambda a, b: a // b if b else 0),
    "sdiv": (word, word, lambda a, b: truncated(signed(a), signed(b)) if b else 0),
    "mod": (word, word, lambda a, b: a % b if b else 0),
    "smod": (
        word,
        word,
        lambda a, b: (abs(signed(a)) % abs(signed(b))) * (-1 if signed(a) < 0 else 1) if b else 0,
    ),
    "addmod": (word, word, word, lambda a, b, m: (a + b) % m if m else 0),
    "mulmod": (word, word, word, lambda a, b, m: a * b % m if m else 0),
    "exp": (word, count, lambda a, b: pow(a, b, MODULUS)),
    "signextend": (count, word, sign_extend),
    "lt": (word, word, lambda a, b: a < b),
    "slt": (word, word, lambda a, b: signed(a) < signed(b)),
    "eq": (word, word, lambda a, b: a == b),
    "and": (word, word, lambda a, b: a & b),
    "or": (word, word, lambda a, b: a | b),
    "xor": (word, word, lambda a, b: a ^ b),
    "not": (word, lambda a: ~a),
    "byte": (count, word, lambda i, a: a >> (248 - 8 * i) & 255 if i < 32 else 0),
    "shl": (count, word, lambda n, a: a << n if n < 256 else 0),
    "shr": (count, word, lambda n, a: a >> n if n < 256 else 0),
    "sar": (count, word, lambda n, a: signed(a) >> min(n, 256)),
    "clz": (word, lambda a: 256 - a.bit_length()),
    "mulhigh": (word, word, lambda a, b: a * b >> 256),
}
LINES = {"div": 400, "mod": 200, "mulmod": 500, "addmod": 250}


def main():
    folder = pathlib.Path(__file__).resolve().parents[2] / "Tests/EVMTests/Vectors"
    lines = []
    for name, (*draws, function) in OPERATIONS.items():
        for index in range(LINES.get(name, 120)):
            operands = [draw() for draw in draws]
            if len(operands) > 1 and index % 16 == 0:
                operands[1] = operands[0]
            values = operands + [int(function(*operands)) % MODULUS]
            lines.append(" ".join([name] + [f"{value:x}" for value in values]))
    (folder / "words.txt").write_text("\n".join(lines) + "\n")


main()
