@testable import EVM

/// A transaction with lists of its own, for tests that need more than call data.
struct SentTransaction {
  var message: TransactionMessage
  var data: [UInt8] = []
  var accessList: [(address: Address, slots: [UInt256])] = []
  var blobHashes: [Hash256] = []
  var authorizations: [AuthorizationItem] = []

  init(_ message: TransactionMessage) { self.message = message }

  /// Passes the message while the lists it points to live.
  func withMessage<Result>(_ body: (TransactionMessage) -> Result) -> Result {
    var items: [AccessListItem] = []
    var slots: [UInt256] = []
    for entry in accessList {
      items.append(
        AccessListItem(
          address: entry.address, firstSlot: slots.count, slotCount: entry.slots.count))
      slots += entry.slots
    }
    var message = message
    return data.withUnsafeBufferPointer { data in
      items.withUnsafeBufferPointer { items in
        slots.withUnsafeBufferPointer { slots in
          blobHashes.withUnsafeBufferPointer { hashes in
            authorizations.withUnsafeBufferPointer { authorizations in
              message.data = data
              message.accessList = items
              message.accessSlots = slots
              message.blobHashes = hashes
              message.authorizations = authorizations
              return body(message)
            }
          }
        }
      }
    }
  }
}

extension TestWorld {
  /// A transaction to the contract of some type, with 1,000,000 gas at the base fee.
  func sent(_ type: TransactionType = .legacy, to recipient: Address? = TestWorld.contract)
    -> SentTransaction
  {
    var sent = SentTransaction(transaction(to: recipient))
    sent.message.type = type
    return sent
  }

  func run(
    _ sent: SentTransaction, sizes: WorkspaceSizes = TestWorld.sizes, gasAvailable: UInt64? = nil,
    blobsAvailable: Int = 6
  ) -> Outcome {
    sent.withMessage {
      run($0, sizes: sizes, gasAvailable: gasAvailable, blobsAvailable: blobsAvailable)
    }
  }
}

extension Hash256 {
  /// The versioned hash of a blob that ends in `number` (EIP-4844: the first byte is 1).
  static func blob(_ number: UInt64, version: UInt64 = 1) -> Hash256 {
    Hash256(UInt256(version) << 248 | UInt256(number))
  }
}
