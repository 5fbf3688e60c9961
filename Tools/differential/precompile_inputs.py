"""Inputs for the precompiled contracts: mostly well formed, some broken in one place."""

import hashlib
from functools import lru_cache

import opcodes
from transactions import SECP256K1_N, sign

BN254_P = 21888242871839275222246405745257275088696311157297823662689037894645226208583
BN254_N = 21888242871839275222246405745257275088548364400416034343698204186575808495617
BLS_P = int("1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feff"
            "ffffffaaab", 16)
BLS_N = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
P256_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
          0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)

# (address, first fork, weight). Pairings cost the oracle about a second each, so they are rare.
TABLE = [
    (1, "Frontier", 40), (2, "Frontier", 20), (3, "Frontier", 20), (4, "Frontier", 20),
    (5, "Byzantium", 40), (6, "Byzantium", 30), (7, "Byzantium", 30), (8, "Byzantium", 2),
    (9, "Istanbul", 40), (0x0A, "Cancun", 2), (0x0B, "Prague", 25), (0x0C, "Prague", 10),
    (0x0D, "Prague", 20), (0x0E, "Prague", 5), (0x0F, "Prague", 1), (0x10, "Prague", 6),
    (0x11, "Prague", 2), (0x100, "Osaka", 40),
]


def pick(rng, fork):
    """A precompile's number; sometimes one that the fork does not have yet."""
    rows = [row for row in TABLE if opcodes.since(fork, row[1])]
    if rng.random() < 0.05:
        return rng.choice([0, 5, 9, 0x0A, 0x0B, 0x11, 0x12, 0x13, 0xFF, 0x100, 0x101])
    return rng.choices([r[0] for r in rows], [r[2] for r in rows])[0]


def random_bytes(rng, size):
    return rng.getrandbits(8 * size).to_bytes(size, "big") if size else b""


def make(rng, number):
    """Input bytes for precompile `number`."""
    maker = _MAKERS.get(number)
    data = maker(rng) if maker else random_bytes(rng, rng.choice([0, 1, 31, 32, 33, 64, 128, 200]))
    roll = rng.random()
    if roll < 0.05 and data:
        data = data[: rng.randrange(len(data))]
    elif roll < 0.08:
        data = data + random_bytes(rng, rng.choice([1, 32, 64]))
    elif roll < 0.12 and data:
        position = rng.randrange(len(data))
        data = data[:position] + bytes([data[position] ^ (1 << rng.randrange(8))]) + data[
            position + 1:]
    return data


def _ecrecover(rng):
    secret = rng.randrange(1, 1 << 64)
    digest = random_bytes(rng, 32)
    r, s, y = sign(secret, digest)
    if rng.random() < 0.15:
        s, y = SECP256K1_N - s, 1 - y
    v = 27 + y
    if rng.random() < 0.1:
        v = rng.choice([0, 1, 26, 29, 27 + (1 << 8), 1 << 255])
    if rng.random() < 0.08:
        r = rng.choice([0, SECP256K1_N, SECP256K1_N - 1, rng.getrandbits(256)])
    if rng.random() < 0.05:
        s = rng.choice([0, SECP256K1_N, rng.getrandbits(256)])
    return digest + v.to_bytes(32, "big") + r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _any_bytes(rng):
    return random_bytes(rng, rng.choice([0, 1, 20, 31, 32, 33, 55, 56, 63, 64, 65, 119, 127, 128,
                                         129, 200, 300]))


def _modexp(rng):
    sizes = [rng.choice([0, 1, 2, 8, 16, 31, 32, 33, 48, 64]) for _ in range(3)]
    declared = list(sizes)
    roll = rng.random()
    if roll < 0.04:
        declared[rng.randrange(3)] = rng.choice([1025, 1024, 1 << 32, 1 << 64, (1 << 256) - 1])
    elif roll < 0.1:
        declared[rng.randrange(3)] += rng.choice([1, 2, 40])
    body = b""
    for index, size in enumerate(sizes):
        part = random_bytes(rng, size)
        kind = rng.random()
        if kind < 0.1:
            part = b"\0" * size
        elif kind < 0.2 and size:
            part = b"\0" * (size - 1) + bytes([rng.choice([1, 2, 3])])
        elif kind < 0.25:
            part = b"\xff" * size
        elif kind < 0.35 and index == 2 and size:
            part = part[:-1] + b"\0"  # an even modulus
        body += part
    return b"".join(size.to_bytes(32, "big") for size in declared) + body


