import Testing

@testable import EVM

@Suite struct HashMemoTests {
  /// A memo of four places, so that inputs drive each other out; every answer is the hash itself.
  @Test func givesTheHashAlways() {
    let entries = UnsafeMutablePointer<HashMemo.Entry>.allocate(capacity: 4)
    defer { entries.deallocate() }
    let memo = HashMemo(entries, count: 4)
    memo.clear()
    var generator = SplitMixGenerator(seed: 64)
    var inputs = [[UInt8](repeating: 0, count: 64)]
    for _ in 0..<40 {
      inputs.append((0..<64).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }
    // One bit apart from each other, in each byte.
    for index in 0..<64 {
      var input = inputs[1]
      input[index] ^= UInt8(1 << (index & 7))
      inputs.append(input)
    }
    for _ in 0..<2000 {
      let input = inputs[Int.random(in: 0..<inputs.count, using: &generator)]
      var word = UInt256.zero
      input.withUnsafeBufferPointer { memo.hash($0.baseAddress!, into: &word) }
      #expect(word == input.withUnsafeBufferPointer { Keccak256.hash($0).word })
    }
  }
}
