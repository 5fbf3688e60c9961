#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where this process has a file mapped, as a whole and shared.
///
/// When changed pages of a map are forced to the disk, Linux makes them read-only one by one, and has
/// every processor that runs a thread of the process forget each: an interrupt for each page, which took
/// 80 % of a commit's time and stopped the threads that make blocks. Pages that are mapped nowhere need
/// none. So the map lets go of its pages once, for one interrupt in hundreds of pages; who reads one maps
/// it again, with its neighbours.
struct FileMapping: Sendable {
  private let first: UInt
  private let count: Int

  /// A larger file costs more to map again than it saves.
  static let mostBytes = 16 << 30

  /// The mapping of an open file; `nil` where the system does not tell it.
  init?(file: Int32) {
    var status = stat()
    guard fstat(file, &status) == 0, let maps = Self.contents(of: "/proc/self/maps") else {
      return nil
    }
    // first-last permissions offset device inode path
    for line in maps.split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
      guard parts.count >= 5, parts[1].hasSuffix("s"), UInt(parts[2], radix: 16) == 0,
        UInt(parts[4]).map({ $0 == status.st_ino }) == true
      else { continue }
      let ends = parts[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      guard ends.count == 2, ends[0] < ends[1] else { continue }
      first = ends[0]
      self.count = Int(ends[1] - ends[0])
      return
    }
    return nil
  }

  private static func contents(of path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var text: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(file, &part, part.count)
      if count <= 0 { return count == 0 ? String(decoding: text, as: UTF8.self) : nil }
      text += part[..<count]
    }
  }

  /// Lets go of the pages of the file's first bytes. They stay in memory, changes and all, and are mapped
  /// again when somebody wants them. The caller keeps the file mapped meanwhile.
  func letGo(bytes: Int) {
    madvise(UnsafeMutableRawPointer(bitPattern: first), min(bytes, count), MADV_DONTNEED)
  }
}
