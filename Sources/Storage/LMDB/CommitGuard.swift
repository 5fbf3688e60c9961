#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What takes a commit back that a power cut caught on its way to the disk.
///
/// A commit makes the newer of LMDB's two first pages, the metas, name the new tree. Where the tree's pages
/// are forced to the disk afterwards, a part at a time, the metas may be there before them. So what they
/// were is on the disk first, in a file of its own: until all is, whoever opens the database after the
/// machine went down gets the metas of before, whose tree is whole, as a commit changes no page of it. What
/// was committed since is in the block log.
///
/// As long as the machine runs, the system has all pages, whatever becomes of the process: then nothing is
/// taken back.
struct CommitGuard: Sendable {
  private let folder: String

  private static let magic = [UInt8]("needletail guard".utf8)
  /// Bytes before the metas: the magic, and what names the machine's run.
  private static let headerBytes = 80
  private static var metaBytes: Int { 2 * Int(sysconf(Int32(_SC_PAGESIZE))) }

  /// The guard of a database's folder.
  init(folder: String) { self.folder = folder }

  private var path: String { folder + "/commit.guard" }
  private var data: String { folder + "/data.mdb" }

  /// What a guard says that was found.
  enum Finding: Equatable {
    /// All that was committed is on the disk.
    case nothing
    /// The pages of a commit may be on their way to the disk still.
    case unfinished
    /// The machine went down before they were.
    case cut
  }

  /// What names the time since the machine was started, in 64 bytes; zeros where nothing does.
  static func machineRun() -> [UInt8] {
    var run = [UInt8](repeating: 0, count: 64)
    let file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    if file >= 0 {
      _ = read(file, &run, run.count)
      close(file)
    }
    return run
  }

  /// Notes the metas as they are, on the disk, before a commit changes one.
  func begin(run: [UInt8] = machineRun()) throws(StorageError) {
    guard let metas = try Self.bytes(of: data, count: Self.metaBytes) else {
      throw StorageError(.corrupt, "\(data) has no metas")
    }
    var record = Self.magic + run + metas
    let sum = record.withUnsafeBytes { CRC32C.checksum($0) }
    record.append(bigEndian: sum)
    try Self.write(record, to: path, truncates: true)
  }

  /// All is on the disk.
  func end() throws(StorageError) { try Self.write([], to: path, truncates: true) }

  /// What an earlier process left. A record that is not whole was never followed by a commit; one that can
  /// not be read may have been.
  func find(run: [UInt8] = machineRun()) throws(StorageError) -> (Finding, metas: [UInt8]) {
    if access(path, F_OK) != 0 && errno == ENOENT { return (.nothing, []) }
    guard
      let record = try Self.bytes(of: path, count: Self.headerBytes + Self.metaBytes + 4),
      record.starts(with: Self.magic)
    else { return (.nothing, []) }
    let body = record.dropLast(4)
    var sum: [UInt8] = []
    sum.append(bigEndian: [UInt8](body).withUnsafeBytes { CRC32C.checksum($0) })
    guard Array(record.suffix(4)) == sum else { return (.nothing, []) }
    let noted = Array(record[Self.magic.count..<Self.headerBytes])
    // A run without a name may be another one.
    let isSame = noted == run && run.contains { $0 != 0 }
    return (isSame ? .unfinished : .cut, Array(body[Self.headerBytes...]))
  }

  /// Takes back what a power cut caught, before LMDB opens the file; gives whether pages may still be on
  /// their way to the disk.
  func restore(run: [UInt8] = machineRun()) throws(StorageError) -> Bool {
    let (finding, metas) = try find(run: run)
    if finding == .cut {
      try Self.write(metas, to: data, truncates: false)
      try end()
    }
    return finding == .unfinished
  }

  /// The first bytes of a file; `nil` where it has fewer.
  private static func bytes(of path: String, count: Int) throws(StorageError) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure(path) }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: count)
    let found = pread(file, &bytes, count, 0)
    if found < 0 { throw failure(path) }
    return found == count ? bytes : nil
  }

  private static func write(_ bytes: [UInt8], to path: String, truncates: Bool) throws(StorageError)
  {
    let isNew = access(path, F_OK) != 0
    let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (truncates ? O_TRUNC : 0), 0o644)
    guard file >= 0 else { throw failure(path) }
    defer { close(file) }
    guard bytes.isEmpty || pwrite(file, bytes, bytes.count, 0) == bytes.count, fsync(file) == 0
    else { throw failure(path) }
    guard isNew else { return }
    // Its name is to be on the disk, too.
    let folder = String(path[..<path.lastIndex(of: "/")!])
    let directory = open(folder, O_RDONLY | O_CLOEXEC)
    guard directory >= 0 else { throw failure(folder) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw failure(folder) }
  }

  private static func failure(_ path: String) -> StorageError {
    let code: StorageError.Code = errno == ENOSPC || errno == EDQUOT ? .full : .unreadable
    return StorageError(code, "\(path): \(String(cString: strerror(errno)))")
  }
}
