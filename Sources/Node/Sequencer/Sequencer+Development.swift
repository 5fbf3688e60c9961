import EVM
import Ethereum
import Execution
import Storage

/// What test tools change about a development chain's blocks and accounts.
struct DevelopmentSettings {
  /// A moment to come back to.
  struct Mark {
    var id: UInt64
    var number: UInt64
    var hash: Hash256
    var amendments: [StateAmendment]
    var clock: Sequencer.BlockClock
    /// When it was taken, in seconds since 1970.
    var taken: Int64
  }

  /// Accounts that send without a signature.
  var impersonated: Set<Address> = []
  /// Whether all accounts do.
  var impersonatesAll = false
  /// Who gets the fees, where that was set.
  var coinbase: Address?
  /// The gas limit that blocks move towards, where that was set.
  var gasLimit: UInt64?
  /// The randomness of the next block.
  var nextPrevRandao: Hash256?
  /// Seconds from each block to the next, whatever the clock says.
  var secondsApart: UInt64?
  var marks: [Mark] = []
  var lastMark: UInt64 = 0
}

extension Sequencer {
  /// What the time of coming blocks follows from.
  struct BlockClock {
    /// Seconds that blocks are ahead of the clock.
    var offset: Int64 = 0
    /// The next block's time, where it was set.
    var nextTime: UInt64?
    var nextBaseFee: UInt256?
  }

  /// Whether the node sends for an account that it has no key of.
  func isImpersonated(_ address: Address) -> Bool {
    development.withLock { $0.impersonatesAll || $0.impersonated.contains(address) }
  }

  /// Changes accounts without a transaction, between two blocks.
  func amend(_ changes: [StateAmendment]) throws {
    try queue.sync { try chain.amend(changes) }
  }

  /// Takes a moment down to come back to; gives its number, from 1.
  func mark() throws -> UInt64 {
    try queue.sync {
      guard let head = chain.database.head else { throw RPCError.server("there is no chain") }
      let amendments = chain.amendments
      let clock = blockClock
      return development.withLock { settings in
        settings.lastMark += 1
        settings.marks.append(
          DevelopmentSettings.Mark(
            id: settings.lastMark, number: head.header.number, hash: head.hash,
            amendments: amendments, clock: clock, taken: WallClock.seconds))
        return settings.lastMark
      }
    }
  }

  /// Goes back to a moment, which is forgotten with all later ones; false for one that is not known.
  func revert(to id: UInt64) throws -> Bool {
    let mark = development.withLock { settings -> DevelopmentSettings.Mark? in
      guard let index = settings.marks.firstIndex(where: { $0.id == id }) else { return nil }
      let mark = settings.marks[index]
      settings.marks.removeSubrange(index...)
      return mark
    }
    guard let mark else { return false }
    try queue.sync {
      guard try chain.snapshot().hash(mark.number) == mark.hash else {
        throw RPCError.server("the chain has gone another way since snapshot \(id)")
      }
      pool.removeAll()
      try chain.rewindHead(to: mark.number)
      if !mark.amendments.isEmpty { try chain.amend(mark.amendments) }
      // The clock goes on from where it was then.
      var clock = mark.clock
      clock.offset &-= WallClock.seconds &- mark.taken
      blockClock = clock
    }
    return true
  }

  /// Moves the clock of coming blocks ahead where it is not after a time.
  func continueTime(after time: UInt64) {
    var clock = blockClock
    let offset = Int64(min(time, Self.lastTime)) + 1 - WallClock.seconds
    if offset > clock.offset {
      clock.offset = offset
      blockClock = clock
    }
  }

  /// Sets the clock of coming blocks; gives the seconds that it is ahead.
  func setTime(_ time: UInt64) -> Int64 {
    var clock = blockClock
    clock.offset = Int64(min(time, Self.lastTime)) - WallClock.seconds
    clock.nextTime = nil
    blockClock = clock
    return clock.offset
  }
}
