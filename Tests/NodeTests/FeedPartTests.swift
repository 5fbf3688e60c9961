import EVM
import Ethereum
import Execution
import Foundation
import Storage
import Synchronization
import Testing

@testable import Node

/// What a sequencer says of a block while it is made.
@Suite struct FeedPartTests {
  private static func entries(_ count: Int, bytes: Int = 10) -> [FeedPart.Entry] {
    (0..<count).map { (index) -> FeedPart.Entry in
      let tail = [UInt8](repeating: 7, count: bytes)
      let envelope: [UInt8] = UInt256(UInt64(index)).bytes + tail
      return FeedPart.Entry(
        envelope: envelope, succeeded: index % 3 != 0,
        cumulativeGasUsed: UInt64(index + 1) * 21_000)
    }
  }

  private static let signer = FeedSigner(secret: UInt256(7))!

  private static func message(_ part: FeedPart) -> [UInt8] {
    FeedMessage.part(part, signature: signer.sign(part.statement, chainID: 1)).encoded
  }

  @Test func aPartIsReadAsItWasWritten() throws {
    let part = FeedPart(number: 9, parent: .emptyCode, first: 3, entries: Self.entries(5))
    guard case .part(let read, let signature) = try FeedMessage(decoding: Self.message(part)) else {
      Issue.record("it is a part")
      return
    }
    #expect(read == part)
    #expect(part.statement.signer(signature, chainID: 1) == Self.signer.address)
    // All of it is signed.
    for change in [
      { (part: inout FeedPart) in part.first += 1 }, { $0.parent = .zero }, { $0.number += 1 },
      { $0.entries[2].succeeded.toggle() }, { $0.entries[4].cumulativeGasUsed += 1 },
      { $0.entries[0].envelope[3] ^= 1 }, { $0.entries.removeLast() },
    ] {
      var other = part
      change(&other)
      #expect(other.statement.signer(signature, chainID: 1) != Self.signer.address)
    }
  }

  @Test func partsHaveLimits() {
    let many = FeedPart.parts(Self.entries(2500)[...], number: 1, parent: .zero)
    #expect(many.map(\.entries.count) == [1000, 1000, 500])
    #expect(many.map(\.first) == [0, 1000, 2000])
    let large = FeedPart.parts(Self.entries(30, bytes: 100_000)[...], number: 1, parent: .zero)
    #expect(large.count == 3 && large.flatMap(\.entries) == Self.entries(30, bytes: 100_000))
  }

  @Test func whatIsNewIsToldOnce() throws {
    let all = Self.entries(8)
    var making = BlockInMaking(number: 4, parent: .zero, id: 1)
    let sign = { Self.signer.sign($0, chainID: 1) }
    let extended = [3, 3, 8].map { making.extend(to: Array(all.prefix($0)), sign: sign) }
    #expect(extended == [true, true, true])
    #expect(making.messages.count == 2)
    guard case .part(let second, _) = try FeedMessage(decoding: making.messages[1]) else {
      Issue.record("it is a part")
      return
    }
    #expect(second.first == 3 && second.entries == Array(all[3...]))
    // Less than was said, or something else, is no continuation.
    var other = all
    other[1].cumulativeGasUsed += 1
    let refused = [Array(all.prefix(7)), other].map { making.extend(to: $0, sign: sign) }
    #expect(refused == [false, false])
    #expect(making.messages.count == 2)
  }

