import EVM
import Ethereum
import Foundation
import Testing

@testable import Node

/// Blob transactions as clients send them.
@Suite struct BlobSidecarTests {
  /// A transaction with a blob of zeros, whose commitment and proofs are the point at infinity.
  private func sent(
    cells: Bool, nonce: UInt64 = 0, _ change: (inout BlobSidecar.Contents) -> Void = { _ in }
  ) throws -> [UInt8] {
    let infinity = [0xC0] + [UInt8](repeating: 0, count: 47)
    var contents = BlobSidecar.Contents()
    contents.hasCells = cells
    contents.blobs = [[UInt8](repeating: 0, count: 131_072)]
    contents.commitments = [infinity]
    contents.proofs = [[UInt8]](repeating: infinity, count: cells ? 128 : 1)
    change(&contents)
    let accounts = DevelopmentAccounts.standard
    var hash = infinity.withUnsafeBufferPointer { SHA256.hash($0) }.bytes
    hash[0] = 1
    var transaction = Transaction(
      type: .blob, chainID: 1337, nonce: nonce, maxFeePerGas: UInt256(1_000_000_000_000),
      maxPriorityFeePerGas: UInt256(1_000_000_000), gasLimit: 21_000, to: accounts.addresses[1],
      value: .zero)
    transaction.maxFeePerBlobGas = UInt256(1_000_000_000)
    transaction.blobVersionedHashes = [Hash256(bytes: hash)]
    try transaction.sign(secretKey: try #require(accounts.key(of: accounts.addresses[0])))
    var encoder = RLPEncoder()
    encoder.list { encoder in
      encoder.append(encoded: Array(transaction.encoded.dropFirst()))
      if contents.hasCells { encoder.append(UInt64(1)) }
      for list in [contents.blobs, contents.commitments, contents.proofs] {
        encoder.list { encoder in for item in list { encoder.append(item) } }
      }
    }
    return [TransactionType.blob.rawValue] + encoder.bytes
  }

  private func answer(_ sent: [UInt8]) throws -> String {
    let node = try TestNode()
    switch node.service.intake.take([sent])[0] {
    case .success: return "taken"
    case .failure(let error): return error.message
    }
  }

  @Test(arguments: [true, false]) func takesBlobsWithTheirProofs(cells: Bool) throws {
    #expect(try answer(sent(cells: cells)) == "taken")
  }

  @Test(arguments: [true, false]) func refusesBlobsThatAreNotTheirCommitments(cells: Bool) throws {
    let wrong = try sent(cells: cells) { $0.blobs[0][131_071] = 1 }
    #expect(try answer(wrong).contains("proof does not hold"), "\(cells)")
    let other = try sent(cells: cells) { contents in
      // The generator of G1.
      contents.proofs[0] = Hexadecimal.bytes(
        unprefixed: "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58"
          + "6c55e83ff97a1aeffb3af00adb22c6bb")!
    }
    #expect(try answer(other).contains("proof does not hold"), "\(cells)")
  }

  @Test func refusesSidecarsOfOtherShapes() throws {
    func message(
      cells: Bool = true, _ change: (inout BlobSidecar.Contents) -> Void
    ) throws -> String { try answer(sent(cells: cells, change)) }
    #expect(try message { $0.proofs.removeLast() }.contains("127 proofs for 1 blobs"))
    #expect(try message(cells: false) { $0.proofs = [] }.contains("0 proofs"))
    #expect(try message { $0.blobs[0].removeLast() }.contains("131071 bytes"))
    #expect(try message { $0.proofs[5].removeLast() }.contains("47 bytes"))
    #expect(try message { $0.commitments = [] }.contains("as many commitments"))
    #expect(try message { $0.blobs = [] }.contains("as many commitments"))
    // With the proofs of another version.
    #expect(try message { $0.hasCells = false }.contains("128 proofs for 1 blobs"))
    let bare = try BlobSidecar.transaction(sent(cells: true)).envelope
    #expect(try answer(bare).contains("missing sidecar"))
  }
}
