package import EVM
package import Kernels

/// Transactions in columns: rows of fixed size, the bytes that they point to, and the blocks they
/// stand in. What is uploaded as it is.
package struct TransactionBatch {
  package private(set) var rows: [TransactionRow] = []
  package private(set) var bytes: [UInt8] = []
  package private(set) var environments: [EnvironmentRow] = []

  /// An empty batch.
  package init() {}

  /// How many transactions there are.
  package var count: Int { rows.count }

  /// Makes room for transactions with so many bytes of lists.
  package mutating func reserve(_ count: Int, bytes: Int) {
    rows.reserveCapacity(rows.count + count)
    self.bytes.reserveCapacity(self.bytes.count + bytes)
  }

  /// Adds a block and the hashes that BLOCKHASH may ask for; gives its number.
  package mutating func append(
    _ block: BlockEnvironment, blobsAvailable: Int = .max, blockHashes: [UInt64: Hash256] = [:]
  ) -> UInt32 {
    let hashes = blockHashes.sorted { $0.key < $1.key }.map {
      EnvironmentRow.BlockHash(number: $0.key, hash: $0.value)
    }
    let list = hashes.withUnsafeBufferPointer { append(list: $0) }
    environments.append(
      EnvironmentRow(
        block: block, gasAvailable: block.gasLimit, blobsAvailable: blobsAvailable,
        firstHash: Int(list.offset), hashCount: hashes.count))
    return UInt32(environments.count - 1)
  }

  /// Adds a transaction in a block that was added, on a world of the state; with `isCall`, only
  /// its message call.
  package mutating func append(
    _ message: TransactionMessage, environment: UInt32, world: UInt32 = 0, isCall: Bool = false
  ) {
    var row = TransactionRow(message, environment: environment, world: world, isCall: isCall)
    row.data = append(list: message.data)
    row.accessList = append(list: message.accessList)
    row.accessSlots = append(list: message.accessSlots)
    row.blobHashes = append(list: message.blobHashes)
    row.authorizations = append(list: message.authorizations)
    rows.append(row)
  }

  private mutating func append<T>(list: UnsafeBufferPointer<T>) -> TransactionRow.List {
    if list.isEmpty { return .empty }
    let padding = (8 - bytes.count & 7) & 7
    for _ in 0..<padding { bytes.append(0) }
    let offset = bytes.count
    bytes.append(contentsOf: UnsafeRawBufferPointer(list))
    return TransactionRow.List(offset: offset, count: list.count)
  }
}
