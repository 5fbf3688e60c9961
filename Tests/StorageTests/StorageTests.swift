import Coprocessors
import EVM
import Ethereum
import Execution
import Foundation
import Testing

@testable import Storage

/// A folder that is deleted with the value.
final class TemporaryFolder {
  let path = NSTemporaryDirectory() + "needletail-\(UUID().uuidString)"
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A chain of made-up blocks whose state a plain allocation follows.
final class ModelChain {
  var allocation: Allocation
  var states: [Allocation] = []
  var random: RequestGenerator
  var header: BlockHeader
  private var addresses: [Address]

  init(seed: UInt64, accounts: Int) {
    random = RequestGenerator(seed: seed)
    addresses = (0..<accounts).map { _ in Address(UInt256(UInt64.random(in: 0...UInt64.max))) }
    allocation = Allocation()
    for address in addresses {
      allocation.accounts[address] = Allocation.Account(balance: UInt256(1))
    }
    header = BlockHeader()
    header.stateRoot = allocation.stateRoot
    states = [allocation]
  }

  /// Changes some accounts at random and gives what a block would report of it.
  func delta(_ count: Int) -> StateDelta {
    var delta = StateDelta()
    var seen: Set<Address> = []
    for _ in 0..<count {
      let isNew = addresses.isEmpty || Int.random(in: 0..<10, using: &random) == 0
      if isNew {
        addresses.append(Address(UInt256(UInt64.random(in: 0...UInt64.max, using: &random))))
      }
      let address = isNew ? addresses.last! : addresses.randomElement(using: &random)!
      guard seen.insert(address).inserted else { continue }
      let old = allocation.accounts[address]
      let before = old.map {
        SourceAccount(
          nonce: $0.nonce, balance: $0.balance, codeHash: $0.codeHash,
          hasStorage: !$0.storage.isEmpty)
      }
      if Int.random(in: 0..<6, using: &random) == 0 {
        if old == nil { continue }
        allocation.accounts[address] = nil
        delta.accounts.append(
          StateDelta.Account(
            address: address, before: before, after: nil, wipesStorage: !old!.storage.isEmpty,
            slots: delta.slots.count..<delta.slots.count))
        continue
      }
      var new = old ?? Allocation.Account()
      new.nonce += 1
      new.balance = UInt256(UInt64.random(in: 0...UInt64.max, using: &random))
      let wipes = !new.storage.isEmpty && Int.random(in: 0..<8, using: &random) == 0
      if wipes { new.storage = [:] }
      let first = delta.slots.count
      if Int.random(in: 0..<3, using: &random) == 0 {
        for _ in 0..<Int.random(in: 1..<40, using: &random) {
          let key = UInt256(UInt64.random(in: 0..<60, using: &random))
          let value = UInt256(UInt64.random(in: 0..<3, using: &random))
          if delta.slots[first...].contains(where: { $0.key == key }) { continue }
          let before = new.storage[key] ?? .zero
          if before == value { continue }
          delta.slots.append((key, before, value))
        }
        for slot in delta.slots[first...] {
          new.storage[slot.key] = slot.after.isZero ? nil : slot.after
        }
      }
      allocation.accounts[address] = new
      delta.accounts.append(
        StateDelta.Account(
          address: address, before: before,
          after: SourceAccount(
            nonce: new.nonce, balance: new.balance, codeHash: .emptyCode, hasStorage: false),
          wipesStorage: wipes, slots: first..<delta.slots.count))
    }
    return delta
  }

  /// Reads accounts ahead as a block does that names those of a change, and compares them with it.
  private func readAhead(_ delta: StateDelta, _ snapshot: Snapshot) throws {
    guard !delta.accounts.isEmpty else { return }
    var block = PreparedBlock(
      fork: .osaka, environment: BlockEnvironment(number: 1, timestamp: 1))
    // A few others too, and so many that they are read.
    for index in 0..<max(80, delta.accounts.count) {
      let account = delta.accounts[index % delta.accounts.count]
      var transaction = Transaction(type: .dynamicFee, chainID: 1)
      transaction.to = Address(UInt256(UInt64.random(in: 0...UInt64.max, using: &random)))
      block.transactions.append(PreparedTransaction(transaction, sender: account.address))
    }
    let source = try snapshot.source(after: snapshot.head.header.number)
    try source.readAhead(block, workers: 3)
    for account in delta.accounts {
      #expect(source.account(account.address) == account.before, "block \(header.number + 1)")
    }
    for prepared in block.transactions {
      #expect(source.account(prepared.transaction.to!) == nil)
    }
  }

