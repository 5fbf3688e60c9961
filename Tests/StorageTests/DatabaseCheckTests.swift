import Coprocessors
import EVM
import Ethereum
import Execution
import Foundation
import Testing

@testable import Storage

@Suite struct DatabaseCheckTests {
  /// A database with some blocks, closed.
  private func make(_ folder: String, history: HistoryPolicy = .full, blocks: Int = 6) throws {
    var options = Database.Options()
    options.history = history
    let chain = ModelChain(seed: 21, accounts: 300)
    let database = try Database(folder: folder, options: options)
    try database.begin(Block(header: chain.header), chain.allocation, file: [1])
    for _ in 0..<blocks { try chain.grow(database, changes: 60) }
    try database.flush()
  }

  private func faults(_ folder: String) throws -> [String] {
    var report = DatabaseCheck.Report()
    try DatabaseCheck(try DatabaseFile(folder: folder).snapshot()).run(into: &report)
    #expect(report.accounts > 100 && report.slots > 100 && report.blocks > 5)
    return report.faults
  }

  @Test func aWholeDatabaseHasNoFaults() throws {
    let folder = TemporaryFolder()
    try make(folder.path)
    #expect(try faults(folder.path) == [])
  }

  /// Whatever is changed in a table, the check names it.
  @Test(arguments: [
    Table.accounts, .slots, .nodes, .headers, .bodies, .receipts, .blockHashes,
  ])
  func damageIsNamed(table: Table) throws {
    let folder = TemporaryFolder()
    try make(folder.path)
    for removes in [true, false] {
      let (key, value) = try sample(folder.path, table)
      var damaged = value
      damaged[damaged.count - 1] ^= 1
      try set(folder.path, table, key, removes ? nil : damaged)
      var found: [String] = []
      do throws(StorageError) {
        var report = DatabaseCheck.Report()
        try DatabaseCheck(try DatabaseFile(folder: folder.path).snapshot()).run(into: &report)
        found = report.faults
      } catch { found = ["\(error)"] }
      #expect(!found.isEmpty, "\(table), removed: \(removes)")
      try set(folder.path, table, key, value)
    }
    #expect(try faults(folder.path) == [])
  }

  /// A row that is cut off, too long, or has one bit more at its end is none; the last child may be missing.
  @Test(arguments: [3, 15]) func damagedRowsAreEmpty(lastChild: Int) {
    var row = NodeRow()
    for child in [1, lastChild] {
      row.counts[child] = 9
      row.references[child] = [0xa0 + UInt8(child), 2, 3].withUnsafeBufferPointer(
        NodeReference.init)
    }
    var stored = [UInt8](repeating: 0, count: NodeRow.storedBytes)
    let count = stored.withUnsafeMutableBufferPointer { row.store(to: $0.baseAddress!) }
    let whole = Array(stored[..<count])
    func read(_ bytes: [UInt8]) -> NodeRow? {
      var found = row
      let isWhole = bytes.withUnsafeBytes { found.read($0) }
      if !isWhole { #expect(found.width == 0) }
      return isWhole ? found : nil
    }
    #expect(read(whole)?.isSame(as: row) == true)
    for length in 0..<count { #expect(read(Array(whole[..<length])) == nil, "\(length) bytes") }
    #expect(read(whole + [0]) == nil)
    var flipped = whole
    flipped[count - 1] ^= 1
    #expect(read(flipped)?.isSame(as: row) != true)
  }

  // A process may have a database open once only: each of these opens and closes it.

  private func sample(_ folder: String, _ table: Table) throws -> (key: [UInt8], value: [UInt8]) {
    let reader = try LMDBReader(LMDBEnvironment(readingOnly: folder, tableNames: Table.names))
    var found: (key: [UInt8], value: [UInt8]) = ([], [])
    var left = 5
    reader.scan(table, from: []) { key, value in
      found = ([UInt8](key), [UInt8](value))
      left -= 1
      return left > 0
    }
    return found
  }

  private func set(_ folder: String, _ table: Table, _ key: [UInt8], _ value: [UInt8]?) throws {
    let database = try Database(folder: folder)
    var writer = try LMDBWriter(database.environment)
    if let value { try writer.put(table, key, value) } else { try writer.delete(table, key) }
    try writer.commit()
  }

  @Test func copiesAreWhole() throws {
    let folder = TemporaryFolder()
    let copy = TemporaryFolder()
    try make(folder.path)
    try FileManager.default.createDirectory(
      atPath: copy.path, withIntermediateDirectories: true)
    try DatabaseFile(folder: folder.path).copy(to: copy.path)
    #expect(try faults(copy.path) == [])
    let head = try DatabaseFile(folder: copy.path).snapshot().head.hash
    #expect(try Database(folder: folder.path).head?.hash == head)
  }

  @Test func aFullHistoryCanBecomeAShortOneAndAFullOneAgain() throws {
    let folder = TemporaryFolder()
    let chain = ModelChain(seed: 22, accounts: 80)
    var options = Database.Options()
    func reopen(_ history: HistoryPolicy) throws -> Database {
      options.history = history
      return try Database(folder: folder.path, options: options)
    }
    var database: Database? = try reopen(.full)
    try database!.begin(Block(header: chain.header), chain.allocation, file: [])
    for _ in 0..<6 { try chain.grow(database!, changes: 20) }
    try database!.flush()
    database = nil
    database = try reopen(.blocks(2))
    for _ in 0..<3 { try chain.grow(database!, changes: 20) }
    try database!.flush()
    #expect(try database!.environment.count(.accountHistory) == 0)
    #expect(try database!.environment.count(.changes) == 2)
    #expect(try database!.snapshot().oldestState == 7)
    database = nil
    database = try reopen(.full)
    for _ in 0..<3 { try chain.grow(database!, changes: 20) }
    for isStored in [false, true] {
      if isStored { try database!.flush() }
      let snapshot = try database!.snapshot()
      #expect(snapshot.oldestState == 7)
      #expect(throws: StorageError.self) { try snapshot.source(after: 6) }
      for number in 7...12 {
        let source = try snapshot.source(after: UInt64(number))
        for address in chain.allocation.accounts.keys {
          let account = chain.states[number].accounts[address]
          #expect(source.account(address)?.nonce == account?.nonce, "block \(number)")
        }
        #expect(
          try snapshot.provingState(after: UInt64(number)).root() == chain.states[number].stateRoot)
      }
    }
  }
}
