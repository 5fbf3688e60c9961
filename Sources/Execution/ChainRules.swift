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
  /// The first base fee, in wei (EIP-1559).
  public static let initialBaseFee: UInt256 = 1_000_000_000
  /// The least difficulty.
  static let minimumDifficulty: UInt256 = 131_072

  /// The longest block in RLP, in bytes (EIP-7934).
  static let blockSizeLimit = 10_485_760 - 2_097_152

  /// The base fee that follows a parent (EIP-1559).
  public static func baseFee(
    parentGasLimit: UInt64, parentGasUsed: UInt64, parentBaseFee: UInt256
  ) -> UInt256 {
    let target = parentGasLimit / 2
    if target == 0 || parentGasUsed == target { return parentBaseFee }
    let isAbove = parentGasUsed > target
    let distance = isAbove ? parentGasUsed - target : target - parentGasUsed
    // The fee and the distance: 2^256 is out of reach for fees that anybody could pay.
    let product = parentBaseFee &* UInt256(distance)
    let delta = UInt256.divide(UInt256.divide(product, UInt256(target)), UInt256(8))
    return isAbove ? parentBaseFee &+ max(delta, .one) : parentBaseFee &- delta
  }

  /// Wei for the coinbase of a block before Paris (EIP-649, EIP-1234).
  public static func reward(_ fork: Fork) -> UInt256? {
    if fork >= .paris { return nil }
    let ether = UInt256(1_000_000_000_000_000_000)
    if fork >= .constantinople { return ether &* 2 }
    return ether &* (fork >= .byzantium ? 3 : 5)
  }

  /// The difficulty that follows a parent (yellow paper, EIP-2, EIP-100, and the bomb delays).
  public static func difficulty(
    fork: Fork, number: UInt64, timestamp: UInt64, parentTimestamp: UInt64,
    parentDifficulty: UInt256, parentHasOmmers: Bool
  ) -> UInt256 {
    let step = parentDifficulty >> 11
    let elapsed = timestamp &- parentTimestamp
    // How many steps up (positive) or down.
    let steps: Int64
    if fork >= .byzantium {
      steps = max((parentHasOmmers ? 2 : 1) - Int64(clamping: elapsed / 9), -99)
    } else if fork >= .homestead {
      steps = max(1 - Int64(clamping: elapsed / 10), -99)
    } else {
      steps = elapsed < 13 ? 1 : -1
    }
    var difficulty = parentDifficulty
    let change = step &* UInt256(steps.magnitude)
    if steps >= 0 {
      difficulty = difficulty &+ change
    } else {
      difficulty = difficulty < change ? .zero : difficulty &- change
    }
    // Some clients bound it here, others at the end; the difference is out of reach.
    if fork < .byzantium { difficulty = max(difficulty, minimumDifficulty) }
    let delay: UInt64
    switch fork {
    case ..<Fork.byzantium: delay = 0
    case ..<Fork.constantinople: delay = 3_000_000
    case ..<Fork.muirGlacier: delay = 5_000_000
    case ..<Fork.london: delay = 9_000_000
    case ..<Fork.arrowGlacier: delay = 9_700_000
    case ..<Fork.grayGlacier: delay = 10_700_000
    default: delay = 11_400_000
    }
    let periods = (number > delay ? number - delay : 0) / 100_000
    if periods >= 2 { difficulty = difficulty &+ (UInt256.one << (periods - 2)) }
    return max(difficulty, minimumDifficulty)
  }

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
