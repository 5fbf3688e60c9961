import Ethereum
import Storage
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The transactions that wait, in a file, so that they wait on after a restart.
///
/// An entry is the number of the transaction's bytes, a CRC-32C of what follows it, a byte that is 1 for
/// a local transaction, and the transaction. What a crash left unfinished is cut off. Nobody is promised
/// that a waiting transaction survives a power cut: nothing is forced to the disk.
package final class PoolJournal: Sendable {
  /// An entry.
  struct Record: Sendable {
    var envelope: [UInt8]
    var isLocal: Bool
  }

  private struct State {
    var descriptor: Int32 = -1
    var bytes = 0
    /// Why nothing is written any more.
    var failure: String?
  }

  private let path: String
  private let state = Mutex(State())
  private static let headerSize = 9
  /// Bytes below which it is not worth writing the file anew.
  private static let leastBytes = 16 << 20

  /// The journal in a file, which need not exist.
  package init(path: String) { self.path = path }

  deinit { state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

  /// Why nothing is written any more; `nil` while all is well.
  var failure: String? { state.withLock { $0.failure } }

  /// What the file has, up to where it is torn.
  func records() -> [Record] {
    guard access(path, F_OK) == 0, let bytes = try? FileBytes(path: path).array else { return [] }
    var list: [Record] = []
    bytes.withUnsafeBytes { bytes in
      var position = 0
      while bytes.count - position >= Self.headerSize {
        let count = Int(
          UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
        let sum = UInt32(
          bigEndian: bytes.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self))
        let end = position + Self.headerSize + count
        guard end <= bytes.count,
          CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[position + 8..<end])) == sum
        else { return }
        list.append(
          Record(
            envelope: [UInt8](bytes[position + Self.headerSize..<end]),
            isLocal: bytes[position + 8] == 1))
        position = end
      }
    }
    return list
  }

  private static func encode(_ record: Record, into bytes: inout [UInt8]) {
    var content: [UInt8] = [record.isLocal ? 1 : 0]
    content += record.envelope
    for number in [UInt32(record.envelope.count), content.withUnsafeBytes { CRC32C.checksum($0) }] {
      for shift in [24, 16, 8, 0] as [UInt32] {
        bytes.append(UInt8(truncatingIfNeeded: number >> shift))
      }
    }
    bytes += content
  }

  /// Writes the file anew, with the entries that `records` gives, alone. What comes in meanwhile waits.
  func rewrite(_ records: () -> [Record]) {
    state.withLock { state in
      var bytes: [UInt8] = []
      for record in records() { Self.encode(record, into: &bytes) }
      let next = path + ".new"
      let descriptor = open(next, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
      guard descriptor >= 0, Self.write(bytes, to: descriptor), rename(next, path) == 0 else {
        state.failure = "\(next): \(String(cString: strerror(errno)))"
        if descriptor >= 0 { close(descriptor) }
        return
      }
      if state.descriptor >= 0 { close(state.descriptor) }
      state.descriptor = descriptor
      state.bytes = bytes.count
      state.failure = nil
    }
  }

  /// Adds entries; says whether the file has grown so much beyond `liveBytes`, those of what waits,
  /// that it should be written anew.
  func append(_ records: [Record], liveBytes: Int) -> Bool {
    if records.isEmpty { return false }
    var bytes: [UInt8] = []
    for record in records { Self.encode(record, into: &bytes) }
    return state.withLock { state in
      guard state.descriptor >= 0 else { return false }
      guard Self.write(bytes, to: state.descriptor) else {
        state.failure = "\(path): \(String(cString: strerror(errno)))"
        // Nothing may stand behind half an entry.
        if ftruncate(state.descriptor, off_t(state.bytes)) == 0 {
          lseek(state.descriptor, off_t(state.bytes), SEEK_SET)
        } else {
          close(state.descriptor)
          state.descriptor = -1
        }
        return false
      }
      state.bytes += bytes.count
      return state.bytes > max(Self.leastBytes, 3 * liveBytes)
    }
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written)
      }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return false }
      written += count
    }
    return true
  }
}
