import EVM
import Ethereum
import Execution
import Storage

/// The whole state of a development chain, as Foundry's `anvil_dumpState` and `anvil_loadState` have it: JSON
/// in gzip in hexadecimal.
extension RPCService {
  /// Bytes of JSON that are taken or given.
  private static let stateLimit = 256 << 20
  /// Blocks that are executed again for a dump.
  private static let dumpBlocks: UInt64 = 100_000
  /// How long that may take.
  private static let dumpTime = Duration.seconds(60)

  static let stateFileMethods: [String: Method] = {
    let dump: Method = { service, _, writer in
      writer.value(hexadecimal: Gzip.container(try service.waiting { try service.stateFile() }))
    }
    let load: Method = { service, parameters, writer in
      try service.load(stateFile: parameters.bytes(0))
      writer.value(true)
    }
    var methods: [String: Method] = [:]
    for tool in ["anvil", "hardhat"] {
      methods["\(tool)_dumpState"] = dump
      methods["\(tool)_loadState"] = load
    }
    return methods
  }()

  // MARK: Writing

  /// The database knows accounts by the hashes of their addresses: the names come from executing all
  /// blocks again on the genesis state, in memory. The root tells whether nothing is missing.
  private func namedState(_ snapshot: Snapshot, _ amendments: [StateAmendment]) throws -> WorldState
  {
    let head = snapshot.head.header.number
    guard head <= Self.dumpBlocks else {
      throw RPCError.limit(
        "the state is worked out from genesis: of at most \(Self.dumpBlocks) blocks, and there are "
          + "\(head)")
    }
    let end = ContinuousClock.now + Self.dumpTime
    var state = WorldState(chain.genesis.allocation)
    let executor = SerialExecutor()
    for number in 1..<head + 1 {
      guard ContinuousClock.now < end else {
        throw RPCError.limit("executing \(head) blocks again takes more than \(Self.dumpTime)")
      }
      if let record = snapshot.amendment(before: number) {
        for amendment in try StateAmendment.decode(record) {
          state.apply(amendment.change, to: amendment.address)
        }
      }
      _ = try executor.execute(try prepared(number, snapshot).prepared, on: &state)
    }
    for amendment in amendments { state.apply(amendment.change, to: amendment.address) }
    let root = snapshot.state.root()
    guard state.stateRoot() == root else {
      throw RPCError.server(
        "executing all blocks again gives the state root \(state.stateRoot()), and the chain's is "
          + "\(root)")
    }
    return state
  }

  private func stateFile() throws -> [UInt8] {
    // One moment: what is set meanwhile changes both.
    let (snapshot, amendments) = try requireSequencer().queue.sync {
      (try chain.snapshot(), chain.amendments)
    }
    let accounts = try namedState(snapshot, amendments).allocation.accounts
    let header = snapshot.head.header
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("block")
      writer.object { writer in
        writer.member("number", quantity: header.number)
        writer.member("beneficiary", header.coinbase)
        writer.member("timestamp", quantity: header.timestamp)
        writer.member("gas_limit", header.gasLimit)
        writer.member("basefee", (header.baseFeePerGas ?? .zero).limb0)
        writer.member("difficulty", quantity: header.difficulty)
        writer.member("prevrandao", header.mixHash)
      }
      writer.key("accounts")
      writer.object { writer in
        for (address, account) in accounts.sorted(by: { $0.key.word < $1.key.word }) {
          writer.key("\(address)")
          writer.object { writer in
            writer.member("nonce", account.nonce)
            writer.member("balance", quantity: account.balance)
            writer.member("code", hexadecimal: account.code)
            writer.key("storage")
            writer.object { writer in
              for (slot, value) in account.storage.sorted(by: { $0.key < $1.key }) {
                writer.member("\(Hash256(slot))", Hash256(value))
              }
            }
          }
        }
      }
      writer.member("best_block_number", quantity: header.number)
      for name in ["blocks", "transactions"] {
        writer.key(name)
        writer.array { _ in }
      }
      writer.key("historical_states")
      writer.null()
    }
    let bytes = writer.takeBytes()
    guard bytes.count <= Self.stateLimit else {
      throw RPCError.limit(
        "the state has \(bytes.count) bytes; \(Self.stateLimit) are given at most")
    }
    return bytes
  }

  // MARK: Reading

  /// Sets the accounts of a file on top of the head; others stay. Its blocks are not taken.
  private func load(stateFile sent: [UInt8]) throws {
    let sequencer = try requireSequencer()
    let value: JSONValue
    do throws(FormatError) {
      let text =
        Gzip.isContainer(sent) ? try Gzip.contents(sent, limit: Self.stateLimit) : sent
      value = try withBytes(text) { (buffer) throws(FormatError) in
        var cursor = JSONCursor(buffer)
        let value = try JSONValue(from: &cursor)
        try cursor.finish()
        return value
      }
    } catch { throw RPCError.invalidParameters("the state: \(error)") }
    guard case .object(let accounts)? = value["accounts"] else {
      throw RPCError.invalidParameters("the state has no object `accounts`")
    }
    let changes = try accounts.map { try amendment($0.name, $0.value) }
    try sequencer.amend(changes)
    // Time goes on from there, as it does in the chain that the state is of.
    if let time = try value["block"]?["timestamp"].map({ try number($0) }) {
      sequencer.continueTime(after: time)
    }
  }

  private func amendment(_ name: String, _ account: JSONValue) throws -> StateAmendment {
    guard let address = Address(hexadecimal: name) else {
      throw RPCError.invalidParameters("accounts: \(name.prefix(80)) is no address")
    }
    var change = WorldState.Override()
    change.nonce = try account["nonce"].map { try number($0) }
    change.balance = try account["balance"]?.slotKey()
    change.code = try account["code"]?.bytes()
    if case .object(let slots)? = account["storage"] {
      for (name, value) in slots {
        change.slots[try JSONValue.string(name).slotKey()] = try value.slotKey()
      }
    }
    return StateAmendment(address, change)
  }

  /// A number, as some tools write it in digits and others in hexadecimal.
  private func number(_ value: JSONValue) throws -> UInt64 {
    if case .number(let text) = value {
      guard let number = UInt64(text) else {
        throw RPCError.invalidParameters("\(text) is no number of 64 bits")
      }
      return number
    }
    let word = try value.slotKey()
    guard word.bitWidth <= 64 else {
      throw RPCError.invalidParameters("\(word) is no number of 64 bits")
    }
    return word.limb0
  }
}
