import EVM
import Ethereum
import Execution
import Storage

/// Blocks and what is known of the chain as a whole.
extension RPCService {
  static let chainMethods: [String: Method] = [
    "eth_chainId": { service, _, writer in
      writer.value(quantity: service.chain.rules.schedule.chainID)
    },
    "net_version": { service, _, writer in
      writer.value(String(service.chain.rules.schedule.chainID))
    },
    "net_listening": { _, _, writer in writer.value(true) },
    "net_peerCount": { _, _, writer in writer.value(quantity: UInt64(0)) },
    "web3_clientVersion": { _, _, writer in writer.value(RPCService.clientVersion) },
    "web3_sha3": { _, parameters, writer in
      writer.value(Keccak256.hash(try parameters.bytes(0)))
    },
    "eth_coinbase": { service, _, writer in
      writer.value(service.sequencer?.coinbase ?? .zero)
    },
    "eth_syncing": { _, _, writer in writer.value(false) },
    "eth_mining": { _, _, writer in writer.value(false) },
    "eth_protocolVersion": { _, _, writer in writer.value("0x44") },
    "eth_blockNumber": { service, _, writer in
      writer.value(quantity: service.chain.database.head?.header.number ?? 0)
    },
    "eth_getBlockByNumber": { service, parameters, writer in
      guard case .string? = parameters[0] else {
        throw RPCError.invalidParameters("invalid argument 0: a number or a name belongs here")
      }
      try service.writeBlock(try parameters.block(0), parameters, &writer)
    },
    "eth_getBlockByHash": { service, parameters, writer in
      let hash = try parameters.hash(0)
      try service.writeBlock(.hash(hash, requiresCanonical: false), parameters, &writer)
    },
    "eth_getHeaderByNumber": { service, parameters, writer in
      try service.writeHeader(try parameters.block(0), &writer)
    },
    "eth_getHeaderByHash": { service, parameters, writer in
      try service.writeHeader(
        .hash(try parameters.hash(0), requiresCanonical: false), &writer)
    },
    "eth_getBlockTransactionCountByNumber": { service, parameters, writer in
      try service.writeCount(try parameters.block(0), &writer) { body, _ in body.count }
    },
    "eth_getBlockTransactionCountByHash": { service, parameters, writer in
      try service.writeCount(
        .hash(try parameters.hash(0), requiresCanonical: false), &writer
      ) { body, _ in body.count }
    },
    "eth_getUncleCountByBlockNumber": { service, parameters, writer in
      try service.writeCount(try parameters.block(0), &writer) {
        try $0.block($1.header).ommers.count
      }
    },
    "eth_getUncleCountByBlockHash": { service, parameters, writer in
      try service.writeCount(
        .hash(try parameters.hash(0), requiresCanonical: false), &writer
      ) {
        try $0.block($1.header).ommers.count
      }
    },
    "eth_getUncleByBlockNumberAndIndex": { service, parameters, writer in
      try service.writeOmmer(try parameters.block(0), parameters, &writer)
    },
    "eth_getUncleByBlockHashAndIndex": { service, parameters, writer in
      try service.writeOmmer(
        .hash(try parameters.hash(0), requiresCanonical: false), parameters, &writer)
    },
    "eth_getBlockReceipts": { service, parameters, writer in
      let reference = try parameters.block(0)
      let snapshot = try service.snapshot(for: reference)
      guard let header = try service.header(reference, snapshot),
        let body = snapshot.body(header.header.number),
        let receipts = snapshot.receipts(header.header.number)
      else { return writer.null() }
      try writer.array { (writer) throws in
        for index in 0..<receipts.count {
          try service.writeReceipt(header, body, receipts, index, &writer)
        }
      }
    },
    "eth_config": { service, _, writer in try service.writeConfiguration(&writer) },
    "eth_capabilities": { service, _, writer in
      let snapshot = try service.chain.snapshot()
      writer.object { writer in
        writer.key("head")
        writer.object { writer in
          writer.member("number", quantity: snapshot.head.header.number)
          writer.member("hash", snapshot.head.hash)
        }
        for (name, oldest) in [
          ("state", snapshot.oldestState), ("tx", 0), ("logs", 0), ("receipts", 0), ("blocks", 0),
          ("stateproofs", snapshot.oldestState),
        ] {
          writer.key(name)
          writer.object { writer in
            writer.member("disabled", false)
            writer.member("oldestBlock", quantity: oldest)
          }
        }
      }
    },
  ]

