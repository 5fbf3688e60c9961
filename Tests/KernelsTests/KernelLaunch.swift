import EVM

@testable import Kernels

/// Memory for a test; it goes with the object.
final class TestMemory {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit { for block in blocks { block.deallocate() } }

  /// Bytes of a pattern that no test takes for zeros.
  func raw(_ count: Int, filled byte: UInt8 = 0xa5) -> UnsafeMutableRawPointer {
    let block = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 64)
    block.initializeMemory(as: UInt8.self, repeating: byte, count: max(count, 1))
    blocks.append(block)
    return block
  }

  /// Values, and where they lie.
  func copy<T: BitwiseCopyable>(_ values: [T]) -> UnsafeMutablePointer<T> {
    let memory = raw(values.count * MemoryLayout<T>.stride).bindMemory(
      to: T.self, capacity: max(values.count, 1))
    memory.initialize(from: values, count: values.count)
    return memory
  }

  /// Zeroed rows.
  func zeros<T: BitwiseCopyable>(_ type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
    raw(count * MemoryLayout<T>.stride, filled: 0).bindMemory(to: T.self, capacity: count)
  }
}

/// A transaction of a test, with its lists.
struct TestTransaction {
  var message: TransactionMessage
  var data: [UInt8] = []
  var accessList: [AccessListItem] = []
  var accessSlots: [UInt256] = []
  var blobHashes: [Hash256] = []
  var authorizations: [AuthorizationItem] = []
  var environment: UInt32 = 0
  var world: UInt32 = 0
  var isCall = false

  /// A call of `recipient` at 7 wei for each gas.
  init(from sender: Address, to recipient: Address?, gasLimit: UInt64 = 100_000) {
    message = TransactionMessage(sender: sender, recipient: recipient, gasLimit: gasLimit)
    message.maxFeePerGas = 7
    message.maxPriorityFeePerGas = 7
  }

  /// The row, its lists at the end of `bytes`.
  func row(_ bytes: inout [UInt8]) -> TransactionRow {
    var row = TransactionRow(message, environment: environment, world: world, isCall: isCall)
    row.data = Self.append(data, to: &bytes)
    row.accessList = Self.append(accessList, to: &bytes)
    row.accessSlots = Self.append(accessSlots, to: &bytes)
    row.blobHashes = Self.append(blobHashes, to: &bytes)
    row.authorizations = Self.append(authorizations, to: &bytes)
    return row
  }

  private static func append<T>(_ list: [T], to bytes: inout [UInt8]) -> TransactionRow.List {
    if list.isEmpty { return .empty }
    while bytes.count % 8 != 0 { bytes.append(0xee) }
    let offset = bytes.count
    list.withUnsafeBytes { bytes.append(contentsOf: $0) }
    return TransactionRow.List(offset: offset, count: list.count)
  }
}

/// A launch of the transaction kernel on the host: worlds, blocks and transactions.
struct KernelLaunch {
  /// An account of a world.
  struct Account {
    var world: UInt32 = 0
    var address: Address
    var nonce: UInt64 = 0
    var balance: UInt256 = 0
    var code: [UInt8] = []
    var storage: [UInt256: UInt256] = [:]
  }

  /// A block and the hashes that it knows.
  struct Environment {
    var block = BlockEnvironment(coinbase: Address(number: 0xfee))
    var gasAvailable: UInt64 = 30_000_000
    var blobsAvailable = 6
    var hashes: [EnvironmentRow.BlockHash] = []
  }

  /// How the lanes are called.
  enum Lanes {
    /// `TransactionKernel.lane` with the given workspaces.
    case complete
    /// The lane that brings its own memory, with these precompiles.
    case all
    case light
  }

  static let sizes = WorkspaceSizes(
    stackWords: 2304, memoryBytes: 16 << 10, frames: 8, accounts: 24, slots: 16, undoRecords: 96,
    logs: 8, logBytes: 1024, codeBytes: 1024, returnBytes: 1024)

