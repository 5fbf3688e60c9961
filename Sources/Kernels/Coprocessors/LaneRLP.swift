import EVM

/// Reads RLP (yellow paper, appendix B) strictly, item by item, in a lane.
///
/// What it takes is what `RLPReader` of the module Ethereum takes, but for items of 16 MiB and more:
/// the kernel leaves to the host what this reader refuses.
struct LaneRLP {
  private let bytes: UnsafePointer<UInt8>
  /// Where the next item begins.
  private(set) var position: Int
  /// Where the last one ends.
  let end: Int
  /// The payload of the item that was read last.
  private(set) var payload = 0
  private(set) var length = 0

  @inline(__always)
  init(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int) {
    self.bytes = bytes
    position = start
    self.end = end
  }

  /// Whether every item has been read.
  @inline(__always)
  var isAtEnd: Bool { position == end }

  /// Reads an item: a list or a string. False when there is none, or one of the other kind.
  mutating func next(isList: Bool) -> Bool {
    let left = end &- position
    if left <= 0 { return false }
    let first = Int(bytes[position])
    if (first >= 0xC0) != isList { return false }
    if first < 0x80 {
      payload = position
      length = 1
      position &+= 1
      return true
    }
    let short = first &- (isList ? 0xC0 : 0x80)
    if short < 56 {
      payload = position &+ 1
      length = short
      if short > left &- 1 { return false }
      // A byte below 0x80 stands for itself.
      if short == 1, !isList, bytes[payload] < 0x80 { return false }
    } else {
      let size = short &- 55
      if size > 3 || size > left &- 1 || bytes[position &+ 1] == 0 { return false }
      var long = 0
      var index = 1
      while index <= size {
        long = long << 8 | Int(bytes[position &+ index])
        index &+= 1
      }
      if long < 56 || long > left &- 1 &- size { return false }
      payload = position &+ 1 &+ size
      length = long
    }
    position = payload &+ length
    return true
  }

  /// Reads a number of at most `limit` bytes, without zeros in front.
  @inline(__always)
  mutating func number(_ limit: Int) -> Bool {
    next(isList: false) && length <= limit && (length == 0 || bytes[payload] != 0)
  }

  /// Reads a string of just so many bytes.
  @inline(__always)
  mutating func fixed(_ count: Int) -> Bool { next(isList: false) && length == count }

  /// A reader of the items of the list that was read last.
  @inline(__always)
  var items: LaneRLP { LaneRLP(bytes, payload, payload &+ length) }

  /// The number that was read last.
  @inline(__always)
  var value: UInt256 { UInt256(bigEndian: bytes + payload, count: length) }
}
