import EVM
import Ethereum

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The database of a folder to be read alone, also while a node has it open: one moment of it.
package final class DatabaseFile {
  /// The folder.
  package let folder: String
  let environment: LMDBEnvironment

  /// Opens the database that is in a folder.
  package init(folder: String) throws(StorageError) {
    guard access(folder + "/data.mdb", R_OK) == 0 else {
      throw StorageError(.unreadable, "\(folder)/data.mdb: \(String(cString: strerror(errno)))")
    }
    guard try CommitGuard(folder: folder).find().0 != .cut else {
      throw StorageError(
        .unreadable,
        "\(folder): the machine went down while blocks were being stored; start the node on it once, "
          + "which goes back to the blocks before and replays these from its log")
    }
    self.folder = folder
    environment = try LMDBEnvironment(readingOnly: folder, tableNames: Table.names)
    try Database.checkSchema(try LMDBReader(environment))
  }

  /// The chain as the database has it. What a node has not stored yet is only in its block log.
  package func snapshot() throws(StorageError) -> Snapshot {
    let reader = try LMDBReader(environment)
    guard let bytes = reader.get(.meta, Database.headKey) else {
      throw StorageError(.unavailable, "\(folder) has no chain")
    }
    guard let record = reader.get(.headers, Snapshot.key(bytes.uint64(at: 0))) else {
      throw StorageError(.corrupt, "the header of the head, \(bytes.uint64(at: 0)), is missing")
    }
    return Snapshot(
      head: try StoredHeader(stored: record), bounds: HistoryBounds(reader, .full), pending: [],
      reader: reader)
  }

  /// The last entry of the block log that is stored.
  package func storedSequence() throws(StorageError) -> UInt64 {
    try LMDBReader(environment).get(.meta, Database.headKey)?.uint64(at: 8) ?? 0
  }

  /// The genesis file that the chain began with.
  package func genesis() throws(StorageError) -> [UInt8]? {
    try LMDBReader(environment).get(.meta, Database.genesisKey).map { [UInt8]($0) }
  }

  /// Copies it, without free pages, into a folder that has no database.
  package func copy(to folder: String) throws(StorageError) { try environment.copy(to: folder) }

  /// How many entries each table has, and how many bytes its pages take; how many bytes the file has in
  /// use.
  package func statistics() throws(StorageError) -> (
    tables: [(name: String, entries: Int, bytes: Int)], bytes: Int
  ) {
    var tables: [(name: String, entries: Int, bytes: Int)] = []
    for table in Table.allCases {
      let found = try environment.statistics(table)
      tables.append(("\(table)", found.entries, found.bytes))
    }
    return (tables, environment.usedBytes)
  }
}
