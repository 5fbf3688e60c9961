public import EVM
import Ethereum

/// Counts gas by opcode, over transactions and system calls.
///
/// A call's or creation's gas is its own: without what its child used. The stipend of a call with
/// value is given by the protocol; it is taken off the call, which paid for it, and counted where it
/// is used. Gas that an exceptional halt takes is counted at the opcode that halted.
public final class GasProfile: TransactionTracer {
  /// What was spent on one opcode.
  public struct Entry: Hashable, Sendable {
    /// How often it ran.
    public var count = 0
    /// Its gas.
    public var gas: Int64 = 0
  }

  /// The entries by opcode.
  public private(set) var opcodes: [Entry] = Array(repeating: Entry(), count: 256)
  /// Precompiles.
  public private(set) var precompiles = Entry()
  /// Deployed code, by the byte.
  public private(set) var deployments = Entry()
  /// First accesses of accounts, at their full price (EIP-2929); contained in the opcodes' gas.
  public private(set) var coldAccounts = Entry()

  private let schedule: GasSchedule
  private var frames: [Frame] = []
  /// Entries of the transaction that is running, void when its workspace runs out.
  private var saved: [Entry] = []
  private var savedRest: [Entry] = []

  private struct Frame {
    var startGas: Int64
    var isCreation: Bool
    var step: Step?
    var childGas: Int64 = 0
  }

  private struct Step {
    var opcode: UInt8
    var gas: Int64
    var memoryCount: Int
    /// The top words, top last; at most seven.
    var words: [UInt256]
  }

  /// An empty profile under the rules of a fork.
  public init(fork: Fork) {
    schedule = GasSchedule(fork)
  }

  /// Gas of all opcodes, precompiles and deployments: what execution used, before refunds.
  public var total: Int64 {
    opcodes.reduce(precompiles.gas + deployments.gas) { $0 + $1.gas }
  }

  /// Gas of opcodes by a name in the opcode table, or of a family: `LOG` is LOG0 to LOG4, `PUSH`,
  /// `DUP` and `SWAP` likewise. `nil` for a name that is neither.
  public func gas(named name: String) -> Int64? {
    var found = false
    var sum: Int64 = 0
    for byte in 0..<256 {
      guard let row = OpcodeTable.row(UInt8(byte)) else { continue }
      let full = "\(row.name)"
      let isMember =
        ["LOG", "PUSH", "DUP", "SWAP"].contains(name) && full.hasPrefix(name)
        && full.dropFirst(name.count).allSatisfy(\.isNumber)
      if full == name || isMember {
        found = true
        sum += opcodes[byte].gas
      }
    }
    return found ? sum : nil
  }

  public func begin() {
    frames = []
    saved = opcodes
    savedRest = [precompiles, deployments, coldAccounts]
  }

  public func end(_ result: TransactionResult, output: UnsafeBufferPointer<UInt8>) {
    if result.status.isFault {
      opcodes = saved
      (precompiles, deployments, coldAccounts) = (savedRest[0], savedRest[1], savedRest[2])
    }
  }

  public func handle(_ event: TraceEvent) {
    switch event.kind {
    case .willExecute:
      guard let step = event.step, !frames.isEmpty else { return }
      settle(gas: step.gas)
      frames[frames.count - 1].step = Step(
        opcode: step.opcode, gas: step.gas, memoryCount: step.memory.count,
        words: [UInt256](step.stack.suffix(7)))
    case .didCharge: break
    case .willEnter:
      let opcode = frames.last?.step?.opcode
      frames.append(
        Frame(
          startGas: event.gas, isCreation: opcode == Opcode.create || opcode == Opcode.create2))
    case .didExit:
      guard let frame = frames.last else { return }
      if let step = frame.step {
        var left = event.gas
        if step.opcode == Opcode.return, event.status == .returned || event.status.isHalt {
          // A creation pays for its code by the byte while it returns.
          let cost = Self.expansion(step.words, memoryCount: step.memoryCount, schedule)
          let deposit = step.gas &- frame.childGas &- cost &- event.gas
          if deposit > 0 {
            deployments.count += 1
            deployments.gas += deposit
            left += deposit
          }
        }
        settle(gas: left)
      } else if frame.startGas != event.gas {
        precompiles.count += 1
        precompiles.gas += frame.startGas &- event.gas
      }
      frames.removeLast()
      if !frames.isEmpty { frames[frames.count - 1].childGas += frame.startGas &- event.gas }
    }
  }

