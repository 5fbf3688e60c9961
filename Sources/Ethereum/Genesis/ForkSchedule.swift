public import EVM

/// When each fork of a chain begins.
public struct ForkSchedule: Hashable, Sendable {
  /// What makes a fork begin.
  public enum Activation: Hashable, Sendable {
    /// From a block number on.
    case block(UInt64)
    /// From a timestamp on, in seconds.
    case timestamp(UInt64)
    /// For the children of blocks whose total difficulty has reached this (EIP-3675).
    case totalDifficulty(UInt256)
  }

  /// The chain's number (EIP-155).
  public var chainID: UInt64
  /// The forks in their order, each with its beginning. Later ones win.
  public private(set) var activations: [(fork: Fork, activation: Activation)]

  /// A schedule of some forks; they are put in the order of `Fork`.
  public init(chainID: UInt64 = 1, _ activations: [(fork: Fork, activation: Activation)]) {
    self.chainID = chainID
    self.activations = activations.sorted { $0.fork < $1.fork }
  }

  /// The fork of a block. `totalDifficulty` is that of its parent; without it, a fork that begins
  /// by total difficulty has not begun.
  public func fork(number: UInt64, timestamp: UInt64, totalDifficulty: UInt256? = nil) -> Fork {
    var found = Fork.frontier
    for (fork, activation) in activations {
      switch activation {
      case .block(let first): if number >= first { found = fork }
      case .timestamp(let first): if timestamp >= first { found = fork }
      case .totalDifficulty(let terminal):
        if let totalDifficulty, totalDifficulty >= terminal { found = fork }
      }
    }
    return found
  }

  /// The beginning of a fork; `nil` when it never begins.
  public subscript(fork: Fork) -> Activation? {
    activations.last { $0.fork == fork }?.activation
  }

  /// One fork from the first block on.
  public static func always(_ fork: Fork, chainID: UInt64 = 1) -> ForkSchedule {
    ForkSchedule(chainID: chainID, [(fork, .block(0))])
  }

  /// Ethereum's main network. Paris begins with block 15,537,394, the first without proof of work.
  public static let mainnet = ForkSchedule([
    (.frontier, .block(0)),
    (.homestead, .block(1_150_000)),
    (.daoFork, .block(1_920_000)),
    (.tangerineWhistle, .block(2_463_000)),
    (.spuriousDragon, .block(2_675_000)),
    (.byzantium, .block(4_370_000)),
    (.constantinople, .block(7_280_000)),
    (.petersburg, .block(7_280_000)),
    (.istanbul, .block(9_069_000)),
    (.muirGlacier, .block(9_200_000)),
    (.berlin, .block(12_244_000)),
    (.london, .block(12_965_000)),
    (.arrowGlacier, .block(13_773_000)),
    (.grayGlacier, .block(15_050_000)),
    (.paris, .block(15_537_394)),
    (.shanghai, .timestamp(1_681_338_455)),
    (.cancun, .timestamp(1_710_338_135)),
    (.prague, .timestamp(1_746_612_311)),
    (.osaka, .timestamp(1_764_798_551)),
    (.bpo1, .timestamp(1_765_290_071)),
    (.bpo2, .timestamp(1_767_747_671)),
  ])

  /// The schedule that a test's network name means: one fork, or `XToYAt5` (a block),
  /// `XToYAtTime15k` (a timestamp, `k` is a thousand) or `XToYAtDiffC0000` (a total difficulty in
  /// hexadecimal). `nil` for a name that is not known.
  public init?(network: String, chainID: UInt64 = 1) {
    if let fork = Fork(name: network) {
      self = .always(fork, chainID: chainID)
      return
    }
    guard let to = Self.range(of: "To", in: network) else { return nil }
    let rest = network[to.upperBound...]
    guard let at = Self.range(of: "At", in: rest),
      let before = Fork(name: String(network[..<to.lowerBound])),
      let after = Fork(name: String(rest[..<at.lowerBound])),
      let activation = Self.activation(rest[at.upperBound...])
    else { return nil }
    self.init(chainID: chainID, [(before, .block(0)), (after, activation)])
  }

  private static func activation(_ text: Substring) -> Activation? {
    if text.hasPrefix("Time") {
      var digits = text.dropFirst(4)
      let isThousands = digits.hasSuffix("k")
      if isThousands { digits.removeLast() }
      guard let number = UInt64(digits) else { return nil }
      let (time, overflow) = number.multipliedReportingOverflow(by: isThousands ? 1000 : 1)
      return overflow ? nil : .timestamp(time)
    }
    if text.hasPrefix("Diff") {
      return UInt256(hexadecimal: "0x" + text.dropFirst(4)).map { .totalDifficulty($0) }
    }
    return UInt64(text).map { .block($0) }
  }

  private static func range(of word: String, in text: some StringProtocol)
    -> Range<String.Index>?
  {
    var start = text.startIndex
    while start < text.endIndex {
      if text[start...].hasPrefix(word), start > text.startIndex {
        return start..<text.index(start, offsetBy: word.count)
      }
      start = text.index(after: start)
    }
    return nil
  }

  /// Whether chain, forks and beginnings are the same.
  public static func == (a: ForkSchedule, b: ForkSchedule) -> Bool {
    a.chainID == b.chainID && a.activations.elementsEqual(b.activations, by: ==)
  }

  /// Feeds chain, forks and beginnings.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(chainID)
    for (fork, activation) in activations {
      hasher.combine(fork)
      hasher.combine(activation)
    }
  }
}
