import Testing

@testable import Coprocessors

struct RegistryTests {
  @Test func allHaveDifferentNames() throws {
    let names = CoprocessorRegistry.standard.map(\.name)
    #expect(Set(names).count == names.count)
    let registry = try CoprocessorRegistry(CoprocessorRegistry.standard, workers: 2)
    #expect(registry.all.map(\.coprocessor.name) == names)
    #expect(registry.all.allSatisfy { $0.backEnds.map(\.backEnd.name) == ["cpu"] })
  }

  /// Prices of the yellow paper, EIP-196 and its changes: what a call of the precompile, or KECCAK256,
  /// costs beside memory.
  @Test func pricesAreThoseOfTheProtocol() throws {
    let registry = try CoprocessorRegistry(CoprocessorRegistry.standard, workers: 1)
    for (name, bytes, gas) in [
      ("keccak256", 0, 30), ("keccak256", 33, 42), ("sha256", 32, 72), ("recover", 97, 3000),
      ("bn254Pairing", 384, 45_000 + 2 * 34_000), ("bls12381G1Add", 256, 375),
      ("bls12381Pairing", 768, 37_700 + 2 * 32_600),
    ] as [(String, Int, Int64)] {
      let request = [UInt8](repeating: 0, count: bytes)
      let found = try registry.entry(name).coprocessor
      #expect(request.withUnsafeBufferPointer { found.gas($0) } == gas, "\(name)")
    }
    for name in ["recoverKey", "senders", "stateRoot", "trieRoot", "orderedRoot"] {
      let found = try registry.entry(name).coprocessor
      #expect([UInt8]().withUnsafeBufferPointer { found.gas($0) } == nil)
    }
  }

  @Test func anUnknownNameIsToldWithThoseThatAre() throws {
    let registry = try CoprocessorRegistry([KeccakCoprocessor()])
    let error = #expect(throws: CoprocessorError.self) { try registry.entry("kekkac") }
    #expect(error?.code == .unknownCoprocessor)
    #expect(error?.message == "there is no coprocessor kekkac; there are keccak256")
  }

  @Test func aBackEndThatIsRightIsTaken() throws {
    let registry = try CoprocessorRegistry([KeccakCoprocessor()])
    try registry.register(FakeBackEnd(KeccakCoprocessor()))
    let backEnds = try registry.entry("keccak256").backEnds
    #expect(backEnds.map(\.backEnd.name) == ["cpu", "fake"])
    #expect(backEnds.map(\.health) == [.healthy, .healthy])
  }

  @Test func aBackEndThatErrsIsRefused() throws {
    let registry = try CoprocessorRegistry([KeccakCoprocessor()])
    let error = #expect(throws: CoprocessorError.self) {
      try registry.register(FakeBackEnd(KeccakCoprocessor(), .errs))
    }
    #expect(error?.code == .refused)
    let message = try #require(error?.message)
    let last = KnownAnswers.keccak256.count - 1
    #expect(
      message.hasPrefix(
        "the fake back end of keccak256 fails known answer \(last) (length-300): expected 0x"))
    #expect(message.hasSuffix(", got 0xbad0; it is not used"))
    #expect(try registry.entry("keccak256").backEnds[1].health == .unusable(#require(error)))
  }

  @Test func aBackEndThatLosesRowsOrFailsIsRefused() throws {
    let registry = try CoprocessorRegistry([KeccakCoprocessor()])
    let lossy = #expect(throws: CoprocessorError.self) {
      try registry.register(FakeBackEnd(KeccakCoprocessor(), .losesRows))
    }
    #expect(lossy?.message.contains("results for \(KnownAnswers.keccak256.count) requests") == true)
    let lost = #expect(throws: CoprocessorError.self) {
      try registry.register(FakeBackEnd(KeccakCoprocessor(), .fails(.deviceLost)))
    }
    #expect(lost?.code == .deviceLost)
    // The later one of a name takes the earlier one's place.
    try registry.register(FakeBackEnd(KeccakCoprocessor()))
    #expect(try registry.entry("keccak256").backEnds.map(\.health) == [.healthy, .healthy])
  }
}
