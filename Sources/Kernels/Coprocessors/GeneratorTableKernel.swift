import EVM

/// Odd multiples of secp256k1's base point for every place of a scalar: what `RecoverKernel` adds.
///
/// For digits of `width` bits (4, 8 or 16) entry `place * 2^(width - 1) + i` is (2i + 1) 2^(width
/// place) times the base point, x and y. 16 bits make 32 MiB. A lane makes one entry from nothing.
package enum GeneratorTableKernel {
  /// What a launch works on.
  package struct Arguments: BitwiseCopyable {
    /// Bits of a digit.
    package var width: Int
    /// Receives four pairs of words an entry.
    package var table: UnsafeMutablePointer<SIMD2<UInt64>>

    /// Arguments from their parts.
    package init(width: Int, table: UnsafeMutablePointer<SIMD2<UInt64>>) {
      self.width = width
      self.table = table
    }
  }

  /// Pairs of words in an entry.
  package static var pairsPerEntry: Int { 4 }

  /// Entries of a table.
  package static func count(width: Int) -> Int { (256 / width) &<< (width &- 1) }

  /// Makes an entry.
  @inline(__always)
  package static func lane(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    let width = arguments.width
    if index >= count(width: width) { return }
    let place = index &>> (width &- 1)
    let digit = (index & ((1 &<< (width &- 1)) &- 1)) &* 2 &+ 1
    let base = LaneAffinePoint(
      x: Secp256k1Field(
        UInt256(
          0x59F2_815B_16F8_1798, 0x029B_FCDB_2DCE_28D9, 0x55A0_6295_CE87_0B07,
          0x79BE_667E_F9DC_BBAC)),
      y: Secp256k1Field(
        UInt256(
          0x9C47_D08F_FB10_D4B8, 0xFD17_B448_A685_5419, 0x5DA4_FBFC_0E11_08A8,
          0x483A_DA77_26A3_C465)))
    var sum = LanePoint(x: base.x, y: base.y, z: .one)
    // Below the highest bit of the digit, then zeros to its place. No sum meets the base point
    // itself, as all partial sums are between 2 and 2^16 times it.
    var bit = Int.bitWidth &- 1 &- digit.leadingZeroBitCount
    while bit > 0 {
      bit &-= 1
      sum.double()
      if (digit &>> bit) & 1 != 0 { sum.add(base) }
    }
    var zeros = place &* width
    while zeros > 0 {
      zeros &-= 1
      sum.double()
    }
    let inverse = sum.z.inverse
    let square = inverse.squared
    let entry = arguments.table + index &* pairsPerEntry
    Secp256k1Field((sum.x * square).canonical).store(entry)
    Secp256k1Field((sum.y * (square * inverse)).canonical).store(entry + 2)
  }
}
