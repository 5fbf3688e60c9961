import EVM
import Ethereum
import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import Node

@Suite struct IngestTests {
  private func transfers(_ count: Int, value: UInt64 = 1) throws -> [[UInt8]] {
    let accounts = DevelopmentAccounts.standard
    return try (0..<count).map { index in
      let from = accounts.addresses[index % 10]
      var transaction = Transaction(
        type: .dynamicFee, chainID: 1337, nonce: UInt64(index / 10),
        maxFeePerGas: UInt256(1_000_000_000_000), maxPriorityFeePerGas: UInt256(1_000_000_000),
        gasLimit: 21_000, to: accounts.addresses[0], value: UInt256(value))
      try transaction.sign(secretKey: try #require(accounts.key(of: from)))
      return transaction.encoded
    }
  }

  @Test func aFrameIsReadAsItWasWritten() throws {
    let batch = IngestBatch(id: 7, transactions: [[1, 2, 3], [], [4]])
    var buffer = batch.encoded
    let whole = buffer
    let read = try #require(try IngestBatch.read(&buffer, IngestBatch.Limits()))
    #expect(read.id == 7 && read.transactions == batch.transactions)
    #expect(buffer.readableBytes == 0)
    for length in 0..<whole.readableBytes {
      var part = whole.getSlice(at: 0, length: length)!
      #expect(try IngestBatch.read(&part, IngestBatch.Limits()) == nil)
    }
    var answer = IngestAcknowledgement(id: 9)
    answer.accepted = 3
    answer.refused = 1
    answer.errors = [(2, "why")]
    var bytes = answer.encoded
    #expect(IngestAcknowledgement(&bytes) == answer)
  }

  @Test(arguments: [
    [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0], [0, 0, 0, 11],
    // More transactions than the limit; than there are bytes for; with bytes after the last.
    [0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF],
    [0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9],
    [0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, 0, 0, 9],
  ])
  func refusesMalformedFrames(bytes: [UInt8]) {
    var buffer = ByteBuffer(bytes: bytes)
    #expect(throws: IngestBatch.Fault.self) {
      try IngestBatch.read(&buffer, IngestBatch.Limits())
    }
  }

  @Test func acknowledgesBatchesOverASocket() throws {
    let node = try TestNode()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    defer { try? group.syncShutdownGracefully() }
    var options = IngestServer.Options()
    options.port = 0
    let intake = node.service.intake
    let server = try IngestServer(options, group: group) { intake.takeWhenThereIsRoom($0) }
    defer { try? server.close() }
    let client = try IngestClient(port: server.port)
    var sent = try transfers(40)
    sent[3][20] ^= 1
    sent.append([0xC0])
    try client.send(IngestBatch(id: 1, transactions: sent))
    let answer = try #require(try client.receive())
    #expect(answer.id == 1 && !answer.isMalformed)
    // The broken one's sender is another, who has nothing; or its signature is none.
    #expect(answer.refused == 2 && answer.accepted == 39, "\(answer)")
    #expect(answer.errors.map(\.index).sorted() == [3, 40])
    try client.send(IngestBatch(id: 2, transactions: []))
    #expect(try client.receive()?.accepted == 0)
    // HTTP is no frame.
    try client.send([UInt8]("GET / HTTP/1.1\r\n\r\n".utf8))
    #expect(try client.receive()?.isMalformed == true)
    #expect(try client.receive() == nil)
    let again = try IngestClient(port: server.port)
    try again.send(IngestBatch(id: 3, transactions: []))
    #expect(try again.receive()?.id == 3)
  }

  /// Together or one by one, transactions are taken and refused alike.
  @Test func batchesGiveWhatSingleOnesGive() throws {
    var sent = try transfers(30)
    sent[1] = [1, 2, 3]
    sent[2][10] ^= 0xFF
    sent[5] = sent[4]
    var foreign = Transaction(
      type: .dynamicFee, chainID: 1, nonce: 0, maxFeePerGas: UInt256(1 << 40),
      maxPriorityFeePerGas: .one, gasLimit: 21_000, to: .zero, value: .zero)
    try foreign.sign(secretKey: UInt256(3))
    sent[7] = foreign.encoded
    let together = try TestNode()
    let single = try TestNode()
    together.sequencer.mode = .onDemand
    single.sequencer.mode = .onDemand
    func text(_ result: Result<Hash256, RPCError>) -> String {
      switch result {
      case .success(let hash): "\(hash)"
      case .failure(let error): "\(error.code) \(error.message)"
      }
    }
    let many = together.service.intake.take(sent).map(text)
    let each = sent.map { text(single.service.intake.take([$0])[0]) }
    #expect(many == each)
    #expect(many.filter { $0.hasPrefix("0x") }.count == 26, "\(many)")
  }

  @Test func answersABatchOfTransactionsInOrder() throws {
    let node = try TestNode()
    let sent = try transfers(12)
    let requests = sent.enumerated().map { index, raw in
      let id = index == 5 ? "" : #""id":\#(index),"#
      return #"{"jsonrpc":"2.0",\#(id)"method":"eth_sendRawTransaction","params":["#
        + "\"\(Hexadecimal.string(raw))\"]}"
    }
    let answer = node.ask(
      "[" + (requests + [#"{"id":99,"method":"eth_blockNumber"}"#]).joined(separator: ",") + "]")
    let list = try #require(
      try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [[String: Any]])
    #expect(list.compactMap { $0["id"] as? Int } == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 99])
    #expect(list[0]["result"] as? String == "\(Keccak256.hash(sent[0]))")
    // They share a block, which is there when the batch is answered.
    #expect(list.last?["result"] as? String == "0x1")
  }
}
