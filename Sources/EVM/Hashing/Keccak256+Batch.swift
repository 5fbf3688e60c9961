extension Keccak256 {
  /// Messages that are hashed side by side at most.
  public static var batchSize: Int { 8 }
  /// From so many on that takes less time than one after the other.
  private static var leastOfBatch: Int { 3 }

  /// The hashes of messages, side by side where the processor can: best where those that follow each
  /// other are about as long.
  public static func hash(
    _ messages: UnsafeBufferPointer<UnsafeRawBufferPointer>,
    into hashes: UnsafeMutablePointer<Hash256>
  ) {
    var first = 0
    while first < messages.count {
      let left = messages.count &- first
      let count = left < batchSize ? left : batchSize
      let part = UnsafeBufferPointer(rebasing: messages[first..<first &+ count])
      if count < leastOfBatch || !MachineForms.hash(part, into: hashes + first) {
        for index in 0..<count {
          hashes[first &+ index] = hash(part[index].bindMemory(to: UInt8.self))
        }
      }
      first &+= count
    }
  }
}
