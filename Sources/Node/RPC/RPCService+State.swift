import EVM
import Ethereum
import Execution
import Storage

/// What accounts have.
extension RPCService {
  static let stateMethods: [String: Method] = [
    "eth_getBalance": { service, parameters, writer in
      let address = try parameters.address(0)
      try service.withSource(try parameters.block(1)) { source in
        writer.value(quantity: source.account(address)?.balance ?? .zero)
      }
    },
    "eth_getTransactionCount": { service, parameters, writer in
      let address = try parameters.address(0)
      let block = try parameters.block(1)
      let isPending = block == .tag(.pending)
      // What waits tells it without a block being made of it. Asked before the chain is: what leaves the
      // pool meanwhile is in the chain by then.
      let waiting = isPending ? service.pool.nextNonce(of: address) ?? 0 : 0
      let nonce = try service.withSource(isPending ? .tag(.latest) : block) {
        $0.account(address)?.nonce ?? 0
      }
      writer.value(quantity: max(nonce, waiting))
    },
    "eth_getCode": { service, parameters, writer in
      let address = try parameters.address(0)
      try service.withSource(try parameters.block(1)) { source in
        let hash = source.account(address)?.codeHash ?? .emptyCode
        writer.value(hexadecimal: hash == .emptyCode ? [] : source.code(hash))
      }
    },
    "eth_getStorageAt": { service, parameters, writer in
      let address = try parameters.address(0)
      let key = try parameters.required(1).slotKey()
      try service.withSource(try parameters.block(2)) { source in
        writer.value(Hash256(source.slot(key, of: address)))
      }
    },
    "eth_getStorageValues": { service, parameters, writer in
      let members = try parameters.required(0).object()
      if members.isEmpty { throw RPCError.invalidParameters("empty request") }
      var count = 0
      var answers: [(Address, [UInt256])] = []
      try service.withSource(try parameters.block(1)) { source in
        for member in members {
          let address = try JSONValue.string(member.name).address()
          var values: [UInt256] = []
          for key in try member.value.array() {
            count += 1
            if count > 1024 { throw RPCError(-38026, "too many slots (max 1024)") }
            values.append(source.slot(try key.slotKey(), of: address))
          }
          answers.append((address, values))
        }
      }
      if count == 0 { throw RPCError.invalidParameters("empty request") }
      writer.object { writer in
        for (address, values) in answers {
          writer.key(address.description)
          writer.array { writer in
            for value in values { writer.value(Hash256(value)) }
          }
        }
      }
    },
    "eth_getProof": { service, parameters, writer in
      try service.writeProof(parameters, &writer)
    },
    "eth_accounts": { service, _, writer in
      writer.array { writer in
        for address in service.sequencer?.accounts.addresses ?? [] { writer.value(address) }
      }
    },
  ]

  /// Gives the state of a block to `body`.
  func withSource<Result>(
    _ reference: BlockReference, _ body: (DatabaseSource) throws -> Result
  ) throws -> Result {
    try withSnapshot(for: reference) { snapshot in
      let header = try stateHeader(reference, snapshot)
      return try body(try snapshot.source(after: header.header.number))
    }
  }

  private func writeProof(_ parameters: Parameters, _ writer: inout JSONWriter) throws {
    let address = try parameters.address(0)
    var keys: [(text: String, key: UInt256)] = []
    for item in try parameters.required(1).array() {
      let key = try item.slotKey()
      // A key of 32 bytes is answered as one, a shorter one as a number (go-ethereum).
      let text = try item.text()
      keys.append((text.utf8.count == 66 ? Hash256(key).description : key.description, key))
    }
    if keys.count > 1024 { throw RPCError(-32602, "too many keys (max 1024)") }
    let reference = try parameters.block(2)
    let snapshot = try snapshot(for: reference)
    let header = try stateHeader(reference, snapshot)
    let state = try snapshot.provingState(after: header.header.number)
    let accountKey = Keccak256.hash(address)
    let account = state.account(accountKey)
    writer.object { writer in
      writer.member("address", address)
      writer.key("accountProof")
      writer.array { writer in
        for node in state.proof(ofAccount: accountKey) { writer.value(hexadecimal: node) }
      }
      writer.member("balance", quantity: account?.balance ?? .zero)
      writer.member("codeHash", account?.codeHash ?? .emptyCode)
      writer.member("nonce", quantity: account?.nonce ?? 0)
      writer.member("storageHash", account?.storageRoot ?? MerklePatriciaTrie.emptyRoot)
      writer.key("storageProof")
      writer.array { writer in
        for (text, key) in keys {
          let slot = Keccak256.hash(key)
          writer.object { writer in
            writer.member("key", text)
            writer.member("value", quantity: state.slot(slot, of: accountKey))
            writer.key("proof")
            writer.array { writer in
              for node in state.proof(ofSlot: slot, account: accountKey) {
                writer.value(hexadecimal: node)
              }
            }
          }
        }
      }
    }
  }
}
