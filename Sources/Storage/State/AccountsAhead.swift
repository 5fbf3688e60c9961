import Coprocessors
import EVM
import Ethereum
import Execution
import Synchronization

/// Accounts that a block will ask for, read in one go: in the order of their keys, on several threads.
struct AccountsAhead {
  private var addresses: [Address] = []
  private var accounts: [StoredAccount?] = []
  private var index: KeyIndex
  /// The accounts with their neighbours in the trie. Its first reader is the one that was given.
  private(set) var groups: AccountGroups?

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
    // In the order of the keys, so that each thread has a part of the trie.
    let keys = Keccak256.hashes(of: addresses.indices) { addresses[$0] }
    var order = keys.indices.map { (word: keys[$0].word.limb3, place: Int32($0)) }
    order.sort { a, b in
      a.word == b.word ? keys[Int(a.place)] < keys[Int(b.place)] : a.word < b.word
    }
    let inOrder = order
    var readers = [reader]
    while readers.count < workers { readers.append(try reader.copy()) }
    let free = Mutex(readers)
    let depth = AccountGroups.depth(accounts: reader.reader.count(.accounts))
    let pieces = 16
    let parts = Mutex([AccountGroups.Part](repeating: .init(depth: depth), count: pieces))
    accounts = [StoredAccount?](unsafeUninitializedCapacity: addresses.count) { buffer, count in
      // Each piece writes places of its own.
      nonisolated(unsafe) let buffer = buffer
      Workers.run(pieces, on: readers.count) { piece in
        guard let reader = free.withLock({ $0.popLast() }) else {
          preconditionFailure("there are as many readers as threads")
        }
        let cursor = LMDBCursor(reader.reader, .accounts)
        var part = AccountGroups.Part(depth: depth)
        var places = [Int](repeating: 0, count: reader.layers.count)
        let range = inOrder.count * piece / pieces..<inOrder.count * (piece + 1) / pieces
        for next in inOrder[range] {
          let key = keys[Int(next.place)]
          // The group is wanted also where a layer has the account.
          let stored = part.account(key, cursor)
          (buffer.baseAddress! + Int(next.place)).initialize(
            to: reader.changed(key, &places) ?? stored)
        }
        parts.withLock { $0[piece] = part }
        free.withLock { $0.append(reader) }
      }
      count = addresses.count
    }
    groups = AccountGroups(
      depth: depth, parts.withLock { $0 }, readers: Array(readers.dropFirst()))
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

extension Keccak256 {
  /// The keys of accounts: the hashes of their addresses, by numbers.
  static func hashes(of range: Range<Int>, _ address: (Int) -> Address) -> [Hash256] {
    [Hash256](unsafeUninitializedCapacity: range.count) { hashes, count in
      if let base = hashes.baseAddress {
        hash(range, size: 20, into: base) { index, place in
          address(index).store(bytes: place)
          return 20
        }
      }
      count = range.count
    }
  }
}
