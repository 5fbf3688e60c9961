import Coprocessors
import EVM
import Kernels

/// A precompile of curves or big integers on a machine of lanes.
///
/// A request is one lane's. Those of about as much work are neighbours, the largest first, so that a
/// warp's lanes end together; the host does requests of more work than `PrecompileWork.laneLimit`, and
/// what a lane's scratch memory is too small for.
final class PrecompileOperation: LaneOperation {
  let coprocessor: any Coprocessor
  private let precompile: Precompile
  private let work: PrecompileWork

  private var bytes = GrowingMemory()
  private var ends = GrowingMemory()
  private var order = GrowingMemory()
  private var scratch = GrowingMemory()
  private var outputs = GrowingMemory()
  private var counts = GrowingMemory()

  /// The most scratch memory of all lanes together.
  private static let scratchLimit = 4 << 30

  /// The operation of a coprocessor; `nil` where no kernel does its precompile.
  init?(_ coprocessor: any Coprocessor) {
    guard let precompile = coprocessor.precompileAddress.flatMap({ Precompile(rawValue: $0) }),
      let work = PrecompileWork(precompile)
    else { return nil }
    self.coprocessor = coprocessor
    self.precompile = precompile
    self.work = work
  }

  func prepare(_ requests: ByteColumn, on machine: any CoprocessorMachine)
    throws(CoprocessorError) -> PreparedBatch
  {
    let plan = Plan(requests, work)
    let count = plan.order.count
    let scratchBytes = work.scratchBytes(plan.most)
    let resident = try machine.residentLanes(work.kernel)
    let lanes = max(1, min(count, resident, Self.scratchLimit / scratchBytes))
    let outputBytes = work.outputBytes
    let bytes = try self.bytes.room(requests.bytes.count, on: machine)
    let ends = try self.ends.room(requests.count * 8, on: machine)
    let order = try self.order.room(count * 4, on: machine)
    let scratch = try self.scratch.room(lanes * scratchBytes, on: machine)
    let outputs = try self.outputs.room(requests.count * outputBytes, on: machine)
    let counts = try self.counts.room(requests.count * 4, on: machine)
    try machine.upload(requests.bytes, to: bytes)
    try machine.upload(requests.ends, to: ends)
    try machine.upload(plan.order, to: order)
    let arguments = PrecompileKernel.Arguments(
      bytes: UnsafePointer(bytes.pointer(UInt8.self)),
      ends: UnsafePointer(ends.pointer(Int.self)),
      order: UnsafePointer(order.pointer(UInt32.self)), count: count, lanes: lanes,
      precompile: precompile, scratch: UnsafeMutableRawPointer(scratch.pointer(UInt8.self)),
      scratchBytes: scratchBytes, outputs: outputs.pointer(UInt8.self), outputBytes: outputBytes,
      counts: counts.pointer(Int32.self))
    let execute = { [work] () throws(CoprocessorError) in
      if count > 0 { try machine.run(work.kernel, lanes: lanes, with: arguments) }
    }
    let collect = { [coprocessor] () throws(CoprocessorError) -> CoprocessorResults in
      let long = plan.host.results(of: requests, by: coprocessor)
      let found = try machine.download(
        outputs, count: requests.count * outputBytes, as: UInt8.self)
      var codes = try machine.download(counts, count: requests.count, as: Int32.self)
      for row in plan.host.rows { codes[row] = PrecompileKernel.undecided }
      let undecided = HostRows(
        rows: plan.order.map(Int.init).filter { codes[$0] == PrecompileKernel.undecided })
      var byHost: [Int: [UInt8]?] = [:]
      for (row, result) in zip(plan.host.rows, long) { byHost[row] = .some(result) }
      for (row, result) in zip(
        undecided.rows, undecided.results(of: requests, by: coprocessor))
      {
        byHost[row] = .some(result)
      }
      var results = CoprocessorResults(rows: requests.count, bytes: requests.count * outputBytes)
      for (row, code) in codes.enumerated() {
        switch code {
        case PrecompileKernel.undecided: results.append(byHost[row] ?? nil)
        case PrecompileKernel.refused: results.append([UInt8]?.none)
        default: results.append(found[row * outputBytes..<row * outputBytes + Int(code)])
        }
      }
      return results
    }
    return PreparedBatch(
      hostRows: plan.host.rows.count, execute: execute, collect: collect)
  }

  /// Which rows lanes do, and in which order.
  struct Plan {
    /// The rows for lanes, those of most work first.
    let order: [UInt32]
    /// The rows for the host.
    let host: HostRows
    /// The most work of a lane's row.
    let most: Int

    init(_ requests: ByteColumn, _ work: PrecompileWork) {
      var host: [Int] = []
      var rows: [(work: Int, row: UInt32)] = []
      rows.reserveCapacity(requests.count)
      for row in 0..<requests.count {
        let amount = requests.withRow(row) { work.amount($0) }
        if amount > work.laneLimit {
          host.append(row)
        } else {
          rows.append((amount, UInt32(row)))
        }
      }
      let most = rows.reduce(0) { max($0, $1.work) }
      if rows.contains(where: { $0.work != most }) {
        rows.sort { $0.work != $1.work ? $0.work > $1.work : $0.row < $1.row }
      }
      order = rows.map(\.row)
      self.most = most
      self.host = HostRows(rows: host)
    }
  }
}