  var fork = Fork.osaka
  var accounts: [Account] = []
  var environments = [Environment()]
  var transactions: [TestTransaction] = []
  /// Words that lie in the lanes' workspaces before, again and again; others than these where it is empty.
  var leftovers: [UInt64] = []
  var selection: RecordSelection = [.changes, .reads, .logs, .output]
  var sizes = KernelLaunch.sizes
  var isTranslated = false
  var lanes = Lanes.complete
  /// Lanes of the launch; as many as transactions when it is `nil`.
  var laneCount: Int?
  /// Lanes that are called beyond those, as a launch of whole blocks does.
  var lanesBeyond = 1
  var order: [UInt32]?
  var recordCapacity = 1 << 16
  /// Nanoseconds.
  var budget: UInt64 = 60_000_000_000
  /// Bytes for questions about precompiles; nobody asks where there are none.
  var questionCapacity = 0
  /// The answers of each transaction to run, in words; none where it is empty.
  var answers: [[UInt64]] = []
  /// Which calls the lane of each transaction that runs does itself; none where there is no entry.
  var ownCalls: [PrecompileExchange.OwnCalls] = []
  var smallPrecompiles: UInt32 = 0

  /// What a launch gave.
  struct Result {
    let outcomes: [TransactionOutcome]
    let words: [UInt64]
    let recordsUsed: UInt64
    /// The questions, as many bytes as were claimed.
    let questions: [UInt64]
    let questionsUsed: UInt64
    /// Whether the workspaces' memory was left alone beyond its end.
    let isMemoryKept: Bool

    /// The words of a transaction's records.
    func records(_ index: Int) -> [UInt64] {
      let outcome = outcomes[index]
      let first = Int(outcome.records) / 8
      return Array(words[first..<first + Int(outcome.recordBytes) / 8])
    }
  }

  /// The table of the accounts, in memory that lives as long as `memory`.
  func table(_ memory: TestMemory) -> StateTable {
    var codes: [Code] = []
    let accountRows = StateTable.capacity(rows: accounts.count)
    let slotRows = StateTable.capacity(rows: accounts.reduce(0) { $0 + $1.storage.count })
    var table = StateTable(
      accounts: memory.zeros(StateTable.Account.self, count: accountRows),
      accountMask: UInt32(accountRows - 1),
      slots: memory.zeros(StateTable.Slot.self, count: slotRows),
      slotMask: UInt32(slotRows - 1), codes: memory.copy([Code]()))
    for account in accounts {
      var record = AccountRecord(
        nonce: account.nonce, balance: account.balance, codeHash: .emptyCode, exists: true,
        hasStorage: !account.storage.isEmpty)
      var number = UInt32.max
      if !account.code.isEmpty {
        record.codeHash = account.code.withUnsafeBufferPointer { Keccak256.hash($0) }
        number = UInt32(codes.count)
        codes.append(code(account.code, memory))
      }
      let place = table.insert(
        StateTable.Account(
          world: account.world, address: account.address, record: record, code: number))
      for (key, value) in account.storage {
        table.insert(StateTable.Slot(account: place, key: key, value: value))
      }
    }
    table.codes = UnsafePointer(memory.copy(codes))
    return table
  }

  /// Code that is padded and mapped, with its program when the launch is translated.
  private func code(_ bytes: [UInt8], _ memory: TestMemory) -> Code {
    let padded = memory.copy(bytes + [UInt8](repeating: 0, count: Code.padding))
    let map = memory.zeros(UInt8.self, count: Code.mapBytes(bytes.count))
    Code.analyze(padded, count: bytes.count, into: map)
    var code = Code(bytes: padded, jumpDestinations: map, count: bytes.count)
    if isTranslated { code.program = program(code, memory) }
    return code
  }

  /// The program of code, moved once after it was written, as to a device.
  private func program(_ code: Code, _ memory: TestMemory) -> UnsafePointer<Program> {
    let capacity = Translator.scratchBytes(code.count)
    var translator = Translator(
      code, fork: fork, scratch: memory.raw(capacity), capacity: capacity)!
    let size = translator.translate()!
    let first = memory.raw(size)
    translator.write(to: first)
    let second = memory.raw(size)
    second.copyMemory(from: first, byteCount: size)
    first.initializeMemory(as: UInt8.self, repeating: 0xff, count: size)
    return UnsafePointer(second.assumingMemoryBound(to: Program.self))
  }

