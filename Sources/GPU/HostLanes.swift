import Dispatch
import EVM
import Foundation
package import Kernels
import Synchronization

/// Runs batches on the cores of the host, by the very lanes that a device runs: the reference for
/// it, and what it is compared with.
package final class HostLanes {
  /// The state and its code for this machine.
  private let state: HostState
  private let threads: Int

  /// The most rows that a thread takes at a time.
  private static let largestChunk = 2048

  /// Lanes over an image, on so many threads.
  package init(_ image: StateImage, threads: Int) {
    precondition(threads > 0, "somebody has to do the work")
    state = HostState(image)
    self.threads = threads
  }

  /// Runs the rows with these numbers (all when `nil`), and hands over what came of them in
  /// pieces, one at a time. What exceeds even the largest workspace stays `faulted`.
  package func execute(
    _ columns: BatchColumns, only numbers: [UInt32]? = nil, selection: RecordSelection,
    _ take: (OutcomePiece) -> Void
  ) {
    let order = numbers ?? Array(0..<UInt32(columns.rows.count))
    let outcomes = UnsafeMutablePointer<TransactionOutcome>.allocate(
      capacity: max(columns.rows.count, 1))
    outcomes.initialize(repeating: .pending, count: columns.rows.count)
    defer { outcomes.deallocate() }
    let chunk = max(1, min(Self.largestChunk, order.count / (threads * 4)))
    order.withUnsafeBufferPointer { order in
      let next = Atomic(0)
      let lock = NSLock()
      // Every row is one thread's; `take` is called under the lock, before this function returns.
      let state = state
      nonisolated(unsafe) let outcomes = outcomes
      nonisolated(unsafe) let columns = columns
      nonisolated(unsafe) let order = order
      nonisolated(unsafe) let take = take
      DispatchQueue.concurrentPerform(iterations: threads) { _ in
        var worker = HostWorker(
          state: state, columns: columns, outcomes: outcomes, selection: selection)
        while true {
          let first = next.add(chunk, ordering: .relaxed).oldValue
          if first >= order.count { break }
          let part = UnsafeBufferPointer(
            rebasing: order[first..<min(first + chunk, order.count)])
          worker.run(part) { piece in
            lock.lock()
            take(piece)
            lock.unlock()
          }
        }
        worker.deallocate()
      }
    }
  }
}

/// The blocks of an image in this machine's memory.
final class HostState: @unchecked Sendable {
  let image: StateImage
  let table: StateTable
  let instructions: UnsafeMutablePointer<InstructionCheck>
  private let code: UnsafeMutableRawPointer

  // Read only, once it is made.
  init(_ image: StateImage) {
    self.image = image
    code = .allocate(byteCount: image.codeBlockBytes, alignment: 64)
    image.writeCode(to: code, for: UInt(bitPattern: code))
    table = image.table(
      accounts: UInt(bitPattern: image.accounts.baseAddress),
      slots: UInt(bitPattern: image.slots.baseAddress), code: UInt(bitPattern: code))
    instructions = InstructionTable.make(GasSchedule(image.fork))
  }

  deinit {
    code.deallocate()
    instructions.deallocate()
  }
}

/// The memory of a thread, and its work.
private struct HostWorker {
  private var arguments: TransactionKernel.Arguments
  private let recordsUsed: UnsafeMutablePointer<UInt64>

  /// The largest scale of `WorkspaceSizes.host`: 11 GB of address space.
  private static let largestScale = 64

  init(
    state: HostState, columns: BatchColumns,
    outcomes: UnsafeMutablePointer<TransactionOutcome>, selection: RecordSelection
  ) {
    recordsUsed = .allocate(capacity: 1)
    recordsUsed.initialize(to: 0)
    let capacity = 4 << 20
    let unused = UnsafeRawPointer(recordsUsed)
    arguments = TransactionKernel.Arguments(
      fork: state.image.fork, selection: selection, laneCount: 1, count: 0,
      rows: columns.rows.baseAddress ?? unused.assumingMemoryBound(to: TransactionRow.self),
      bytes: columns.bytes.baseAddress ?? unused,
      environments: columns.environments.baseAddress
        ?? unused.assumingMemoryBound(to: EnvironmentRow.self),
      hashes: columns.hashes.baseAddress
        ?? unused.assumingMemoryBound(to: EnvironmentRow.BlockHash.self),
      table: state.table, instructions: state.instructions, outcomes: outcomes,
      records: .allocate(byteCount: capacity, alignment: 16), recordCapacity: UInt64(capacity),
      recordsUsed: recordsUsed, sizes: HostWorker.sizes)
    arguments.workspaces = Self.workspace(HostWorker.sizes)
  }

  /// Enough for most; small, because each piece of work begins with clearing its tables.
  private static var sizes: WorkspaceSizes {
    var sizes = WorkspaceSizes(
      stackWords: 64 << 10, memoryBytes: 4 << 20, frames: 40, accounts: 512, slots: 3 << 10,
      undoRecords: 16 << 10, logs: 1 << 10, logBytes: 1 << 20, codeBytes: 1 << 20,
      returnBytes: 1 << 20)
    sizes.hashes = 256
    return sizes
  }

  private static func workspace(_ sizes: WorkspaceSizes) -> UnsafeMutableRawPointer {
    .allocate(byteCount: TransactionKernel.stride(sizes), alignment: 4096)
  }

  func deallocate() {
    arguments.records.deallocate()
    arguments.workspaces?.deallocate()
    recordsUsed.deallocate()
  }

  /// Runs rows, those that need more memory again with more.
  mutating func run(_ order: UnsafeBufferPointer<UInt32>, _ take: (OutcomePiece) -> Void) {
    runOnce(order, take)
    var scale = 1
    var left = unfinished(order)
    while !left.isEmpty {
      if left.contains(where: { arguments.outcomes[Int($0)].state == .recordsExhausted }) {
        growRecords()
      }
      var larger = self
      larger.arguments.sizes = .host(scale: scale)
      larger.arguments.workspaces = Self.workspace(larger.arguments.sizes)
      left.withUnsafeBufferPointer { larger.runOnce($0, take) }
      larger.arguments.workspaces?.deallocate()
      if scale == Self.largestScale { return }
      scale *= 4
      left = left.withUnsafeBufferPointer { unfinished($0) }
    }
  }

  private func unfinished(_ order: UnsafeBufferPointer<UInt32>) -> [UInt32] {
    order.filter {
      switch arguments.outcomes[Int($0)].state {
      case .recordsExhausted: true
      case .faulted: arguments.outcomes[Int($0)].status == .workspaceExhausted
      case .done, .pending: false
      }
    }
  }

  /// Room for all that was claimed.
  private mutating func growRecords() {
    arguments.recordCapacity = max(recordsUsed.pointee, arguments.recordCapacity) * 2
    arguments.records.deallocate()
    arguments.records = .allocate(byteCount: Int(arguments.recordCapacity), alignment: 16)
  }

  private mutating func runOnce(
    _ order: UnsafeBufferPointer<UInt32>, _ take: (OutcomePiece) -> Void
  ) {
    arguments.order = order.baseAddress
    arguments.count = order.count
    recordsUsed.pointee = 0
    TransactionKernel.lane(0, &arguments)
    take(
      OutcomePiece(
        numbers: .list(order), outcomes: arguments.outcomes, firstRow: 0,
        records: UnsafeRawBufferPointer(
          start: arguments.records,
          count: Int(min(recordsUsed.pointee, arguments.recordCapacity)))))
  }
}
