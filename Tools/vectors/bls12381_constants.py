#!/usr/bin/env python3
"""Prints the constants of BLS12-381 as Swift source, in Montgomery form.

    python3 -m venv v && v/bin/pip install py-ecc
    v/bin/python Tools/vectors/bls12381_constants.py constants > Sources/EVM/Curves/BLS12381Constants.swift
    v/bin/python Tools/vectors/bls12381_constants.py isogenies > Sources/EVM/Curves/BLS12381Isogenies.swift

Everything is computed from the curve's definition (RFC 9380, section 8.8; EIP-2537), except: the
isogeny coefficients (RFC 9380, appendix E.2 and E.3, as py-ecc carries them) and the point [tau]G2 of
the KZG ceremony (EIP-4844; the second of the G2 monomial points in the trusted setup of c-kzg-4844).
"""
import sys
from py_ecc.optimized_bls12_381 import constants as c
from py_ecc.bls12_381 import G1, G2, multiply, field_modulus as P, curve_order as R, FQ, eq
from py_ecc.bls.point_compression import decompress_G2
from py_ecc.optimized_bls12_381 import normalize

from fp2 import Fp2

FIELD = Fp2(P)
X = -0xD201000000010000
TAU_G2 = (
    "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72"
    "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2"
)

def limbs(value):
    value = value * 2**384 % P
    return [value >> (64 * i) & (2**64 - 1) for i in range(6)]

def hexword(word):
    text = f"{word:016x}"
    return "0x" + "_".join(text[i : i + 4] for i in range(0, 16, 4))

def fp(value, indent):
    words = [hexword(w) for w in limbs(int(value))]
    pad = " " * indent
    return f"BLS12381Fp(\n{pad}  {', '.join(words[:3])},\n{pad}  {', '.join(words[3:])})"

def member(summary, name, kind, body):
    print(f"  /// {summary}")
    print("  @inline(__always)")
    print(f"  static var {name}: {kind} {{\n    {body}\n  }}\n")

def fp_member(summary, name, value):
    member(summary, name, "BLS12381Fp", fp(value, 4))

def fp2(value, indent=4):
    pad = " " * indent
    return (f"BLS12381Fp2(\n{pad}  {fp(value[0], indent + 2)},\n{pad}  {fp(value[1], indent + 2)})")

def fp2_member(summary, name, value):
    member(summary, name, "BLS12381Fp2", fp2(value))

