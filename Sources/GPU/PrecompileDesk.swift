package import CUDA
package import Coprocessors
import EVM
import Foundation
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
      machine = try DeviceCoprocessorMachine(context, [image])
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

  /// Words of an answer: the bytes of output, and the output of one word.
  static let wordsPerAnswer = 5

  /// The answers to questions that begin at some places, `wordsPerAnswer` for each; see
  /// `PrecompileExchange`.
  func answers(to questions: [UInt64], at places: [Int]) throws(CoprocessorError) -> [UInt64] {
    let requests = ByteColumn(
      width: Self.requestSize,
      bytes: Self.filled(places.count, Self.requestSize) { row, request in
        questions.withUnsafeBytes { bytes in
          let input = (places[row] + PrecompileExchange.questionWords) * 8
          let count = Int(questions[places[row] + 1])
          Self.write(UnsafeRawBufferPointer(rebasing: bytes[input..<input + count]), to: request)
        }
      })
    let results = try queue.submit(requests).results()
    let outputs = results.outputs
    return Self.filled(places.count, Self.wordsPerAnswer) { row, answer in
      answer.update(repeating: 0, count: Self.wordsPerAnswer)
      // An input that is no signature succeeds without output.
      if !results.isDone[row] { return }
      let word = outputs.withRow(row) { UInt256(bigEndian: $0.baseAddress!, count: $0.count) }
      answer[0] = 32
      answer[1] = word.limb3.byteSwapped
      answer[2] = word.limb2.byteSwapped
      answer[3] = word.limb1.byteSwapped
      answer[4] = word.limb0.byteSwapped
    }
  }

  /// Bytes of a request of `recover`.
  private static let requestSize = 97

  /// Writes a request from the input of a call: the hash, v, r and s in words, with zeros for missing
  /// bytes. A v that there is not becomes a parity that is refused.
  private static func write(
    _ input: UnsafeRawBufferPointer, to request: UnsafeMutablePointer<UInt8>
  ) {
    request.update(repeating: 0, count: requestSize)
    var isParity = true
    var v: UInt8 = 0
    for (index, byte) in input.prefix(128).enumerated() {
      switch index {
      case ..<32: request[index] = byte
      case ..<63: isParity = isParity && byte == 0
      case 63: v = byte
      default: request[index - 32] = byte
      }
    }
    request[96] = isParity && (v == 27 || v == 28) ? v - 27 : 0xFF
  }

  /// Rows of the same size, each written by one of several threads.
  private static func filled<Element: BitwiseCopyable>(
    _ rows: Int, _ width: Int, _ write: @Sendable (Int, UnsafeMutablePointer<Element>) -> Void
  ) -> [Element] {
    [Element](unsafeUninitializedCapacity: rows * width) { target, filled in
      nonisolated(unsafe) let base = target.baseAddress
      let piece = 4096
      Workers.run((rows + piece - 1) / piece, on: ProcessInfo.processInfo.activeProcessorCount) {
        index in
        guard let base else { return }
        for row in index * piece..<min(rows, (index + 1) * piece) { write(row, base + row * width) }
      }
      filled = rows * width
    }
  }

  private final class Lines: Sendable {
    let lines = Mutex<[String]>([])
  }
}
