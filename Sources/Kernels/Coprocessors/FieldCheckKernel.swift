import EVM

/// Compares the device's own arithmetic of secp256k1's field with its portable twin: a lane takes a
/// pair of numbers.
package enum FieldCheckKernel {
  /// What a launch works on.
  package struct Arguments: BitwiseCopyable {
    /// Two numbers a lane, four pairs of words, aligned to 16 bytes.
    package var numbers: UnsafePointer<SIMD2<UInt64>>
    package var count: Int
    /// Receives for each lane the operations that differ: bits 0 to 4 for sum, difference, half,
    /// product and square.
    package var differences: UnsafeMutablePointer<UInt8>

    /// Arguments from their parts.
    package init(
      numbers: UnsafePointer<SIMD2<UInt64>>, count: Int,
      differences: UnsafeMutablePointer<UInt8>
    ) {
      self.numbers = numbers
      self.count = count
      self.differences = differences
    }
  }

  /// Compares one pair.
  @inline(__always)
  package static func lane(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    if index >= arguments.count { return }
    let a = Secp256k1Field.load(arguments.numbers + index &* 4)
    let b = Secp256k1Field.load(arguments.numbers + index &* 4 + 2)
    var differences: UInt8 = 0
    if (a + b).canonical != a.addingPortably(b).canonical { differences |= 1 }
    if (a - b).canonical != a.subtractingPortably(b).canonical { differences |= 2 }
    if a.halved.canonical != a.halvedPortably.canonical { differences |= 4 }
    if (a * b).canonical != a.multipliedPortably(by: b).canonical { differences |= 8 }
    if a.squared.canonical != a.squaredPortably.canonical { differences |= 16 }
    arguments.differences[index] = differences
  }
}
