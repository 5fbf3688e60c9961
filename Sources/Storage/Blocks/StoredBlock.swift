package import EVM
package import Ethereum

/// A block as the database keeps it, in the records of its tables.
package final class StoredBlock: Sendable {
  /// The header.
  package let header: BlockHeader
  /// The hash that names the block.
  package let hash: Hash256
  /// The difficulties of the chain up to it, summed up.
  package let totalDifficulty: UInt256
  /// Bytes of the block's RLP.
  package let size: Int
  /// The hashes of its transactions.
  package let transactionHashes: [Hash256]
  /// The body's record.
  package let body: BodyRecord
  /// The receipts' record.
  package let receipts: ReceiptsRecord
  /// The number of its entry in the block log; zero when it has none.
  package let sequence: UInt64

  /// A block that was executed: the senders of its transactions and its receipts are known, maybe also
  /// its transactions as their hashes are made of, with the hashes.
  package init(
    _ block: Block, hash: Hash256, size: Int, totalDifficulty: UInt256, senders: [Address],
    receipts: [Receipt], envelopes: [[UInt8]]? = nil, transactionHashes: [Hash256]? = nil,
    sequence: UInt64
  ) {
    header = block.header
    self.hash = hash
    self.size = size
    self.totalDifficulty = totalDifficulty
    self.sequence = sequence
    let envelopes = envelopes ?? block.transactions.map(\.encoded)
    self.transactionHashes = transactionHashes ?? envelopes.map { Keccak256.hash($0) }
    body = BodyRecord(block, envelopes: envelopes, senders: senders)
    self.receipts = ReceiptsRecord(receipts)
  }

  /// The header's record: hash, total difficulty, size, RLP.
  var headerRecord: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(word: hash.word)
    bytes.append(word: totalDifficulty)
    bytes.append(bigEndian: UInt32(size))
    return bytes + header.encoded
  }

  /// What the header's table says of this block.
  package var summary: StoredHeader {
    StoredHeader(hash: hash, totalDifficulty: totalDifficulty, size: size, header: header)
  }
}

/// A header and what is known of its block.
package struct StoredHeader: Sendable {
  /// The hash that names the block.
  package var hash: Hash256
  /// The difficulties of the chain up to it, summed up.
  package var totalDifficulty: UInt256
  /// Bytes of the block's RLP.
  package var size: Int
  /// The header.
  package var header: BlockHeader
  /// Whether it is of a block in the making: its hash names nothing that stays.
  package var isPending = false

  /// A header of these values.
  package init(hash: Hash256, totalDifficulty: UInt256, size: Int, header: BlockHeader) {
    self.hash = hash
    self.totalDifficulty = totalDifficulty
    self.size = size
    self.header = header
  }

  /// The bloom filter's 256 bytes in a record; `nil` where they are not.
  static func bloom(stored bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
    // What is before it has one width always: two hashes, an address, and three roots.
    let place = 68 + 3 + 33 + 33 + 21 + 3 * 33
    guard bytes.count >= place + 259, bytes[place] == 0xB9, bytes[place + 1] == 1,
      bytes[place + 2] == 0
    else { return nil }
    return (bytes.baseAddress! + place + 3).assumingMemoryBound(to: UInt8.self)
  }

  init(stored bytes: UnsafeRawBufferPointer) throws(StorageError) {
    guard bytes.count > 68 else { throw StorageError(.corrupt, "a header's record is cut off") }
    let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    hash = Hash256(bytes: base)
    totalDifficulty = UInt256(bigEndian: base + 32)
    size = Int(bytes.uint32(at: 64))
    do throws(FormatError) {
      header = try BlockHeader(decoding: [UInt8](bytes[68...]))
    } catch { throw StorageError(.corrupt, "a header's record: \(error)") }
  }
}

