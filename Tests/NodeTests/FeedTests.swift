import EVM
import Ethereum
import Execution
import Foundation
import NIOPosix
import Storage
import Testing

@testable import Node

/// A sequencer's chain and a follower's, which has the same genesis, without a network between.
private final class Pair {
  let sequencer: TestNode
  let follower: Blockchain
  let signer: FeedSigner
  let feed: FeedServer
  private let folder = NSTemporaryDirectory() + "needletail-follower-\(UUID().uuidString)"

  init(fault: BlockFault? = nil, recordsAccessLists: Bool = false) throws {
    sequencer = try TestNode(fault: fault, recordsAccessLists: recordsAccessLists)
    follower = try Blockchain(
      folder: folder, genesisFile: try sequencer.chain.database.genesis())
    signer = try #require(FeedSigner(secret: UInt256(7)))
    feed = FeedServer(sequencer.chain, signer: signer, threads: NIOThreadPool(numberOfThreads: 1))
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// The feed's message of a block.
  func block(_ number: UInt64) throws -> FeedBlock {
    let bytes = try #require(try feed.message(number))
    guard case .block(let block) = try FeedMessage(decoding: bytes) else {
      throw FormatError(.unexpectedKind, "it is no block")
    }
    return block
  }

  func follow(_ received: FeedBlock) throws -> Blockchain.Followed {
    let block = try Block(decoding: received.rlp)
    return try follower.follow(received, block, hash: block.hash, signer: signer.address)
  }

  /// Follows all blocks; gives the report of a wrong one.
  func followAll() throws -> DifferenceReport? {
    for number in 1...(sequencer.chain.database.head?.header.number ?? 0) {
      if case .wrong(let report) = try follow(block(number)) { return report }
    }
    return nil
  }
}

/// Code that stores calldata's second word in the slot of the first, and its creation.
private let store = "0x6660203560003555" + "5f5260076019f3"

extension TestNode {
  /// Deploys the contract that stores; gives its address.
  fileprivate func deploy() -> String {
    let from = DevelopmentAccounts.standard.addresses[0]
    let answer = call("eth_sendTransaction", #"[{"from":"\#(from)","data":"\#(store)"}]"#)
    let hash = String(answer.dropFirst(#"{"result":""#.count).prefix(66))
    let receipt = call("eth_getTransactionReceipt", "[\"\(hash)\"]")
    let range = receipt.range(of: #""contractAddress":""#)!
    return String(receipt[range.upperBound...].prefix(42))
  }

  /// One block in which accounts 1, 2 and on set these slots to these values, in this order.
  fileprivate func set(_ contract: String, _ values: [(slot: UInt64, value: UInt64)]) {
    _ = call("evm_setAutomine", "[false]")
    for (index, (slot, value)) in values.enumerated() {
      let from = DevelopmentAccounts.standard.addresses[index + 1]
      let data =
        "0x"
        + (UInt256(slot).bytes + UInt256(value).bytes).map {
          ($0 < 16 ? "0" : "") + String($0, radix: 16)
        }.joined()
      let tip = Hexadecimal.quantity(UInt64(1_000_000_000 * (20 - index)))
      let answer = call(
        "eth_sendTransaction",
        #"[{"from":"\#(from)","to":"\#(contract)","data":"\#(data)","gas":"0x186a0","#
          + #""maxPriorityFeePerGas":"\#(tip)","maxFeePerGas":"0xe8d4a51000"}]"#)
      precondition(answer.contains("result"), answer)
    }
    _ = call("evm_mine")
    _ = call("evm_setAutomine", "[true]")
  }
}

@Suite struct FeedTests {
  @Test func aFollowerComesToTheSameHead() throws {
    let pair = try Pair()
    let contract = pair.sequencer.deploy()
    pair.sequencer.set(contract, [(1, 2), (3, 4)])
    #expect(try pair.followAll() == nil)
    #expect(pair.follower.database.head?.hash == pair.sequencer.chain.database.head?.hash)
    // What is known is known, and what is missing is missing.
    guard case .known = try pair.follow(pair.block(1)) else {
      Issue.record("block 1 came twice")
      return
    }
    _ = pair.sequencer.call("evm_mine")
    _ = pair.sequencer.call("evm_mine")
    guard case .gap = try pair.follow(pair.block(4)) else {
      Issue.record("block 3 is missing")
      return
    }
  }

  @Test func theFeedOfStoredBlocksIsThatOfNewOnes() throws {
    let pair = try Pair()
    let contract = pair.sequencer.deploy()
    pair.sequencer.set(contract, [(1, 2), (3, 4)])
    let new = try (1...2).map { try pair.block(UInt64($0)) }
    for _ in 0..<40 { pair.sequencer.set(contract, [(1, UInt64.random(in: 1...100))]) }
    try pair.sequencer.chain.database.flush()
    let stored = FeedServer(
      pair.sequencer.chain, signer: pair.signer, threads: NIOThreadPool(numberOfThreads: 1))
    for number in 1...2 {
      guard
        case .block(let block) = try FeedMessage(
          decoding: try #require(try stored.message(UInt64(number))))
      else {
        Issue.record("no block")
        return
      }
      #expect(block == new[number - 1])
      #expect(!block.changes.isEmpty)
    }
  }

  @Test func namesTheTransactionThatWroteAWrongValue() throws {
    let pair = try Pair(fault: BlockFault("storage:2:5"))
    let contract = pair.sequencer.deploy()
    pair.sequencer.set(contract, [(4, 1), (5, 1), (6, 1), (5, 2), (7, 1)])
    let report = try #require(try pair.followAll())
    #expect(report.kind == .difference && report.number == 2)
    #expect(report.transactionIndex == 3)
    let first = try #require(report.differences.first)
    #expect(first.field == "storage" && first.slot == UInt256(5))
    #expect(first.address?.description == contract)
    #expect(first.expected == "0x2" && first.got == "\(UInt256(2 ^ 0xBAD))")
    #expect(report.differences.map(\.field) == ["storage", "header.stateRoot"])
    #expect(pair.follower.database.head?.header.number == 1)
    // It is a JSON object.
    let object = try JSONSerialization.jsonObject(with: Data(report.json)) as? [String: Any]
    #expect((object?["transaction"] as? [String: Any])?["index"] as? Int == 3)
  }

  /// A list of what every transaction changed tells even which of several writers was wrong.
  @Test func namesTheFirstOfSeveralByTheAccessList() throws {
    let pair = try Pair(fault: BlockFault("storage:2:5"), recordsAccessLists: true)
    let contract = pair.sequencer.deploy()
    pair.sequencer.set(contract, [(4, 1), (5, 1), (6, 1), (5, 2)])
    _ = try pair.follow(pair.block(1))
    var received = try pair.block(2)
    // As if the second transaction had stored 9, on which the fourth wrote.
    let list = try BlockAccessList(decoding: received.accessList)
    var accounts = list.accountChanges
    for account in accounts.indices {
      for slot in accounts[account].storageChanges.indices
      where accounts[account].storageChanges[slot].slot == UInt256(5) {
        accounts[account].storageChanges[slot].changes[0].value = UInt256(9)
      }
    }
    received.accessList = BlockAccessList(accounts).encoded
    guard case .wrong(let report) = try pair.follow(received) else {
      Issue.record("it is wrong")
      return
    }
    #expect(report.transactionIndex == 1)
    #expect(report.differences.first?.got == "0x9")
  }

  @Test func namesTheReceiptThatDiffers() throws {
    let pair = try Pair()
    let from = DevelopmentAccounts.standard.addresses[0]
    for _ in 0..<3 {
      _ = pair.sequencer.call("eth_sendTransaction", #"[{"from":"\#(from)","to":"\#(from)"}]"#)
    }
    var received = try pair.block(1)
    var block = try Block(decoding: received.rlp)
    var receipts = try FeedBlock.receipts(received.receipts)
    receipts[0].outcome = .status(false)
    var outcome = BlockOutcome()
    outcome.receipts = receipts
    block.header.receiptsRoot = outcome.receiptsRoot
    received.rlp = block.encoded
    var encoder = RLPEncoder()
    encoder.list { encoder in
      encoder.list { encoder in
        encoder.append(UInt64(receipts[0].type.rawValue))
        encoder.append(UInt64(0))
        encoder.append(receipts[0].cumulativeGasUsed)
        encoder.list { _ in }
      }
    }
    received.receipts = encoder.bytes
    guard case .wrong(let report) = try pair.follow(received) else {
      Issue.record("it is wrong")
      return
    }
    #expect(report.differences.first?.field == "receipt.status")
    #expect(report.transactionIndex == 0)
    #expect(report.differences.first?.expected == "0x1" && report.differences.first?.got == "0x0")
  }

  @Test func twoBlocksOfOneNumberAreEquivocation() throws {
    let pair = try Pair()
    let answer = pair.sequencer.call("evm_snapshot")
    let snapshot = try #require(answer.split(separator: "\"").dropFirst(3).first)
    _ = pair.sequencer.call("evm_mine")
    _ = try pair.followAll()
    #expect(
      pair.sequencer.call("evm_revert", "[\"\(snapshot)\"]") == #"{"result":true}"#)
    _ = pair.sequencer.call("evm_increaseTime", "[100]")
    _ = pair.sequencer.call("evm_mine")
    let other = FeedServer(
      pair.sequencer.chain, signer: pair.signer, threads: NIOThreadPool(numberOfThreads: 1))
    guard
      case .block(let received) = try FeedMessage(
        decoding: try #require(try other.message(1))),
      case .wrong(let report) = try pair.follow(received)
    else {
      Issue.record("it is wrong")
      return
    }
    #expect(report.kind == .equivocation)
  }

  @Test func signaturesAreOfOneChainOneKindAndOneBlock() throws {
    let signer = try #require(FeedSigner(secret: UInt256(5)))
    let statement = FeedStatement(kind: .block, number: 3, hash: .emptyCode)
    let signature = signer.sign(statement, chainID: 1)
    #expect(statement.signer(signature, chainID: 1) == signer.address)
    #expect(statement.signer(signature, chainID: 2) != signer.address)
    var other = statement
    other.kind = .rewind
    #expect(other.signer(signature, chainID: 1) != signer.address)
    other = statement
    other.number = 4
    #expect(other.signer(signature, chainID: 1) != signer.address)
    #expect(statement.signer([], chainID: 1) == nil)
    #expect(statement.signer(signature.dropLast() + [2], chainID: 1) == nil)
  }

  /// Bytes from a stranger are refused, or mean something; they never trap.
  @Test func takesAnyBytesForAMessage() throws {
    let pair = try Pair(recordsAccessLists: true)
    let contract = pair.sequencer.deploy()
    pair.sequencer.set(contract, [(1, 2), (3, 4)])
    _ = try pair.followAll()
    _ = pair.sequencer.call("evm_mine")
    let good = try [pair.feed.hello(), #require(try pair.feed.message(2))]
    var random = SystemRandomNumberGenerator()
    let seed = random.next()
    var generator = SeededGenerator(seed: seed)
    for index in 0..<3000 {
      var bytes = good[index % 2]
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
          in: 0...255, using: &generator)
      }
      if index % 5 == 0 {
        bytes = [UInt8](bytes.prefix(Int.random(in: 0...bytes.count, using: &generator)))
      }
      guard case .block(let received)? = try? FeedMessage(decoding: bytes) else { continue }
      _ = try? FeedBlock.receipts(received.receipts)
      guard let block = try? Block(decoding: received.rlp) else { continue }
      _ = try? pair.follower.follow(
        received, block, hash: block.hash, signer: pair.signer.address)
    }
    #expect(pair.follower.database.head?.header.number == 2, "seed \(seed)")
  }
}

/// The same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}

@Suite struct NodeAddressTests {
  @Test func readsAddresses() throws {
    let plain = try #require(NodeAddress("ws://10.0.0.1:8545", path: "/feed"))
    #expect(plain.host == "10.0.0.1" && plain.port == 8545 && plain.path == "/feed")
    let full = try #require(NodeAddress("http://[::1]:99/other?x=1", path: "/feed"))
    #expect(full.host == "::1" && full.port == 99 && full.path == "/other?x=1")
    #expect(NodeAddress("ws://host", path: "/")?.port == 80)
    for wrong in ["", "host:1", "wss://host:1", "ws://", "ws://host:x", "ws://host:70000"] {
      #expect(NodeAddress(wrong, path: "/") == nil, "\(wrong)")
    }
  }
}
