import EVM
import Testing

@testable import Ethereum

/// Access lists in RLP (EIP-7928).
@Suite struct BlockAccessListTests {
  private typealias List = BlockAccessList

  /// Two accounts with something in every column.
  static var sample: BlockAccessList {
    var first = BlockAccessList.AccountChanges(Address(number: 1))
    first.storageChanges = [
      (2, [.init(index: 0, value: 5), .init(index: 3, value: 0)]),
      (UInt256(1) << 255, [.init(index: 1, value: UInt256(1) << 200)]),
    ]
    first.storageReads = [1, 7]
    first.balanceChanges = [.init(index: 1, value: 1000), .init(index: 2, value: 0)]
    first.nonceChanges = [.init(index: 1, nonce: 9), .init(index: 300, nonce: .max)]
    first.codeChanges = [.init(index: 2, code: [0xef, 1, 0]), .init(index: 3, code: [])]
    return BlockAccessList([first, .init(Address(number: 2))])
  }

  private func refusal(_ list: BlockAccessList) -> FormatError? {
    do throws(FormatError) {
      _ = try BlockAccessList(decoding: list.encoded)
      return nil
    } catch {
      return error
    }
  }

  private func refusal(_ edit: (inout [BlockAccessList.AccountChanges]) -> Void) -> FormatError? {
    var accounts = Self.sample.accountChanges
    edit(&accounts)
    return refusal(BlockAccessList(accounts))
  }

  @Test func listsAreReadAsTheyAreWritten() throws {
    #expect(try BlockAccessList(decoding: Self.sample.encoded) == Self.sample)
    #expect(BlockAccessList(Self.sample.accountChanges) == Self.sample)
    #expect(Self.sample.itemCount == 2 + 2 + 2)
  }

  /// The EIP gives the hash of the empty list.
  @Test func emptyListHasTheHashOfTheSpecification() {
    #expect(BlockAccessList().encoded == [0xc0])
    #expect(BlockAccessList().hash == BlockHeader.emptyOmmersHash)
  }

  @Test func encodingIsTheOneOfTheSpecification() {
    var account = BlockAccessList.AccountChanges(Address(number: 0xaa))
    account.storageChanges = [(1, [.init(index: 1, value: 0x80)])]
    account.storageReads = [0]
    account.balanceChanges = [.init(index: 2, value: 7)]
    account.nonceChanges = [.init(index: 2, nonce: 1)]
    account.codeChanges = [.init(index: 2, code: [0])]
    let address = [UInt8](repeating: 0, count: 19) + [0xaa]
    let fields: [UInt8] =
      [0x94] + address  // address
      + [0xc7, 0xc6, 0x01, 0xc4, 0xc3, 0x01, 0x81, 0x80]  // slot 1: 0x80 at index 1
      + [0xc1, 0x80]  // reads slot 0
      + [0xc3, 0xc2, 0x02, 0x07]  // balance 7 at index 2
      + [0xc3, 0xc2, 0x02, 0x01]  // nonce 1 at index 2
      + [0xc3, 0xc2, 0x02, 0x00]  // code 0x00 at index 2
    let expected = [0xc0 + UInt8(fields.count + 1), 0xc0 + UInt8(fields.count)] + fields
    #expect(BlockAccessList([account]).encoded == expected)
  }

  @Test func everythingIsInOrderAndNothingStandsTwice() {
    #expect(refusal { _ in } == nil)
    let faults: [(inout [BlockAccessList.AccountChanges]) -> Void] = [
      { $0.swapAt(0, 1) },
      { $0[1].address = $0[0].address },
      { $0[0].storageChanges.swapAt(0, 1) },
      { $0[0].storageChanges[1].slot = 2 },
      { $0[0].storageChanges[0].changes.swapAt(0, 1) },
      { $0[0].storageChanges[0].changes[1].index = 0 },
      { $0[0].storageReads.swapAt(0, 1) },
      { $0[0].storageReads[1] = 1 },
      { $0[0].balanceChanges.swapAt(0, 1) },
      { $0[0].balanceChanges[1].index = 1 },
      { $0[0].nonceChanges.swapAt(0, 1) },
      { $0[0].codeChanges.swapAt(0, 1) },
    ]
    for fault in faults { #expect(refusal(fault)?.code == .outOfOrder) }
  }

  @Test func slotIsChangedOrOnlyRead() {
    #expect(refusal { $0[0].storageReads = [2] }?.code == .duplicateField)
    #expect(refusal { $0[0].storageReads = [1, UInt256(1) << 255] }?.code == .duplicateField)
    // Another account's slots are not its own.
    #expect(refusal { $0[1].storageReads = [2] } == nil)
    #expect(refusal { $0[0].storageChanges[0].changes = [] }?.code == .tooFewItems)
  }

  @Test func errorsNameThePlace() {
    let error = refusal { $0[1].storageReads = [9, 3] }
    #expect(error?.path == "[1]")
    #expect(error?.description.contains("storageReads") == true)
  }

  @Test func bytesThatAreNotCanonicalAreRefused() {
    let good = Self.sample.encoded
    // Any single byte that is changed either is refused or makes another list.
    for place in good.indices {
      for change in [UInt8(1), 0x80] {
        var bytes = good
        bytes[place] ^= change
        guard let list = try? BlockAccessList(decoding: bytes) else { continue }
        #expect(list != Self.sample)
        #expect(list.encoded == bytes)
      }
    }
    #expect(throws: FormatError.self) { try BlockAccessList(decoding: good + [0]) }
    #expect(throws: FormatError.self) { try BlockAccessList(decoding: Array(good.dropLast())) }
    #expect(throws: FormatError.self) { try BlockAccessList(decoding: []) }
    #expect(throws: FormatError.self) { try BlockAccessList(decoding: [0x80]) }
  }

  @Test func indexHas32Bits() {
    // [[address, [], [], [[2^32, 1]], [], []]]
    let change: [UInt8] = [0xc8, 0xc7, 0x85, 1, 0, 0, 0, 0, 0x01]
    let fields =
      [0x94] + [UInt8](repeating: 0, count: 20) + [0xc0, 0xc0] + change + [0xc0, 0xc0]
    let bytes = [0xc0 + UInt8(fields.count + 1), 0xc0 + UInt8(fields.count)] + fields
    do throws(FormatError) {
      _ = try BlockAccessList(decoding: bytes)
      Issue.record("an index of 33 bits was read")
    } catch {
      #expect(error.code == .valueOutOfRange)
    }
  }
}
