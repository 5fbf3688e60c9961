import EVM
import Testing

@testable import Execution

/// Difficulties and rewards under proof of work.
@Suite struct DifficultyTests {
  struct Row: CustomStringConvertible, Sendable {
    var fork: Fork
    var number: UInt64
    var elapsed: UInt64
    var parent: UInt64
    var hasOmmers: Bool
    var expected: UInt64

    init(
      _ fork: Fork, _ number: UInt64, _ elapsed: UInt64, _ parent: UInt64, _ hasOmmers: Bool,
      _ expected: UInt64
    ) {
      (self.fork, self.number, self.elapsed) = (fork, number, elapsed)
      (self.parent, self.hasOmmers, self.expected) = (parent, hasOmmers, expected)
    }

    var description: String { "\(fork) block \(number) after \(elapsed) s" }

    func difficulty(_ fork: Fork) -> UInt256 {
      Difficulty.next(
        fork: fork, number: number, timestamp: 1000 + elapsed, parentTimestamp: 1000,
        parentDifficulty: UInt256(parent), parentHasOmmers: hasOmmers)
    }
  }

  /// Computed with `calculate_block_difficulty` of each fork in ethereum-execution 2.20.0: block,
  /// seconds since the parent, the parent's difficulty, whether it has ommers, and the result.
  private static let rows: [Row] = [
    .init(.frontier, 100, 1, 3_456_789_012, false, 3_458_476_897),
    .init(.frontier, 100, 10, 3_456_789_012, false, 3_458_476_897),
    .init(.frontier, 100, 12, 3_456_789_012, false, 3_458_476_897),
    .init(.frontier, 100, 13, 3_456_789_012, false, 3_455_101_127),
    .init(.frontier, 100, 20, 3_456_789_012, false, 3_455_101_127),
    .init(.frontier, 100, 5_000, 3_456_789_012, false, 3_455_101_127),
    .init(.frontier, 199_999, 10, 3_456_789_012, false, 3_458_476_897),
    .init(.frontier, 200_000, 10, 3_456_789_012, false, 3_458_476_898),
    .init(.frontier, 299_999, 10, 3_456_789_012, false, 3_458_476_898),
    .init(.frontier, 300_000, 10, 3_456_789_012, false, 3_458_476_899),
    .init(.frontier, 1_000_000, 10, 3_456_789_012, false, 3_458_477_153),
    .init(.frontier, 1, 13, 131_072, false, 131_072),
    .init(.frontier, 5, 3_000, 200_000, false, 199_903),
    .init(.homestead, 100, 1, 3_456_789_012, false, 3_458_476_897),
    .init(.homestead, 100, 8, 3_456_789_012, false, 3_458_476_897),
    .init(.homestead, 100, 9, 3_456_789_012, false, 3_458_476_897),
    .init(.homestead, 100, 10, 3_456_789_012, false, 3_456_789_012),
    .init(.homestead, 100, 12, 3_456_789_012, false, 3_456_789_012),
    .init(.homestead, 100, 13, 3_456_789_012, false, 3_456_789_012),
    .init(.homestead, 100, 20, 3_456_789_012, false, 3_455_101_127),
    .init(.homestead, 100, 899, 3_456_789_012, false, 3_308_255_132),
    .init(.homestead, 100, 900, 3_456_789_012, false, 3_306_567_247),
    .init(.homestead, 100, 990, 3_456_789_012, false, 3_291_376_282),
    .init(.homestead, 100, 1_000, 3_456_789_012, false, 3_289_688_397),
    .init(.homestead, 100, 5_000, 3_456_789_012, false, 3_289_688_397),
    .init(.homestead, 199_999, 10, 3_456_789_012, false, 3_456_789_012),
    .init(.homestead, 200_000, 10, 3_456_789_012, false, 3_456_789_013),
    .init(.homestead, 299_999, 10, 3_456_789_012, false, 3_456_789_013),
    .init(.homestead, 300_000, 10, 3_456_789_012, false, 3_456_789_014),
    .init(.homestead, 1_000_000, 10, 3_456_789_012, false, 3_456_789_268),
    .init(.homestead, 1, 13, 131_072, false, 131_072),
    .init(.homestead, 5, 3_000, 200_000, false, 190_397),
    .init(.byzantium, 100, 1, 3_456_789_012, false, 3_458_476_897),
    .init(.byzantium, 100, 8, 3_456_789_012, false, 3_458_476_897),
    .init(.byzantium, 100, 9, 3_456_789_012, false, 3_456_789_012),
    .init(.byzantium, 100, 10, 3_456_789_012, false, 3_456_789_012),
    .init(.byzantium, 100, 12, 3_456_789_012, false, 3_456_789_012),
    .init(.byzantium, 100, 13, 3_456_789_012, false, 3_456_789_012),
    .init(.byzantium, 100, 20, 3_456_789_012, false, 3_455_101_127),
    .init(.byzantium, 100, 899, 3_456_789_012, false, 3_291_376_282),
    .init(.byzantium, 100, 900, 3_456_789_012, false, 3_289_688_397),
    .init(.byzantium, 100, 990, 3_456_789_012, false, 3_289_688_397),
    .init(.byzantium, 100, 1_000, 3_456_789_012, false, 3_289_688_397),
    .init(.byzantium, 100, 5_000, 3_456_789_012, false, 3_289_688_397),
    .init(.byzantium, 100, 1, 3_456_789_012, true, 3_460_164_782),
    .init(.byzantium, 100, 9, 3_456_789_012, true, 3_458_476_897),
    .init(.byzantium, 100, 18, 3_456_789_012, true, 3_456_789_012),
    .init(.byzantium, 3_199_999, 10, 3_456_789_012, false, 3_456_789_012),
    .init(.byzantium, 3_200_000, 10, 3_456_789_012, false, 3_456_789_013),
    .init(.byzantium, 3_299_999, 10, 3_456_789_012, false, 3_456_789_013),
    .init(.byzantium, 3_300_000, 10, 3_456_789_012, false, 3_456_789_014),
    .init(.byzantium, 4_000_000, 10, 3_456_789_012, false, 3_456_789_268),
    .init(.byzantium, 2_999_999, 13, 131_072, false, 131_072),
    .init(.byzantium, 5, 3_000, 200_000, false, 190_397),
    .init(.constantinople, 5_199_999, 10, 3_456_789_012, false, 3_456_789_012),
    .init(.constantinople, 5_200_000, 10, 3_456_789_012, false, 3_456_789_013),
    .init(.constantinople, 5_299_999, 10, 3_456_789_012, false, 3_456_789_013),
    .init(.constantinople, 5_300_000, 10, 3_456_789_012, false, 3_456_789_014),
    .init(.constantinople, 6_000_000, 10, 3_456_789_012, false, 3_456_789_268),
    .init(.constantinople, 4_999_999, 13, 131_072, false, 131_072),
    .init(.muirGlacier, 9_199_999, 10, 3_456_789_012, false, 3_456_789_012),
    .init(.muirGlacier, 9_200_000, 10, 3_456_789_012, false, 3_456_789_013),
    .init(.muirGlacier, 9_299_999, 10, 3_456_789_012, false, 3_456_789_013),
    .init(.muirGlacier, 9_300_000, 10, 3_456_789_012, false, 3_456_789_014),
    .init(.muirGlacier, 10_000_000, 10, 3_456_789_012, false, 3_456_789_268),
    .init(.muirGlacier, 8_999_999, 13, 131_072, false, 131_072),
    .init(.london, 9_899_999, 10, 3_456_789_012, false, 3_456_789_012),
    .init(.london, 9_900_000, 10, 3_456_789_012, false, 3_456_789_013),
    .init(.london, 9_999_999, 10, 3_456_789_012, false, 3_456_789_013),
    .init(.london, 10_000_000, 10, 3_456_789_012, false, 3_456_789_014),
    .init(.london, 10_700_000, 10, 3_456_789_012, false, 3_456_789_268),
    .init(.london, 9_699_999, 13, 131_072, false, 131_072),
    .init(.arrowGlacier, 10_899_999, 10, 3_456_789_012, false, 3_456_789_012),
    .init(.arrowGlacier, 10_900_000, 10, 3_456_789_012, false, 3_456_789_013),
    .init(.arrowGlacier, 10_999_999, 10, 3_456_789_012, false, 3_456_789_013),
    .init(.arrowGlacier, 11_000_000, 10, 3_456_789_012, false, 3_456_789_014),
    .init(.arrowGlacier, 11_700_000, 10, 3_456_789_012, false, 3_456_789_268),
    .init(.arrowGlacier, 10_699_999, 13, 131_072, false, 131_072),
    .init(.grayGlacier, 11_599_999, 10, 3_456_789_012, false, 3_456_789_012),
    .init(.grayGlacier, 11_600_000, 10, 3_456_789_012, false, 3_456_789_013),
    .init(.grayGlacier, 11_699_999, 10, 3_456_789_012, false, 3_456_789_013),
    .init(.grayGlacier, 11_700_000, 10, 3_456_789_012, false, 3_456_789_014),
    .init(.grayGlacier, 12_400_000, 10, 3_456_789_012, false, 3_456_789_268),
    .init(.grayGlacier, 11_399_999, 13, 131_072, false, 131_072),
  ]

  @Test(arguments: rows) func followsTheSpecification(_ row: Row) {
    #expect(row.difficulty(row.fork) == UInt256(row.expected))
  }

  /// Forks that leave the rule alone, each with the one whose rule it has.
  @Test func otherForksKeepTheRule() {
    let same: [(Fork, Fork)] = [
      (.daoFork, .homestead), (.tangerineWhistle, .homestead), (.spuriousDragon, .homestead),
      (.petersburg, .constantinople), (.istanbul, .constantinople), (.berlin, .muirGlacier),
    ]
    for (fork, model) in same {
      for row in Self.rows where row.fork == model {
        #expect(row.difficulty(fork) == UInt256(row.expected), "\(fork): \(row)")
      }
    }
  }

  @Test func rewardsShrink() {
    let ether: UInt64 = 1_000_000_000_000_000_000
    let rewards: [(Fork, UInt64?)] = [
      (.frontier, 5), (.spuriousDragon, 5), (.byzantium, 3), (.constantinople, 2),
      (.grayGlacier, 2), (.paris, nil), (.osaka, nil),
    ]
    for (fork, amount) in rewards {
      #expect(Difficulty.reward(fork) == amount.map { UInt256($0 * ether) })
    }
  }
}