@lru_cache(maxsize=None)
def _bn254(group, scalar):
    from py_ecc.optimized_bn128 import G1, G2, multiply, normalize

    point = normalize(multiply(G1 if group == 1 else G2, scalar % BN254_N))
    if group == 1:
        return (int(point[0]), int(point[1]))
    (x0, x1), (y0, y1) = point[0].coeffs, point[1].coeffs
    return (int(x1), int(x0), int(y1), int(y0))


def _pack(values, size=32):
    return b"".join(value.to_bytes(size, "big") for value in values)


def _bn254_g1(rng):
    roll = rng.random()
    if roll < 0.1:
        return _pack((0, 0))
    x, y = _bn254(1, rng.choice([1, 2, 3, 5, 7, BN254_N - 1, BN254_N - 2, 0x1234567]))
    if roll < 0.14:
        y = (y + 1) % BN254_P
    elif roll < 0.17:
        x += BN254_P
        if x >= 1 << 256:
            x = (1 << 256) - 1
    return _pack((x, y))


def _bn254_add(rng):
    return _bn254_g1(rng) + _bn254_g1(rng)


def _bn254_mul(rng):
    scalar = rng.choice([0, 1, 2, BN254_N, BN254_N - 1, BN254_N + 1, (1 << 256) - 1,
                         rng.getrandbits(256), rng.getrandbits(128)])
    return _bn254_g1(rng) + _pack((scalar,))


def _bn254_pairing(rng):
    a, b = rng.choice([1, 2, 3]), rng.choice([1, 2, 5])
    pairs = rng.choice([0, 1, 2, 2])
    terms = [
        _pack(_bn254(1, a)) + _pack(_bn254(2, b)),
        _pack(_bn254(1, BN254_N - a * b)) + _pack(_bn254(2, 1)),
    ]
    if rng.random() < 0.2:
        terms[0] = _pack((0, 0)) + _pack(_bn254(2, b))
    if rng.random() < 0.2:
        terms[1] = _pack(_bn254(1, a)) + _pack((0, 0, 0, 0))
    return b"".join(terms[:pairs])


def _blake2f(rng):
    rounds = rng.choice([0, 1, 2, 9, 10, 11, 12, 12, 12, 13, 64, 300, 0xFFFFFFFF])
    flag = rng.choice([0, 1, 1, 1, 2, 0xFF]) if rng.random() < 0.2 else rng.choice([0, 1])
    size = 213 if rng.random() < 0.94 else rng.choice([212, 214, 0])
    return (rounds.to_bytes(4, "big") + random_bytes(rng, 208) + bytes([flag]) + b"\0")[:size]


@lru_cache(maxsize=None)
def _bls(group, scalar):
    from py_ecc.optimized_bls12_381 import G1, G2, multiply, normalize

    point = normalize(multiply(G1 if group == 1 else G2, scalar % BLS_N))
    if group == 1:
        return (int(point[0]), int(point[1]))
    return tuple(int(c) for half in point for c in half.coeffs)


_BLS_SCALARS = [1, 2, 3, 5, 11, BLS_N - 1, BLS_N - 2, 0xABCDEF]


def _bls_point(rng, group):
    width = 2 if group == 1 else 4
    roll = rng.random()
    if roll < 0.1:
        return b"\0" * (64 * width)
    values = list(_bls(group, rng.choice(_BLS_SCALARS)))
    if roll < 0.13:
        values[-1] = (values[-1] + 1) % BLS_P
    elif roll < 0.15:
        values[0] += BLS_P
    elif roll < 0.17:
        values = [rng.randrange(BLS_P) for _ in range(width)]
    elif roll < 0.22 and group == 1:
        # (0, 2) is on the curve, outside the subgroup.
        values = [0, 2]
    return _pack(values, 64)


def _bls_scalar(rng):
    return _pack((rng.choice([0, 1, 2, BLS_N, BLS_N - 1, (1 << 256) - 1, rng.getrandbits(256)]),))


def _bls_msm(rng, group):
    return b"".join(_bls_point(rng, group) + _bls_scalar(rng)
                    for _ in range(rng.choice([0, 1, 1, 2, 3])))


