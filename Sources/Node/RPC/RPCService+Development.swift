import EVM
import Ethereum
import Storage

/// What test tools ask of a development node.
extension RPCService {
  static let developmentMethods: [String: Method] = {
    let mine: Method = { service, parameters, writer in
      try service.requireSequencer().mine()
      writer.value("0x0")
    }
    let mineMany: Method = { service, parameters, writer in
      let count = parameters[0] == nil ? 1 : try parameters.quantity(0)
      guard count <= 100_000 else {
        throw RPCError.limit("100,000 blocks at most are mined at once")
      }
      let apart = parameters[1] == nil ? nil : try parameters.quantity(1)
      try service.requireSequencer().mine(Int(count), secondsApart: apart)
      writer.null()
    }
    let snapshot: Method = { service, _, writer in
      writer.value(quantity: try service.chain.snapshot().head.header.number)
    }
    let revert: Method = { service, parameters, writer in
      let number = try parameters.quantity(0)
      let head = try service.chain.snapshot().head.header.number
      if number > head { return writer.value(false) }
      if number < head { try service.requireSequencer().rewind(to: number) }
      writer.value(true)
    }
    let increaseTime: Method = { service, parameters, writer in
      let seconds = Int64(clamping: try parameters.quantity(0))
      writer.value(try service.requireSequencer().increaseTime(seconds))
    }
    let setNextTime: Method = { service, parameters, writer in
      try service.requireSequencer().setNextTime(try parameters.quantity(0))
      writer.null()
    }
    let setAutomine: Method = { service, parameters, writer in
      try service.requireSequencer().mode = try parameters.boolean(0) ? .onArrival : .onDemand
      writer.value(true)
    }
    let setInterval: Method = { service, parameters, writer in
      let value = Int(clamping: try parameters.quantity(0))
      try service.requireSequencer().mode = value == 0 ? .onDemand : .interval(value)
      writer.value(true)
    }
    let setNextBaseFee: Method = { service, parameters, writer in
      try service.requireSequencer().setNextBaseFee(try parameters.word(0))
      writer.null()
    }
    let dropTransaction: Method = { service, parameters, writer in
      let hash = try parameters.hash(0)
      writer.value(service.pool.remove(hash))
    }
    return [
      "evm_mine": mine, "anvil_mine": mineMany, "hardhat_mine": mineMany,
      "evm_snapshot": snapshot, "anvil_snapshot": snapshot,
      "evm_revert": revert, "anvil_revert": revert,
      "evm_increaseTime": increaseTime, "anvil_increaseTime": increaseTime,
      "evm_setNextBlockTimestamp": setNextTime, "anvil_setNextBlockTimestamp": setNextTime,
      "evm_setAutomine": setAutomine, "anvil_setAutomine": setAutomine,
      "evm_setIntervalMining": setInterval, "anvil_setIntervalMining": setInterval,
      "anvil_setNextBlockBaseFeePerGas": setNextBaseFee,
      "hardhat_setNextBlockBaseFeePerGas": setNextBaseFee,
      "anvil_dropTransaction": dropTransaction, "hardhat_dropTransaction": dropTransaction,
      "anvil_dropAllTransactions": { service, _, writer in
        service.pool.removeAll()
        writer.null()
      },
      "anvil_getAutomine": { service, _, writer in
        writer.value(try service.requireSequencer().mode == .onArrival)
      },
    ]
  }()

  private func requireSequencer() throws(RPCError) -> Sequencer {
    guard let sequencer else {
      throw .server("this node does not make blocks; start it with --dev")
    }
    return sequencer
  }
}