  @Test func aBlockIsComparedWithWhatWasSaid() throws {
    let entries = Self.entries(4)
    let hashes = entries.map { Keccak256.hash($0.envelope) }
    let receipts = entries.map {
      Receipt(
        type: .legacy, outcome: .status($0.succeeded), cumulativeGasUsed: $0.cumulativeGasUsed,
        logs: [])
    }
    func told() throws -> Preconfirmations {
      let known = Preconfirmations()
      for part in [(0, 2), (2, 4)] {
        let part = FeedPart(
          number: 7, parent: .zero, first: UInt64(part.0),
          entries: Array(entries[part.0..<part.1]))
        #expect(try known.take(part, message: Self.message(part)) == nil)
      }
      #expect(known.has(7) && !known.has(8))
      return known
    }
    #expect(try told().settle(number: 7, hashes: hashes, receipts: receipts) == nil)
    // The block may have more than was said of it.
    #expect(
      try told().settle(
        number: 7, hashes: hashes + [.zero], receipts: receipts + [receipts[0]]) == nil)
    // Of another block nothing was said.
    #expect(try told().settle(number: 8, hashes: [], receipts: []) == nil)
    var swapped = hashes
    swapped.swapAt(2, 3)
    var broken = try #require(
      try told().settle(number: 7, hashes: swapped, receipts: receipts))
    #expect(
      broken.differences == [
        BlockDifference(
          field: "preconfirmation.transaction", transaction: 2, expected: "\(hashes[2])",
          got: "\(hashes[3])")
      ])
    // The message that said so is the proof.
    guard case .part(let promise, _) = try FeedMessage(decoding: broken.promise) else {
      Issue.record("it is a part")
      return
    }
    #expect(promise.first == 2)
    broken = try #require(
      try told().settle(number: 7, hashes: Array(hashes.prefix(3)), receipts: receipts))
    #expect(broken.differences.map(\.transaction) == [3])
    var failed = receipts
    failed[1].outcome = .status(false)
    broken = try #require(try told().settle(number: 7, hashes: hashes, receipts: failed))
    #expect(broken.differences.map(\.field) == ["preconfirmation.status"])
    // What was said is forgotten with the block.
    let known = try told()
    _ = known.settle(number: 7, hashes: hashes, receipts: receipts)
    #expect(!known.has(7))
  }

  @Test func aPartThatSaysOtherwiseIsReported() throws {
    let entries = Self.entries(4)
    let known = Preconfirmations()
    func take(_ first: Int, _ entries: [FeedPart.Entry], parent: Hash256 = .zero) throws
      -> Preconfirmations.Broken?
    {
      let part = FeedPart(number: 7, parent: parent, first: UInt64(first), entries: entries)
      return try known.take(part, message: Self.message(part))
    }
    #expect(try take(0, entries) == nil)
    // The same once more, after an interruption.
    #expect(try take(0, entries) == nil)
    var other = entries
    other[2].envelope[0] ^= 1
    let broken = try #require(try take(0, other))
    #expect(broken.differences.map(\.field) == ["preconfirmation.transaction"])
    #expect(broken.differences.map(\.transaction) == [2])
    // A gap is malformed; another parent begins anew.
    #expect(throws: FormatError.self) { try take(5, entries) }
    #expect(try take(0, entries, parent: .emptyCode) == nil)
  }

  private final class Listener: PartListener {
    let heard = Mutex<[(number: UInt64, time: UInt64, hashes: [Hash256], receipts: [Receipt])]>([])
    let wantsParts = true
    func executed(
      _ header: BlockHeader, _ transactions: [PreparedTransaction], _ receipts: [Receipt]
    ) {
      heard.withLock {
        $0.append(
          (header.number, header.timestamp, transactions.map(\.transaction.hash), receipts))
      }
    }
  }

  /// What was said between two blocks is what the block has in front, whatever pays more by then.
  @Test func theBlockKeepsWhatWasSaid() throws {
    let node = try TestNode()
    node.sequencer.mode = .onDemand
    let listener = Listener()
    node.sequencer.listener.withLock { $0 = listener }
    let accounts = DevelopmentAccounts.standard.addresses
    func send(_ sender: Int, tip: UInt64) -> String {
      let answer = node.call(
        "eth_sendTransaction",
        #"[{"from":"\#(accounts[sender])","to":"\#(accounts[9])","gas":"0x5208","#
          + #""maxPriorityFeePerGas":"\#(Hexadecimal.quantity(tip))","maxFeePerGas":"0xe8d4a51000"}]"#
      )
      return String(answer.dropFirst(#"{"result":""#.count).prefix(66))
    }
    func part() { node.sequencer.queue.sync { node.sequencer.makePart(within: .seconds(60)) } }
    var sent = [send(0, tip: 10)]
    part()
    sent += [send(1, tip: 1000), send(0, tip: 500)]
    part()
    // Nothing new, nothing said.
    part()
    sent.append(send(2, tip: 5000))
    try node.sequencer.mine()
    let heard = listener.heard.withLock { $0 }
    #expect(heard.map(\.hashes.count) == [1, 3, 4])
    #expect(Set(heard.map(\.number)) == [1] && Set(heard.map(\.time)).count == 1)
    let snapshot = try node.chain.snapshot()
    let block = try #require(snapshot.body(1)).block(snapshot.head.header)
    #expect(block.header.timestamp == heard[0].time)
    let hashes = block.transactions.map { "\($0.hash)" }
    #expect(hashes == sent)
    for said in heard {
      #expect(said.hashes.map { "\($0)" } == Array(hashes.prefix(said.hashes.count)))
      #expect(said.receipts == Array(heard[2].receipts.prefix(said.receipts.count)))
    }
    // The next block begins anew.
    sent = [send(3, tip: 7)]
    part()
    try node.sequencer.mine()
    #expect(listener.heard.withLock { $0.last?.number } == 2)
  }

  /// Bytes from a stranger are refused, or mean something; they never trap.
  @Test func takesAnyBytesForAPart() throws {
    let good = Self.message(
      FeedPart(number: 9, parent: .emptyCode, first: 0, entries: Self.entries(5)))
    let seed = UInt64.random(in: .min ... .max)
    var generator = SeededGenerator(seed: seed)
    let known = Preconfirmations()
    var taken = 0
    for _ in 0..<3000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
          in: 0...255, using: &generator)
      }
      bytes.removeLast(Int.random(in: 0...bytes.count / 2, using: &generator) / 50)
      guard case .part(let part, let signature)? = try? FeedMessage(decoding: bytes) else {
        continue
      }
      taken += 1
      _ = part.statement.signer(signature, chainID: 1)
      _ = try? known.take(part, message: bytes)
    }
    #expect(taken > 0, "seed \(seed)")
  }
}
