#!/usr/bin/env python3
"""Writes Sources/Kernels/Device/CMontgomery.h: the base fields of bn254 and BLS12-381 in PTX.

    Tools/generators/montgomery_ptx.py            writes the header
    Tools/generators/montgomery_ptx.py --check    runs the instructions on random and edge numbers
                                                  against Python's, and compares the header

A number is n limbs of 32 bits, 8 or 12, in Montgomery form with R = 2^(32 n), given and taken in
registers of 64. A product goes row by row, with the reduction interleaved (CIOS). Partial products at even
and at odd places go to two accumulators, so that each is one `IMAD.WIDE` into an aligned pair of registers
with the carry in a predicate; a shift by one limb makes them change places (as in
github.com/supranational/sppark, ff/mont_t.cuh). Results are below p.
"""

import pathlib
import random
import sys

from ptx import MASK, Code, c_function, main, registers_of, run, value_of

HEADER = pathlib.Path(__file__).resolve().parents[2] / "Sources/Kernels/Device/CMontgomery.h"
FIELDS = {
    "bn254": (8, 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47),
    "bls12381": (12, 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F624
                 << 128 | 0x1EABFFFEB153FFFFB9FEFFFFFFFFAAAB),
}


class Field:
    """The instructions of a field's functions."""

    def __init__(self, name):
        self.count, self.modulus = FIELDS[name]
        self.limbs = [self.modulus >> 32 * i & MASK for i in range(self.count)]
        self.inverse = -pow(self.modulus, -1, 1 << 32) % (1 << 32)

    def row(self, code, target, factors, factor, carry_in=False, shift=False):
        """Adds factors (those at every second place) times a factor to an accumulator; with `shift` to
        what is two limbs up in it. The last carry stays in the flag unless shifted."""
        count = self.count
        for place in range(0, count, 2):
            low, high = f"{target}{place}", f"{target}{place + 1}"
            top = place == count - 2
            low_in = high_in = 0
            if not shift:
                low_in, high_in = low, high
            elif not top:
                low_in, high_in = f"{target}{place + 2}", f"{target}{place + 3}"
            first = place == 0 and not carry_in
            code.emit("mad.lo.cc" if first else "madc.lo.cc", low, factors[place], factor, low_in)
            last = top and shift
            code.emit("madc.hi" if last else "madc.hi.cc", high, factors[place], factor, high_in)

    def rows(self, code, even, odd, terms, limb):
        """One limb of each second factor, and the reduction."""
        top = f"{odd}{self.count - 1}"
        for index, (a, b) in enumerate(terms):
            factors = [f"{a}{i}" for i in range(self.count)]
            factor = f"{b}{limb}"
            if index == 0 and limb == 0:
                for place in range(0, self.count, 2):
                    for target, first in ((odd, place + 1), (even, place)):
                        code.emit("mul.lo", f"{target}{place}", factors[first], factor)
                        code.emit("mul.hi", f"{target}{place + 1}", factors[first], factor)
                continue
            if index == 0:
                code.emit("add.cc", f"{even}0", f"{even}0", f"{odd}1")
                self.row(code, odd, factors[1:], factor, carry_in=True, shift=True)
            else:
                self.row(code, odd, factors[1:], factor)
            self.row(code, even, factors, factor)
            code.emit("addc", top, top, 0)
        code.emit("mul.lo", "m", f"{even}0", self.inverse)
        self.row(code, odd, self.limbs[1:], "m")
        self.row(code, even, self.limbs, "m")
        code.emit("addc", top, top, 0)

    def reduce_once(self, code, name):
        """r = the number less p, unless that is negative."""
        for i in range(self.count):
            code.emit("sub.cc" if i == 0 else "subc.cc", f"d{i}", f"{name}{i}", self.limbs[i])
        code.emit("subc", "m", 0, 0)
        for i in range(self.count):
            code.emit("slct", f"r{i}", f"d{i}", f"{name}{i}", "m")

    def products(self, code, terms):
        for limb in range(0, self.count, 2):
            self.rows(code, "e", "o", terms, limb)
            self.rows(code, "o", "e", terms, limb + 1)
        last = self.count - 1
        for i in range(last):
            code.emit("add.cc" if i == 0 else "addc.cc", f"t{i}", f"e{i}", f"o{i + 1}")
        code.emit("addc", f"t{last}", f"e{last}", 0)
        self.reduce_once(code, "t")

    def multiply(self, code):
        self.products(code, [("a", "b")])

    def multiply_add(self, code):
        self.products(code, [("a", "b"), ("c", "d")])

    def add(self, code):
        code.add([f"t{i}" for i in range(self.count)], [f"a{i}" for i in range(self.count)],
                 [f"b{i}" for i in range(self.count)])
        self.reduce_once(code, "t")

    def subtract(self, code):
        for i in range(self.count):
            code.emit("sub.cc" if i == 0 else "subc.cc", f"t{i}", f"a{i}", f"b{i}")
        code.emit("subc", "m", 0, 0)
        for i in range(self.count):
            code.emit("and", f"d{i}", "m", self.limbs[i])
        code.add([f"r{i}" for i in range(self.count)], [f"t{i}" for i in range(self.count)],
                 [f"d{i}" for i in range(self.count)])


