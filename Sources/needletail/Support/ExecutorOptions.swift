import ArgumentParser
import Ethereum
import Execution

/// How blocks are executed.
struct ExecutorOptions: ParsableArguments {
  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case serial, parallel
  }

  @Option(help: "How blocks are executed: serial or parallel. Both give the same outcome.")
  var executor = Kind.serial

  @Option(help: "Threads of the parallel executor. The default is one for each core.")
  var threads: Int?

  @Option(
    help: "Pause at random where threads meet, by this seed: schedules that a quiet machine lacks.")
  var pauses: UInt64?

  @Option(
    help: ArgumentHelp(
      "Run each block so many times by the parallel executor.",
      discussion: "What is read from files is read once. Pauses are others each time."))
  var repeats = 1

  func validate() throws {
    if !(1...1_000_000).contains(repeats) {
      throw ValidationError("--repeats: \(repeats) is not from 1 to 1,000,000")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads: \(threads) is not from 1 to 1024")
    }
    if executor == .serial {
      if threads != nil { throw ValidationError("--threads is for --executor parallel") }
      if pauses != nil { throw ValidationError("--pauses is for --executor parallel") }
      if repeats > 1 { throw ValidationError("--repeats is for --executor parallel") }
    }
  }

  /// Refuses what says twice where blocks are executed.
  func validate(beside devices: DeviceOptions) throws {
    if executor == .parallel, devices.device != .cpu {
      throw ValidationError(
        "--executor parallel is of the CPU's cores: leave out --device \(devices.device) or "
          + "--executor")
    }
  }

  /// An executor of that kind. `isForced` makes a parallel one take blocks that it gains nothing on.
  func make(isForced: Bool = false) -> any HostBlockExecutor {
    switch executor {
    case .serial: return SerialExecutor()
    case .parallel:
      var options = ParallelExecutor.Options(threads: threads)
      options.isForced = isForced || pauses != nil
      let executor = ParallelExecutor(options)
      executor.delays = pauses.map { ScheduleDelays(seed: $0) }
      return executor
    }
  }
}

extension ParallelStatistics {
  /// The statistics in a line, with how many times as long the serial executor took.
  func line(speedUp: Double?) -> String {
    var text =
      "parallel, \(threads) threads: \(transactions) transactions, \(executions) executions, "
      + "\(repetitions) repeated (\(Text.percent(waste)) in vain), \(waits) waits"
    if listedBlocks > 0 { text += ", \(listedBlocks) blocks by their access list" }
    if serialTransactions > 0 {
      text += ", \(serialTransactions) one after the other"
      let reasons = serialBlocks.sorted { $0.key.rawValue < $1.key.rawValue }
        .map { "\($0.value) \($0.key.rawValue)" }
      if !reasons.isEmpty { text += " (\(reasons.joined(separator: ", ")))" }
    }
    if let speedUp { text += ", speed-up \(Text.factor(speedUp))" }
    return text
  }
}

extension ParallelStatistics {
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("threads", UInt64(threads))
      writer.member("executions", UInt64(executions))
      writer.member("repetitions", UInt64(repetitions))
      writer.member("waits", UInt64(waits))
      writer.member("serialTransactions", UInt64(serialTransactions))
      writer.member("listedBlocks", UInt64(listedBlocks))
      writer.key("waste")
      writer.value(waste)
      writer.member("peakBytes", UInt64(peakBytes))
    }
  }
}
