package import EVM
import Ethereum

extension PreparedTransaction {
  /// The transaction as the machine takes it; the message's memory lives until `body` returns.
  package func withMessage<Result>(_ body: (TransactionMessage) -> Result) -> Result {
    withUnsafePointer(to: self) { Self.withMessage($0, body) }
  }

  /// The same for a transaction where it lies: nothing of it is copied or retained but its data.
  @inline(__always)
  static func withMessage<Result>(
    _ prepared: UnsafePointer<PreparedTransaction>, _ body: (TransactionMessage) -> Result
  ) -> Result {
    prepared.pointee.transaction.data.withUnsafeBufferPointer { data in
      var message = TransactionMessage(
        sender: prepared.pointee.sender, recipient: prepared.pointee.transaction.to,
        gasLimit: prepared.pointee.transaction.gasLimit)
      message.type = prepared.pointee.transaction.type
      message.nonce = prepared.pointee.transaction.nonce
      message.value = prepared.pointee.transaction.value
      message.maxFeePerGas = prepared.pointee.transaction.maxFeePerGas
      message.maxPriorityFeePerGas = prepared.pointee.transaction.maxPriorityFeePerGas
      message.data = data
      message.maxFeePerBlobGas = prepared.pointee.transaction.maxFeePerBlobGas
      // Most transactions have no lists at all.
      if prepared.pointee.transaction.accessList.isEmpty
        && prepared.pointee.transaction.blobVersionedHashes.isEmpty
        && prepared.pointee.transaction.authorizationList.isEmpty
      {
        return body(message)
      }
      return prepared.pointee.withLists(message, body)
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
