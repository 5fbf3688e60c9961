import EVM

/// The hashes of many messages: a lane hashes one.
///
/// A lane holds the state in some 60 registers and has no memory of its own. The lanes of a warp take
/// as long as the longest of their messages: the host gives an order in which messages of as many
/// blocks are neighbours.
package enum KeccakKernel {
  /// What a launch works on.
  package struct Arguments: BitwiseCopyable {
    /// All messages, one after the other, from an address that is a multiple of eight; 256 bytes more
    /// belong to it, as whole blocks are read.
    package var bytes: UnsafeRawPointer
    /// Where each message ends in `bytes`; it begins where the one before ends.
    package var ends: UnsafePointer<Int>
    /// The rows in the order in which lanes take them; `nil` for that in which they are.
    package var order: UnsafePointer<UInt32>?
    /// The rows to do.
    package var count: Int
    /// Receives 32 bytes a row.
    package var hashes: UnsafeMutablePointer<SIMD2<UInt64>>

    /// Arguments from their parts.
    package init(
      bytes: UnsafeRawPointer, ends: UnsafePointer<Int>, order: UnsafePointer<UInt32>?,
      count: Int, hashes: UnsafeMutablePointer<SIMD2<UInt64>>
    ) {
      self.bytes = bytes
      self.ends = ends
      self.order = order
      self.count = count
      self.hashes = hashes
    }
  }

  /// Hashes one message.
  @inline(__always)
  package static func lane(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    if index >= arguments.count { return }
    var row = index
    if let order = arguments.order { row = Int(order[index]) }
    let start = row == 0 ? 0 : arguments.ends[row &- 1]
    let length = arguments.ends[row] &- start
    let message = arguments.bytes + start
    let hash: Hash256
    if length == 64, start & 7 == 0 {
      let words = message.assumingMemoryBound(to: UInt64.self)
      hash = LaneKeccak.hash(
        words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7])
    } else {
      hash = LaneKeccak.hash(message, count: length)
    }
    store(hash.word, to: arguments.hashes + row &* 2)
  }

  /// Writes a word in big-endian bytes.
  @inline(__always)
  static func store(_ word: UInt256, to place: UnsafeMutablePointer<SIMD2<UInt64>>) {
    place[0] = SIMD2(word.limb3.bigEndian, word.limb2.bigEndian)
    place[1] = SIMD2(word.limb1.bigEndian, word.limb0.bigEndian)
  }
}
