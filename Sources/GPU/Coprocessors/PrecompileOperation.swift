import Coprocessors
import EVM
import Foundation
import Kernels
import Synchronization

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
  private var starts = GrowingMemory()
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
    let resident = try machine.residentLanes(work.kernel)
    let lanes = max(1, min(count, resident, Self.scratchLimit / plan.scratchBytes))
    let bytes = try self.bytes.room(requests.bytes.count, on: machine)
    let ends = try self.ends.room(requests.count * 8, on: machine)
    let order = try self.order.room(count * 4, on: machine)
    let scratch = try self.scratch.room(lanes * plan.scratchBytes, on: machine)
    let outputs = try self.outputs.room(plan.outputBytes, on: machine)
    let starts = try self.starts.room(plan.starts.count * 8, on: machine)
    let counts = try self.counts.room(requests.count * 4, on: machine)
    try machine.upload(requests.bytes, to: bytes)
    try machine.upload(requests.ends, to: ends)
    try machine.upload(plan.order, to: order)
    try machine.upload(plan.starts, to: starts)
    let arguments = PrecompileKernel.Arguments(
      bytes: UnsafePointer(bytes.pointer(UInt8.self)),
      ends: UnsafePointer(ends.pointer(Int.self)),
      order: UnsafePointer(order.pointer(UInt32.self)), count: count, lanes: lanes,
      precompile: precompile, scratch: UnsafeMutableRawPointer(scratch.pointer(UInt8.self)),
      scratchBytes: plan.scratchBytes, outputs: outputs.pointer(UInt8.self),
      outputBytes: work.outputBytes ?? 0,
      starts: plan.starts.isEmpty ? nil : UnsafePointer(starts.pointer(Int.self)),
      counts: counts.pointer(Int32.self))
    let execute = { [work] () throws(CoprocessorError) in
      if count > 0 { try machine.run(work.kernel, lanes: lanes, with: arguments) }
    }
    let collect = { [coprocessor, work] () throws(CoprocessorError) -> CoprocessorResults in
      var byHost: [Int: [UInt8]?] = [:]
      func answer(_ host: HostRows) {
        for (row, result) in zip(host.rows, host.results(of: requests, by: coprocessor)) {
          byHost[row] = .some(result)
        }
      }
      // While the lanes run.
      answer(plan.host)
      let found = try machine.download(outputs, count: plan.outputBytes, as: UInt8.self)
      let codes = try machine.download(counts, count: requests.count, as: Int32.self)
      if byHost.isEmpty, let width = work.outputBytes, codes.allSatisfy({ $0 == Int32(width) }) {
        return CoprocessorResults(width: width, bytes: found)
      }
      let isLeft = Set(plan.host.rows)
      answer(
        HostRows(
          rows: codes.indices.filter {
            codes[$0] == PrecompileKernel.undecided && !isLeft.contains($0)
          }))
      var results = CoprocessorResults(rows: requests.count, bytes: plan.outputBytes)
      for (row, code) in codes.enumerated() {
        if let result = byHost[row] {
          results.append(result)
        } else if code == PrecompileKernel.refused {
          results.append([UInt8]?.none)
        } else {
          let start = plan.starts.isEmpty ? row * (work.outputBytes ?? 0) : plan.starts[row]
          results.append(found[start..<start + Int(code)])
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
    /// Scratch memory of a lane.
    let scratchBytes: Int
    /// Where each row's output begins, where they have different sizes.
    let starts: [Int]
    /// Room for all outputs.
    let outputBytes: Int

    init(_ requests: ByteColumn, _ work: PrecompileWork) {
      let costs = Self.costs(requests, work)
      var host: [Int] = []
      var rows: [(amount: Int, row: UInt32)] = []
      rows.reserveCapacity(requests.count)
      var most = 0
      var isEven = true
      var scratchBytes = 256
      var starts: [Int] = []
      var outputBytes = 0
      for (row, cost) in costs.enumerated() {
        if work.outputBytes == nil { starts.append(outputBytes) }
        if cost.amount > work.laneLimit {
          host.append(row)
          if work.outputBytes == nil { continue }
        } else {
          isEven = isEven && (rows.isEmpty || cost.amount == most)
          most = max(most, cost.amount)
          scratchBytes = max(scratchBytes, cost.scratchBytes)
          rows.append((cost.amount, UInt32(row)))
        }
        outputBytes += cost.outputBytes
      }
      if !isEven {
        rows.sort { $0.amount != $1.amount ? $0.amount > $1.amount : $0.row < $1.row }
      }
      order = rows.map(\.row)
      self.host = HostRows(rows: host)
      self.scratchBytes = scratchBytes
      self.starts = starts
      self.outputBytes = outputBytes
    }

    /// What each request takes, found by all cores.
    private static func costs(_ requests: ByteColumn, _ work: PrecompileWork)
      -> [PrecompileWork.Cost]
    {
      let share = 4096
      let pieces = (requests.count + share - 1) / share
      let parts = Mutex([[PrecompileWork.Cost]](repeating: [], count: pieces))
      Workers.run(pieces, on: ProcessInfo.processInfo.activeProcessorCount) { piece in
        let rows = piece * share..<min(requests.count, (piece + 1) * share)
        let found = rows.map { row in requests.withRow(row) { work.cost($0) } }
        parts.withLock { $0[piece] = found }
      }
      return parts.withLock { $0.flatMap { $0 } }
    }
  }
}
