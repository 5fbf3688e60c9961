// What the device does by its own means, and the host in its way.
#if NEEDLETAIL_DEVICE
  import CDevice
#endif

/// Adds to a counter that the lanes of a launch share; gives the value before.
///
/// On the host the lanes of one launch run one after the other.
@inline(__always)
func fetchAdd(_ counter: UnsafeMutablePointer<UInt64>, _ amount: UInt64) -> UInt64 {
  #if NEEDLETAIL_DEVICE
    return device_fetch_add(counter, amount)
  #else
    let value = counter.pointee
    counter.pointee = value &+ amount
    return value
  #endif
}

/// The time that a lane has. The host has no watchdog: its lanes are called one by one.
struct LaneClock {
  #if NEEDLETAIL_DEVICE
    private let end: UInt64

    @inline(__always)
    init(budget: UInt64) { end = device_nanoseconds() &+ budget }

    @inline(__always)
    var isOver: Bool { device_nanoseconds() > end }
  #else
    init(budget: UInt64) {}

    var isOver: Bool { false }
  #endif
}
