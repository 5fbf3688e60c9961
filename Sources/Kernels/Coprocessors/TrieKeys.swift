import EVM

/// How long the keys of tries are. A kernel is compiled for each form, so that hashes cost no length.
protocol TrieKeys {
  /// Whether the arguments have a column of lengths.
  static var haveLengths: Bool { get }
}

/// Keys of 32 bytes, as those of accounts and slots: none begins with another one, and branches have
/// no values.
enum HashKeys: TrieKeys {
  @inline(__always)
  static var haveLengths: Bool { false }
}

/// Keys of at most 32 bytes, zeros behind them, sorted by their bytes and then by their lengths. One
/// with which others begin has its value in a branch.
enum AnyKeys: TrieKeys {
  @inline(__always)
  static var haveLengths: Bool { true }
}

extension TrieKeys {
  /// The nibbles of a leaf's key.
  @inline(__always)
  static func nibbles(_ leaf: Int, _ arguments: TrieKernel.Arguments) -> Int {
    guard haveLengths, let lengths = arguments.lengths else { return 64 }
    return Int(lengths[leaf]) &* 2
  }

  /// The nibbles that two leaves of a trie share.
  @inline(__always)
  static func shared(_ a: Int, _ b: Int, _ arguments: TrieKernel.Arguments) -> Int {
    let nibbles = (arguments.key(a) ^ arguments.key(b)).leadingZeroBitCount >> 2
    if !haveLengths { return nibbles }
    return min(nibbles, min(self.nibbles(a, arguments), self.nibbles(b, arguments)))
  }
}
