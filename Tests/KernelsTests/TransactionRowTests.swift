import EVM
import Testing

@testable import Kernels

/// A row is a message again, with all lists.
@Suite struct TransactionRowTests {
  private static func transaction(_ type: TransactionType, isCreation: Bool) -> TestTransaction {
    var transaction = TestTransaction(
      from: Address(UInt256(1, 2, 3, 0)), to: isCreation ? nil : Address(UInt256(4, 5, 6, 0)),
      gasLimit: 7)
    transaction.message.type = type
    transaction.message.nonce = 8
    transaction.message.value = UInt256(9, 10, 11, 12)
    transaction.message.maxFeePerGas = UInt256(13, 14, 15, 16)
    transaction.message.maxPriorityFeePerGas = UInt256(17, 18, 19, 20)
    transaction.message.maxFeePerBlobGas = UInt256(21, 22, 23, 24)
    transaction.data = Array(0..<37)
    if type != .legacy {
      transaction.accessList = [
        AccessListItem(address: Address(number: 30), firstSlot: 0, slotCount: 1),
        AccessListItem(address: Address(number: 31), firstSlot: 1, slotCount: 2),
      ]
      transaction.accessSlots = [UInt256(32, 0, 0, 1), 33, 34]
    }
    if type == .blob { transaction.blobHashes = [Hash256(35), Hash256(36)] }
    if type == .setCode {
      transaction.authorizations = [
        AuthorizationItem(
          chainID: 37, address: Address(number: 38), nonce: 39, authority: Address(number: 40),
          isValid: true),
        AuthorizationItem(
          chainID: 0, address: .zero, nonce: .max, authority: .zero, isValid: false),
      ]
    }
    return transaction
  }

  @Test(arguments: TransactionType.allCases, [false, true])
  func aRowIsItsMessage(type: TransactionType, isCreation: Bool) {
    let given = Self.transaction(type, isCreation: isCreation)
    // Something lies before, so that no offset is zero.
    var bytes: [UInt8] = [1, 2, 3]
    let row = given.row(&bytes)
    let memory = TestMemory()
    withExtendedLifetime(memory) {
      let message = row.message(memory.copy(bytes))
      #expect(message.type == type)
      #expect(message.sender == given.message.sender)
      #expect(message.recipient == given.message.recipient)
      #expect(message.nonce == 8)
      #expect(message.gasLimit == 7)
      #expect(message.value == given.message.value)
      #expect(message.maxFeePerGas == given.message.maxFeePerGas)
      #expect(message.maxPriorityFeePerGas == given.message.maxPriorityFeePerGas)
      #expect(message.maxFeePerBlobGas == given.message.maxFeePerBlobGas)
      #expect(Array(message.data) == given.data)
      #expect(Array(message.accessSlots) == given.accessSlots)
      #expect(Array(message.blobHashes) == given.blobHashes)
      #expect(message.accessList.count == given.accessList.count)
      for (got, expected) in zip(message.accessList, given.accessList) {
        #expect(got.address == expected.address)
        #expect(got.firstSlot == expected.firstSlot)
        #expect(got.slotCount == expected.slotCount)
      }
      #expect(message.authorizations.count == given.authorizations.count)
      for (got, expected) in zip(message.authorizations, given.authorizations) {
        #expect(got.chainID == expected.chainID)
        #expect(got.address == expected.address)
        #expect(got.nonce == expected.nonce)
        #expect(got.authority == expected.authority)
        #expect(got.isValid == expected.isValid)
      }
    }
  }

  @Test func aRowKnowsItsBlockAndWorld() {
    var given = Self.transaction(.legacy, isCreation: false)
    given.environment = 3
    given.world = 4
    given.isCall = true
    var bytes: [UInt8] = []
    let row = given.row(&bytes)
    #expect(row.environment == 3)
    #expect(row.world == 4)
    #expect(row.isCall)
  }
}
