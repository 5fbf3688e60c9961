#!/usr/bin/env python3
"""Writes Tests/EVMTests/Vectors/bls12381.txt: inputs of the BLS12-381 and KZG precompiles.

    python3 -m venv v && v/bin/pip install py-ecc==8.0.0 ckzg==2.1.8
    v/bin/python Tools/vectors/bls12381.py SETUP

SETUP is `trusted_setup.txt` of ethereum/c-kzg-4844 (EIP-4844's ceremony). A line is
`precompile input output`, output `fail` where the call must fail and input `-` where it is empty.
Points and maps are py-ecc's, KZG proofs and their verdicts ckzg's. Lines `fp a,b results` have the
sum, the difference, the product, the inverse of a (zero for zero) and whether a is a square, of
integers modulo p. The seed is fixed.
"""

import hashlib
import pathlib
import random
import sys

import ckzg
from py_ecc.bls.hash_to_curve import clear_cofactor_G1, clear_cofactor_G2, map_to_curve_G1, map_to_curve_G2
from py_ecc.optimized_bls12_381 import (
    FQ, FQ2, G1, G2, Z1, Z2, add, b, b2, curve_order as R, field_modulus as P, is_inf, is_on_curve,
    multiply, neg, normalize,
)

from fp2 import Fp2

FIELD = Fp2(P)
X = 0xD201000000010000
rng = random.Random(2537)
lines = []


def fp(value):
    return int(value).to_bytes(64, "big")


def g1(point):
    if is_inf(point):
        return bytes(128)
    x, y = normalize(point)
    return fp(x) + fp(y)


def g2(point):
    if is_inf(point):
        return bytes(256)
    x, y = normalize(point)
    return b"".join(fp(v) for c in (x, y) for v in c.coeffs)


def emit(name, data, output):
    lines.append(f"{name} {data.hex() or '-'} {'fail' if output is None else output.hex()}")


