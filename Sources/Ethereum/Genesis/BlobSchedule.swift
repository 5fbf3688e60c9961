public import EVM

/// The blob limits of a fork (EIP-4844, EIP-7691, EIP-7840, EIP-7892).
public struct BlobParameters: Hashable, Sendable {
  /// Blobs a block that leave the blob fee as it is.
  public var target: UInt64
  /// Blobs a block at most.
  public var max: UInt64
  /// How slowly the blob fee follows the excess.
  public var baseFeeUpdateFraction: UInt64

  /// Limits from their numbers.
  public init(target: UInt64, max: UInt64, baseFeeUpdateFraction: UInt64) {
    self.target = target
    self.max = max
    self.baseFeeUpdateFraction = baseFeeUpdateFraction
  }
}

/// The blob limits of every fork of a chain.
public struct BlobSchedule: Hashable, Sendable {
  private var parameters: [Fork: BlobParameters]

  /// The limits of the main network: Cancun (EIP-4844), Prague (EIP-7691), BPO1 and BPO2
  /// (EIP-7892 as configured in December 2025 and January 2026).
  public static let mainnet = BlobSchedule([
    .cancun: BlobParameters(target: 3, max: 6, baseFeeUpdateFraction: 3_338_477),
    .prague: BlobParameters(target: 6, max: 9, baseFeeUpdateFraction: 5_007_716),
    .bpo1: BlobParameters(target: 10, max: 15, baseFeeUpdateFraction: 8_346_193),
    .bpo2: BlobParameters(target: 14, max: 21, baseFeeUpdateFraction: 11_684_671),
  ])

  /// The limits of the main network, and for BPO3 and BPO4, which have no limits there, those that
  /// test networks give them: the testing framework of ethereum/execution-specs (`forks.py`) and
  /// go-ethereum (`params/config.go`) have the same. Amsterdam follows BPO2 there.
  public static let testNetworks: BlobSchedule = {
    var schedule = mainnet
    schedule[.bpo3] = BlobParameters(target: 21, max: 32, baseFeeUpdateFraction: 20_609_697)
    schedule[.bpo4] = BlobParameters(target: 14, max: 21, baseFeeUpdateFraction: 13_739_630)
    schedule[.amsterdam] = schedule[.bpo2]
    return schedule
  }()

  /// A schedule of the forks that change the limits.
  public init(_ parameters: [Fork: BlobParameters]) {
    self.parameters = parameters
  }

  /// The limits under a fork: its own, or those of the last fork before it that has some. `nil`
  /// before the first.
  public subscript(fork: Fork) -> BlobParameters? {
    get {
      var rawValue = fork.rawValue
      while true {
        if let fork = Fork(rawValue: rawValue), let found = parameters[fork] { return found }
        guard rawValue > 0 else { return nil }
        rawValue -= 1
      }
    }
    set { parameters[fork] = newValue }
  }
}
