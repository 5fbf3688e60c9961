import EVM
import Ethereum
import Execution
import Storage

/// What test tools set on a development node: accounts, senders, and what blocks say.
extension RPCService {
  static let developmentStateMethods: [String: Method] = {
    let setBalance: Method = { service, parameters, writer in
      let balance = try parameters.word(1)
      try service.amend(parameters) { $0.balance = balance }
      writer.value(true)
    }
    let addBalance: Method = { service, parameters, writer in
      let amount = try parameters.word(1)
      let snapshot = try service.chain.snapshot()
      let old = try snapshot.source(after: snapshot.head.header.number).account(
        try parameters.address(0))
      let (sum, overflow) = UInt256.addingReportingCarry(old?.balance ?? .zero, amount)
      if overflow { throw RPCError.invalidParameters("the balance would not fit in 256 bits") }
      try service.amend(parameters) { $0.balance = sum }
      writer.value(true)
    }
    let setNonce: Method = { service, parameters, writer in
      let nonce = try parameters.quantity(1)
      try service.amend(parameters) { $0.nonce = nonce }
      writer.value(true)
    }
    let setCode: Method = { service, parameters, writer in
      let code = try parameters.bytes(1)
      try service.amend(parameters) { $0.code = code }
      writer.value(true)
    }
    let setStorage: Method = { service, parameters, writer in
      let slot = try parameters.required(1).slotKey()
      let value = try parameters.required(2).slotKey()
      try service.amend(parameters) { $0.slots[slot] = value }
      writer.value(true)
    }
    let impersonate: Method = { service, parameters, writer in
      let address = try parameters.address(0)
      try service.settings { _ = $0.impersonated.insert(address) }
      writer.value(true)
    }
    let stopImpersonating: Method = { service, parameters, writer in
      let address = try parameters.address(0)
      var was = false
      try service.settings { was = $0.impersonated.remove(address) != nil }
      writer.value(was)
    }
    let autoImpersonate: Method = { service, parameters, writer in
      let flag = try parameters.boolean(0)
      try service.settings { $0.impersonatesAll = flag }
      writer.value(true)
    }
    let setCoinbase: Method = { service, parameters, writer in
      let address = try parameters.address(0)
      try service.settings { $0.coinbase = address }
      writer.value(true)
    }
    let setPrevRandao: Method = { service, parameters, writer in
      let value = try parameters.hash(0)
      try service.settings { $0.nextPrevRandao = value }
      writer.value(true)
    }
    let setGasLimit: Method = { service, parameters, writer in
      let limit = try parameters.quantity(0)
      guard limit >= 5000, limit <= UInt64(Int64.max) else {
        throw RPCError.invalidParameters("a gas limit is from 5000 to 2^63 - 1")
      }
      try service.settings { $0.gasLimit = limit }
      writer.value(true)
    }
    let removeAll: Method = { service, parameters, writer in
      let sender = try parameters.address(0)
      service.pool.remove(senders: [sender]) { _ in .max }
      writer.null()
    }
    var methods: [String: Method] = [
      "evm_setAccountBalance": setBalance, "evm_setAccountNonce": setNonce,
      "evm_setAccountCode": setCode, "evm_setAccountStorageAt": setStorage,
      "evm_setBlockGasLimit": setGasLimit, "anvil_setBlockGasLimit": setGasLimit,
      "anvil_addBalance": addBalance, "anvil_autoImpersonateAccount": autoImpersonate,
      "anvil_removePoolTransactions": removeAll,
    ]
    for tool in ["anvil", "hardhat"] {
      methods["\(tool)_setBalance"] = setBalance
      methods["\(tool)_setNonce"] = setNonce
      methods["\(tool)_setCode"] = setCode
      methods["\(tool)_setStorageAt"] = setStorage
      methods["\(tool)_impersonateAccount"] = impersonate
      methods["\(tool)_stopImpersonatingAccount"] = stopImpersonating
      methods["\(tool)_setCoinbase"] = setCoinbase
      methods["\(tool)_setPrevRandao"] = setPrevRandao
    }
    return methods
  }()

  private func amend(
    _ parameters: Parameters, _ body: (inout WorldState.Override) throws -> Void
  ) throws {
    let address = try parameters.address(0)
    var change = WorldState.Override()
    try body(&change)
    try requireSequencer().amend([StateAmendment(address, change)])
  }

  private func settings(_ body: (inout DevelopmentSettings) -> Void) throws {
    try requireSequencer().development.withLock { body(&$0) }
  }

  func requireSequencer() throws(RPCError) -> Sequencer {
    guard let sequencer else {
      throw .server("this node does not make blocks; start it with --dev")
    }
    return sequencer
  }
}
