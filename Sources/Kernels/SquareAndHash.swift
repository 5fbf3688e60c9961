package import EVM

/// Squares words, divides each by its neighbour and hashes both: a kernel that touches wide
/// arithmetic and hashing, until the machine itself runs on a lane.
///
/// A lane owns one word of the input and one of the output. No local, no shared memory.
package enum SquareAndHashKernel {
  /// What the host gives: two columns of `count` words.
  package struct Arguments: BitwiseCopyable {
    var input: UnsafePointer<UInt256>
    var output: UnsafeMutablePointer<UInt256>
    var count: Int

    /// Columns of `count` words each.
    package init(
      input: UnsafePointer<UInt256>, output: UnsafeMutablePointer<UInt256>, count: Int
    ) {
      self.input = input
      self.output = output
      self.count = count
    }
  }

  /// The work of one lane.
  package static func lane(_ index: Int, _ arguments: Arguments) {
    if index >= arguments.count { return }
    let word = arguments.input[index]
    let next = arguments.input[index &+ 1 == arguments.count ? 0 : index &+ 1]
    arguments.output[index] = Keccak256.hash(word &* word, UInt256.divide(word, next)).word
  }
}