def _bls_pairing(rng):
    a = rng.choice([1, 2, 3])
    terms = [_pack(_bls(1, a), 64) + _pack(_bls(2, 1), 64),
             _pack(_bls(1, BLS_N - a), 64) + _pack(_bls(2, 1), 64)]
    if rng.random() < 0.2:
        terms[0] = _bls_point(rng, 1) + _bls_point(rng, 2)
    return b"".join(terms[: rng.choice([0, 1, 2, 2])])


def _bls_field(rng, count):
    values = [rng.choice([0, 1, BLS_P - 1, rng.randrange(BLS_P), rng.randrange(BLS_P)])
              for _ in range(count)]
    if rng.random() < 0.06:
        values[0] = BLS_P + rng.choice([0, 1])
    return _pack(values, 64)


def _point_evaluation(rng):
    """A constant polynomial: commitment c*G1, the proof at infinity, any z, y = c."""
    c = rng.choice([0, 1, 2, 7])
    if c == 0:
        commitment = b"\xc0" + b"\0" * 47
    else:
        x, y = _bls(1, c)
        commitment = ((x | 1 << 383) | ((1 << 381) if y > (BLS_P - 1) // 2 else 0)).to_bytes(
            48, "big")
    proof = b"\xc0" + b"\0" * 47
    z = rng.choice([0, 1, rng.randrange(BLS_N)])
    y = c
    roll = rng.random()
    if roll < 0.1:
        z = BLS_N
    elif roll < 0.2:
        y = c + 1
    elif roll < 0.25:
        proof = commitment
    hashed = b"\x01" + hashlib.sha256(commitment).digest()[1:]
    if rng.random() < 0.05:
        hashed = b"\x02" + hashed[1:]
    return hashed + _pack((z, y)) + commitment + proof


def _p256_add(a, b):
    if a is None:
        return b
    if b is None:
        return a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P256_P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P256_P) % P256_P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P256_P) % P256_P
    x = (slope * slope - a[0] - b[0]) % P256_P
    return (x, (slope * (a[0] - x) - a[1]) % P256_P)


@lru_cache(maxsize=None)
def _p256_multiple(scalar):
    result, point = None, P256_G
    while scalar:
        if scalar & 1:
            result = _p256_add(result, point)
        point = _p256_add(point, point)
        scalar >>= 1
    return result


def _p256(rng):
    secret = rng.choice([1, 2, 3, 0xDEADBEEF, P256_N - 1])
    nonce = rng.choice([5, 7, 0xC0FFEE])
    digest = random_bytes(rng, 32)
    if rng.random() < 0.05:
        digest = b"\xff" * 32
    x, y = _p256_multiple(secret)
    r = _p256_multiple(nonce)[0] % P256_N
    s = pow(nonce, -1, P256_N) * (int.from_bytes(digest, "big") + r * secret) % P256_N
    roll = rng.random()
    if roll < 0.08:
        s = P256_N - s
    elif roll < 0.12:
        r = rng.choice([0, P256_N, r + 1])
    elif roll < 0.16:
        s = rng.choice([0, P256_N, s ^ 1])
    elif roll < 0.2:
        x, y = rng.choice([(0, 0), (x, P256_P - y), (x, y ^ 1), (P256_P, y), (x, P256_P)])
    return digest + _pack((r, s, x, y))


_MAKERS = {
    1: _ecrecover, 2: _any_bytes, 3: _any_bytes, 4: _any_bytes, 5: _modexp, 6: _bn254_add,
    7: _bn254_mul, 8: _bn254_pairing, 9: _blake2f, 0x0A: _point_evaluation,
    0x0B: lambda rng: _bls_point(rng, 1) + _bls_point(rng, 1),
    0x0C: lambda rng: _bls_msm(rng, 1),
    0x0D: lambda rng: _bls_point(rng, 2) + _bls_point(rng, 2),
    0x0E: lambda rng: _bls_msm(rng, 2),
    0x0F: _bls_pairing,
    0x10: lambda rng: _bls_field(rng, 1),
    0x11: lambda rng: _bls_field(rng, 2),
    0x100: _p256,
}


def gas_hint(number, data):
    """Enough gas for most inputs of the precompile, to be varied by the caller."""
    if number == 8:
        return 100_000 + 80_000 * (len(data) // 192) + 50_000
    if number == 0x0A:
        return 50_000
    if number in (0x0C, 0x0E):
        return 12_000 + 23_000 * (1 + len(data) // 160)
    if number == 0x0F:
        return 37_700 + 32_600 * (len(data) // 384)
    if number in (6, 7):
        return 40_000
    return 25_000