  /// Books the last step of the innermost frame, which has `gas` left after it.
  private func settle(gas: Int64) {
    let top = frames.count - 1
    guard let step = frames[top].step else { return }
    let cost = step.gas &- gas &- frames[top].childGas
    opcodes[Int(step.opcode)].count += 1
    opcodes[Int(step.opcode)].gas += cost
    countColdAccesses(step, cost)
    frames[top].step = nil
    frames[top].childGas = 0
  }

  /// Finds first accesses in what is left of an opcode's cost without its other parts.
  private func countColdAccesses(_ step: Step, _ cost: Int64) {
    guard schedule.fork >= .berlin else { return }
    var rest = cost
    let words = step.words
    switch step.opcode {
    case Opcode.balance, Opcode.extcodesize, Opcode.extcodehash: break
    case Opcode.extcodecopy:
      guard words.count >= 4 else { return }
      let (offset, count) = (words[words.count - 2], words[words.count - 4])
      rest -= (Int64(clamping: count.clampedToUInt64) &+ 31) / 32 * schedule.copyWord
      rest -= Self.expansion([count, offset], memoryCount: step.memoryCount, schedule)
    case Opcode.call, Opcode.callcode, Opcode.delegatecall, Opcode.staticcall:
      let carriesValue = step.opcode == Opcode.call || step.opcode == Opcode.callcode
      let first = carriesValue ? 4 : 3
      guard words.count >= first + 3 else { return }
      let top = words.count
      if carriesValue, !words[top - 3].isZero { rest -= schedule.callValue - schedule.callStipend }
      let input = Self.end(words[top - first], words[top - first - 1])
      let output = Self.end(words[top - first - 2], words[top - first - 3])
      rest -= Self.expansion(
        to: max(input, output), memoryCount: step.memoryCount, schedule)
    case Opcode.selfdestruct: rest -= schedule.selfDestruct - schedule.warmAccess
    default: return
    }
    let price = schedule.warmAccess + schedule.coldAccountSurcharge
    // A call may make an account, which costs a fixed amount more.
    let count = (rest % schedule.newAccount) / price
    coldAccounts.count += Int(count)
    coldAccounts.gas += count * price
  }

  /// Where a piece of memory ends; zero for an empty one.
  private static func end(_ offset: UInt256, _ count: UInt256) -> UInt64 {
    if count.isZero { return 0 }
    let (end, overflow) = offset.clampedToUInt64.addingReportingOverflow(count.clampedToUInt64)
    return overflow ? .max : end
  }

  /// What RETURN and REVERT pay for memory: the top of `words` is the offset, below it the count.
  static func expansion(_ words: [UInt256], memoryCount: Int, _ schedule: GasSchedule) -> Int64 {
    guard words.count >= 2 else { return 0 }
    return expansion(
      to: end(words[words.count - 1], words[words.count - 2]), memoryCount: memoryCount, schedule)
  }

  private static func expansion(
    to end: UInt64, memoryCount: Int, _ schedule: GasSchedule
  ) -> Int64 {
    // Larger sizes are not paid for by any gas limit.
    guard end > UInt64(memoryCount), end < 1 << 38 else { return 0 }
    let words = Int64((end + 31) / 32)
    let before = Int64(memoryCount / 32)
    return (words - before) * schedule.memoryWord + words * words / 512 - before * before / 512
  }
}
