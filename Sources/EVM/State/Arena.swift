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
}
