import EVM
import Ethereum

/// Writes blocks and what they changed into the tables: in the order of the keys, also over several
/// blocks, so that each page is touched once.
enum StoreWriter {
  /// Writes blocks that follow the head, the oldest first, with their changes.
  static func write(
    _ blocks: [PendingBlock], _ bounds: HistoryBounds, to writer: borrowing LMDBWriter
  ) throws(StorageError) {
    guard let head = blocks.last?.block else { return }
    for block in blocks {
      let number = block.block.header.number
      let key = Snapshot.key(number)
      try writer.put(.headers, key, block.block.headerRecord)
      try writer.put(.bodies, key, block.block.body.bytes)
      try writer.put(.receipts, key, block.block.receipts.bytes)
      try writer.put(.blockHashes, block.block.hash.bytes, key)
      if number == 0 { continue }
      try writer.put(.changes, key, ChangeRecord.bytes(block.layer))
    }
    try writePlaces(blocks, to: writer)
    if bounds.policy == .full { try writeHistory(blocks, to: writer) }
    try write(blocks.map(\.layer), to: writer)
    try bounds.write(to: writer)
    try writeHead(head.header.number, head.hash, head.sequence, to: writer)
  }

  /// Writes where transactions stand.
  private static func writePlaces(
    _ blocks: [PendingBlock], to writer: borrowing LMDBWriter
  ) throws(StorageError) {
    var places: [(hash: Hash256, number: UInt64, index: UInt32)] = []
    places.reserveCapacity(blocks.reduce(0) { $0 + $1.block.transactionHashes.count })
    for block in blocks {
      for (index, hash) in block.block.transactionHashes.enumerated() {
        places.append((hash, block.block.header.number, UInt32(index)))
      }
    }
    places.sort { $0.hash < $1.hash }
    let cursor = try LMDBWriteCursor(writer, .transactionHashes)
    var value: [UInt8] = []
    for place in places {
      value.removeAll(keepingCapacity: true)
      value.append(bigEndian: place.number)
      value.append(bigEndian: place.index)
      try cursor.put(place.hash, nil, value)
    }
  }

  /// Writes which blocks changed what.
  private static func writeHistory(
    _ blocks: [PendingBlock], to writer: borrowing LMDBWriter
  ) throws(StorageError) {
    let layers = blocks.map(\.layer).filter { $0.number > 0 }
    let accounts = try LMDBWriteCursor(writer, .accountHistory)
    try LayerMerge(layers, of: { $0.accounts.count }, by: { $0.accounts[$1].key }).forEach {
      (layer, place, _) throws(StorageError) in
      try accounts.put(layer.accounts[place].key, nil, [], number: layer.number)
    }
    let slots = try LMDBWriteCursor(writer, .slotHistory)
    try LayerMerge(layers, of: { $0.slots.count }, by: { SlotKey($0.slots[$1]) }).forEach {
      (layer, place, _) throws(StorageError) in
      let change = layer.slots[place]
      try slots.put(change.account, change.slot, [], number: layer.number)
    }
  }

  /// Writes the state after layers, the oldest first: of each key the newest value alone.
  static func write(_ layers: [StateLayer], to writer: borrowing LMDBWriter) throws(StorageError) {
    var value: [UInt8] = []
    let accounts = try LMDBWriteCursor(writer, .accounts)
    try LayerMerge(layers, of: { $0.accounts.count }, by: { $0.accounts[$1].key }).forEach {
      (layer, place, isNewest) throws(StorageError) in
      if !isNewest { return }
      let change = layer.accounts[place]
      guard let after = change.after else { return try accounts.delete(change.key, nil) }
      value.removeAll(keepingCapacity: true)
      after.appendStored(to: &value)
      try accounts.put(change.key, nil, value)
    }
    let slots = try LMDBWriteCursor(writer, .slots)
    try LayerMerge(layers, of: { $0.slots.count }, by: { SlotKey($0.slots[$1]) }).forEach {
      (layer, place, isNewest) throws(StorageError) in
      if !isNewest { return }
      let change = layer.slots[place]
      if change.after.isZero { return try slots.delete(change.account, change.slot) }
      value.removeAll(keepingCapacity: true)
      change.after.appendStored(to: &value)
      try slots.put(change.account, change.slot, value)
    }
    for layer in layers {
      for (hash, code) in layer.codes { try writer.put(.codes, hash.bytes, code) }
    }
    let nodes = try LMDBWriteCursor(writer, .nodes)
    try LayerMerge(layers, of: { $0.nodes.count }, by: { $0.nodes.keys[$1] }).forEach {
      (layer, place, isNewest) throws(StorageError) in
      if !isNewest { return }
      try layer.nodes.withBytes(place) { row in
        layer.nodes.keys[place].withBytes { (key) -> Result<Void, StorageError> in
          Result { () throws(StorageError) in
            if let row { try nodes.put(key, row) } else { try nodes.delete(key) }
          }
        }
      }.get()
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

/// A slot of an account, in the order of the table.
private struct SlotKey: Comparable {
  var account: Hash256
  var slot: Hash256

  init(_ change: StateLayer.SlotChange) {
    account = change.account
    slot = change.slot
  }

  static func < (a: SlotKey, b: SlotKey) -> Bool {
    a.account == b.account ? a.slot < b.slot : a.account < b.account
  }
}

/// Columns of several layers, each in order, in the order of all their keys.
private struct LayerMerge<Key: Comparable> {
  private let layers: [StateLayer]
  private let count: (StateLayer) -> Int
  private let key: (StateLayer, Int) -> Key

  /// A column of layers, the oldest first.
  init(
    _ layers: [StateLayer], of count: @escaping (StateLayer) -> Int,
    by key: @escaping (StateLayer, Int) -> Key
  ) {
    self.layers = layers
    self.count = count
    self.key = key
  }

  /// Calls `body` with every row, and whether it is the newest of its key. Of equal keys the oldest
  /// comes first.
  func forEach(
    _ body: (StateLayer, Int, _ isNewest: Bool) throws(StorageError) -> Void
  ) throws(StorageError) {
    var places = [Int](repeating: 0, count: layers.count)
    var heads = layers.map { count($0) > 0 ? key($0, 0) : nil }
    while true {
      var least = -1
      var isAlone = true
      for index in layers.indices {
        guard let head = heads[index] else { continue }
        if least < 0 || head < heads[least]! {
          least = index
          isAlone = true
        } else if head == heads[least]! {
          isAlone = false
        }
      }
      if least < 0 { return }
      try body(layers[least], places[least], isAlone)
      places[least] += 1
      heads[least] =
        places[least] < count(layers[least]) ? key(layers[least], places[least]) : nil
    }
  }
}
