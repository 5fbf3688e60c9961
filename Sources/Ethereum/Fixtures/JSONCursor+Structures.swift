package import EVM

/// The structures that several of Ethereum's JSON formats share.
extension JSONCursor {
  /// Calls `body` for each key of the object that comes next; `body` reads the value.
  package mutating func forEachKey(
    _ body: (inout JSONCursor, JSONString) throws(FormatError) -> Void
  ) throws(FormatError) {
    try beginObject()
    while let key = try nextKey() { try body(&self, key) }
  }

  /// What `body` reads for each element of the array that comes next.
  package mutating func array<Element>(
    _ body: (inout JSONCursor) throws(FormatError) -> Element
  ) throws(FormatError) -> [Element] {
    var elements: [Element] = []
    try beginArray()
    while try nextElement() { elements.append(try body(&self)) }
    return elements
  }

  /// The value of a key that must be there.
  package func required<Value>(_ value: Value?, _ name: String) throws(FormatError) -> Value {
    guard let value else {
      throw failure(ofObject: .missingField, "the field \(name) is missing")
    }
    return value
  }

  /// An object of accounts by address (with or without `0x`).
  package mutating func allocation() throws(FormatError) -> Allocation {
    var accounts: [Address: Allocation.Account] = [:]
    try beginObject()
    while let key = try nextKey() {
      guard let address = Address(text: key.rawBytes) ?? Address(digits: key.rawBytes) else {
        throw failure(
          .malformedHexadecimal, "an address should be 0x and 40 hexadecimal digits",
          at: offset(of: key))
      }
      let place = offset(of: key)
      let account = try self.account()
      guard accounts.updateValue(account, forKey: address) == nil else {
        throw failure(.duplicateField, "the address stands here twice", at: place)
      }
    }
    return Allocation(accounts)
  }

  /// An account: `balance`, and optionally `nonce`, `code` and `storage`.
  package mutating func account() throws(FormatError) -> Allocation.Account {
    var account = Allocation.Account()
    try beginObject()
    while let key = try nextKey() {
      switch key {
      case "balance", "wei": account.balance = try uint256()
      case "nonce": account.nonce = try uint64()
      case "code": account.code = try hexBytes()
      case "storage": account.storage = try storage()
      default: try skipValue()
      }
    }
    return account
  }

  /// An object of slots and values. Slots with a zero value are left out.
  package mutating func storage() throws(FormatError) -> [UInt256: UInt256] {
    var slots: [UInt256: UInt256] = [:]
    if try skipNull() { return slots }
    try beginObject()
    while let key = try nextKey() {
      let digits = Hexadecimal.withoutPrefix(key.rawBytes) ?? key.rawBytes
      // `0x` alone is how some writers put zero.
      let slot = digits.isEmpty ? UInt256.zero : UInt256(hexadecimalDigits: digits)
      guard let slot else {
        throw failure(
          .malformedNumber, "a slot should be 0x and up to 64 hexadecimal digits",
          at: offset(of: key))
      }
      let value = try uint256()
      if !value.isZero { slots[slot] = value }
    }
    return slots
  }

  /// An array of access-list entries; null for none.
  package mutating func accessList() throws(FormatError) -> [AccessListEntry] {
    if try skipNull() { return [] }
    return try array { (cursor) throws(FormatError) in
      var address: Address?
      var keys: [UInt256] = []
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        switch key {
        case "address": address = try cursor.address()
        case "storageKeys":
          if try cursor.skipNull() { continue }
          keys = try cursor.array { (cursor) throws(FormatError) in try cursor.uint256() }
        default: try cursor.skipValue()
        }
      }
      return AccessListEntry(
        address: try cursor.required(address, "address"), storageKeys: keys)
    }
  }

  /// An array of authorizations.
  package mutating func authorizationList() throws(FormatError) -> [Authorization] {
    if try skipNull() { return [] }
    return try array { (cursor) throws(FormatError) in
      var chainID: UInt256?
      var address: Address?
      var nonce: UInt64?
      var parity: UInt64?
      var r = UInt256.zero
      var s = UInt256.zero
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        switch key {
        case "chainId": chainID = try cursor.uint256()
        case "address": address = try cursor.address()
        case "nonce": nonce = try cursor.uint64()
        case "yParity": parity = try cursor.uint64()
        case "v":
          // Some writers give `v` beside the parity; the parity counts.
          let v = try cursor.uint64()
          if parity == nil { parity = v == 27 || v == 28 ? v - 27 : v }
        case "r": r = try cursor.uint256()
        case "s": s = try cursor.uint256()
        default: try cursor.skipValue()
        }
      }
      let yParity = try cursor.required(parity, "yParity")
      guard yParity <= 0xFF else {
        throw cursor.failure(.valueOutOfRange, "yParity is 2^8 or more")
      }
      return Authorization(
        chainID: try cursor.required(chainID, "chainId"),
        address: try cursor.required(address, "address"),
        nonce: try cursor.required(nonce, "nonce"), yParity: UInt8(yParity), r: r, s: s)
    }
  }

  /// An array of withdrawals; the amounts are gwei.
  package mutating func withdrawals() throws(FormatError) -> [Withdrawal] {
    try array { (cursor) throws(FormatError) in
      var withdrawal = Withdrawal(index: 0, validatorIndex: 0, address: .zero, amount: 0)
      var address: Address?
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        switch key {
        case "index": withdrawal.index = try cursor.uint64()
        case "validatorIndex": withdrawal.validatorIndex = try cursor.uint64()
        case "address": address = try cursor.address()
        case "amount": withdrawal.amount = try cursor.uint64()
        default: try cursor.skipValue()
        }
      }
      withdrawal.address = try cursor.required(address, "address")
      return withdrawal
    }
  }

  /// An object of fork names and blob limits, put over the limits that are known.
  package mutating func blobSchedule() throws(FormatError) -> BlobSchedule {
    var schedule = BlobSchedule.testNetworks
    try beginObject()
    while let key = try nextKey() {
      let name = key.text
      guard let fork = Fork(name: name) else {
        throw failure(.unknownFork, "no fork has the name \(name)", at: offset(of: key))
      }
      schedule[fork] = try blobParameters()
    }
    return schedule
  }

  /// The blob limits of one fork.
  package mutating func blobParameters() throws(FormatError) -> BlobParameters {
    var target: UInt64?
    var max: UInt64?
    var fraction: UInt64?
    try beginObject()
    while let key = try nextKey() {
      switch key {
      case "target": target = try uint64()
      case "max": max = try uint64()
      case "baseFeeUpdateFraction": fraction = try uint64()
      default: try skipValue()
      }
    }
    return BlobParameters(
      target: try required(target, "target"), max: try required(max, "max"),
      baseFeeUpdateFraction: try required(fraction, "baseFeeUpdateFraction"))
  }
}
