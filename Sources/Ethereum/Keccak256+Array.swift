public import EVM

extension Keccak256 {
  /// The hash of the bytes of an array.
  public static func hash(_ bytes: [UInt8]) -> Hash256 {
    bytes.withUnsafeBufferPointer { hash($0) }
  }

  /// The hashes of `range.count` messages, several side by side. `write` writes the one with a number
  /// and gives its bytes, `size` at most; the hash of the first in the range comes first.
  package static func hash(
    _ range: Range<Int>, size: Int, into hashes: UnsafeMutablePointer<Hash256>,
    _ write: (Int, UnsafeMutablePointer<UInt8>) -> Int
  ) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: size * batchSize) { bytes in
      withUnsafeTemporaryAllocation(of: UnsafeRawBufferPointer.self, capacity: batchSize) {
        messages in
        for first in stride(from: range.lowerBound, to: range.upperBound, by: batchSize) {
          let count = min(batchSize, range.upperBound - first)
          for index in 0..<count {
            let place = bytes.baseAddress! + index * size
            let message = UnsafeRawBufferPointer(start: place, count: write(first + index, place))
            (messages.baseAddress! + index).initialize(to: message)
          }
          hash(
            UnsafeBufferPointer(rebasing: messages[..<count]),
            into: hashes + (first - range.lowerBound))
        }
      }
    }
  }

  /// The hashes of messages, several side by side.
  package static func hashes(of messages: [[UInt8]]) -> [Hash256] {
    if messages.isEmpty { return [] }
    let size = min(1024, messages.reduce(1) { max($0, $1.count) })
    return [Hash256](unsafeUninitializedCapacity: messages.count) { hashes, count in
      hash(messages.indices, size: size, into: hashes.baseAddress!) { index, place in
        let message = messages[index]
        if message.count > size { return 0 }
        message.withUnsafeBufferPointer { bytes in
          if let base = bytes.baseAddress { place.update(from: base, count: bytes.count) }
        }
        return message.count
      }
      // Long ones gain nothing.
      for (index, message) in messages.enumerated() where message.count > size {
        hashes[index] = hash(message)
      }
      count = messages.count
    }
  }
}
