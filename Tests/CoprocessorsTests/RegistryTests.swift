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
