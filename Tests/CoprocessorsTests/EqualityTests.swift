import EVM
import Foundation
import Testing

@testable import Coprocessors

/// Every back end of every registered coprocessor against the reference. `NEEDLETAIL_COPROCESSOR_ROWS`
/// sets how many random requests each gets.
struct EqualityTests {
  private static let rows =
    ProcessInfo.processInfo.environment["NEEDLETAIL_COPROCESSOR_ROWS"].flatMap { Int($0) } ?? 400

  @Test(arguments: CoprocessorRegistry.standard.map(\.name))
  func everyBackEndIsEqualToTheReference(_ name: String) throws {
    let registry = try CoprocessorRegistry(CoprocessorRegistry.standard, workers: 3)
    let entry = try registry.entry(name)
    let coprocessor = entry.coprocessor
    let seed: UInt64 = 0x5EED_0006
    print("\(name): \(Self.rows) random requests, seed \(seed)")
    for requests in [
      coprocessor.edgeRequests, coprocessor.randomRequests(Self.rows, seed: seed),
      coprocessor.typicalRequests(33, seed: seed), ByteColumn(),
    ] {
      let expected = coprocessor.reference(requests)
      #expect(expected.count == requests.count)
      let single = CPUBackEnd(coprocessor, workers: 1)
      for backEnd in entry.backEnds.map(\.backEnd) + [single] {
        let results = try backEnd.run(requests)
        if let row = results.firstDifference(expected) {
          Issue.record(
            """
            \(backEnd.name): row \(row) of \(requests.count), \
            \(CoprocessorRegistry.text(requests[row])): \
            expected \(CoprocessorRegistry.text(expected[row])), \
            got \(CoprocessorRegistry.text(results[row]))
            """)
        }
      }
    }
  }

  @Test(arguments: CoprocessorRegistry.standard.map(\.name))
  func theReferenceGivesTheKnownAnswers(_ name: String) throws {
    let coprocessor = try CoprocessorRegistry(CoprocessorRegistry.standard, workers: 1)
      .entry(name).coprocessor
    #expect(coprocessor.knownAnswers.count >= 4)
    for answer in coprocessor.knownAnswers {
      let result = answer.request.withUnsafeBufferPointer { coprocessor.reference($0) }
      #expect(result == answer.result, "\(answer.source)")
    }
  }

  /// Typical requests are done, random ones in part: the tests meet both ways.
  @Test(arguments: CoprocessorRegistry.standard.map(\.name))
  func requestsAreOfBothKinds(_ name: String) throws {
    let coprocessor = try CoprocessorRegistry(CoprocessorRegistry.standard, workers: 1)
      .entry(name).coprocessor
    let typical = coprocessor.reference(coprocessor.typicalRequests(20, seed: 3))
    #expect(typical.isDone.allSatisfy { $0 })
    #expect(coprocessor.typicalRequests(9, seed: 1) == coprocessor.typicalRequests(9, seed: 1))
    // These refuse nothing, or hardly anything; a signature in P-256 that is wrong is an answer.
    if ["keccak256", "sha256", "modexp", "p256Verify"].contains(name) { return }
    let random = coprocessor.reference(coprocessor.randomRequests(64, seed: 3))
    #expect(random.isDone.contains(false))
  }

  @Test func aLargeMessageHashesAsItsPieces() {
    let message = [UInt8](repeating: 0x5C, count: 48 << 20)
    let results = CPUBackEnd(KeccakCoprocessor(), workers: 2).run(ByteColumn([message, []]))
    var pieces = Keccak256()
    var position = 0
    for size in [1, 135, 136, 1 << 20, 7 << 20, message.count] {
      let end = min(message.count, position + size)
      message[position..<end].withUnsafeBufferPointer { pieces.absorb($0) }
      position = end
    }
    #expect(position == message.count)
    #expect(results[0] == pieces.finalize().bytes)
    #expect(results[1] == Keccak256.empty.bytes)
  }
}
