public import EVM

extension BlockAccessList {
  /// Reads a list's RLP, and nothing that is not just as `encoded` writes it: numbers as short as they
  /// are, accounts, slots and indices in their order and none twice, no slot without a change, none
  /// both changed and only read. So equal bytes and equal lists are the same thing.
  public init(decoding bytes: [UInt8]) throws(FormatError) {
    self = try withBytes(bytes) { (buffer) throws(FormatError) in
      try BlockAccessList(RLPItem(buffer))
    }
  }

  package init(_ item: RLPItem) throws(FormatError) {
    var list = try item.list("blockAccessList")
    var last: Address?
    while !list.isAtEnd {
      do throws(FormatError) {
        var fields = try list.next("account").list("account")
        let address = try fields.next("address").address("address")
        if let last, !(last.word < address.word) {
          throw Self.disorder("address", "\(address) after \(last)")
        }
        last = address
        begin(address)
        try readSlots(&fields)
        try readReads(&fields)
        try Self.readWords(&fields, "balanceChanges", into: &balances)
        try Self.readChanges(&fields, "nonceChanges", into: &nonces) {
          (index, item) throws(FormatError) in
          NonceChange(index: index, nonce: try item.uint64("nonce"))
        }
        try Self.readChanges(&fields, "codeChanges", into: &codes) {
          (index, item) throws(FormatError) in
          CodeChange(index: index, code: [UInt8](try item.string("code")))
        }
        try fields.finish()
        end()
      } catch { throw error.within("[\(accounts.count - (last == nil ? 0 : 1))]") }
    }
  }

  private mutating func readSlots(_ fields: inout RLPReader) throws(FormatError) {
    var list = try fields.next("storageChanges").list("storageChanges")
    var last: UInt256?
    while !list.isAtEnd {
      var slot = try list.next("slot").list("slot")
      let key = try slot.next("slot").uint256("slot")
      if let last, !(last < key) {
        throw Self.disorder("storageChanges", "slot \(key) after \(last)")
      }
      last = key
      let before = slotChanges.count
      try Self.readWords(&slot, "slotChanges", into: &slotChanges)
      if slotChanges.count == before {
        throw FormatError(
          .tooFewItems, "slot \(key) has no change, so it belongs to the reads",
          field: "storageChanges")
      }
      try slot.finish()
      slots.append(Slot(key: key, changeEnd: UInt32(slotChanges.count)))
    }
  }

  private mutating func readReads(_ fields: inout RLPReader) throws(FormatError) {
    var list = try fields.next("storageReads").list("storageReads")
    // Both are in order: one walk finds what is in both.
    var slot = accounts.count == 1 ? 0 : Int(accounts[accounts.count - 2].slotEnd)
    var last: UInt256?
    while !list.isAtEnd {
      let key = try list.next("storageReads").uint256("storageReads")
      if let last, !(last < key) {
        throw Self.disorder("storageReads", "slot \(key) after \(last)")
      }
      last = key
      while slot < slots.count && slots[slot].key < key { slot += 1 }
      if slot < slots.count && slots[slot].key == key {
        throw FormatError(
          .duplicateField, "slot \(key) is among those that change", field: "storageReads")
      }
      reads.append(key)
    }
  }

  private static func readWords(
    _ fields: inout RLPReader, _ name: String, into changes: inout [WordChange]
  ) throws(FormatError) {
    try readChanges(&fields, name, into: &changes) { (index, item) throws(FormatError) in
      WordChange(index: index, value: try item.uint256(name))
    }
  }

  /// Reads changes, whose indices rise.
  @inline(__always)
  private static func readChanges<Change>(
    _ fields: inout RLPReader, _ name: String, into changes: inout [Change],
    _ read: (UInt32, RLPItem) throws(FormatError) -> Change
  ) throws(FormatError) {
    var list = try fields.next(name).list(name)
    var least: UInt64 = 0
    while !list.isAtEnd {
      var fields = try list.next(name).list(name)
      let index = try fields.next("blockAccessIndex").uint64("blockAccessIndex")
      guard index <= UInt64(UInt32.max) else {
        throw FormatError(.valueOutOfRange, "the index \(index) is 2^32 or more", field: name)
      }
      if index < least { throw disorder(name, "index \(index) after \(least - 1)") }
      least = index + 1
      changes.append(try read(UInt32(index), fields.next(name)))
      try fields.finish()
    }
  }

