/// Proofs of evaluations of committed polynomials (Kate, Zaverucha, Goldberg, 2010), as EIP-4844
/// verifies them over BLS12-381.
enum KZG {
  /// Whether `proof` shows that the polynomial of `commitment` has the value `y` at `z`:
  /// `e(proof, [tau - z] G2) = e(commitment - [y] G1, G2)` for the secret `tau` of the ceremony.
  /// The points are in G1; `y` and `z` are below the group order.
  ///
  /// With both multiples on the side of G1, the points of G2 are constants:
  /// `e(proof, [tau] G2) e([y] G1 - commitment - [z] proof, G2) = 1`. `nil` when the arena is too
  /// small.
  static func verify(
    commitment: BLS12381.G1Affine, z: UInt256, y: UInt256, proof: BLS12381.G1Affine,
    scratch: inout Arena
  ) -> Bool? {
    let used = scratch.used
    defer { scratch.used = used }
    guard var sum = BLS12381MultiScalarSum<BLS12381Fp>(capacity: 2, scratch: &scratch) else {
      return nil
    }
    sum.append(BLS12381.g1Generator, times: y)
    sum.append(-proof, times: z)
    guard let multiples = sum.result(scratch: &scratch) else { return nil }
    let left = multiples.adding(-commitment).affine
    scratch.used = used
    guard let pairs = scratch.allocate(BLS12381MillerPair.self, count: 2) else { return nil }
    var count = 0
    if !proof.isInfinity {
      pairs[count] = BLS12381MillerPair(p: proof, q: ceremonyPoint)
      count &+= 1
    }
    if !left.isInfinity {
      pairs[count] = BLS12381MillerPair(p: left, q: BLS12381.g2Generator)
      count &+= 1
    }
    let product = BLS12381.millerLoop(pairs, count: count)
    return BLS12381.finalExponentiation(product) == .one
  }

  /// `[tau] G2` of the ceremony of EIP-4844.
  static var ceremonyPoint: BLS12381.G2Affine {
    BLS12381.G2Affine(x: BLS12381Fp2.ceremonyX, y: BLS12381Fp2.ceremonyY)
  }
}

extension BLS12381 {
  /// The generator of G1.
  static var g1Generator: G1Affine { G1Affine(x: Fp.generatorX, y: Fp.generatorY) }

  /// The generator of G2.
  static var g2Generator: G2Affine { G2Affine(x: Fp2.generatorX, y: Fp2.generatorY) }
}
