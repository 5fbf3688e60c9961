import EVM
import Ethereum
import Execution
import Foundation
import Synchronization
import Testing

@testable import Storage

/// A power cut takes nothing but the commit that it caught.
@Suite struct CommitGuardTests {
  private static let other = [UInt8](repeating: 0x5A, count: 64)

  private static func key(_ index: Int) -> [UInt8] {
    withUnsafeBytes(of: index.bigEndian) { [UInt8]($0) }
  }

  private static func value(_ index: Int, _ round: Int) -> [UInt8] {
    [UInt8](repeating: UInt8(truncatingIfNeeded: index &* 7 &+ round), count: 200)
  }

  private func open(_ folder: TemporaryFolder) throws -> LMDBEnvironment {
    try FileManager.default.createDirectory(
      atPath: folder.path, withIntermediateDirectories: true)
    return try LMDBEnvironment(folder: folder.path, tableNames: Table.names, mapSize: 1 << 25)
  }

  private func write(_ round: Int, _ environment: LMDBEnvironment, inParts: Bool = false) throws {
    var writer = try LMDBWriter(environment)
    for index in 0..<5000 {
      try writer.put(.accounts, Self.key(index), Self.value(index, round))
    }
    if inParts { try writer.commitInParts() } else { try writer.commit() }
  }

  private func isAll(_ round: Int, _ environment: LMDBEnvironment) throws -> Bool {
    let reader = try LMDBReader(environment)
    return (0..<5000).allSatisfy {
      reader.get(.accounts, Self.key($0)).map { [UInt8]($0) } == Self.value($0, round)
    }
  }

  private func bytes(_ folder: TemporaryFolder) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder.path + "/data.mdb"))
  }

  /// The metas of a commit are on the disk, and none of its pages.
  @Test func aCommitThatWasCutIsTakenBack() throws {
    let folder = TemporaryFolder()
    let commit = CommitGuard(folder: folder.path)
    var before = Data()
    do {
      let environment = try open(folder)
      try write(1, environment)
      try write(2, environment)
      before = try bytes(folder)
      try commit.begin(run: Self.other)
      try write(3, environment)
      #expect(try isAll(3, environment))
    }
    let metas = try bytes(folder).prefix(8192)
    #expect(metas != before.prefix(8192))
    try (metas + before.dropFirst(8192)).write(
      to: URL(fileURLWithPath: folder.path + "/data.mdb"))
    do {
      let environment = try open(folder)
      #expect(try isAll(2, environment))
      #expect(try commit.find().0 == .nothing)
      // It goes on from there.
      try write(4, environment, inParts: true)
    }
    #expect(try isAll(4, open(folder)))
  }

  /// As long as the machine runs, nothing is lost, whatever becomes of the process.
  @Test func nothingIsTakenBackInTheSameRun() throws {
    let folder = TemporaryFolder()
    let commit = CommitGuard(folder: folder.path)
    do {
      let environment = try open(folder)
      try write(1, environment)
      try commit.begin()
      try write(2, environment)
      #expect(
        try commit.find().0 == (CommitGuard.machineRun().contains { $0 != 0 } ? .unfinished : .cut))
    }
    #expect(try isAll(2, open(folder)))
    #expect(try commit.find().0 == .nothing)
  }

  /// After a commit in parts that failed, whatever is committed next needs no guard of before.
  @Test(arguments: [false, true]) func aGuardThatStoodEndsWithTheNextCommit(inParts: Bool) throws {
    let folder = TemporaryFolder()
    let environment = try open(folder)
    try write(1, environment)
    try CommitGuard(folder: folder.path).begin(run: Self.other)
    environment.isGuarded.store(true, ordering: .relaxed)
    try write(2, environment, inParts: inParts)
    #expect(try CommitGuard(folder: folder.path).find().0 == .nothing)
    let isGuarded = environment.isGuarded.load(ordering: .relaxed)
    #expect(!isGuarded)
    #expect(try isAll(2, environment))
  }

  /// A run without a name may be another one: the metas of before are as good.
  @Test func withoutANameOfTheRunACommitIsTakenBack() throws {
    let folder = TemporaryFolder()
    let commit = CommitGuard(folder: folder.path)
    _ = try open(folder)
    try commit.begin(run: [UInt8](repeating: 0, count: 64))
    #expect(try commit.find(run: [UInt8](repeating: 0, count: 64)).0 == .cut)
  }

  @Test func aRecordThatIsNotWholeSaysNothing() throws {
    let folder = TemporaryFolder()
    let commit = CommitGuard(folder: folder.path)
    _ = try open(folder)
    #expect(try commit.find().0 == .nothing)
    try commit.begin(run: Self.other)
    #expect(try commit.find().0 == .cut)
    let url = URL(fileURLWithPath: folder.path + "/commit.guard")
    let whole = try Data(contentsOf: url)
    for place in [0, 15, 16, 79, 80, 4000, whole.count - 5, whole.count - 1] {
      var damaged = whole
      damaged[place] ^= 1
      try damaged.write(to: url)
      #expect(try commit.find().0 == .nothing, "byte \(place)")
      try whole.prefix(place).write(to: url)
      #expect(try commit.find().0 == .nothing, "\(place) bytes")
    }
    try whole.write(to: url)
    #expect(try commit.find().0 == .cut)
    try commit.end()
    #expect(try commit.find().0 == .nothing)
  }

  /// What it says decides what is opened: it is not passed over.
  @Test func aRecordThatCanNotBeReadIsAnError() throws {
    let folder = TemporaryFolder()
    _ = try open(folder)
    try FileManager.default.createDirectory(
      atPath: folder.path + "/commit.guard", withIntermediateDirectories: false)
    let error = #expect(throws: StorageError.self) { try open(folder) }
    #expect(error?.code == .unreadable && error?.message.contains("commit.guard") == true)
  }

  @Test func commitsInPartsKeepAll() throws {
    let folder = TemporaryFolder()
    do {
      let environment = try open(folder)
      for round in 0..<4 {
        try write(round, environment, inParts: true)
        #expect(try isAll(round, environment))
        #expect(try CommitGuard(folder: folder.path).find().0 == .nothing)
      }
    }
    #expect(try isAll(3, open(folder)))
  }

  /// Who only reads can take nothing back, and says so.
  @Test func aCutDatabaseIsNotReadBeforeItIsOpened() throws {
    let folder = TemporaryFolder()
    let chain = ModelChain(seed: 41, accounts: 20)
    do {
      let database = try Database(folder: folder.path)
      try database.begin(Block(header: chain.header), chain.allocation, file: [])
      try chain.grow(database, changes: 5)
      try database.flush()
      try CommitGuard(folder: folder.path).begin(run: Self.other)
    }
    let error = #expect(throws: StorageError.self) { try DatabaseFile(folder: folder.path) }
    #expect(error?.message.contains("machine went down") == true)
    do {
      let database = try Database(folder: folder.path)
      #expect(try database.snapshot().state.root() == chain.allocation.stateRoot)
    }
    #expect(try DatabaseFile(folder: folder.path).snapshot().head.hash == chain.header.hash)
  }
}
