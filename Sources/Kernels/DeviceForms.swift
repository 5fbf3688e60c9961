// What the device does by its own means, and the host in its way.
#if NEEDLETAIL_DEVICE
  import CDevice

  /// What only entry points need.
  enum DeviceForms {
    /// The number of this lane in the launch.
    @inline(__always)
    static var laneIndex: Int {
      Int(device_block_index()) &* Int(device_block_size()) &+ Int(device_thread_index())
    }

    /// A lane's own memory: `TransactionKernel.localBytes`. It lives as long as the entry point that
    /// this is inlined into.
    @inline(__always)
    static var localWorkspace: UnsafeMutableRawPointer { device_local_workspace() }

    /// 256 bytes that the lanes of a block share, for what is the same in all of them: each writes it all
    /// before it reads any of it. Local addresses are: those of one kernel's variables.
    @inline(__always)
    static var blockMemory: UnsafeMutableRawPointer { device_block_memory() }
  }
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

/// As `fetchAdd`, where most lanes come at the same time.
@inline(__always)
func fetchAddTogether(_ counter: UnsafeMutablePointer<UInt64>, _ amount: UInt64) -> UInt64 {
  #if NEEDLETAIL_DEVICE
    return device_fetch_add_together(counter, amount)
  #else
    return fetchAdd(counter, amount)
  #endif
}

/// The time that a lane has. The host has no watchdog, since its lanes are called one by one: there
/// time stands still, and only a budget of nothing is over.
struct LaneClock: BitwiseCopyable {
  private let end: UInt64

  /// A clock that is over after `budget` nanoseconds.
  @inline(__always)
  init(budget: UInt64) { end = Self.now &+ budget }

  @inline(__always)
  var isOver: Bool { Self.now >= end }

  @inline(__always)
  private static var now: UInt64 {
    #if NEEDLETAIL_DEVICE
      device_nanoseconds()
    #else
      1
    #endif
  }
}
