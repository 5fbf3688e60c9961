import EVM
import Ethereum
import Execution
import Storage
import Synchronization

/// What a sequencer has said of the block that it is making: kept until the block is there, and compared
/// with it.
final class Preconfirmations: Sendable {
  private struct State {
    var number: UInt64 = 0
    var parent = Hash256.zero
    var entries: [FeedPart.Entry] = []
    /// The places of transactions by their hashes.
    var places: [Hash256: Int] = [:]
    /// The messages that said so, each with the place of its first transaction.
    var messages: [(first: Int, bytes: [UInt8])] = []
    var bytes = 0
  }

  /// A promise that was not kept.
  struct Broken: Equatable, Sendable {
    var differences: [BlockDifference]
    /// The message of the feed that promised the first of them.
    var promise: [UInt8]
  }

  private let state = Mutex(State())
  /// Bytes that are kept of one block at most.
  private static let byteLimit = 64 << 20

  /// Takes a part; gives what it says differently from an earlier one.
  func take(_ part: FeedPart, message: [UInt8]) throws(FormatError) -> Broken? {
    let result: Result<Broken?, FormatError> = state.withLock { state in
      if part.number != state.number || part.parent != state.parent {
        state = State()
        state.number = part.number
        state.parent = part.parent
      }
      guard let first = Int(exactly: part.first), first <= state.entries.count else {
        return .failure(
          FormatError(
            .valueOutOfRange,
            "the part begins with transaction \(part.first); there were \(state.entries.count)",
            field: "first"))
      }
      guard state.bytes + message.count <= Self.byteLimit else {
        return .failure(
          FormatError(.valueOutOfRange, "parts of more than \(Self.byteLimit) bytes", field: "part")
        )
      }
      var broken: Broken?
      for (offset, entry) in part.entries.enumerated() where first + offset < state.entries.count {
        let known = state.entries[first + offset]
        if known == entry { continue }
        broken = Broken(
          differences: Self.differences(
            first + offset, known, Keccak256.hash(entry.envelope), entry.succeeded,
            entry.cumulativeGasUsed),
          promise: Self.message(of: first + offset, state))
        break
      }
      if first < state.entries.count {
        // Said again after an interruption, or otherwise.
        for entry in state.entries[first...] {
          state.places[Keccak256.hash(entry.envelope)] = nil
        }
        state.entries.removeSubrange(first...)
        state.messages.removeAll { $0.first >= first }
        state.bytes = state.messages.reduce(0) { $0 + $1.bytes.count }
      }
      for (offset, entry) in part.entries.enumerated() {
        state.places[Keccak256.hash(entry.envelope)] = first + offset
      }
      state.entries += part.entries
      state.messages.append((first, message))
      state.bytes += message.count
      return .success(broken)
    }
    return try result.get()
  }

  /// Compares a block with what was said of it, which is forgotten with all that is older.
  func settle(number: UInt64, hashes: [Hash256], receipts: [Receipt]) -> Broken? {
    state.withLock { state in
      guard state.number <= number else { return nil }
      defer { state = State() }
      if state.number < number { return nil }
      for (index, entry) in state.entries.enumerated() {
        guard index < hashes.count, index < receipts.count else {
          return Broken(
            differences: [
              BlockDifference(
                field: "preconfirmation.transaction", transaction: index,
                expected: "\(Keccak256.hash(entry.envelope))", got: "no transaction")
            ], promise: Self.message(of: index, state))
        }
        let differences = Self.differences(
          index, entry, hashes[index], receipts[index].outcome == .status(true),
          receipts[index].cumulativeGasUsed)
        if !differences.isEmpty {
          return Broken(differences: differences, promise: Self.message(of: index, state))
        }
      }
      return nil
    }
  }

  /// Whether anything was said of a block.
  func has(_ number: UInt64) -> Bool {
    state.withLock { $0.number == number && !$0.entries.isEmpty }
  }

  /// Forgets what was said.
  func clear() { state.withLock { $0 = State() } }

  /// A transaction of the block in the making.
  func transaction(_ hash: Hash256) -> Transaction? {
    let envelope = state.withLock { state in
      state.places[hash].map { state.entries[$0].envelope }
    }
    return envelope.flatMap { try? Transaction(decoding: $0) }
  }

  private static func message(of place: Int, _ state: State) -> [UInt8] {
    state.messages.last { $0.first <= place }?.bytes ?? []
  }

  /// What was said of a place in a block, and what is there.
  private static func differences(
    _ index: Int, _ promised: FeedPart.Entry, _ hash: Hash256, _ succeeded: Bool, _ gas: UInt64
  ) -> [BlockDifference] {
    var list: [BlockDifference] = []
    func compare(_ field: String, _ expected: String, _ got: String) {
      if expected == got { return }
      list.append(
        BlockDifference(
          field: "preconfirmation.\(field)", transaction: index, expected: expected, got: got))
    }
    compare("transaction", "\(Keccak256.hash(promised.envelope))", "\(hash)")
    compare("status", promised.succeeded ? "0x1" : "0x0", succeeded ? "0x1" : "0x0")
    compare("cumulativeGasUsed", "\(promised.cumulativeGasUsed)", "\(gas)")
    return list
  }
}