def beta():
    """The cube root of unity with (beta x, y) = [-x^2](x, y) on G1."""
    g = pow(2, (P - 1) // 3, P)
    for candidate in (g, g * g % P):
        q = multiply(G1, (-X * X) % R)
        if int(q[0]) == candidate * int(G1[0]) % P and q[1] == G1[1]:
            return candidate
    raise SystemExit("no root fits")

def coefficients(element):
    return tuple(int(v) for v in element.coeffs)

def constants():
    xi = (1, 1)
    print("// Printed by Tools/vectors/bls12381_constants.py: values in Montgomery form. Do not edit.\n")
    print("extension BLS12381Fp {")
    fp_member("One.", "one", 1)
    fp_member("`2^384` as an element: `2^768` modulo `p` in limbs, which brings integers into the form.",
              "montgomerySquared", 2**384)
    fp_member("`2^768` as an element: `2^1152` modulo `p` in limbs.", "montgomeryCubed", 2**768)
    fp_member("The curve's constant: `y^2 = x^3 + 4`.", "curveB", 4)
    fp_member("The cube root of unity for which `(x, y)` to `(beta x, y)` is `[-x^2]` on G1.", "beta", beta())
    for i in (1, 2, 4, 5):
        g = FIELD.power(xi, i * (P * P - 1) // 6)
        assert g[1] == 0
        fp_member(f"`(1+u)^({i} (p^2-1)/6)`.", f"frobeniusSquared{i}", g[0])
    assert FIELD.power(xi, 3 * (P * P - 1) // 6) == (P - 1, 0)
    fp_member("The x-coordinate of G1's generator.", "generatorX", G1[0])
    fp_member("The y-coordinate of G1's generator.", "generatorY", G1[1])
    fp_member("The coefficient `A'` of the curve 11-isogenous to G1's (RFC 9380, section 8.8.1).",
              "isogenousA", c.ISO_11_A)
    fp_member("The coefficient `B'` of the curve 11-isogenous to G1's.", "isogenousB", c.ISO_11_B)
    root = pow(-11, (P + 1) // 4, P)
    assert root * root % P == -11 % P
    fp_member("`sqrt(-Z)` for `Z = 11`.", "rootOfNegatedZ", root)
    # For Fp2: Z = -(2 + u); sqrt(-norm(Z)^3).
    n = 5**3
    root = pow(-n, (P + 1) // 4, P)
    assert root * root % P == -n % P
    fp_member("`sqrt(-N(Z)^3)` for `Z = -(2 + u)`, of norm 5.", "rootOfNegatedNormCubed", root)
    print("}\n\nextension BLS12381Fp2 {")
    fp2_member("The twist's constant: `y^2 = x^3 + 4 (1 + u)`.", "curveB", (4, 4))
    for i in range(1, 6):
        fp2_member(f"`(1+u)^({i} (p-1)/6)`.", f"frobenius{i}", FIELD.power(xi, i * (P - 1) // 6))
    fp2_member("`(1+u)^(-(p-1)/3)`: the x-coordinate's factor in the endomorphism of G2.",
               "endomorphismX", FIELD.inverse(FIELD.power(xi, (P - 1) // 3)))
    fp2_member("`(1+u)^(-(p-1)/2)`: the y-coordinate's factor in the endomorphism of G2.",
               "endomorphismY", FIELD.inverse(FIELD.power(xi, (P - 1) // 2)))
    fp2_member("The x-coordinate of G2's generator.", "generatorX", coefficients(G2[0]))
    fp2_member("The y-coordinate of G2's generator.", "generatorY", coefficients(G2[1]))
    fp2_member("The coefficient `A'` of the curve 3-isogenous to G2's (RFC 9380, section 8.8.2).",
               "isogenousA", (0, 240))
    fp2_member("The coefficient `B'` of the curve 3-isogenous to G2's.", "isogenousB", (1012, 1012))
    fp2_member("`Z = -(2 + u)`.", "mapZ", (P - 2, P - 1))
    fp2_member("`-B'/A'`.", "negatedRatioOfB", FIELD.multiply((-1012 % P, -1012 % P), FIELD.inverse((0, 240))))
    fp2_member("`B'/(Z A')`.", "exceptionalX",
               FIELD.multiply((1012, 1012), FIELD.inverse(FIELD.multiply((P - 2, P - 1), (0, 240)))))
    data = bytes.fromhex(TAU_G2)
    point = normalize(decompress_G2((int.from_bytes(data[:48], "big"), int.from_bytes(data[48:], "big"))))
    fp2_member("The x-coordinate of `[tau]G2` of the KZG ceremony.", "ceremonyX", coefficients(point[0]))
    fp2_member("The y-coordinate of `[tau]G2` of the KZG ceremony.", "ceremonyY", coefficients(point[1]))
    print("}")

def table(name, summary, elements):
    words = [w for e in elements for w in limbs(e)]
    print(f"  /// {summary}")
    print(f"  static let {name}: InlineArray<{len(words)}, UInt64> = [")
    for i in range(0, len(words), 3):
        print("    " + ", ".join(hexword(w) for w in words[i : i + 3]) + ",")
    print("  ]\n")

def isogenies():
    print("// Printed by Tools/vectors/bls12381_constants.py: values in Montgomery form. Do not edit.\n")
    print("/// The coefficients of the isogenies of RFC 9380, appendix E.2 (11-isogeny to G1's curve) and E.3\n"
          "/// (3-isogeny to G2's): the numerator and denominator of x, then those of y, each from the constant\n"
          "/// coefficient up, six limbs a base field element. The leading coefficient of a denominator is one\n"
          "/// and left out.")
    print("enum BLS12381Isogenies {")
    def trim(poly):
        poly = list(poly)
        zero = poly[0] * 0
        while poly[-1] == zero:
            poly.pop()
        return poly
    for group, polys in (
        ("g1", (c.ISO_11_X_NUMERATOR, c.ISO_11_X_DENOMINATOR, c.ISO_11_Y_NUMERATOR, c.ISO_11_Y_DENOMINATOR)),
        ("g2", (c.ISO_3_X_NUMERATOR, c.ISO_3_X_DENOMINATOR, c.ISO_3_Y_NUMERATOR, c.ISO_3_Y_DENOMINATOR)),
    ):
        counts, words = [], []
        for index, poly in enumerate(polys):
            poly = trim(poly)
            if index & 1:
                assert poly.pop() == poly[0] ** 0
            counts.append(str(len(poly)))
            words += [v for e in poly for v in (coefficients(e) if group == "g2" else (int(e),))]
        table(group, f"{', '.join(counts[:3])} and {counts[3]} coefficients.", words)
    print("}")

if __name__ == "__main__":
    {"constants": constants, "isogenies": isogenies}[sys.argv[1]]()
