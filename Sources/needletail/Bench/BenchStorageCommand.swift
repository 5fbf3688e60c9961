import ArgumentParser
import Coprocessors
import EVM
import Ethereum
import Execution
import Foundation
import Node
import Storage

struct BenchStorageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "storage",
    abstract: "Time blocks of transfers on a database: execution, state root, log and commit.",
    discussion: """
      Fills a database with accounts (kept in --datadir for the next run, else in a folder that is \
      deleted), then executes blocks of transfers between random accounts of them and commits each: \
      executes on the database, works the roots out, appends the block to the log and forces it to \
      the disk, and makes it the head. `commit` is all of that; the database is written meanwhile. \
      Afterwards the database is opened anew, and its root is compared.

        needletail bench storage --accounts 5000000 --blocks 60 --json
      """)

  @Option(help: "Accounts in the database.") var accounts = 5_000_000
  @Option(help: "Blocks to commit.") var blocks = 40
  @Option(help: "Transfers in a block.") var transfers = 10_000
  @Option(help: "Threads that work out roots.") var threads = 2
  @Option(help: "Milliseconds that a block waits to be stored with those that follow it.")
  var storeDelay = Database.Options().storeDelay
  @Option(help: "The folder of the database; made and filled where it is missing.")
  var datadir: String?
  @Flag(help: "Print every block's times, too, and how many blocks wait to be stored then.")
  var each = false
  @Flag(help: "Print the results as JSON.") var json = false

  func validate() throws {
    if !(1...100_000_000).contains(accounts) || !(1...100_000).contains(blocks)
      || !(1...100_000).contains(transfers) || !(1...256).contains(threads)
      || !(0...600_000).contains(storeDelay)
    {
      throw ValidationError("a number is out of its range")
    }
  }

  func run() throws {
    let folder = datadir ?? NSTemporaryDirectory() + "needletail-storage-\(getpid())"
    defer { if datadir == nil { try? FileManager.default.removeItem(atPath: folder) } }
    var options = Database.Options()
    options.history = .blocks(64)
    options.workers = threads
    options.storeDelay = storeDelay
    let run = StorageRun(
      accounts: accounts, transfers: transfers, folder: folder, options: options)
    let load = try run.load()
    var times: [StorageRun.Times] = []
    for index in 0..<blocks {
      if !json { Terminal.progress(done: index, of: blocks, "blocks of \(transfers) transfers") }
      times.append(try run.block())
    }
    Terminal.clearProgress()
    let memory = StorageRun.memory()
    let storing = run.storing
    let (opening, isSame) = try run.reopen()
    report(times, storing, load: load, opening: opening, memory: memory, bytes: run.bytes)
    if !isSame {
      Terminal.note("needletail: the root after opening anew is not the head's")
      throw ExitCode(1)
    }
  }

  private func report(
    _ times: [StorageRun.Times], _ storing: StoreTotals, load: Double, opening: Double,
    memory: (anonymous: Int, mapped: Int), bytes: Int
  ) {
    let rows: [(String, (StorageRun.Times) -> Double)] = [
      ("execute", \.execute), ("root", \.root), ("log", \.log), ("commit", \.commit),
    ]
    func percentile(_ values: [Double], _ part: Double) -> Double {
      let sorted = values.sorted()
      return sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
    }
    if json {
      var writer = JSONWriter()
      writer.object { writer in
        writer.member("accounts", accounts)
        writer.member("transfers", transfers)
        writer.member("blocks", blocks)
        for (name, value) in rows {
          let values = times.map { value($0) * 1000 }
          writer.key(name + "Milliseconds")
          writer.object { writer in
            writer.key("median")
            writer.value(percentile(values, 0.5))
            writer.key("p99")
            writer.value(percentile(values, 0.99))
          }
        }
        if each {
          writer.key("each")
          writer.array { writer in
            for time in times {
              writer.object { writer in
                for (name, value) in rows {
                  writer.key(name + "Milliseconds")
                  writer.value(value(time) * 1000)
                }
                writer.member("waiting", time.waiting)
                writer.member("stored", time.stored)
              }
            }
          }
        }
        writer.key("storing")
        writer.object { writer in
          writer.member("transactions", storing.transactions)
          writer.member("blocks", storing.blocks)
          writer.key("writingSeconds")
          writer.value(storing.writing.seconds)
          writer.key("committingSeconds")
          writer.value(storing.committing.seconds)
        }
        writer.key("openingSeconds")
        writer.value(opening)
        writer.member("anonymousBytes", memory.anonymous)
        writer.member("mappedBytes", memory.mapped)
        writer.member("databaseBytes", bytes)
      }
      print(writer.text)
      return
    }
    if each {
      var columns: [(title: String, alignment: TextTable.Alignment)] = [("block", .right)]
      for (name, _) in rows { columns.append((name, .right)) }
      columns += [("waiting", .right), ("stored", .right)]
      var table = TextTable(columns)
      for (index, time) in times.enumerated() {
        var cells = ["\(index + 1)"]
        for (_, value) in rows { cells.append(String(format: "%.1f", value(time) * 1000)) }
        table.add(cells + ["\(time.waiting)", "\(time.stored)"])
      }
      for line in table.lines { print(line) }
    }
    var table = TextTable([("part", .left), ("median ms", .right), ("p99 ms", .right)])
    for (name, value) in rows {
      let values = times.map { value($0) * 1000 }
      table.add([
        name, String(format: "%.1f", percentile(values, 0.5)),
        String(format: "%.1f", percentile(values, 0.99)),
      ])
    }
    for line in table.lines { print(line) }
    print(
      """
        \(blocks) blocks of \(transfers) transfers on \(accounts) accounts; database \
      \(bytes >> 20) MiB; opened anew in \(String(format: "%.3f", opening)) s; memory \
      \(memory.anonymous >> 20) MiB of the process, \(memory.mapped >> 20) MiB mapped from the file
      """)
    print(
      String(
        format:
          "  %d blocks stored in %d transactions: %.1f s of writing, %.1f s of forcing to the disk",
        storing.blocks, storing.transactions, storing.writing.seconds, storing.committing.seconds))
    if load > 0 { print(String(format: "  filled in %.0f s", load)) }
  }
}

