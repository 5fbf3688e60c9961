"""The field of p^2 elements a + b u with u^2 = -1, where p = 3 modulo 4: pairs of integers (a, b)."""


class Fp2:
    """Arithmetic over a prime p = 3 modulo 4."""

    def __init__(self, prime):
        assert prime % 4 == 3
        self.p = prime

    def add(self, a, b):
        return (a[0] + b[0]) % self.p, (a[1] + b[1]) % self.p

    def negate(self, a):
        return -a[0] % self.p, -a[1] % self.p

    def multiply(self, a, b):
        return (a[0] * b[0] - a[1] * b[1]) % self.p, (a[0] * b[1] + a[1] * b[0]) % self.p

    def power(self, a, exponent):
        result = (1, 0)
        while exponent:
            if exponent & 1:
                result = self.multiply(result, a)
            a = self.multiply(a, a)
            exponent >>= 1
        return result

    def inverse(self, a):
        n = pow(a[0] * a[0] + a[1] * a[1], -1, self.p)
        return a[0] * n % self.p, -a[1] * n % self.p

    def root(self, a):
        """A square root, or None (Adj and Rodriguez-Henriquez, 2012)."""
        first = self.power(a, (self.p - 3) // 4)
        root = self.multiply(first, a)
        alpha = self.multiply(first, root)
        if alpha == (self.p - 1, 0):
            root = self.multiply((0, 1), root)
        else:
            root = self.multiply(self.power(self.add((1, 0), alpha), (self.p - 1) // 2), root)
        return root if self.multiply(root, root) == (a[0] % self.p, a[1] % self.p) else None
