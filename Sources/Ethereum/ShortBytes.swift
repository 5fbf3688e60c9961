import EVM

/// Bytes that lie in place while they are a word at most, as what most calls return and most logs
/// hold is: such bytes take no memory of their own.
package struct ShortBytes: Hashable, Sendable {
  // The bytes in place, and zeros behind them; all zero when there are more than 32.
  private var word = UInt256.zero
  private var wordCount: UInt8 = 0
  private var rest: [UInt8] = []

  /// A copy of some bytes.
  @inline(__always)
  package init(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
    if bytes.count > 32 {
      rest = [UInt8](bytes)
      return
    }
    wordCount = UInt8(bytes.count)
    withUnsafeMutableBytes(of: &word) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: base, count: bytes.count))
    }
  }

  /// The bytes.
  package var array: [UInt8] {
    if wordCount == 0 { return rest }
    return withUnsafeBytes(of: word) { [UInt8]($0[..<Int(wordCount)]) }
  }

  /// The bytes of an array.
  package init(_ array: [UInt8]) {
    self = array.withUnsafeBufferPointer { ShortBytes($0) }
  }
}
