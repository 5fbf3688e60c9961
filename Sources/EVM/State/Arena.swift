/// A region of memory that the caller owns, handed out from the front.
///
/// The core allocates nowhere else. Running out gives `nil`, which the machine reports as
/// `workspaceExhausted`; the caller retries with more.
public struct Arena: BitwiseCopyable {
  /// The first byte.
  public let base: UnsafeMutableRawPointer
  /// Bytes in all.
  public let capacity: Int
  /// Bytes handed out.
  public var used: Int

  /// An empty arena over `capacity` bytes at `base`, which should be 16-byte aligned.
  @inline(__always)
  public init(base: UnsafeMutableRawPointer, capacity: Int) {
    self.base = base
    self.capacity = capacity
    used = 0
  }

  /// Room for `count` values, uninitialised and 16-byte aligned; `nil` when there is not enough.
  ///
  /// Free a suffix by setting `used` back to an earlier value.
  @inline(__always)
  public mutating func allocate<T: BitwiseCopyable>(_ type: T.Type, count: Int)
    -> UnsafeMutablePointer<T>?
  {
    let start = (used &+ 15) & ~15
    let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<T>.stride)
    if overflow || count < 0 || start > capacity || bytes > capacity &- start { return nil }
    used = start &+ bytes
    return (base + start).bindMemory(to: T.self, capacity: count)
  }

  /// Whether something was taken that was not there.
  @inline(__always)
  package var isExhausted: Bool { used > capacity }

  /// As if more had been taken than there is.
  @inline(__always)
  mutating func exhaust() { used = capacity &+ 1 }

  /// Room as `allocate` gives it; memory that must not be used when the arena is exhausted afterwards.
  ///
  /// A large value that is made of many places is copied as often as something optional is unwrapped.
  @inline(__always)
  mutating func take<T: BitwiseCopyable>(_ type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
    if let place = allocate(type, count: count) { return place }
    exhaust()
    return base.assumingMemoryBound(to: type)
  }
}
