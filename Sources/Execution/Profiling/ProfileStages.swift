package import EVM
package import Ethereum

/// Who does the stages of a profiled block that are coprocessors' work as a whole, in place of the
/// core's functions on one core.
package protocol ProfileStages {
  /// The back end's name in the rows.
  var backEnd: String { get }
  /// Recovers the senders of signed transactions as a block holds them; `nil` for those that nobody
  /// signed.
  func senders(_ transactions: [[UInt8]]) throws(ExecutionError) -> ([Address?], StageCost)
  /// The root of a list of transactions or receipts.
  func orderedRoot(_ items: [[UInt8]]) throws(ExecutionError) -> (Hash256, StageCost)
  /// The root of a state.
  func stateRoot(_ state: Allocation) throws(ExecutionError) -> (Hash256, StageCost)
}

/// What a stage took of a device.
package struct StageCost: Sendable {
  /// Nanoseconds from the first launch until all was done.
  package var deviceNanoseconds: UInt64
  /// Bytes to the device and from it.
  package var bytesMoved: Int

  /// A cost from its parts.
  package init(deviceNanoseconds: UInt64, bytesMoved: Int) {
    self.deviceNanoseconds = deviceNanoseconds
    self.bytesMoved = bytesMoved
  }
}

extension ProfileRow {
  /// Gives a part of the host's time to the device that the host waited for.
  mutating func move(_ cost: StageCost, to backEnd: String) {
    self.backEnd = backEnd
    deviceNanoseconds = min(cost.deviceNanoseconds, hostNanoseconds)
    hostNanoseconds -= deviceNanoseconds
    bytesMoved = cost.bytesMoved
  }
}
