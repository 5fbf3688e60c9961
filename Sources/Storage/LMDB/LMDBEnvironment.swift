internal import CLMDB
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A memory-mapped key-value file of LMDB: one writer at a time, readers that see the state of their
/// beginning and block nobody.
final class LMDBEnvironment: @unchecked Sendable {
  // Sendable: LMDB serialises writers itself and gives each reader a slot of its own.

  let handle: OpaquePointer
  let path: String
  private var tables: [MDB_dbi]
  /// Whether a guard of a commit may stand: it has to go before another commit changes pages.
  let isGuarded = Atomic(false)
  /// Where the file is mapped, where that is known.
  private(set) var mapping: FileMapping?

  /// Opens or creates the file `data.mdb` in a folder. `mapSize` bounds the file, in bytes; it is
  /// address space, not memory.
  init(folder: String, tableNames: [String], mapSize: Int) throws(StorageError) {
    path = folder
    var created: OpaquePointer?
    try Self.check(mdb_env_create(&created), "creating the environment")
    guard let created else { throw StorageError(.unreadable, "LMDB gives no environment") }
    handle = created
    tables = []
    // From here on an error ends in `deinit`, which closes it.
    try Self.check(mdb_env_set_mapsize(handle, mapSize), "setting the map's size")
    try Self.check(mdb_env_set_maxdbs(handle, UInt32(tableNames.count)), "setting the tables")
    try Self.check(mdb_env_set_maxreaders(handle, 1024), "setting the readers")
    let commit = CommitGuard(folder: folder)
    let isUnfinished = try commit.restore()
    // Readers are tied to their transactions, not to threads; random access gains nothing from
    // read-ahead. Pages are changed in the map, which saves a copy of each and its place in a list
    // that LMDB keeps in order; `requireSpace` sees to it that the disk has room for them.
    try Self.check(
      mdb_env_open(handle, folder, UInt32(MDB_NOTLS | MDB_NORDAHEAD | MDB_WRITEMAP), 0o644),
      "opening \(folder)")
    var transaction: OpaquePointer?
    try Self.check(mdb_txn_begin(handle, nil, 0, &transaction), "opening the tables")
    for name in tableNames {
      var table = MDB_dbi()
      try Self.check(
        mdb_dbi_open(transaction, name, UInt32(MDB_CREATE), &table), "opening table \(name)")
      tables.append(table)
    }
    try Self.check(mdb_txn_commit(transaction), "opening the tables")
    var file: mdb_filehandle_t = -1
    try Self.check(mdb_env_get_fd(handle, &file), "looking for the map")
    mapping = FileMapping(file: file)
    if isUnfinished { try endGuard() }
  }

