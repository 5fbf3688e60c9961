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

  /// Whatever happens to the last entry's bytes, the ones before it stay and the log goes on.
  @Test func tornTailsAreCut() throws {
    let folder = TemporaryFolder()
    let log = try BlockLog(folder: folder.path)
    for number in 1...5 { try log.append(.block, payload(number)) }
    let file = try FileManager.default.contentsOfDirectory(atPath: folder.path)[0]
    let path = folder.path + "/" + file
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    let last = whole.count - 17 - payload(5).count
    for cut in last + 1..<whole.count {
      try whole[..<cut].write(to: URL(fileURLWithPath: path))
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
      let log = try BlockLog(folder: folder.path)
      #expect(log.lastSequence == 4, "byte \(flip)")
      #expect(log.repairs.count == 1)
    }
    // Torn in the very beginning.
    try whole[..<9].write(to: URL(fileURLWithPath: path))
    let empty = try BlockLog(folder: folder.path, next: 8)
    #expect(empty.lastSequence == 7)
    #expect(empty.repairs.count == 1)
  }

  @Test func damageInTheMiddleIsRefused() throws {
    let folder = TemporaryFolder()
    let log = try BlockLog(folder: folder.path, segmentSize: 100)
    for number in 1...20 { try log.append(.block, payload(number)) }
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
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
