/// A value that does not change as long as a machine lives. The host has it where it is used. Lanes of a device
/// that have the same value read it from one place: of their own memory each word would take a line of the
/// first-level cache for 32 of them.
@usableFromInline
struct Lasting<Value: BitwiseCopyable>: BitwiseCopyable {
  #if NEEDLETAIL_DEVICE
    private let place: UnsafePointer<Value>

    /// A value, written where it will be read.
    @inline(__always)
    init(_ value: Value, at place: UnsafeMutablePointer<Value>?) {
      place!.initialize(to: value)
      self.place = UnsafePointer(place!)
    }

    @usableFromInline @inline(__always)
    var value: Value { unsafeAddress { place } }
  #else
    @usableFromInline let value: Value

    /// A value; only devices need a place.
    @inline(__always)
    init(_ value: Value, at _: UnsafeMutablePointer<Value>?) { self.value = value }
  #endif
}
