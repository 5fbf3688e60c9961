package import Coprocessors
import EVM
import Ethereum
import Execution

/// Finds who signed transactions: many at once by the coprocessor `senders`, on all cores or a device.
package final class SenderRecovery: Sendable {
  private let queue: CoprocessorQueue
  /// So few are not worth a batch's way.
  private static let least = 8

  /// Recovery by a registry's coprocessors; by default by those of the CPU.
  package init(
    _ registry: CoprocessorRegistry? = nil,
    crossover: @escaping @Sendable (String) -> Int? = { _ in nil },
    log: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(CoprocessorError) {
    let used: CoprocessorRegistry
    if let registry {
      used = registry
    } else {
      used = try CoprocessorRegistry([SendersCoprocessor()])
    }
    queue = try CoprocessorQueue(
      SendersCoprocessor().name, of: used, crossover: crossover, log: log)
  }

  // The queue's thread holds the queue until then.
  deinit { queue.close() }

  /// A transaction that was sent: decoded, with the bytes that its hash is of.
  struct Sent {
    var transaction: Transaction
    var envelope: [UInt8]
  }

  /// A transaction whose sender is known.
  struct Signed {
    var prepared: PreparedTransaction
    var hash: Hash256
  }

  /// The senders of transactions of a chain, in their order.
  func recover(_ sent: [Sent], fork: Fork, chainID: UInt64) -> [Result<Signed, FormatError>] {
    if sent.count >= Self.least, fork >= .spuriousDragon,
      let results = try? queue.submit(ByteColumn(sent.lazy.map(\.envelope))).results()
    {
      return sent.indices.map { index in
        let transaction = sent[index].transaction
        guard transaction.chainID ?? chainID == chainID, let result = results[index] else {
          return Self.recover(sent[index], fork, chainID)
        }
        return .success(Self.signed(transaction, result))
      }
    }
    return sent.map { Self.recover($0, fork, chainID) }
  }

  /// One by itself, with the reason where it is refused.
  private static func recover(
    _ sent: Sent, _ fork: Fork, _ chainID: UInt64
  ) -> Result<Signed, FormatError> {
    do throws(FormatError) {
      let sender = try sent.transaction.recoverSender(fork: fork, chainID: chainID)
      return .success(
        Signed(
          prepared: PreparedTransaction(sent.transaction, sender: sender),
          hash: Keccak256.hash(sent.envelope)))
    } catch { return .failure(error) }
  }

  /// Reads the coprocessor's result: the sender, the hash, and for each authorisation whether it is
  /// signed and by whom.
  private static func signed(_ transaction: Transaction, _ result: [UInt8]) -> Signed {
    result.withUnsafeBufferPointer { bytes in
      let base = bytes.baseAddress!
      let authorities = transaction.authorizationList.indices.map { place -> Address? in
        let at = base + 52 + place * 21
        return at[0] == 0 ? nil : Address(bytes: at + 1)
      }
      return Signed(
        prepared: PreparedTransaction(
          transaction, sender: Address(bytes: base), authorities: authorities),
        hash: Hash256(bytes: base + 20))
    }
  }
}
