import EVM
import Testing

@testable import Kernels

/// The records of transactions, word by word.
@Suite struct RecordWriterTests {
  private static let sender = Address(UInt256(0x1111, 0x2222, 0x3333, 0))
  private static let contract = Address(UInt256(0x4444, 0x5555, 0x6666, 0))
  private static let coinbase = Address(number: 0xfee)
  private static let wealth = UInt256(0, 1, 0, 0)

  /// Flags by their bits, as `AccountEntry.Flags` has them.
  private static let read: UInt64 = 1
  private static let warm: UInt64 = 2
  private static let exists: UInt64 = 4
  private static let touched: UInt64 = 8
  private static let created: UInt64 = 16
  private static let codeRead: UInt64 = 64
  private static let codeSet: UInt64 = 128
  private static let codeUnmapped: UInt64 = 256

  /// Read, touched, and its code asked for.
  private static let all = read | warm | exists | touched | codeRead

  private static func head(_ address: Address, _ flags: UInt64, _ parts: UInt64) -> [UInt64] {
    [address.low, address.middle, UInt64(address.high) | flags << 32 | parts << 48]
  }

  private static func words(_ word: UInt256) -> [UInt64] {
    [word.limb0, word.limb1, word.limb2, word.limb3]
  }

  private static func launch(_ code: [UInt8], _ selection: RecordSelection) -> KernelLaunch {
    var launch = KernelLaunch()
    launch.selection = selection
    launch.accounts = [
      KernelLaunch.Account(address: sender, balance: wealth),
      KernelLaunch.Account(address: contract, nonce: 1, code: code, storage: [1: 40]),
    ]
    launch.transactions = [TestTransaction(from: sender, to: contract)]
    return launch
  }

  /// The sender's account after it paid for `gas` at 7 wei.
  private static func paid(_ gas: UInt64) -> [UInt64] {
    head(sender, all, 1)
      + [1] + words(wealth &- UInt256(7 * gas))
  }

  private static func rewarded(_ gas: UInt64) -> [UInt64] {
    head(coinbase, read | warm | exists | touched, 1) + [0] + words(UInt256(7 * gas))
  }

  /// `PUSH1 9 PUSH1 1 SSTORE PUSH1 2 SLOAD`: slot 1 from 40 to 9, slot 2 read only.
  private static let stores: [UInt8] = [0x60, 9, 0x60, 1, 0x55, 0x60, 2, 0x54]

  @Test func changesAreWhatIsOtherThanBefore() {
    let result = Self.launch(Self.stores, [.changes]).run()
    let outcome = result.outcomes[0]
    #expect(outcome.state == .done && outcome.status == .stopped)
    let expected =
      Self.paid(outcome.gasUsed)
      + Self.head(Self.contract, Self.all, 0) + Self.rewarded(outcome.gasUsed) + [1 | 1 << 32]
      + Self.words(1) + Self.words(9)
    #expect(result.records(0) == expected)
    #expect(outcome.accountCount == 3 && outcome.slotCount == 1)
    #expect(outcome.logCount == 0 && outcome.outputCount == 0)
    #expect(result.recordsUsed == UInt64(expected.count * 8))
    #expect(result.isMemoryKept)
  }

  @Test func readsHaveTheValuesBefore() {
    var launch = Self.launch(Self.stores, [.reads])
    launch.accounts[1].balance = 5
    let result = launch.run()
    let gas = result.outcomes[0].gasUsed
    let hash = Self.stores.withUnsafeBufferPointer { Keccak256.hash($0) }
    let absent =
      [0] + Self.words(.zero) + Self.words(Hash256.emptyCode.word) + [0]
      + Self.words(0)
    var expected = Self.head(Self.sender, Self.all, 5)
    expected += [1] + Self.words(Self.wealth &- UInt256(7 * gas))
    expected += [0] + Self.words(Self.wealth) + Self.words(Hash256.emptyCode.word)
    // It exists and its nonce was observed; it had to have 100,000 gas at 7 wei.
    expected += [1 | 1 << 8] + Self.words(700_000)
    expected += Self.head(Self.contract, Self.all, 4)
    expected += [1] + Self.words(5) + Self.words(hash.word) + [3] + Self.words(0)
    expected += Self.head(
      Self.coinbase, Self.read | Self.warm | Self.exists | Self.touched, 5)
    expected += [0] + Self.words(UInt256(7 * gas)) + absent
    expected += [1 | 5 << 32] + Self.words(1) + Self.words(9) + Self.words(40)
    expected += [1 | 4 << 32] + Self.words(2) + Self.words(0)
    #expect(result.records(0) == expected)
    #expect(result.outcomes[0].slotCount == 2)
  }

