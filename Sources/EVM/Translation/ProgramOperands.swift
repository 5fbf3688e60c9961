// What the instructions of a program have in common: operands, blocks and exits.
extension Machine {
  /// Checks the stack of a block and pays its gas up to the first exit; false when either is not
  /// possible.
  @inline(__always)
  func pays(
    _ block: FetchedInstruction, _ frame: UnsafeMutablePointer<Frame>,
    _ top: View.Stack, _ base: View.Stack, _ gas: inout Int64
  ) -> Bool {
    let height = UInt(
      bitPattern: View.Stack.keepsResults
        ? top.distance(from: base)
        : top.distance(from: View.Stack(UnsafeMutableRawPointer(frame.pointee.stackBase))))
    let need = UInt(UInt16(bitPattern: block.pointee.a))
    let range = UInt(UInt16(bitPattern: block.pointee.b))
    let cost = Int64(block.pointee.immediate & 0xffff_ffff)
    if height &- need > range || gas < cost { return false }
    gas &-= cost
    return true
  }

  /// Goes on behind an exit that is not taken, and pays for the way to the next one; false when
  /// there is not enough gas.
  @inline(__always)
  func goesOn(
    _ exit: FetchedInstruction, _ next: inout InstructionStream, _ gas: inout Int64
  ) -> Bool {
    next.go(to: exit.target)
    gas &-= exit.gas
    return gas >= 0
  }

  /// The word at a distance in bytes from the top.
  @inline(__always)
  func word(_ top: View.Stack, _ offset: Int16)
    -> View.Stack
  {
    top + Int(offset)
  }

  /// The block of a jump destination.
  @inline(__always)
  func destination(
    _ program: UnsafePointer<Program>, _ target: View.Stack
  ) -> UnsafePointer<Instruction>? {
    let position = target.pointee
    if !position.fitsUInt64 || position.limb0 >= UInt64(program.pointee.codeCount) { return nil }
    let distance = Int(Program.table(program)[Int(position.limb0)])
    if distance == 0 { return nil }
    return (UnsafeRawPointer(Program.instructions(program)) + distance)
      .assumingMemoryBound(to: Instruction.self)
  }

  @inline(__always)
  func copy(_ top: View.Stack, _ source: Int16, _ target: Int16) {
    View.Stack.write(word(top, target), word(top, source)) { $1 }
  }

  /// Operand `a`.
  @inline(__always)
  func first(_ instruction: FetchedInstruction, _ top: View.Stack, _ kept: UInt256) -> UInt256 {
    if View.Stack.keepsResults && instruction.pointee.extra & Instruction.takesFirst != 0 {
      return kept
    }
    return word(top, instruction.pointee.a).pointee
  }

  /// Operand `b`.
  @inline(__always)
  func second(_ instruction: FetchedInstruction, _ top: View.Stack, _ kept: UInt256) -> UInt256 {
    if View.Stack.keepsResults && instruction.pointee.extra & Instruction.takesSecond != 0 {
      return kept
    }
    return word(top, instruction.pointee.b).pointee
  }

  /// Writes a result, or keeps it for the next instruction.
  @inline(__always)
  func put(
    _ value: UInt256, _ instruction: FetchedInstruction, _ top: View.Stack, _ kept: inout UInt256
  ) {
    if View.Stack.keepsResults {
      kept = value
      if instruction.pointee.extra & Instruction.keepsResult != 0 { return }
    }
    word(top, instruction.pointee.d).pointee = value
  }

  @inline(__always)
  func isZero(_ value: UInt256) -> Bool {
    areZero(value.limb0, value.limb1, value.limb2, value.limb3)
  }

  @inline(__always)
  func isEqual(_ first: UInt256, _ second: UInt256) -> Bool {
    areZero(
      first.limb0 ^ second.limb0, first.limb1 ^ second.limb1, first.limb2 ^ second.limb2,
      first.limb3 ^ second.limb3)
  }

  /// The odd factors keep the limbs from being joined into vectors; they do not change which are
  /// zero.
  @inline(__always)
  func areZero(_ l0: UInt64, _ l1: UInt64, _ l2: UInt64, _ l3: UInt64) -> Bool {
    (l0 | (l1 &* 3) | l2 | (l3 &* 5)) == 0
  }

  @inline(__always)
  func isEqual(_ value: UInt256, _ small: UInt64) -> Bool {
    areZero(value.limb0 ^ small, value.limb1, value.limb2, value.limb3)
  }

  @inline(__always)
  func isLess(_ value: UInt256, _ small: UInt64) -> Bool { value < UInt256(small) }

  @inline(__always)
  func isGreater(_ value: UInt256, _ small: UInt64) -> Bool { UInt256(small) < value }

  /// A limb of a left shift by 0 to 63 bits, with what the limb below it loses.
  @inline(__always)
  func spill(_ limb: UInt64, _ below: UInt64, _ bits: UInt64) -> UInt64 {
    (limb &<< bits) | ((below &>> 1) &>> (63 &- bits))
  }

  /// A limb of a right shift by 0 to 63 bits, with what the limb above it loses.
  @inline(__always)
  func drop(_ above: UInt64, _ limb: UInt64, _ bits: UInt64) -> UInt64 {
    (limb &>> bits) | ((above &<< 1) &<< (63 &- bits))
  }
}

extension FetchedInstruction {
  /// Where a jump with a known target goes.
  @inline(__always)
  var target: UnsafePointer<Instruction> {
    (UnsafeRawPointer(address) + pointee.distance).assumingMemoryBound(to: Instruction.self)
  }

  /// What an exit that is not taken pays.
  @inline(__always)
  var gas: Int64 { Int64(UInt16(bitPattern: pointee.d)) }

  /// The limbs of the word of the pool that the immediate names.
  @inline(__always)
  var pool: UnsafePointer<UInt64> {
    (UnsafeRawPointer(address) + Int(truncatingIfNeeded: pointee.immediate))
      .assumingMemoryBound(to: UInt64.self)
  }

  /// The offset in the lowest bits of the immediate.
  @inline(__always)
  var third: Int16 { Int16(truncatingIfNeeded: pointee.immediate) }
}
