import EVM
import Ethereum

/// Writes blocks and what they changed into the tables.
enum StoreWriter {
  /// Writes a block that follows the head, with its changes.
  static func write(
    _ block: StoredBlock, _ layer: StateLayer, history: HistoryPolicy,
    to writer: borrowing LMDBWriter
  ) throws(StorageError) {
    let number = block.header.number
    let key = Snapshot.key(number)
    try writer.put(.headers, key, block.headerRecord)
    try writer.put(.bodies, key, block.body.bytes)
    try writer.put(.receipts, key, block.receipts.bytes)
    try writer.put(.blockHashes, block.hash.bytes, key)
    // In the order of the keys, which touches each page once.
    let places = block.transactionHashes.indices.sorted {
      block.transactionHashes[$0] < block.transactionHashes[$1]
    }
    for index in places {
      var place = key
      place.append(bigEndian: UInt32(index))
      try writer.put(.transactionHashes, block.transactionHashes[index].bytes, place)
    }
    if number > 0 {
      try writer.put(.changes, key, ChangeRecord.bytes(layer))
      switch history {
      case .full:
        for change in layer.accounts {
          try writer.put(.accountHistory, change.key.bytes + key, [])
        }
        for change in layer.slots {
          try writer.put(.slotHistory, change.account.bytes + change.slot.bytes + key, [])
        }
      case .blocks(let count):
        if number > UInt64(count) {
          try writer.delete(.changes, Snapshot.key(number - UInt64(count)))
        }
      }
    }
    try write(layer, to: writer)
    try writeHead(number, block.hash, block.sequence, to: writer)
  }

  /// Writes the state after a layer.
  static func write(_ layer: StateLayer, to writer: borrowing LMDBWriter) throws(StorageError) {
    var value: [UInt8] = []
    for change in layer.accounts {
      value.removeAll(keepingCapacity: true)
      if let after = change.after {
        after.appendStored(to: &value)
        try writer.put(.accounts, change.key.bytes, value)
      } else {
        try writer.delete(.accounts, change.key.bytes)
      }
    }
    for change in layer.slots {
      value.removeAll(keepingCapacity: true)
      let key = change.account.bytes + change.slot.bytes
      if change.after.isZero {
        try writer.delete(.slots, key)
      } else {
        change.after.appendStored(to: &value)
        try writer.put(.slots, key, value)
      }
    }
    for (hash, code) in layer.codes { try writer.put(.codes, hash.bytes, code) }
    var nodes = layer.nodes.map { (key: $0.key.bytes, row: $0.value) }
    nodes.sort { $0.key.lexicographicallyPrecedes($1.key) }
    for node in nodes {
      guard let row = node.row else {
        try writer.delete(.nodes, node.key)
        continue
      }
      value.removeAll(keepingCapacity: true)
      row.append(to: &value)
      try writer.put(.nodes, node.key, value)
    }
  }

  /// Writes which block is the head, and the last entry of the block log that is stored.
  static func writeHead(
    _ number: UInt64, _ hash: Hash256, _ sequence: UInt64, to writer: borrowing LMDBWriter
  ) throws(StorageError) {
    var head = Snapshot.key(number)
    head.append(bigEndian: sequence)
    try writer.put(.meta, Database.headKey, head + hash.bytes)
  }

  /// Takes a block out of the tables, but for its state.
  static func remove(
    _ number: UInt64, _ snapshot: Snapshot, to writer: borrowing LMDBWriter
  ) throws(StorageError) {
    let key = Snapshot.key(number)
    guard let header = try snapshot.header(number), let body = snapshot.body(number) else {
      throw StorageError(.corrupt, "database: block \(number) is missing")
    }
    for index in 0..<body.count {
      try writer.delete(.transactionHashes, Keccak256.hash(body.envelope(index)).bytes)
    }
    try writer.delete(.blockHashes, header.hash.bytes)
    if let bytes = snapshot.reader.get(.changes, key) {
      var keys: [(Table, [UInt8])] = []
      let record = ChangeRecord(stored: bytes)
      record.forEachAccount { hash, _ in keys.append((.accountHistory, hash.bytes + key)) }
      record.forEachSlot { account, slot, _ in
        keys.append((.slotHistory, account.bytes + slot.bytes + key))
      }
      for (table, key) in keys { try writer.delete(table, key) }
    }
    for table in [Table.headers, .bodies, .receipts, .changes] { try writer.delete(table, key) }
    try writer.delete(.meta, Snapshot.amendmentKey(number))
  }
}
