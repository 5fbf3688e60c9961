import EVM
import Kernels
import Testing

@Suite struct TransactionKernelTests {
  /// Increments slot 0 by the call data's word, logs nothing, returns the sum:
  /// `PUSH0 CALLDATALOAD PUSH0 SLOAD ADD DUP1 PUSH0 SSTORE PUSH0 MSTORE PUSH1 32 PUSH0 RETURN`.
  static let counterCode: [UInt8] = [
    0x5f, 0x35, 0x5f, 0x54, 0x01, 0x80, 0x5f, 0x55, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3,
  ]
  static let counter = Address(number: 0xc0de)
  static let sizes = WorkspaceSizes(
    stackWords: 2048, memoryBytes: 16 << 10, frames: 8, accounts: 16, slots: 16, undoRecords: 64,
    logs: 8, logBytes: 1024, codeBytes: 1024, returnBytes: 1024)

  static func sender(_ index: Int) -> Address { Address(number: 0x1000 + UInt64(index)) }

  /// Launches one lane for each word of call data, and one more; hands out the outcomes.
  static func launch(
    data: [UInt64], sizes: WorkspaceSizes = sizes, translated: Bool = false,
    _ body: (UnsafeBufferPointer<TransactionKernel.Outcome>) -> Void
  ) {
    let bytes = counterCode + [UInt8](repeating: 0, count: Code.padding)
    var map = [UInt8](repeating: 0, count: Code.mapBytes(counterCode.count))
    Code.analyze(bytes, count: counterCode.count, into: &map)
    let words = data.map { word in
      var bytes = [UInt8](repeating: 0, count: 32)
      UInt256(word).store(bigEndian: &bytes)
      return bytes
    }
    let input = words.flatMap { $0 }
    let space = UnsafeMutableRawPointer.allocate(
      byteCount: TransactionKernel.stride(sizes) * data.count, alignment: 16)
    let outcomes = UnsafeMutablePointer<TransactionKernel.Outcome>.allocate(capacity: data.count)
    defer {
      space.deallocate()
      outcomes.deallocate()
    }
    bytes.withUnsafeBufferPointer { bytes in
      map.withUnsafeBufferPointer { map in
        input.withUnsafeBufferPointer { input in
          var code = Code(
            bytes: bytes.baseAddress!, jumpDestinations: map.baseAddress!,
            count: counterCode.count)
          if translated { code.program = program(code) }
          defer { UnsafeRawPointer(code.program)?.deallocate() }
          var accounts = [
            FlatStateView.Account(
              address: counter,
              record: AccountRecord(
                nonce: 1, balance: .zero,
                codeHash: Keccak256.hash(UnsafeBufferPointer(rebasing: bytes[..<code.count])),
                exists: true, hasStorage: true),
              code: code)
          ]
          var messages: [TransactionMessage] = []
          for index in data.indices {
            var record = AccountRecord.absent
            record.exists = true
            record.balance = 1_000_000_000
            accounts.append(
              FlatStateView.Account(address: sender(index), record: record, code: code))
            var message = TransactionMessage(
              sender: sender(index), recipient: counter, gasLimit: 100_000)
            message.maxFeePerGas = 7
            message.maxPriorityFeePerGas = 7
            message.data = UnsafeBufferPointer(rebasing: input[index * 32..<index * 32 + 32])
            messages.append(message)
          }
          let slots = [FlatStateView.Slot(address: counter, key: 0, value: 40)]
          accounts.withUnsafeBufferPointer { accounts in
            slots.withUnsafeBufferPointer { slots in
              messages.withUnsafeBufferPointer { messages in
                var arguments = TransactionKernel.Arguments(
                  fork: .osaka, block: BlockEnvironment(coinbase: Address(number: 0xfee)),
                  state: FlatStateView(accounts: accounts, slots: slots),
                  messages: messages.baseAddress!, outcomes: outcomes, count: data.count,
                  workspaces: space, sizes: sizes)
                // A launch is a whole number of blocks: lanes beyond the count must do nothing.
                for lane in 0...data.count { TransactionKernel.lane(lane, &arguments) }
                body(UnsafeBufferPointer(start: outcomes, count: data.count))
              }
            }
          }
        }
      }
    }
  }

  /// The program of code, moved once after it was written, as to a device.
  private static func program(_ code: Code) -> UnsafePointer<Program> {
    let capacity = Translator.scratchBytes(code.count)
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    defer { scratch.deallocate() }
    var translator = Translator(code, fork: .osaka, scratch: scratch, capacity: capacity)!
    let size = translator.translate()!
    let first = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    defer { first.deallocate() }
    translator.write(to: first)
    let second = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    second.copyMemory(from: first, byteCount: size)
    first.initializeMemory(as: UInt8.self, repeating: 0xff, count: size)
    return UnsafePointer(second.assumingMemoryBound(to: Program.self))
  }

  @Test(arguments: [false, true]) func everyLaneSeesTheStateBefore(translated: Bool) {
    Self.launch(data: [2, 0, 255], translated: translated) { outcomes in
      for (index, (word, outcome)) in zip([2, 0, 255] as [UInt64], outcomes).enumerated() {
        guard let result = outcome.result, let journal = outcome.journal else {
          Issue.record("lane \(index) ran nothing")
          continue
        }
        #expect(result.error == nil)
        #expect(result.status == .returned)
        #expect(journal.slotCount == 1)
        #expect(journal.slots[0].original == 40)
        #expect(journal.slots[0].current == UInt256(40 + word))
        #expect(journal.accounts[0].address == Self.sender(index))
        #expect(
          journal.accounts[0].balance
            == 1_000_000_000 &- UInt256(7 * result.gasUsed))
      }
      // 21,000, the data at 4 for a zero byte and 16 for another, 28 for the plain opcodes, 2,100
      // for the cold SLOAD (EIP-2929), then 2,900 for a change or 100 for none (EIP-2200).
      let change: UInt64 = 21_000 + 140 + 28 + 2_100 + 2_900
      let noChange: UInt64 = 21_000 + 128 + 28 + 2_100 + 100
      #expect(outcomes[0].result?.gasUsed == change)
      #expect(outcomes[1].result?.gasUsed == noChange)
    }
  }

  @Test func tooSmallAWorkspaceIsAFaultNotAnAnswer() {
    var small = Self.sizes
    small.stackWords = 16
    Self.launch(data: [1], sizes: small) { outcomes in
      #expect(outcomes[0].result?.status == .workspaceExhausted)
    }
  }
}
