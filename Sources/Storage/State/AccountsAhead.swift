import Coprocessors
import EVM
import Execution
import Synchronization

/// Accounts that a block will ask for, read in one go: in the order of their keys, on several threads.
struct AccountsAhead {
  private var addresses: [Address] = []
  private var accounts: [StoredAccount?] = []
  private var index: KeyIndex

  /// Reads the accounts that a block's transactions name.
  init(_ block: PreparedBlock, reader: StateReader, workers: Int) throws(StorageError) {
    index = KeyIndex(
      capacity: block.transactions.reduce(0) { $0 + 2 + $1.transaction.accessList.count })
    for prepared in block.transactions {
      add(prepared.sender)
      if let to = prepared.transaction.to { add(to) }
      for entry in prepared.transaction.accessList { add(entry.address) }
    }
    let addresses = addresses
    var readers = [reader]
    while readers.count < workers { readers.append(try reader.copy()) }
    let free = Mutex(readers)
    accounts = [StoredAccount?](unsafeUninitializedCapacity: addresses.count) { buffer, count in
      // Each piece writes places of its own.
      nonisolated(unsafe) let buffer = buffer
      let pieces = 16
      Workers.run(pieces, on: readers.count) { piece in
        guard let reader = free.withLock({ $0.popLast() }) else {
          preconditionFailure("there are as many readers as threads")
        }
        let range = addresses.count * piece / pieces..<addresses.count * (piece + 1) / pieces
        var keys = range.map { (key: Keccak256.hash(addresses[$0]), place: $0) }
        keys.sort { $0.key < $1.key }
        let cursor = LMDBCursor(reader.reader, .accounts)
        for key in keys {
          (buffer.baseAddress! + key.place).initialize(to: reader.account(key.key, cursor))
        }
        free.withLock { $0.append(reader) }
      }
      count = addresses.count
    }
  }

  private static func word(_ address: Address) -> UInt64 {
    address.low ^ address.middle ^ UInt64(address.high) << 17
  }

  private mutating func add(_ address: Address) {
    let word = Self.word(address)
    if index.find(word, { addresses[$0] == address }) != nil { return }
    index.insert(word, addresses.count)
    addresses.append(address)
  }

  /// What was read of an account; `nil` when it was not read.
  subscript(address: Address) -> StoredAccount?? {
    index.find(Self.word(address)) { addresses[$0] == address }.map { accounts[$0] }
  }
}
