import Testing

@testable import EVM

/// The table of precompiles: addresses, first forks, and gas as the machine charges it. What they
/// compute is tested beside.
@Suite struct PrecompileTests {
  /// One precompile with an input that it accepts, and its gas from a fork on.
  struct Row: CustomStringConvertible, Sendable {
    var number: UInt64
    var name: String
    var input: [UInt8]
    /// In the order of the forks; the first is that of the precompile.
    var gas: [(since: Fork, amount: UInt64)]

    var description: String { name }

    func gas(_ fork: Fork) -> UInt64? { gas.last { fork >= $0.since }?.amount }
  }

  private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

  private static func word(_ number: UInt8) -> [UInt8] { zeros(31) + [number] }

  /// A proof that the polynomial zero is zero at zero: commitment and proof are the point at
  /// infinity, whose SHA-256 is 5f0657f3... (Python's hashlib).
  private static let evaluation: [UInt8] =
    bytes(hexadecimal: "010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014")!
    + zeros(64) + [0xc0] + zeros(47) + [0xc0] + zeros(47)

  static let rows: [Row] = [
    Row(number: 1, name: "ECRECOVER", input: zeros(128), gas: [(.frontier, 3000)]),
    // 60 and 12 a word; 600 and 120; 15 and 3.
    Row(number: 2, name: "SHA-256", input: zeros(33), gas: [(.frontier, 84)]),
    Row(number: 3, name: "RIPEMD-160", input: zeros(33), gas: [(.frontier, 840)]),
    Row(number: 4, name: "identity", input: zeros(33), gas: [(.frontier, 21)]),
    // 1^(2^256-1) mod 1, with numbers of 32 bytes: 255 multiplications. EIP-198: 32 x 32 x 255 / 20;
    // EIP-2565: 16 x 255 / 3; EIP-7883: 16 x 255.
    Row(
      number: 5, name: "modexp",
      input: word(32) + word(32) + word(32) + word(1) + [UInt8](repeating: 255, count: 32)
        + word(1), gas: [(.byzantium, 13056), (.berlin, 1360), (.osaka, 4080)]),
    // EIP-196, EIP-197 and EIP-1108.
    Row(
      number: 6, name: "bn254 addition", input: zeros(128),
      gas: [(.byzantium, 500), (.istanbul, 150)]),
    Row(
      number: 7, name: "bn254 multiplication", input: zeros(96),
      gas: [(.byzantium, 40000), (.istanbul, 6000)]),
    Row(
      number: 8, name: "bn254 pairing", input: zeros(384),
      gas: [(.byzantium, 260_000), (.istanbul, 113_000)]),
    // EIP-152: one a round.
    Row(
      number: 9, name: "BLAKE2 F", input: [0, 0, 1, 2] + zeros(209),
      gas: [(.istanbul, 258)]),
    Row(number: 10, name: "point evaluation", input: evaluation, gas: [(.cancun, 50000)]),
    // EIP-2537.
    Row(number: 11, name: "BLS G1 addition", input: zeros(256), gas: [(.prague, 375)]),
    Row(number: 12, name: "BLS G1 MSM", input: zeros(160), gas: [(.prague, 12000)]),
    Row(number: 13, name: "BLS G2 addition", input: zeros(512), gas: [(.prague, 600)]),
    Row(number: 14, name: "BLS G2 MSM", input: zeros(288), gas: [(.prague, 22500)]),
    Row(number: 15, name: "BLS pairing", input: zeros(768), gas: [(.prague, 102_900)]),
    Row(number: 16, name: "BLS map to G1", input: zeros(64), gas: [(.prague, 5500)]),
    Row(number: 17, name: "BLS map to G2", input: zeros(128), gas: [(.prague, 23800)]),
    // EIP-7951.
    Row(number: 256, name: "P-256 verification", input: zeros(160), gas: [(.osaka, 6900)]),
  ]

  @Test(arguments: rows)
  func runLightDoesTheLightOnes(_ row: Row) throws {
    let precompile = try #require(Precompile(Address(number: row.number), .osaka))
    var output = [UInt8](repeating: 0, count: 512)
    let outcome = row.input.withUnsafeBufferPointer { input in
      withUnsafeTemporaryAllocation(byteCount: 1 << 12, alignment: 16) { memory in
        var scratch = Arena(base: memory.baseAddress!, capacity: memory.count)
        return precompile.runLight(
          input: input, output: &output, fork: .osaka, scratch: &scratch)
      }
    }
    #expect((outcome != nil) == precompile.isLight)
  }