  /// Appends a block with changes and compares the root with that of the whole allocation.
  func grow(_ database: Database, changes: Int, bloom: Bloom = Bloom()) throws {
    let delta = delta(changes)
    let snapshot = try database.snapshot()
    if header.number % 3 != 0 { try readAhead(delta, snapshot) }
    let layer = try database.layer(delta, on: snapshot, number: header.number + 1)
    #expect(layer.root == allocation.stateRoot, "block \(header.number + 1)")
    let parent = header.hash
    header.parentHash = parent
    header.number += 1
    header.stateRoot = layer.root
    header.logsBloom = bloom
    let block = Block(header: header)
    try database.awaitRoom()
    try database.append(
      StoredBlock(
        block, hash: block.hash, size: 0, totalDifficulty: .zero, senders: [], receipts: [],
        sequence: header.number), layer)
    states.append(allocation)
  }
}

@Suite struct DatabaseTests {
  @Test(arguments: [(UInt64(1), 0), (2, 3), (3, 60), (4, 900), (5, 5000)])
  func rootsAreThoseOfTheWholeState(seed: UInt64, accounts: Int) throws {
    let folder = TemporaryFolder()
    let chain = ModelChain(seed: seed, accounts: accounts)
    var options = Database.Options()
    options.workers = seed % 2 == 0 ? 1 : 3
    // Also where few rows have room in memory, or none.
    if seed % 2 == 1 { options.rowBytes = Int(seed - 1) << 13 }
    var database = try Database(folder: folder.path, options: options)
    try database.begin(Block(header: chain.header), chain.allocation, file: [1, 2])
    for round in 0..<12 {
      try chain.grow(database, changes: round == 6 ? accounts + 2 : 300 / (round % 3 + 1))
      if round == 8 { try database.flush() }
    }
    try checkProofs(chain, try database.snapshot())
    try database.flush()
    let snapshot = try database.snapshot()
    #expect(snapshot.state.root() == chain.allocation.stateRoot)
    try checkProofs(chain, snapshot)
    try checkHistory(chain, snapshot)

    // Opened anew, it is the same; going back gives every state again.
    database = try reopened(&database, folder.path, options)
    #expect(try database.genesis() == [1, 2])
    #expect(try database.snapshot().state.root() == chain.allocation.stateRoot)
    for number in [11, 7, 3, 0] {
      try database.rewind(to: UInt64(number), sequence: 0)
      #expect(try database.snapshot().state.root() == chain.states[number].stateRoot)
      #expect(database.head?.header.number == UInt64(number))
    }
    #expect(try database.environment.count(.accounts) == chain.states[0].accounts.count)
    #expect(try database.environment.count(.accountHistory) == 0)
    #expect(try database.environment.count(.slots) == 0)
  }

  private func reopened(_ database: inout Database, _ folder: String, _ options: Database.Options)
    throws -> Database
  {
    #expect(throws: StorageError.self) { try Database(folder: folder) }
    let other = TemporaryFolder()
    database = try Database(folder: other.path)
    return try Database(folder: folder, options: options)
  }