def curve_point():
    """A random point of the whole curve."""
    while True:
        x = rng.randrange(P)
        square = (x**3 + 4) % P
        y = pow(square, (P + 1) // 4, P)
        if y * y % P == square:
            return (FQ(x), FQ(rng.choice((y, P - y))), FQ(1))


def root2(a):
    """The square root in Fp2 whose real part is a square, or None."""
    root = FIELD.root(tuple(int(v) for v in a.coeffs))
    if root is None:
        return None
    return FQ2(root if pow(root[0], (P - 1) // 2, P) == 1 else FIELD.negate(root))


def twist_point():
    """A random point of the whole twist."""
    while True:
        x = FQ2([rng.randrange(P), rng.randrange(P)])
        y = root2(x * x * x + b2)
        if y is not None:
            return (x, y, FQ2.one())


# The base field: edges of limbs and of the prime, then random elements.
edges = [0, 1, 2, 3, P - 1, P - 2, (P - 1) // 2, (P + 1) // 2, 2**384 % P, 2**384 * 2**384 % P, 2**380, 2**381 - P]
edges += [2**64 - 1, 2**64, 2**128 - 1, 2**192, 2**256 - 1, 2**320 - 1, 2**320, P - 2**64, P >> 1 << 1, P - 2**320]
cases = [(a, c) for a in edges[:8] for c in edges] + [(c, a) for a in edges[:3] for c in edges[8:]]
cases += [(rng.randrange(P), rng.randrange(P)) for _ in range(120)]
for a, c in cases:
    results = [(a + c) % P, (a - c) % P, a * c % P, pow(a, -1, P) if a else 0]
    square = int(a == 0 or pow(a, (P - 1) // 2, P) == 1)
    lines.append(f"fp {a:x},{c:x} {','.join(f'{v:x}' for v in results)},{square}")

# The orders of the curve and the twist are r times these.
H1 = (X + 1) ** 2 // 3
x = -X
H2 = (x**8 - 4 * x**7 + 5 * x**6 - 4 * x**4 + 6 * x**3 - 4 * x**2 - 4 * x + 13) // 9


def small_order(point, cofactor, prime):
    """A point of order `prime`, or None where that fails by chance."""
    q = multiply(point, R)
    while cofactor % prime == 0:
        cofactor //= prime
    q = multiply(q, cofactor)
    if is_inf(q):
        return None
    while not is_inf(multiply(q, prime)):
        q = multiply(q, prime)
    return q


def random_g1():
    return multiply(G1, rng.randrange(1, R))


def random_g2():
    return multiply(G2, rng.randrange(1, R))


assert is_inf(multiply(multiply(curve_point(), H1), R))
assert is_inf(multiply(multiply(twist_point(), H2), R))

outside1 = [curve_point() for _ in range(3)]
outside1 += [multiply(curve_point(), R)]
outside1 += [add(random_g1(), multiply(curve_point(), R))]
for prime in (3, 11, 10177, 859267):
    assert H1 % prime == 0
    q = None
    while q is None:
        q = small_order(curve_point(), H1, prime)
    outside1 += [q, add(q, random_g1())]
outside2 = [twist_point() for _ in range(3)]
outside2 += [multiply(twist_point(), R)]
outside2 += [add(random_g2(), multiply(twist_point(), R))]
for prime in (13, 23, 2713):
    assert H2 % prime == 0
    q = None
    while q is None:
        q = small_order(twist_point(), H2, prime)
    outside2 += [q, add(q, random_g2())]

# Addition, also outside the groups.
for name, encode, some, zero, outside in (
    ("g1add", g1, random_g1, Z1, outside1), ("g2add", g2, random_g2, Z2, outside2),
):
    a, c = some(), some()
    cases = [(a, c), (a, a), (a, neg(a)), (a, zero), (zero, a), (zero, zero)]
    cases += [(some(), some()) for _ in range(4)]
    cases += [(q, q) for q in outside] + [(q, neg(q)) for q in outside]
    cases += [(q, add(q, q)) for q in outside]
    cases += list(zip(outside, outside[1:]))
    for p, q in cases:
        emit(name, encode(p) + encode(q), encode(add(p, q)))
    good = encode(a) + encode(c)
    for index in range(0, len(good), 64):
        # A coordinate plus p is the same number modulo p, but not canonical.
        plus = int.from_bytes(good[index : index + 64], "big") + P
        emit(name, good[:index] + plus.to_bytes(64, "big") + good[index + 64 :], None)
        bad = bytearray(good)
        bad[index + rng.randrange(16)] = rng.randrange(1, 256)
        emit(name, bytes(bad), None)
        bad = bytearray(good)
        bad[index + 63] ^= 1
        emit(name, bytes(bad), None)
    emit(name, good[:-1], None)
    emit(name, good + b"\0", None)

# Multiples.
EDGES = [
    0, 1, 2, 3, R - 1, R, R + 1, 2 * R - 1, 2 * R, 2 * R + 1, 2**256 - 1, 2**255, X - 1, X, X + 1, X**2 - 1,
    X**2, X**2 + 1, X**3 - 1, X**3, X**3 + 1, X**4 - 1, 2**64 - 1, 2**64, 2**128 - 1, 2**128, 2**127,
]
for name, encode, some, zero, outside in (
    ("g1msm", g1, random_g1, Z1, outside1), ("g2msm", g2, random_g2, Z2, outside2),
):
    def total(items):
        s = zero
        for p, k in items:
            s = add(s, multiply(p, k % R))
        return s

    def case(items, result=True):
        data = b"".join(encode(p) + k.to_bytes(32, "big") for p, k in items)
        emit(name, data, encode(total(items)) if result else None)

    for k in EDGES:
        case([(some(), k)])
    for _ in range(8):
        case([(some(), rng.randrange(2**256))])
    case([(zero, 5)])
    a = some()
    case([(a, 7), (neg(a), 7)])
    case([(a, 7), (a, R - 7)])
    case([(a, 5), (a, 5), (a, 5), (zero, 9), (neg(a), 4)])
    case([(a, 2**256 - 1)] * 4)
    for count in (2, 3, 4, 5, 8, 9, 16, 17, 40):
        case([(some(), rng.randrange(2**256)) for _ in range(count)])
    case([(some(), rng.choice(EDGES)) for _ in range(16)])
    base = some()
    case([(multiply(base, i), i) for i in range(1, 20)])
    for q in outside:
        case([(q, 1)], False)
        case([(some(), 3), (q, 0)], False)
        case([(q, R)], False)
    good = encode(a) + (5).to_bytes(32, "big")
    emit(name, b"", None)
    emit(name, good[:-1], None)
    emit(name, good + b"\0", None)

# Pairings: bilinearity decides.
def pairs(items, expected):
    data = b"".join(g1(p) + g2(q) for p, q in items)
    emit("pairing", data, None if expected is None else expected.to_bytes(32, "big"))

for _ in range(4):
    s, t = rng.randrange(1, R), rng.randrange(1, R)
    p, q = random_g1(), random_g2()
    pairs([(multiply(p, s), multiply(q, t)), (neg(p), multiply(q, s * t % R))], 1)
    pairs([(multiply(p, s), q), (p, multiply(neg(q), s))], 1)
    pairs([(multiply(p, s), q), (p, multiply(q, s))], 0)
pairs([(random_g1(), random_g2())], 0)
pairs([(G1, G2)], 0)
pairs([(Z1, random_g2())], 1)
pairs([(random_g1(), Z2)], 1)
pairs([(Z1, Z2), (Z1, Z2)], 1)
pairs([(Z1, G2), (G1, G2), (G1, Z2)], 0)
for count in (3, 5, 16, 17, 33):
    ks = [rng.randrange(1, R) for _ in range(count - 1)]
    items = [(multiply(G1, k), multiply(G2, i + 2)) for i, k in enumerate(ks)]
    closing = -sum(k * (i + 2) for i, k in enumerate(ks)) % R
    pairs(items + [(multiply(G1, closing), G2)], 1)
    pairs(items + [(multiply(G1, closing + 1), G2)], 0)
for q in outside1:
    pairs([(q, G2)], None)
    pairs([(q, Z2)], None)
for q in outside2:
    pairs([(G1, q)], None)
    pairs([(Z1, q)], None)
emit("pairing", b"", None)
emit("pairing", (g1(G1) + g2(G2))[:-1], None)

# Maps.
values = [0, 1, 2, P - 1, P - 2, (P - 1) // 2, (P + 1) // 2] + [rng.randrange(P) for _ in range(20)]
# Where Z u^2 = -1 the first candidate's denominator is zero: u = sqrt(-1/11), if there is one.
u = pow(-pow(11, -1, P) % P, (P + 1) // 4, P)
if u * u * 11 % P == P - 1:
    values += [u, P - u]
for v in values:
    emit("mapg1", fp(v), g1(clear_cofactor_G1(map_to_curve_G1(FQ(v)))))
for v in (P, P + 1, 2**384 - 1, 2**384, 2**512 - 1):
    emit("mapg1", v.to_bytes(64, "big"), None)
emit("mapg1", b"", None)
emit("mapg1", bytes(63), None)
emit("mapg1", bytes(65), None)
values = [(0, 0), (1, 0), (0, 1), (P - 1, 0), (0, P - 1), (1, 1), (P - 1, P - 1)]
values += [(rng.randrange(P), 0) for _ in range(4)] + [(0, rng.randrange(P)) for _ in range(4)]
values += [(rng.randrange(P), rng.randrange(P)) for _ in range(20)]
u = root2(FQ2([-1, 0]) / FQ2([-2, -1]))
if u is not None:
    values += [tuple(int(c) for c in u.coeffs), tuple(int(c) for c in (-u).coeffs)]
for v in values:
    emit("mapg2", fp(v[0]) + fp(v[1]), g2(clear_cofactor_G2(map_to_curve_G2(FQ2(list(v))))))
for v in ((P, 0), (0, P), (2**384, 0), (0, 2**511)):
    emit("mapg2", v[0].to_bytes(64, "big") + v[1].to_bytes(64, "big"), None)
emit("mapg2", bytes(64), None)
emit("mapg2", bytes(129), None)

# Point evaluation.
setup = ckzg.load_trusted_setup(sys.argv[1], 0)
OUTPUT = (4096).to_bytes(32, "big") + R.to_bytes(32, "big")


def evaluation(commitment, z, y, proof, digest=None):
    digest = digest or b"\x01" + hashlib.sha256(commitment).digest()[1:]
    good = digest == b"\x01" + hashlib.sha256(commitment).digest()[1:]
    try:
        good = good and ckzg.verify_kzg_proof(commitment, z, y, proof, setup)
    except Exception:
        good = False
    emit("kzg", digest + z + y + commitment + proof, OUTPUT if good else None)


def word(value):
    return value.to_bytes(32, "big")


def compressed(point):
    if is_inf(point):
        return bytes([0xC0]) + bytes(47)
    x, y = (int(v) for v in normalize(point))
    return (x | 1 << 383 | (1 << 381 if y > (P - 1) // 2 else 0)).to_bytes(48, "big")


blobs = [
    b"".join(word(rng.randrange(R)) for _ in range(4096)),
    b"".join(word(i) for i in range(4096)),
    word(5) * 4096,
    word(0) * 4096,
]
for blob in blobs:
    commitment = ckzg.blob_to_kzg_commitment(blob, setup)
    for z in (rng.randrange(R), 0, 1, R - 1, pow(7, (R - 1) // 4096, R)):
        proof, y = ckzg.compute_kzg_proof(blob, word(z), setup)
        evaluation(commitment, word(z), y, proof)
        evaluation(commitment, word(z), word((int.from_bytes(y, "big") + 1) % R), proof)
        evaluation(commitment, word((z + 1) % R), y, proof)
    number = int.from_bytes(y, "big")
    evaluation(commitment, word(z), word(number + R), proof)
    evaluation(commitment, word(z + R), y, proof)
    evaluation(commitment, word(z), y, compressed(G1))
    evaluation(commitment, word(z), y, proof, b"\x02" + hashlib.sha256(commitment).digest()[1:])
    evaluation(commitment, word(z), y, proof, b"\x01" + bytes(31))
    for flip in (0x20, 0x40, 0x80, 0xC0, 0xE0):
        evaluation(bytes([commitment[0] ^ flip]) + commitment[1:], word(z), y, proof)
        evaluation(commitment, word(z), y, bytes([proof[0] ^ flip]) + proof[1:])
    for bit in range(0, 384, 37):
        changed = bytearray(proof)
        changed[bit // 8] ^= 1 << (bit % 8)
        evaluation(commitment, word(z), y, bytes(changed))
# The zero polynomial's commitment and proof are infinity, so a point beside it decides alone.
infinity = compressed(Z1)
for q in outside1:
    evaluation(compressed(q), word(1), word(0), infinity)
    evaluation(infinity, word(1), word(0), compressed(q))
for bad in (
    bytes([0xC0]) + bytes(46) + b"\1", bytes([0xE0]) + bytes(47), bytes(48), bytes([0x80]) + bytes(47),
    (P | 1 << 383).to_bytes(48, "big"), (P + 1 | 1 << 383).to_bytes(48, "big"), b"\xff" * 48,
):
    evaluation(bad, word(1), word(0), infinity)
    evaluation(infinity, word(1), word(0), bad)

target = pathlib.Path(__file__).resolve().parents[2] / "Tests/EVMTests/Vectors/bls12381.txt"
target.write_text("\n".join(lines) + "\n")
print(len(lines), "cases")
