import Testing

@testable import EVM

/// A state of a few accounts, and a machine over it.
final class TestWorld: StateView {
  struct Account: Equatable {
    var nonce: UInt64 = 0
    var balance: UInt256 = .zero
    var code: [UInt8] = []
    var storage: [UInt256: UInt256] = [:]
  }

  static let sender = Address(number: 0x5e4d)
  static let contract = Address(number: 0xc0de)
  static let other = Address(number: 0x07e4)
  static let coinbase = Address(number: 0xc01b)

  var accounts: [Address: Account] = [:]
  var fork: Fork
  var block = BlockEnvironment(
    chainID: 1, number: 1000, timestamp: 0x1234, gasLimit: 100_000_000,
    coinbase: TestWorld.coinbase, prevRandao: 0xabcd, baseFeePerGas: 7, blobBaseFee: 1)
  /// Accounts that the view refuses to show.
  var unavailable: Set<Address> = []
  private var codes: [Hash256: Code] = [:]
  /// Whether code is given with its program.
  private var translates = false

  init(_ fork: Fork, code: Bytecode = []) {
    self.fork = fork
    if fork < .london { block.baseFeePerGas = 0 }
    accounts[Self.sender] = Account(balance: UInt256(1) << 100)
    accounts[Self.contract] = Account(nonce: 1, code: code.bytes)
  }

  deinit {
    for code in codes.values {
      UnsafeMutablePointer(mutating: code.bytes).deallocate()
      UnsafeRawPointer(code.program)?.deallocate()
    }
  }

  // MARK: StateView

  func readAccount(_ address: Address, into record: inout AccountRecord) -> Bool {
    if unavailable.contains(address) { return false }
    guard let account = accounts[address] else {
      record = .absent
      return true
    }
    record = AccountRecord(
      nonce: account.nonce, balance: account.balance, codeHash: Self.hash(account.code),
      exists: true, hasStorage: account.storage.contains { !$0.value.isZero })
    return true
  }

  func readStorage(
    _ address: Address, place: UInt32, slot: UInt256, into record: inout StorageRecord
  ) -> Bool {
    if place != AccountRecord.noPlace { record.place = place * 2 }
    record.value = accounts[address]?.storage[slot] ?? .zero
    return true
  }

  func readCode(_ hash: Hash256, of address: Address, place: UInt32, into code: inout Code)
    -> Bool
  {
    if let known = codes[hash] {
      code = known
      if !translates { code.program = nil }
      return true
    }
    guard let bytes = accounts[address]?.code else { return false }
    let memory = UnsafeMutablePointer<UInt8>.allocate(
      capacity: bytes.count + Code.padding + Code.mapBytes(bytes.count))
    memory.update(repeating: 0, count: bytes.count + Code.padding)
    for (index, byte) in bytes.enumerated() { memory[index] = byte }
    let map = memory + bytes.count + Code.padding
    Code.analyze(memory, count: bytes.count, into: map)
    code = Code(bytes: memory, jumpDestinations: map, count: bytes.count)
    code.program = Self.program(of: code, fork: fork)
    codes[hash] = code
    if !translates { code.program = nil }
    return true
  }

