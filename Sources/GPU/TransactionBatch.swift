package import EVM
package import Kernels

/// Transactions in columns: rows of fixed size, the bytes that they point to, and the blocks they
/// stand in. What is uploaded as it is.
package struct TransactionBatch {
  private var rows: [TransactionRow] = []
  private var bytes: [UInt8] = []
  private var environments: [EnvironmentRow] = []
  private var hashes: [EnvironmentRow.BlockHash] = []

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
  ///
  /// What the block has left, in gas (all of its limit, unless given) and blobs, is for each of its
  /// transactions.
  package mutating func append(
    _ block: BlockEnvironment, gasAvailable: UInt64? = nil, blobsAvailable: Int = .max,
    blockHashes: [UInt64: Hash256] = [:]
  ) -> UInt32 {
    environments.append(
      EnvironmentRow(
        block: block, gasAvailable: gasAvailable ?? block.gasLimit, blobsAvailable: blobsAvailable,
        firstHash: hashes.count, hashCount: blockHashes.count))
    for (number, hash) in blockHashes.sorted(by: { $0.key < $1.key }) {
      hashes.append(EnvironmentRow.BlockHash(number: number, hash: hash))
    }
    return UInt32(environments.count - 1)
  }

  /// Adds a transaction in a block that was added, on a world of the state; with `isCall`, only
  /// its message call.
  package mutating func append(
    _ message: TransactionMessage, environment: UInt32, world: UInt32 = 0, isCall: Bool = false
  ) {
    precondition(environment < environments.count, "a block is added before its transactions")
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
    while bytes.count & 7 != 0 { bytes.append(0) }
    let offset = bytes.count
    bytes.append(contentsOf: UnsafeRawBufferPointer(list))
    return TransactionRow.List(offset: offset, count: list.count)
  }

  /// Hands over the columns where they lie.
  package func withColumns<Result, Failure: Error>(
    _ body: (BatchColumns) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try rows.withUnsafeBufferPointer { rows throws(Failure) in
      try bytes.withUnsafeBufferPointer { bytes throws(Failure) in
        try environments.withUnsafeBufferPointer { environments throws(Failure) in
          try hashes.withUnsafeBufferPointer { hashes throws(Failure) in
            try body(
              BatchColumns(
                rows: rows, bytes: UnsafeRawBufferPointer(bytes), environments: environments,
                hashes: hashes))
          }
        }
      }
    }
  }
}

/// The columns of a batch, in memory that somebody else owns.
package struct BatchColumns {
  package var rows: UnsafeBufferPointer<TransactionRow>
  /// The lists of the rows, in the rows' order.
  package var bytes: UnsafeRawBufferPointer
  package var environments: UnsafeBufferPointer<EnvironmentRow>
  /// The hashes that the blocks know.
  package var hashes: UnsafeBufferPointer<EnvironmentRow.BlockHash>

  /// The first rows.
  package func prefix(_ count: Int) -> BatchColumns {
    var columns = self
    columns.rows = UnsafeBufferPointer(rebasing: rows.prefix(count))
    return columns
  }

  /// Where the lists of the rows in a range lie among the bytes.
  func byteRange(_ range: Range<Int>) -> Range<Int> {
    /// The first list of a row, or of the rows behind it.
    func start(_ first: Int) -> Int {
      for row in rows[first...] {
        for list in [
          row.data, row.accessList, row.accessSlots, row.blobHashes, row.authorizations,
        ] where list.count > 0 {
          return Int(list.offset)
        }
      }
      return bytes.count
    }
    let first = start(range.lowerBound)
    return first..<max(first, start(range.upperBound))
  }
}
