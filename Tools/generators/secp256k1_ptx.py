#!/usr/bin/env python3
"""Writes Sources/Kernels/Device/CSecp256k1.h: the arithmetic modulo secp256k1's p in PTX.

    Tools/generators/secp256k1_ptx.py            writes the header
    Tools/generators/secp256k1_ptx.py --check    runs the instructions on random and edge numbers
                                                 against Python's, and compares the header

A number is eight limbs of 32 bits, given and taken in four registers of 64. A product's partial
products go to two rows, those at even and those at odd places, so that each is one `IMAD.WIDE` into
an aligned pair of registers with the carry in a predicate; the two rows are added at the end. All
results are residues below 2^256, not below p ("weakly reduced"), as in `Secp256k1Field`.
"""

import pathlib
import random
import sys

from ptx import MASK, Code, c_function, main, registers_of, run, value_of

HEADER = pathlib.Path(__file__).resolve().parents[2] / "Sources/Kernels/Device/CSecp256k1.h"
P = 2**256 - 2**32 - 977


def limbs(name, first=0, last=8):
    return [f"{name}{index}" for index in range(first, last)]


def product(code):
    """p0 to p15 = a * b."""
    for place in range(0, 8, 2):
        code.emit("mul.lo", f"e{place}", f"a{place}", "b0")
        code.emit("mul.hi", f"e{place + 1}", f"a{place}", "b0")
        code.emit("mul.lo", f"o{place + 1}", f"a{place + 1}", "b0")
        code.emit("mul.hi", f"o{place + 2}", f"a{place + 1}", "b0")
    for row in range(1, 8):
        for parity in (0, 1):
            # The limbs of a whose products with b[row] lie at even (0) or odd (1) places.
            name = "eo"[parity]
            first = (row + parity) % 2
            # The row of the limb 7 ends in a fresh pair: nothing carries out of it.
            fresh = first == 1
            pairs = []
            for limb in range(first, 8, 2):
                low, high = f"{name}{row + limb}", f"{name}{row + limb + 1}"
                top = fresh and limb == 7
                # Below the fresh place lies the carry of the row before, of which row 1 has none.
                low_in = 0 if top and row == 1 else low
                pairs.append((low, high, f"a{limb}", f"b{row}", low_in, 0 if top else high))
            code.chain(name, pairs, end=None if fresh else f"{name}{row + 8}")
    code.emit("mov", "p0", "e0")
    code.add([f"p{i}" for i in range(1, 16)], [f"e{i}" for i in range(1, 16)],
             [f"o{i}" for i in range(1, 16)])


def square(code):
    """p0 to p15 = a * a: the cross products, twice, and the squares."""
    known = set()
    for row in range(7):
        for parity, name in ((1, "o"), (0, "e")):
            others = range(row + (1 if parity else 2), 8, 2)
            if not others:
                continue
            pairs = []
            for other in others:
                low, high = f"{name}{row + other}", f"{name}{row + other + 1}"
                pairs.append((low, high, f"a{row}", f"a{other}",
                              low if low in known else 0, high if high in known else 0))
            is_fresh = pairs[-1][5] == 0
            if row == 0:
                for low, high, x, y, _, _ in pairs:
                    code.emit("mul.lo", low, x, y)
                    code.emit("mul.hi", high, x, y)
                known |= {limb for pair in pairs for limb in pair[:2]}
                continue
            end = None if is_fresh else f"{name}{row + others[-1] + 2}"
            code.chain(name, pairs, end)
            known |= {limb for pair in pairs for limb in pair[:2]} | ({end} if end else set())
    # The sum of the cross products is below 2^481 (its top limb is 14).
    code.emit("mov", "c1", "o1")
    code.add([f"c{i}" for i in range(2, 15)],
             [f"e{i}" if f"e{i}" in known else 0 for i in range(2, 15)],
             [f"o{i}" for i in range(2, 15)])
    code.emit("shl", "d1", "c1", 1)
    for place in range(2, 15):
        code.emit("shf.l", f"d{place}", f"c{place - 1}", f"c{place}", 1)
    code.emit("shr", "d15", "c14", 31)
    code.chain("p", [
        (f"p{2 * i}", f"p{2 * i + 1}", f"a{i}", f"a{i}", f"d{2 * i}" if i else 0, f"d{2 * i + 1}")
        for i in range(8)])


def reduce(code):
    """r0 to r7 = p0 to p15 modulo p: 2^256 is worth 2^32 + 977."""
    code.chain("p", [
        (f"u{i}", f"u{i + 1}", f"p{8 + i}", 977, f"p{i}", f"p{i + 1}") for i in range(0, 8, 2)],
        end="u8")
    code.chain("q", [
        (f"q{i}", f"q{i + 1}", f"p{8 + i}", 977, f"p{7 + i}", f"p{8 + i}")
        for i in range(1, 8, 2)], end="q9")
    code.add(limbs("v", 1, 9), limbs("u", 1, 9), limbs("q", 1, 9), end="v9")
    # What is above 2^256 now: below 2^33, and small when its upper limb is 1.
    code.emit("add", "q9", "q9", "v9")
    code.chain("t", [("t0", "t1", "v8", 977, 0, "v8")], end="t2")
    code.emit("mad.lo", "t1", "q9", 977, "t1")
    code.emit("add", "t2", "t2", "q9")
    code.add(limbs("w"), ["u0"] + limbs("v", 1, 8), ["t0", "t1", "t2", 0, 0, 0, 0, 0], end="c")
    # After a carry the value is below 2^67.
    code.emit("mul.lo", "t0", "c", 977)
    code.add(limbs("r", 0, 3), limbs("w", 0, 3), ["t0", "c", 0])
    for limb in range(3, 8):
        code.emit("mov", f"r{limb}", f"w{limb}")


