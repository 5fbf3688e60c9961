public import EVM
public import Ethereum

/// Blob gas arithmetic (EIP-4844, EIP-7691, EIP-7918).
public enum BlobGas {
  /// Gas of one blob.
  public static let perBlob: UInt64 = 1 << 17
  /// The least price, in wei.
  public static let minimumBaseFee: UInt256 = 1
  /// Execution gas that a blob costs its users at least, as EIP-7918 reckons it.
  static let blobBaseCost: UInt64 = 1 << 13

  /// Wei for each blob gas, by the parent's excess.
  public static func baseFee(excess: UInt64, parameters: BlobParameters) -> UInt256 {
    exponential(
      factor: minimumBaseFee, numerator: UInt256(excess),
      denominator: UInt256(parameters.baseFeeUpdateFraction))
  }

  /// The excess of a block, from its parent's header. `parameters` are those of the block.
  public static func excess(
    parentExcess: UInt64, parentUsed: UInt64, parentBaseFee: UInt256,
    parameters: BlobParameters, fork: Fork
  ) -> UInt64 {
    let (sum, overflow) = parentExcess.addingReportingOverflow(parentUsed)
    if overflow { return UInt64.max }
    let (target, targetOverflow) = parameters.target.multipliedReportingOverflow(by: perBlob)
    if targetOverflow || sum < target { return 0 }
    if fork >= .osaka && parameters.max >= parameters.target && parameters.max > 0 {
      // The reserve price: while blobs are cheap next to execution, the excess only grows.
      let reserve = UInt256.multiplyFullWidth(UInt256(blobBaseCost), parentBaseFee)
      let price = UInt256.multiplyFullWidth(
        UInt256(perBlob), baseFee(excess: parentExcess, parameters: parameters))
      if (price.high, price.low) < (reserve.high, reserve.low) {
        let added =
          parentUsed.multipliedFullWidth(by: parameters.max - parameters.target)
        // max - target is max at most, and the product's high limb below it: the quotient fits. It
        // is at most what was used, whose sum with the excess fits.
        return parentExcess + parameters.max.dividingFullWidth(added).quotient
      }
    }
    return sum - target
  }

  /// `factor * e^(numerator / denominator)` by its Taylor series, in integers; saturates.
  private static func exponential(factor: UInt256, numerator: UInt256, denominator: UInt256)
    -> UInt256
  {
    if denominator.isZero { return .max }
    var index: UInt256 = 1
    var output: UInt256 = 0
    var term = factor &* denominator
    while !term.isZero {
      let next = UInt256.multiplyFullWidth(term, numerator)
      if !next.high.isZero { return .max }
      // The sum is below sqrt(2 pi n / d) times the largest term, which fits with a factor of n: it
      // does not wrap.
      output = output &+ term
      term = UInt256.divide(next.low, denominator &* index)
      index = index &+ 1
    }
    return UInt256.divide(output, denominator)
  }
}
