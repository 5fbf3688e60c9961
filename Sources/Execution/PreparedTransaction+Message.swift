import EVM
import Ethereum

extension PreparedTransaction {
  /// The transaction as the machine takes it; the message's memory lives until `body` returns.
  @inline(__always)
  func withMessage<Result>(_ body: (TransactionMessage) -> Result) -> Result {
    transaction.data.withUnsafeBufferPointer { data in
      var message = TransactionMessage(
        sender: sender, recipient: transaction.to, gasLimit: transaction.gasLimit)
      message.type = transaction.type
      message.nonce = transaction.nonce
      message.value = transaction.value
      message.maxFeePerGas = transaction.maxFeePerGas
      message.maxPriorityFeePerGas = transaction.maxPriorityFeePerGas
      message.data = data
      message.maxFeePerBlobGas = transaction.maxFeePerBlobGas
      // Most transactions have no lists at all.
      if transaction.accessList.isEmpty && transaction.blobVersionedHashes.isEmpty
        && transaction.authorizationList.isEmpty
      {
        return body(message)
      }
      return withLists(message, body)
    }
  }

  @inline(never)
  private func withLists<Result>(
    _ message: TransactionMessage, _ body: (TransactionMessage) -> Result
  ) -> Result {
    var message = message
    var items: [AccessListItem] = []
    var slots: [UInt256] = []
    for entry in transaction.accessList {
      items.append(
        AccessListItem(
          address: entry.address, firstSlot: slots.count, slotCount: entry.storageKeys.count))
      slots.append(contentsOf: entry.storageKeys)
    }
    let authorizations = zip(transaction.authorizationList, authorities).map {
      AuthorizationItem(
        chainID: $0.chainID, address: $0.address, nonce: $0.nonce, authority: $1 ?? .zero,
        isValid: $1 != nil)
    }
    return items.withUnsafeBufferPointer { items in
      message.accessList = items
      return slots.withUnsafeBufferPointer { slots in
        message.accessSlots = slots
        return transaction.blobVersionedHashes.withUnsafeBufferPointer { hashes in
          message.blobHashes = hashes
          return authorizations.withUnsafeBufferPointer { authorizations in
            message.authorizations = authorizations
            return body(message)
          }
        }
      }
    }
  }
}
