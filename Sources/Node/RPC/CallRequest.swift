import EVM
import Ethereum
import Execution

/// A transaction as a request describes it: what is missing is filled in.
struct CallRequest: Sendable {
  var from: Address?
  var to: Address?
  var gas: UInt64?
  var gasPrice: UInt256?
  var maxFeePerGas: UInt256?
  var maxPriorityFeePerGas: UInt256?
  var maxFeePerBlobGas: UInt256?
  var value: UInt256?
  var nonce: UInt64?
  var data: [UInt8] = []
  var accessList: [AccessListEntry]?
  var chainID: UInt64?
  var blobVersionedHashes: [Hash256]?
  var authorizationList: [Authorization]?

  init(_ value: JSONValue) throws(RPCError) {
    guard case .object = value else {
      throw .invalidParameters("a transaction is an object, not \(value.kind)")
    }
    from = try value["from"]?.address()
    to = try value["to"]?.address()
    gas = try value["gas"]?.quantity()
    gasPrice = try value["gasPrice"]?.quantity256()
    maxFeePerGas = try value["maxFeePerGas"]?.quantity256()
    maxPriorityFeePerGas = try value["maxPriorityFeePerGas"]?.quantity256()
    maxFeePerBlobGas = try value["maxFeePerBlobGas"]?.quantity256()
    self.value = try value["value"]?.quantity256()
    nonce = try value["nonce"]?.quantity()
    let input = try value["input"]?.bytes()
    let old = try value["data"]?.bytes()
    if let input, let old, input != old {
      throw .server(
        "both \"data\" and \"input\" are set and not equal. Please use \"input\" to pass transaction "
          + "call data")
    }
    data = input ?? old ?? []
    chainID = try value["chainId"]?.quantity()
    if let list = value["accessList"] {
      var entries: [AccessListEntry] = []
      for item in try list.array() {
        guard let address = try item["address"]?.address() else {
          throw .invalidParameters("an entry of the access list has an address")
        }
        var entry = AccessListEntry(address: address)
        for key in try item["storageKeys"]?.array() ?? [] {
          entry.storageKeys.append(try key.hash().word)
        }
        entries.append(entry)
      }
      accessList = entries
    }
    if let list = value["blobVersionedHashes"] {
      var hashes: [Hash256] = []
      for item in try list.array() { hashes.append(try item.hash()) }
      blobVersionedHashes = hashes
    }
    if let list = value["authorizationList"] {
      var entries: [Authorization] = []
      for item in try list.array() {
        guard let address = try item["address"]?.address(),
          let nonce = try item["nonce"]?.quantity()
        else { throw .invalidParameters("an authorization has an address and a nonce") }
        entries.append(
          Authorization(
            chainID: try item["chainId"]?.quantity256() ?? .zero, address: address, nonce: nonce,
            yParity: UInt8(clamping: try item["yParity"]?.quantity() ?? 0),
            r: try item["r"]?.quantity256() ?? .zero, s: try item["s"]?.quantity256() ?? .zero))
      }
      authorizationList = entries
    }
    if gasPrice != nil, maxFeePerGas != nil || maxPriorityFeePerGas != nil {
      throw .server("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
    }
    if let blobs = blobVersionedHashes {
      if blobs.isEmpty { throw .server("need at least 1 blob for a blob transaction") }
      if to == nil { throw .server("missing \"to\" in blob transaction") }
    }
    if let maxFeePerGas, let tip = maxPriorityFeePerGas, maxFeePerGas < tip {
      throw .server(
        "maxFeePerGas (\(maxFeePerGas.decimal)) < maxPriorityFeePerGas (\(tip.decimal))")
    }
  }

  /// Who sends it.
  func sender() throws(RPCError) -> Address {
    guard let from else { throw .server("\"from\" is missing") }
    return from
  }

  /// Whether it names a price for gas.
  var hasPrice: Bool {
    !(gasPrice ?? .zero).isZero || !(maxFeePerGas ?? .zero).isZero
      || !(maxPriorityFeePerGas ?? .zero).isZero
  }

  /// The type that its fields make it.
  var type: TransactionType {
    if authorizationList != nil { return .setCode }
    if blobVersionedHashes != nil || maxFeePerBlobGas != nil && !(maxFeePerBlobGas!.isZero) {
      return blobVersionedHashes != nil ? .blob : .dynamicFee
    }
    if gasPrice == nil { return .dynamicFee }
    return accessList != nil ? .accessList : .legacy
  }

  /// The transaction, unsigned. `gas` and `nonce` are used where the request names none.
  func transaction(chainID: UInt64, nonce: UInt64, gas: UInt64, baseFee: UInt256) -> Transaction {
    var transaction = Transaction(type: type, chainID: chainID)
    transaction.nonce = self.nonce ?? nonce
    transaction.gasLimit = self.gas ?? gas
    transaction.to = to
    transaction.value = value ?? .zero
    transaction.data = data
    transaction.accessList = accessList ?? []
    transaction.blobVersionedHashes = blobVersionedHashes ?? []
    transaction.authorizationList = authorizationList ?? []
    transaction.maxFeePerBlobGas = maxFeePerBlobGas ?? .zero
    if let gasPrice {
      transaction.gasPrice = gasPrice
    } else {
      transaction.maxPriorityFeePerGas = maxPriorityFeePerGas ?? .zero
      transaction.maxFeePerGas = maxFeePerGas ?? .zero
      if maxFeePerGas == nil, let tip = maxPriorityFeePerGas, !tip.isZero {
        transaction.maxFeePerGas = tip &+ baseFee
      }
    }
    return transaction
  }
}

/// Changes of accounts that a request asks for before its calls.
struct StateOverrides {
  var accounts: [(address: Address, change: WorldState.Override)] = []
  /// Precompiles that answer at other addresses.
  var moves: [(from: Address, to: Address)] = []

