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
  }

  /// Numbers of all lengths side by side, with exponents that lanes and that the host take.
  @Test func modularPowersOfAllSizes() throws {
    let coprocessor = try Self.coprocessor("modexp")
    let backEnd = try #require(
      LaneBackEnd.all(on: HostCoprocessorMachine()).first { $0.coprocessor == coprocessor.name })
    var random = RequestGenerator(seed: 11)
    func lengths(_ base: Int, _ exponent: Int, _ modulus: Int) -> [UInt8] {
      [base, exponent, modulus].flatMap { UInt256(UInt64($0)).bytes }
    }
    func request(_ base: Int, _ exponent: Int, _ modulus: Int) -> [UInt8] {
      lengths(base, exponent, modulus) + random.bytes(base + exponent + modulus)
    }
    let requests = ByteColumn(
      [
        (32, 32, 32), (256, 3, 256), (1, 256, 256), (0, 0, 0), (1024, 1, 1024), (1025, 1, 1),
        (1, 1, 1025), (64, 64, 64), (8, 1024, 1024), (1024, 3, 40), (1024, 2, 3), (33, 33, 33),
      ].map { request($0, $1, $2) } + [request(40, 40, 40).dropLast(50), lengths(1, 1, 1 << 40)])
    #expect(try backEnd.run(requests) == coprocessor.reference(requests))
    let plan = PrecompileOperation.Plan(requests, try #require(PrecompileWork(.modExp)))
    #expect(plan.host.rows == [2, 8, 13])
    #expect(plan.order.count == 11)
  }

  /// The largest call of a lane has scratch memory enough, and leaves what lies behind it alone.
  @Test(arguments: ["bn254Pairing", "bls12381Pairing", "bls12381G1MSM", "bls12381G2MSM"])
  func scratchMemoryIsEnough(_ name: String) throws {
    let coprocessor = try Self.coprocessor(name)
    let precompile = try #require(
      coprocessor.precompileAddress.flatMap { Precompile(rawValue: $0) })
    let work = try #require(PrecompileWork(precompile))
    // The largest of the known answers: two pairs, say, of bn254.
    let typical = coprocessor.typicalRequests(8, seed: 1)
    let one = try #require((0..<8).map { typical[$0] }.max { $0.count < $1.count })
    let items = one.withUnsafeBufferPointer { work.cost($0).amount }
    for count in [items, work.laneLimit / items * items] {
      var request: [UInt8] = []
      while request.count < one.count / items * count { request += one }
      let cost = request.withUnsafeBufferPointer { work.cost($0) }
      #expect(cost.amount == count)
      let output = UnsafeMutablePointer<UInt8>.allocate(capacity: cost.outputBytes)
      defer { output.deallocate() }
      let memory = UnsafeMutableRawPointer.allocate(byteCount: cost.scratchBytes, alignment: 16)
      defer { memory.deallocate() }
      var scratch = Arena(base: memory, capacity: cost.scratchBytes)
      let outcome = request.withUnsafeBufferPointer {
        precompile.run(input: $0, output: output, fork: .osaka, scratch: &scratch)
      }
      #expect(outcome == .success(count: cost.outputBytes), "\(count) of \(name)")
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
