import Foundation
import Testing

@testable import Storage

/// A map that lets go of its pages loses nothing.
@Suite struct FileMappingTests {
  private static let count = 1 << 22

  /// A file of zeros, open, and the descriptor.
  private func file(_ folder: TemporaryFolder) throws -> Int32 {
    try FileManager.default.createDirectory(
      atPath: folder.path, withIntermediateDirectories: true)
    let path = folder.path + "/file"
    #expect(FileManager.default.createFile(atPath: path, contents: Data(count: Self.count)))
    return open(path, O_RDWR)
  }

  @Test func whatWasWrittenStays() throws {
    let folder = TemporaryFolder()
    let file = try file(folder)
    defer { close(file) }
    #expect(FileMapping(file: file) == nil, "it is not mapped yet")
    let map = try #require(
      mmap(nil, Self.count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0))
    defer { munmap(map, Self.count) }
    let words = map.assumingMemoryBound(to: UInt64.self)
    let mapping = try #require(FileMapping(file: file), "Linux tells what is mapped")
    for round in 0..<3 {
      for index in 0..<Self.count / 8 { words[index] = UInt64(index) &* 31 &+ UInt64(round) }
      // More than there is does no harm.
      mapping.letGo(bytes: round == 0 ? Self.count / 2 : Self.count * 4)
      for index in 0..<Self.count / 8 where words[index] != UInt64(index) &* 31 &+ UInt64(round) {
        Issue.record("round \(round), word \(index): \(words[index])")
        return
      }
    }
    mapping.letGo(bytes: Self.count)
    let stored = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/file"))
    #expect(stored.count == Self.count)
    #expect(
      stored.withUnsafeBytes { $0.load(fromByteOffset: 80, as: UInt64.self) } == 10 * 31 + 2)
  }

  /// A map of somebody's own has changes that the file has not: it is never let go.
  @Test func aPrivateMapIsNoneOfTheFiles() throws {
    let folder = TemporaryFolder()
    let file = try file(folder)
    defer { close(file) }
    let map = try #require(
      mmap(nil, Self.count, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0))
    defer { munmap(map, Self.count) }
    #expect(FileMapping(file: file) == nil)
  }

  /// Commits beside which the map lets go of its pages keep every entry, also for those who read
  /// meanwhile.
  @Test func commitsBesideWhichPagesAreLetGoKeepAll() throws {
    let folder = TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path, withIntermediateDirectories: true)
    let environment = try LMDBEnvironment(
      folder: folder.path, tableNames: Table.names, mapSize: 1 << 30)
    #expect(environment.mapping != nil)
    func key(_ index: Int) -> [UInt8] { withUnsafeBytes(of: index.bigEndian) { [UInt8]($0) } }
    func value(_ index: Int, _ round: Int) -> [UInt8] {
      [UInt8](repeating: UInt8(truncatingIfNeeded: index &* 7 &+ round), count: 200)
    }
    for round in 0..<4 {
      var writer = try LMDBWriter(environment)
      for index in 0..<30_000 { try writer.put(.accounts, key(index), value(index, round)) }
      let before = try LMDBReader(environment)
      try writer.commitInParts()
      environment.mapping?.letGo(bytes: environment.usedBytes)
      for (reader, round) in [(before, round - 1), (try LMDBReader(environment), round)] {
        for index in stride(from: 0, to: 30_000, by: 7) {
          let found = reader.get(.accounts, key(index)).map { [UInt8]($0) }
          #expect(found == (round < 0 ? nil : value(index, round)), "\(index)")
        }
      }
    }
  }
}
