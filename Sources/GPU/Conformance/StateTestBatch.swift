import EVM
import Ethereum
import Execution

/// The cases of many tests under one fork: each test a world of one image, each case a row of one
/// batch.
struct StateTestBatch {
  let fork: Fork
  private(set) var batch = TransactionBatch()
  private var worlds: [Allocation] = []

  init(fork: Fork) { self.fork = fork }

  /// The worlds of all tests, in the tables that lanes read. No code is translated: each is used but
  /// once or twice.
  func image() -> StateImage { StateImage(worlds, fork: fork, translation: .never) }

  /// Adds those of a test's cases that are of this fork and have a transaction.
  mutating func append(_ given: inout StateTestCases.Test) {
    var environment: UInt32?
    for index in given.cases.indices where given.cases[index].fork == fork {
      guard let transaction = given.cases[index].transaction else { continue }
      let number = environment ?? append(given.test)
      environment = number
      given.cases[index].row = batch.count
      transaction.withMessage {
        batch.append($0, environment: number, world: UInt32(worlds.count - 1))
      }
    }
  }

  /// Adds a test's world and its block; gives the block's number.
  private mutating func append(_ test: StateTest) -> UInt32 {
    worlds.append(test.pre)
    let block = StateTestRunner.block(test, fork)
    var hashes = block.blockHashes
    // All that BLOCKHASH can ask for: those of the 256 blocks before.
    let number = block.environment.number
    for older in number - min(number, 256)..<number where hashes[older] == nil {
      hashes[older] = StateTestRunner.blockHash(older)
    }
    return batch.append(
      block.environment, blobsAvailable: block.maxBlobs, blockHashes: hashes)
  }
}
