public import EVM

/// A block of the main network with what is needed to execute it: a folder of `block.json` (as
/// `eth_getBlockByNumber` gives it, with whole transactions), `pre_state.json` (the touched
/// accounts), `bytecodes.json` (code by hash) and `block_hashes.json` (what BLOCKHASH reads).
///
/// The layout is that of risechain/pevm's test data. Only `block.json` has to be there.
public struct MainnetBlock: Sendable {
  /// The block. Ommers are known by their hashes only, so that its list of them is empty.
  public var block: Block
  /// The block's hash as the file gives it.
  public var hash: Hash256
  /// The hashes of the ommers.
  public var ommerHashes: [Hash256]
  /// The senders that the file gives, one for each transaction.
  public var senders: [Address?]
  /// The transactions' hashes that the file gives, one for each transaction.
  public var transactionHashes: [Hash256?]
  /// The touched accounts before the block.
  public var pre: Allocation
  /// Hashes of earlier blocks by number.
  public var blockHashes: [UInt64: Hash256]
  /// The block's access list (EIP-7928): `blockAccessList`, as RLP in hexadecimal or in the form of the
  /// execution spec tests; `nil` when the block has none.
  public var accessList: BlockAccessList?

  /// Reads a block's folder.
  public init(folder: String) throws(FormatError) {
    try self.init(
      block: FileBytes(path: folder + "/block.json"),
      pre: Self.optional(folder + "/pre_state.json"),
      codes: Self.optional(folder + "/bytecodes.json"),
      hashes: Self.optional(folder + "/block_hashes.json"))
  }

  /// A file, or an empty object when there is none.
  private static func optional(_ path: String) throws(FormatError) -> FileBytes {
    guard FileBytes.exists(path) else { return FileBytes(copying: Array("{}".utf8), path: path) }
    return try FileBytes(path: path)
  }

  private init(
    block file: borrowing FileBytes, pre preFile: borrowing FileBytes,
    codes codeFile: borrowing FileBytes, hashes hashFile: borrowing FileBytes
  ) throws(FormatError) {
    block = Block(header: BlockHeader())
    hash = .zero
    ommerHashes = []
    senders = []
    transactionHashes = []
    pre = Allocation()
    blockHashes = [:]
    do throws(FormatError) {
      var cursor = JSONCursor(file.buffer)
      try readBlock(&cursor)
      try cursor.finish()
    } catch { throw error.inFile(file.path) }
    var codes: [Hash256: [UInt8]] = [:]
    do throws(FormatError) {
      var cursor = JSONCursor(codeFile.buffer)
      codes = try Self.readCodes(&cursor)
      try cursor.finish()
    } catch { throw error.inFile(codeFile.path) }
    do throws(FormatError) {
      var cursor = JSONCursor(preFile.buffer)
      pre = try Self.readAccounts(&cursor, codes: codes)
      try cursor.finish()
    } catch { throw error.inFile(preFile.path) }
    do throws(FormatError) {
      var cursor = JSONCursor(hashFile.buffer)
      blockHashes = try cursor.blockHashes()
      try cursor.finish()
    } catch { throw error.inFile(hashFile.path) }
  }

  private mutating func readBlock(_ cursor: inout JSONCursor) throws(FormatError) {
    var found: Hash256?
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "hash": found = try cursor.hash()
      case "uncles":
        ommerHashes = try cursor.array { (cursor) throws(FormatError) in try cursor.hash() }
      case "withdrawals":
        if try cursor.skipNull() { continue }
        block.withdrawals = try cursor.withdrawals()
      case "blockAccessList":
        if try cursor.skipNull() { continue }
        if try cursor.kind() == .string {
          do throws(FormatError) {
            accessList = try BlockAccessList(decoding: cursor.hexBytes())
          } catch { throw error.within("blockAccessList") }
        } else {
          accessList = try cursor.blockAccessList()
        }
      case "transactions":
        try cursor.beginArray()
        while try cursor.nextElement() {
          let transaction = try cursor.describedTransaction()
          block.transactions.append(transaction.transaction)
          senders.append(transaction.sender)
          transactionHashes.append(transaction.hash)
        }
      default:
        if try !cursor.readHeaderField(key, into: &block.header) { try cursor.skipValue() }
      }
    }
    hash = try cursor.required(found, "hash")
  }

  private static func readCodes(_ cursor: inout JSONCursor) throws(FormatError)
    -> [Hash256: [UInt8]]
  {
    var codes: [Hash256: [UInt8]] = [:]
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      guard let hash = Hash256(text: key.rawBytes) else {
        throw cursor.failure(
          .malformedHexadecimal, "the key should be a code's hash", at: cursor.offset(of: key))
      }
      if try cursor.kind() == .string {
        codes[hash] = try cursor.hexBytes()
        continue
      }
      // Analysed code is padded with zeros: `original_len` is what it was.
      var code: [UInt8]?
      var length: Int?
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        switch key {
        case "bytecode": code = try cursor.hexBytes()
        case "original_len": length = try cursor.index()
        default: try cursor.skipValue()
        }
      }
      let whole = try cursor.required(code, "bytecode")
      codes[hash] = length.map { Array(whole.prefix($0)) } ?? whole
    }
    return codes
  }

  private static func readAccounts(
    _ cursor: inout JSONCursor, codes: [Hash256: [UInt8]]
  ) throws(FormatError) -> Allocation {
    var allocation = Allocation()
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      guard let address = Address(text: key.rawBytes) else {
        throw cursor.failure(
          .malformedHexadecimal, "an address should be 0x and 40 hexadecimal digits",
          at: cursor.offset(of: key))
      }
      var account = Allocation.Account()
      var codeHash: Hash256?
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        switch key {
        case "basic":
          try cursor.beginObject()
          while let key = try cursor.nextKey() {
            switch key {
            case "balance": account.balance = try cursor.uint256()
            case "nonce": account.nonce = try cursor.uint64()
            default: try cursor.skipValue()
            }
          }
        case "balance": account.balance = try cursor.uint256()
        case "nonce": account.nonce = try cursor.uint64()
        case "code":
          if try cursor.skipNull() { continue }
          if try cursor.kind() == .string {
            account.code = try cursor.hexBytes()
          } else {
            try cursor.skipValue()
          }
        case "code_hash", "codeHash":
          if try !cursor.skipNull() { codeHash = try cursor.hash() }
        case "storage": account.storage = try cursor.storage()
        default: try cursor.skipValue()
        }
      }
      if account.code.isEmpty, let codeHash, codeHash != .emptyCode {
        guard let code = codes[codeHash] else {
          throw cursor.failure(
            .missingField, "the code \(codeHash) is not in bytecodes.json",
            at: cursor.offset(of: key))
        }
        account.code = code
      }
      allocation.accounts[address] = account
    }
    return allocation
  }
}
