#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The bytes of a file, mapped into memory for as long as the value lives.
public struct FileBytes: ~Copyable, @unchecked Sendable {
  // Sendable: the mapping is private and only ever read.

  /// The path as it was given.
  public let path: String
  private let base: UnsafeRawPointer?
  private let count: Int
  private let isMapped: Bool

  /// Maps the file at `path`; what can not be mapped (a pipe) is read.
  ///
  /// A file that another process cuts short while it is mapped ends this one, as with every mapped
  /// file.
  public init(path: String) throws(FormatError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw FormatError(.unreadableFile, String(cString: strerror(errno)), file: path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FormatError(.unreadableFile, String(cString: strerror(errno)), file: path)
    }
    let format = status.st_mode & S_IFMT
    if format == S_IFDIR { throw FormatError(.unreadableFile, "it is a folder", file: path) }
    if format == S_IFREG, status.st_size > 0,
      let mapping = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0),
      mapping != MAP_FAILED
    {
      base = UnsafeRawPointer(mapping)
      count = Int(status.st_size)
      isMapped = true
      return
    }
    var contents: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let length = read(descriptor, &chunk, chunk.count)
      if length < 0, errno == EINTR { continue }
      if length < 0 {
        throw FormatError(.unreadableFile, String(cString: strerror(errno)), file: path)
      }
      if length == 0 { break }
      contents.append(contentsOf: chunk[..<length])
    }
    let copy = UnsafeMutableRawPointer.allocate(byteCount: max(contents.count, 1), alignment: 16)
    contents.withUnsafeBytes {
      copy.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: $0.count)
    }
    base = UnsafeRawPointer(copy)
    count = contents.count
    isMapped = false
  }

  /// A copy of bytes that are in memory already; `path` is what errors name.
  public init(copying bytes: [UInt8], path: String = "") {
    self.path = path
    let copy = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 16)
    bytes.withUnsafeBytes { source in
      if let address = source.baseAddress {
        copy.copyMemory(from: address, byteCount: source.count)
      }
    }
    base = UnsafeRawPointer(copy)
    count = bytes.count
    isMapped = false
  }

  deinit {
    guard let base else { return }
    if isMapped {
      munmap(UnsafeMutableRawPointer(mutating: base), count)
    } else {
      base.deallocate()
    }
  }

  /// The bytes; sound while the value lives.
  package var buffer: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: base?.assumingMemoryBound(to: UInt8.self), count: count)
  }

  /// The bytes, copied.
  public var array: [UInt8] { [UInt8](buffer) }

  /// Whether a folder stands at `path`.
  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether something stands at `path`.
  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
