public import EVM

extension Transaction {
  /// Reads a transaction: RLP for a legacy one, else its type's byte and RLP (EIP-2718).
  public init(decoding bytes: [UInt8]) throws(FormatError) {
    self = try withBytes(bytes) { (buffer) throws(FormatError) in
      try Transaction(decoding: buffer)
    }
  }

  /// Reads a transaction of a type that the fork has.
  public init(decoding bytes: [UInt8], fork: Fork) throws(FormatError) {
    try self.init(decoding: bytes)
    try type.check(fork)
  }

  /// Reads a transaction: RLP for a legacy one, else its type's byte and RLP (EIP-2718).
  package init(decoding bytes: UnsafeBufferPointer<UInt8>) throws(FormatError) {
    guard let first = bytes.first else {
      throw FormatError(.truncated, "a transaction of no bytes")
    }
    // Types end at 0x7F (EIP-2718): from there on it is RLP, and a list if it is right.
    if first >= 0x80 {
      var fields = try RLPItem(bytes).list("transaction")
      try self.init(legacy: &fields)
      return
    }
    guard let type = TransactionType(rawValue: first), type != .legacy else {
      throw FormatError(.unknownTransactionType, "no transaction has the type \(first)")
    }
    var fields = try RLPItem(UnsafeBufferPointer(rebasing: bytes[1...])).list("transaction")
    try self.init(type: type, fields: &fields)
  }

  /// Reads a transaction as it stands in a block's list: a legacy one as a list, another one as a
  /// string that holds its envelope.
  package init(blockItem item: RLPItem) throws(FormatError) {
    if item.isList {
      var fields = try item.list()
      try self.init(legacy: &fields)
    } else {
      if let first = item.payload.first, first >= 0xC0 {
        throw FormatError(.unexpectedKind, "a legacy transaction stands in a string")
      }
      try self.init(decoding: item.payload)
    }
  }

  private init(legacy fields: inout RLPReader) throws(FormatError) {
    self.init()
    nonce = try fields.next("nonce").uint64("nonce")
    gasPrice = try fields.next("gasPrice").uint256("gasPrice")
    gasLimit = try fields.next("gasLimit").uint64("gasLimit")
    to = try Self.recipient(&fields)
    value = try fields.next("value").uint256("value")
    data = [UInt8](try fields.next("data").string("data"))
    let v = try fields.next("v").uint256("v")
    signature.r = try fields.next("r").uint256("r")
    signature.s = try fields.next("s").uint256("s")
    try fields.finish()
    try setLegacyV(v)
  }

  /// Takes chain and parity out of `v`: 27 or 28, or 35 and more (EIP-155).
  package mutating func setLegacyV(_ v: UInt256) throws(FormatError) {
    if v == UInt256(27) || v == UInt256(28) {
      chainID = nil
      signature.yParity = v.limb0 == 28
      return
    }
    guard v >= UInt256(35) else {
      throw FormatError(.invalidChainID, "v is neither 27, 28 nor 35 and more", field: "v")
    }
    let rest = v &- UInt256(35)
    let chain = rest >> 1
    guard chain.fitsUInt64 else {
      throw FormatError(.invalidChainID, "v names a chain of 2^64 or more", field: "v")
    }
    chainID = chain.limb0
    signature.yParity = rest.limb0 & 1 == 1
  }

  private init(type: TransactionType, fields: inout RLPReader) throws(FormatError) {
    self.init(type: type)
    chainID = try fields.next("chainId").uint64("chainId")
    nonce = try fields.next("nonce").uint64("nonce")
    if type == .accessList {
      gasPrice = try fields.next("gasPrice").uint256("gasPrice")
    } else {
      maxPriorityFeePerGas = try fields.next("maxPriorityFeePerGas").uint256(
        "maxPriorityFeePerGas")
      maxFeePerGas = try fields.next("maxFeePerGas").uint256("maxFeePerGas")
    }
    gasLimit = try fields.next("gasLimit").uint64("gasLimit")
    to = try Self.recipient(&fields)
    if to == nil, type == .blob {
      throw FormatError(
        .blobTransactionWithoutRecipient, "a blob transaction can not create a contract",
        field: "to")
    }
    if to == nil, type == .setCode {
      throw FormatError(
        .setCodeTransactionWithoutRecipient, "a set-code transaction can not create a contract",
        field: "to")
    }
    value = try fields.next("value").uint256("value")
    data = [UInt8](try fields.next("data").string("data"))
    var entries = try fields.next("accessList").list("accessList")
    while !entries.isAtEnd {
      accessList.append(try AccessListEntry(entries.next("accessList")))
    }
    if type == .blob {
      maxFeePerBlobGas = try fields.next("maxFeePerBlobGas").uint256("maxFeePerBlobGas")
      var hashes = try fields.next("blobVersionedHashes").list("blobVersionedHashes")
      while !hashes.isAtEnd {
        blobVersionedHashes.append(
          try hashes.next("blobVersionedHashes").hash("blobVersionedHashes"))
      }
    }
    if type == .setCode {
      var tuples = try fields.next("authorizationList").list("authorizationList")
      while !tuples.isAtEnd {
        authorizationList.append(try Authorization(tuples.next("authorizationList")))
      }
    }
    let parity = try fields.next("yParity").uint256("yParity")
    guard parity <= .one else {
      throw FormatError(.invalidYParity, "the parity is neither 0 nor 1", field: "yParity")
    }
    signature.yParity = !parity.isZero
    signature.r = try fields.next("r").uint256("r")
    signature.s = try fields.next("s").uint256("s")
    try fields.finish()
  }

  private static func recipient(_ fields: inout RLPReader) throws(FormatError) -> Address? {
    let item = try fields.next("to")
    if try item.string("to").isEmpty { return nil }
    return try item.address("to")
  }
}

extension TransactionType {
  /// Refuses a type that a later fork brought.
  public func check(_ fork: Fork) throws(FormatError) {
    guard fork >= since else {
      throw FormatError(
        .unsupportedTransactionType,
        "transactions of type \(rawValue) begin with \(since.name)", field: "\(rawValue)")
    }
  }
}

extension AccessListEntry {
  package init(_ item: RLPItem) throws(FormatError) {
    var fields = try item.list("accessList")
    self.init(address: try fields.next("accessList.address").address("accessList.address"))
    var keys = try fields.next("accessList.storageKeys").list("accessList.storageKeys")
    while !keys.isAtEnd {
      storageKeys.append(
        try keys.next("accessList.storageKeys").hash("accessList.storageKeys").word)
    }
    try fields.finish()
  }
}

extension Authorization {
  package init(_ item: RLPItem) throws(FormatError) {
    var fields = try item.list("authorizationList")
    let chainID = try fields.next("authorization.chainId").uint256("authorization.chainId")
    let address = try fields.next("authorization.address").address("authorization.address")
    let nonce = try fields.next("authorization.nonce").uint64("authorization.nonce")
    let parity = try fields.next("authorization.yParity").uint64("authorization.yParity")
    guard parity <= 0xFF else {
      throw FormatError(
        .valueOutOfRange, "the number is 2^8 or more", field: "authorization.yParity")
    }
    let r = try fields.next("authorization.r").uint256("authorization.r")
    let s = try fields.next("authorization.s").uint256("authorization.s")
    try fields.finish()
    self.init(
      chainID: chainID, address: address, nonce: nonce, yParity: UInt8(parity), r: r, s: s)
  }
}
