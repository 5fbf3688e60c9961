import Ethereum

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The number of the last entry of a block log that was written whole, in a file beside its segments.
///
/// Somebody may have been told of that entry, so that it is damage when the log ends before it. Without
/// the file an entry that was damaged later looks like one that a crash left unfinished. It is written
/// after each entry and not forced to the disk: it outlives the process, and with the power it may be
/// lost, when there is no more than that doubt. Eight bytes of number, a CRC-32C of them.
struct LastWholeEntry: ~Copyable {
  private let descriptor: Int32
  private static let size = 12

  /// The file of the log in a folder. Where it can not be written the log goes on without it.
  init(folder: String) {
    descriptor = open(folder + "/last", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// What the file of a folder says; zero where it says nothing.
  static func read(folder: String) -> UInt64 {
    guard let bytes = try? FileBytes(path: folder + "/last").array, bytes.count == size else {
      return 0
    }
    return bytes.withUnsafeBytes { bytes in
      let number = UnsafeRawBufferPointer(rebasing: bytes[..<8])
      return CRC32C.checksum(number) == bytes.uint32(at: 8) ? bytes.uint64(at: 0) : 0
    }
  }

  /// Notes that an entry is whole.
  func note(_ sequence: UInt64) {
    if descriptor < 0 { return }
    var bytes: [UInt8] = []
    bytes.append(bigEndian: sequence)
    bytes.append(bigEndian: bytes.withUnsafeBytes { CRC32C.checksum($0) })
    _ = pwrite(descriptor, bytes, bytes.count, 0)
  }
}
