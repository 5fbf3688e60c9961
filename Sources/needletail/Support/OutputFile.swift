import Ethereum
import Foundation

/// A file that appears whole or not at all: it is written beside its place and then moved there.
/// A device or pipe, and `-` for standard output, are written to as they are.
final class OutputFile {
  /// The path as it was given.
  let path: String
  private let temporary: String?
  private let handle: Int32
  private var isOpen = true

  /// Opens the file.
  init(path: String) throws(FormatError) {
    self.path = path
    var status = stat()
    let exists = stat(path, &status) == 0
    if exists, status.st_mode & S_IFMT == S_IFDIR {
      throw FormatError(.unreadableFile, "it is a folder", file: path)
    }
    if path == "-" {
      temporary = nil
      handle = dup(STDOUT_FILENO)
    } else if exists, status.st_mode & S_IFMT != S_IFREG {
      temporary = nil
      handle = open(path, O_WRONLY | O_CLOEXEC)
    } else {
      let beside = path + ".\(getpid()).partial"
      temporary = beside
      handle = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    }
    guard handle >= 0 else { throw Self.failure(path) }
  }

  deinit {
    if isOpen { abandon() }
  }

  /// Writes bytes.
  func write(_ bytes: [UInt8]) throws(FormatError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Foundation.write(handle, $0.baseAddress! + done, bytes.count - done)
      }
      if count < 0 {
        if errno == EINTR { continue }
        let error = Self.failure(path)
        abandon()
        throw error
      }
      done += count
    }
  }

  /// Moves the file to its place.
  func finish() throws(FormatError) {
    guard isOpen else { return }
    isOpen = false
    guard close(handle) == 0 else {
      let error = Self.failure(path)
      if let temporary { unlink(temporary) }
      throw error
    }
    if let temporary, rename(temporary, path) != 0 {
      let error = Self.failure(path)
      unlink(temporary)
      throw error
    }
  }

  private func abandon() {
    guard isOpen else { return }
    isOpen = false
    close(handle)
    if let temporary { unlink(temporary) }
  }

  private static func failure(_ path: String) -> FormatError {
    FormatError(
      .unreadableFile, "can not write: \(String(cString: strerror(errno)))",
      file: path == "-" ? "standard output" : path)
  }
}
