package import CUDA
package import Coprocessors
import EVM
import Kernels
import Synchronization

/// Answers the questions of suspended transactions by a coprocessor that has a device's back end: the
/// signatures of ECRECOVER by `recover`. What no device does in batches runs in the kernel `complete`.
///
/// One caller at a time.
package final class PrecompileDesk {
  private let queue: CoprocessorQueue
  private let lines = Lines()

  /// Rows from which on a device is faster, where nobody has calibrated.
  private static let usualCrossover = 256

  /// A desk over a machine that nobody else uses.
  /// - Throws: `refused` when the machine fails the known answers.
  package init(_ machine: any CoprocessorMachine, _ calibration: CoprocessorCalibration?)
    throws(CoprocessorError)
  {
    let registry = try CoprocessorRegistry([RecoverCoprocessor()])
    for backEnd in LaneBackEnd.all(on: machine) where backEnd.coprocessor == "recover" {
      try registry.register(backEnd)
    }
    let measured = calibration?.coprocessors["recover"]
    let lines = lines
    queue = try CoprocessorQueue(
      "recover", of: registry,
      crossover: { name in
        measured?.points[name] == nil ? Self.usualCrossover : measured?.crossover(name)
      },
      log: { line in lines.lines.withLock { $0.append(line) } })
  }

  /// A desk over a device, with the crossover that was measured on this machine, if any was.
  package convenience init(_ context: Context, _ image: KernelImage) throws(GPUError) {
    let machine: DeviceCoprocessorMachine
    do throws(CUDAError) {
      machine = try DeviceCoprocessorMachine(context, image)
    } catch {
      throw .cuda(error)
    }
    do throws(CoprocessorError) {
      try self.init(
        machine, CoprocessorCalibration(path: CoprocessorCalibration.defaultPath))
    } catch {
      throw .coprocessor(error)
    }
  }

  deinit { queue.close() }

  /// What the queue did.
  package var statistics: CoprocessorQueue.Statistics { queue.statistics }

  /// What there was to tell since the last call: devices that failed.
  func takeLines() -> [String] {
    lines.lines.withLock { lines in
      defer { lines = [] }
      return lines
    }
  }

  /// Whether it answers calls of a precompile.
  func answers(_ precompile: UInt16) -> Bool { precompile == Precompile.ecRecover.rawValue }

  /// The answers to calls with these inputs, each as words; see `PrecompileExchange`.
  func answers(to inputs: [[UInt8]]) throws(CoprocessorError) -> [[UInt64]] {
    var requests = ByteColumn(rows: inputs.count, bytes: inputs.count * 97)
    for input in inputs { requests.append(Self.request(input)) }
    let results = try queue.submit(requests).results()
    return inputs.indices.map { row in
      // An input that is no signature succeeds without output.
      guard let signer = results[row] else { return [0] }
      let word = UInt256(bigEndian: signer, count: 20)
      return [32] + [word.limb3, word.limb2, word.limb1, word.limb0].map(\.byteSwapped)
    }
  }

  /// A request of `recover` from the input of a call: the hash, v, r and s in words, with zeros for
  /// missing bytes. No request for no signature: empty, and refused.
  private static func request(_ input: [UInt8]) -> [UInt8] {
    let words = [UInt8](input.prefix(128)) + [UInt8](repeating: 0, count: max(0, 128 - input.count))
    guard words[32..<63].allSatisfy({ $0 == 0 }), words[63] == 27 || words[63] == 28 else {
      return []
    }
    return words[..<32] + words[64..<128] + [words[63] - 27]
  }

  private final class Lines: Sendable {
    let lines = Mutex<[String]>([])
  }
}
