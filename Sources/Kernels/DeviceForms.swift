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
  }

  /// A place in a lane's local memory, by its address there.
  package struct LocalPlace: StackPlace {
    let address: UInt32

    @inline(__always)
    package static var keepsResults: Bool { true }

    @inline(__always)
    init(address: UInt32) { self.address = address }

    @inline(__always)
    package init(_ pointer: UnsafeMutableRawPointer) { address = device_local_address(pointer) }

    @inline(__always)
    package var words: UnsafeMutablePointer<UInt256> {
      device_local_pointer(address)!.assumingMemoryBound(to: UInt256.self)
    }

    @inline(__always)
    package var pointee: UInt256 {
      get {
        let word = device_local_word(address)
        return UInt256(word.l0, word.l1, word.l2, word.l3)
      }
      nonmutating set {
        device_local_set_word(
          address, newValue.limb0, newValue.limb1, newValue.limb2, newValue.limb3)
      }
    }

    @inline(__always)
    package static func write(
      _ target: LocalPlace, _ first: LocalPlace, _ limb: (Int, UInt64) -> UInt64
    ) {
      let word = first.pointee
      target.pointee = UInt256(
        limb(0, word.limb0), limb(1, word.limb1), limb(2, word.limb2), limb(3, word.limb3))
    }

    @inline(__always)
    package static func write(
      _ target: LocalPlace, _ first: LocalPlace, _ second: LocalPlace,
      _ limb: (UInt64, UInt64) -> UInt64
    ) {
      let (a, b) = (first.pointee, second.pointee)
      target.pointee = UInt256(
        limb(a.limb0, b.limb0), limb(a.limb1, b.limb1), limb(a.limb2, b.limb2),
        limb(a.limb3, b.limb3))
    }

    @inline(__always)
    package static func exchange(_ first: LocalPlace, _ second: LocalPlace) {
      let word = first.pointee
      first.pointee = second.pointee
      second.pointee = word
    }

    @inline(__always)
    package static func + (place: LocalPlace, bytes: Int) -> LocalPlace {
      LocalPlace(address: place.address &+ UInt32(truncatingIfNeeded: bytes))
    }

    @inline(__always)
    package func distance(from base: UnsafeMutableRawPointer) -> Int {
      Int(address &- device_local_address(base))
    }
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
