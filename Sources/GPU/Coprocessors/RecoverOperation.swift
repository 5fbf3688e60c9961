import Coprocessors
import EVM
import Kernels

/// `recover` and `recoverKey` on a machine of lanes.
///
/// The host does again what meets a special case of addition, which only signatures made for it do.
final class RecoverOperation: LaneOperation {
  let coprocessor: any Coprocessor
  private let output: RecoverCoprocessor.Output
  private let signatures: SignatureRows
  private var bytes = GrowingMemory()
  private var ends = GrowingMemory()
  private var results = GrowingMemory()

  init(_ coprocessor: RecoverCoprocessor, _ generator: GeneratorTable) {
    self.coprocessor = coprocessor
    output = coprocessor.output
    signatures = SignatureRows(generator)
  }

  func prepare(_ requests: ByteColumn, on machine: any CoprocessorMachine)
    throws(CoprocessorError) -> PreparedBatch
  {
    let count = requests.count
    let width = output == .address ? 20 : 64
    let bytes = try self.bytes.room(requests.bytes.count, on: machine)
    let ends = try self.ends.room(count * 8, on: machine)
    let results = try self.results.room(count * width, on: machine)
    try machine.upload(requests.bytes, to: bytes)
    try machine.upload(requests.ends, to: ends)
    var filled = try signatures.arguments(count: count, extra: 0, on: machine)
    filled.bytes = UnsafeRawPointer(bytes.pointer(UInt8.self))
    filled.ends = UnsafePointer(ends.pointer(Int.self))
    switch output {
    case .address: filled.addresses = results.pointer(UInt8.self)
    case .publicKey: filled.keys = results.pointer(SIMD2<UInt64>.self)
    }
    let arguments = filled
    let states = try signatures.states(count, on: machine)
    let execute = { () throws(CoprocessorError) in
      try machine.run(.recoverRead, lanes: count, with: arguments)
      try SignatureRows.recover(arguments, total: count, on: machine)
    }
    let collect = { [coprocessor] () throws(CoprocessorError) -> CoprocessorResults in
      let found = try machine.download(results, count: count * width, as: UInt8.self)
      let state = try machine.download(states, count: count, as: UInt8.self)
      if state.allSatisfy({ $0 == RecoverKernel.State.done }) {
        return CoprocessorResults(width: width, bytes: found)
      }
      var outputs = CoprocessorResults(rows: count, bytes: count * width)
      for (row, state) in state.enumerated() {
        switch state {
        case RecoverKernel.State.done:
          outputs.append(found[row * width..<(row + 1) * width])
        case RecoverKernel.State.refused: outputs.append([UInt8]?.none)
        default: outputs.append(requests.withRow(row) { coprocessor.reference($0) })
        }
      }
      return outputs
    }
    return PreparedBatch(execute: execute, collect: collect)
  }
}
