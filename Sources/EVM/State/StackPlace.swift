/// A place on a machine's stack, and the word there.
///
/// A host has one kind of address. A device has several: memory that is known to be a lane's own takes
/// half of an address and a third fewer instructions.
public protocol StackPlace: BitwiseCopyable {
  /// Whether results that only the next instruction takes are kept in registers, because memory is dear
  /// to write.
  static var keepsResults: Bool { get }

  /// The place at an address.
  init(_ pointer: UnsafeMutableRawPointer)

  /// The address, for functions that take words of any memory.
  var words: UnsafeMutablePointer<UInt256> { get }

  /// The word.
  var pointee: UInt256 { get nonmutating set }

  /// Writes to `target` what `limb` makes of each limb of `first`, and of its number. The places may be one.
  static func write(_ target: Self, _ first: Self, _ limb: (Int, UInt64) -> UInt64)

  /// Writes to `target` what `limb` makes of the limbs of two words.
  static func write(
    _ target: Self, _ first: Self, _ second: Self, _ limb: (UInt64, UInt64) -> UInt64)

  /// Exchanges the words at two places.
  static func exchange(_ first: Self, _ second: Self)

  /// The place so many bytes away.
  static func + (place: Self, bytes: Int) -> Self

  /// Bytes from another place to this one.
  func distance(from base: Self) -> Int
}

extension StackPlace {
  @inlinable @inline(__always)
  static func += (place: inout Self, bytes: Int) { place = place + bytes }
}

/// A place anywhere in memory.
public struct PointerPlace: StackPlace {
  @usableFromInline let pointer: UnsafeMutableRawPointer

  @inlinable @inline(__always)
  public static var keepsResults: Bool { false }

  @inlinable @inline(__always)
  public init(_ pointer: UnsafeMutableRawPointer) { self.pointer = pointer }

  @inlinable @inline(__always)
  public var words: UnsafeMutablePointer<UInt256> { pointer.assumingMemoryBound(to: UInt256.self) }

  @inlinable @inline(__always)
  public var pointee: UInt256 {
    // Addresses, as a getter and a setter would come with a coroutine, which needs a heap on a bare machine.
    unsafeAddress { UnsafePointer(words) }
    nonmutating unsafeMutableAddress { words }
  }

  @inlinable @inline(__always)
  subscript(_ limb: Int) -> UInt64 {
    unsafeAddress { UnsafePointer(pointer.assumingMemoryBound(to: UInt64.self) + limb) }
    nonmutating unsafeMutableAddress { pointer.assumingMemoryBound(to: UInt64.self) + limb }
  }

  // The stack's words are read and written limb by limb, always: where the compiler can join two limbs into
  // one vector load, the load has to wait until the two stores before it have reached the cache (15 ns
  // measured, instead of 2). So each limb is written before the next is read, and comparisons treat the
  // limbs unlike.

  @inlinable @inline(__always)
  public static func write(
    _ target: PointerPlace, _ first: PointerPlace, _ limb: (Int, UInt64) -> UInt64
  ) {
    target[0] = limb(0, first[0])
    target[1] = limb(1, first[1])
    target[2] = limb(2, first[2])
    target[3] = limb(3, first[3])
  }

  @inlinable @inline(__always)
  public static func write(
    _ target: PointerPlace, _ first: PointerPlace, _ second: PointerPlace,
    _ limb: (UInt64, UInt64) -> UInt64
  ) {
    target[0] = limb(first[0], second[0])
    target[1] = limb(first[1], second[1])
    target[2] = limb(first[2], second[2])
    target[3] = limb(first[3], second[3])
  }

  @inlinable @inline(__always)
  public static func exchange(_ first: PointerPlace, _ second: PointerPlace) {
    exchange(first, second, 0)
    exchange(first, second, 1)
    exchange(first, second, 2)
    exchange(first, second, 3)
  }

  @inlinable @inline(__always)
  static func exchange(_ first: PointerPlace, _ second: PointerPlace, _ index: Int) {
    let limb = first[index]
    first[index] = second[index]
    second[index] = limb
  }

  @inlinable @inline(__always)
  public static func + (place: PointerPlace, bytes: Int) -> PointerPlace {
    PointerPlace(place.pointer + bytes)
  }

  @inlinable @inline(__always)
  public func distance(from base: PointerPlace) -> Int { pointer - base.pointer }
}
