public import EVM
public import Ethereum

/// Which rules hold when: forks, blob limits, and the rules of headers that depend on both.
public struct ChainRules: Sendable {
  /// When forks begin.
  public var schedule: ForkSchedule
  /// The blob limits by fork.
  public var blobSchedule: BlobSchedule

  /// Rules from their parts.
  public init(schedule: ForkSchedule, blobSchedule: BlobSchedule) {
    self.schedule = schedule
    self.blobSchedule = blobSchedule
  }

  /// The gas limit may change by less than this fraction of the parent's.
  static let gasLimitBound: UInt64 = 1024
  /// The least gas limit.
  static let minimumGasLimit: UInt64 = 5000
  /// The longest block in RLP, in bytes (EIP-7934).
  static let blockSizeLimit = 10_485_760 - 2_097_152

  /// The excess blob gas that follows a parent, under the block's own fork.
  public func excessBlobGas(parent: BlockHeader, fork: Fork) -> UInt64 {
    guard let parameters = blobSchedule[fork], let excess = parent.excessBlobGas,
      let used = parent.blobGasUsed
    else { return 0 }
    return BlobGas.excess(
      parentExcess: excess, parentUsed: used, parentBaseFee: parent.baseFeePerGas ?? .zero,
      parameters: parameters, fork: fork)
  }
}
