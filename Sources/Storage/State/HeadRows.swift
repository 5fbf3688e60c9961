import Dispatch
import EVM
import Synchronization

/// Rows of the tries' upper nodes as they are after the head, in memory: a block needs many of those
/// that the blocks before it changed, and a search in the database and in the layers over it takes
/// longer than all else that is done with a row.
///
/// The rows are of one state, that after the block that `version` names. Who works out the next root
/// borrows them; meanwhile they stay as they are, and others do without.
final class HeadRows: Sendable {
  private struct State {
    /// The block after which the rows are so; `nil` while there are none.
    var version: Hash256?
    var isLent = false
    /// Blocks that followed, whose rows have not been taken over.
    var changes: [(parent: Hash256, head: Hash256, rows: NodeRows)] = []
    /// Whether all is to be forgotten when it comes back.
    var isVoid = false
  }

  private let state = Mutex(State())
  /// Changed under the lock while it is not lent, and read by the borrower's threads.
  private let table: RowTable

  /// Room for rows of so many bytes.
  init(bytes: Int) { table = RowTable(limit: bytes / RowTable.slotBytes) }

  /// The rows of the state after a block, lent.
  final class Loan: Sendable {
    private let rows: HeadRows
    /// Rows that were read from elsewhere.
    private let misses = Mutex<[(key: NodeKey, row: NodeRow)]>([])

    fileprivate init(_ rows: HeadRows) { self.rows = rows }

    /// Reads a row; `nil` where it is not known whether there is one.
    func read(_ key: NodeKey, into row: inout NodeRow) -> Bool? {
      guard let bytes = rows.table.find(key) else { return nil }
      return bytes.isEmpty ? false : row.read(bytes)
    }

    /// Notes a row that had to be read from the database or a layer.
    func note(_ key: NodeKey, _ row: NodeRow) { misses.withLock { $0.append((key, row)) } }

    /// Gives the rows back.
    func end() { rows.takeBack(misses.withLock { $0 }) }
  }

  /// Lends the rows after a block; `nil` while somebody else has them.
  func lend(after head: Hash256) -> Loan? {
    state.withLock { state in
      if state.isLent { return nil }
      takeOver(&state)
      if state.version != head {
        table.removeAll()
        state.version = head
      }
      state.isLent = true
      return Loan(self)
    }
  }

  private func takeBack(_ misses: [(key: NodeKey, row: NodeRow)]) {
    state.withLock { state in
      state.isLent = false
      if state.isVoid {
        state.isVoid = false
        table.removeAll()
        state.version = nil
        return
      }
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: NodeRow.storedBytes) { bytes in
        for miss in misses {
          let count = miss.row.store(to: bytes.baseAddress!)
          table.set(
            miss.key, UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<count]))
        }
      }
      takeOver(&state)
    }
  }

  /// A block follows another and changes rows. They are taken over in the background.
  func advance(from parent: Hash256, to head: Hash256, _ rows: NodeRows) {
    state.withLock { $0.changes.append((parent, head, rows)) }
    DispatchQueue.global().async { [weak self] in
      guard let self else { return }
      self.state.withLock { if !$0.isLent { self.takeOver(&$0) } }
    }
  }

  /// Forgets all: the head went elsewhere.
  func forget() {
    state.withLock { state in
      state.changes = []
      if state.isLent {
        state.isVoid = true
      } else {
        table.removeAll()
        state.version = nil
      }
    }
  }

  private func takeOver(_ state: inout State) {
    for change in state.changes {
      if state.version != change.parent { table.removeAll() }
      for index in 0..<change.rows.count {
        change.rows.withBytes(index) { table.set(change.rows.keys[index], $0) }
      }
      state.version = change.head
    }
    state.changes = []
  }
}

/// Rows in memory of their own, by key.
private final class RowTable: @unchecked Sendable {
  // Sendable: `HeadRows` changes it under its lock alone.

  private var index = KeyIndex(capacity: 1024)
  private var capacity = 1024
  private var keys: [NodeKey] = []
  /// Bytes of each row; zero for one that is known not to be there.
  private var counts: [UInt16] = []
  private var chunks: [UnsafeMutableRawPointer] = []
  private let limit: Int
  /// Rows that found no room.
  private var refused = 0

  private static let rowsOfChunk = 4096
  /// Bytes that a row takes, with its key and its place in the index.
  static var slotBytes: Int { NodeRow.storedBytes + MemoryLayout<NodeKey>.stride + 16 }

  init(limit: Int) { self.limit = limit }

  deinit { removeAll() }

  private func place(_ row: Int) -> UnsafeMutableRawPointer {
    chunks[row / Self.rowsOfChunk] + row % Self.rowsOfChunk * NodeRow.storedBytes
  }

  private func row(of key: NodeKey) -> Int? { index.find(key.indexWord) { keys[$0] == key } }

  /// The bytes of a row, none for one that is known not to be there; `nil` for one that is not known.
  func find(_ key: NodeKey) -> UnsafeRawBufferPointer? {
    row(of: key).map { UnsafeRawBufferPointer(start: place($0), count: Int(counts[$0])) }
  }

  /// Sets a row; `nil` for one that is no more. Where there is no room it stays unknown; when that has
  /// happened to as many as there are, others than these are wanted now, and all begins anew.
  func set(_ key: NodeKey, _ bytes: UnsafeRawBufferPointer?) {
    var number = row(of: key)
    if number == nil {
      guard let bytes, !bytes.isEmpty else { return }
      if keys.count >= limit {
        refused += 1
        if refused > limit { removeAll() }
        return
      }
      if keys.count == capacity {
        capacity *= 4
        index = KeyIndex(capacity: capacity)
        for (row, key) in keys.enumerated() { index.insert(key.indexWord, row) }
      }
      if keys.count == chunks.count * Self.rowsOfChunk {
        chunks.append(.allocate(byteCount: Self.rowsOfChunk * NodeRow.storedBytes, alignment: 64))
      }
      number = keys.count
      index.insert(key.indexWord, keys.count)
      keys.append(key)
      counts.append(0)
    }
    guard let number else { return }
    counts[number] = UInt16(bytes?.count ?? 0)
    if let bytes, let source = bytes.baseAddress {
      place(number).copyMemory(from: source, byteCount: bytes.count)
    }
  }

  func removeAll() {
    for chunk in chunks { chunk.deallocate() }
    (chunks, keys, counts, refused) = ([], [], [], 0)
    capacity = 1024
    index = KeyIndex(capacity: capacity)
  }
}