  private static func program(of code: Code, fork: Fork) -> UnsafePointer<Program>? {
    let capacity = Translator.scratchBytes(code.count)
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 32)
    defer { scratch.deallocate() }
    var translator = Translator(code, fork: fork, scratch: scratch, capacity: capacity)!
    guard let size = translator.translate() else {
      Issue.record("the code has no program")
      return nil
    }
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 32)
    translator.write(to: memory)
    return UnsafePointer(memory.assumingMemoryBound(to: Program.self))
  }

  func readBlockHash(_ number: UInt64, into hash: inout Hash256) -> Bool {
    hash = Hash256(UInt256(number) &+ 0xb10c_0000)
    return true
  }

  static func hash(_ bytes: [UInt8]) -> Hash256 {
    bytes.isEmpty ? .emptyCode : bytes.withUnsafeBufferPointer { Keccak256.hash($0) }
  }

  // MARK: Running

  /// What a test looks at after a transaction.
  struct Outcome {
    var error: TransactionError?
    var status: ExecutionStatus
    /// All gas paid for.
    var gasUsed: UInt64
    var gasRefunded: UInt64
    var regularGas: UInt64
    var stateGas: UInt64
    var output: [UInt8]
    var accounts: [Address: Account]
    var destroyed: Set<Address>
    var created: Address?
    var logs: [(address: Address, topics: [UInt256], data: [UInt8])]
    var warmAccounts: Set<Address>
    /// The accounts that the view was asked for.
    var readAccounts: Set<Address>
    var steps: [TraceStep]

    /// Both ways of executing give the same, but for the kind of a failure that takes all gas.
    func expectSame(as other: Outcome) {
      #expect(error == other.error)
      #expect(status.isHalt == other.status.isHalt)
      if !status.isHalt { #expect(status == other.status) }
      #expect(gasUsed == other.gasUsed)
      #expect(gasRefunded == other.gasRefunded)
      #expect(regularGas == other.regularGas)
      #expect(stateGas == other.stateGas)
      #expect(readAccounts == other.readAccounts)
      #expect(output == other.output)
      #expect(accounts == other.accounts)
      #expect(destroyed == other.destroyed)
      #expect(created == other.created)
      #expect(warmAccounts == other.warmAccounts)
      #expect(logs.count == other.logs.count)
      for (log, same) in zip(logs, other.logs) {
        #expect(log.address == same.address)
        #expect(log.topics == same.topics)
        #expect(log.data == same.data)
      }
    }

    /// The first word of the output.
    var word: UInt256? {
      output.count < 32
        ? nil : output.withUnsafeBufferPointer { UInt256(bigEndian: $0.baseAddress!) }
    }

    func storage(_ slot: UInt256, of address: Address = TestWorld.contract) -> UInt256 {
      accounts[address]?.storage[slot] ?? .zero
    }
  }

  static let sizes = WorkspaceSizes(
    stackWords: 1026 * 1024, memoryBytes: 8 << 20, frames: 1026, accounts: 4096, slots: 4096,
    undoRecords: 16384, logs: 256, logBytes: 1 << 16, codeBytes: 1 << 20, returnBytes: 1 << 20)

  /// A transaction to the contract, with 1,000,000 gas at the base fee.
  func transaction(to recipient: Address? = TestWorld.contract) -> TransactionMessage {
    var message = TransactionMessage(
      sender: Self.sender, recipient: recipient, gasLimit: 1_000_000)
    message.maxFeePerGas = block.baseFeePerGas
    message.maxPriorityFeePerGas = block.baseFeePerGas
    message.nonce = accounts[Self.sender]?.nonce ?? 0
    return message
  }

  /// Calls the contract with some data.
  func run(
    data: [UInt8] = [], value: UInt256 = .zero, gas: UInt64 = 1_000_000,
    to recipient: Address? = TestWorld.contract
  ) -> Outcome {
    var message = transaction(to: recipient)
    message.gasLimit = gas
    message.value = value
    return data.withUnsafeBufferPointer { data in
      message.data = data
      return run(message)
    }
  }

  /// Executes a transaction; the world itself stays as it is. It runs three times, plainly with a tracer
  /// and by translated programs, with every result on the stack and with results kept for the next
  /// instruction, as a device has them; all must agree.
  func run(
    _ message: TransactionMessage, sizes: WorkspaceSizes = TestWorld.sizes,
    gasAvailable: UInt64? = nil, stateGasAvailable: UInt64? = nil, blobsAvailable: Int = 6
  ) -> Outcome {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: sizes.bytes, alignment: 16)
    defer { memory.deallocate() }
    let workspace = Workspace(base: memory, capacity: sizes.bytes, sizes: sizes)!
    let gasAvailable = gasAvailable ?? block.gasLimit
    let stateGasAvailable = stateGasAvailable ?? block.gasLimit

    translates = true
    var translated = Machine(
      fork: fork, block: block, view: self, tracer: NoTracer(), workspace: workspace)
    let second = outcome(
      translated.execute(
        message, gasAvailable: gasAvailable, stateGasAvailable: stateGasAvailable,
        blobsAvailable: blobsAvailable),
      translated)
    var keeping = Machine(
      fork: fork, block: block, view: KeepingView(world: self), tracer: NoTracer(),
      workspace: workspace)
    let third = outcome(
      keeping.execute(
        message, gasAvailable: gasAvailable, stateGasAvailable: stateGasAvailable,
        blobsAvailable: blobsAvailable),
      keeping)
    translates = false

    var machine = Machine(
      fork: fork, block: block, view: self, tracer: StepRecorder(), workspace: workspace)
    var first = outcome(
      machine.execute(
        message, gasAvailable: gasAvailable, stateGasAvailable: stateGasAvailable,
        blobsAvailable: blobsAvailable),
      machine)
    // A program needs more room on the stack; then it is run again with more.
    if second.status != .workspaceExhausted { first.expectSame(as: second) }
    if third.status != .workspaceExhausted { first.expectSame(as: third) }
    first.steps = machine.tracer.steps
    return first
  }

  private func outcome<View: StateView, Tracer: ExecutionTracer>(
    _ result: TransactionResult, _ machine: Machine<View, Tracer>
  ) -> Outcome {
    let journal = machine.journal
    var outcome = Outcome(
      error: result.error, status: result.status, gasUsed: result.gasUsed,
      gasRefunded: result.gasRefunded, regularGas: result.regularGas, stateGas: result.stateGas,
      output: Array(machine.output), accounts: accounts, destroyed: [],
      created: result.createdAddress, logs: [], warmAccounts: [], readAccounts: [], steps: [])
    if result.error != nil || result.status.isFault { return outcome }
    for index in 0..<journal.accountCount {
      let entry = journal.accounts[index]
      if entry.flags.contains(.warm) { outcome.warmAccounts.insert(entry.address) }
      guard entry.isLoaded else { continue }
      outcome.readAccounts.insert(entry.address)
      if entry.isDestroyed { outcome.destroyed.insert(entry.address) }
      if entry.isDestroyed || !entry.exists
        || (entry.isTouched && entry.isEmpty && fork >= .spuriousDragon)
      {
        outcome.accounts[entry.address] = nil
        continue
      }
      var account = outcome.accounts[entry.address] ?? Account()
      account.nonce = entry.nonce
      account.balance = entry.balance
      if entry.isCodeChanged { account.code = Array(entry.changedCode) }
      outcome.accounts[entry.address] = account
    }
    for index in 0..<journal.slotCount {
      let slot = journal.slots[index]
      if slot.isTransient || !slot.isLoaded { continue }
      outcome.accounts[journal.accounts[Int(slot.account)].address]?.storage[slot.key] =
        slot.current
    }
    for index in 0..<journal.logCount {
      let log = journal.logs[index]
      let topics = [log.topics.0, log.topics.1, log.topics.2, log.topics.3]
      outcome.logs.append(
        (
          log.address, Array(topics.prefix(log.topicCount)),
          Array(UnsafeBufferPointer(start: journal.logData + log.dataOffset, count: log.dataCount))
        ))
    }
    return outcome
  }
}

/// Keeps every step (its pointers are not to be read afterwards).
struct StepRecorder: ExecutionTracer {
  var steps: [TraceStep] = []

  static var isEnabled: Bool { true }
  mutating func willExecute(_ step: TraceStep) { steps.append(step) }
  mutating func didCharge(gas: Int64) {}
  mutating func willEnter(
    depth: Int, from caller: Address, to address: Address, value: UInt256, gas: Int64,
    input: UnsafeBufferPointer<UInt8>
  ) {}
  mutating func didExit(
    depth: Int, status: ExecutionStatus, gas: Int64, output: UnsafeBufferPointer<UInt8>
  ) {}
}

/// The gas that a piece of code takes by itself: the whole minus the transaction's 21,000.
func executionGas(_ fork: Fork, _ code: Bytecode) -> UInt64 {
  let outcome = TestWorld(fork, code: code).run()
  #expect(outcome.status.isSuccess)
  return outcome.gasUsed + outcome.gasRefunded - 21000
}
