import Coprocessors
import EVM
import Foundation
import Synchronization
import Testing

@testable import GPU

/// Every back end of lanes, on the host in place of a device, against the reference.
@Suite struct LaneBackEndTests {
  private static func coprocessor(_ name: String) throws -> any Coprocessor {
    try #require(CoprocessorRegistry.standard.first { $0.name == name })
  }

  private static let names = LaneBackEnd.all(on: HostCoprocessorMachine()).map(\.coprocessor)

  @Test(arguments: names)
  func lanesGiveTheReferencesResults(_ name: String) throws {
    let coprocessor = try Self.coprocessor(name)
    let backEnd = try #require(
      LaneBackEnd.all(on: HostCoprocessorMachine()).first { $0.coprocessor == name })
    let seed: UInt64 = 0x1A9E5
    for requests in [
      coprocessor.edgeRequests, coprocessor.randomRequests(300, seed: seed),
      coprocessor.typicalRequests(70, seed: seed), coprocessor.typicalRequests(1, seed: seed),
      ByteColumn(), ByteColumn([[]]),
    ] {
      let results = try backEnd.run(requests)
      let row = results.firstDifference(coprocessor.reference(requests))
      #expect(row == nil, "row \(row ?? 0) of \(requests.count), seed \(seed)")
    }
  }

  @Test func backEndsGiveTheKnownAnswers() throws {
    let registry = try CoprocessorRegistry(CoprocessorRegistry.standard, workers: 1)
    for backEnd in LaneBackEnd.all(on: HostCoprocessorMachine()) {
      try registry.register(backEnd)
      #expect(try registry.entry(backEnd.coprocessor).backEnds.last?.health == .healthy)
    }
  }

  @Test func theFieldCheckFindsNothingOnTheHost() throws {
    let backEnd = LaneBackEnd.all(on: HostCoprocessorMachine())[0]
    #expect(try backEnd.differencesOfFields(pairs: 300, seed: 3) == 0)
  }

  /// The host hashes what one lane would take long for.
  @Test func longMessagesLieAmongShortOnes() throws {
    let backEnd = try #require(
      LaneBackEnd.all(on: HostCoprocessorMachine()).first { $0.coprocessor == "keccak256" })
    let sizes = [1 << 15, (1 << 15) + 1, 64, 0, 200_000, 135, 136, 64, 300, 1 << 17]
    let requests = ByteColumn(
      sizes.enumerated().map { [UInt8](repeating: UInt8($0), count: $1) })
    #expect(try backEnd.run(requests) == KeccakCoprocessor().reference(requests))
    let plan = HashOperation.Plan(requests)
    #expect(plan.long == [1, 4, 9])
    #expect(plan.order == [0, 8, 6, 2, 3, 5, 7])
    #expect(plan.runs(requests).count == 3)
    #expect(HashOperation.Plan(requests.rows(2..<4)).order == nil)
    #expect(backEnd.hostRows == 3)
    _ = try backEnd.run(requests.rows(0..<2))
    #expect(backEnd.hostRows == 4)
  }

  /// A sum of so many multiples would keep a lane for seconds.
  @Test func largeCallsLieAmongSmallOnes() throws {
    let coprocessor = try Self.coprocessor("bls12381G1MSM")
    let backEnd = try #require(
      LaneBackEnd.all(on: HostCoprocessorMachine()).first { $0.coprocessor == coprocessor.name })
    let work = try #require(PrecompileWork(.blsG1MSM))
    let one = coprocessor.typicalRequests(1, seed: 1)[0]
    let requests = ByteColumn(
      [1, work.laneLimit, 2, work.laneLimit + 1, 0, 2].map { count in
        (0..<count).flatMap { _ in one }
      })
    #expect(try backEnd.run(requests) == coprocessor.reference(requests))
    #expect(backEnd.hostRows == 1)
    let plan = PrecompileOperation.Plan(requests, work)
    #expect(plan.host.rows == [3])
    #expect(plan.order == [1, 2, 5, 0, 4])
    #expect(plan.most == work.laneLimit)
  }

  /// The largest call of a lane has scratch memory enough.
  @Test(arguments: ["bn254Pairing", "bls12381Pairing", "bls12381G1MSM", "bls12381G2MSM"])
  func scratchMemoryIsEnough(_ name: String) throws {
    let coprocessor = try Self.coprocessor(name)
    let precompile = try #require(
      coprocessor.precompileAddress.flatMap { Precompile(rawValue: $0) })
    let work = try #require(PrecompileWork(precompile))
    let one = coprocessor.typicalRequests(8, seed: 1)
    let most = work.laneLimit
    for count in [1, 2, most] {
      var request: [UInt8] = []
      for row in 0..<one.count where request.withUnsafeBufferPointer { work.amount($0) } < count {
        request += one[row]
      }
      while request.withUnsafeBufferPointer { work.amount($0) } < count { request += request }
      let size = request.count / request.withUnsafeBufferPointer { work.amount($0) } * count
      request = [UInt8](request.prefix(size))
      let output = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
      defer { output.deallocate() }
      let capacity = work.scratchBytes(count)
      let memory = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
      defer { memory.deallocate() }
      var scratch = Arena(base: memory, capacity: capacity)
      let outcome = request.withUnsafeBufferPointer {
        precompile.run(input: $0, output: output, fork: .osaka, scratch: &scratch)
      }
      #expect(outcome == .success(count: work.outputBytes), "\(count) of \(name)")
    }
  }

  @Test(arguments: [CoprocessorError.Code.deviceLost, .memoryExhausted])
  func aMachineThatIsLostLosesNoBatch(_ code: CoprocessorError.Code) throws {
    let registry = try CoprocessorRegistry(CoprocessorRegistry.standard, workers: 1)
    let machine = HostCoprocessorMachine()
    let backEnd = try #require(
      LaneBackEnd.all(on: machine).first { $0.coprocessor == "recover" })
    try registry.register(backEnd)
    let lines = Log()
    let queue = try CoprocessorQueue("recover", of: registry, crossover: { _ in 1 }) { line in
      lines.lines.withLock { $0.append(line) }
    }
    defer { queue.close() }
    let requests = RecoverCoprocessor().typicalRequests(40, seed: 5)
    let expected = RecoverCoprocessor().reference(requests)
    #expect(try queue.submit(requests).results() == expected)
    // The machine fails in its second kernel.
    machine.failure = (.recoverScalars, CoprocessorError(code, "told to fail"))
    #expect(try queue.submit(requests).results() == expected)
    machine.failure = nil
    #expect(try queue.submit(requests).results() == expected)
    let done = queue.statistics
    #expect(done.movedBatches == 1)
    #expect(done.movedRows == 40)
    // A batch that was too large says nothing of the next one; a lost device does.
    let isLost = code == .deviceLost
    #expect(done.batches == (isLost ? ["lanes": 1, "cpu": 2] : ["lanes": 2, "cpu": 1]))
    #expect(lines.lines.withLock { $0.count } == (isLost ? 2 : 1))
  }

  private final class Log: Sendable {
    let lines = Mutex<[String]>([])
  }
}
