import ArgumentParser
import Ethereum
import Execution
import Foundation
import Node
import Storage

/// A chain's folder, looked at and kept.
struct DatabaseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "db",
    abstract: "Check, copy, export and import a chain's folder.",
    discussion: """
      `stat`, `check`, `backup` and `export` also work while a node runs on the folder; `restore` and \
      `import` write a folder that no node has open.

        needletail db stat --datadir my-chain
        needletail db backup --datadir my-chain --to backup
        needletail db export --datadir my-chain --to chain.rlp
      """,
    subcommands: [
      DatabaseStatCommand.self, DatabaseCheckCommand.self, DatabaseBackupCommand.self,
      DatabaseRestoreCommand.self, DatabaseExportCommand.self, DatabaseImportCommand.self,
    ])
}

/// Runs a command's work; what storage finds wrong is bad input.
private func reporting(_ body: () throws -> Void) throws {
  do { try body() } catch let error as StorageError {
    Terminal.clearProgress()
    Terminal.note("needletail: \(error)")
    throw ExitCode(2)
  } catch let error as BlockError {
    Terminal.clearProgress()
    Terminal.note("needletail: \(error)")
    throw ExitCode(1)
  }
}

struct DatabaseStatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stat", abstract: "Show what a chain's folder has, by table.")

  @Option(help: "The folder of the chain.") var datadir: String
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    try reporting {
      let file = try DatabaseFile(folder: datadir + "/state")
      let head = try file.snapshot().head
      let (tables, bytes) = try file.statistics()
      let log = try BlockLog.inspect(folder: datadir + "/log")
      let stored = try file.storedSequence()
      if json {
        var writer = JSONWriter(isPretty: true)
        writer.object { writer in
          writer.member("head", head.header.number)
          writer.member("hash", head.hash)
          writer.member("bytes", bytes)
          writer.key("tables")
          writer.object { writer in
            for table in tables {
              writer.key(table.name)
              writer.object { writer in
                writer.member("entries", table.entries)
                writer.member("bytes", table.bytes)
              }
            }
          }
          writer.key("log")
          writer.object { writer in
            writer.member("entries", log.count)
            writer.member("first", log.first)
            writer.member("last", log.last)
            writer.member("stored", stored)
            writer.member("files", log.files.count)
          }
        }
        print(writer.text)
        return
      }
      var table = TextTable([("table", .left), ("entries", .right), ("MiB", .right)])
      for row in tables {
        table.add([
          row.name, "\(row.entries)", String(format: "%.1f", Double(row.bytes) / 1_048_576),
        ])
      }
      for line in table.lines { print(line) }
      print("  head \(head.header.number), \(head.hash); \(bytes >> 20) MiB of the file are in use")
      print(
        "  block log: \(log.count) entries in \(log.files.count) files, the last is \(log.last), "
          + "\(stored) is stored")
    }
  }
}

struct DatabaseCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Compare everything that a chain's folder says: roots, indexes, checksums.",
    discussion: """
      Works all tries out anew from the accounts and slots, compares each stored row, each block's \
      transactions and receipts with its header, the indexes with the blocks, and the checksums of \
      the block log. Exit status 1 and the first damage of each kind where something does not fit.
      """)

  @Option(help: "The folder of the chain.") var datadir: String
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    var report = DatabaseCheck.Report()
    try reporting {
      let file = try DatabaseFile(folder: datadir + "/state")
      let check = DatabaseCheck(try file.snapshot()) {
        Terminal.progress(done: $0, of: $1, $2)
      }
      try check.run(into: &report)
      Terminal.clearProgress()
      if let fault = try genesisFault(file) { report.faults.append(fault) }
      let log = try BlockLog.inspect(folder: datadir + "/log")
      report.logEntries = log.count
      let stored = try file.storedSequence()
      report.logEntriesAhead = log.last > stored ? Int(log.last - stored) : 0
      if let fault = log.fault { report.faults.append("block log: \(fault)") }
      if log.count > 0, log.first > stored + 1 {
        report.faults.append(
          "block log: it begins with entry \(log.first); the database has only \(stored)")
      }
      if log.lacksEntries(after: stored) {
        report.faults.append(
          "block log: entries \(log.last + 1) to \(log.lastWhole) were whole once, and are neither in "
            + "it nor in the database")
      } else if log.tornBytes > 0 {
        Terminal.note(
          "needletail: the block log ends with \(log.tornBytes) bytes of an unfinished entry, which "
            + "the next start cuts off")
      }
    }
    if json {
      var writer = JSONWriter(isPretty: true)
      writer.object { writer in
        writer.member("blocks", report.blocks)
        writer.member("transactions", report.transactions)
        writer.member("accounts", report.accounts)
        writer.member("slots", report.slots)
        writer.member("logEntries", report.logEntries)
        writer.member("logEntriesAhead", report.logEntriesAhead)
        writer.key("faults")
        writer.array { writer in
          for fault in report.faults { writer.value(fault) }
        }
      }
      print(writer.text)
    } else {
      for fault in report.faults { print("damage: \(fault)") }
      print(
        "\(report.blocks) blocks with \(report.transactions) transactions, \(report.accounts) accounts, "
          + "\(report.slots) slots, \(report.logEntries) log entries "
          + "(\(report.logEntriesAhead) not stored yet): "
          + (report.faults.isEmpty ? "all is well" : "\(report.faults.count) faults"))
    }
    if !report.faults.isEmpty { throw ExitCode(1) }
  }

  /// What is wrong with the genesis file, without which no node starts.
  private func genesisFault(_ file: DatabaseFile) throws -> String? {
    guard let contents = try file.genesis() else { return "the genesis file is missing" }
    let first = try file.snapshot().header(0)?.hash
    do throws(FormatError) {
      let given = try Genesis(FileBytes(copying: contents, path: "genesis file")).hash
      if given == first { return nil }
      return "the genesis file gives \(given), block 0 is \(first.map { "\($0)" } ?? "missing")"
    } catch { return "\(error)" }
  }
}

