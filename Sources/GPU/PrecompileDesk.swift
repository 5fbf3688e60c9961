package import CUDA
package import Coprocessors
import EVM
import Kernels

/// Answers the questions of suspended transactions: the calls of each precompile are one batch of the
/// coprocessor that `PrecompileRoute` names, a device's from its crossover on, else the CPU's.
///
/// One caller at a time.
package final class PrecompileDesk {
  private let queues: [PrecompileQueue]
  /// Where in `queues` a precompile is, by its number's `PrecompileExchange.bit`.
  private let queueOfBit: [Int?]
  private let lines = PrecompileQueue.Lines()

  /// The precompiles that lanes with many calls do themselves; see `PrecompileExchange`.
  let smallPrecompiles: UInt32

  /// A desk over a machine that nobody else uses, or over the CPU alone.
  package init(_ machine: (any CoprocessorMachine)?, _ calibration: CoprocessorCalibration?) {
    let backEnds = machine.map { LaneBackEnd.all(on: $0) } ?? []
    let routes = PrecompileRoute.all
    queues = routes.map { [lines] route in
      PrecompileQueue(
        route, backEnds.filter { $0.coprocessor == route.coprocessor.name },
        calibration?.coprocessors[route.coprocessor.name], lines)
    }
    queueOfBit = (0..<32).map { bit in
      routes.firstIndex { PrecompileExchange.bit($0.precompile.rawValue) == 1 << UInt32(bit) }
    }
    smallPrecompiles = routes.reduce(0) { set, route in
      route.isSmall ? set | PrecompileExchange.bit(route.precompile.rawValue) : set
    }
  }

  /// A desk over a device with these images of coprocessors' modules, with the crossovers that were
  /// measured on this machine, if any were; over the CPU alone where there is no image.
  package convenience init(_ context: Context, _ images: [KernelImage]) throws(GPUError) {
    var machine: DeviceCoprocessorMachine?
    if !images.isEmpty {
      do throws(CUDAError) {
        machine = try DeviceCoprocessorMachine(context, images)
      } catch {
        throw .cuda(error)
      }
    }
    do throws(CoprocessorError) {
      self.init(machine, try CoprocessorCalibration(path: CoprocessorCalibration.defaultPath))
    } catch {
      throw .coprocessor(error)
    }
  }

  /// What the queues did, by the names of their coprocessors; those that were never asked are not there.
  package var statistics: [String: CoprocessorQueue.Statistics] {
    queues.reduce(into: [:]) { found, queue in
      if let statistics = queue.statistics { found[queue.name] = statistics }
    }
  }

  /// What there was to tell since the last call: devices that failed.
  func takeLines() -> [String] { lines.take() }

  /// The route of a precompile; `nil` where nobody answers its calls.
  func route(_ precompile: UInt16) -> PrecompileRoute? { queue(precompile)?.route }

  private func queue(_ precompile: UInt16) -> PrecompileQueue? {
    guard let index = queueOfBit[PrecompileExchange.bit(precompile).trailingZeroBitCount],
      queues[index].route.precompile.rawValue == precompile
    else { return nil }
    return queues[index]
  }

  /// The answers to questions that begin at some places, in their order.
  /// - Throws: what a queue gives where not even the CPU could do a batch.
  func answers(to questions: [UInt64], at places: [Int], fork: Fork) throws(CoprocessorError)
    -> PrecompileAnswers
  {
    var rows = [[Int]](repeating: [], count: queues.count)
    for (row, place) in places.enumerated() {
      let precompile = UInt16(truncatingIfNeeded: questions[place] >> 32)
      let bit = PrecompileExchange.bit(precompile).trailingZeroBitCount
      guard let queue = queueOfBit[bit] else {
        preconditionFailure("only questions that have a route are asked")
      }
      rows[queue].append(row)
    }
    // All begin before the first one is waited for.
    var batches: [PrecompileQueue.Batch] = []
    for (index, rows) in rows.enumerated() where !rows.isEmpty {
      batches.append(
        try queues[index].begin(questions, rows.map { places[$0] }, rows: rows, fork))
    }
    var counts: [String: Int] = [:]
    var results: [(batch: PrecompileQueue.Batch, results: CoprocessorResults)] = []
    for batch in batches {
      results.append((batch, try batch.results()))
      counts[batch.route.coprocessor.name] = batch.rows.count
    }
    return PrecompileAnswers(results, count: places.count, counts: counts)
  }
}
