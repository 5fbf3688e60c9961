internal import CLMDB
import EVM

/// A place in a table. Asked in the order of the keys, it finds what is near its place without
/// beginning at the top.
struct LMDBCursor: ~Copyable {
  private let reader: LMDBReader
  private let handle: OpaquePointer

  /// A cursor of what a reader sees. Both belong to one thread at a time.
  init(_ reader: LMDBReader, _ table: Table) {
    var opened: OpaquePointer?
    let status = mdb_cursor_open(reader.handle, reader.environment.table(table), &opened)
    // It fails for want of memory alone.
    precondition(status == 0, "database: \(String(cString: mdb_strerror(status)))")
    self.reader = reader
    handle = opened!
  }

  deinit { mdb_cursor_close(handle) }

  /// The value of a key.
  func get(_ key: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    move(key, MDB_SET_KEY)?.value
  }

  /// The first entry whose key is not below `key`; the first of all for an empty one.
  func first(notBelow key: UnsafeRawBufferPointer)
    -> (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)?
  {
    move(key, key.isEmpty ? MDB_FIRST : MDB_SET_RANGE)
  }

  /// The entry after the one that was found last.
  func next() -> (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
    move(UnsafeRawBufferPointer(start: nil, count: 0), MDB_NEXT)
  }

  private func move(_ key: UnsafeRawBufferPointer, _ operation: MDB_cursor_op)
    -> (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)?
  {
    var key = MDB_val(
      mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
    var value = MDB_val()
    let status = mdb_cursor_get(handle, &key, &value, operation)
    if status == MDB_NOTFOUND { return nil }
    // A read of a mapped file fails only when the file is damaged: nothing can go on from there.
    precondition(status == 0, "database: reading: \(String(cString: mdb_strerror(status)))")
    return (
      UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size),
      UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
    )
  }
}

/// A place in a table that is written in the order of its keys.
struct LMDBWriteCursor: ~Copyable {
  private let handle: OpaquePointer
  private let pace: StorePace?

  /// A cursor of a writer, which must live longer.
  init(_ writer: borrowing LMDBWriter, _ table: Table) throws(StorageError) {
    var opened: OpaquePointer?
    try LMDBEnvironment.check(
      mdb_cursor_open(writer.handle, writer.environment.table(table), &opened), "writing")
    handle = opened!
    pace = writer.pace
  }

  deinit { mdb_cursor_close(handle) }

  /// Sets the value of a key.
  func put(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(StorageError) {
    pace?.giveWay()
    var key = MDB_val(
      mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
    var value = MDB_val(
      mv_size: value.count, mv_data: UnsafeMutableRawPointer(mutating: value.baseAddress))
    try LMDBEnvironment.check(mdb_cursor_put(handle, &key, &value, 0), "writing")
  }

  /// Takes a key out, when it is there.
  func delete(_ key: UnsafeRawBufferPointer) throws(StorageError) {
    var key = MDB_val(
      mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
    var value = MDB_val()
    let status = mdb_cursor_get(handle, &key, &value, MDB_SET)
    if status == MDB_NOTFOUND { return }
    try LMDBEnvironment.check(status, "deleting")
    try LMDBEnvironment.check(mdb_cursor_del(handle, 0), "deleting")
  }

  /// Sets the value of a key of one or two hashes and a number.
  func put(_ first: Hash256, _ second: Hash256?, _ value: [UInt8], number: UInt64? = nil)
    throws(StorageError)
  {
    try withKey(first, second, number) { (key) throws(StorageError) in
      try value.withUnsafeBytes { value in
        Result { () throws(StorageError) in try put(key, value) }
      }.get()
    }
  }

  /// Takes the key of one or two hashes out.
  func delete(_ first: Hash256, _ second: Hash256?) throws(StorageError) {
    try withKey(first, second, nil) { (key) throws(StorageError) in try delete(key) }
  }

  private func withKey(
    _ first: Hash256, _ second: Hash256?, _ number: UInt64?,
    _ body: (UnsafeRawBufferPointer) throws(StorageError) -> Void
  ) throws(StorageError) {
    var failure: StorageError?
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 72) { bytes in
      let base = bytes.baseAddress!
      var end = 32
      first.store(bytes: base)
      if let second {
        second.store(bytes: base + end)
        end += 32
      }
      if let number {
        UnsafeMutableRawPointer(base + end).storeBytes(of: number.bigEndian, as: UInt64.self)
        end += 8
      }
      do throws(StorageError) {
        try body(UnsafeRawBufferPointer(start: base, count: end))
      } catch { failure = error }
    }
    if let failure { throw failure }
  }
}
