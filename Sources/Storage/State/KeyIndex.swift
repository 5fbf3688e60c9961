import EVM

/// Finds the rows of a column by keys that are hashes, or begin with some.
///
/// Open-addressed; a position holds a row's number plus one, and above it bits of the key, so that
/// most keys that are not there are told without a look at the column. Whoever chooses keys can not
/// know which ones collide: a secret of the process goes in.
struct KeyIndex: Sendable {
  private var positions: [UInt32]
  private let mask: Int
  private static let secret = UInt64.random(in: .min ... .max) | 1

  /// An index with room for `capacity` rows.
  init(capacity: Int) {
    var size = 16
    while size < capacity * 2 { size *= 2 }
    mask = size - 1
    positions = [UInt32](repeating: 0, count: size)
  }

  /// An index of `count` rows, whose keys are told apart by `word`.
  init(_ count: Int, word: (Int) -> UInt64) {
    self.init(capacity: count)
    for row in 0..<count { insert(word(row), row) }
  }

  /// Adds a row; there is room, and so the row's number is below that of the positions.
  mutating func insert(_ word: UInt64, _ row: Int) {
    let mixed = Self.mixed(word)
    var position = Int(truncatingIfNeeded: mixed) & mask
    while positions[position] != 0 { position = (position &+ 1) & mask }
    positions[position] = tag(mixed) | UInt32(row + 1)
  }

  @inline(__always)
  private static func mixed(_ word: UInt64) -> UInt64 {
    let product = (word ^ secret).multipliedFullWidth(by: secret)
    return product.high ^ product.low
  }

  /// The upper half's bits, where no number of a row is.
  @inline(__always)
  private func tag(_ mixed: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: mixed >> 32) & ~UInt32(truncatingIfNeeded: mask)
  }

  /// The row of a key with this word that `matches`.
  @inline(__always)
  func find(_ word: UInt64, _ matches: (Int) -> Bool) -> Int? {
    let mixed = Self.mixed(word)
    let tag = tag(mixed)
    let rows = UInt32(truncatingIfNeeded: mask)
    var position = Int(truncatingIfNeeded: mixed) & mask
    return positions.withUnsafeBufferPointer { positions in
      while true {
        let entry = positions[position]
        if entry == 0 { return nil }
        if entry & ~rows == tag {
          let row = Int(entry & rows) - 1
          if matches(row) { return row }
        }
        position = (position &+ 1) & mask
      }
    }
  }
}