/// A block's transactions one by one, with their senders, and the rest of its body.
///
/// Count, then for each transaction where it ends, the senders, the transactions, and RLP of ommers
/// and withdrawals.
package struct BodyRecord: Sendable {
  let bytes: [UInt8]

  init(stored bytes: UnsafeRawBufferPointer) { self.bytes = [UInt8](bytes) }

  init(_ block: Block, envelopes: [[UInt8]], senders: [Address]) {
    var bytes: [UInt8] = []
    let size = envelopes.reduce(0) { $0 + $1.count }
    bytes.reserveCapacity(4 + envelopes.count * 24 + size + 64)
    bytes.append(bigEndian: UInt32(envelopes.count))
    var end: UInt32 = 0
    for envelope in envelopes {
      end += UInt32(envelope.count)
      bytes.append(bigEndian: end)
    }
    for sender in senders { bytes.append(contentsOf: sender.bytes) }
    for envelope in envelopes { bytes.append(contentsOf: envelope) }
    var encoder = RLPEncoder()
    encoder.list { encoder in
      encoder.list { encoder in
        for ommer in block.ommers { ommer.encode(into: &encoder) }
      }
      if let withdrawals = block.withdrawals {
        encoder.list { encoder in
          for withdrawal in withdrawals { withdrawal.encode(into: &encoder) }
        }
      }
    }
    self.bytes = bytes + encoder.bytes
  }

  /// How many transactions there are.
  package var count: Int { Int(bytes.withUnsafeBytes { $0.uint32(at: 0) }) }

  private func end(_ index: Int) -> Int {
    index < 0 ? 0 : Int(bytes.withUnsafeBytes { $0.uint32(at: 4 + index * 4) })
  }

  private var start: Int { 4 + count * 24 }

  /// A transaction's bytes, as its hash is made of.
  package func envelope(_ index: Int) -> [UInt8] {
    [UInt8](bytes[start + end(index - 1)..<start + end(index)])
  }

  /// Calls `body` with a transaction's bytes where they are; there is at least one.
  func withEnvelope(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    bytes.withUnsafeBufferPointer {
      body(UnsafeBufferPointer(rebasing: $0[start + end(index - 1)..<start + end(index)]))
    }
  }

  /// What follows the transactions in the block's RLP: the lists of ommers and of withdrawals.
  var tailItems: ArraySlice<UInt8> {
    let tail = bytes[(start + end(count - 1))...]
    // One list holds both: without its header, which tells how long its length is.
    guard let first = tail.first else { return tail }
    return tail.dropFirst(first < 0xF8 ? 1 : 2 + Int(first - 0xF8))
  }

  /// A transaction.
  package func transaction(_ index: Int) throws(StorageError) -> Transaction {
    do throws(FormatError) {
      return try Transaction(decoding: envelope(index))
    } catch { throw StorageError(.corrupt, "a stored transaction: \(error)") }
  }

  /// Who sent a transaction.
  package func sender(_ index: Int) -> Address {
    bytes.withUnsafeBufferPointer { Address(bytes: $0.baseAddress! + 4 + count * 4 + index * 20) }
  }

  /// The block, with its header.
  package func block(_ header: BlockHeader) throws(StorageError) -> Block {
    var block = Block(header: header)
    for index in 0..<count { block.transactions.append(try transaction(index)) }
    do throws(FormatError) {
      try withBytes([UInt8](bytes[(start + end(count - 1))...])) { (tail) throws(FormatError) in
        var fields = try RLPItem(tail).list()
        var ommers = try fields.next("ommers").list()
        while !ommers.isAtEnd { block.ommers.append(try BlockHeader(ommers.next("ommer"))) }
        if fields.isAtEnd { return }
        var withdrawals = try fields.next("withdrawals").list()
        var list: [Withdrawal] = []
        while !withdrawals.isAtEnd {
          list.append(try Withdrawal(withdrawals.next("withdrawal")))
        }
        block.withdrawals = list
      }
    } catch { throw StorageError(.corrupt, "a stored body: \(error)") }
    return block
  }
}

/// A block's receipts one by one, without their blooms.
///
/// Count, then for each receipt where it ends, then the receipts: type, outcome, cumulative gas, the
/// block's logs before, the state root before Byzantium, and RLP of the logs.
package struct ReceiptsRecord: Sendable {
  let bytes: [UInt8]

  init(stored bytes: UnsafeRawBufferPointer) { self.bytes = [UInt8](bytes) }

  init(_ receipts: [Receipt]) {
    var bytes: [UInt8] = []
    bytes.append(bigEndian: UInt32(receipts.count))
    var contents: [UInt8] = []
    contents.reserveCapacity(receipts.count * 20)
    var firstLog: UInt32 = 0
    for receipt in receipts {
      contents.append(receipt.type.rawValue)
      switch receipt.outcome {
      case .status(let success): contents.append(success ? 1 : 0)
      case .stateRoot: contents.append(2)
      }
      contents.append(bigEndian: receipt.cumulativeGasUsed)
      contents.append(bigEndian: firstLog)
      if case .stateRoot(let root) = receipt.outcome { contents.append(word: root.word) }
      firstLog += UInt32(receipt.logs.count)
      var encoder = RLPEncoder()
      encoder.list { encoder in
        for log in receipt.logs { log.encode(into: &encoder) }
      }
      contents.append(contentsOf: encoder.bytes)
      bytes.append(bigEndian: UInt32(contents.count))
    }
    self.bytes = bytes + contents
  }

  /// How many receipts there are.
  package var count: Int { Int(bytes.withUnsafeBytes { $0.uint32(at: 0) }) }

  /// Where a receipt lies.
  func entry(_ index: Int) -> Range<Int> {
    let start = 4 + count * 4
    let from = index == 0 ? 0 : Int(bytes.withUnsafeBytes { $0.uint32(at: index * 4) })
    let to = Int(bytes.withUnsafeBytes { $0.uint32(at: 4 + index * 4) })
    return start + from..<start + to
  }

  /// A receipt, and how many logs the block has before it.
  package func receipt(_ index: Int) throws(StorageError) -> (receipt: Receipt, firstLog: Int) {
    let entry = [UInt8](bytes[entry(index)])
    guard let type = TransactionType(rawValue: entry[0]) else {
      throw StorageError(.corrupt, "a stored receipt has the type \(entry[0])")
    }
    let gas = entry.withUnsafeBytes { $0.uint64(at: 2) }
    let firstLog = Int(entry.withUnsafeBytes { $0.uint32(at: 10) })
    var position = 14
    var outcome = Receipt.Outcome.status(entry[1] == 1)
    if entry[1] == 2 {
      outcome = .stateRoot(entry.withUnsafeBufferPointer { Hash256(bytes: $0.baseAddress! + 14) })
      position += 32
    }
    var logs: [Log] = []
    do throws(FormatError) {
      try withBytes([UInt8](entry[position...])) { (bytes) throws(FormatError) in
        var items = try RLPItem(bytes).list()
        while !items.isAtEnd { logs.append(try Log(items.next("log"))) }
      }
    } catch { throw StorageError(.corrupt, "a stored receipt: \(error)") }
    let receipt = Receipt(type: type, outcome: outcome, cumulativeGasUsed: gas, logs: logs)
    return (receipt, firstLog)
  }

  /// All receipts.
  package func all() throws(StorageError) -> [Receipt] {
    var list: [Receipt] = []
    for index in 0..<count { list.append(try receipt(index).receipt) }
    return list
  }
}
