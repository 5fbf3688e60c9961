import EVM
import Synchronization

/// What few cells have: a sum, or parts with the sum of what is in none.
struct TimelineExtra: AtomicRepresentable {
  /// A pointer, whose lowest bit says that it is one to parts.
  private let word: UInt

  typealias AtomicRepresentation = UInt.AtomicRepresentation

  static func encodeAtomicRepresentation(_ value: consuming TimelineExtra) -> AtomicRepresentation {
    UInt.encodeAtomicRepresentation(value.word)
  }

  static func decodeAtomicRepresentation(_ representation: consuming AtomicRepresentation)
    -> TimelineExtra
  {
    TimelineExtra(word: UInt.decodeAtomicRepresentation(representation))
  }

  private init(word: UInt) { self.word = word }

  /// Nothing.
  init() { word = 0 }
  init(_ sum: UnsafeMutablePointer<VersionSum>) { word = UInt(bitPattern: sum) }
  init(_ parts: UnsafeMutablePointer<TimelineParts>) { word = UInt(bitPattern: parts) | 1 }

  @inline(__always)
  var parts: UnsafeMutablePointer<TimelineParts>? {
    word & 1 == 0 ? nil : UnsafeMutablePointer(bitPattern: word & ~1)
  }

  @inline(__always)
  var sum: UnsafeMutablePointer<VersionSum>? {
    // The sum is what parts begin with.
    UnsafeMutablePointer(bitPattern: word & ~1)
  }
}

/// A balance's changes where many transactions do nothing but add to it: as many workers do so at once, each
/// by another group of transactions, each group has a place of its own.
struct TimelineParts: ~Copyable {
  /// Of what was there before the parts.
  var sum: VersionSum
  private let memory: UnsafeMutableRawPointer

  static var count: Int { 8 }

  /// Those who come one after the other are mostly one worker's.
  private static var groupShift: Int32 { 3 }

  private static var stride: Int { MemoryLayout<Timeline>.stride + CacheLines.bytes }

  init(sum: VersionSum, _ slab: inout Slab) {
    self.sum = sum
    memory = UnsafeMutableRawPointer(
      slab.allocate(UInt8.self, count: Self.count * Self.stride + CacheLines.bytes))
    for number in 0..<Self.count { self[number].initialize(to: Timeline(base: .zero)) }
  }

  @inline(__always)
  subscript(number: Int) -> UnsafeMutablePointer<Timeline> {
    (memory + CacheLines.bytes + number * Self.stride).assumingMemoryBound(to: Timeline.self)
  }

  @inline(__always)
  subscript(of transaction: Int32) -> UnsafeMutablePointer<Timeline> {
    self[Int(transaction >> Self.groupShift) & (Self.count - 1)]
  }
}
