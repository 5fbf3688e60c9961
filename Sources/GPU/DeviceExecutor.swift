package import CUDA
import Coprocessors
package import EVM
package import Kernels

/// Executes batches on a GPU, in waves: while one runs, the next is uploaded and the one before is
/// fetched. Transactions that wait for a signature are suspended until the wave's are recovered in one
/// batch (`PrecompileDesk`). What needs more memory, or another heavy precompile, runs again on the
/// device in the next class of workspaces; what the device can not do at all is left to the host, and
/// counted.
package final class DeviceExecutor: LaneExecutor {
  /// How batches are cut and launched.
  package struct Options: Sendable {
    /// Lanes of a block.
    package var threads = 128
    /// Blocks for each multiprocessor; `nil` for as many as fit.
    package var blocksPerMultiprocessor: Int?
    /// Rows of a wave.
    package var waveRows = 1 << 18
    /// Waves under way at once.
    package var waves = 3
    /// Bytes of records to expect of a transaction; more makes launches run again.
    package var recordBytes = 1 << 10
    /// After this time lanes take no further transactions, and the launch counts as stopped.
    package var budget = Duration.seconds(30)

    /// The defaults.
    package init() {}
  }

  private let device: TransactionDevice
  private let options: Options
  private let desk: PrecompileDesk?
  private var waves: [Wave] = []
  private var workspaces: [WorkspaceClass: DeviceWorkspaces] = [:]
  private let shape: LaunchShape

  /// An executor on a device; `desk` answers calls of precompiles that its lanes lack.
  package init(
    _ device: TransactionDevice, options: Options = Options(), desk: PrecompileDesk? = nil
  ) throws(CUDAError) {
    self.device = device
    self.options = options
    self.desk = desk
    let resident = try device.light.residentBlocks(threads: options.threads)
    let blocks = options.blocksPerMultiprocessor ?? resident
    let multiprocessors = try device.context.device.attribute(.multiprocessorCount)
    shape = LaunchShape(
      lanes: options.threads * max(blocks, 1) * multiprocessors, threads: options.threads)
  }

  package var name: String { "cuda:\(device.context.device.ordinal)" }

  package var laneCount: Int { shape.threads }

  package func load(_ image: StateImage) throws(CUDAError) { try device.load(image) }

  package func execute(
    _ columns: BatchColumns, selection: RecordSelection, _ take: (OutcomePiece) -> Void
  ) throws(CUDAError) -> (
    statistics: BatchStatistics, left: [(number: UInt32, status: ExecutionStatus)]
  ) {
    guard let state = device.state else {
      preconditionFailure("a state is loaded before a batch is executed")
    }
    let job = try DeviceJob(
      state, columns, selection, budget: options.budget, device.context)
    let count = columns.rows.count
    let rows = min(options.waveRows, max(count, 1))
    let parts = stride(from: 0, to: count, by: rows).map { $0..<min($0 + rows, count) }
    if waves.first.map({ $0.capacity < rows }) ?? true { waves = [] }
    while waves.count < min(options.waves, parts.count) {
      waves.append(
        try Wave(
          device, capacity: rows, recordBytes: options.recordBytes, asksQuestions: desk != nil))
    }
    var statistics = BatchStatistics()
    var left: [(number: UInt32, status: ExecutionStatus)] = []
    for index in 0..<parts.count + max(waves.count - 1, 0) {
      if index < parts.count {
        try waves[index % waves.count].begin(job, parts[index], shape: shape)
      }
      let done = index - (waves.count - 1)
      if done >= 0 {
        left += try finish(waves[done % waves.count], job, take)
        statistics.add(waves[done % waves.count].statistics)
      }
    }
    statistics.lostDevices += desk?.takeLines() ?? []
    return (statistics, left)
  }

  private func finish(_ wave: Wave, _ job: DeviceJob, _ take: (OutcomePiece) -> Void)
    throws(CUDAError) -> [(number: UInt32, status: ExecutionStatus)]
  {
    try wave.finish(.range(wave.range), take)
    // What is still pending was cut off by the time budget: to run it again would wait again.
    var rest = wave.unfinished(nil).filter { $0.outcome.state != .pending }
    var size = WorkspaceClass.local
    var suspended = SuspendedTransactions(wave.range)
    suspended.take(try wave.takeQuestions())
    var left: [(number: UInt32, status: ExecutionStatus)] = []
    while !rest.isEmpty {
      // Records without room are no reason for larger workspaces.
      let short = rest.filter { $0.outcome.state == .recordsExhausted }
      var numbers = rest.map(\.number)
      var waiting: [(number: UInt32, outcome: TransactionOutcome)] = []
      if !short.isEmpty {
        try wave.growRecords()
        numbers = short.map(\.number)
        waiting = rest.filter { $0.outcome.state != .recordsExhausted }
      } else if size == .local, let answered = answer(rest, of: &suspended, wave) {
        numbers = answered
        // Both are in the same order.
        var next = 0
        waiting = rest.filter { entry in
          if next == answered.count || entry.number != answered[next] { return true }
          next += 1
          return false
        }
      } else if let next = size.next {
        size = next
      }
      wave.statistics.rerunsOnDevice[size, default: 0] += numbers.count
      try wave.rerun(
        job, numbers, size == .local ? nil : try workspaces(size, lanes: numbers.count),
        size == .local ? suspended.words(numbers) : nil, shape: shape)
      try numbers.withUnsafeBufferPointer { numbers throws(CUDAError) in
        try wave.finish(.list(numbers), take)
      }
      if size == .local {
        suspended.take(try wave.takeQuestions())
      }
      rest = (waiting + wave.unfinished(numbers)).filter { entry in
        switch (entry.outcome.state, entry.outcome.status) {
        case (.recordsExhausted, _): return true
        case (.pending, _): return false
        case (_, .workspaceExhausted) where size.next != nil: return true
        case (_, .precompileUnavailable) where size == .local: return true
        case (_, let status):
          left.append((entry.number, status))
          return false
        }
      }
    }
    return left
  }

  /// Has the calls of suspended transactions done; gives those that go on, `nil` where there are none.
  private func answer(
    _ rest: [(number: UInt32, outcome: TransactionOutcome)],
    of suspended: inout SuspendedTransactions, _ wave: Wave
  ) -> [UInt32]? {
    guard let desk else { return nil }
    let waiting = rest.filter { $0.outcome.status == .precompileUnavailable }.map(\.number)
    do throws(CoprocessorError) {
      let answered = try suspended.answer(waiting, by: desk)
      wave.statistics.suspended += answered.count
      return answered.isEmpty ? nil : answered
    } catch {
      // Nothing is lost: they run in the kernel that has all precompiles.
      wave.statistics.lostDevices.append("\(name): \(error)")
      return nil
    }
  }

  private func workspaces(_ size: WorkspaceClass, lanes: Int) throws(CUDAError)
    -> DeviceWorkspaces
  {
    if let found = workspaces[size], found.lanes >= min(lanes, size.lanes) { return found }
    workspaces[size] = nil
    let made = try DeviceWorkspaces(size, lanes: lanes, device.context)
    workspaces[size] = made
    return made
  }
}