# Inputs, what the result is, and how it is worked out here.
FUNCTIONS = {
    "multiply": ("ab", "a * b / R", lambda x, r, p: x[0] * x[1] * r % p),
    "multiply_add": ("abcd", "(a * b + c * d) / R",
                     lambda x, r, p: (x[0] * x[1] + x[2] * x[3]) * r % p),
    "add": ("ab", "a + b", lambda x, r, p: (x[0] + x[1]) % p),
    "subtract": ("ab", "a - b", lambda x, r, p: (x[0] - x[1]) % p),
}


def instructions(field, name):
    code = Code()
    getattr(Field(field), name)(code)
    return code.lines


def text(field, name):
    """One C function."""
    inputs, comment, _ = FUNCTIONS[name]
    return c_function(
        comment, field, f"{field}_{name}", instructions(field, name), inputs, FIELDS[field][0] // 2)


def header():
    parts = ["""/* Written by Tools/generators/montgomery_ptx.py: change the script, not this file.
 *
 * Arithmetic in the base fields of bn254 and BLS12-381 in Montgomery form, R = 2^256 and 2^384. The portable
 * twins are in Sources/EVM/Curves/MontgomeryField256.swift and BLS12381Fp+Product.swift; `--check` of the
 * script runs these instructions against Python's numbers. */
#ifndef NEEDLETAIL_CMONTGOMERY_H
#define NEEDLETAIL_CMONTGOMERY_H
"""]
    for field, (count, _) in FIELDS.items():
        limbs = ", ".join(f"limb{word}" for word in range(count // 2))
        parts.append(f"""/* A residue, least significant limb first. */
struct device_{field} {{
  unsigned long long {limbs};
}};
""")
        parts += [text(field, name) for name in FUNCTIONS]
    return "\n".join(parts) + "\n#endif\n"


def numbers(field, name, chance):
    """Inputs within the bounds that the callers keep: sums of two elements as first factors of products."""
    count, p = FIELDS[field]
    edges = [0, 1, 2, MASK, 1 << 32, p >> 1, p - 1, p - 2, p - (1 << 64), (1 << 64) - 1]
    inputs = len(FUNCTIONS[name][0])
    for a in edges:
        for b in edges:
            yield [a, b, b, a][:inputs]
    for _ in range(400):
        yield [chance.randrange(p) for _ in range(inputs)]
        # Runs of ones and zeros meet the carries.
        yield [
            sum(chance.choice([0, MASK, chance.getrandbits(32), 1]) << 32 * limb
                for limb in range(count)) % p
            for _ in range(inputs)]
        yield [p - chance.getrandbits(chance.randrange(1, 70)) for _ in range(inputs)]
        if name == "multiply":
            # Both factors unreduced, and any number as the second one.
            yield [2 * p - 1 - chance.getrandbits(chance.randrange(1, 250)),
                   2 * p - 1 - chance.getrandbits(chance.randrange(1, 250))]
            yield [chance.randrange(p), (1 << 32 * count) - 1 - chance.getrandbits(60)]
        if name == "multiply_add":
            yield [p - 1, p, p, p - 1 - chance.getrandbits(40)]


def check():
    chance = random.Random(7)
    for field, (count, p) in FIELDS.items():
        factor = pow(1 << 32 * count, -1, p)
        for name, (inputs, _, expected) in FUNCTIONS.items():
            lines = instructions(field, name)
            tried = 0
            for values in numbers(field, name, chance):
                result = value_of("r", run(lines, registers_of(inputs, values, count)), count)
                if result != expected(values, factor, p):
                    sys.exit(f"montgomery_ptx: {field} {name} of {[hex(x) for x in values]} gives "
                             f"{result:#x}")
                tried += 1
            wide = sum(line[0].startswith(("mul.lo", "mad.lo", "madc.lo")) for line in lines)
            print(f"{field} {name}: {tried} inputs, {len(lines)} instructions, {wide} products")


if __name__ == "__main__":
    main(__doc__, HEADER, header, check)