/// A database with accounts, and blocks on it.
private final class StorageRun {
  struct Times {
    var execute = 0.0
    /// Blocks that wait to be stored, and those that were stored, after it.
    var waiting = 0
    var stored = 0
    var root = 0.0
    var log = 0.0
    var commit = 0.0
  }

  let accounts: Int
  let transfers: Int
  let folder: String
  let options: Database.Options
  private var database: Database?
  private var log: BlockLog?
  private var nonces: [Int: UInt64] = [:]
  private var random = RequestGenerator(seed: 7)
  private let executor = SerialExecutor()
  private let codes = CodeStore()
  private var beforeBlocks = StoreTotals()

  init(accounts: Int, transfers: Int, folder: String, options: Database.Options) {
    self.accounts = accounts
    self.transfers = transfers
    self.folder = folder
    self.options = options
  }

  private func address(_ index: Int) -> Address { Address(number: UInt64(index + 1) << 20) }

  /// What storing took while blocks were made.
  var storing: StoreTotals {
    var totals = database?.storeTotals ?? StoreTotals()
    totals.transactions -= beforeBlocks.transactions
    totals.blocks -= beforeBlocks.blocks
    totals.writing -= beforeBlocks.writing
    totals.committing -= beforeBlocks.committing
    return totals
  }

  var bytes: Int { (try? database?.statistics().bytes) ?? 0 }

  /// Fills the database where it is empty; gives the seconds that took.
  func load() throws -> Double {
    let database = try Database(folder: folder + "/state", options: options)
    self.database = database
    let start = ContinuousClock.now
    if database.isEmpty {
      var header = BlockHeader()
      header.stateRoot = MerklePatriciaTrie.emptyRoot
      try database.begin(Block(header: header), Allocation(), file: [])
      var first = 0
      while first < accounts {
        let last = min(accounts, first + 100_000)
        var delta = StateDelta()
        for index in first..<last {
          delta.accounts.append(
            StateDelta.Account(
              address: address(index), before: nil,
              after: SourceAccount(
                nonce: 0, balance: UInt256(1_000_000_000_000_000_000), codeHash: .emptyCode,
                hasStorage: false)))
        }
        try append(Block(header: BlockHeader()), delta, senders: [], receipts: [])
        first = last
        Terminal.progress(done: first, of: accounts, "accounts")
      }
      try database.flush()
      Terminal.clearProgress()
    }
    log = try BlockLog(
      folder: folder + "/log", next: try database.storedSequence() + 1)
    beforeBlocks = database.storeTotals
    return start.duration(to: .now).seconds
  }

  private func append(_ block: Block, _ delta: StateDelta, senders: [Address], receipts: [Receipt])
    throws
  {
    let database = database!
    let snapshot = try database.snapshot()
    var block = block
    block.header.number = snapshot.head.header.number + 1
    block.header.parentHash = snapshot.head.hash
    let layer = try database.layer(delta, on: snapshot, number: block.header.number)
    block.header.stateRoot = layer.root
    try database.awaitRoom()
    try database.append(
      StoredBlock(
        block, hash: block.hash, size: 0, totalDifficulty: .zero, senders: senders,
        receipts: receipts, sequence: try database.storedSequence()), layer)
  }

