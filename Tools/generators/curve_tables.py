#!/usr/bin/env python3
"""Writes the constant tables of a curve's base point as Swift source.

    Tools/generators/curve_tables.py secp256k1 > Sources/EVM/Curves/Secp256k1GeneratorTable.swift
    Tools/generators/curve_tables.py p256 > Sources/EVM/Curves/P256GeneratorTable.swift

Plain Python, no packages. Parameters: SEC 2, version 2.0, sections 2.4.1 and 2.4.2.
"""

import sys
from dataclasses import dataclass

ODD_MULTIPLES = 64  # width 8: digits 1, 3 ... 127
BLOCKS, TEETH, SPACING = 4, 4, 16


@dataclass
class Curve:
    p: int
    a: int
    g: tuple

    def add(self, one, two):
        if one is None:
            return two
        if two is None:
            return one
        if one[0] == two[0]:
            if (one[1] + two[1]) % self.p == 0:
                return None
            slope = (3 * one[0] * one[0] + self.a) * pow(2 * one[1], -1, self.p) % self.p
        else:
            slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, self.p) % self.p
        x = (slope * slope - one[0] - two[0]) % self.p
        return x, (slope * (one[0] - x) - one[1]) % self.p

    def multiply(self, scalar, point):
        result = None
        while scalar:
            if scalar & 1:
                result = self.add(result, point)
            point = self.add(point, point)
            scalar >>= 1
        return result


SECP256K1 = Curve(
    p=2**256 - 2**32 - 977,
    a=0,
    g=(
        0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
        0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
    ),
)
P256 = Curve(
    p=2**256 - 2**224 + 2**192 + 2**96 - 1,
    a=-3,
    g=(
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
)


def grouped(limb):
    text = f"{limb:016x}"
    return "0x" + "_".join(text[i : i + 4] for i in range(0, 16, 4))


def rows(points):
    for point in points:
        for value in point:
            limbs = [(value >> (64 * i)) & (2**64 - 1) for i in range(4)]
            for pair in (limbs[:2], limbs[2:]):
                yield "    " + ", ".join(map(grouped, pair)) + ","


def table(name, comment, points):
    points = list(points)
    text = "".join(f"  /// {line}\n" for line in comment)
    return (
        f"{text}  static let {name}: InlineArray<{len(points) * 8}, UInt64> = [\n"
        + "\n".join(rows(points))
        + "\n  ]\n"
    )


def odd_multiples(curve):
    return (curve.multiply(2 * i + 1, curve.g) for i in range(ODD_MULTIPLES))


def comb(curve):
    for block in range(BLOCKS):
        for digit in range(1, 1 << TEETH):
            bits = (64 * block + SPACING * t for t in range(TEETH) if digit >> t & 1)
            yield curve.multiply(sum(1 << bit for bit in bits), curve.g)


def source(type_name, form, tables):
    return f"""// Written by Tools/generators/curve_tables.py: change the script, not this file.

/// Multiples of the base point as constants: x then y{form}, four limbs each, least
/// significant first.
enum {type_name} {{
  /// The digit width that the odd multiples 1, 3 ... {2 * ODD_MULTIPLES - 1} serve.
  @inline(__always)
  static var digitWidth: Int {{ {(2 * ODD_MULTIPLES).bit_length()} }}

{chr(10).join(tables)}}}
"""


def main():
    odd_comment = [f"Point `i` (0 to {ODD_MULTIPLES - 1}) is 2i + 1 times the base point."]
    if sys.argv[1:] == ["secp256k1"]:
        comb_comment = [
            "Point `15 b + d - 1` (b 0 to 3, d 1 to 15) is the base point times the sum of",
            "2^(64 b + 16 t) over the bits t that are set in d.",
        ]
        tables = [
            table("oddMultiples", odd_comment, odd_multiples(SECP256K1)),
            table("comb", comb_comment, comb(SECP256K1)),
        ]
        print(source("Secp256k1GeneratorTable", "", tables), end="")
    elif sys.argv[1:] == ["p256"]:
        points = (tuple(v * 2**256 % P256.p for v in q) for q in odd_multiples(P256))
        tables = [table("oddMultiples", odd_comment, points)]
        print(source("P256GeneratorTable", " in Montgomery form", tables), end="")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
