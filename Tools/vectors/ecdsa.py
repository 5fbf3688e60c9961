#!/usr/bin/env python3
"""Writes Tests/EVMTests/Vectors/secp256k1.txt and p256.txt: fields, keys and signatures.

A line is `operation operand... result...` in hexadecimal without leading zeros; a result that does
not exist is `-`. Everything is computed here with Python's integers from the definitions (SEC 1,
RFC 6979), not by Needletail. With `--check` signatures are also made and verified by the
`cryptography` package (OpenSSL). The seed is fixed, so the files come out the same.
"""

import hashlib
import hmac
import pathlib
import random
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tools" / "generators"))
from curve_tables import P256, SECP256K1  # noqa: E402

random.seed(7951)
WORD = 1 << 256
ORDERS = {
    "secp256k1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    "p256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
}
LAMBDA = 0x5363AD4CC05C30E0A5261C028812645A122E22EA20816678DF02967C1B23BD72


class Ecdsa:
    def __init__(self, name, curve):
        self.name, self.curve, self.n, self.p = name, curve, ORDERS[name], curve.p
        x, y = curve.g
        self.b = (y * y - x * x * x - curve.a * x) % curve.p
        assert curve.multiply(self.n, curve.g) is None
        self.lines = []

    def put(self, operation, *values):
        text = ("-" if value is None else f"{int(value):x}" for value in values)
        self.lines.append(" ".join((operation, *text)))

    def lift(self, x, odd):
        """The point with this x, or None."""
        if x >= self.p:
            return None
        square = (x**3 + self.curve.a * x + self.b) % self.p
        y = pow(square, (self.p + 1) // 4, self.p)
        if y * y % self.p != square:
            return None
        return x, y if y & 1 == odd else self.p - y

    def combine(self, u1, u2, point):
        c = self.curve
        return c.add(c.multiply(u1 % self.n, c.g), c.multiply(u2 % self.n, point))

    def recover(self, z, r, s, odd):
        if not (0 < r < self.n and 0 < s < self.n):
            return None
        point = self.lift(r, odd)
        if point is None:
            return None
        inverse = pow(r, -1, self.n)
        return self.combine(-z * inverse, s * inverse, point)

    def verify(self, z, r, s, key):
        x, y = key
        if not (0 < r < self.n and 0 < s < self.n and 0 <= x < self.p and 0 <= y < self.p):
            return False
        if (y * y - x**3 - self.curve.a * x - self.b) % self.p:
            return False
        inverse = pow(s, -1, self.n)
        point = self.combine(z * inverse, r * inverse, key)
        return point is not None and point[0] % self.n == r

    def nonces(self, secret, z):
        """RFC 6979, section 3.2, with SHA-256."""

        def mac(key, data):
            return hmac.new(key, data, hashlib.sha256).digest()

        seed = secret.to_bytes(32, "big") + (z % self.n).to_bytes(32, "big")
        k, v = bytes(32), b"\1" * 32
        for separator in b"\0", b"\1":
            k = mac(k, v + separator + seed)
            v = mac(k, v)
        while True:
            v = mac(k, v)
            candidate = int.from_bytes(v, "big")
            if 0 < candidate < self.n:
                yield candidate
            k = mac(k, v + b"\0")
            v = mac(k, v)

    def sign(self, secret, z):
        """Deterministic, s in the lower half."""
        for nonce in self.nonces(secret, z):
            x, y = self.curve.multiply(nonce, self.curve.g)
            r = x % self.n
            s = pow(nonce, -1, self.n) * (z + r * secret) % self.n
            if r and s and x < self.n:
                flip = s > self.n // 2
                return r, self.n - s if flip else s, (y & 1) ^ flip

    def word(self):
        near = random.choice((0, self.n, self.p, WORD, self.n // 2, 1 << 128, LAMBDA, self.p - self.n))
        if random.random() < 0.4:
            return (near + random.randrange(-3, 4)) % WORD
        return random.randrange(WORD)

    def put_verify(self, z, r, s, key):
        self.put("verify", z, r, s, *key, self.verify(z, r, s, key))

    def write_verifications(self):
        n, p, c = self.n, self.p, self.curve
        for _ in range(60):
            secret, z = random.randrange(1, n), self.word()
            key = c.multiply(secret, c.g)
            r, s, _ = self.sign(secret, z)
            assert self.verify(z, r, s, key) and self.verify(z, r, n - s, key)
            self.put_verify(z, r, s, key)
            self.put_verify(z, r, n - s, key)
            # Negative cases, in the manner of Wycheproof.
            x, y = key
            wrong = [
                (z ^ 1 << random.randrange(256), r, s, key), (z, s, r, key), (z, r, s, (y, x)),
                (z, r, s, (x, p - y)), (z, r + 1, s, key), (z, r, s + 1, key), (z, n - r, s, key),
                (z, r, s, (x, y ^ 1)), (z, r, s, (x ^ 1, y)), (z, r, s, (0, 0)), (z, r, s, c.g),
                (z, 0, s, key), (z, r, 0, key), (z, 0, 0, key), (z, n, s, key), (z, r, n, key),
                (z, p, s, key), (z, WORD - 1, WORD - 1, key), (z, 1, 1, key), (z, n - 1, n - 1, key),
                (z, r, s, (x, WORD - 1)), (z, r, s, (p, y)), (z, r, s, (0, y)), (z, r, s, (x, 0)),
            ]
            wrong += [(z, r + n, s, key)] * (r + n < WORD) + [(z, r, s + n, key)] * (s + n < WORD)
            for case in random.sample(wrong, 8):
                self.put_verify(*case)
        # Chosen u1 and u2 with a chosen key: small ones, equal ones, sums that double or vanish.
        small = [0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 127, 128, 129, 255, 256]
        scalars = small + [n - k for k in small[1:]] + [1 << 127, 1 << 128, (1 << 128) - 1, 1 << 255]
        scalars += [LAMBDA, n - LAMBDA, LAMBDA + 1]
        for _ in range(400):
            secret = random.choice(scalars + [random.randrange(n)]) % n or 1
            u1 = random.choice(scalars + [random.randrange(n)] * 3) % n
            u2 = random.choice(scalars + [random.randrange(n)] * 3) % n or 1
            if random.random() < 0.2:
                u1 = -u2 * secret % n  # the sum is the point at infinity
            key = c.multiply(secret, c.g)
            point = self.combine(u1, u2, key)
            r = point[0] % n if point else random.randrange(1, n)
            if r == 0:
                continue
            s = r * pow(u2, -1, n) % n
            self.put_verify(u1 * s % n, r, s, key)
        # Keys that the formulas, which do not use b, would take: off the curve, and x + p for x.
        # With u1 = 0 and u2 = 1 the nonce point is the key.
        for _ in range(10):
            x, y = random.randrange(1, n), random.randrange(1, p)
            self.put_verify(0, x, x, (x, y))
        x = 1
        while x + p < WORD and x < 40:
            point = self.lift(x, x & 1)
            if point:
                self.put_verify(0, x, x, point)
                self.put_verify(0, x, x, (x + p, point[1]))
            x += 1
        # Nonce points with x >= n: r = x - n is small.
        x, found = n, 0
        while found < 12:
            point = self.lift(x, found & 1)
            if point and x > n:
                found += 1
                u1, u2 = random.randrange(1, n), random.randrange(1, n)
                negated = c.multiply(n - u1, c.g)
                key = c.multiply(pow(u2, -1, n), c.add(point, negated))
                r = x - n
                s = r * pow(u2, -1, n) % n
                assert self.verify(u1 * s % n, r, s, key)
                self.put_verify(u1 * s % n, r, s, key)
                self.put_verify(u1 * s % n, x, s, key)
            x += 1

    def write_keys_and_signatures(self):
        n, c = self.n, self.curve
        edges = [1, 2, 3, 15, 16, 1 << 16, 1 << 64, 1 << 128, n // 2, n // 2 + 1, n - 2, n - 1, LAMBDA]
        for secret in edges + [random.randrange(1, n) for _ in range(40)]:
            self.put("key", secret, *c.multiply(secret, c.g))
            for z in (self.word(), random.randrange(WORD)):
                self.put("sign", secret, z, *self.sign(secret, z))
        for secret in (0, n, n + 1, WORD - 1):
            self.put("key", secret, None, None)
            self.put("sign", secret, 1, None, None, None)

    def write_recoveries(self):
        n, c = self.n, self.curve
        for index in range(400):
            z, r, s, odd = self.word(), self.word(), self.word(), index & 1
            kind = index % 4
            if kind == 1:  # the nonce point is a known multiple of the base point
                k = random.choice((1, 2, 3, n - 1, n - 2, LAMBDA, n - LAMBDA, random.randrange(1, n)))
                point = c.multiply(k, c.g)
                r, odd = point[0], point[1] & 1
                # Now and then the key is the point at infinity: s k = z.
                if random.random() < 0.3 and r < n:
                    s = random.randrange(1, n)
                    z = s * k % n
            elif kind == 2:
                z, r, odd = random.choice((0, n, z)), random.randrange(1, n), random.randrange(2)
                s = random.choice((r, n - r, 1, s))
            elif kind == 3:
                z, r, s = (random.randrange(1, n) for _ in range(3))
            self.put("recover", z, r, s, odd, *(self.recover(z, r, s, odd) or (None, None)))

    def write_fields(self):
        p = self.p
        for _ in range(100):
            a, b = self.word(), self.word()
            self.put("fieldProduct", a, b, a * b % p)
            self.put("fieldSquare", a, a * a % p)
            self.put("fieldSum", a, b, (a + b) % p)
            self.put("fieldDifference", a, b, (a - b) % p)
            self.put("fieldHalf", a, a * pow(2, -1, p) % p)
            self.put("fieldInverse", a, pow(a, p - 2, p))
        # Carries that hardly ever happen: sums and differences at both ends of the word ...
        gap = WORD - p
        ends = [k + base for base in (0, p, gap, WORD) for k in (-2, -1, 0, 1)]
        ends = [value for value in ends if 0 <= value < WORD]
        for a in ends:
            for b in ends:
                self.put("fieldSum", a, b, (a + b) % p)
                self.put("fieldDifference", a, b, (a - b) % p)
        # ... and products whose residue is small, so that the last fold wraps.
        for _ in range(60):
            residue = random.choice((gap + (1 << 64) - random.randrange(1, 1 << 33), self.word()))
            residue = residue % (1 << random.choice((33, 34, 64, 65, 66, 67)))
            a = random.randrange(1, p)
            self.put("fieldProduct", a, residue * pow(a, -1, p) % p, residue)
            root = pow(residue, (p + 1) // 4, p)
            self.put("fieldSquare", root, root * root % p)
        # secp256k1: the last carry of a product reaches limb 1 (found by hand; squares have none).
        a, b = p - (1 << 32), p - (1 << 224) - (1 << 32) + 1
        self.put("fieldProduct", a, b, a * b % p)

    def write_scalars(self):
        n = self.n
        for _ in range(100):
            a, b = self.word(), self.word()
            self.put("scalarProduct", a, b, a * b % n)
            self.put("scalarSquare", a, a * a % n)
            self.put("scalarSum", a, b, (a + b) % n)
            self.put("scalarNegated", a, -a % n)
            self.put("scalarInverse", a, pow(a, n - 2, n))

    def check(self):
        """Keys and signatures again, by the `cryptography` package."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        curve = {"secp256k1": ec.SECP256K1(), "p256": ec.SECP256R1()}[self.name]
        prehashed = utils.Prehashed(hashes.SHA256())
        counts = {}
        for line in self.lines:
            operation, *values = line.split()
            if "-" in values:
                continue
            v = [int(value, 16) for value in values]
            if operation == "key":
                numbers = ec.derive_private_key(v[0], curve).public_key().public_numbers()
                assert (numbers.x, numbers.y) == (v[1], v[2]), line
            elif operation == "sign":
                algorithm = ec.ECDSA(prehashed, deterministic_signing=True)
                der = ec.derive_private_key(v[0], curve).sign(v[1].to_bytes(32, "big"), algorithm)
                r, s = utils.decode_dss_signature(der)
                assert (r, min(s, self.n - s)) == (v[2], v[3]), line
            elif operation == "verify":
                if max(v[3:5]) >= self.p:  # OpenSSL reduces coordinates; ECDSA refuses them
                    assert not v[5], line
                    continue
                try:
                    key = ec.EllipticCurvePublicNumbers(v[3], v[4], curve).public_key()
                    der = utils.encode_dss_signature(v[1], v[2])
                    key.verify(der, v[0].to_bytes(32, "big"), ec.ECDSA(prehashed))
                    result = 1
                except (InvalidSignature, ValueError):
                    result = 0
                assert result == v[5], line
            else:
                continue
            counts[operation] = counts.get(operation, 0) + 1
        print(f"{self.name}: the cryptography package agrees on {counts}")

    def save(self):
        path = ROOT / "Tests" / "EVMTests" / "Vectors" / f"{self.name}.txt"
        path.write_text("\n".join(self.lines) + "\n")


def main():
    k1 = Ecdsa("secp256k1", SECP256K1)
    k1.write_fields()
    k1.write_scalars()
    k1.write_keys_and_signatures()
    k1.write_recoveries()
    k1.write_verifications()
    r1 = Ecdsa("p256", P256)
    r1.write_fields()
    r1.write_verifications()
    for suite in k1, r1:
        if "--check" in sys.argv[1:]:
            suite.check()
        suite.save()


if __name__ == "__main__":
    main()