  /// Executes and commits one block.
  func block() throws -> Times {
    let database = database!
    let head = database.head!
    let number = head.header.number + 1
    var environment = BlockEnvironment(number: number, timestamp: number)
    environment.gasLimit = 21_000 * UInt64(transfers)
    environment.coinbase = Address(number: 0xc0)
    environment.baseFeePerGas = UInt256(7)
    var prepared = PreparedBlock(fork: .osaka, environment: environment)
    prepared.callsSystemContracts = false
    for _ in 0..<transfers {
      let sender = Int.random(in: 0..<accounts, using: &random)
      if nonces[sender] == nil {
        let key = Keccak256.hash(address(sender))
        nonces[sender] = try database.snapshot().state.account(key)?.nonce ?? 0
      }
      var transaction = Transaction(type: .dynamicFee, chainID: 1)
      transaction.nonce = nonces[sender]!
      nonces[sender]! += 1
      transaction.maxFeePerGas = UInt256(100)
      transaction.maxPriorityFeePerGas = UInt256(1)
      transaction.gasLimit = 21_000
      transaction.value = UInt256(1)
      transaction.to = address(Int.random(in: 0..<accounts, using: &random))
      transaction.signature = Signature(yParity: false, r: UInt256(random.next()) << 190, s: 1)
      prepared.transactions.append(PreparedTransaction(transaction, sender: address(sender)))
    }

    var times = Times()
    let clock = ContinuousClock()
    let start = clock.now
    let snapshot = try database.snapshot()
    let source = try snapshot.source(after: number - 1)
    try source.readAhead(prepared, workers: options.workers)
    var state = WorldState(source: source, codes: codes)
    let outcome = try executor.execute(prepared, on: &state)
    let delta = state.delta
    times.execute = start.duration(to: clock.now).seconds

    let rootStart = clock.now
    let transactions = prepared.transactions.map(\.transaction)
    let (contents, layer) = try BlockContents.during(transactions, outcome.receipts) {
      try database.layer(delta, on: snapshot, number: number)
    }
    var header = BlockHeader()
    header.number = number
    header.parentHash = head.hash
    header.stateRoot = layer.root
    header.transactionsRoot = contents.transactionsRoot
    header.receiptsRoot = contents.receiptsRoot
    header.logsBloom = contents.logsBloom
    header.gasUsed = outcome.gasUsed
    let block = Block(header: header, transactions: transactions)
    times.root = rootStart.duration(to: clock.now).seconds

    try database.awaitRoom()
    let logStart = clock.now
    let encoded = block.encoded
    let sequence = try log!.append(.block, encoded)
    times.log = logStart.duration(to: clock.now).seconds

    try database.append(
      StoredBlock(
        block, hash: header.hash, size: encoded.count, totalDifficulty: .zero,
        senders: prepared.transactions.map(\.sender), receipts: outcome.receipts,
        envelopes: contents.envelopes, transactionHashes: contents.hashes, sequence: sequence),
      layer)
    times.commit = start.duration(to: clock.now).seconds
    times.waiting = database.pendingCount
    times.stored = database.storeTotals.blocks
    return times
  }

  /// Opens the database anew; gives the seconds until its root is known, and whether it is right.
  func reopen() throws -> (seconds: Double, isSame: Bool) {
    let root = database!.head!.header.stateRoot
    try database!.flush()
    database = nil
    log = nil
    let start = ContinuousClock.now
    let opened = try Database(folder: folder + "/state", options: options)
    log = try BlockLog(folder: folder + "/log", next: try opened.storedSequence() + 1)
    let found = try opened.snapshot().state.root()
    database = opened
    return (start.duration(to: .now).seconds, found == root)
  }

  /// The process's own memory and what it has mapped of files, in bytes.
  static func memory() -> (anonymous: Int, mapped: Int) {
    var values: [String: Int] = [:]
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    for line in status.split(separator: "\n") {
      let parts = line.split(whereSeparator: { $0 == ":" || $0 == "\t" || $0 == " " })
      if parts.count >= 2, let value = Int(parts[1]) { values[String(parts[0])] = value << 10 }
    }
    return (values["RssAnon"] ?? 0, values["RssFile"] ?? 0)
  }
}

extension Duration {
  /// The time in seconds.
  fileprivate var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
