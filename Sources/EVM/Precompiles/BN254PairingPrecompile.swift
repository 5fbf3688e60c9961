/// Precompile 0x08: whether a product of pairings on bn254 is one (EIP-197).
package enum BN254PairingPrecompile {
  /// Bytes of one pair: a point of G1 (64) and one of G2 (128).
  private static var pairSize: Int { 192 }

  /// Pairs whose Miller loops share their squarings; bounds the scratch memory.
  private static var pairsAtOnce: Int { 16 }

  /// 100,000 gas and 80,000 a pair; 45,000 and 34,000 from Istanbul (EIP-1108).
  package static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 {
    let (base, each): (Int64, Int64) = fork >= .istanbul ? (45_000, 34_000) : (100_000, 80_000)
    let pairs = Int64(truncatingIfNeeded: input.count / pairSize)
    let (product, overflow) = pairs.multipliedReportingOverflow(by: each)
    let (sum, overflow2) = product.addingReportingOverflow(base)
    return overflow || overflow2 ? Int64.max : sum
  }

  /// The input is any number of pairs; the output a word that is 1 when the product of their
  /// pairings is one (as of no pairs), else 0. Fails when the size is not a multiple of 192 bytes,
  /// a coordinate is not below p, or a point is not in its group.
  package static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    if input.count % pairSize != 0 { return .failure }
    var product = BN254.Fp12.one
    if let base = input.baseAddress, input.count > 0 {
      let used = scratch.used
      defer { scratch.used = used }
      let capacity = min(input.count / pairSize, pairsAtOnce)
      guard let pairs = scratch.allocate(BN254MillerPair.self, count: capacity) else {
        return .workspaceExhausted
      }
      var count = 0
      var offset = 0
      while offset < input.count {
        guard let p = BN254.decodeG1(base + offset), let q = BN254.decodeG2(base + offset + 64)
        else { return .failure }
        // A pair with infinity has the pairing one.
        if !p.isInfinity && !q.isInfinity {
          pairs[count] = BN254MillerPair(p: p, q: q)
          count &+= 1
          if count == capacity {
            product = product * BN254.millerLoop(.init(start: pairs, count: count))
            count = 0
          }
        }
        offset &+= pairSize
      }
      if count > 0 {
        product = product * BN254.millerLoop(.init(start: pairs, count: count))
      }
      product = BN254.finalExponentiation(product)
    }
    UInt256(product == .one).store(bigEndian: output)
    return .success(count: 32)
  }
}
