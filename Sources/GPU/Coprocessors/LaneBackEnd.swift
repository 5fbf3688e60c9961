package import Coprocessors
import EVM
import Foundation
import Kernels

/// A coprocessor's work on a machine of lanes, with the memory that it keeps there.
package protocol LaneOperation: AnyObject {
  /// The coprocessor.
  var coprocessor: any Coprocessor { get }
  /// Puts a batch on the machine.
  func prepare(_ requests: ByteColumn, on machine: any CoprocessorMachine)
    throws(CoprocessorError) -> PreparedBatch
}

/// A batch whose inputs are on the machine.
package struct PreparedBatch {
  /// How many rows the operation leaves to the host, as lanes would take long for them.
  var hostRows = 0
  /// Runs all kernels of the batch; may be called again.
  let execute: () throws(CoprocessorError) -> Void
  /// Waits, and fetches what came of them.
  let collect: () throws(CoprocessorError) -> CoprocessorResults
}

/// A back end whose batches run on a machine of lanes.
///
/// `@unchecked Sendable`: the machine, and the operation with its memory there, are used under the
/// lock only, which all back ends of a machine share.
package final class LaneBackEnd: CoprocessorBackEnd, @unchecked Sendable {
  package let name: String
  package let coprocessor: String
  private let machine: any CoprocessorMachine
  private let operation: any LaneOperation
  private let lock: NSLock
  private var leftRows = 0

  private init(_ machine: any CoprocessorMachine, _ operation: any LaneOperation, _ lock: NSLock) {
    name = machine.name
    coprocessor = operation.coprocessor.name
    self.machine = machine
    self.operation = operation
    self.lock = lock
  }

  /// The back ends of a machine, which nobody else uses any more: one line each.
  package static func all(on machine: any CoprocessorMachine) -> [LaneBackEnd] {
    let generator = GeneratorTable()
    guard let sha256 = CoprocessorRegistry.standard.first(where: { $0.name == "sha256" }) else {
      preconditionFailure("sha256 is a standard coprocessor")
    }
    let calls =
      machine.modules.contains(.precompiles)
      ? PrecompileCoprocessor.all.compactMap { PrecompileOperation($0) } : []
    let lock = NSLock()
    guard machine.modules.contains(.coprocessors) else {
      return calls.map { LaneBackEnd(machine, $0, lock) }
    }
    let operations: [any LaneOperation] = [
      HashOperation(KeccakCoprocessor(), .keccakHash), HashOperation(sha256, .sha256Hash),
      RecoverOperation(RecoverCoprocessor(), generator),
      RecoverOperation(RecoverCoprocessor(gives: .publicKey), generator),
      SendersOperation(generator),
      StateRootOperation(), TrieRootOperation(), OrderedRootOperation(),
    ]
    return (operations + calls).map { LaneBackEnd(machine, $0, lock) }
  }

  /// Rows so far that a lane would have taken long for, so that the host did them beside the lanes.
  package var hostRows: Int { lock.withLock { leftRows } }

  package func run(_ requests: ByteColumn) throws(CoprocessorError) -> CoprocessorResults {
    if requests.count == 0 { return CoprocessorResults() }
    return try withLock { () throws(CoprocessorError) in
      let batch = try operation.prepare(requests, on: machine)
      try batch.execute()
      leftRows += batch.hostRows
      return try batch.collect()
    }
  }

  /// Does a batch and tells what it took: nanoseconds of its kernels, and bytes that were copied.
  package func watchedRun(_ requests: ByteColumn) throws(CoprocessorError)
    -> (results: CoprocessorResults, deviceNanoseconds: UInt64, bytesMoved: Int)
  {
    if requests.count == 0 { return (CoprocessorResults(), 0, 0) }
    return try withLock { () throws(CoprocessorError) in
      let before = machine.bytesMoved
      let batch = try operation.prepare(requests, on: machine)
      try machine.finish()
      let start = DispatchTime.now().uptimeNanoseconds
      try batch.execute()
      try machine.finish()
      let time = DispatchTime.now().uptimeNanoseconds - start
      return (try batch.collect(), time, machine.bytesMoved - before)
    }
  }

  /// Nanoseconds of a batch whose inputs are on the machine and whose results stay there, once for
  /// each of `samples`; the batch has run before.
  package func residentTimes(_ requests: ByteColumn, samples: Int)
    throws(CoprocessorError) -> [Double]
  {
    try withLock { () throws(CoprocessorError) in
      let batch = try operation.prepare(requests, on: machine)
      var times: [Double] = []
      for sample in 0...samples {
        try machine.finish()
        let start = DispatchTime.now().uptimeNanoseconds
        try batch.execute()
        try machine.finish()
        if sample > 0 { times.append(Double(DispatchTime.now().uptimeNanoseconds - start)) }
      }
      return times
    }
  }

  /// How many of `pairs` random numbers the machine's own arithmetic and its portable twin give
  /// different results for.
  package func differencesOfFields(pairs: Int, seed: UInt64) throws(CoprocessorError) -> Int {
    var random = RequestGenerator(seed: seed)
    var words: [UInt64] = []
    words.reserveCapacity(pairs * 8)
    for _ in 0..<pairs * 8 {
      // Runs of ones and zeros meet the carries.
      switch random.next(below: 8) {
      case 0: words.append(0)
      case 1: words.append(~0)
      case 2: words.append(0xFFFF_FFFE_FFFF_FC2F)
      default: words.append(random.next())
      }
    }
    return try withLock { [words] () throws(CoprocessorError) in
      let numbers = try machine.memory(bytes: words.count * 8)
      let differences = try machine.memory(bytes: pairs)
      try machine.upload(words, to: numbers)
      try machine.run(
        .fieldCheck, lanes: pairs,
        with: FieldCheckKernel.Arguments(
          numbers: UnsafePointer(numbers.pointer(SIMD2<UInt64>.self)), count: pairs,
          differences: differences.pointer(UInt8.self)))
      return try machine.download(differences, count: pairs, as: UInt8.self).count { $0 != 0 }
    }
  }

  private func withLock<Result>(
    _ body: () throws(CoprocessorError) -> Result
  ) throws(CoprocessorError) -> Result {
    lock.lock()
    defer { lock.unlock() }
    return try body()
  }
}