  /// Calls the lanes one after the other.
  func run() -> Result {
    let memory = TestMemory()
    let table = table(memory)
    var bytes: [UInt8] = []
    let rows = transactions.map { $0.row(&bytes) }
    var hashes: [EnvironmentRow.BlockHash] = []
    let environments = environments.map { environment in
      defer { hashes += environment.hashes }
      return EnvironmentRow(
        block: environment.block, gasAvailable: environment.gasAvailable,
        blobsAvailable: environment.blobsAvailable, firstHash: hashes.count,
        hashCount: environment.hashes.count)
    }
    let count = order?.count ?? rows.count
    let laneCount = laneCount ?? count
    let outcomes = memory.copy([TransactionOutcome](repeating: .pending, count: rows.count))
    let records = memory.copy([UInt64](repeating: 0x5a5a, count: recordCapacity / 8 + 1))
    let recordsUsed = memory.copy([UInt64(0)])
    let instructions = InstructionTable.make(GasSchedule(fork))
    defer { instructions.deallocate() }
    let questions = memory.copy([UInt64](repeating: 0x5a5a, count: questionCapacity / 8 + 1))
    let questionsUsed = memory.copy([UInt64(0)])
    let stride = TransactionKernel.stride(sizes)
    let workspaces = memory.raw(stride * (laneCount + 1))
    if !leftovers.isEmpty {
      let words = workspaces.assumingMemoryBound(to: UInt64.self)
      for index in 0..<stride * laneCount / 8 { words[index] = leftovers[index % leftovers.count] }
    }
    let guarded = UnsafeBufferPointer(
      start: (workspaces + stride * laneCount).assumingMemoryBound(to: UInt8.self), count: stride)
    withExtendedLifetime(memory) {
      var arguments = TransactionKernel.Arguments(
        fork: fork, selection: selection, laneCount: laneCount, count: count,
        rows: memory.copy(rows), bytes: memory.copy(bytes),
        environments: memory.copy(environments), hashes: memory.copy(hashes), table: table,
        instructions: instructions, outcomes: outcomes, records: records,
        recordCapacity: UInt64(recordCapacity), recordsUsed: recordsUsed, sizes: sizes)
      arguments.workspaces = workspaces
      arguments.budget = budget
      if questionCapacity > 0 {
        arguments.exchange.questions = questions
        arguments.exchange.capacity = UInt64(questionCapacity)
        arguments.exchange.used = questionsUsed
      }
      if !answers.isEmpty {
        var words: [UInt64] = []
        let places = answers.enumerated().map { index, list in
          defer { words += list }
          return PrecompileExchange.place(
            list.isEmpty ? PrecompileExchange.noAnswers : UInt64(words.count),
            index < ownCalls.count ? ownCalls[index] : .none)
        }
        arguments.exchange.smallPrecompiles = smallPrecompiles
        arguments.exchange.places = UnsafePointer(memory.copy(places))
        arguments.exchange.answers = UnsafePointer(memory.copy(words))
      }
      if let order { arguments.order = UnsafePointer(memory.copy(order)) }
      for lane in 0..<laneCount + lanesBeyond {
        switch lanes {
        case .complete: TransactionKernel.lane(lane, &arguments)
        case .all:
          TransactionKernel.lane(
            lane, &arguments, memory: workspaces + lane * stride, with: AllPrecompiles.self)
        case .light:
          TransactionKernel.lane(
            lane, &arguments, memory: workspaces + lane * stride, with: LightPrecompiles.self)
        }
      }
    }
    return Result(
      outcomes: Array(UnsafeBufferPointer(start: outcomes, count: rows.count)),
      words: Array(UnsafeBufferPointer(start: records, count: recordCapacity / 8)),
      recordsUsed: recordsUsed[0],
      questions: Array(
        UnsafeBufferPointer(
          start: questions, count: Int(min(questionsUsed[0], UInt64(questionCapacity))) / 8)),
      questionsUsed: questionsUsed[0],
      isMemoryKept: guarded.allSatisfy { $0 == 0xa5 } && records[recordCapacity / 8] == 0x5a5a)
  }
}
