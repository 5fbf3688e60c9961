#!/usr/bin/env python3
"""Writes Sources/needletail/Bench/CryptoAnswers.swift: what `needletail bench crypto` must compute.

    python3 -m venv v && v/bin/pip install py-ecc==8.0.0 pycryptodome==4.4.0
    v/bin/python Tools/vectors/bench_crypto.py

An answer is the Keccak-256 hash of a case's output; the hash cases' own digests are written as they
are. Hashes are pycryptodome's and hashlib's, curves py-ecc's, powers Python's. The inputs are made
again in CryptoInputs.swift by the same rules: bytes by `message`, scalars by `scalar`.
"""

import hashlib
import pathlib
import struct

from Crypto.Hash import RIPEMD160, keccak
from py_ecc import optimized_bls12_381 as bls
from py_ecc import optimized_bn128 as bn
from py_ecc.bls.hash_to_curve import (
    clear_cofactor_G1, clear_cofactor_G2, map_to_curve_G1, map_to_curve_G2)
from py_ecc.secp256k1 import ecdsa_raw_sign, privtopub

answers = {}
MASK = (1 << 64) - 1


def keccak256(data):
    return keccak.new(digest_bits=256, data=data).digest()


def message(count):
    return bytes((131 * i + 17 * (i >> 8) + 7) & 255 for i in range(count))


def scalar(index):
    return int.from_bytes(keccak256(index.to_bytes(32, "big")), "big")


def stream(seed, count):
    """`count` bytes: the scalars from 1000 * seed on, one after the other."""
    words = (count + 31) // 32
    return b"".join(scalar(1000 * seed + i).to_bytes(32, "big") for i in range(words))[:count]


def output(name, data):
    answers[name] = keccak256(data).hex()


# Hashes.
for size in (32, 64, 136, 1024, 1 << 20):
    data = message(size)
    answers[f"keccak256/{size}"] = keccak256(data).hex()
    answers[f"sha256/{size}"] = hashlib.sha256(data).hexdigest()
    answers[f"ripemd160/{size}"] = RIPEMD160.new(data).hexdigest()

IV = [
    0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
    0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179]
SIGMA = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0]]


def blake2f(rounds, h, m, offset, last):
    v = h + IV
    v = [*v]
    v[12] ^= offset
    v[14] ^= MASK if last else 0

    def mix(a, b, c, d, x, y):
        for word, (first, second) in ((x, (32, 24)), (y, (16, 63))):
            v[a] = (v[a] + v[b] + word) & MASK
            v[d] ^= v[a]
            v[d] = (v[d] >> first | v[d] << 64 - first) & MASK
            v[c] = (v[c] + v[d]) & MASK
            v[b] ^= v[c]
            v[b] = (v[b] >> second | v[b] << 64 - second) & MASK

    for turn in range(rounds):
        s = [m[i] for i in SIGMA[turn % 10]]
        for i in range(4):
            mix(i, 4 + i, 8 + i, 12 + i, s[2 * i], s[2 * i + 1])
        for i in range(4):
            mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, s[8 + 2 * i], s[9 + 2 * i])
    return struct.pack("<8Q", *(h[i] ^ v[i] ^ v[i + 8] for i in range(8)))


def blake2b(data):
    h = [IV[0] ^ 0x01010040, *IV[1:]]
    return blake2f(12, h, list(struct.unpack("<16Q", data.ljust(128, b"\0"))), len(data), True)


assert blake2b(b"abc") == hashlib.blake2b(b"abc").digest()
words = struct.unpack("<24Q", message(192))
for rounds in (12, 1200):
    output(f"blake2f/{rounds}", blake2f(rounds, list(words[:8]), list(words[8:]), 128, False))

# secp256k1: the key of EIP-155's example signs the hash of 32 bytes.
v, r, s = ecdsa_raw_sign(keccak256(message(32)), b"\x46" * 32)
n = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
if s > n // 2:
    s, v = n - s, v ^ 1 if v < 27 else 55 - v
