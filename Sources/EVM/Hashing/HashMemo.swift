/// Keccak-256 of inputs of 64 bytes, remembered: Solidity finds an entry of a mapping by such a hash
/// (key, then slot), and reads and writes the same entries again and again.
///
/// A table of one answer a place; another input with the same place takes it over. What it holds are
/// true hashes whatever the state is, so nothing is forgotten between transactions.
struct HashMemo: BitwiseCopyable {
  /// An input, as eight words in memory order, and its hash. Without `isFilled` nothing else was written.
  struct Entry: BitwiseCopyable {
    var isFilled: UInt64
    var i0, i1, i2, i3, i4, i5, i6, i7: UInt64
    var hash: UInt256
  }

  private let entries: UnsafeMutablePointer<Entry>
  private let mask: Int

  /// A memo over `count` entries, a power of two, to be cleared first.
  @inline(__always)
  init(_ entries: UnsafeMutablePointer<Entry>, count: Int) {
    self.entries = entries
    mask = count &- 1
  }

  /// Forgets all entries, by one word of each.
  func clear() {
    var index = 0
    while index <= mask {
      entries[index].isFilled = 0
      index &+= 1
    }
  }

  /// Writes the hash of 64 bytes, at any alignment.
  @inline(__always)
  func hash(_ input: UnsafePointer<UInt8>, into result: UnsafeMutablePointer<UInt256>) {
    let raw = UnsafeRawPointer(input)
    if !ByteWords.canReach(raw) {
      result.pointee = Keccak256.hash(UnsafeBufferPointer(start: input, count: 64)).word
      return
    }
    let i0 = ByteWords.load(raw, 0)
    let i1 = ByteWords.load(raw, 8)
    let i2 = ByteWords.load(raw, 16)
    let i3 = ByteWords.load(raw, 24)
    let i4 = ByteWords.load(raw, 32)
    let i5 = ByteWords.load(raw, 40)
    let i6 = ByteWords.load(raw, 48)
    let i7 = ByteWords.load(raw, 56)
    // Bad luck in the choice of a place costs time only. A small memo goes by the second word, the
    // mapping's slot: the uses of one key follow each other, and lanes of a GPU that run the same
    // code find the same place.
    let low = mask < 16 ? i5 : (i0 ^ i2 &* 3 ^ i5) &* 0x9e37_79b9_7f4a_7c15
    let high = ((mask < 16 ? 0 : i1 ^ i3) ^ i4 &* 5 ^ i6 ^ i7) &* 0xc2b2_ae3d_27d4_eb4f
    let entry = entries + (Int(truncatingIfNeeded: (low ^ high) >> 40) & mask)
    let difference =
      (entry.pointee.i0 ^ i0) | (entry.pointee.i1 ^ i1) &* 3 | (entry.pointee.i2 ^ i2)
      | (entry.pointee.i3 ^ i3) &* 5 | (entry.pointee.i4 ^ i4) | (entry.pointee.i5 ^ i5) &* 3
      | (entry.pointee.i6 ^ i6) | (entry.pointee.i7 ^ i7) &* 5 | (entry.pointee.isFilled ^ 1)
    if difference != 0 {
      let hash = Keccak256.hash(UnsafeBufferPointer(start: input, count: 64)).word
      entry.pointee = Entry(
        isFilled: 1, i0: i0, i1: i1, i2: i2, i3: i3, i4: i4, i5: i5, i6: i6, i7: i7, hash: hash)
      result.pointee = hash
      return
    }
    result.pointee = entry.pointee.hash
  }
}
