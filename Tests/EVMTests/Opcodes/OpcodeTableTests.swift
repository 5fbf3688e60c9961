import Testing

@testable import EVM

/// The opcode table against the interpreter: whatever the table says must be what happens.
@Suite struct OpcodeTableTests {
  /// What fork brought which opcode, from the EIPs.
  @Test func introducesOpcodesByFork() {
    let firsts: [(Fork, [UInt8])] = [
      (.homestead, [Opcode.delegatecall]),
      (
        .byzantium,
        [
          Opcode.returndatasize, Opcode.returndatacopy, Opcode.staticcall, Opcode.revert,
        ]
      ),
      (
        .constantinople,
        [
          Opcode.shl, Opcode.shr, Opcode.sar, Opcode.extcodehash, Opcode.create2,
        ]
      ),
      (.istanbul, [Opcode.chainid, Opcode.selfbalance]),
      (.london, [Opcode.basefee]),
      (.shanghai, [Opcode.push0]),
      (
        .cancun,
        [
          Opcode.blobhash, Opcode.blobbasefee, Opcode.tload, Opcode.tstore, Opcode.mcopy,
        ]
      ),
      (.osaka, [Opcode.clz]),
    ]
    var later: Set<UInt8> = []
    for (fork, opcodes) in firsts {
      for opcode in opcodes {
        later.insert(opcode)
        #expect(OpcodeTable.row(opcode)?.since == fork)
      }
    }
    for byte in UInt8.min...UInt8.max where !later.contains(byte) {
      if let row = OpcodeTable.row(byte) { #expect(row.since == .frontier) }
    }
  }

  @Test func haltsOnOpcodesOfLaterForksAndUndefinedBytes() {
    for byte in UInt8.min...UInt8.max {
      for fork in [Fork.frontier, .byzantium, .berlin, .shanghai, .osaka] {
        let isDefined =
          byte != Opcode.invalid && (OpcodeTable.row(byte).map { fork >= $0.since } ?? false)
        let code = (Bytecode.push(0) * 17) + [byte]
        let status = TestWorld(fork, code: code).run().status
        #expect((status == .undefinedOpcode) == !isDefined, "byte \(byte) of \(fork)")
      }
    }
  }

  /// One word too few underflows; the exact number does not.
  @Test func needsItsOperands() {
    for byte in UInt8.min...UInt8.max {
      guard let row = OpcodeTable.row(byte), byte != Opcode.invalid, row.pops > 0 else {
        continue
      }
      let short = (Bytecode.push(0) * (row.pops - 1)) + [byte]
      #expect(TestWorld(.osaka, code: short).run().status == .stackUnderflow, "byte \(byte)")
      let enough = (Bytecode.push(0) * row.pops) + [byte]
      #expect(TestWorld(.osaka, code: enough).run().status != .stackUnderflow, "byte \(byte)")
    }
  }

  /// 1,024 words fit on the stack, and an opcode that grows it needs room.
  @Test func stopsAtTheStackLimit() {
    for byte in UInt8.min...UInt8.max {
      guard let row = OpcodeTable.row(byte), byte != Opcode.invalid else { continue }
      let growth = row.pushes - row.pops
      let full = (Bytecode.push(0) * 1024) + [byte]
      let status = TestWorld(.osaka, code: full).run(gas: 5_000_000).status
      #expect((status == .stackOverflow) == (growth > 0), "byte \(byte)")
    }
    let almost = (Bytecode.push(0) * 1023) + [Opcode.address]
    #expect(TestWorld(.osaka, code: almost).run().status == .stopped)
  }

  /// The height after an opcode is what the table says.
  @Test func changesTheHeightAsTheTableSays() {
    let leaves: Set<UInt8> = [
      Opcode.stop, Opcode.jump, Opcode.`return`, Opcode.revert, Opcode.selfdestruct,
      Opcode.invalid,
    ]
    for byte in UInt8.min...UInt8.max {
      guard let row = OpcodeTable.row(byte), !leaves.contains(byte) else { continue }
      // Room for the immediate data of a PUSH, then an opcode to look at the stack from.
      let width = byte >= Opcode.push1 && byte <= Opcode.push32 ? Int(byte - Opcode.push1) + 1 : 0
      var code = (Bytecode.push(0) * 20) + [byte]
      code = code + Bytecode([UInt8](repeating: 0, count: width)) + [Opcode.stop]
      if byte == Opcode.jumpi { continue }
      let outcome = TestWorld(.osaka, code: code).run()
      guard outcome.status == .stopped, let last = outcome.steps.last else {
        Issue.record("byte \(byte): \(outcome.status)")
        continue
      }
      #expect(last.stack.count == 20 + row.pushes - row.pops, "byte \(byte)")
    }
  }

  @Test func namesAreUnique() {
    var names: Set<String> = []
    for byte in UInt8.min...UInt8.max {
      if let row = OpcodeTable.row(byte) { #expect(names.insert("\(row.name)").inserted) }
    }
    #expect(names.count == 150)
  }
}
