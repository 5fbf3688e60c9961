import Ethereum

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The log of blocks: what was decided, in order, before anybody is told of it.
///
/// Entries lie in segments, files of `.segmentSize` bytes about. An entry is its length, a CRC-32C of
/// all that follows it, its sequence number, its kind and its payload. A segment begins with
/// `NTLOG001` and the sequence number of its first entry. What a crash left unfinished at the end is
/// cut off when the log is opened, and reported. A log that lacks entries that were whole once, and that
/// are not stored, is refused unless the loss is accepted.
///
/// One thread at a time.
package final class BlockLog {
  /// When an entry is forced to the disk.
  package enum SyncPolicy: Sendable, Equatable {
    /// Before `append` returns.
    case everyEntry
    /// When `sync` is called: one for a group of entries.
    case onDemand
    /// When the system does; an acknowledged block may be lost with the power, not with the process.
    case never
  }

  /// What an entry says.
  package enum Kind: UInt8, Sendable {
    /// The payload is a block in RLP that follows the head.
    case block = 1
    /// The head goes back to the block whose number the payload has, in eight bytes.
    case rewind = 2
    /// The state after the head is changed from outside (development chains), as the payload says.
    case amendment = 3
  }

  /// An entry.
  package struct Entry: Sendable {
    /// Its number, from 1 without gaps.
    package var sequence: UInt64
    /// What it says.
    package var kind: Kind
    /// What it says that of.
    package var payload: [UInt8]
  }

  /// What opening had to repair, in words.
  package private(set) var repairs: [String] = []
  /// The number of the last entry; zero without one.
  package private(set) var lastSequence: UInt64 = 0

  private let folder: String
  private let policy: SyncPolicy
  private let segmentSize: Int
  private var segments: [(first: UInt64, path: String)] = []
  private var descriptor: Int32 = -1
  private var length = 0
  private let lastWhole: LastWholeEntry
  /// The last entry that the log must have: one that was whole once and is not stored; zero for none.
  private var needed: UInt64 = 0
  private let acceptsLoss: Bool
  static let magic = [UInt8]("NTLOG001".utf8)
  static let headerSize = 16
  static let entryHeaderSize = 17

  /// Opens or creates the log in a folder, and cuts off what is torn at its end. `next` is the number
  /// that the first entry of an empty log gets: what is before it is stored. `acceptsLoss` is whether to
  /// go on without entries that were whole once and are not stored.
  package init(
    folder: String, policy: SyncPolicy = .everyEntry, segmentSize: Int = 64 << 20,
    next: UInt64 = 1, acceptsLoss: Bool = false
  ) throws(StorageError) {
    self.folder = folder
    self.policy = policy
    self.segmentSize = segmentSize
    self.acceptsLoss = acceptsLoss
    if mkdir(folder, 0o755) != 0, errno != EEXIST { throw Self.failure("creating \(folder)") }
    lastWhole = LastWholeEntry(folder: folder)
    segments = try Self.list(folder)
    lastSequence = next - 1
    let noted = LastWholeEntry.read(folder: folder)
    needed = noted >= next ? noted : 0
    var index = 0
    while index < segments.count {
      let isLast = index == segments.count - 1
      let isTorn = try !check(
        segments[index].path, first: segments[index].first,
        wanted: index == 0 ? nil : lastSequence + 1, isLast: isLast, stored: next - 1)
      if isTorn {
        unlink(segments[index].path)
        segments.remove(at: index)
        continue
      }
      index += 1
    }
    if needed > lastSequence {
      let loss = Self.loss(folder, "it ends too early", from: lastSequence + 1, to: needed)
      guard acceptsLoss else { throw loss }
      repairs.append("\(folder): entries \(lastSequence + 1) to \(needed) are lost")
    }
    // What is given up is needed no more.
    if noted > lastSequence { lastWhole.note(lastSequence) }
    if let last = segments.last { try open(last.path) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  static func list(_ folder: String) throws(StorageError) -> [(UInt64, String)] {
    guard let handle = opendir(folder) else { throw failure("reading \(folder)") }
    defer { closedir(handle) }
    var found: [(UInt64, String)] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name.hasSuffix(".log"), let first = UInt64(name.dropLast(4)) else { continue }
      found.append((first, folder + "/" + name))
    }
    return found.sorted { $0.0 < $1.0 }
  }

  private static func failure(_ action: String) -> StorageError {
    StorageError(
      errno == ENOSPC || errno == EDQUOT ? .full : .unreadable,
      "block log: \(action): \(String(cString: strerror(errno)))")
  }

  private func open(_ path: String) throws(StorageError) {
    if descriptor >= 0 { close(descriptor) }
    descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure("opening \(path)") }
    length = Int(lseek(descriptor, 0, SEEK_END))
  }

  /// Checks a segment; gives false for one that holds nothing. Cuts off the torn end of the last one.
  private func check(
    _ path: String, first: UInt64, wanted: UInt64?, isLast: Bool, stored: UInt64
  ) throws(StorageError) -> Bool {
    let bytes = try Self.read(path)
    var sequence = first
    var position = Self.headerSize
    var fault: String?
    if bytes.count < Self.headerSize || Array(bytes[..<8]) != Self.magic {
      fault = "its beginning is torn"
      position = 0
    } else if let wanted, first != wanted {
      throw StorageError(
        .corrupt,
        "block log: \(path) begins with entry \(first), but \(wanted) is the next")
    }
    while fault == nil, position < bytes.count {
      guard let entry = Self.entry(bytes, at: position) else {
        fault = "entry \(sequence) is torn or damaged"
        break
      }
      guard entry.sequence == sequence else {
        fault = "entry \(entry.sequence) stands where \(sequence) belongs"
        break
      }
      position += Self.entryHeaderSize + entry.payload.count
      sequence += 1
    }
    if let fault {
      guard isLast else {
        throw StorageError(.corrupt, "block log: \(path), byte \(position): \(fault)")
      }
      let last = max(
        needed, Self.lastWhole(in: bytes, behind: position, above: sequence))
      if last >= sequence, last > stored {
        let block = Self.blockNumber(in: bytes, at: position).map { " (block \($0))" } ?? ""
        let loss = Self.loss(
          "\(path), byte \(position)", fault + block, from: max(sequence, stored + 1), to: last)
        guard acceptsLoss else { throw loss }
        try Self.keep(bytes[position...], in: path + ".damaged")
        repairs.append("\(path): entries \(sequence) to \(last) are lost")
        needed = 0
      }
      repairs.append("\(path): cut from byte \(position) of \(bytes.count) on: \(fault)")
      if position == 0 { return false }
      guard truncate(path, off_t(position)) == 0 else { throw Self.failure("cutting \(path)") }
    }
    lastSequence = sequence - 1
    return true
  }

  static func read(_ path: String) throws(StorageError) -> [UInt8] {
    do throws(FormatError) { return try FileBytes(path: path).array } catch {
      throw StorageError(.unreadable, "block log: \(error)")
    }
  }

  static func entry(_ bytes: [UInt8], at position: Int) -> Entry? {
    guard bytes.count - position >= entryHeaderSize else { return nil }
    return bytes.withUnsafeBytes { bytes in
      let count = Int(bytes.uint32(at: position))
      guard count <= bytes.count - position - entryHeaderSize else { return nil }
      let end = position + entryHeaderSize + count
      let content = UnsafeRawBufferPointer(rebasing: bytes[position + 8..<end])
      guard CRC32C.checksum(content) == bytes.uint32(at: position + 4),
        let kind = Kind(rawValue: bytes[position + 16])
      else { return nil }
      return Entry(
        sequence: bytes.uint64(at: position + 8), kind: kind,
        payload: [UInt8](bytes[position + entryHeaderSize..<end]))
    }
  }

  /// Adds an entry; gives its number. With `.everyEntry` it is durable then. After an error the log
  /// is as it was before.
  @discardableResult
  package func append(_ kind: Kind, _ payload: [UInt8]) throws(StorageError) -> UInt64 {
    let sequence = lastSequence + 1
    if descriptor < 0 || length >= segmentSize { try beginSegment(sequence) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(payload.count + Self.entryHeaderSize)
    bytes.append(bigEndian: UInt32(payload.count))
    bytes.append(bigEndian: UInt32(0))
    bytes.append(bigEndian: sequence)
    bytes.append(kind.rawValue)
    bytes.append(contentsOf: payload)
    bytes.withUnsafeMutableBytes { bytes in
      let checksum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[8...]))
      bytes.storeBytes(of: checksum.bigEndian, toByteOffset: 4, as: UInt32.self)
    }
    if StopPoint.isReached(.duringAppend) {
      try write([UInt8](bytes[..<(bytes.count / 2)]))
      StopPoint.end()
    }
    do throws(StorageError) {
      try write(bytes)
      if policy == .everyEntry { try sync() }
    } catch {
      // What was written of it must not stand in front of the next entry.
      ftruncate(descriptor, off_t(length))
      lseek(descriptor, off_t(length), SEEK_SET)
      throw error
    }
    length += bytes.count
    lastSequence = sequence
    lastWhole.note(sequence)
    return sequence
  }

  /// Writes what is taken out of a file into another one.
  private static func keep(_ bytes: ArraySlice<UInt8>, in path: String) throws(StorageError) {
    let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure("creating \(path)") }
    defer { close(descriptor) }
    try write([UInt8](bytes), to: descriptor)
    guard fsync(descriptor) == 0 else { throw failure("syncing \(path)") }
  }

  private func write(_ bytes: [UInt8]) throws(StorageError) {
    try Self.write(bytes, to: descriptor)
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) throws(StorageError) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("writing") }
      written += count
    }
  }

  /// Makes all entries durable.
  package func sync() throws(StorageError) {
    if policy == .never || descriptor < 0 { return }
    guard fdatasync(descriptor) == 0 else { throw Self.failure("syncing") }
  }

  private func beginSegment(_ first: UInt64) throws(StorageError) {
    try sync()
    let name = String(first)
    let path = folder + "/" + String(repeating: "0", count: 20 - name.count) + name + ".log"
    try open(path)
    var header = Self.magic
    header.append(bigEndian: first)
    try write(header)
    length = header.count
    segments.append((first, path))
    let directory = Glibc.open(folder, O_RDONLY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
  }

  /// Calls `body` with the entries after a number, in order.
  package func replay<Failure: Error>(
    after sequence: UInt64, _ body: (Entry) throws(Failure) -> Void
  ) throws {
    for (index, segment) in segments.enumerated() {
      if index + 1 < segments.count, segments[index + 1].first <= sequence + 1 { continue }
      let bytes = try Self.read(segment.path)
      var position = Self.headerSize
      while position < bytes.count, let entry = Self.entry(bytes, at: position) {
        position += Self.entryHeaderSize + entry.payload.count
        if entry.sequence > sequence { try body(entry) }
      }
    }
  }

  /// Forgets all entries; the next one gets a number.
  package func restart(next: UInt64) throws(StorageError) {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
    for segment in segments where unlink(segment.path) != 0 {
      throw Self.failure("deleting \(segment.path)")
    }
    segments = []
    lastSequence = next - 1
  }

  /// Deletes segments all of whose entries are numbered `sequence` at most; the newest stays.
  package func removeSegments(through sequence: UInt64) {
    while segments.count > 1, segments[1].first <= sequence + 1 {
      unlink(segments[0].path)
      segments.removeFirst()
    }
  }
}
