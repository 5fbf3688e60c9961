import EVM

extension JSONCursor {
  /// A block's access list in the names of the execution spec tests (EIP-7928). Its order is kept,
  /// right or not.
  package mutating func blockAccessList() throws(FormatError) -> BlockAccessList {
    BlockAccessList(
      try array { (cursor) throws(FormatError) in
        var account = BlockAccessList.AccountChanges(.zero)
        try cursor.beginObject()
        while let key = try cursor.nextKey() {
          switch key {
          case "address": account.address = try cursor.address()
          case "storageReads":
            account.storageReads = try cursor.array { (cursor) throws(FormatError) in
              try cursor.uint256()
            }
          case "storageChanges":
            account.storageChanges = try cursor.array { (cursor) throws(FormatError) in
              try cursor.slotChanges()
            }
          case "balanceChanges": account.balanceChanges = try cursor.wordChanges("postBalance")
          case "nonceChanges":
            account.nonceChanges = try cursor.changes("postNonce") {
              (cursor) throws(FormatError) in try cursor.uint64()
            }.map { BlockAccessList.NonceChange(index: $0.index, nonce: $0.value) }
          case "codeChanges":
            account.codeChanges = try cursor.changes("newCode") {
              (cursor) throws(FormatError) in try cursor.hexBytes()
            }.map { BlockAccessList.CodeChange(index: $0.index, code: $0.value) }
          default: try cursor.skipValue()
          }
        }
        return account
      })
  }

  private mutating func slotChanges() throws(FormatError)
    -> (slot: UInt256, changes: [BlockAccessList.WordChange])
  {
    var slot = UInt256.zero
    var changes: [BlockAccessList.WordChange] = []
    try beginObject()
    while let key = try nextKey() {
      switch key {
      case "slot": slot = try uint256()
      case "slotChanges": changes = try wordChanges("postValue")
      default: try skipValue()
      }
    }
    return (slot, changes)
  }

  private mutating func wordChanges(_ name: String) throws(FormatError)
    -> [BlockAccessList.WordChange]
  {
    try changes(name) { (cursor) throws(FormatError) in try cursor.uint256() }
      .map { BlockAccessList.WordChange(index: $0.index, value: $0.value) }
  }

  /// Objects of an index and a value with this name.
  private mutating func changes<Value>(
    _ name: String, _ read: (inout JSONCursor) throws(FormatError) -> Value
  ) throws(FormatError) -> [(index: UInt32, value: Value)] {
    try array { (cursor) throws(FormatError) in
      var index: UInt64?
      var value: Value?
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        if key == "blockAccessIndex" {
          index = try cursor.uint64()
        } else if key.text == name {
          value = try read(&cursor)
        } else {
          try cursor.skipValue()
        }
      }
      return (
        UInt32(clamping: try cursor.required(index, "blockAccessIndex")),
        try cursor.required(value, name)
      )
    }
  }
}