def multiply(code):
    product(code)
    reduce(code)


def squared(code):
    square(code)
    reduce(code)


def fold(code, name, source, sign):
    """One carry or borrow `c` of 2^256 given back twice: the second time limb 0 takes it."""
    operation = {"+": ("add", "addc"), "-": ("sub", "subc")}[sign]
    code.emit("mul.lo", "t0", "c", 977)
    values = ["t0", "c", 0, 0, 0, 0, 0, 0]
    for limb in range(8):
        code.emit(operation[limb > 0] + ".cc", f"w{limb}", f"{source}{limb}", values[limb])
    if sign == "+":
        code.emit("addc", "c", 0, 0)
    else:
        code.emit("subc", "c", 0, 0)
        code.emit("sub", "c", 0, "c")
    code.emit("mul.lo", "t0", "c", 977)
    # What is left after a second wrap is close to the wrap: two limbs take all of it.
    code.emit(operation[0] + ".cc", "r0", "w0", "t0")
    code.emit(operation[1], "r1", "w1", "c")
    for limb in range(2, 8):
        code.emit("mov", f"r{limb}", f"w{limb}")


def add(code):
    code.add(limbs("s"), limbs("a"), limbs("b"), end="c")
    fold(code, "r", "s", "+")


def subtract(code):
    for limb in range(8):
        code.emit("sub.cc" if limb == 0 else "subc.cc", f"s{limb}", f"a{limb}", f"b{limb}")
    code.emit("subc", "c", 0, 0)
    code.emit("sub", "c", 0, "c")
    fold(code, "r", "s", "-")


def halve(code):
    """(a + p, when a is odd) / 2."""
    code.emit("and", "m", "a0", 1)
    code.emit("sub", "m", 0, "m")
    code.emit("and", "t0", "m", P & MASK)
    code.emit("and", "t1", "m", P >> 32 & MASK)
    code.add(limbs("s"), limbs("a"), ["t0", "t1"] + ["m"] * 6, end="s8")
    for limb in range(8):
        code.emit("shf.r", f"r{limb}", f"s{limb}", f"s{limb + 1}", 1)


FUNCTIONS = {
    "multiply": (multiply, 2, "a * b", lambda a, b: a * b),
    "square": (squared, 1, "a * a", lambda a, b: a * a),
    "add": (add, 2, "a + b", lambda a, b: a + b),
    "subtract": (subtract, 2, "a - b", lambda a, b: a - b),
    "halve": (halve, 1, "a / 2", lambda a, b: a * pow(2, -1, P)),
}


def instructions(name):
    code = Code()
    FUNCTIONS[name][0](code)
    return code.lines


def text(name):
    """One C function."""
    _, inputs, comment, _ = FUNCTIONS[name]
    return c_function(comment, "residue", f"secp256k1_{name}", instructions(name), "ab"[:inputs], 4)


def header():
    parts = [f"""/* Written by Tools/generators/secp256k1_ptx.py: change the script, not this file.
 *
 * Arithmetic modulo p = 2^256 - 2^32 - 977 on numbers of four limbs, below 2^256 before and after. The
 * portable twins are in Sources/EVM/Curves/Secp256k1Field.swift; `--check` of the script runs these
 * instructions against Python's numbers, the kernel `field_check` against the twins. */
#ifndef NEEDLETAIL_CSECP256K1_H
#define NEEDLETAIL_CSECP256K1_H

/* A residue, least significant limb first. */
struct device_residue {{
  unsigned long long limb0, limb1, limb2, limb3;
}};
"""]
    parts += [text(name) for name in FUNCTIONS]
    return "\n".join(parts) + "\n#endif\n"


def check():
    chance = random.Random(7)
    top = 2**256
    edges = [0, 1, 2, 976, 977, 978, 2**32 - 1, 2**32, 2**32 + 977, 2**64 - 1, 2**128 - 1, 2**255,
             P - 1, P, P + 1, top - 1, top - 2, top - 2**32, top - 2**64, top - 2**32 - 976]
    edges += [top - 1 - (MASK << 32 * limb) for limb in range(8)]
    pairs = [(a, b) for a in edges for b in edges]
    for _ in range(4000):
        pairs.append((chance.getrandbits(256), chance.getrandbits(256)))
        # Runs of ones and zeros meet the carries.
        pairs.append(tuple(
            sum((chance.choice([0, MASK, chance.getrandbits(32), 1])) << 32 * limb
                for limb in range(8)) for _ in range(2)))
        # Products just below a multiple of 2^256.
        a = chance.getrandbits(256) | 1
        pairs.append((a, (top - chance.getrandbits(66)) * pow(a, -1, P) % P))
    for name, (_, _, _, expected) in FUNCTIONS.items():
        lines = instructions(name)
        for a, b in pairs:
            result = value_of("r", run(lines, registers_of("ab", (a, b), 8)), 8)
            if result % P != expected(a, b) % P:
                sys.exit(f"secp256k1_ptx: {name} of {a:#x} and {b:#x} gives {result:#x}")
        wide = sum(line[0].startswith("mul.lo") or line[0].startswith("mad") and ".lo" in line[0]
                   for line in lines)
        print(f"{name}: {len(pairs)} pairs, {len(lines)} instructions, {wide} products")


if __name__ == "__main__":
    main(__doc__, HEADER, header, check)