  /// `PUSH1 9 PUSH1 1 SSTORE PUSH0 PUSH0 REVERT`.
  @Test(arguments: [RecordSelection.changes, .reads])
  func whatIsRevertedIsNoChange(selection: RecordSelection) {
    let code: [UInt8] = [0x60, 9, 0x60, 1, 0x55, 0x5f, 0x5f, 0xfd]
    let result = Self.launch(code, selection).run()
    let outcome = result.outcomes[0]
    #expect(outcome.status == .reverted)
    #expect(outcome.slotCount == (selection == .reads ? 1 : 0))
    let slot = selection == .reads ? [1 | 4 << 32] + Self.words(1) + Self.words(40) : []
    #expect(Array(result.records(0).suffix(slot.count)) == slot)
    if selection == .changes {
      // The account is untouched again, but it was read.
      #expect(
        result.records(0)
          == Self.paid(outcome.gasUsed)
          + Self.head(Self.contract, Self.read | Self.warm | Self.exists | Self.codeRead, 0)
          + Self.rewarded(outcome.gasUsed))
    }
  }

  /// `PUSH1 9 PUSH1 1 TSTORE`.
  @Test func transientSlotsAreLeftOut() {
    let result = Self.launch([0x60, 9, 0x60, 1, 0x5d], [.changes, .reads]).run()
    #expect(result.outcomes[0].status == .stopped)
    #expect(result.outcomes[0].slotCount == 0)
    #expect(result.outcomes[0].accountCount == 3)
  }

  @Test func whatOnlyAnAccessListNamesWasNotRead() {
    var launch = Self.launch([0x00], [.reads])
    let named = Address(number: 0x77)
    launch.transactions[0].message.type = .accessList
    launch.transactions[0].accessList = [
      AccessListItem(address: named, firstSlot: 0, slotCount: 2)
    ]
    launch.transactions[0].accessSlots = [1, 2]
    let result = launch.run()
    #expect(result.outcomes[0].accountCount == 4)
    #expect(result.outcomes[0].slotCount == 0)
    #expect(result.records(0).suffix(3) == Self.head(named, Self.warm, 0)[...])
  }

  /// Stores 32 bytes of `PUSH1 7`, logs 13 of them with two topics and none without, returns 9.
  private static let logs: [UInt8] =
    [0x60, 7, 0x60, 0, 0x52]
    + [0x60, 0xbb, 0x60, 0xaa, 0x60, 13, 0x60, 19, 0xa2] + [0x5f, 0x5f, 0xa0]
    + [0x60, 9, 0x60, 23, 0xf3]

  @Test func logsAndOutputArePadded() {
    let result = Self.launch(Self.logs, [.logs, .output]).run()
    let outcome = result.outcomes[0]
    #expect(outcome.status == .returned)
    #expect(outcome.logCount == 2 && outcome.outputCount == 9)
    #expect(outcome.accountCount == 0 && outcome.slotCount == 0)
    var expected = [Self.contract.low, Self.contract.middle]
    expected += [UInt64(Self.contract.high) | 2 << 32, 13] + Self.words(0xaa) + Self.words(0xbb)
    // Byte 12 of the data is the 7, byte 4 of its second word.
    expected += [0, 7 << 32]
    expected += [Self.contract.low, Self.contract.middle, UInt64(Self.contract.high), 0]
    // Byte 8 of the output is the 7.
    expected += [0, 7]
    #expect(result.records(0) == expected)
  }

  @Test(arguments: 0...4) func topicsAreCounted(count: Int) {
    var code: [UInt8] = []
    for topic in (0..<count).reversed() { code += [0x60, UInt8(topic + 1)] }
    code += [0x5f, 0x5f, 0xa0 + UInt8(count)]
    let result = Self.launch(code, [.logs]).run()
    let topics = (0..<count).flatMap { Self.words(UInt256(UInt64($0 + 1))) }
    #expect(
      result.records(0)
        == [
          Self.contract.low, Self.contract.middle,
          UInt64(Self.contract.high) | UInt64(count) << 32, 0,
        ] + topics)
  }

  @Test(arguments: [RecordSelection.logs, .output, .changes])
  func onlyWhatIsSelectedIsWritten(selection: RecordSelection) {
    let outcome = Self.launch(Self.logs, selection).run().outcomes[0]
    #expect((outcome.logCount > 0) == (selection == .logs))
    #expect((outcome.outputCount > 0) == (selection == .output))
    #expect((outcome.accountCount > 0) == (selection == .changes))
  }

  /// A contract of 9 bytes is deployed: its code has 2 words.
  @Test func codeThatWasSetIsWritten() {
    var launch = Self.launch([0x00], [.changes])
    let code: [UInt8] = [0x60, 1, 0x60, 2, 0x60, 3, 0x60, 4, 0x00]
    launch.transactions = [TestTransaction(from: Self.sender, to: nil)]
    // PUSH9 code PUSH0 MSTORE PUSH1 9 PUSH1 23 RETURN
    launch.transactions[0].data =
      [0x68] + code + [0x5f, 0x52, 0x60, 9, 0x60, 23, 0xf3]
    let result = launch.run()
    let outcome = result.outcomes[0]
    #expect(outcome.status == .returned && outcome.hasCreated)
    let address = Address.created(by: Self.sender, nonce: 0)
    let hash = code.withUnsafeBufferPointer { Keccak256.hash($0) }
    let flags =
      Self.read | Self.warm | Self.exists | Self.touched | Self.created | Self.codeRead
      | Self.codeSet | Self.codeUnmapped
    #expect(
      result.records(0)
        == Self.paid(outcome.gasUsed) + Self.head(Self.coinbase, 15, 1)
        + [0] + Self.words(UInt256(7 * outcome.gasUsed))
        + Self.head(address, flags, 11) + [1] + Self.words(0) + Self.words(hash.word)
        + [9, 0x0460_0360_0260_0160, 0])
  }

  /// A delegation is 23 bytes, three words; its removal is code of no bytes.
  @Test(arguments: [false, true]) func delegationsAreCode(isRemoval: Bool) {
    var launch = Self.launch([0x00], [.changes])
    let authority = Address(number: 0xaaaa)
    let target = isRemoval ? Address.zero : Address(UInt256(0x0102_0304_0506_0708, 0, 0, 0))
    launch.accounts.append(
      KernelLaunch.Account(
        address: authority, balance: 1,
        code: [0xef, 0x01, 0x00] + [UInt8](repeating: 9, count: 20)))
    launch.transactions[0].message.type = .setCode
    launch.transactions[0].authorizations = [
      AuthorizationItem(
        chainID: 0, address: target, nonce: 0, authority: authority, isValid: true)
    ]
    let result = launch.run()
    #expect(result.outcomes[0].error == TransactionOutcome.valid)
    let words = result.records(0)
    let start = words.firstIndex(of: authority.low)!
    #expect(words[start + 2] >> 48 == 11)
    #expect(Array(words[start + 3..<start + 8]) == [1, 1, 0, 0, 0])
    let code: [UInt8] =
      isRemoval
      ? [] : [0xef, 0x01, 0x00] + [UInt8](repeating: 0, count: 12) + [1, 2, 3, 4, 5, 6, 7, 8]
    let hash =
      isRemoval ? Hash256.emptyCode : code.withUnsafeBufferPointer { Keccak256.hash($0) }
    #expect(Array(words[start + 8..<start + 12]) == Self.words(hash.word))
    #expect(words[start + 12] == UInt64(code.count))
    if !isRemoval {
      #expect(
        Array(words[start + 13..<start + 16])
          == [0x01ef, 0x0100_0000_0000_0000, 0x08_0706_0504_0302])
    }
  }

  /// Counting and writing go the same way over everything at once.
  @Test func theCountIsWhatIsWritten() {
    for selection in 0..<UInt32(16) {
      let result = Self.launch(
        Self.stores + Self.logs, RecordSelection(rawValue: selection)
      ).run()
      let outcome = result.outcomes[0]
      #expect(outcome.state == .done)
      #expect(result.recordsUsed == UInt64(outcome.recordBytes))
      // What lies behind the records is as it was, and the last word of them is not.
      let count = Int(outcome.recordBytes) / 8
      #expect(result.words[count] == 0x5a5a)
      #expect(count == 0 || !result.words[..<count].contains(0x5a5a))
    }
  }
}
