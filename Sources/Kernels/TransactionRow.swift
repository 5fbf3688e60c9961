package import EVM

/// A transaction as the host uploads it: of fixed size, its lists in the batch's bytes.
///
/// Offsets are in bytes from the beginning of the batch's bytes, and multiples of 8 but for the
/// data's.
package struct TransactionRow: BitwiseCopyable {
  /// A list among the batch's bytes.
  package struct List: BitwiseCopyable {
    package var offset: UInt64
    package var count: UInt32

    /// `count` elements at `offset`.
    package init(offset: Int, count: Int) {
      self.offset = UInt64(truncatingIfNeeded: offset)
      self.count = UInt32(truncatingIfNeeded: count)
    }

    /// No elements.
    package static var empty: List { List(offset: 0, count: 0) }

    @inline(__always)
    func elements<T>(_ base: UnsafeRawPointer, of type: T.Type) -> UnsafeBufferPointer<T> {
      UnsafeBufferPointer(
        start: count == 0
          ? nil : (base + Int(truncatingIfNeeded: offset)).assumingMemoryBound(to: T.self),
        count: Int(count))
    }
  }

  package var type: TransactionType
  package var isCreation: Bool
  /// Runs the message call alone, as `Machine.call` does: no validation, no fees.
  package var isCall: Bool
  /// Index of the block's row.
  package var environment: UInt32
  /// Which world of the state table it sees.
  package var world: UInt32
  package var nonce: UInt64
  package var gasLimit: UInt64
  package var sender: Address
  package var recipient: Address
  package var value: UInt256
  package var maxFeePerGas: UInt256
  package var maxPriorityFeePerGas: UInt256
  package var maxFeePerBlobGas: UInt256
  package var data = List.empty
  package var accessList = List.empty
  package var accessSlots = List.empty
  package var blobHashes = List.empty
  package var authorizations = List.empty
  // Rows end without a gap (Documentation/Kernels.md).
  private let gap: UInt32 = 0

  /// A row of a message without its lists; set those afterwards.
  package init(
    _ message: TransactionMessage, environment: UInt32, world: UInt32, isCall: Bool = false
  ) {
    type = message.type
    self.isCall = isCall
    isCreation = message.recipient == nil
    self.environment = environment
    self.world = world
    nonce = message.nonce
    gasLimit = message.gasLimit
    sender = message.sender
    recipient = message.recipient ?? .zero
    value = message.value
    maxFeePerGas = message.maxFeePerGas
    maxPriorityFeePerGas = message.maxPriorityFeePerGas
    maxFeePerBlobGas = message.maxFeePerBlobGas
  }

  /// The message over the batch's bytes.
  @inline(__always)
  func message(_ bytes: UnsafeRawPointer) -> TransactionMessage {
    var message = TransactionMessage(
      sender: sender, recipient: isCreation ? nil : recipient, gasLimit: gasLimit)
    message.type = type
    message.nonce = nonce
    message.value = value
    message.maxFeePerGas = maxFeePerGas
    message.maxPriorityFeePerGas = maxPriorityFeePerGas
    message.maxFeePerBlobGas = maxFeePerBlobGas
    message.data = data.elements(bytes, of: UInt8.self)
    message.accessList = accessList.elements(bytes, of: AccessListItem.self)
    message.accessSlots = accessSlots.elements(bytes, of: UInt256.self)
    message.blobHashes = blobHashes.elements(bytes, of: Hash256.self)
    message.authorizations = authorizations.elements(bytes, of: AuthorizationItem.self)
    return message
  }
}
