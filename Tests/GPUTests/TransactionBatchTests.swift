import EVM
import Ethereum
import Execution
import Kernels
import Testing

@testable import GPU

/// The columns of a batch, and the blocks of a state image.
@Suite struct TransactionBatchTests {
  private static func message() -> TransactionMessage {
    TransactionMessage(sender: .zero, recipient: .zero, gasLimit: 1)
  }

  /// Rows with `data` bytes of data each; nothing for 0.
  private static func batch(_ data: [Int]) -> TransactionBatch {
    var batch = TransactionBatch()
    let environment = batch.append(BlockEnvironment())
    for (index, count) in data.enumerated() {
      [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: count).withUnsafeBufferPointer {
        var message = message()
        message.data = $0
        batch.append(message, environment: environment)
      }
    }
    return batch
  }

  @Test func theBytesOfARangeAreThoseOfItsRows() {
    let batch = Self.batch([3, 0, 0, 9, 8, 0, 1, 0])
    batch.withColumns { columns in
      // 3, then 5 to align; 9 and 7; 8; 1.
      #expect(columns.bytes.count == 33)
      #expect(columns.byteRange(0..<8) == 0..<33)
      #expect(columns.byteRange(0..<1) == 0..<8)
      #expect(columns.byteRange(1..<3).isEmpty)
      #expect(columns.byteRange(1..<4) == 8..<24)
      #expect(columns.byteRange(4..<6) == 24..<32)
      #expect(columns.byteRange(6..<7) == 32..<33)
      #expect(columns.byteRange(7..<8).isEmpty)
      #expect(columns.byteRange(8..<8).isEmpty)
      // Whatever is cut, each row's lists are in its part.
      for first in 0..<8 {
        for last in first..<8 {
          let part = columns.byteRange(first..<last + 1)
          for row in columns.rows[first...last] where row.data.count > 0 {
            #expect(part.contains(Int(row.data.offset)))
            #expect(part.upperBound >= Int(row.data.offset) + Int(row.data.count))
          }
          #expect(part.isEmpty || part.lowerBound % 8 == 0)
        }
      }
    }
  }

  @Test func manyRowsWithoutListsHaveNoBytes() {
    let batch = Self.batch([Int](repeating: 0, count: 300_000))
    batch.withColumns { columns in
      #expect(columns.byteRange(0..<100_000) == 0..<0)
      #expect(columns.byteRange(100_000..<300_000) == 0..<0)
    }
  }

  @Test func listsComeInTheOrderOfTheirRanges() {
    var batch = TransactionBatch()
    let environment = batch.append(BlockEnvironment())
    let authorizations = [
      AuthorizationItem(chainID: 0, address: .zero, nonce: 0, authority: .zero, isValid: true)
    ]
    let hashes = [Hash256(7)]
    authorizations.withUnsafeBufferPointer { authorizations in
      hashes.withUnsafeBufferPointer { hashes in
        var message = Self.message()
        message.authorizations = authorizations
        batch.append(message, environment: environment)
        message = Self.message()
        message.blobHashes = hashes
        batch.append(message, environment: environment)
      }
    }
    batch.withColumns { columns in
      let stride = MemoryLayout<AuthorizationItem>.stride
      #expect(columns.byteRange(0..<1) == 0..<stride)
      #expect(columns.byteRange(1..<2) == stride..<stride + 32)
    }
  }

  @Test func blocksHaveTheirHashes() {
    var batch = TransactionBatch()
    #expect(batch.append(BlockEnvironment(number: 5), blockHashes: [3: .zero, 4: Hash256(4)]) == 0)
    #expect(batch.append(BlockEnvironment(number: 9), blobsAvailable: 3) == 1)
    let last = BlockEnvironment(number: 7, gasLimit: 8)
    #expect(batch.append(last, blockHashes: [6: Hash256(6)]) == 2)
    batch.withColumns { columns in
      #expect(columns.environments.map(\.firstHash) == [0, 2, 2])
      #expect(columns.environments.map(\.hashCount) == [2, 0, 1])
      #expect(columns.environments.map(\.blobsAvailable) == [.max, 3, .max])
      #expect(columns.environments[2].gasAvailable == 8)
      #expect(columns.hashes.map(\.number) == [3, 4, 6])
      #expect(columns.hashes.map(\.hash) == [.zero, Hash256(4), Hash256(6)])
    }
  }

  @Test func anImageHasEachCodeOnce() {
    let code = [UInt8](repeating: 0x5b, count: 100)
    func world(_ count: UInt64) -> Allocation {
      var allocation = Allocation()
      for index in 0..<count {
        allocation.accounts[Address(number: 100 + index)] = .init(
          nonce: index, code: code, storage: [1: 2, 3: 0])
      }
      return allocation
    }
    let small = StateImage([world(1)], fork: .osaka)
    let large = StateImage([world(10), world(20)], fork: .osaka)
    #expect(large.accountCount == 30 && large.slotCount == 30)
    #expect(large.codeBlockBytes == small.codeBlockBytes)
    #expect(large.accounts.count == 64)
    let plain = StateImage([world(1)], fork: .osaka, translation: .never)
    #expect(plain.codeBlockBytes < small.codeBlockBytes)
    #expect(plain.byteCount < large.byteCount)
  }

  /// A copy of the code for another address points to that address, not to where it was written.
  @Test func codeIsWrittenForWhereItWillBe() throws {
    var allocation = Allocation()
    allocation.accounts[Address(number: 100)] = .init(code: [0x5b, 0x00])
    let image = StateImage([allocation], fork: .osaka)
    let count = image.codeBlockBytes
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 64)
    defer { memory.deallocate() }
    let base: UInt = 1 << 40
    image.writeCode(to: memory, for: base)
    let code = memory.assumingMemoryBound(to: Code.self).pointee
    let program = try #require(code.program)
    for address in [
      UInt(bitPattern: code.bytes), UInt(bitPattern: code.jumpDestinations),
      UInt(bitPattern: program),
    ] {
      #expect(address >= base && address < base + UInt(count))
      #expect((address - base) % 32 == 0)
    }
    let bytes = memory + Int(UInt(bitPattern: code.bytes) - base)
    #expect(bytes.load(as: UInt8.self) == 0x5b)
    #expect(code.count == 2)
  }
}