output("secp256k1/recover", b"".join(x.to_bytes(32, "big") for x in privtopub(b"\x46" * 32)))
output("secp256k1/sign", b"".join(x.to_bytes(32, "big") for x in (r, s, (v - 27) & 1)))

# Powers: base, exponent and modulus are three streams; the modulus gets its top bit, and is odd
# except where the name says even.
for bits in (256, 512, 1024, 2048, 4096):
    size = bits // 8
    base, exponent, modulus = (int.from_bytes(stream(bits + i, size), "big") for i in range(3))
    modulus |= 1 << (bits - 1) | 1
    output(f"modexp/{bits}", pow(base, exponent, modulus).to_bytes(size, "big"))
    output(f"modexp/{bits}/65537", pow(base, 65537, modulus).to_bytes(size, "big"))
    even = modulus & ~0xFFFF
    output(f"modexp/{bits}/even", pow(base, exponent, even).to_bytes(size, "big"))


# bn254.
def word(value):
    return int(value).to_bytes(32, "big")


def bn_g1(point):
    return b"".join(word(c) for c in bn.normalize(point))


def bn_g2(point):
    return b"".join(word(v) for c in bn.normalize(point) for v in reversed(c.coeffs))


output("bn254/add", bn_g1(bn.multiply(bn.G1, (scalar(1) + scalar(2)) % bn.curve_order)))
output("bn254/mul", bn_g1(bn.multiply(bn.G1, scalar(1) * scalar(2) % bn.curve_order)))
bn_points = [bn_g2(bn.multiply(bn.G2, scalar(10 + i) % bn.curve_order)).hex() for i in range(4)]


# BLS12-381.
def fp(value):
    return int(value).to_bytes(64, "big")


def bls_g1(point):
    return b"".join(fp(c) for c in bls.normalize(point))


def bls_g2(point):
    return b"".join(fp(v) for c in bls.normalize(point) for v in c.coeffs)


for name, generator, encode in (("g1", bls.G1, bls_g1), ("g2", bls.G2, bls_g2)):
    total = (scalar(1) + scalar(2)) % bls.curve_order
    output(f"bls12381/{name}add", encode(bls.multiply(generator, total)))
    for count in (1, 2, 8, 32, 128):
        total = sum((i + 1) * scalar(i) for i in range(count)) % bls.curve_order
        output(f"bls12381/{name}msm/{count}", encode(bls.multiply(generator, total)))
field = [int.from_bytes(stream(70 + i, 64), "big") % bls.field_modulus for i in range(2)]
output("bls12381/map-g1", bls_g1(clear_cofactor_G1(map_to_curve_G1(bls.FQ(field[0])))))
output("bls12381/map-g2", bls_g2(clear_cofactor_G2(map_to_curve_G2(bls.FQ2(field)))))

root = pathlib.Path(__file__).resolve().parents[2]
lines = [
    "// Written by Tools/vectors/bench_crypto.py.", "",
    "/// What the cases of `needletail bench crypto` must compute: digests, and the Keccak-256 hashes",
    "/// of other outputs.", "enum CryptoAnswers {",
    "  static let digests: [String: String] = ["]
for name in sorted(answers):
    lines.append(f'    "{name}":')
    lines.append(f'      "{answers[name]}",')
lines += [
    "  ]", "", "  /// Points of bn254's G2: the generator times the scalars from 10 on.",
    "  static let bn254Points = ["]
for point in bn_points:
    parts = [point[i:i + 64] for i in range(0, len(point), 64)]
    lines.append('    "' + '"\n      + "'.join(parts) + '",')
value = [f"{value:096x}" for value in field]
lines += ["  ]", "", "  /// Elements of BLS12-381's base field, for the maps.",
          "  static let bls12381Fields = ["]
for v in value:
    lines.append(f'    "{v}",')
lines += ["  ]", "}", ""]
(root / "Sources/needletail/Bench/CryptoAnswers.swift").write_text("\n".join(lines))