  private func writeBlock(
    _ reference: BlockReference, _ parameters: Parameters, _ writer: inout JSONWriter
  ) throws {
    let isFull = parameters[1] == nil ? false : try parameters.boolean(1)
    let snapshot = try snapshot(for: reference)
    guard let header = try header(reference, snapshot),
      let body = snapshot.body(header.header.number)
    else { return writer.null() }
    let block = try body.block(header.header)
    writer.object { writer in
      writer.members(of: header)
      writer.member("size", quantity: UInt64(header.size))
      writer.key("transactions")
      writer.array { writer in
        for (index, transaction) in block.transactions.enumerated() {
          if isFull {
            writer.transaction(
              transaction, sender: body.sender(index),
              place: header.isPending ? nil : (header, index))
          } else {
            writer.value(transaction.hash)
          }
        }
      }
      writer.key("uncles")
      writer.array { writer in
        for ommer in block.ommers { writer.value(ommer.hash) }
      }
      if let withdrawals = block.withdrawals {
        writer.key("withdrawals")
        writer.array { writer in
          for withdrawal in withdrawals { writer.withdrawal(withdrawal) }
        }
      }
    }
  }

  private func writeHeader(_ reference: BlockReference, _ writer: inout JSONWriter) throws {
    guard let header = try header(reference, try snapshot(for: reference)) else {
      return writer.null()
    }
    writer.object { writer in writer.members(of: header) }
  }

  private func writeCount(
    _ reference: BlockReference, _ writer: inout JSONWriter,
    _ count: (BodyRecord, StoredHeader) throws -> Int
  ) throws {
    let snapshot = try snapshot(for: reference)
    guard let header = try header(reference, snapshot),
      let body = snapshot.body(header.header.number)
    else { return writer.null() }
    writer.value(quantity: UInt64(try count(body, header)))
  }

  private func writeOmmer(
    _ reference: BlockReference, _ parameters: Parameters, _ writer: inout JSONWriter
  ) throws {
    let snapshot = try snapshot(for: reference)
    let index = try parameters.quantity(1)
    guard let header = try header(reference, snapshot),
      let body = snapshot.body(header.header.number)
    else { return writer.null() }
    let ommers = try body.block(header.header).ommers
    guard index < UInt64(ommers.count) else { return writer.null() }
    writer.object { writer in
      writer.members(of: ommers[Int(index)], hash: ommers[Int(index)].hash)
      writer.key("uncles")
      writer.array { _ in }
    }
  }

  /// What EIP-7910 says of the present fork, the next and the last.
  private func writeConfiguration(_ writer: inout JSONWriter) throws {
    let head = try chain.snapshot().head.header
    let rules = chain.rules
    let times = rules.schedule.activations.compactMap { entry -> (Fork, UInt64)? in
      guard case .timestamp(let time) = entry.activation else { return nil }
      return (entry.fork, time)
    }
    let current =
      times.last { $0.1 <= head.timestamp }
      ?? (fork(head), 0)
    let next = times.first { $0.1 > head.timestamp }
    let last = next == nil ? nil : times.last
    let fork = ForkIdentifier(chain.genesis)
    writer.object { writer in
      writer.key("current")
      configuration(current, fork, &writer)
      for (name, entry) in [("next", next), ("last", last)] {
        writer.key(name)
        if let entry { configuration(entry, fork, &writer) } else { writer.null() }
      }
    }
  }

