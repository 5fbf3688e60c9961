package import CUDA
import Coprocessors
package import EVM
package import Kernels

/// Executes batches on a GPU, in waves: while one runs, the next is uploaded and the one before is
/// fetched. Transactions that call a precompile of curves or big integers are suspended until the wave's
/// calls are done in one batch of its coprocessor (`PrecompileDesk`). What needs more memory runs again on
/// the device in the next class of workspaces; what the device can not do at all is left to the host, and
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
    /// The most bytes of precompiles' calls of a launch: what finds no room waits for the next one.
    package var questionBytes = 256 << 20
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

  /// An executor on a device; `desk` answers calls of precompiles. Without one, lanes do them.
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
          device, capacity: rows, recordBytes: options.recordBytes,
          questionBytes: desk == nil ? 0 : options.questionBytes))
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
    var suspended = SuspendedTransactions(wave.range, fork: job.state.image.fork)
    func takeQuestions() throws(CUDAError) {
      let (words, isShort) = try wave.takeQuestions()
      suspended.take(words, isShort: isShort)
    }
    try takeQuestions()
    var left: [(number: UInt32, status: ExecutionStatus)] = []
    while !rest.isEmpty {
      // Records without room are no reason for larger workspaces.
      var numbers = rest.filter { $0.outcome.state == .recordsExhausted }.map(\.number)
      if !numbers.isEmpty {
        try wave.growRecords()
      } else {
        numbers = answer(rest, of: &suspended, wave, hasAll: size != .local)
        if numbers.isEmpty {
          guard let next = size.next else {
            preconditionFailure("in the largest class a transaction is done, goes on or is left")
          }
          size = next
          numbers = rest.map(\.number)
        }
      }
      // Both are in the same order.
      var index = 0
      let waiting = rest.filter { entry in
        if index == numbers.count || entry.number != numbers[index] { return true }
        index += 1
        return false
      }
      wave.statistics.rerunsOnDevice[size, default: 0] += numbers.count
      try wave.rerun(
        job, numbers, size == .local ? nil : try workspaces(size, lanes: numbers.count),
        suspended.words(numbers), small: desk?.smallPrecompiles ?? 0, shape: shape)
      try numbers.withUnsafeBufferPointer { numbers throws(CUDAError) in
        try wave.finish(.list(numbers), take)
      }
      try takeQuestions()
      rest = (waiting + wave.unfinished(numbers)).filter { entry in
        switch (entry.outcome.state, entry.outcome.status) {
        case (.recordsExhausted, _): return true
        case (.pending, _): return false
        case (_, .workspaceExhausted) where size.next != nil: return true
        case (_, .precompileUnavailable) where size == .local: return true
        case (_, .precompileUnavailable) where desk != nil && !suspended.isAlone(entry.number):
          return true
        case (_, let status):
          left.append((entry.number, status))
          return false
        }
      }
    }
    return left
  }

  /// Has the calls of suspended transactions done; gives those that go on.
  private func answer(
    _ rest: [(number: UInt32, outcome: TransactionOutcome)],
    of suspended: inout SuspendedTransactions, _ wave: Wave, hasAll: Bool
  ) -> [UInt32] {
    let waiting = rest.filter { $0.outcome.status == .precompileUnavailable }.map(\.number)
    guard let desk, !waiting.isEmpty else { return [] }
    do throws(CoprocessorError) {
      let progress = try suspended.answer(waiting, by: desk, hasAll: hasAll)
      wave.statistics.answers.merge(progress.answered, uniquingKeysWith: +)
      return progress.rows
    } catch {
      // Nothing is lost: they run in the kernel that has all precompiles.
      wave.statistics.lostDevices.append("\(name): \(error)")
      suspended.giveUp(waiting)
      return hasAll ? waiting : []
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
