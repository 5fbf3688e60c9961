import Coprocessors
import EVM
import Kernels

/// `senders` on a machine of lanes.
///
/// The host looks at no transaction but those that are not clearly whole, and those whose signature
/// meets a special case of addition: it does these again.
final class SendersOperation: LaneOperation {
  let coprocessor: any Coprocessor = SendersCoprocessor()
  private let signatures: SignatureRows
  private var bytes = GrowingMemory()
  private var ends = GrowingMemory()
  private var results = GrowingMemory()
  private var addresses = GrowingMemory()
  private var authorizations = GrowingMemory()
  private var extra = GrowingMemory()

  init(_ generator: GeneratorTable) { signatures = SignatureRows(generator) }

  private static let width = SendersKernel.wordsPerResult * 4

  func prepare(_ requests: ByteColumn, on machine: any CoprocessorMachine)
    throws(CoprocessorError) -> PreparedBatch
  {
    let count = requests.count
    // An authorisation has about a hundred bytes; a batch of shorter ones is the host's in part.
    let capacity = requests.bytes.count / 96
    let bytes = try self.bytes.room(requests.bytes.count, on: machine)
    let ends = try self.ends.room(count * 8, on: machine)
    let results = try self.results.room(count * Self.width, on: machine)
    let addresses = try self.addresses.room((count + capacity) * 20, on: machine)
    let authorizations = try self.authorizations.room(count * 8, on: machine)
    let extra = try self.extra.room(8, on: machine)
    try machine.upload(requests.bytes, to: bytes)
    try machine.upload(requests.ends, to: ends)
    var recover = try signatures.arguments(count: count, extra: capacity, on: machine)
    recover.extra = UnsafePointer(extra.pointer(UInt64.self))
    recover.extraLimit = capacity
    recover.addresses = addresses.pointer(UInt8.self)
    let arguments = SendersKernel.Arguments(
      bytes: UnsafePointer(bytes.pointer(UInt8.self)),
      ends: UnsafePointer(ends.pointer(Int.self)), count: count, rows: recover.rows,
      states: recover.states, extra: extra.pointer(UInt64.self), capacity: capacity,
      authorizations: authorizations.pointer(UInt64.self),
      addresses: UnsafePointer(addresses.pointer(UInt32.self)),
      results: results.pointer(UInt32.self))
    let states = try signatures.states(count + capacity, on: machine)
    let execute = { [recover] () throws(CoprocessorError) in
      try machine.upload([0 as UInt64], to: extra)
      try machine.run(.sendersRead, lanes: count, with: arguments)
      try SignatureRows.recover(recover, total: count + capacity, on: machine)
      try machine.run(.sendersWrite, lanes: count, with: arguments)
    }
    let collect = { [coprocessor] () throws(CoprocessorError) -> CoprocessorResults in
      let found = try machine.download(results, count: count * Self.width, as: UInt8.self)
      let authorized = try machine.download(extra, count: 1, as: UInt64.self)[0]
      let rows = count + min(Int(authorized), capacity)
      let state = try machine.download(states, count: rows, as: UInt8.self)
      if authorized == 0, state.allSatisfy({ $0 == RecoverKernel.State.done }) {
        return CoprocessorResults(width: Self.width, bytes: found)
      }
      let lists =
        authorized == 0
        ? [] : try machine.download(authorizations, count: count, as: UInt64.self)
      let signers =
        authorized == 0 ? [] : try machine.download(addresses, count: rows * 20, as: UInt8.self)
      var outputs = CoprocessorResults(rows: count, bytes: count * Self.width)
      for row in 0..<count {
        let list = lists.isEmpty ? 0 : lists[row]
        let first = Int(list & 0xFFFF_FFFF)
        let places = first..<first + Int(list >> 32)
        let hasSpecialCase = places.contains { state[$0] == RecoverKernel.State.host }
        switch hasSpecialCase ? RecoverKernel.State.host : state[row] {
        case RecoverKernel.State.done where places.isEmpty:
          outputs.append(found[row * Self.width..<(row + 1) * Self.width])
        case RecoverKernel.State.done:
          var result = [UInt8](found[row * Self.width..<(row + 1) * Self.width])
          for place in places {
            let isSigned = state[place] == RecoverKernel.State.done
            result.append(isSigned ? 1 : 0)
            result.append(
              contentsOf: isSigned
                ? signers[place * 20..<place * 20 + 20] : ArraySlice(repeating: 0, count: 20))
          }
          outputs.append(result)
        case RecoverKernel.State.refused: outputs.append([UInt8]?.none)
        default: outputs.append(requests.withRow(row) { coprocessor.reference($0) })
        }
      }
      return outputs
    }
    return PreparedBatch(execute: execute, collect: collect)
  }
}
