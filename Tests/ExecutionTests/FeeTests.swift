import EVM
import Ethereum
import Testing

@testable import Execution

/// The base fee (EIP-1559) and the blob base fee (EIP-4844, EIP-7691, EIP-7918, EIP-7892).
@Suite struct FeeTests {
  private func next(_ fee: UInt256, limit: UInt64, used: UInt64) -> UInt256 {
    BaseFee.next(parentBaseFee: fee, gasLimit: limit, gasUsed: used)
  }

  /// go-ethereum's cases (`TestCalcBaseFee`), and the extremes: an eighth up or down.
  @Test func baseFeeFollowsTheTarget() {
    let gwei: UInt256 = 1_000_000_000
    #expect(next(gwei, limit: 20_000_000, used: 10_000_000) == 1_000_000_000)
    #expect(next(gwei, limit: 20_000_000, used: 9_000_000) == 987_500_000)
    #expect(next(gwei, limit: 20_000_000, used: 11_000_000) == 1_012_500_000)
    #expect(next(gwei, limit: 20_000_000, used: 20_000_000) == 1_125_000_000)
    #expect(next(gwei, limit: 20_000_000, used: 0) == 875_000_000)
    #expect(BaseFee.initial == gwei)
  }

  @Test func baseFeeRisesByOneAtLeast() {
    #expect(next(7, limit: 20_000_000, used: 10_000_001) == 8)
    #expect(next(7, limit: 20_000_000, used: 9_999_999) == 7)
    #expect(next(7, limit: 20_000_000, used: 0) == 7)
    #expect(next(8, limit: 20_000_000, used: 0) == 7)
    #expect(next(0, limit: 20_000_000, used: 20_000_000) == 1)
  }

  @Test func targetIsHalfTheLimitRoundedDown() {
    #expect(next(800, limit: 15, used: 7) == 800)
    #expect(next(800, limit: 15, used: 14) == 900)
    #expect(next(800, limit: 1, used: 1) == 800)
  }

  /// `calculate_blob_gas_price` of ethereum-execution 2.20.0.
  private static let prices: [(fork: Fork, excess: UInt64, price: UInt64)] = [
    (.cancun, 0, 1),
    (.cancun, 2_314_057, 1),
    (.cancun, 2_314_058, 2),
    (.cancun, 100_000_000, 10_203_769_476_395),
    (.prague, 0, 1),
    (.prague, 2_314_057, 1),
    (.prague, 2_314_058, 1),
    (.prague, 100_000_000, 470_442_149),
    (.osaka, 0, 1),
    (.osaka, 2_314_057, 1),
    (.osaka, 2_314_058, 1),
    (.osaka, 100_000_000, 470_442_149),
    (.bpo1, 0, 1),
    (.bpo1, 2_314_057, 1),
    (.bpo1, 2_314_058, 1),
    (.bpo1, 100_000_000, 159_773),
    (.bpo2, 0, 1),
    (.bpo2, 2_314_057, 1),
    (.bpo2, 2_314_058, 1),
    (.bpo2, 100_000_000, 5_209),
  ]

