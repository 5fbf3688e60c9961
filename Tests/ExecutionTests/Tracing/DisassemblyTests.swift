import EVM
import Execution
import Testing

struct DisassemblyTests {
  @Test func immediateBytesBelongToTheirPush() {
    let lines = Array(Disassembly([0x61, 0x01, 0x5B, 0x5B, 0x5F, 0xC0], fork: .osaka))
    #expect(lines.map(\.offset) == [0, 3, 4, 5])
    #expect(lines.map(\.name) == ["PUSH2", "JUMPDEST", "PUSH0", "UNDEFINED(0xc0)"])
    #expect(lines[0].immediate == [0x01, 0x5B])
    #expect(lines.map(\.isDefined) == [true, true, true, false])
  }

  @Test func whatAForkLacksIsMarked() {
    #expect(Array(Disassembly([0x5F, 0xFE], fork: .london)).map(\.isDefined) == [false, true])
  }

  @Test func codeMayEndInsideAPush() {
    let lines = Array(Disassembly([0x7F, 0x01], fork: .osaka))
    #expect(lines.count == 1)
    #expect(lines[0].isCut)
    #expect(lines[0].immediate == [1])
    #expect(Array(Disassembly([], fork: .osaka)).isEmpty)
  }
}
