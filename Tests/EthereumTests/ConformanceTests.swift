import EVM
import Ethereum
import TestSupport
import Testing

/// The public suites of formats: RLP, tries, transactions, and what every other fixture says of
/// roots, hashes and senders. Counts are compared, so that a suite can not shrink unnoticed.
@Suite(.enabled(if: Fixtures.has(""), Fixtures.missing))
struct ConformanceTests {
  @Test func encodingsOfTheRLPTests() throws {
    var count = 0
    for file in Fixtures.files("ethereum-tests/RLPTests") {
      for test in try RLPTest.cases(path: file) {
        count += 1
        let decoded = try? RLP(decoding: test.encoding)
        switch test.expectation {
        case .invalid: #expect(decoded == nil, "\(test.name)")
        case .valid: #expect(decoded?.encoded == test.encoding, "\(test.name)")
        case .tree(let tree):
          #expect(decoded == tree, "\(test.name)")
          #expect(tree.encoded == test.encoding, "\(test.name)")
        }
      }
    }
    #expect(count >= 55)
    print("RLPTests: \(count) cases")
  }

  @Test func rootsOfTheTrieTests() throws {
    var count = 0
    for file in Fixtures.files("ethereum-tests/TrieTests")
    where !file.hasSuffix("trietestnextprev.json") {
      for test in try TrieTest.cases(path: file) {
        count += 1
        let isSecure = file.contains("secure") || file.contains("Secure")
        #expect(test.computedRoot(isSecure: isSecure) == test.root, "\(test.name)")
      }
    }
    #expect(count >= 25)
    print("TrieTests: \(count) cases")
  }

  /// The neighbours of a key in the sorted set.
  @Test func neighboursOfTheTrieTests() throws {
    let file = Fixtures.files("ethereum-tests/TrieTests").first {
      $0.hasSuffix("trietestnextprev.json")
    }
    let bytes = try FileBytes(path: try #require(file))
    var cursor = JSONCursor(bytes.buffer)
    var count = 0
    try cursor.forEachKey { (cursor, _) throws(FormatError) in
      var trie = MerklePatriciaTrie()
      var tests: [[[UInt8]]] = []
      try cursor.forEachKey { (cursor, key) throws(FormatError) in
        if key == "in" {
          for key in try cursor.array({ (cursor) throws(FormatError) in try cursor.string().bytes })
          {
            trie.insert(key: key, value: [1])
          }
        } else {
          tests = try cursor.array { (cursor) throws(FormatError) in
            try cursor.array { (cursor) throws(FormatError) in try cursor.string().bytes }
          }
        }
      }
      let keys = trie.sortedEntries.map(\.key)
      for test in tests {
        count += 1
        #expect((keys.last { $0.lexicographicallyPrecedes(test[0]) } ?? []) == test[1])
        #expect((keys.first { test[0].lexicographicallyPrecedes($0) } ?? []) == test[2])
      }
    }
    #expect(count == 12)
  }

  /// Everything but gas and the sender's account, which need the machine's rules.
  @Test func bytesAndSignaturesOfTheTransactionTests() throws {
    let later: Set = [
      "INTRINSIC_GAS_TOO_LOW", "INITCODE_SIZE_EXCEEDED", "NONCE_TOO_BIG",
      "GASLIMIT_PRICE_PRODUCT_OVERFLOW",
    ]
    var count = 0
    for file in Fixtures.files("ethereum-tests/TransactionTests") {
      for test in try TransactionTest.cases(path: file) {
        for (fork, result) in test.results {
          count += 1
          do throws(FormatError) {
            let transaction = try Transaction(decoding: test.transactionBytes, fork: fork)
            let sender = try transaction.recoverSender(fork: fork, chainID: 1)
            switch result {
            case .valid(let hash, let expected, _):
              #expect(transaction.hash == hash, "\(test.name) \(fork)")
              #expect(sender == expected, "\(test.name) \(fork)")
              #expect(transaction.encoded == test.transactionBytes)
            case .exception(let names):
              let short = names.compactMap { $0.split(separator: ".").last.map(String.init) }
              #expect(!later.isDisjoint(with: short), "\(test.name) \(fork): \(names)")
            }
          } catch {
            guard case .exception(let names) = result else {
              Issue.record("\(test.name) \(fork): \(error)")
              continue
            }
            #expect(
              test.expects(error, exceptions: names, fork: fork),
              "\(test.name) \(fork): \(error.code) \(error), expected \(names)")
          }
        }
      }
    }
    #expect(count >= 1830)
    print("TransactionTests: \(count) results")
  }