  private func configuration(
    _ entry: (fork: Fork, time: UInt64), _ identifier: ForkIdentifier, _ writer: inout JSONWriter
  ) {
    let rules = chain.rules
    writer.object { writer in
      writer.member("activationTime", entry.time)
      writer.key("blobSchedule")
      if let blobs = rules.blobSchedule[entry.fork] {
        writer.object { writer in
          writer.member("target", blobs.target)
          writer.member("max", blobs.max)
          writer.member("baseFeeUpdateFraction", blobs.baseFeeUpdateFraction)
        }
      } else {
        writer.null()
      }
      writer.member("chainId", quantity: rules.schedule.chainID)
      writer.member("forkId", Hexadecimal.string(identifier.hash(at: entry.time)))
      writer.key("precompiles")
      writer.object { writer in
        for (name, number, since) in Self.precompiles where entry.fork >= since {
          writer.member(name, Address(number: number))
        }
      }
      writer.key("systemContracts")
      writer.object { writer in
        if entry.fork >= .cancun {
          writer.member("BEACON_ROOTS_ADDRESS", SystemContracts.beaconRoots)
        }
        if entry.fork >= .prague {
          writer.member(
            "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS", SystemContracts.consolidationRequests)
          writer.member(
            "DEPOSIT_CONTRACT_ADDRESS", chain.genesis.depositContract ?? SystemContracts.deposits)
          writer.member("HISTORY_STORAGE_ADDRESS", SystemContracts.history)
          writer.member(
            "WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS", SystemContracts.withdrawalRequests)
        }
      }
    }
  }

  /// The names of EIP-7910.
  private static let precompiles: [(String, UInt64, Fork)] = [
    ("BLAKE2F", 9, .istanbul), ("BLS12_G1ADD", 11, .prague), ("BLS12_G1MSM", 12, .prague),
    ("BLS12_G2ADD", 13, .prague), ("BLS12_G2MSM", 14, .prague),
    ("BLS12_MAP_FP2_TO_G2", 17, .prague), ("BLS12_MAP_FP_TO_G1", 16, .prague),
    ("BLS12_PAIRING_CHECK", 15, .prague), ("BN254_ADD", 6, .byzantium),
    ("BN254_MUL", 7, .byzantium), ("BN254_PAIRING", 8, .byzantium), ("ECREC", 1, .frontier),
    ("ID", 4, .frontier), ("KZG_POINT_EVALUATION", 10, .cancun), ("MODEXP", 5, .byzantium),
    ("P256VERIFY", 256, .osaka), ("RIPEMD160", 3, .frontier), ("SHA256", 2, .frontier),
  ]
}

/// The checksum of a chain's genesis and forks (EIP-2124).
struct ForkIdentifier {
  private let genesis: Genesis

  init(_ genesis: Genesis) { self.genesis = genesis }

  /// The hash after the forks up to a time; those by number have all passed.
  func hash(at time: UInt64) -> [UInt8] {
    var numbers: Set<UInt64> = []
    var times: Set<UInt64> = []
    for entry in genesis.schedule.activations {
      switch entry.activation {
      case .block(let number) where number > 0: numbers.insert(number)
      case .timestamp(let start) where start > genesis.header.timestamp && start <= time:
        times.insert(start)
      default: break
      }
    }
    var checksum = CRC32.update(0, genesis.hash.bytes)
    for value in numbers.sorted() + times.sorted() {
      checksum = CRC32.update(
        checksum, (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - $0 * 8)) })
    }
    return (0..<4).map { UInt8(truncatingIfNeeded: checksum >> UInt32(24 - $0 * 8)) }
  }
}

/// The checksum of IEEE 802.3.
private enum CRC32 {
  static func update(_ checksum: UInt32, _ bytes: [UInt8]) -> UInt32 {
    var value = ~checksum
    for byte in bytes {
      value ^= UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }
    return ~value
  }
}
