/// A transaction's gas for what is new in the state (EIP-8037).
///
/// Some gas is set aside that can pay for nothing else; when it is used up, new state is paid for with
/// the frame's own gas. A frame that fails gives back what it spent, wherever it came from, to what is
/// set aside; but what was credited to it for state that it took back itself is lost then.
package struct StateGas: BitwiseCopyable {
  /// Gas set aside, all of which the running frame may use.
  package var left: Int64 = 0
  /// Gas spent, less what was credited.
  package private(set) var used: Int64 = 0
  /// Gas credited to frames that have not failed.
  private var credited: Int64 = 0
  /// Gas to be credited to the callers of the running frame, whose state it took back; nothing when
  /// it fails.
  private var pending: Int64 = 0
  /// Gas that failed frames had been credited. It is paid for, but counts as no kind of gas.
  package private(set) var lost: Int64 = 0

  /// A state of it to which it can go back.
  struct Checkpoint: BitwiseCopyable {
    var used: Int64
    var credited: Int64
    var pending: Int64
  }

  /// Nothing spent, nothing set aside.
  init() {}

  /// The present state, when a frame begins.
  @inline(__always)
  var checkpoint: Checkpoint { Checkpoint(used: used, credited: credited, pending: pending) }

  /// What of an amount the frame's own gas has to pay.
  @inline(__always)
  func spill(_ amount: Int64) -> Int64 { max(amount &- left, 0) }

  /// Spends an amount, of which the frame's own gas has paid the spill.
  @inline(__always)
  mutating func spend(_ amount: Int64) {
    left &-= amount &- spill(amount)
    used &+= amount
  }

  /// Credits an amount to the frame that began with `start`: no more than it has spent, and the rest
  /// to its callers.
  mutating func credit(_ amount: Int64, since start: Checkpoint) {
    let own = min(amount, used &- start.used)
    left &+= own
    used &-= own
    credited &+= own
    pending &+= amount &- own
  }

  /// Credits an amount to the transaction as a whole.
  mutating func credit(_ amount: Int64) {
    left &+= amount
    used &-= amount
  }

  /// Nothing is pending for the callers of a frame that begins.
  @inline(__always)
  mutating func begin() { pending = 0 }

  /// Goes on in the caller of a frame that began with `start` and succeeded; gives what is to be
  /// credited to the caller.
  @inline(__always)
  mutating func leave(_ start: Checkpoint) -> Int64 {
    let amount = pending
    pending = start.pending
    return amount
  }

  /// What was credited so far is not lost any more: the first frame keeps it, although it fails.
  @inline(__always)
  mutating func keepCredits() { credited = 0 }

  /// Goes back to the beginning of a frame that failed.
  @inline(__always)
  mutating func revert(to start: Checkpoint) {
    let spent = used &- start.used
    // Who takes the same state back again and again is credited more than there is: that much is lost.
    let given = min(credited &- start.credited, left &+ spent)
    left &+= spent &- given
    lost &+= given
    used = start.used
    credited = start.credited
    pending = start.pending
  }
}

extension Machine {
  /// Takes the state gas of so many bytes: from what is set aside for it, then from the frame's own
  /// gas. False when there is not enough. Nothing before Amsterdam.
  @inline(__always)
  mutating func chargeState(_ frame: UnsafeMutablePointer<Frame>, bytes: Int64) -> Bool {
    if fork < .amsterdam { return true }
    // A frame has less than 2^63 gas and a byte costs less than 2^48; no count passes 2^15.
    let amount = bytes &* stateByteGas
    if !frame.pointee.charge(journal.stateGas.spill(amount)) { return false }
    journal.stateGas.spend(amount)
    return true
  }

  /// Credits a frame with the state gas of so many bytes, because they do not come to be in the state.
  @inline(__always)
  mutating func creditState(_ frame: UnsafeMutablePointer<Frame>, bytes: Int64) {
    if fork < .amsterdam { return }
    journal.stateGas.credit(bytes &* stateByteGas, since: frame.pointee.checkpoint.stateGas)
  }

  /// Hands what a frame that succeeded has to be credited on to its caller.
  @inline(__always)
  mutating func leaveStateGas(
    _ frame: UnsafeMutablePointer<Frame>, to caller: UnsafeMutablePointer<Frame>
  ) {
    if fork < .amsterdam { return }
    let amount = journal.stateGas.leave(frame.pointee.checkpoint.stateGas)
    journal.stateGas.credit(amount, since: caller.pointee.checkpoint.stateGas)
  }

  /// Gives the state gas back of what the transaction created and destroyed again.
  mutating func creditDestroyed() {
    if fork < .amsterdam { return }
    var bytes: Int64 = 0
    var index = 0
    while index < journal.accountCount {
      let account = journal.accounts + index
      if account.pointee.isDestroyed {
        bytes &+= StateGas.account
        if account.pointee.isCodeChanged { bytes &+= Int64(account.pointee.code.count) }
      }
      index &+= 1
    }
    index = 0
    while index < journal.slotCount {
      let slot = journal.slots + index
      if !slot.pointee.isTransient && slot.pointee.isLoaded && !slot.pointee.current.isZero
        && journal.accounts[Int(slot.pointee.account)].isDestroyed
      {
        bytes &+= StateGas.slot
      }
      index &+= 1
    }
    // All of it was paid for.
    journal.stateGas.credit(bytes &* stateByteGas)
  }
}
