import Coprocessors
import EVM
import Kernels

/// `keccak256` and `sha256` on a machine of lanes.
///
/// Messages of about as many blocks are neighbours, so that a warp's lanes end together; the host hashes
/// messages of more than `laneLimit` bytes, which one lane would take long for.
final class HashOperation: LaneOperation {
  let coprocessor: any Coprocessor
  private let kernel: CoprocessorKernel
  /// The longest message of a lane. A lane does some 30 MB/s, a core 500.
  static let laneLimit = 1 << 15

  private var bytes = GrowingMemory()
  private var ends = GrowingMemory()
  private var order = GrowingMemory()
  private var hashes = GrowingMemory()

  /// A coprocessor whose results are hashes of 32 bytes, and the kernel that has its arguments in
  /// common with `KeccakKernel`.
  init(_ coprocessor: any Coprocessor, _ kernel: CoprocessorKernel) {
    self.coprocessor = coprocessor
    self.kernel = kernel
  }

  func prepare(_ requests: ByteColumn, on machine: any CoprocessorMachine)
    throws(CoprocessorError) -> PreparedBatch
  {
    let plan = Plan(requests)
    let host = HostRows(rows: plan.long)
    let bytes = try self.bytes.room(requests.bytes.count, on: machine)
    let ends = try self.ends.room(requests.count * 8, on: machine)
    let hashes = try self.hashes.room(requests.count * 32, on: machine)
    if plan.isLong {
      // Only what lanes read; the places stay.
      for run in plan.runs(requests) {
        try requests.bytes.withUnsafeBufferPointer { all throws(CoprocessorError) in
          try machine.upload(
            UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(all)[run]), to: bytes,
            at: run.lowerBound)
        }
      }
    } else {
      try machine.upload(requests.bytes, to: bytes)
    }
    try machine.upload(requests.ends, to: ends)
    var order: (any CoprocessorMemory)?
    if let rows = plan.order {
      let memory = try self.order.room(rows.count * 4, on: machine)
      try machine.upload(rows, to: memory)
      order = memory
    }
    let count = plan.order?.count ?? requests.count
    let arguments = KeccakKernel.Arguments(
      bytes: UnsafeRawPointer(bytes.pointer(UInt8.self)),
      ends: UnsafePointer(ends.pointer(Int.self)),
      order: order.map { UnsafePointer($0.pointer(UInt32.self)) }, count: count,
      hashes: hashes.pointer(SIMD2<UInt64>.self))
    let execute = { [kernel] () throws(CoprocessorError) in
      try machine.run(kernel, lanes: count, with: arguments)
    }
    let collect = { [coprocessor] () throws(CoprocessorError) -> CoprocessorResults in
      let long = host.results(of: requests, by: coprocessor)
      var results = try machine.download(hashes, count: requests.count * 32, as: UInt8.self)
      for (row, hash) in zip(host.rows, long) {
        // Every message has a hash.
        if let hash { results.replaceSubrange(row * 32..<row * 32 + 32, with: hash) }
      }
      return CoprocessorResults(width: 32, bytes: results)
    }
    return PreparedBatch(hostRows: host.rows.count, execute: execute, collect: collect)
  }

  /// Which rows lanes do, and in which order.
  struct Plan {
    /// The rows for lanes; `nil` for all as they are.
    let order: [UInt32]?
    /// The rows for the host.
    let long: [Int]

    /// Whether any row is the host's.
    var isLong: Bool { !long.isEmpty }

    init(_ requests: ByteColumn) {
      // Rows by their number of blocks, the longest first; one class more for the host's.
      var counts = [Int](repeating: 0, count: HashOperation.laneLimit / 136 + 2)
      var start = 0
      for end in requests.ends {
        counts[Self.blocks(end - start)] += 1
        start = end
      }
      let beyond = counts.count - 1
      if counts[beyond] == 0, counts.contains(requests.count) {
        order = nil
        long = []
        return
      }
      var next = 0
      for place in counts.indices.dropLast().reversed() {
        let count = counts[place]
        counts[place] = next
        next += count
      }
      var long: [Int] = []
      var order = [UInt32](repeating: 0, count: next)
      start = 0
      for (row, end) in requests.ends.enumerated() {
        let place = Self.blocks(end - start)
        start = end
        if place == beyond {
          long.append(row)
        } else {
          order[counts[place]] = UInt32(row)
          counts[place] += 1
        }
      }
      self.order = order
      self.long = long
    }

    /// The class of a length.
    private static func blocks(_ length: Int) -> Int {
      length > HashOperation.laneLimit ? HashOperation.laneLimit / 136 + 1 : length / 136
    }

    /// The bytes between the host's rows.
    func runs(_ requests: ByteColumn) -> [Range<Int>] {
      var runs: [Range<Int>] = []
      var start = 0
      for row in long {
        let range = requests.range(row)
        if start < range.lowerBound { runs.append(start..<range.lowerBound) }
        start = range.upperBound
      }
      if start < requests.bytes.count { runs.append(start..<requests.bytes.count) }
      return runs
    }
  }
}
