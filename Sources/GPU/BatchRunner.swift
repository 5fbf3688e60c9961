import CUDA
import EVM
import Execution
import Foundation
package import Kernels

/// Executes batches where the user asked for: on the GPUs of this host, which share each batch, or
/// on its cores. What a device can not do runs on the cores instead, and is counted.
package final class BatchRunner {
  /// How batches are executed.
  package struct Options: Sendable {
    /// A transaction with a higher gas limit is the host's.
    package var gasCeiling = UInt64.max
    /// Threads of the host.
    package var hostThreads = ProcessInfo.processInfo.activeProcessorCount
    /// The fewest transactions that one of several devices takes at a time.
    package var shareRows = 4096

    /// The defaults.
    package init() {}
  }

  /// The devices that can be used; those that fail leave.
  private var devices: [any LaneExecutor]
  /// Whether the host's cores are what was asked for, not a substitute.
  private let isHost: Bool
  private let options: Options

  /// A runner on these devices; on the host's cores when there is none.
  package init(_ devices: [any LaneExecutor], options: Options = Options()) {
    self.devices = devices
    self.options = options
    isHost = devices.isEmpty
  }

  /// The devices in use by name, and their lanes.
  package var places: [(name: String, lanes: Int)] {
    isHost
      ? [("cpu", options.hostThreads)] : devices.map { ($0.name, $0.laneCount) }
  }

  /// Executes a batch on a state.
  package func run(_ batch: TransactionBatch, on image: StateImage, selection: RecordSelection)
    throws(BatchError) -> BatchResult
  {
    var result = BatchResult(count: batch.count)
    if batch.count == 0 { return result }
    try batch.withColumns { columns throws(BatchError) in
      if isHost {
        runOnHost(nil, columns, image, selection, &result)
        result.statistics.transactions = batch.count
        return
      }
      let numbers = columns.rows.indices.filter { !isAboveCeiling($0, columns) }.map(UInt32.init)
      if numbers.count < batch.count {
        let all = Set(numbers)
        for number in 0..<UInt32(batch.count) where !all.contains(number) {
          result.onHost[number] = .gasLimit
        }
      }
      try runOnDevices(numbers, columns, image, selection, &result)
      result.statistics.transactions = batch.count
      if result.onHost.isEmpty { return }
      for reason in result.onHost.values {
        result.statistics.rerunsOnHost[reason, default: 0] += 1
      }
      runOnHost(result.onHost.keys.sorted(), columns, image, selection, &result)
    }
    return result
  }

  /// Whether a transaction could run for too long: a limit that the block does not have is refused
  /// at once, and is no danger.
  private func isAboveCeiling(_ index: Int, _ columns: BatchColumns) -> Bool {
    let row = columns.rows[index]
    return row.gasLimit > options.gasCeiling
      && row.gasLimit <= columns.environments[Int(row.environment)].gasAvailable
  }

  private func runOnHost(
    _ numbers: [UInt32]?, _ columns: BatchColumns, _ image: StateImage,
    _ selection: RecordSelection, _ result: inout BatchResult
  ) {
    HostLanes(image, threads: options.hostThreads)
      .execute(columns, only: numbers, selection: selection) { result.outcome.take($0) }
  }

  private func runOnDevices(
    _ numbers: [UInt32], _ columns: BatchColumns, _ image: StateImage,
    _ selection: RecordSelection, _ result: inout BatchResult
  ) throws(BatchError) {
    let rows = numbers.map { columns.rows[Int($0)] }
    var chosen = columns
    let share = rows.withUnsafeBufferPointer { rows in
      chosen.rows = rows
      let share = SharedBatch(
        chosen, numbers, selection, into: result,
        step: devices.count > 1
          ? max(options.shareRows, rows.count / (devices.count * 4)) : max(rows.count, 1))
      if devices.count == 1 {
        share.work(devices[0], image)
      } else {
        // A device is one thread's; the image is only read.
        nonisolated(unsafe) let devices = devices
        nonisolated(unsafe) let image = image
        nonisolated(unsafe) let share = share
        _ = Threads.map(devices.count, jobs: devices.count) { share.work(devices[$0], image) }
      }
      return share
    }
    if let failure = share.failure { throw failure }
    result = share.result
    devices.removeAll { device in share.lost.contains { $0 === device } }
    var pending = 0
    for (position, number) in numbers.enumerated()
    where result.outcome.outcomes[Int(number)].state != .done && result.onHost[number] == nil {
      if share.isLost(position) { result.onHost[number] = .deviceLost } else { pending += 1 }
    }
    if pending > 0 { throw .overBudget(pending: pending, of: numbers.count) }
  }
}

/// A batch that devices take parts of, each in a thread of its own.
///
/// All that changes is used under the lock.
private final class SharedBatch {
  /// The transactions for devices, in the order of `numbers`.
  private let columns: BatchColumns
  /// Their numbers in the whole batch.
  private let numbers: [UInt32]
  private let selection: RecordSelection
  /// Rows that are taken at a time.
  private let step: Int
  private let lock = NSLock()
  private var next = 0
  private var lostRanges: [Range<Int>] = []
  private(set) var result: BatchResult
  private(set) var lost: [any LaneExecutor] = []
  private(set) var failure: BatchError?

  init(
    _ columns: BatchColumns, _ numbers: [UInt32], _ selection: RecordSelection,
    into result: BatchResult, step: Int
  ) {
    self.columns = columns
    self.numbers = numbers
    self.selection = selection
    self.result = result
    self.step = step
  }

  /// Whether the row at a position was in the hands of a device that failed, or of none.
  func isLost(_ position: Int) -> Bool {
    position >= next || lostRanges.contains { $0.contains(position) }
  }

  /// Takes parts for a device, until there is none.
  func work(_ device: any LaneExecutor, _ image: StateImage) {
    var range = 0..<0
    do throws(CUDAError) {
      if numbers.isEmpty { return }
      try device.load(image)
      while let part = claim() {
        range = part
        try execute(part, device)
      }
    } catch {
      lock.withLock {
        guard error.losesContext else {
          failure = failure ?? .device(name: device.name, error)
          return
        }
        lost.append(device)
        lostRanges.append(range)
        result.statistics.lostDevices.append("\(device.name): \(error)")
      }
    }
  }

  private func claim() -> Range<Int>? {
    lock.withLock {
      if next >= numbers.count || failure != nil { return nil }
      let range = next..<min(next + step, numbers.count)
      next = range.upperBound
      return range
    }
  }

  private func execute(_ range: Range<Int>, _ device: any LaneExecutor) throws(CUDAError) {
    var part = columns
    part.rows = UnsafeBufferPointer(rebasing: columns.rows[range])
    part.bytes = UnsafeRawBufferPointer(
      rebasing: columns.bytes[..<columns.byteRange(range).upperBound])
    let numbers = numbers[range]
    let done = try device.execute(part, selection: selection) { piece in
      lock.withLock {
        result.outcome.take(piece) { Int(numbers[numbers.startIndex + $0]) }
      }
    }
    lock.withLock {
      result.statistics.add(done.statistics)
      for (row, status) in done.left {
        result.onHost[numbers[numbers.startIndex + Int(row)]] = HostReason(status)
      }
    }
  }
}
