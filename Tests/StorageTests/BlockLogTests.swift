import Foundation
import Testing

@testable import Storage

@Suite struct BlockLogTests {
  private func payload(_ number: Int) -> [UInt8] {
    [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: number * 7 % 90)
  }

  private func entries(_ log: BlockLog, after sequence: UInt64 = 0) throws -> [BlockLog.Entry] {
    var list: [BlockLog.Entry] = []
    try log.replay(after: sequence) { list.append($0) }
    return list
  }

  @Test func entriesSurviveReopening() throws {
    let folder = TemporaryFolder()
    var log = try BlockLog(folder: folder.path, segmentSize: 300)
    for number in 1...40 { #expect(try log.append(.block, payload(number)) == UInt64(number)) }
    log = try BlockLog(folder: folder.path, segmentSize: 300)
    #expect(log.repairs.isEmpty)
    #expect(log.lastSequence == 40)
    // What a database says does not matter where there are entries.
    #expect(try BlockLog(folder: folder.path, next: 12).lastSequence == 40)
    #expect(try entries(log).map(\.payload) == (1...40).map(payload))
    #expect(try entries(log, after: 33).map(\.sequence) == Array(34...40))
    try log.append(.rewind, [7])
    #expect(try entries(log).last?.kind == .rewind)
    log.removeSegments(through: 20)
    #expect(try entries(log, after: 20).map(\.sequence) == Array(21...41))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count < 20)
  }

  /// A log of five entries in one file, the file's path and contents, and where the last entry begins.
  private func fiveEntries(_ folder: TemporaryFolder) throws -> (path: String, Data, last: Int) {
    let log = try BlockLog(folder: folder.path)
    for number in 1...5 { try log.append(.block, payload(number)) }
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    let path = folder.path + "/" + files.first { $0.hasSuffix(".log") }!
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    return (path, whole, whole.count - 17 - payload(5).count)
  }

  /// As after a crash that left the last entry unfinished, and a power cut with it.
  private func forgetLastEntry(_ folder: TemporaryFolder) throws {
    try FileManager.default.removeItem(atPath: folder.path + "/last")
  }

  /// Whatever happens to the last entry's bytes, the ones before it stay and the log goes on.
  @Test func tornTailsAreCut() throws {
    let folder = TemporaryFolder()
    let (path, whole, last) = try fiveEntries(folder)
    for cut in last + 1..<whole.count {
      try whole[..<cut].write(to: URL(fileURLWithPath: path))
      try forgetLastEntry(folder)
      let log = try BlockLog(folder: folder.path)
      #expect(log.lastSequence == 4)
      #expect(log.repairs.count == 1)
      #expect(try log.append(.block, payload(5)) == 5)
      #expect(try entries(log).map(\.payload) == (1...5).map(payload))
    }
    for flip in last..<whole.count {
      var damaged = whole
      damaged[flip] ^= 1 << UInt8(flip % 8)
      try damaged.write(to: URL(fileURLWithPath: path))
      try forgetLastEntry(folder)
      let log = try BlockLog(folder: folder.path)
      #expect(log.lastSequence == 4, "byte \(flip)")
      #expect(log.repairs.count == 1)
    }
    // Torn in the very beginning.
    try forgetLastEntry(folder)
    try whole[..<9].write(to: URL(fileURLWithPath: path))
    let empty = try BlockLog(folder: folder.path, next: 8)
    #expect(empty.lastSequence == 7)
    #expect(empty.repairs.count == 1)
  }

  /// An entry that was whole is not cut off as if a crash had left it unfinished, unless it is stored.
  @Test func lostEntriesAreRefused() throws {
    let folder = TemporaryFolder()
    let (path, whole, last) = try fiveEntries(folder)
    func refusal() -> String {
      do throws(StorageError) {
        _ = try BlockLog(folder: folder.path)
        return ""
      } catch { return error.message }
    }
    var damages = (last..<whole.count).map { flip in
      var damaged = whole
      damaged[flip] ^= 1 << UInt8(flip % 8)
      return damaged
    }
    damages += (last..<whole.count).map { whole[..<$0] }
    for damaged in damages {
      try damaged.write(to: URL(fileURLWithPath: path))
      #expect(refusal().contains("entries 5 to 5"))
      #expect(refusal().contains("--accept-lost-blocks"))
      // Nothing was repaired.
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == damaged)
      #expect(try BlockLog.inspect(folder: folder.path).lacksEntries(after: 4))
      #expect(try !BlockLog.inspect(folder: folder.path).lacksEntries(after: 5))
    }
    // What the database has is not lost.
    #expect(try BlockLog(folder: folder.path, next: 6).lastSequence == 4)
  }

  @Test func damageBeforeWholeEntriesIsRefused() throws {
    let folder = TemporaryFolder()
    let (path, whole, last) = try fiveEntries(folder)
    try forgetLastEntry(folder)
    for flip in 16..<last {
      var damaged = whole
      damaged[flip] ^= 1 << UInt8(flip % 8)
      try damaged.write(to: URL(fileURLWithPath: path))
      #expect(throws: StorageError.self, "byte \(flip)") { try BlockLog(folder: folder.path) }
      #expect(try BlockLog.inspect(folder: folder.path).lacksEntries(after: 0), "byte \(flip)")
      try? forgetLastEntry(folder)
    }
  }

  @Test func lossCanBeAccepted() throws {
    let folder = TemporaryFolder()
    let (path, whole, last) = try fiveEntries(folder)
    var damaged = whole
    damaged[last + 20] ^= 4
    try damaged.write(to: URL(fileURLWithPath: path))
    let log = try BlockLog(folder: folder.path, acceptsLoss: true)
    #expect(log.repairs.first?.contains("entries 5 to 5 are lost") == true)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path + ".damaged")) == damaged[last...])
    #expect(try log.append(.block, payload(6)) == 5)
    // All is well afterwards, also where nothing of the entries is left.
    #expect(try BlockLog(folder: folder.path).repairs.isEmpty)
    try whole[..<last].write(to: URL(fileURLWithPath: path))
    #expect(throws: StorageError.self) { try BlockLog(folder: folder.path) }
    #expect(try BlockLog(folder: folder.path, acceptsLoss: true).lastSequence == 4)
    #expect(try BlockLog(folder: folder.path).lastSequence == 4)
  }

  @Test func damageInTheMiddleIsRefused() throws {
    let folder = TemporaryFolder()
    let log = try BlockLog(folder: folder.path, segmentSize: 100)
    for number in 1...20 { try log.append(.block, payload(number)) }
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".log") }.sorted()
    let path = folder.path + "/" + files[1]
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count - 1] ^= 4
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(throws: StorageError.self) { try BlockLog(folder: folder.path) }
  }

  @Test func checksumIsThatOfTheStandard() {
    // RFC 3720, appendix B.4: 32 bytes of zeros, of ones.
    #expect([UInt8](repeating: 0, count: 32).withUnsafeBytes { CRC32C.checksum($0) } == 0x8A91_36AA)
    #expect(
      [UInt8](repeating: 255, count: 32).withUnsafeBytes { CRC32C.checksum($0) } == 0x62A8_AB43)
  }
}
