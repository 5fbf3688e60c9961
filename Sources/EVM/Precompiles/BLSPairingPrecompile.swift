/// Precompile 0x0f: whether a product of pairings on BLS12-381 is one (EIP-2537,
/// BLS12_PAIRING_CHECK).
package enum BLSPairingPrecompile {
  /// Bytes of one pair: a point of G1 (128) and one of G2 (256).
  private static var pairSize: Int { 384 }

  /// Pairs whose Miller loops share their squarings; bounds the scratch memory.
  private static var pairsAtOnce: Int { 16 }

  /// 37,700 gas and 32,600 a pair.
  package static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 {
    let pairs = Int64(truncatingIfNeeded: input.count / pairSize)
    let (product, overflow) = pairs.multipliedReportingOverflow(by: 32_600)
    let (sum, overflow2) = product.addingReportingOverflow(37_700)
    return overflow || overflow2 ? Int64.max : sum
  }

  /// The input is one or more pairs; the output a word that is 1 when the product of their pairings
  /// is one, else 0. Fails when it is empty or not a whole number of pairs, a coordinate is not
  /// canonical, or a point is not in its group.
  @inline(never)
  package static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    guard input.count > 0, input.count % pairSize == 0, let base = input.baseAddress else {
      return .failure
    }
    let used = scratch.used
    defer { scratch.used = used }
    let capacity = min(input.count / pairSize, pairsAtOnce)
    guard let pairs = scratch.allocate(BLS12381MillerPair.self, count: capacity) else {
      return .workspaceExhausted
    }
    var product = BLS12381.Fp12.one
    var count = 0
    var offset = 0
    while offset < input.count {
      guard let p = BLS12381.decodeG1(base + offset), BLS12381.isInSubgroup(p),
        let q = BLS12381.decodeG2(base + offset + 128), BLS12381.isInSubgroup(q)
      else { return .failure }
      // A pair with infinity has the pairing one.
      if !p.isInfinity && !q.isInfinity {
        pairs[count] = BLS12381MillerPair(p: p, q: q)
        count &+= 1
        if count == capacity {
          product = product * BLS12381.millerLoop(pairs, count: count)
          count = 0
        }
      }
      offset &+= pairSize
    }
    if count > 0 {
      product = product * BLS12381.millerLoop(pairs, count: count)
    }
    UInt256(BLS12381.finalExponentiation(product) == .one).store(bigEndian: output)
    return .success(count: 32)
  }
}