  private static func disorder(_ field: String, _ what: String) -> FormatError {
    FormatError(.outOfOrder, "\(what): they should rise", field: field)
  }

  /// The list's RLP.
  public var encoded: [UInt8] {
    var encoder = RLPEncoder(
      capacity: 64 + accounts.count * 32 + (slots.count + reads.count) * 40
        + slotChanges.count * 16 + balances.count * 16 + nonces.count * 6)
    encoder.beginList(payload: accounts.indices.reduce(0) { $0 + RLPSize.list(payload(of: $1)) })
    for account in accounts.indices { encode(account, into: &encoder) }
    return encoder.bytes
  }

  /// Keccak-256 of the RLP, as the block's header has it.
  public var hash: Hash256 { Keccak256.hash(encoded) }

  private func payload(of account: Int) -> Int {
    RLPSize.address + RLPSize.list(slotsPayload(account)) + RLPSize.list(readsPayload(account))
      + RLPSize.list(balances[balanceRange(account)].reduce(0) { $0 + Self.size($1) })
      + RLPSize.list(nonces[nonceRange(account)].reduce(0) { $0 + Self.size($1) })
      + RLPSize.list(codes[codeRange(account)].reduce(0) { $0 + Self.size($1) })
  }

  private func slotsPayload(_ account: Int) -> Int {
    slotRange(account).reduce(0) { $0 + RLPSize.list(slotPayload($1)) }
  }

  private func slotPayload(_ slot: Int) -> Int {
    RLPSize.number(slots[slot].key)
      + RLPSize.list(slotChanges[changeRange(slot)].reduce(0) { $0 + Self.size($1) })
  }

  private func readsPayload(_ account: Int) -> Int {
    reads[readRange(account)].reduce(0) { $0 + RLPSize.number($1) }
  }

  private static func size(_ change: WordChange) -> Int {
    RLPSize.list(RLPSize.number(UInt64(change.index)) + RLPSize.number(change.value))
  }

  private static func size(_ change: NonceChange) -> Int {
    RLPSize.list(RLPSize.number(UInt64(change.index)) + RLPSize.number(change.nonce))
  }

  private static func size(_ change: CodeChange) -> Int {
    RLPSize.list(RLPSize.number(UInt64(change.index)) + RLPSize.string(change.code))
  }

  private func encode(_ account: Int, into encoder: inout RLPEncoder) {
    encoder.beginList(payload: payload(of: account))
    encoder.append(accounts[account].address)
    encoder.beginList(payload: slotsPayload(account))
    for slot in slotRange(account) {
      encoder.beginList(payload: slotPayload(slot))
      encoder.append(slots[slot].key)
      encode(slotChanges[changeRange(slot)], into: &encoder)
    }
    encoder.beginList(payload: readsPayload(account))
    for key in reads[readRange(account)] { encoder.append(key) }
    encode(balances[balanceRange(account)], into: &encoder)
    encoder.list { encoder in
      for change in nonces[nonceRange(account)] {
        encoder.list {
          $0.append(UInt64(change.index))
          $0.append(change.nonce)
        }
      }
    }
    encoder.list { encoder in
      for change in codes[codeRange(account)] {
        encoder.list {
          $0.append(UInt64(change.index))
          $0.append(change.code)
        }
      }
    }
  }

  private func encode(_ changes: ArraySlice<WordChange>, into encoder: inout RLPEncoder) {
    encoder.beginList(payload: changes.reduce(0) { $0 + Self.size($1) })
    for change in changes {
      encoder.beginList(
        payload: RLPSize.number(UInt64(change.index)) + RLPSize.number(change.value))
      encoder.append(UInt64(change.index))
      encoder.append(change.value)
    }
  }
}
