/// Precompile 0x0c: the sum of multiples of points of G1 of BLS12-381 (EIP-2537, BLS12_G1MSM).
package enum BLSG1MSMPrecompile {
  /// Bytes of one multiple: a point (128) and a scalar (32).
  private static var itemSize: Int { 160 }

  /// 12,000 gas a point, less the discount for many.
  package static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 {
    BLSMultiScalarGas.gas(
      count: input.count / itemSize, each: 12_000, discounts: BLSMultiScalarGas.g1Discounts,
      last: 519)
  }

  /// The input is one or more points with their scalars (any 256-bit integers), the output the sum
  /// of the multiples. Fails when it is empty or not a whole number of items, a coordinate is not
  /// canonical, or a point is not in G1.
  @inline(never)
  package static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    guard input.count > 0, input.count % itemSize == 0, let base = input.baseAddress else {
      return .failure
    }
    let used = scratch.used
    defer { scratch.used = used }
    guard
      var sum = BLS12381MultiScalarSum<BLS12381Fp>(
        capacity: input.count / itemSize, scratch: &scratch)
    else { return .workspaceExhausted }
    var offset = 0
    while offset < input.count {
      guard let point = BLS12381.decodeG1(base + offset), BLS12381.isInSubgroup(point) else {
        return .failure
      }
      sum.append(point, times: UInt256(bigEndian: base + offset + 128))
      offset &+= itemSize
    }
    guard let result = sum.result(scratch: &scratch) else { return .workspaceExhausted }
    BLS12381.encode(result.affine, to: output)
    return .success(count: 128)
  }
}
