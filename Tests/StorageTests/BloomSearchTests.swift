import EVM
import Ethereum
import Execution
import Foundation
import Testing

@testable import Storage

/// Blocks are found by their bloom filters, wherever their headers are.
@Suite struct BloomSearchTests {
  private static func hash(_ number: UInt64) -> Hash256 { Keccak256.hash(UInt256(number)) }

  /// Blocks 1 to `count`: each has its number in its filter, every third has 999, too.
  private func grow(_ chain: ModelChain, _ database: Database, to count: UInt64) throws {
    while chain.header.number < count {
      let number = chain.header.number + 1
      var bloom = Bloom()
      bloom.insert(hash: Self.hash(number))
      if number % 3 == 0 { bloom.insert(hash: Self.hash(999)) }
      try chain.grow(database, changes: 3, bloom: bloom)
    }
  }

  private func search(_ snapshot: Snapshot, _ range: ClosedRange<UInt64>, _ number: UInt64) throws
    -> [UInt64]
  {
    let query = BloomQuery([[Self.hash(number)]])
    return try snapshot.blocks(range) { query.mayMatch($0) }
  }

  @Test func findsBlocksStoredAndWaiting() throws {
    let folder = TemporaryFolder()
    var options = Database.Options()
    options.storeDelay = 600_000
    let chain = ModelChain(seed: 31, accounts: 20)
    let database = try Database(folder: folder.path, options: options)
    try database.begin(Block(header: chain.header), chain.allocation, file: [])
    try grow(chain, database, to: 10)
    let before = try database.snapshot()
    try database.flush()
    try grow(chain, database, to: 17)
    let snapshot = try database.snapshot()
    for (snapshot, head) in [(before, UInt64(10)), (snapshot, 17)] {
      for number in 1...head {
        #expect(try search(snapshot, 1...head, number).contains(number))
        let all = try snapshot.blocks(number...head) { _ in true }
        #expect(all == Array(number...head))
        #expect(try snapshot.blocks(0...number) { _ in true } == Array(0...number))
      }
      let thirds = try search(snapshot, 0...head, 999)
      #expect(thirds.filter { $0 % 3 == 0 } == (1...head).filter { $0 % 3 == 0 })
      #expect(thirds == thirds.sorted())
      #expect(try snapshot.blocks(0...head) { _ in false } == [])
    }
  }

  @Test func aHeaderWithoutAFilterIsNamed() throws {
    let folder = TemporaryFolder()
    let chain = ModelChain(seed: 32, accounts: 5)
    let database = try Database(folder: folder.path)
    try database.begin(Block(header: chain.header), chain.allocation, file: [])
    try grow(chain, database, to: 3)
    try database.flush()
    var writer = try LMDBWriter(database.environment)
    try writer.put(.headers, Snapshot.key(2), [UInt8](repeating: 7, count: 100))
    try writer.commit()
    let error = #expect(throws: StorageError.self) {
      try database.snapshot().blocks(0...3) { _ in true }
    }
    #expect(error?.message.contains("block 2") == true)
  }
}
