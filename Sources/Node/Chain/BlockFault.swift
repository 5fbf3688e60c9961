import EVM
import Ethereum
import Execution
import Foundation
import Storage

/// What a sequencer does wrong when it is told to, so that tests see a watcher find it: set
/// `NEEDLETAIL_FAULT` to `storage:N`, and from block N on a slot's value is wrong after each block in which
/// a contract changes its storage. `storage:N:SLOT` takes the slot with this number alone. With `promise:N`
/// what the feed says of block N while it is made is wrong: the first transaction's outcome.
struct BlockFault {
  private let first: UInt64
  private let isPromise: Bool
  private let slot: UInt256?

  private static let text = ProcessInfo.processInfo.environment["NEEDLETAIL_FAULT"]

  /// The fault that the environment asks for; `nil` for none.
  static var fromEnvironment: BlockFault? { text.flatMap { BlockFault($0) } }

  /// What is wrong with what the environment asks for.
  static var misunderstanding: StorageError? {
    guard let text, BlockFault(text) == nil else { return nil }
    return StorageError(
      .unavailable,
      "NEEDLETAIL_FAULT: \(text) is not storage:N, storage:N:SLOT or promise:N; unset it")
  }

  init?(_ text: String) {
    let parts = text.split(separator: ":").map(String.init)
    guard parts.count == 2 || parts.count == 3 && parts[0] == "storage",
      ["storage", "promise"].contains(parts[0]), let first = UInt64(parts[1])
    else { return nil }
    self.first = first
    isPromise = parts[0] == "promise"
    if parts.count == 3 {
      guard let number = UInt64(parts[2]) else { return nil }
      slot = UInt256(number)
    } else {
      slot = nil
    }
  }

  /// Makes one thing wrong of what is said of a block.
  func apply(to entries: inout [FeedPart.Entry], block: UInt64) {
    if isPromise, block == first, !entries.isEmpty { entries[0].succeeded.toggle() }
  }

  /// The system contracts, which change with every block.
  private static let system: Set<Address> = [
    SystemContracts.beaconRoots, SystemContracts.history, SystemContracts.withdrawalRequests,
    SystemContracts.consolidationRequests,
  ]

  /// Makes one value of a block's changes wrong.
  func apply(to delta: inout StateDelta, block: UInt64) {
    if block < first || isPromise { return }
    for account in delta.accounts where !Self.system.contains(account.address) {
      for index in account.slots
      where delta.slots[index].before != delta.slots[index].after
        && (slot == nil || delta.slots[index].key == slot)
      {
        delta.slots[index].after = delta.slots[index].after ^ UInt256(0xBAD)
        FileHandle.standardError.write(
          Data(
            "fault: block \(block), \(account.address), slot \(delta.slots[index].key)\n".utf8))
        return
      }
    }
  }
}
