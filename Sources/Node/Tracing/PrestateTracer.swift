import EVM
import Ethereum
import Execution

/// Collects the accounts and slots that a transaction touched, as they were before it, or with
/// `diffMode` before and after it where they differ (go-ethereum's `prestateTracer`).
final class PrestateTracer: TransactionTracer, ResultTracer, StateTracer {
  private struct Account {
    var balance: UInt256
    var nonce: UInt64
    var code: [UInt8]
    var codeHash: Hash256
    var storage: [UInt256: UInt256] = [:]

    init(_ address: Address, in state: WorldState) {
      let record = state.record(address)
      balance = record.balance
      nonce = record.nonce
      codeHash = record.codeHash
      code = state.codes.bytes(record.codeHash)
    }

    var isEmpty: Bool { nonce == 0 && balance.isZero && code.isEmpty }
  }

  private let isDiff: Bool
  private let withCode: Bool
  private let withStorage: Bool
  private let withEmpty: Bool
  private let first: [Address]
  private var touched: [Address: Set<UInt256>] = [:]
  private var created: Set<Address> = []
  private var destroyed: Set<Address> = []
  private var opcode: UInt8 = 0
  private var pre: [Address: Account] = [:]
  private var post: [Address: Account] = [:]

  init(
    options: JSONValue?, transaction: Transaction, sender: Address, nonce: UInt64, coinbase: Address
  ) throws(RPCError) {
    let config = options?["tracerConfig"]
    isDiff = try config?["diffMode"]?.boolean() ?? false
    withCode = !(try config?["disableCode"]?.boolean() ?? false)
    withStorage = !(try config?["disableStorage"]?.boolean() ?? false)
    withEmpty = try config?["includeEmpty"]?.boolean() ?? false
    if isDiff && withEmpty {
      throw .invalidParameters("cannot use diffMode with includeEmpty")
    }
    var first = [sender, coinbase]
    first.append(transaction.to ?? Address.created(by: sender, nonce: nonce))
    first += transaction.authorizationList.compactMap { $0.recoverAuthority() }
    self.first = first
  }

  func begin() {
    touched = [:]
    for address in first { touched[address] = [] }
    created = []
    destroyed = []
  }

  func handle(_ event: TraceEvent) {
    switch event.kind {
    case .willExecute:
      guard let step = event.step else { return }
      opcode = step.opcode
      let stack = step.stack
      guard let top = stack.last else { return }
      switch step.opcode {
      case 0x54, 0x55: touched[step.address, default: []].insert(top)
      case 0x31, 0x3B, 0x3C, 0x3F: touch(Address(top))
      case 0xFF:
        touch(Address(top))
        destroyed.insert(step.address)
      case 0xF1, 0xF2, 0xF4, 0xFA: if stack.count >= 5 { touch(Address(stack[stack.count - 2])) }
      default: break
      }
    case .willEnter:
      touch(event.address)
      if event.depth > 1, opcode == 0xF0 || opcode == 0xF5 { created.insert(event.address) }
    case .didExit, .didCharge, .willRunPrecompile, .didPayForColdAccount, .didDeposit: break
    }
  }

  private func touch(_ address: Address) { touched[address, default: []].formUnion([]) }

  func end(_ result: TransactionResult, output: UnsafeBufferPointer<UInt8>) {}

  func settle(before: WorldState, after: WorldState) {
    // Code runs where a delegation points to (EIP-7702).
    for address in touched.keys {
      for state in [before, after] {
        let code = state.codes.bytes(state.record(address).codeHash)
        if code.count == 23, code.starts(with: [0xEF, 0x01, 0x00]) {
          touch(Address(code[3...].reduce(UInt256.zero) { $0 << 8 | UInt256(UInt64($1)) }))
        }
      }
    }
    for (address, slots) in touched {
      var old = Account(address, in: before)
      var new = Account(address, in: after)
      for slot in slots {
        old.storage[slot] = before.storage(address, slot: slot)
        new.storage[slot] = after.storage(address, slot: slot)
      }
      pre[address] = old
      post[address] = new
    }
  }

  func write(_ writer: inout JSONWriter) throws(RPCError) {
    let addresses = pre.keys.sorted()
    guard isDiff else {
      return writer.object { writer in
        for address in addresses {
          guard let account = pre[address] else { continue }
          if account.isEmpty && !(withEmpty && !created.contains(address)) { continue }
          writer.key(address.description)
          writer.object { writer in
            writer.member("balance", quantity: account.balance)
            members(account, isWhole: true, &writer)
          }
        }
      }
    }
    writer.object { writer in
      writer.key("post")
      writer.object { writer in
        for address in addresses where isChanged(address) && !destroyed.contains(address) {
          guard let old = pre[address], let new = post[address] else { continue }
          writer.key(address.description)
          writer.object { writer in
            if new.balance != old.balance { writer.member("balance", quantity: new.balance) }
            var change = new
            if new.nonce == old.nonce { change.nonce = 0 }
            if new.codeHash == old.codeHash { change.code = [] }
            change.storage = new.storage.filter { $0.value != old.storage[$0.key] }
            members(change, isWhole: false, &writer)
          }
        }
      }
      writer.key("pre")
      writer.object { writer in
        for address in addresses where isChanged(address) {
          guard var old = pre[address], let new = post[address], !old.isEmpty else { continue }
          writer.key(address.description)
          old.storage = old.storage.filter { $0.value != new.storage[$0.key] }
          writer.object { writer in
            writer.member("balance", quantity: old.balance)
            members(old, isWhole: false, &writer)
          }
        }
      }
    }
  }

  private func isChanged(_ address: Address) -> Bool {
    guard let old = pre[address], let new = post[address] else { return false }
    return destroyed.contains(address) || old.balance != new.balance || old.nonce != new.nonce
      || old.codeHash != new.codeHash || old.storage != new.storage
  }

  /// Nonce, code and slots, where they are not nothing; slots of value zero where the whole account is
  /// told.
  private func members(_ account: Account, isWhole: Bool, _ writer: inout JSONWriter) {
    if account.nonce > 0 { writer.member("nonce", account.nonce) }
    if withCode, !account.code.isEmpty {
      writer.member("code", hexadecimal: account.code)
      writer.member("codeHash", account.codeHash)
    }
    let slots = account.storage.filter { isWhole || !$0.value.isZero }
    guard withStorage, !slots.isEmpty else { return }
    writer.key("storage")
    writer.object { writer in
      for (slot, value) in slots.sorted(by: { $0.key < $1.key }) {
        writer.member(Hash256(slot).description, Hash256(value))
      }
    }
  }
}

/// A tracer that wants the state on both sides of the transaction.
protocol StateTracer: AnyObject {
  func settle(before: WorldState, after: WorldState)
}
