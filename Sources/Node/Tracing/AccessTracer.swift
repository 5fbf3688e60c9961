import EVM
import Ethereum
import Execution

/// Collects the accounts and slots that a transaction's code asks for, also in frames whose changes are
/// undone: they were paid for (go-ethereum's `AccessListTracer`).
final class AccessTracer: TransactionTracer {
  private var slots: [Address: Set<UInt256>] = [:]

  /// Begins with what an access list has.
  init(_ list: [AccessListEntry]) {
    for entry in list { slots[entry.address, default: []].formUnion(entry.storageKeys) }
  }

  /// The accounts, each with its slots, in their order.
  var entries: [AccessListEntry] {
    slots.sorted { $0.key < $1.key }.map {
      AccessListEntry(address: $0.key, storageKeys: $0.value.sorted())
    }
  }

  func begin() {}

  func handle(_ event: TraceEvent) {
    guard event.kind == .willExecute, let step = event.step, let top = step.stack.last else {
      return
    }
    switch step.opcode {
    // SLOAD, SSTORE
    case 0x54, 0x55: slots[step.address, default: []].insert(top)
    // BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH, SELFDESTRUCT
    case 0x31, 0x3B, 0x3C, 0x3F, 0xFF: touch(Address(top))
    // CALL, CALLCODE, DELEGATECALL, STATICCALL
    case 0xF1, 0xF2, 0xF4, 0xFA:
      if step.stack.count >= 5 { touch(Address(step.stack[step.stack.count - 2])) }
    default: break
    }
  }

  func end(_ result: TransactionResult, output: UnsafeBufferPointer<UInt8>) {}

  private func touch(_ address: Address) { slots[address, default: []].formUnion([]) }
}
