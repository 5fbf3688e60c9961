import EVM

/// SHA-256 of many messages: a lane hashes one, as `KeccakKernel` does, whose arguments it takes.
package enum SHA256Kernel {
  /// Hashes one message.
  @inline(__always)
  package static func lane(_ index: Int, _ arguments: UnsafePointer<KeccakKernel.Arguments>) {
    let arguments = arguments.pointee
    if index >= arguments.count { return }
    var row = index
    if let order = arguments.order { row = Int(order[index]) }
    let start = row == 0 ? 0 : arguments.ends[row &- 1]
    let length = arguments.ends[row] &- start
    var words = MessageWords(arguments.bytes + start)
    var state = SHA256.State()
    // The message, a one bit, zeros, and the length in bits, in blocks of 64 bytes.
    var left = length
    var blocks = (length &+ 72) >> 6
    while blocks > 0 {
      blocks &-= 1
      let last = UInt64(length) &<< 3
      let w0 = padded(words.word(), left)
      let w1 = padded(words.word(), left &- 8)
      let w2 = padded(words.word(), left &- 16)
      let w3 = padded(words.word(), left &- 24)
      let w4 = padded(words.word(), left &- 32)
      let w5 = padded(words.word(), left &- 40)
      let w6 = padded(words.word(), left &- 48)
      let w7 = blocks == 0 ? last : padded(words.word(), left &- 56)
      // Of a named type: where core and kernels are one module, a literal would become the memory of
      // the initialiser that reads bytes.
      let block: InlineArray<16, UInt32> = [
        high(w0), low(w0), high(w1), low(w1), high(w2), low(w2), high(w3), low(w3),
        high(w4), low(w4), high(w5), low(w5), high(w6), low(w6), high(w7), low(w7),
      ]
      state.compress(SHA256.Block(block))
      left &-= 64
    }
    KeccakKernel.store(state.digest.word, to: arguments.hashes + row &* 2)
  }

  /// A big-endian word of which the message has `left` bytes: what is behind the end is the padding.
  @inline(__always)
  private static func padded(_ word: UInt64, _ left: Int) -> UInt64 {
    if left >= 8 { return word.byteSwapped }
    if left < 0 { return 0 }
    let bits = UInt64(left) &* 8
    return ((word & ((1 &<< bits) &- 1)) | (0x80 &<< bits)).byteSwapped
  }

  @inline(__always)
  private static func high(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word >> 32) }

  @inline(__always)
  private static func low(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word) }
}
