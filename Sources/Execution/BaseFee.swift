public import EVM

/// The base fee's way from block to block (EIP-1559).
public enum BaseFee {
  /// The base fee of the first block that has one, in wei.
  public static let initial = UInt256(1_000_000_000)
  /// The gas limit is this many times the target.
  static let elasticity: UInt64 = 2
  /// The fee moves by one part in this many at most.
  static let changeDenominator = UInt256(8)

  /// Wei for each gas in the block after one with this base fee, gas limit and gas used.
  ///
  /// Products wrap from a base fee of 2^192 on, which is beyond all ether.
  public static func next(parentBaseFee: UInt256, gasLimit: UInt64, gasUsed: UInt64) -> UInt256 {
    let target = gasLimit / elasticity
    if target == 0 { return parentBaseFee }
    let distance = gasUsed > target ? gasUsed - target : target - gasUsed
    let change = UInt256.divide(
      UInt256.divide(parentBaseFee &* UInt256(distance), UInt256(target)), changeDenominator)
    if gasUsed > target { return parentBaseFee &+ max(change, .one) }
    return parentBaseFee &- change
  }
}
