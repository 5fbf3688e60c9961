/// What the interpreter checks before it runs an opcode under one fork.
package struct InstructionCheck: BitwiseCopyable {
  /// Static gas.
  var gas: UInt32
  /// Bytes that the stack must hold; `undefined` marks a byte that the fork lacks.
  var stackNeed: UInt16
  /// The largest allowed height in bytes, less `stackNeed`.
  var stackRange: UInt16

  /// A `stackNeed` that no stack can satisfy: one of 1,024 words has 32,768 bytes.
  static var undefined: UInt16 { UInt16.max }
}

/// The 256 checks of a fork, in memory that the caller owns.
package enum InstructionTable {
  /// Entries in a table.
  package static var count: Int { 256 }

  /// Entries to allocate: one more says which fork the table is for, the fork's schedule is behind it, and
  /// then 128 zero bytes.
  package static var room: Int {
    count &+ 1 &+ scheduleRoom &+ 128 / MemoryLayout<InstructionCheck>.stride
  }

  private static var scheduleRoom: Int {
    (MemoryLayout<GasSchedule>.stride &+ 7) / MemoryLayout<InstructionCheck>.stride
  }

  /// The zeros behind a table that was filled: nobody writes them.
  @inline(__always)
  static func zeros(of table: UnsafeMutablePointer<InstructionCheck>) -> UnsafeMutablePointer<UInt8>
  {
    UnsafeMutableRawPointer(table + (count &+ 1 &+ scheduleRoom)).assumingMemoryBound(
      to: UInt8.self)
  }

  /// The schedule behind a table.
  @inline(__always)
  static func schedule(of table: UnsafeMutablePointer<InstructionCheck>)
    -> UnsafeMutablePointer<GasSchedule>
  {
    UnsafeMutableRawPointer(table + (count &+ 1)).assumingMemoryBound(to: GasSchedule.self)
  }

  /// Marks a table as not filled.
  static func invalidate(_ table: UnsafeMutablePointer<InstructionCheck>) {
    table[count] = InstructionCheck(gas: 0, stackNeed: 0, stackRange: 0)
  }

  #if !hasFeature(Embedded)
    /// A table of a fork in memory of its own, which the caller frees.
    package static func make(_ schedule: GasSchedule) -> UnsafeMutablePointer<InstructionCheck> {
      let table = UnsafeMutablePointer<InstructionCheck>.allocate(capacity: room)
      invalidate(table)
      fill(table, fork: schedule.fork)
      return table
    }
  #endif

  /// Fills a table from the opcode table and a fork's gas schedule, unless it is that already.
  @inline(__always)
  package static func fill(_ table: UnsafeMutablePointer<InstructionCheck>, fork: Fork) {
    if table[count].gas != UInt32(fork.rawValue) &+ 1 { write(table, fork) }
  }

  @inline(never)
  private static func write(_ table: UnsafeMutablePointer<InstructionCheck>, _ fork: Fork) {
    let schedule = GasSchedule(fork)
    self.schedule(of: table).initialize(to: schedule)
    zeros(of: table).update(repeating: 0, count: 128)
    table[count].gas = UInt32(fork.rawValue) &+ 1
    var byte = 0
    while byte < count {
      var check = InstructionCheck(gas: 0, stackNeed: InstructionCheck.undefined, stackRange: 0)
      if byte != Int(Opcode.invalid), let row = OpcodeTable.row(UInt8(truncatingIfNeeded: byte)),
        schedule.fork >= row.since
      {
        let growth = row.pushes &- row.pops
        let highest = growth > 0 ? Frame.stackLimit &- growth : Frame.stackLimit
        check.gas = UInt32(truncatingIfNeeded: schedule.cost(row.gas))
        check.stackNeed = UInt16(truncatingIfNeeded: row.pops &* 32)
        check.stackRange = UInt16(truncatingIfNeeded: (highest &- row.pops) &* 32)
      }
      table[byte] = check
      byte &+= 1
    }
  }
}
