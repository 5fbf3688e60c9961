#!/usr/bin/env python3
"""Prints the constants of bn254 that Sources/EVM/Curves/BN254*.swift hold, and checks the facts
that their comments claim.

Plain Python, no packages. Fields are printed in Montgomery form (times 2^256), least significant
limb first.
"""

from math import gcd

X = 4965661367192848881
P = 36 * X**4 + 36 * X**3 + 24 * X**2 + 6 * X + 1
R = 36 * X**4 + 36 * X**3 + 18 * X**2 + 6 * X + 1
T = 6 * X**2 + 1
XI = (9, 1)


def limbs(value):
    return ", ".join(f"0x{value >> 64 * i & 2**64 - 1:016x}" for i in range(4))


def montgomery(value):
    return limbs((value << 256) % P)


def times(a, b):
    return (a[0] * b[0] - a[1] * b[1]) % P, (a[0] * b[1] + a[1] * b[0]) % P


def power(a, exponent):
    result = (1, 0)
    while exponent:
        if exponent & 1:
            result = times(result, a)
        a, exponent = times(a, a), exponent >> 1
    return result


def signed_digits(value, width):
    digits = []
    while value:
        digit = 0
        if value & 1:
            digit = value % 2**width
            digit -= 2**width if digit >> width - 1 else 0
        digits.append(digit)
        value = value - digit >> 1
    return digits


def masks(digits):
    for digit in sorted(set(digits) - {0}):
        print(f"  digit {digit}: 0x{sum(1 << i for i, d in enumerate(digits) if d == digit):x}")


for name, modulus in (("base field", P), ("scalar field", R)):
    print(name)
    print("  modulus", limbs(modulus))
    for exponent in (1, 2, 3):
        print(f"  R^{exponent}", limbs(2 ** (256 * exponent) % modulus))
    print(f"  -1/p mod 2^64: 0x{-pow(modulus, -1, 2**64) % 2**64:016x}")

print("b", montgomery(3))
norm = pow(XI[0] ** 2 + XI[1] ** 2, -1, P)
twist_b = times((3, 0), (XI[0] * norm, -XI[1] * norm))
print("b of the twist", montgomery(twist_b[0]), "|", montgomery(twist_b[1]))
for e in (1, 2, 3):
    for i in range(1, 6):
        c = power(XI, i * (P**e - 1) // 6)
        print(f"xi^({i}(p^{e}-1)/6)", montgomery(c[0]), "|", montgomery(c[1]))

# The endomorphism of G1.
LAMBDA = 36 * X**3 + 18 * X**2 + 6 * X + 1
BETA = 2203960485148121921418603742825762020974279258880205651966
N1 = 147946756881789319010696353538189108491
N2 = 147946756881789319000765030803803410728
N = 9931322734385697763
assert (LAMBDA**2 + LAMBDA + 1) % R == 0 and (BETA**2 + BETA + 1) % P == 0
assert (N1 + N * LAMBDA) % R == 0 and (N - N2 * LAMBDA) % R == 0 and N1 * N2 + N * N == R
print("beta", montgomery(BETA))
print("g1", limbs(((N2 << 256) + R // 2) // R), "g2", limbs(((N << 256) + R // 2) // R))

# The subgroup check of G2: h(z) = x + 1 + x z + x z^2 - 2 x z^3 has a zero at p modulo r, and the
# resultant with the characteristic polynomial z^2 - t z + p of the Frobenius shares only r with the
# order of the twist.
assert (X + 1 + X * P + X * P**2 - 2 * X * P**3) % R == 0
h = [X + 1, X, X, -2 * X]
while len(h) > 2:
    top = h.pop()
    h[-1] += top * T
    h[-2] -= top * P
resultant = h[0] ** 2 + h[0] * h[1] * T + h[1] ** 2 * P
assert gcd(resultant, R * (2 * P - R)) == R

# The hard part of the final exponentiation: a multiple, prime to r, of (p^4 - p^2 + 1)/r.
a = 12 * X**3 + 6 * X**2 + 6 * X
b = a - 2 * X
assert (a + 6 * X**2 + 1 + b * P + a * P**2 + (b - 1) * P**3) * R == (P**4 - P**2 + 1) * (
    2 * X * (6 * X**2 + 3 * X + 1)
)
assert gcd(2 * X * (6 * X**2 + 3 * X + 1), R) == 1

print("6x + 2, width 2")
masks(signed_digits(6 * X + 2, 2))
for width in (2, 3):
    print("x, width", width)
    masks(signed_digits(X, width))
