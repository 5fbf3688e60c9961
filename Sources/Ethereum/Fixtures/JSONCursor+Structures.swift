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
    var hasOverflow = false
    let list = try authorizationList(&hasOverflow)
    if hasOverflow {
      throw failure(.valueOutOfRange, "an authorization has a number beyond its field")
    }
    return list
  }

  /// An array of authorizations, `hasOverflow` when a number is beyond its field: tests have such
  /// ones on purpose.
  package mutating func authorizationList(
    _ hasOverflow: inout Bool
  ) throws(FormatError) -> [Authorization] {
    if try skipNull() { return [] }
    var list: [Authorization] = []
    try beginArray()
    while try nextElement() { list.append(try authorization(&hasOverflow)) }
    return list
  }

  private mutating func authorization(_ hasOverflow: inout Bool) throws(FormatError)
    -> Authorization
  {
    var chainID: UInt256?
    var address: Address?
    var nonce: UInt64?
    var parity: UInt64?
    var r = UInt256.zero
    var s = UInt256.zero
    func limited(_ value: UInt256?) -> UInt64 {
      guard let value, value.fitsUInt64 else {
        hasOverflow = true
        return .max
      }
      return value.limb0
    }
    func whole(_ value: UInt256?) -> UInt256 {
      if value == nil { hasOverflow = true }
      return value ?? .max
    }
    try beginObject()
    while let key = try nextKey() {
      switch key {
      case "chainId": chainID = whole(try optionalUInt256())
      case "address": address = try self.address()
      case "nonce": nonce = limited(try optionalUInt256())
      case "yParity": parity = limited(try optionalUInt256())
      case "v":
        // Some writers give `v` beside the parity; the parity counts.
        let v = try optionalUInt256()
        if parity == nil {
          let parityOfV = limited(v)
          parity = parityOfV == 27 || parityOfV == 28 ? parityOfV - 27 : parityOfV
        }
      case "r": r = whole(try optionalUInt256())
      case "s": s = whole(try optionalUInt256())
      default: try skipValue()
      }
    }
    let yParity = try required(parity, "yParity")
    if yParity > 0xFF { hasOverflow = true }
    return Authorization(
      chainID: try required(chainID, "chainId"), address: try required(address, "address"),
      nonce: try required(nonce, "nonce"), yParity: UInt8(truncatingIfNeeded: yParity), r: r, s: s)
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

  /// Reads what a test or a batch says of its chain; what it does not say stays.
  package mutating func chainConfiguration(
    _ chainID: inout UInt64, _ schedule: inout BlobSchedule
  ) throws(FormatError) {
    try beginObject()
    while let key = try nextKey() {
      switch key {
      case "chainid", "chainId": chainID = try uint64()
      case "blobSchedule": schedule = try blobSchedule()
      default: try skipValue()
      }
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