  @Test func blobBaseFeeGrowsWithTheExcess() {
    for (fork, excess, price) in Self.prices {
      let parameters = BlobSchedule.mainnet[fork]!
      #expect(
        BlobGas.baseFee(excess: excess, parameters: parameters) == UInt256(price),
        "\(fork) \(excess)")
    }
    // Beyond 2^256 nobody can pay: it saturates.
    #expect(BlobGas.baseFee(excess: .max, parameters: BlobSchedule.mainnet[.cancun]!) == .max)
  }

  struct Row: Sendable {
    var fork: Fork
    var excess: UInt64
    var blobs: UInt64
    var baseFee: UInt64
    var expected: UInt64

    init(
      _ fork: Fork, _ excess: UInt64, _ blobs: UInt64, _ baseFee: UInt64, _ expected: UInt64
    ) {
      (self.fork, self.excess, self.blobs) = (fork, excess, blobs)
      (self.baseFee, self.expected) = (baseFee, expected)
    }
  }

  /// `calculate_excess_blob_gas` of ethereum-execution 2.20.0: the parent's excess, blobs and base
  /// fee, and the result. With a price of 1 wei, Osaka's reserve price holds from a base fee of 17
  /// on (131,072 against 8,192 x 16).
  private static let rows: [Row] = [
    .init(.cancun, 0, 0, 7, 0),
    .init(.cancun, 0, 3, 7, 0),
    .init(.cancun, 0, 4, 7, 131_072),
    .init(.cancun, 0, 6, 7, 393_216),
    .init(.cancun, 0, 7, 7, 524_288),
    .init(.cancun, 131_072, 6, 7, 524_288),
    .init(.cancun, 655_360, 2, 7, 524_288),
    .init(.cancun, 0, 6, 16, 393_216),
    .init(.cancun, 0, 6, 17, 393_216),
    .init(.cancun, 0, 9, 16, 786_432),
    .init(.cancun, 0, 9, 17, 786_432),
    .init(.cancun, 1_310_720, 5, 17, 1_572_864),
    .init(.cancun, 1_310_720, 0, 1_000_000_000, 917_504),
    .init(.cancun, 1_310_720, 6, 1_000_000_000, 1_703_936),
    .init(.cancun, 13_107_200, 9, 50, 13_893_632),
    .init(.cancun, 60_000_000, 3, 1_000_000, 60_000_000),
    .init(.prague, 0, 0, 7, 0),
    .init(.prague, 0, 3, 7, 0),
    .init(.prague, 0, 4, 7, 0),
    .init(.prague, 0, 6, 7, 0),
    .init(.prague, 0, 7, 7, 131_072),
    .init(.prague, 131_072, 6, 7, 131_072),
    .init(.prague, 655_360, 2, 7, 131_072),
    .init(.prague, 0, 6, 16, 0),
    .init(.prague, 0, 6, 17, 0),
    .init(.prague, 0, 9, 16, 393_216),
    .init(.prague, 0, 9, 17, 393_216),
    .init(.prague, 1_310_720, 5, 17, 1_179_648),
    .init(.prague, 1_310_720, 0, 1_000_000_000, 524_288),
    .init(.prague, 1_310_720, 6, 1_000_000_000, 1_310_720),
    .init(.prague, 13_107_200, 9, 50, 13_500_416),
    .init(.prague, 60_000_000, 3, 1_000_000, 59_606_784),
    .init(.osaka, 0, 0, 7, 0),
    .init(.osaka, 0, 3, 7, 0),
    .init(.osaka, 0, 4, 7, 0),
    .init(.osaka, 0, 6, 7, 0),
    .init(.osaka, 0, 7, 7, 131_072),
    .init(.osaka, 131_072, 6, 7, 131_072),
    .init(.osaka, 655_360, 2, 7, 131_072),
    .init(.osaka, 0, 6, 16, 0),
    .init(.osaka, 0, 6, 17, 262_144),
    .init(.osaka, 0, 9, 16, 393_216),
    .init(.osaka, 0, 9, 17, 393_216),
    .init(.osaka, 1_310_720, 5, 17, 1_529_173),
    .init(.osaka, 1_310_720, 0, 1_000_000_000, 1_310_720),
    .init(.osaka, 1_310_720, 6, 1_000_000_000, 1_572_864),
    .init(.osaka, 13_107_200, 9, 50, 13_500_416),
    .init(.osaka, 60_000_000, 3, 1_000_000, 59_606_784),
    .init(.bpo1, 0, 0, 7, 0),
    .init(.bpo1, 0, 3, 7, 0),
    .init(.bpo1, 0, 4, 7, 0),
    .init(.bpo1, 0, 6, 7, 0),
    .init(.bpo1, 0, 7, 7, 0),
    .init(.bpo1, 131_072, 6, 7, 0),
    .init(.bpo1, 655_360, 2, 7, 0),
    .init(.bpo1, 0, 6, 16, 0),
    .init(.bpo1, 0, 6, 17, 0),
    .init(.bpo1, 0, 9, 16, 0),
    .init(.bpo1, 0, 9, 17, 0),
    .init(.bpo1, 1_310_720, 5, 17, 1_529_173),
    .init(.bpo1, 1_310_720, 0, 1_000_000_000, 1_310_720),
    .init(.bpo1, 1_310_720, 6, 1_000_000_000, 1_572_864),
    .init(.bpo1, 13_107_200, 9, 50, 12_976_128),
    .init(.bpo1, 60_000_000, 3, 1_000_000, 60_131_072),
    .init(.bpo2, 0, 0, 7, 0),
    .init(.bpo2, 0, 3, 7, 0),
    .init(.bpo2, 0, 4, 7, 0),
    .init(.bpo2, 0, 6, 7, 0),
    .init(.bpo2, 0, 7, 7, 0),
    .init(.bpo2, 131_072, 6, 7, 0),
    .init(.bpo2, 655_360, 2, 7, 0),
    .init(.bpo2, 0, 6, 16, 0),
    .init(.bpo2, 0, 6, 17, 0),
    .init(.bpo2, 0, 9, 16, 0),
    .init(.bpo2, 0, 9, 17, 0),
    .init(.bpo2, 1_310_720, 5, 17, 1_529_173),
    .init(.bpo2, 1_310_720, 0, 1_000_000_000, 0),
    .init(.bpo2, 1_310_720, 6, 1_000_000_000, 1_572_864),
    .init(.bpo2, 13_107_200, 9, 50, 13_500_416),
    .init(.bpo2, 60_000_000, 3, 1_000_000, 60_131_072),
  ]

  @Test func excessBlobGasFollowsTheSpecification() {
    for row in Self.rows {
      var parent = BlockHeader()
      parent.excessBlobGas = row.excess
      parent.blobGasUsed = row.blobs << 17
      parent.baseFeePerGas = UInt256(row.baseFee)
      let rules = ChainRules(schedule: .always(row.fork), blobSchedule: .mainnet)
      #expect(rules.excessBlobGas(parent: parent, fork: row.fork) == row.expected, "\(row)")
    }
  }

  /// Limits that no network has: nothing traps, and where EIP-7918 has a result, it is that.
  @Test func strangeBlobLimitsAreTaken() {
    func excess(_ target: UInt64, _ max: UInt64, used: UInt64 = 9 << 17) -> UInt64 {
      BlobGas.excess(
        parentExcess: 1 << 17, parentUsed: used, parentBaseFee: 1_000_000_000,
        parameters: BlobParameters(target: target, max: max, baseFeeUpdateFraction: 5_007_716),
        fork: .osaka)
    }
    // The reserve price holds: the excess grows by max - target parts in max of what was used.
    #expect(excess(6, 9) == 4 << 17)
    #expect(excess(6, 6) == 1 << 17)
    #expect(excess(0, 9) == 10 << 17)
    #expect(excess(0, 0) == 10 << 17)
    #expect(excess(6, 5) == 4 << 17)
    // 2^47 blobs have a gas of 2^64.
    #expect(excess(1 << 47, 1 << 48) == 0)
    // A fee that follows at once is beyond all ether.
    let parameters = BlobParameters(target: 6, max: 9, baseFeeUpdateFraction: 0)
    #expect(BlobGas.baseFee(excess: 0, parameters: parameters) == .max)
  }

  @Test func excessBeginsAtZero() {
    let rules = ChainRules(schedule: .always(.cancun), blobSchedule: .mainnet)
    #expect(rules.excessBlobGas(parent: BlockHeader(), fork: .cancun) == 0)
    var parent = BlockHeader()
    parent.excessBlobGas = .max
    parent.blobGasUsed = 1 << 17
    #expect(rules.excessBlobGas(parent: parent, fork: .cancun) == .max)
  }

  /// EIP-4844, EIP-7691, and the blob-parameter-only forks (EIP-7892); BPO3, BPO4 and Amsterdam as
  /// in the testing framework of ethereum/execution-specs.
  @Test func blobLimitsOfEveryFork() {
    let limits: [(Fork, UInt64, UInt64, UInt64)] = [
      (.cancun, 3, 6, 3_338_477), (.prague, 6, 9, 5_007_716), (.osaka, 6, 9, 5_007_716),
      (.bpo1, 10, 15, 8_346_193), (.bpo2, 14, 21, 11_684_671), (.bpo3, 21, 32, 20_609_697),
      (.bpo4, 14, 21, 13_739_630), (.amsterdam, 14, 21, 11_684_671),
    ]
    for (fork, target, max, fraction) in limits {
      let expected = BlobParameters(target: target, max: max, baseFeeUpdateFraction: fraction)
      #expect(BlobSchedule.testNetworks[fork] == expected)
      if fork <= .bpo2 { #expect(BlobSchedule.mainnet[fork] == expected) }
    }
    // The main network has no limits of BPO3 yet.
    #expect(BlobSchedule.mainnet[.bpo3] == BlobSchedule.mainnet[.bpo2])
    #expect(BlobSchedule.mainnet[.shanghai] == nil)
  }
}