  /// Opens the file `data.mdb` of a folder to be read alone, beside whoever writes it.
  init(readingOnly folder: String, tableNames: [String]) throws(StorageError) {
    path = folder
    var created: OpaquePointer?
    try Self.check(mdb_env_create(&created), "creating the environment")
    guard let created else { throw StorageError(.unreadable, "LMDB gives no environment") }
    handle = created
    tables = []
    // From here on an error ends in `deinit`, which closes it.
    try Self.check(mdb_env_set_maxdbs(handle, UInt32(tableNames.count)), "setting the tables")
    try Self.check(
      mdb_env_open(handle, folder, UInt32(MDB_NOTLS | MDB_NORDAHEAD | MDB_RDONLY), 0o644),
      "opening \(folder)")
    var transaction: OpaquePointer?
    try Self.check(
      mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &transaction), "opening the tables")
    for name in tableNames {
      var table = MDB_dbi()
      try Self.check(mdb_dbi_open(transaction, name, 0, &table), "opening table \(name)")
      tables.append(table)
    }
    // A commit keeps the tables open; there is nothing to write.
    try Self.check(mdb_txn_commit(transaction), "opening the tables")
  }

  deinit { mdb_env_close(handle) }

  /// Forces all that was committed to the disk, so that nothing has to be taken back any more.
  fileprivate func endGuard() throws(StorageError) {
    try Self.check(mdb_env_sync(handle, 1), "forcing to the disk")
    try CommitGuard(folder: path).end()
    isGuarded.store(false, ordering: .relaxed)
  }

  /// Bytes of a page.
  static let pageSize = 4096

  /// Sees to it that the disk has room for a writer that changes so many pages at most and adds so many
  /// bytes: a page of the map that gets none would end the process.
  func requireSpace(pages: Int, bytes: Int) throws(StorageError) {
    var descriptor: mdb_filehandle_t = -1
    try Self.check(mdb_env_get_fd(handle, &descriptor), "looking for space")
    var disk = statvfs()
    guard fstatvfs(descriptor, &disk) == 0 else { return }
    let free = Int(disk.f_bavail) * Int(disk.f_frsize)
    // Each page is copied once at most; pages are half full at least.
    let wanted = min(pages * Self.pageSize, usedBytes) + 2 * bytes + (1 << 20)
    if free < wanted {
      throw StorageError(
        .full,
        "database: \(path): the next blocks may take \(wanted >> 20) MiB, \(free >> 20) are free; "
          + "make space, nothing is lost")
    }
  }

  func table(_ table: Table) -> MDB_dbi { tables[table.rawValue] }

  /// Copies the file as one moment has it into an empty folder, without free pages.
  func copy(to folder: String) throws(StorageError) {
    try Self.check(mdb_env_copy2(handle, folder, UInt32(MDB_CP_COMPACT)), "copying to \(folder)")
  }

  /// Bytes of the file that are in use.
  var usedBytes: Int {
    var info = MDB_envinfo()
    var stat = MDB_stat()
    mdb_env_info(handle, &info)
    mdb_env_stat(handle, &stat)
    return (Int(info.me_last_pgno) + 1) * Int(stat.ms_psize)
  }

  /// Entries of a table, and bytes of its pages.
  func statistics(_ table: Table) throws(StorageError) -> (entries: Int, bytes: Int) {
    let reader = try LMDBReader(self)
    var stat = MDB_stat()
    try Self.check(mdb_stat(reader.handle, self.table(table), &stat), "counting")
    let pages = stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages
    return (Int(stat.ms_entries), Int(pages) * Int(stat.ms_psize))
  }

  /// Entries of a table.
  func count(_ table: Table) throws(StorageError) -> Int { try statistics(table).entries }

  static func check(_ status: Int32, _ action: String) throws(StorageError) {
    if status == 0 { return }
    let words = String(cString: mdb_strerror(status))
    let code: StorageError.Code =
      switch status {
      case MDB_MAP_FULL, ENOSPC, EDQUOT: .full
      case EACCES, EPERM, EROFS, ENOENT, EAGAIN: .unreadable
      case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_VERSION_MISMATCH: .corrupt
      default: .unreadable
      }
    throw StorageError(code, "database: \(action): \(words)")
  }
}

/// A view of the file at one moment. One thread at a time; what it gives is valid while it lives.
final class LMDBReader: @unchecked Sendable {
  // Sendable: opened with MDB_NOTLS, so that threads may hand it on.

  let environment: LMDBEnvironment
  let handle: OpaquePointer
  private let ownsHandle: Bool

  init(_ environment: LMDBEnvironment) throws(StorageError) {
    self.environment = environment
    var transaction: OpaquePointer?
    try LMDBEnvironment.check(
      mdb_txn_begin(environment.handle, nil, UInt32(MDB_RDONLY), &transaction), "reading")
    handle = transaction!
    ownsHandle = true
  }

  /// The view that a writer has, its own changes among it.
  init(_ writer: borrowing LMDBWriter) {
    environment = writer.environment
    handle = writer.handle
    ownsHandle = false
  }

  deinit { if ownsHandle { mdb_txn_abort(handle) } }

  /// Entries of a table.
  func count(_ table: Table) -> Int {
    var stat = MDB_stat()
    let status = mdb_stat(handle, environment.table(table), &stat)
    precondition(status == 0, "database: counting: \(String(cString: mdb_strerror(status)))")
    return Int(stat.ms_entries)
  }

  /// The value of a key.
  func get(_ table: Table, _ key: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    var key = MDB_val(
      mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
    var value = MDB_val()
    let status = mdb_get(handle, environment.table(table), &key, &value)
    if status == MDB_NOTFOUND { return nil }
    // A read of a mapped file fails only when the file is damaged: nothing can go on from there.
    precondition(status == 0, "database: reading: \(String(cString: mdb_strerror(status)))")
    return UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
  }

  func get(_ table: Table, _ key: [UInt8]) -> UnsafeRawBufferPointer? {
    key.withUnsafeBytes { get(table, $0) }
  }

  /// Calls `body` with entries in the order of their keys from `first` on, until it gives false.
  func scan(
    _ table: Table, from first: UnsafeRawBufferPointer,
    _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
  ) {
    var cursor: OpaquePointer?
    let opened = mdb_cursor_open(handle, environment.table(table), &cursor)
    precondition(opened == 0, "database: \(String(cString: mdb_strerror(opened)))")
    defer { mdb_cursor_close(cursor) }
    var key = MDB_val(
      mv_size: first.count, mv_data: UnsafeMutableRawPointer(mutating: first.baseAddress))
    var value = MDB_val()
    var status = mdb_cursor_get(cursor, &key, &value, first.isEmpty ? MDB_FIRST : MDB_SET_RANGE)
    while status == 0 {
      if !body(
        UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size),
        UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
      {
        return
      }
      status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
    }
    precondition(
      status == MDB_NOTFOUND, "database: reading: \(String(cString: mdb_strerror(status)))")
  }

  func scan(
    _ table: Table, from first: [UInt8],
    _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
  ) {
    first.withUnsafeBytes { scan(table, from: $0, body) }
  }
}

/// Changes to the file, which become visible and durable together.
struct LMDBWriter: ~Copyable {
  let environment: LMDBEnvironment
  let handle: OpaquePointer
  /// Whom writing in the order of the keys gives way to.
  let pace: StorePace?
  private var isOver = false

