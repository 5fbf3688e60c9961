#!/usr/bin/env python3
"""Writes the constant tables of secp256k1's base point as Swift source.

    Tools/generators/secp256k1_tables.py > Sources/EVM/Curves/Secp256k1GeneratorTable.swift

Plain Python, no packages. Parameters: SEC 2, version 2.0, section 2.4.1.
"""

P = 2**256 - 2**32 - 977
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
ODD_MULTIPLES = 64  # width 8: digits 1, 3 ... 127
BLOCKS, TEETH, SPACING = 4, 4, 16


def add(a, b):
    if a is None:
        return b
    if b is None:
        return a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    result = None
    while k:
        if k & 1:
            result = add(result, point)
        point = add(point, point)
        k >>= 1
    return result


def grouped(limb):
    text = f"{limb:016x}"
    return "0x" + "_".join(text[i : i + 4] for i in range(0, 16, 4))


def table(points):
    lines = []
    for point in points:
        for value in point:
            limbs = [(value >> (64 * i)) & (2**64 - 1) for i in range(4)]
            lines.append("    " + ", ".join(map(grouped, limbs)) + ",")
    return "\n".join(lines)


def main():
    odd = [multiply(2 * i + 1, G) for i in range(ODD_MULTIPLES)]
    comb = []
    for block in range(BLOCKS):
        for digit in range(1, 1 << TEETH):
            scalar = sum(
                1 << (64 * block + SPACING * tooth) for tooth in range(TEETH) if digit >> tooth & 1
            )
            comb.append(multiply(scalar, G))
    print(
        f"""// Written by Tools/generators/secp256k1_tables.py: change the script, not this file.

/// Multiples of the base point as constants: x then y, four limbs each, least significant first.
enum Secp256k1GeneratorTable {{
  /// Points in `oddMultiples`.
  @inline(__always)
  static var oddMultipleCount: Int {{ {ODD_MULTIPLES} }}

  /// The digit width that the odd multiples 1, 3 ... {2 * ODD_MULTIPLES - 1} serve.
  @inline(__always)
  static var digitWidth: Int {{ {(2 * ODD_MULTIPLES).bit_length()} }}

  /// Point `i` is 2i + 1 times the base point.
  static let oddMultiples: InlineArray<{ODD_MULTIPLES * 8}, UInt64> = [
{table(odd)}
  ]

  /// Point `15 b + d - 1` (b 0 to 3, d 1 to 15) is the base point times the sum of
  /// 2^(64 b + 16 t) over the bits t that are set in d.
  static let comb: InlineArray<{len(comb) * 8}, UInt64> = [
{table(comb)}
  ]
}}"""
    )


main()
