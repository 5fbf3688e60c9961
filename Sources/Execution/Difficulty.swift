public import EVM

/// The difficulty of a block under proof of work, from its parent (yellow paper, section 4.4.4;
/// EIP-2, EIP-100, and EIP-649, EIP-1234, EIP-2384, EIP-3554, EIP-4345, EIP-5133 for the bomb).
public enum Difficulty {
  /// The least difficulty.
  public static let minimum = UInt256(131_072)

  /// The difficulty of block `number`. Times are seconds since 1970; a parent that is not older
  /// counts as of the same second.
  public static func next(
    fork: Fork, number: UInt64, timestamp: UInt64, parentTimestamp: UInt64,
    parentDifficulty: UInt256, parentHasOmmers: Bool
  ) -> UInt256 {
    let age = timestamp > parentTimestamp ? timestamp - parentTimestamp : 0
    let unit = parentDifficulty >> 11
    // How many units to add.
    let steps: Int64 =
      if fork < .homestead {
        age < 13 ? 1 : -1
      } else if fork < .byzantium {
        max(1 - Int64(min(age / 10, 1000)), -99)
      } else {
        max((parentHasOmmers ? 2 : 1) - Int64(min(age / 9, 1000)), -99)
      }
    let change = unit &* UInt256(steps.magnitude)
    // 99 units are less than the whole, so that the difference is not negative.
    var difficulty = steps < 0 ? parentDifficulty &- change : parentDifficulty &+ change
    let delay = bombDelay(fork)
    let period = (number > delay ? number - delay : 0) / 100_000
    // 2^(period - 2): without end, and so without a block long before it overflows.
    if period >= 2 {
      difficulty = difficulty &+ (UInt256.one << min(period - 2, 255))
    }
    return max(difficulty, minimum)
  }

  /// Blocks by which the bomb is late.
  static func bombDelay(_ fork: Fork) -> UInt64 {
    if fork >= .grayGlacier { return 11_400_000 }
    if fork >= .arrowGlacier { return 10_700_000 }
    if fork >= .london { return 9_700_000 }
    if fork >= .muirGlacier { return 9_000_000 }
    if fork >= .constantinople { return 5_000_000 }
    if fork >= .byzantium { return 3_000_000 }
    return 0
  }

  /// Wei for the coinbase of a block: 5 ether, 3 from Byzantium on (EIP-649), 2 from Constantinople
  /// on (EIP-1234), none from Paris on.
  public static func reward(_ fork: Fork) -> UInt256? {
    if fork >= .paris { return nil }
    let ether: UInt64 = fork >= .constantinople ? 2 : fork >= .byzantium ? 3 : 5
    return UInt256(ether) &* UInt256(1_000_000_000_000_000_000)
  }
}