  @Test func addressesHoldWhatTheForkHas() {
    for fork in Fork.allCases {
      for number in UInt64(0)...300 {
        let expected = Self.rows.first { $0.number == number }?.gas(fork) != nil
        #expect((Precompile(Address(number: number), fork) != nil) == expected, "\(number) \(fork)")
      }
      for word: UInt256 in [
        UInt256(1) << 64 | 1, UInt256(1) << 128 | 1, UInt256(1) << 159 | 1, UInt256(0x1_0001),
        UInt256(0x1_0000_0001),
      ] {
        #expect(Precompile(Address(word), fork) == nil)
      }
    }
  }

  /// A contract that hands its input to a precompile with some gas, and returns the flag.
  private func run(_ fork: Fork, _ row: Row, gas: UInt64) -> TestWorld.Outcome {
    let copy =
      Bytecode([Opcode.calldatasize]) + .push(0) + .push(0) + [Opcode.calldatacopy]
    let call =
      Bytecode.push(0) + .push(0) + [Opcode.calldatasize] + .push(0) + .push(0)
      + .push(UInt256(row.number)) + .push(UInt256(gas)) + [Opcode.call]
    // A slot is set first, so that execution costs more than the data's floor (EIP-7623).
    let code = Bytecode.call(Opcode.sstore, 0, 1) + copy + call + .returnTop
    return TestWorld(fork, code: code).run(data: row.input)
  }

  @Test(arguments: PrecompileTests.rows) func takesItsGas(_ row: Row) throws {
    for fork in [
      Fork.frontier, .homestead, .byzantium, .istanbul, .berlin, .cancun, .prague, .osaka,
    ] {
      guard let gas = row.gas(fork) else {
        // An account without code takes nothing.
        #expect(run(fork, row, gas: 0).word == 1)
        continue
      }
      let enough = run(fork, row, gas: gas)
      #expect(enough.word == 1, "\(fork)")
      #expect(run(fork, row, gas: gas - 1).word == 0, "\(fork)")
      // What is left comes back, and one gas too few takes all.
      #expect(run(fork, row, gas: gas + 1000).gasUsed == enough.gasUsed, "\(fork)")
      #expect(run(fork, row, gas: gas - 1).gasUsed == enough.gasUsed - 1, "\(fork)")
    }
  }

  /// EIP-2929: precompiles begin warm.
  @Test func areWarmFromTheStart() {
    for fork in [Fork.berlin, .cancun, .prague, .osaka] {
      for row in Self.rows {
        let price: UInt64 = row.gas(fork) == nil ? 2600 : 100
        #expect(
          executionGas(fork, .call(Opcode.balance, UInt256(row.number))) == price + 3,
          "\(row.name) of \(fork)")
      }
    }
  }

  @Test func transactionsCallPrecompiles() {
    let outcome = TestWorld(.osaka).run(data: [1, 2, 3], to: Address(number: 4))
    #expect(outcome.status == .returned)
    #expect(outcome.output == [1, 2, 3])
    #expect(outcome.gasUsed == 21000 + 3 * 40)
    let execution = TestWorld(.cancun).run(data: [1, 2, 3], to: Address(number: 4))
    #expect(execution.gasUsed == 21000 + 3 * 16 + 18)
    // Short of gas: all is taken, the value comes back.
    let short = TestWorld(.cancun).run(data: [1], value: 5, gas: 21033, to: Address(number: 4))
    #expect(short.status == .outOfGas)
    #expect(short.gasUsed == 21033)
    #expect(short.accounts[Address(number: 4)] == nil)
  }

  @Test func outputIsReturnData() {
    // Identity of 5 bytes with room for 2: the rest is in the return data.
    let code =
      Bytecode.call(Opcode.mstore, 0, 0x01_0203_0405)
      + .call(Opcode.staticcall, 100, 4, 27, 5, 32, 2)
      + .call(Opcode.mload, 32) + [Opcode.returndatasize, Opcode.add] + .returnTop
    #expect(TestWorld(.osaka, code: code).run().word == (UInt256(0x0102) << 240) | 5)
  }
}
