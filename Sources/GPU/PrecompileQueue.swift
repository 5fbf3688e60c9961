import Coprocessors
import EVM
import Kernels
import Synchronization

/// A desk's place for one precompile: its coprocessor's queue, made when the first call comes, and a
/// device's back end, proved when the first batch comes that is large enough for it.
final class PrecompileQueue {
  let route: PrecompileRoute
  private let backEnds: [LaneBackEnd]
  private let measured: CoprocessorCalibration.Measured?
  private let lines: Lines
  private var queue: CoprocessorQueue?
  private var registry: CoprocessorRegistry?
  private var hasDevice = false

  /// What there is to tell.
  final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    func take() -> [String] {
      lines.withLock { lines in
        defer { lines = [] }
        return lines
      }
    }
  }

  /// A place for a route, over back ends of the same coprocessor.
  init(
    _ route: PrecompileRoute, _ backEnds: [LaneBackEnd],
    _ measured: CoprocessorCalibration.Measured?, _ lines: Lines
  ) {
    self.route = route
    self.backEnds = backEnds
    self.measured = measured
    self.lines = lines
  }

  deinit { queue?.close() }

  var name: String { route.coprocessor.name }

  /// What the queue did; `nil` where it was never asked.
  var statistics: CoprocessorQueue.Statistics? { queue?.statistics }

  /// Calls on their way: which rows they are of.
  struct Batch {
    let route: PrecompileRoute
    let rows: [Int]
    let requests: ByteColumn
    let fork: Fork
    let ticket: CoprocessorTicket

    /// Waits. A request that was refused under the newest rules is asked again under the fork's, where
    /// they are others: new rules only ever refuse more (EIP-7823).
    func results() throws(CoprocessorError) -> CoprocessorResults {
      let results = try ticket.results()
      guard case .asItIs = route.answer, fork < PrecompileCoprocessor.rules,
        results.isDone.contains(false)
      else { return results }
      var all = CoprocessorResults(rows: results.count, bytes: results.outputs.bytes.count)
      for row in 0..<results.count {
        all.append(
          results[row]
            ?? requests.withRow(row) {
              PrecompileCoprocessor.reference(route.precompile, $0, fork: fork)
            })
      }
      return all
    }
  }

  /// Hands in the calls whose questions begin at some places.
  func begin(_ questions: [UInt64], _ places: [Int], rows: [Int], _ fork: Fork)
    throws(CoprocessorError) -> Batch
  {
    let queue = try queue(rows: rows.count)
    let requests = requests(questions, places)
    return Batch(
      route: route, rows: rows, requests: requests, fork: fork,
      ticket: try queue.submit(requests))
  }

  private func requests(_ questions: [UInt64], _ places: [Int]) -> ByteColumn {
    var ends: [Int] = []
    ends.reserveCapacity(places.count)
    var end = 0
    for place in places {
      end += route.request?.bytes ?? Int(questions[place + 1])
      ends.append(end)
    }
    let (starts, special) = (ends, route.request)
    let bytes = [UInt8].filled(end) { target in
      ParallelRows.run(places.count) { row in
        questions.withUnsafeBytes { bytes in
          let first = (places[row] + PrecompileExchange.questionWords) * 8
          let input = UnsafeRawBufferPointer(
            rebasing: bytes[first..<first + Int(questions[places[row] + 1])])
          let request = target + (row == 0 ? 0 : starts[row - 1])
          if let special {
            special.write(input, request)
          } else if let base = input.baseAddress {
            UnsafeMutableRawPointer(request).copyMemory(from: base, byteCount: input.count)
          }
        }
      }
    }
    return ByteColumn(bytes: bytes, ends: ends)
  }

  /// The queue, with a device's back end once a batch is large enough for it.
  private func queue(rows: Int) throws(CoprocessorError) -> CoprocessorQueue {
    let (measured, usual) = (measured, route.usualCrossover)
    let crossover = { @Sendable (name: String) in
      measured?.points[name] == nil ? usual : measured?.crossover(name)
    }
    let registry: CoprocessorRegistry
    if let known = self.registry {
      registry = known
    } else {
      registry = try CoprocessorRegistry([route.coprocessor])
      self.registry = registry
    }
    if !hasDevice, let backEnd = backEnds.first, let least = crossover(backEnd.name), rows >= least
    {
      hasDevice = true
      do throws(CoprocessorError) {
        try registry.register(backEnd)
      } catch {
        lines.add("\(name): \(error); the CPU does its batches")
      }
    }
    if let queue { return queue }
    // A wave's calls come together: nothing else is worth a wait.
    var limits = CoprocessorQueue.Limits()
    limits.maximumWait = 0
    let lines = lines
    let made = try CoprocessorQueue(
      name, of: registry, limits: limits, crossover: crossover, log: { lines.add($0) })
    queue = made
    return made
  }
}