  private func checkProofs(_ chain: ModelChain, _ snapshot: Snapshot) throws {
    let root = chain.allocation.stateRoot
    var targets = Array(chain.allocation.accounts.keys.prefix(40))
    targets += (1...20).map { Address(number: UInt64($0) << 40) }
    for address in targets {
      let key = Keccak256.hash(address)
      let proof = snapshot.state.proof(ofAccount: key)
      let account = chain.allocation.accounts[address]
      #expect(
        try MerklePatriciaTrie.verify(proof: proof, of: key.bytes, root: root) == account?.encoded)
      for slot in 0..<8 {
        let slotKey = Keccak256.hash(UInt256(UInt64(slot)))
        let proof = snapshot.state.proof(ofSlot: slotKey, account: key)
        let value = account?.storage[UInt256(UInt64(slot))].map { value -> [UInt8] in
          var encoder = RLPEncoder()
          encoder.append(value)
          return encoder.bytes
        }
        #expect(
          try MerklePatriciaTrie.verify(
            proof: proof, of: slotKey.bytes,
            root: account?.storageRoot ?? MerklePatriciaTrie.emptyRoot) == value)
      }
    }
  }

  private func checkHistory(_ chain: ModelChain, _ snapshot: Snapshot) throws {
    for (number, state) in chain.states.enumerated() {
      let source = try snapshot.source(after: UInt64(number))
      for address in chain.allocation.accounts.keys.prefix(60) {
        let account = state.accounts[address]
        #expect(source.account(address)?.balance == account?.balance)
        #expect(source.account(address)?.nonce == account?.nonce)
        for slot in 0..<4 {
          let key = UInt256(UInt64(slot))
          #expect(source.slot(key, of: address) == account?.storage[key] ?? .zero)
        }
      }
      #expect(try snapshot.provingState(after: UInt64(number)).root() == state.stateRoot)
    }
  }

  /// A file that is no database, or is none any more, is an error for who writes and for who reads.
  @Test(arguments: [1, 4096, 40_000])
  func whatIsNoDatabaseIsRefused(bytes: Int) throws {
    let folder = TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    try Data(repeating: 0x5A, count: bytes).write(
      to: URL(fileURLWithPath: folder.path + "/data.mdb"))
    #expect(throws: StorageError.self) { try Database(folder: folder.path) }
    #expect(throws: StorageError.self) { try DatabaseFile(folder: folder.path) }
  }

  @Test func readersKeepTheirMoment() throws {
    let folder = TemporaryFolder()
    let chain = ModelChain(seed: 9, accounts: 50)
    let database = try Database(folder: folder.path)
    try database.begin(Block(header: chain.header), chain.allocation, file: [])
    try chain.grow(database, changes: 30)
    let old = try database.snapshot()
    let root = chain.allocation.stateRoot
    for _ in 0..<5 { try chain.grow(database, changes: 30) }
    try database.flush()
    #expect(old.head.header.number == 1)
    #expect(old.state.root() == root)
    #expect(try old.header(3) == nil)
    #expect(try database.snapshot().header(3)?.header.number == 3)
  }

  @Test func rowsInMemoryFollowTheHead() throws {
    let folder = TemporaryFolder()
    let chain = ModelChain(seed: 11, accounts: 3000)
    let database = try Database(folder: folder.path)
    try database.begin(Block(header: chain.header), chain.allocation, file: [])
    for _ in 0..<3 { try chain.grow(database, changes: 300) }
    let (header, allocation) = (chain.header, chain.allocation)
    for _ in 0..<3 { try chain.grow(database, changes: 300) }
    try database.rewind(to: 3, sequence: 0)
    (chain.header, chain.allocation) = (header, allocation)
    for _ in 0..<3 { try chain.grow(database, changes: 300) }
    // A root on an older state, and one that nobody commits.
    let old = try database.snapshot()
    try chain.grow(database, changes: 300)
    var empty = StateDelta()
    #expect(try database.layer(empty, on: old, number: 7).root == old.head.header.stateRoot)
    empty.accounts.append(
      StateDelta.Account(
        address: Address(number: 1), before: nil,
        after: SourceAccount(nonce: 1, balance: 1, codeHash: .emptyCode, hasStorage: false)))
    _ = try database.layer(empty, on: try database.snapshot(), number: 8)
    try chain.grow(database, changes: 300)
    try database.flush()
    #expect(try database.snapshot().state.root() == chain.allocation.stateRoot)
  }

  /// Blocks wait to be stored together: for a while, or until there are many.
  @Test func blocksAreStoredTogether() throws {
    func isStored(_ sequence: UInt64, _ database: Database) throws -> Bool {
      let end = ContinuousClock.now + .seconds(20)
      while try database.storedSequence() < sequence, ContinuousClock.now < end { usleep(10_000) }
      return try database.storedSequence() == sequence
    }
    for delay in [100, 600_000] {
      let folder = TemporaryFolder()
      var options = Database.Options()
      options.storeDelay = delay
      let chain = ModelChain(seed: 12, accounts: 50)
      let database = try Database(folder: folder.path, options: options)
      try database.begin(Block(header: chain.header), chain.allocation, file: [])
      let few = options.pendingLimit / 2 - 1
      for _ in 0..<few { try chain.grow(database, changes: 20) }
      if delay == 100 {
        #expect(try isStored(UInt64(few), database))
      } else {
        usleep(50_000)
        #expect(try database.storedSequence() == 0)
        try chain.grow(database, changes: 20)
        #expect(try isStored(UInt64(few) + 1, database))
      }
    }
  }

  @Test func aLimitedHistoryForgets() throws {
    let folder = TemporaryFolder()
    var options = Database.Options()
    options.history = .blocks(3)
    let chain = ModelChain(seed: 10, accounts: 50)
    let database = try Database(folder: folder.path, options: options)
    try database.begin(Block(header: chain.header), chain.allocation, file: [])
    for _ in 0..<8 { try chain.grow(database, changes: 20) }
    try database.flush()
    let snapshot = try database.snapshot()
    #expect(throws: StorageError.self) { try snapshot.source(after: 4) }
    #expect(try database.environment.count(.changes) == 3)
    #expect(try database.environment.count(.accountHistory) == 0)
    for number in 5...8 {
      let source = try snapshot.source(after: UInt64(number))
      for (address, account) in chain.states[number].accounts {
        #expect(source.account(address)?.nonce == account.nonce)
      }
    }
  }
}
