package import EVM
import Ethereum
package import Execution
import Storage

/// A change of one account that no transaction makes: what test tools set on a development chain.
package struct StateAmendment: Sendable {
  /// The account.
  package var address: Address
  /// What changes; the storage by single slots alone.
  package var change: WorldState.Override

  /// A change of an account.
  package init(_ address: Address, _ change: WorldState.Override) {
    self.address = address
    self.change = change
  }

  /// Changes as an entry of the block log has them: a list of address, nonce, balance and code, each
  /// in a list of its own that is empty where nothing changes, and pairs of slot and value.
  static func encode(_ amendments: [StateAmendment]) -> [UInt8] {
    var encoder = RLPEncoder()
    encoder.list { encoder in
      for amendment in amendments {
        let change = amendment.change
        encoder.list { encoder in
          encoder.append(amendment.address)
          encoder.list { if let nonce = change.nonce { $0.append(nonce) } }
          encoder.list { if let balance = change.balance { $0.append(balance) } }
          encoder.list { if let code = change.code { $0.append(code) } }
          encoder.list { encoder in
            for (slot, value) in change.slots.sorted(by: { $0.key < $1.key }) {
              encoder.append(slot)
              encoder.append(value)
            }
          }
        }
      }
    }
    return encoder.bytes
  }

  static func decode(_ bytes: [UInt8]) throws(FormatError) -> [StateAmendment] {
    try withBytes(bytes) { (buffer) throws(FormatError) in
      var list = try RLPItem(buffer).list("amendments")
      var amendments: [StateAmendment] = []
      while !list.isAtEnd {
        var fields = try list.next("amendment").list("amendment")
        var change = WorldState.Override()
        let address = try fields.next("address").address("address")
        var nonce = try fields.next("nonce").list("nonce")
        if !nonce.isAtEnd { change.nonce = try nonce.next("nonce").uint64("nonce") }
        var balance = try fields.next("balance").list("balance")
        if !balance.isAtEnd { change.balance = try balance.next("balance").uint256("balance") }
        var code = try fields.next("code").list("code")
        if !code.isAtEnd { change.code = [UInt8](try code.next("code").string("code")) }
        var slots = try fields.next("slots").list("slots")
        while !slots.isAtEnd {
          let key = try slots.next("slot").uint256("slot")
          change.slots[key] = try slots.next("value").uint256("value")
        }
        try fields.finish()
        amendments.append(StateAmendment(address, change))
      }
      return amendments
    }
  }
}

extension Blockchain {
  /// Changes the state after the head from outside, durably. The next block is made on it.
  package func amend(_ changes: [StateAmendment]) throws {
    try queue.sync {
      _ = try log.append(.amendment, StateAmendment.encode(changes))
      try apply(changes)
    }
  }

  /// What was changed from outside since the head, in order.
  package var amendments: [StateAmendment] { queue.sync { pendingAmendments } }

  /// Makes changes whose entry is in the log; on the queue.
  func apply(_ changes: [StateAmendment]) throws {
    let snapshot = try database.snapshot()
    let number = snapshot.head.header.number
    var state = WorldState(source: try snapshot.source(after: number), codes: CodeStore())
    for amendment in changes { state.apply(amendment.change, to: amendment.address) }
    pendingAmendments += changes
    database.amend(
      try database.layer(state.delta, on: snapshot, number: number + 1),
      record: StateAmendment.encode(pendingAmendments))
  }
}

extension Snapshot {
  /// The state that a block was made on: that after its parent, with what was changed from outside.
  func state(before number: UInt64, codes: CodeStore) throws -> WorldState {
    var state = WorldState(source: try source(after: number - 1), codes: codes)
    if let record = amendment(before: number) {
      for amendment in try StateAmendment.decode(record) {
        state.apply(amendment.change, to: amendment.address)
      }
    }
    return state
  }
}