  init() {}

  init(_ value: JSONValue?) throws(RPCError) {
    guard let value else { return }
    var seen: Set<Address> = []
    for member in try value.object() {
      let address = try JSONValue.string(member.name).address()
      guard seen.insert(address).inserted else { continue }
      let fields = member.value
      var change = WorldState.Override()
      change.nonce = try fields["nonce"]?.quantity()
      change.balance = try fields["balance"]?.quantity256()
      change.code = try fields["code"]?.bytes()
      if let state = fields["state"], let diff = fields["stateDiff"] {
        _ = (state, diff)
        throw .invalidParameters("account \(address) has both 'state' and 'stateDiff'")
      }
      if let state = fields["state"] { change.storage = try Self.slots(state) }
      if let diff = fields["stateDiff"] { change.slots = try Self.slots(diff) }
      if let target = fields["movePrecompileToAddress"] {
        moves.append((address, try target.address()))
      }
      accounts.append((address, change))
    }
  }

  private static func slots(_ value: JSONValue) throws(RPCError) -> [UInt256: UInt256] {
    var slots: [UInt256: UInt256] = [:]
    for member in try value.object() {
      let key = try JSONValue.string(member.name).hash()
      slots[key.word] = try member.value.hash().word
    }
    return slots
  }

  func apply(to state: inout WorldState) {
    for (address, change) in accounts { state.apply(change, to: address) }
  }
}

/// Changes of the block that a request asks for.
struct BlockOverrides {
  var number: UInt64?
  var time: UInt64?
  var gasLimit: UInt64?
  var coinbase: Address?
  var prevRandao: Hash256?
  var difficulty: UInt256?
  var baseFeePerGas: UInt256?
  var blobBaseFee: UInt256?
  var parentBeaconBlockRoot: Hash256?
  var withdrawals: [Withdrawal]?

  init() {}

  init(_ value: JSONValue?) throws(RPCError) {
    guard let value else { return }
    guard case .object = value else { throw .invalidParameters("block overrides are an object") }
    number = try value["number"]?.quantity()
    time = try (value["time"] ?? value["timestamp"])?.quantity()
    gasLimit = try value["gasLimit"]?.quantity()
    coinbase = try (value["feeRecipient"] ?? value["coinbase"])?.address()
    prevRandao = try (value["prevRandao"] ?? value["random"])?.hash()
    difficulty = try value["difficulty"]?.quantity256()
    baseFeePerGas = try (value["baseFeePerGas"] ?? value["baseFee"])?.quantity256()
    blobBaseFee = try value["blobBaseFee"]?.quantity256()
    parentBeaconBlockRoot = try (value["parentBeaconBlockRoot"] ?? value["beaconRoot"])?.hash()
    if let list = value["withdrawals"] {
      var withdrawals: [Withdrawal] = []
      for item in try list.array() { withdrawals.append(try Withdrawal(item)) }
      self.withdrawals = withdrawals
    }
  }

  func apply(to environment: inout BlockEnvironment) {
    if let number { environment.number = number }
    if let time { environment.timestamp = time }
    if let gasLimit { environment.gasLimit = gasLimit }
    if let coinbase { environment.coinbase = coinbase }
    if let prevRandao { environment.prevRandao = prevRandao.word }
    if let difficulty { environment.prevRandao = difficulty }
    if let baseFeePerGas { environment.baseFeePerGas = baseFeePerGas }
    if let blobBaseFee { environment.blobBaseFee = blobBaseFee }
  }
}

extension Withdrawal {
  init(_ value: JSONValue) throws(RPCError) {
    guard let index = try value["index"]?.quantity(),
      let validator = try value["validatorIndex"]?.quantity(),
      let address = try value["address"]?.address(), let amount = try value["amount"]?.quantity()
    else {
      throw .invalidParameters("a withdrawal has index, validatorIndex, address and amount")
    }
    self.init(index: index, validatorIndex: validator, address: address, amount: amount)
  }
}