  @Test func rootsAndSendersOfTheStateTests() throws {
    var count = 0
    for file in Fixtures.files("eest/state_tests") {
      var reader = try FixtureReader<StateTest>(path: file, options: .init())
      while let test = try reader.next() {
        #expect(test.unknownForks.isEmpty)
        for (fork, posts) in test.post {
          for post in posts {
            count += 1
            if let state = post.state { #expect(state.stateRoot == post.stateRoot, "\(test.name)") }
            guard let bytes = post.transactionBytes else { continue }
            do throws(FormatError) {
              let transaction = try Transaction(decoding: bytes)
              #expect(transaction.encoded == bytes, "\(test.name)")
              var form = try test.transaction.transaction(at: post.indexes)
              form.chainID = transaction.chainID
              // Signing is deterministic (RFC 6979), so that the fixture's signature is ours.
              if let key = test.transaction.secretKey { try form.sign(secretKey: key) }
              #expect(form == transaction, "\(test.name)")
              #expect(
                try transaction.recoverSender(requiresLowS: fork >= .homestead)
                  == test.transaction.sender, "\(test.name)")
            } catch {
              let names = error.testNames.map { "TransactionException." + $0 }
              #expect(
                !Set(names).isDisjoint(with: post.expectedExceptions), "\(test.name): \(error)")
            }
          }
        }
      }
    }
    #expect(count >= 23_365)
    print("state tests: \(count) posts")
  }

  @Test(arguments: [("eest/blockchain_tests", 2000), ("eest/amsterdam_devnet", 1038)])
  func rootsAndHashesOfTheBlockchainTests(_ folder: String, _ least: Int) throws {
    var count = 0
    for file in Fixtures.files(folder) {
      var reader = try FixtureReader<BlockchainTest>(path: file)
      while let test = try reader.next() {
        count += 1
        #expect(test.schedule != nil, "\(test.network)")
        #expect(test.genesisHeader.hash == test.genesisHash, "\(test.name)")
        #expect(test.pre.stateRoot == test.genesisHeader.stateRoot, "\(test.name)")
        if let bytes = test.genesisRLP {
          #expect(try Block(decoding: bytes).header == test.genesisHeader, "\(test.name)")
        }
        for testBlock in test.blocks {
          let block = try Block(decoding: testBlock.rlp)
          #expect(block.encoded == testBlock.rlp, "\(test.name)")
          #expect(block.hash == testBlock.hash, "\(test.name)")
          guard testBlock.isValid else { continue }
          #expect(
            MerklePatriciaTrie.orderedRoot(block.transactions.map(\.encoded))
              == block.header.transactionsRoot, "\(test.name)")
          if let withdrawals = block.withdrawals {
            #expect(
              MerklePatriciaTrie.orderedRoot(withdrawals.map(\.encoded))
                == block.header.withdrawalsRoot, "\(test.name)")
          }
        }
      }
    }
    #expect(count >= least)
    print("\(folder): \(count) tests")
  }

  @Test func hashesAndSendersOfMainNetworkBlocks() throws {
    var count = 0
    for name in Fixtures.names("mainnet-blocks") where UInt64(name) != nil {
      count += 1
      let folder = Fixtures.folder.path + "/mainnet-blocks/" + name
      let block = try MainnetBlock(folder: folder)
      let header = block.block.header
      #expect(header.hash == block.hash, "\(name)")
      #expect(
        MerklePatriciaTrie.orderedRoot(block.block.transactions.map(\.encoded))
          == header.transactionsRoot, "\(name)")
      let fork = ForkSchedule.mainnet.fork(number: header.number, timestamp: header.timestamp)
      for (index, transaction) in block.block.transactions.enumerated() {
        #expect(transaction.hash == block.transactionHashes[index], "\(name) \(index)")
        #expect(
          try transaction.recoverSender(fork: fork, chainID: 1) == block.senders[index],
          "\(name) \(index)")
      }
    }
    #expect(count == 51)
  }

  @Test func theGenesisOfTheRPCTestsIsTheFirstBlocksParent() throws {
    let folder = Fixtures.folder.path + "/execution-apis/tests"
    let genesis = try Genesis(path: folder + "/genesis.json")
    let chain = try FileBytes(path: folder + "/chain.rlp")
    var blocks = RLPReader(chain.buffer)
    var parent = genesis.hash
    var count = 0
    while !blocks.isAtEnd {
      let item = try blocks.next("block")
      let block = try Block(item)
      #expect(block.header.parentHash == parent)
      #expect(block.encoded == [UInt8](item.encoding))
      #expect(
        genesis.schedule.fork(number: block.header.number, timestamp: block.header.timestamp)
          > .frontier || block.header.number < 3)
      parent = block.hash
      count += 1
    }
    #expect(count == 54)
  }
}