struct DatabaseBackupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copy a chain's folder, also of a running node, into a new one.")

  @Option(help: "The folder of the chain.") var datadir: String
  @Option(help: "The folder of the copy, which must not exist or be empty.") var to: String

  func run() throws {
    try reporting {
      let head = try ChainCopy.copy(datadir, to: to)
      print("\(to): the chain up to block \(head), with the block log")
    }
  }
}

struct DatabaseRestoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Make a chain's folder of a backup.",
    discussion: "The backup stays. What its block log has beyond its database is applied.")

  @Option(help: "The folder of the backup.") var from: String
  @Option(help: "The folder of the chain, which must not exist or be empty.") var datadir: String

  func run() throws {
    try reporting {
      _ = try ChainCopy.copy(from, to: datadir)
      let chain = try Blockchain(folder: datadir, genesisFile: nil)
      for notice in chain.notices { Terminal.note("needletail: \(notice)") }
      try chain.close()
      guard let head = chain.database.head else { return }
      print("\(datadir): the chain up to block \(head.header.number), \(head.hash)")
    }
  }
}

struct DatabaseExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write blocks into a file, one after the other in RLP.",
    discussion: "`needletail db import`, `geth import` and `needletail node --import` read it.")

  @Option(help: "The folder of the chain.") var datadir: String
  @Option(help: "The file, or - for standard output.") var to: String
  @Option(help: "The first block.") var first: UInt64 = 1
  @Option(help: "The last block; the newest one that is stored, without it.") var last: UInt64?

  func run() throws {
    try reporting {
      let snapshot = try DatabaseFile(folder: datadir + "/state").snapshot()
      let head = snapshot.head.header.number
      let end = last ?? head
      guard end <= head else {
        throw ValidationError("--last: the newest block that is stored is \(head)")
      }
      // A chain that has only begun gives an empty file.
      guard first <= max(end, 1) else {
        throw ValidationError("--first: block \(first) is after the last one, \(end)")
      }
      let file = try OutputFile(path: to)
      var count = 0
      var number = first
      while number <= end {
        guard let header = try snapshot.header(number), let body = snapshot.body(number) else {
          throw StorageError(.corrupt, "database: block \(number) is missing")
        }
        try file.write(try body.block(header.header).encoded)
        count += 1
        number += 1
      }
      try file.finish()
      Terminal.note("\(count) blocks, \(first) to \(end)")
    }
  }
}

struct DatabaseImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Execute and store the blocks of a file.",
    discussion: "Blocks that the chain has are left out. A new chain needs its genesis file.")

  @Option(help: "The folder of the chain.") var datadir: String
  @Option(help: "The genesis file of a new chain.") var genesis: String?
  @Argument(help: "The file: blocks in RLP, one after the other.") var file: String

  func run() throws {
    try reporting {
      if genesis == nil, !FileManager.default.fileExists(atPath: datadir + "/state/data.mdb") {
        throw ValidationError("\(datadir) has no chain yet: name its genesis file with --genesis")
      }
      let genesisFile = try genesis.map { try ChainFile.genesis($0) }
      let chain = try Blockchain(folder: datadir, genesisFile: genesisFile)
      for notice in chain.notices { Terminal.note("needletail: \(notice)") }
      let count = try ChainFile.importBlocks(file, into: chain)
      try chain.close()
      print("\(count) blocks imported; the head is \(chain.database.head?.header.number ?? 0)")
    }
  }
}

/// Copies of a chain's folder.
private enum ChainCopy {
  /// Copies database and block log; gives the number of the head in the database.
  static func copy(_ source: String, to target: String) throws -> UInt64 {
    let files = FileManager.default
    if let found = try? files.contentsOfDirectory(atPath: target), !found.isEmpty {
      throw ValidationError("\(target) is not empty")
    }
    // Before anything is made.
    _ = try DatabaseFile(folder: source + "/state")
    // A node that stores blocks meanwhile may take log files away that the copy of the database still
    // needs: then once more.
    for attempt in 1...5 {
      try? files.removeItem(atPath: target + "/state")
      try? files.removeItem(atPath: target + "/log")
      try NewFolder.make(target + "/state")
      try NewFolder.make(target + "/log")
      try DatabaseFile(folder: source + "/state").copy(to: target + "/state")
      let damaged: BlockLog.Contents
      do {
        damaged = try BlockLog.inspect(folder: source + "/log")
        for path in damaged.files {
          let name = URL(fileURLWithPath: path).lastPathComponent
          try files.copyItem(atPath: path, toPath: target + "/log/" + name)
        }
      } catch  where attempt < 5 { continue }
      let copy = try DatabaseFile(folder: target + "/state")
      let log = try BlockLog.inspect(folder: target + "/log")
      let stored = try copy.storedSequence()
      if log.count > 0, log.first > stored + 1 { continue }
      if damaged.lacksEntries(after: stored) {
        throw StorageError(
          .corrupt,
          "\(source)/log: entries \(damaged.last + 1) to \(damaged.lastWhole) were whole once, and are "
            + "neither in it nor in the database: see `needletail db check`")
      }
      if let genesis = try? Data(contentsOf: URL(fileURLWithPath: source + "/genesis.json")) {
        try genesis.write(to: URL(fileURLWithPath: target + "/genesis.json"))
      }
      return try copy.snapshot().head.header.number
    }
    throw StorageError(
      .unavailable, "\(source): the node takes its log files away too fast; try again")
  }
}
