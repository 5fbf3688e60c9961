import Ethereum
import Execution
import Testing

@testable import EVM

/// Trace lines against lines made by hand from the gas rules.
struct JSONTracerTests {
  private static let contract = "0x00000000000000000000000000000000000000c0"
  private static let other = "0x00000000000000000000000000000000000000c1"

  @Test func aStepCarriesItsCostAndWhatItFound() throws {
    // PUSH1 1, PUSH1 2, ADD, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN
    let lines = try Runs.trace(Runs.call([(Self.contract, "0x60016002015f5260205ff3")]))
    #expect(
      lines == [
        #"{"pc":0,"op":96,"gas":"0x13498","gasCost":"0x3","memSize":0,"stack":[],"depth":1,"refund":0,"opName":"PUSH1"}"#,
        #"{"pc":2,"op":96,"gas":"0x13495","gasCost":"0x3","memSize":0,"stack":["0x1"],"depth":1,"refund":0,"opName":"PUSH1"}"#,
        #"{"pc":4,"op":1,"gas":"0x13492","gasCost":"0x3","memSize":0,"stack":["0x1","0x2"],"depth":1,"refund":0,"opName":"ADD"}"#,
        #"{"pc":5,"op":95,"gas":"0x1348f","gasCost":"0x2","memSize":0,"stack":["0x3"],"depth":1,"refund":0,"opName":"PUSH0"}"#,
        #"{"pc":6,"op":82,"gas":"0x1348d","gasCost":"0x6","memSize":0,"stack":["0x3","0x0"],"depth":1,"refund":0,"opName":"MSTORE"}"#,
        #"{"pc":7,"op":96,"gas":"0x13487","gasCost":"0x3","memSize":32,"stack":[],"depth":1,"refund":0,"opName":"PUSH1"}"#,
        #"{"pc":9,"op":95,"gas":"0x13484","gasCost":"0x2","memSize":32,"stack":["0x20"],"depth":1,"refund":0,"opName":"PUSH0"}"#,
        #"{"pc":10,"op":243,"gas":"0x13482","gasCost":"0x0","memSize":32,"stack":["0x20","0x0"],"depth":1,"refund":0,"opName":"RETURN"}"#,
        #"{"output":"0000000000000000000000000000000000000000000000000000000000000003","gasUsed":"0x16"}"#,
      ])
  }

  @Test func aCallCostsWhatItsChildGetsWithoutTheStipend() throws {
    // CALL(gas 1000, c1, value 1, no data); the child does PUSH0, STOP.
    let lines = try Runs.trace(
      Runs.call([
        (Self.contract, "0x5f5f5f5f600160c16103e8f100"), (Self.other, "0x5f00"),
      ]))
    // Cold access 2600, value 9000, and 1000 for the child: 12,600 = 0x3138.
    let call = try #require(lines.first { $0.contains(#""opName":"CALL""#) })
    #expect(call.contains(#""gasCost":"0x3138""#))
    // The child has 1000 and the stipend of 2300: 3300 = 0xce4.
    #expect(
      lines.contains {
        $0.hasPrefix(#"{"pc":0,"op":95,"gas":"0xce4","gasCost":"0x2""#)
          && $0.contains(#""depth":2"#)
      })
    // Pushes of 2, 2, 2, 2, 3, 3, 3, the call, less the 3298 that come back.
    let used = 17 + 12_600 - 3298
    #expect(lines.last == #"{"output":"","gasUsed":"0x\#(String(used, radix: 16))"}"#)
  }

  @Test func aCreationIsToldWithoutItsChild() throws {
    // PUSH9 <init>, PUSH0, MSTORE, CREATE(0, 23, 9); the init code returns 1 byte of zero:
    // PUSH1 1, PUSH0, RETURN, padded.
    let lines = try Runs.trace(
      Runs.call([(Self.contract, "0x6360015ff35f526004601c5ff000")]))
    let create = try #require(lines.first { $0.contains(#""opName":"CREATE""#) })
    // 32,000 and 2 for a word of init code.
    #expect(create.contains(#""gasCost":"0x7d02""#))
    // RETURN pays for a word of memory, and not for the byte of code: 200 = what is missing.
    let end = try #require(lines.first { $0.contains(#""opName":"RETURN""#) })
    #expect(end.contains(#""gasCost":"0x3""#))
  }

  @Test(arguments: [
    ("0xfe", "invalid opcode: INVALID", 0), ("0xc0", "invalid opcode: opcode 0xc0 not defined", 0),
    ("0x01", "stack underflow (0 <=> 2)", 3), ("0x5f56", "invalid jump destination", 8),
    ("0x60015f3e", "stack underflow (2 <=> 3)", 3),
    ("0x60015f5f3e", "return data out of bounds", 3),
  ])
  func aHaltCarriesItsReason(code: String, reason: String, cost: Int) throws {
    let lines = try Runs.trace(Runs.call([(Self.contract, code)]))
    let last = try #require(lines.dropLast().last)
    #expect(last.hasSuffix(#","error":"\#(reason)"}"#))
    #expect(last.contains(#""gasCost":"0x\#(cost)""#))
    #expect(lines.last?.hasPrefix(#"{"output":"","gasUsed":"0x13498","error":"#) == true)
  }

  @Test func aRevertIsNoFaultOfItsStep() throws {
    let lines = try Runs.trace(Runs.call([(Self.contract, "0x5f5ffd")]))
    #expect(lines.count == 4)
    #expect(lines[2].hasSuffix(#""refund":0,"opName":"REVERT"}"#))
    #expect(lines[3] == #"{"output":"","gasUsed":"0x4","error":"execution reverted"}"#)
  }

  @Test func refundsAreToldAsTheyGrow() throws {
    // SSTORE(0, 1), SSTORE(0, 0), STOP: the second gives 19,900 back (EIP-3529).
    let lines = try Runs.trace(Runs.call([(Self.contract, "0x60015f555f5f5500")]))
    #expect(lines[5].contains(#""gasCost":"0x64""#))
    #expect(lines[6].contains(#""refund":19900,"opName":"STOP""#))
  }

  @Test func aSecondTryWithMoreWorkspaceIsToldOnce() {
    let lines = Runs.Lines()
    let tracer = JSONTracer(fork: .osaka) { lines.bytes += $0 }
    let none = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    func step(_ pc: Int, _ gas: Int64) -> TraceEvent {
      TraceEvent(
        kind: .willExecute,
        step: TraceStep(
          programCounter: pc, opcode: Opcode.jumpdest, gas: gas, depth: 1,
          stack: UnsafeBufferPointer(start: nil, count: 0), memory: none, returnData: none,
          refund: 0, address: .zero))
    }
    func result(_ status: ExecutionStatus) -> TransactionResult {
      TransactionResult(
        error: nil, status: status, gasUsed: 21_003, gasRefunded: 0, effectiveGasPrice: .zero)
    }
    tracer.willRun(transaction: 0)
    tracer.begin()
    tracer.handle(TraceEvent(kind: .willEnter, depth: 1, gas: 100))
    for pc in 0..<3 { tracer.handle(step(pc, 100 - Int64(pc))) }
    tracer.end(result(.workspaceExhausted), output: none)
    #expect(lines.text.count == 2)
    tracer.begin()
    tracer.handle(TraceEvent(kind: .willEnter, depth: 1, gas: 100))
    for pc in 0..<4 { tracer.handle(step(pc, 100 - Int64(pc))) }
    tracer.handle(TraceEvent(kind: .didExit, depth: 1, gas: 96, status: .stopped))
    tracer.end(result(.stopped), output: none)
    #expect(lines.text.count == 5)
    #expect(Set(lines.text).count == 5)
    #expect(lines.text.last == #"{"output":"","gasUsed":"0x4"}"#)
  }
}
