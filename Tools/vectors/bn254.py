#!/usr/bin/env python3
"""Writes Tests/EVMTests/Vectors/bn254.txt: the bn254 precompiles on random and edge inputs.

A line is `operation input output` in hexadecimal, with `-` for empty bytes and `fail` for a call
that fails (EIP-196, EIP-197). Sums and multiples of points come from py-ecc (`pip install py_ecc`);
whether a product of pairings e(a_i P, b_i Q) is one follows from the sum of a_i b_i modulo the
order, and py-ecc's own pairing confirms one case of each. The seed is fixed.
"""

import pathlib
import random

from py_ecc.optimized_bn128 import FQ, FQ2, FQ12, G1, G2, Z1, Z2, add, b2, curve_order, double
from py_ecc.optimized_bn128 import field_modulus, is_on_curve, multiply, neg, normalize, pairing

from fp2 import Fp2

random.seed(20260102)
P, R = field_modulus, curve_order
lines = []


def word(value):
    return int(value).to_bytes(32, "big")


def g1(point):
    if point[2] == FQ.zero():
        return bytes(64)
    x, y = normalize(point)
    return word(x.n) + word(y.n)


def g2(point):
    if point[2] == FQ2.zero():
        return bytes(128)
    x, y = normalize(point)
    return b"".join(word(c) for c in (x.coeffs[1], x.coeffs[0], y.coeffs[1], y.coeffs[0]))


def times(point, scalar):
    return multiply(point, scalar) if scalar else (Z1 if isinstance(point[0], FQ) else Z2)


def emit(operation, data, result):
    text = result if isinstance(result, str) else result.hex()
    lines.append(f"{operation} {data.hex() or '-'} {text}")


def random_point():
    return multiply(G1, random.randrange(1, R))


# Sums: random, doubled, opposite, with infinity, and inputs that are too short or too long.
points = [random_point() for _ in range(12)] + [G1, neg(G1), Z1]
for a in points:
    b = random.choice(points)
    emit("add", g1(a) + g1(b), g1(add(a, b)))
    emit("add", g1(a) + g1(a), g1(double(a)))
    emit("add", g1(a) + g1(neg(a)), bytes(64))
    emit("add", g1(a), g1(a))
    emit("add", g1(a) + g1(b) + b"\xff" * 32, g1(add(a, b)))
emit("add", b"", bytes(64))
emit("add", g1(G1)[:63], "fail")  # (1, 0)
emit("add", bytes(31), bytes(64))
for x, y in ((1, 3), (0, 1), (1, 0), (P, 0), (0, P), (P + 1, 2), (1, P + 2), (2**256 - 1, 2)):
    emit("add", word(x) + word(y) + g1(G1), "fail")
    emit("add", g1(G1) + word(x) + word(y), "fail")

# Multiples: edge and random scalars.
edges = [0, 1, 2, 3, R - 2, R - 1, R, R + 1, 2 * R, 5 * R, 5 * R + 1, 2**128 - 1, 2**128, 2**255]
edges += [2**256 - 1, P, 15, 16, 17, 31, 32, 2**127]
edges += [4407920970296243842393367215006156084916469457145843978461]  # lambda of the endomorphism
for scalar in edges:
    for point in (G1, random_point(), Z1):
        emit("multiply", g1(point) + word(scalar), g1(times(point, scalar % R)))
for _ in range(60):
    point, scalar = random_point(), random.getrandbits(random.choice((8, 64, 127, 128, 192, 256, 256)))
    emit("multiply", g1(point) + word(scalar), g1(times(point, scalar % R)))
point = random_point()
emit("multiply", g1(point), bytes(64))
emit("multiply", g1(point) + b"\x80", g1(multiply(point, 2**255 % R)))
emit("multiply", g1(point) + word(7) + b"\xff", g1(multiply(point, 7)))
emit("multiply", b"", bytes(64))
emit("multiply", word(1) + word(3) + word(0), "fail")
emit("multiply", word(P) + word(2) + word(1), "fail")


