import EVM
import Ethereum
import Execution
import Foundation

/// What a sequencer does wrong when it is told to, so that tests see a watcher find it: set
/// `NEEDLETAIL_FAULT` to `storage:N`, and from block N on a slot's value is wrong after each block in which
/// a contract changes its storage. `storage:N:SLOT` takes the slot with this number alone.
struct BlockFault {
  private let first: UInt64
  private let slot: UInt256?

  /// The fault that the environment asks for; `nil` for none.
  static let fromEnvironment: BlockFault? =
    ProcessInfo.processInfo.environment["NEEDLETAIL_FAULT"].map {
      guard let fault = BlockFault($0) else {
        preconditionFailure("NEEDLETAIL_FAULT: \($0) is not storage:N or storage:N:SLOT")
      }
      return fault
    }

  init?(_ text: String) {
    let parts = text.split(separator: ":").map(String.init)
    guard parts.count == 2 || parts.count == 3, parts[0] == "storage",
      let first = UInt64(parts[1])
    else { return nil }
    self.first = first
    if parts.count == 3 {
      guard let number = UInt64(parts[2]) else { return nil }
      slot = UInt256(number)
    } else {
      slot = nil
    }
  }

  /// The system contracts, which change with every block.
  private static let system: Set<Address> = [
    SystemContracts.beaconRoots, SystemContracts.history, SystemContracts.withdrawalRequests,
    SystemContracts.consolidationRequests,
  ]

  /// Makes one value of a block's changes wrong.
  func apply(to delta: inout StateDelta, block: UInt64) {
    if block < first { return }
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
