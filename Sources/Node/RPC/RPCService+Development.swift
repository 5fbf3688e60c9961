import EVM
import Ethereum
import Storage

/// What test tools ask of a development node.
extension RPCService {
  static let developmentMethods: [String: Method] = {
    // Ganache and Hardhat name the block's time, Foundry an object with a count.
    let mine: Method = { service, parameters, writer in
      let sequencer = try service.requireSequencer()
      var count: UInt64 = 1
      var time: UInt64?
      if let option = parameters[0] {
        if case .object = option {
          count = try option["blocks"]?.quantity() ?? 1
          time = try option["timestamp"]?.quantity()
        } else {
          time = try option.quantity()
        }
      }
      if let time { try sequencer.setNextTime(time) }
      try service.mine(count, nil)
      writer.value("0x0")
    }
    let mineMany: Method = { service, parameters, writer in
      let count = parameters[0] == nil ? 1 : try parameters.quantity(0)
      try service.mine(count, parameters[1] == nil ? nil : try parameters.quantity(1))
      writer.value(true)
    }
    let snapshot: Method = { service, _, writer in
      writer.value(quantity: try service.requireSequencer().mark())
    }
    let revert: Method = { service, parameters, writer in
      let id = try parameters.quantity(0)
      writer.value(try service.requireSequencer().revert(to: id))
    }
    let rollback: Method = { service, parameters, writer in
      let depth = parameters[0] == nil ? 1 : try parameters.quantity(0)
      let head = try service.chain.snapshot().head.header.number
      guard depth <= head else {
        throw RPCError.invalidParameters("the chain has no more than \(head) blocks to take back")
      }
      try service.requireSequencer().rewind(to: head - depth)
      writer.null()
    }
    let reset: Method = { service, parameters, writer in
      if let options = parameters[0], options["forking"] != nil || options["jsonRpcUrl"] != nil {
        throw RPCError.server("this node does not fork other chains")
      }
      try service.requireSequencer().rewind(to: 0)
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
    let setTime: Method = { service, parameters, writer in
      let time = try parameters.quantity(0)
      writer.value(try service.requireSequencer().setTime(time))
    }
    let setApart: Method = { service, parameters, writer in
      let seconds = try parameters.quantity(0)
      guard (1...UInt64(UInt32.max)).contains(seconds) else {
        throw RPCError.invalidParameters("blocks are from 1 to \(UInt32.max) seconds apart")
      }
      try service.requireSequencer().development.withLock { $0.secondsApart = seconds }
      writer.null()
    }
    let removeApart: Method = { service, _, writer in
      let was = try service.requireSequencer().development.withLock { settings in
        defer { settings.secondsApart = nil }
        return settings.secondsApart != nil
      }
      writer.value(was)
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
    let getAutomine: Method = { service, _, writer in
      writer.value(try service.requireSequencer().mode == .onArrival)
    }
    let dropTransaction: Method = { service, parameters, writer in
      let hash = try parameters.hash(0)
      writer.value(service.pool.remove(hash))
    }
    return [
      "evm_mine": mine, "anvil_mine": mineMany, "hardhat_mine": mineMany,
      "evm_snapshot": snapshot, "anvil_snapshot": snapshot,
      "evm_revert": revert, "anvil_revert": revert,
      "anvil_rollback": rollback, "anvil_reset": reset, "hardhat_reset": reset,
      "evm_setTime": setTime, "anvil_setTime": setTime,
      "anvil_setBlockTimestampInterval": setApart,
      "anvil_removeBlockTimestampInterval": removeApart,
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
      "anvil_getAutomine": getAutomine, "hardhat_getAutomine": getAutomine,
      "anvil_getIntervalMining": { service, _, writer in
        if case .interval(let milliseconds) = try service.requireSequencer().mode {
          writer.value(milliseconds / 1000)
        } else {
          writer.null()
        }
      },
      "anvil_nodeInfo": { service, _, writer in try service.writeNodeInfo(&writer) },
      "anvil_metadata": { service, _, writer in try service.writeMetadata(&writer) },
      "hardhat_metadata": { service, _, writer in try service.writeMetadata(&writer) },
    ]
  }()

  private func mine(_ count: UInt64, _ secondsApart: UInt64?) throws {
    guard count <= 100_000 else {
      throw RPCError.limit("100,000 blocks at most are mined at once")
    }
    try requireSequencer().mine(Int(count), secondsApart: secondsApart)
  }

  private func writeNodeInfo(_ writer: inout JSONWriter) throws {
    let head = try chain.snapshot().head
    let fork = fork(head.header)
    let baseFee = maker.nextBaseFee(head.header)
    writer.object { writer in
      writer.member("currentBlockNumber", quantity: head.header.number)
      writer.member("currentBlockTimestamp", head.header.timestamp)
      writer.member("currentBlockHash", head.hash)
      writer.member("hardFork", fork.name)
      writer.member("transactionOrder", "fees")
      writer.key("environment")
      writer.object { writer in
        writer.member("baseFee", quantity: baseFee)
        writer.member("chainId", chain.rules.schedule.chainID)
        writer.member("gasLimit", quantity: head.header.gasLimit)
        writer.member("gasPrice", quantity: baseFee &+ suggestedTip)
      }
      writer.key("forkConfig")
      writer.object { writer in
        for name in ["forkUrl", "forkBlockNumber", "forkRetryBackoff"] {
          writer.key(name)
          writer.null()
        }
      }
    }
  }

  private func writeMetadata(_ writer: inout JSONWriter) throws {
    let head = try chain.snapshot().head
    writer.object { writer in
      writer.member("clientVersion", Self.clientVersion)
      writer.member("chainId", chain.rules.schedule.chainID)
      writer.member("instanceId", instance)
      writer.member("latestBlockNumber", head.header.number)
      writer.member("latestBlockHash", head.hash)
    }
  }
}
