#if NEEDLETAIL_DEVICE
  import CDevice

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
    package func distance(from base: LocalPlace) -> Int { Int(address &- base.address) }
  }
#endif
