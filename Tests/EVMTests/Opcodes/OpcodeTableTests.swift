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
      (.amsterdam, [Opcode.slotnum, Opcode.dupn, Opcode.swapn, Opcode.exchange]),
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
      for fork in [Fork.frontier, .byzantium, .berlin, .shanghai, .osaka, .amsterdam] {
        let isDefined =
          byte != Opcode.invalid && (OpcodeTable.row(byte).map { fork >= $0.since } ?? false)
        // DUPN and its like have a 0 behind them, and reach 145 words down at most then.
        let code = (Bytecode.push(0) * 150) + [byte]
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
      #expect(TestWorld(.amsterdam, code: short).run().status == .stackUnderflow, "byte \(byte)")
      let enough = (Bytecode.push(0) * row.pops) + [byte]
      #expect(TestWorld(.amsterdam, code: enough).run().status != .stackUnderflow, "byte \(byte)")
    }
  }

  /// 1,024 words fit on the stack, and an opcode that grows it needs room.
  @Test func stopsAtTheStackLimit() {
    for byte in UInt8.min...UInt8.max {
      guard let row = OpcodeTable.row(byte), byte != Opcode.invalid else { continue }
      let growth = row.pushes - row.pops
      let full = (Bytecode.push(0) * 1024) + [byte]
      let status = TestWorld(.amsterdam, code: full).run(gas: 5_000_000).status
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
      var width = byte >= Opcode.push1 && byte <= Opcode.push32 ? Int(byte - Opcode.push1) + 1 : 0
      if StackOperand.follows(byte) { width = 1 }
      var code = (Bytecode.push(0) * 150) + [byte]
      code = code + Bytecode([UInt8](repeating: 0, count: width)) + [Opcode.stop]
      if byte == Opcode.jumpi { continue }
      let outcome = TestWorld(.amsterdam, code: code).run()
      guard outcome.status == .stopped, let last = outcome.steps.last else {
        Issue.record("byte \(byte): \(outcome.status)")
        continue
      }
      #expect(last.stack.count == 150 + row.pushes - row.pops, "byte \(byte)")
    }
  }

  /// Name, words taken and put, gas in its first fork, and gas in Osaka: the yellow paper's appendix
  /// H and the EIPs.
  private static let rows: [(UInt8, String, Int, Int, Int64, Int64)] = [
    (0x00, "STOP", 0, 0, 0, 0), (0x01, "ADD", 2, 1, 3, 3), (0x02, "MUL", 2, 1, 5, 5),
    (0x03, "SUB", 2, 1, 3, 3), (0x04, "DIV", 2, 1, 5, 5), (0x05, "SDIV", 2, 1, 5, 5),
    (0x06, "MOD", 2, 1, 5, 5), (0x07, "SMOD", 2, 1, 5, 5), (0x08, "ADDMOD", 3, 1, 8, 8),
    (0x09, "MULMOD", 3, 1, 8, 8), (0x0a, "EXP", 2, 1, 10, 10), (0x0b, "SIGNEXTEND", 2, 1, 5, 5),
    (0x10, "LT", 2, 1, 3, 3), (0x11, "GT", 2, 1, 3, 3), (0x12, "SLT", 2, 1, 3, 3),
    (0x13, "SGT", 2, 1, 3, 3), (0x14, "EQ", 2, 1, 3, 3), (0x15, "ISZERO", 1, 1, 3, 3),
    (0x16, "AND", 2, 1, 3, 3), (0x17, "OR", 2, 1, 3, 3), (0x18, "XOR", 2, 1, 3, 3),
    (0x19, "NOT", 1, 1, 3, 3), (0x1a, "BYTE", 2, 1, 3, 3), (0x1b, "SHL", 2, 1, 3, 3),
    (0x1c, "SHR", 2, 1, 3, 3), (0x1d, "SAR", 2, 1, 3, 3), (0x1e, "CLZ", 1, 1, 5, 5),
    (0x20, "KECCAK256", 2, 1, 30, 30), (0x30, "ADDRESS", 0, 1, 2, 2),
    (0x31, "BALANCE", 1, 1, 20, 100), (0x32, "ORIGIN", 0, 1, 2, 2), (0x33, "CALLER", 0, 1, 2, 2),
    (0x34, "CALLVALUE", 0, 1, 2, 2), (0x35, "CALLDATALOAD", 1, 1, 3, 3),
    (0x36, "CALLDATASIZE", 0, 1, 2, 2), (0x37, "CALLDATACOPY", 3, 0, 3, 3),
    (0x38, "CODESIZE", 0, 1, 2, 2), (0x39, "CODECOPY", 3, 0, 3, 3), (0x3a, "GASPRICE", 0, 1, 2, 2),
    (0x3b, "EXTCODESIZE", 1, 1, 20, 100), (0x3c, "EXTCODECOPY", 4, 0, 20, 100),
    (0x3d, "RETURNDATASIZE", 0, 1, 2, 2), (0x3e, "RETURNDATACOPY", 3, 0, 3, 3),
    (0x3f, "EXTCODEHASH", 1, 1, 400, 100), (0x40, "BLOCKHASH", 1, 1, 20, 20),
    (0x41, "COINBASE", 0, 1, 2, 2), (0x42, "TIMESTAMP", 0, 1, 2, 2), (0x43, "NUMBER", 0, 1, 2, 2),
    (0x44, "PREVRANDAO", 0, 1, 2, 2), (0x45, "GASLIMIT", 0, 1, 2, 2), (0x46, "CHAINID", 0, 1, 2, 2),
    (0x47, "SELFBALANCE", 0, 1, 5, 5), (0x48, "BASEFEE", 0, 1, 2, 2),
    (0x49, "BLOBHASH", 1, 1, 3, 3),
    (0x4a, "BLOBBASEFEE", 0, 1, 2, 2), (0x4b, "SLOTNUM", 0, 1, 2, 2), (0x50, "POP", 1, 0, 2, 2),
    (0x51, "MLOAD", 1, 1, 3, 3),
    (0x52, "MSTORE", 2, 0, 3, 3), (0x53, "MSTORE8", 2, 0, 3, 3), (0x54, "SLOAD", 1, 1, 50, 100),
    (0x55, "SSTORE", 2, 0, 0, 0), (0x56, "JUMP", 1, 0, 8, 8), (0x57, "JUMPI", 2, 0, 10, 10),
    (0x58, "PC", 0, 1, 2, 2), (0x59, "MSIZE", 0, 1, 2, 2), (0x5a, "GAS", 0, 1, 2, 2),
    (0x5b, "JUMPDEST", 0, 0, 1, 1), (0x5c, "TLOAD", 1, 1, 100, 100),
    (0x5d, "TSTORE", 2, 0, 100, 100), (0x5e, "MCOPY", 3, 0, 3, 3), (0x5f, "PUSH0", 0, 1, 2, 2),
    (0xe6, "DUPN", 0, 1, 3, 3), (0xe7, "SWAPN", 0, 0, 3, 3), (0xe8, "EXCHANGE", 0, 0, 3, 3),
    (0xf0, "CREATE", 3, 1, 32000, 32000), (0xf1, "CALL", 7, 1, 40, 100),
    (0xf2, "CALLCODE", 7, 1, 40, 100), (0xf3, "RETURN", 2, 0, 0, 0),
    (0xf4, "DELEGATECALL", 6, 1, 40, 100), (0xf5, "CREATE2", 4, 1, 32000, 32000),
    (0xfa, "STATICCALL", 6, 1, 700, 100), (0xfd, "REVERT", 2, 0, 0, 0),
    (0xfe, "INVALID", 0, 0, 0, 0), (0xff, "SELFDESTRUCT", 1, 0, 0, 5000),
  ]

  @Test func everyRowIsThatOfTheYellowPaper() {
    var rows = Self.rows
    for n in 1...32 { rows.append((0x5f + UInt8(n), "PUSH\(n)", 0, 1, 3, 3)) }
    for n in 1...16 {
      rows.append((0x7f + UInt8(n), "DUP\(n)", n, n + 1, 3, 3))
      rows.append((0x8f + UInt8(n), "SWAP\(n)", n + 1, n + 1, 3, 3))
    }
    for n in 0...4 {
      let gas = 375 * Int64(n + 1)
      rows.append((0xa0 + UInt8(n), "LOG\(n)", n + 2, 0, gas, gas))
    }
    var defined: Set<UInt8> = []
    for (byte, name, pops, pushes, first, osaka) in rows {
      defined.insert(byte)
      guard let row = OpcodeTable.row(byte) else {
        Issue.record("\(name) is not defined")
        continue
      }
      #expect("\(row.name)" == name)
      #expect(row.pops == pops, "\(name)")
      #expect(row.pushes == pushes, "\(name)")
      #expect(GasSchedule(row.since).cost(row.gas) == first, "\(name)")
      #expect(GasSchedule(.osaka).cost(row.gas) == osaka, "\(name)")
    }
    for byte in UInt8.min...UInt8.max where !defined.contains(byte) {
      #expect(OpcodeTable.row(byte) == nil, "byte \(byte)")
    }
  }

  @Test func namesAreUnique() {
    var names: Set<String> = []
    for byte in UInt8.min...UInt8.max {
      if let row = OpcodeTable.row(byte) { #expect(names.insert("\(row.name)").inserted) }
    }
    #expect(names.count == 154)
  }
}