  init(_ environment: LMDBEnvironment, pace: StorePace? = nil) throws(StorageError) {
    self.environment = environment
    self.pace = pace
    var transaction: OpaquePointer?
    try LMDBEnvironment.check(mdb_txn_begin(environment.handle, nil, 0, &transaction), "writing")
    handle = transaction!
  }

  deinit { if !isOver { mdb_txn_abort(handle) } }

  func put(_ table: Table, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer)
    throws(StorageError)
  {
    var key = MDB_val(
      mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
    var value = MDB_val(
      mv_size: value.count, mv_data: UnsafeMutableRawPointer(mutating: value.baseAddress))
    try LMDBEnvironment.check(
      mdb_put(handle, environment.table(table), &key, &value, 0), "writing")
  }

  func put(_ table: Table, _ key: [UInt8], _ value: [UInt8]) throws(StorageError) {
    var failure: StorageError?
    key.withUnsafeBytes { key in
      value.withUnsafeBytes { value in
        do throws(StorageError) { try put(table, key, value) } catch { failure = error }
      }
    }
    if let failure { throw failure }
  }

  func delete(_ table: Table, _ key: [UInt8]) throws(StorageError) {
    let status = key.withUnsafeBytes { bytes in
      var key = MDB_val(
        mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
      return mdb_del(handle, environment.table(table), &key, nil)
    }
    if status != MDB_NOTFOUND { try LMDBEnvironment.check(status, "deleting") }
  }

  /// Takes all entries of a table out.
  func empty(_ table: Table) throws(StorageError) {
    try LMDBEnvironment.check(mdb_drop(handle, environment.table(table), 0), "emptying a table")
  }

  /// Makes all changes durable; after an error none is.
  mutating func commit() throws(StorageError) {
    try endOldGuard()
    isOver = true
    try LMDBEnvironment.check(mdb_txn_commit(handle), "committing")
  }

  /// Ends the guard of a commit in parts that failed. Its pages are as they were: a transaction changes
  /// those alone that were free before the one before it.
  private func endOldGuard() throws(StorageError) {
    if environment.isGuarded.load(ordering: .relaxed) { try environment.endGuard() }
  }

  /// Makes all changes durable, as `commit` does, and is gentle on whoever makes
  /// blocks meanwhile: the pages are written to the disk a part at a time, between roots. Until all are
  /// there a guard knows what to go back to after a power cut; readers see the changes at once.
  mutating func commitInParts() throws(StorageError) {
    var file: mdb_filehandle_t = -1
    try LMDBEnvironment.check(mdb_env_get_fd(environment.handle, &file), "committing")
    try endOldGuard()
    environment.isGuarded.store(true, ordering: .relaxed)
    try CommitGuard(folder: environment.path).begin()
    try LMDBEnvironment.check(
      mdb_env_set_flags(environment.handle, UInt32(MDB_NOSYNC), 1), "committing")
    isOver = true
    let status = mdb_txn_commit(handle)
    try LMDBEnvironment.check(
      mdb_env_set_flags(environment.handle, UInt32(MDB_NOSYNC), 0), "committing")
    try LMDBEnvironment.check(status, "committing")
    let end = environment.usedBytes
    // For one interrupt in hundreds of pages, in place of one for each.
    if end <= FileMapping.mostBytes { environment.mapping?.letGo(bytes: end) }
    let part = max(1 << 20, end >> 12)
    for offset in stride(from: 0, to: end, by: part) {
      pace?.giveWay()
      if needletail_write_back(file, Int64(offset), Int64(part), 0) != 0 { break }
      // Few writes are ahead of those of the block log.
      if offset >= 4 * part {
        _ = needletail_write_back(file, Int64(offset - 4 * part), Int64(part), 1)
      }
    }
    // What is left, the file's own data, and the disk's cache.
    try environment.endGuard()
  }
}