# Pairings.
def twist_point():
    """A random point of the twist, of any order."""
    while True:
        x = FQ2([random.randrange(P), random.randrange(P)])
        y = Fp2(P).root(tuple(int(c) for c in (x * x * x + b2).coeffs))
        if y is not None:
            point = (x, FQ2(y), FQ2.one())
            assert is_on_curve(point, b2)
            return point


def pairs(scalars):
    return b"".join(g1(times(G1, a % R)) + g2(times(G2, b % R)) for a, b in scalars)


def check(scalars):
    return word(sum(a * b for a, b in scalars) % R == 0)


emit("pairing", b"", word(1))
for count in (1, 2, 2, 2, 3, 4, 5, 17, 33):
    scalars = [(random.randrange(1, R), random.randrange(1, R)) for _ in range(count)]
    emit("pairing", pairs(scalars), check(scalars))
    total = sum(a * b for a, b in scalars) % R
    scalars.append((-total, 1))
    emit("pairing", pairs(scalars), check(scalars))
    scalars[-1] = (-total + 1, 1)
    emit("pairing", pairs(scalars), check(scalars))
for scalars in ([(0, 1)], [(1, 0)], [(0, 0)], [(1, 1)], [(1, 1), (-1, 1)], [(1, 1), (1, -1)],
                [(1, 1), (0, 5), (-1, 1), (5, 0)], [(2, 3), (-6, 1)], [(2, 3), (-1, 6)],
                [(2, 3), (6, 1)], [(R - 1, R - 1), (-1, 1)]):
    emit("pairing", pairs(scalars), check(scalars))
p, q = random_point(), multiply(G2, random.randrange(1, R))
assert pairing(q, multiply(p, 6)) * pairing(multiply(q, 3), neg(multiply(p, 2))) == FQ12.one()
assert pairing(q, multiply(p, 5)) * pairing(multiply(q, 3), neg(multiply(p, 2))) != FQ12.one()
emit("pairing", g1(multiply(p, 6)) + g2(q) + g1(neg(multiply(p, 2))) + g2(multiply(q, 3)), word(1))
emit("pairing", g1(multiply(p, 5)) + g2(q) + g1(neg(multiply(p, 2))) + g2(multiply(q, 3)), word(0))
good = pairs([(1, 1)])
for size in (1, 64, 191, 193, 383):
    emit("pairing", (good * 2)[:size], "fail")
# A coordinate that is not below p, at every place.
for index in range(6):
    for value in (P, 2**256 - 1, int.from_bytes(good[32 * index : 32 * index + 32], "big") + P):
        bad = bytearray(good)
        bad[32 * index : 32 * index + 32] = word(value)
        emit("pairing", bytes(bad), "fail")
        emit("pairing", pairs([(0, 0)]) + bytes(bad), "fail")
# Not on the curve, not on the twist, on the twist of another order.
emit("pairing", word(1) + word(3) + g2(G2), "fail")
emit("pairing", g1(G1) + word(1) + word(2) + word(3) + word(4), "fail")
emit("pairing", bytes(64) + word(0) + word(0) + word(0) + word(1), "fail")
for _ in range(4):
    point = twist_point()
    cofactor = multiply(point, R)  # order divides the cofactor
    assert multiply(point, R)[2] != FQ2.zero()
    for wrong in (point, cofactor, add(cofactor, G2)):
        assert is_on_curve(wrong, b2)
        emit("pairing", g1(G1) + g2(wrong), "fail")
        emit("pairing", bytes(64) + g2(wrong), "fail")
    inside = multiply(point, 2 * P - R)  # cleared of the cofactor
    emit("pairing", g1(G1) + g2(inside) + g1(neg(G1)) + g2(inside), word(1))

path = pathlib.Path(__file__).parents[2] / "Tests/EVMTests/Vectors/bn254.txt"
path.write_text("\n".join(lines) + "\n")
print(len(lines), "lines")
