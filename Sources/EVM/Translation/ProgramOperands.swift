// What the instructions of a program have in common: operands, blocks and exits.
extension Machine {
  /// Checks the stack of a block and pays its gas up to the first exit; false when either is not
  /// possible.
  @inline(__always)
  func pays(
    _ block: UnsafePointer<Instruction>, _ frame: UnsafeMutablePointer<Frame>,
    _ top: UnsafeMutableRawPointer, _ gas: inout Int64
  ) -> Bool {
    let height =
      UInt(bitPattern: top) &- UInt(bitPattern: UnsafeRawPointer(frame.pointee.stackBase))
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
  func word(_ top: UnsafeMutableRawPointer, _ offset: Int16)
    -> UnsafeMutablePointer<UInt256>
  {
    (top + Int(offset)).assumingMemoryBound(to: UInt256.self)
  }

  /// The block of a jump destination.
  @inline(__always)
  func destination(
    _ program: UnsafePointer<Program>, _ target: UnsafeMutablePointer<UInt64>
  ) -> UnsafePointer<Instruction>? {
    if !areZero(0, target[1], target[2], target[3])
      || target[0] >= UInt64(program.pointee.codeCount)
    {
      return nil
    }
    let distance = Int(Program.table(program)[Int(target[0])])
    if distance == 0 { return nil }
    return (UnsafeRawPointer(Program.instructions(program)) + distance)
      .assumingMemoryBound(to: Instruction.self)
  }

  /// The four limbs of a word.
  ///
  /// The stack's words are read and written limb by limb, always: where the compiler can join two
  /// limbs into one vector load, the load has to wait until the two stores before it have reached
  /// the cache (15 ns measured, instead of 2). So each limb is written before the next is read,
  /// and comparisons treat the limbs unlike.
  @inline(__always)
  func limbs(_ top: UnsafeMutableRawPointer, _ offset: Int16)
    -> UnsafeMutablePointer<UInt64>
  {
    (top + Int(offset)).assumingMemoryBound(to: UInt64.self)
  }

  @inline(__always)
  func copy(_ top: UnsafeMutableRawPointer, _ source: Int16, _ target: Int16) {
    let target = limbs(top, target)
    let source = limbs(top, source)
    target[0] = source[0]
    target[1] = source[1]
    target[2] = source[2]
    target[3] = source[3]
  }

  @inline(__always)
  func exchange(
    _ first: UnsafeMutablePointer<UInt64>, _ second: UnsafeMutablePointer<UInt64>, _ index: Int
  ) {
    let limb = first[index]
    first[index] = second[index]
    second[index] = limb
  }

  @inline(__always)
  func isZero(_ word: UnsafeMutablePointer<UInt64>) -> Bool {
    areZero(word[0], word[1], word[2], word[3])
  }

  @inline(__always)
  func isEqual(_ first: UnsafeMutablePointer<UInt64>, _ second: UnsafePointer<UInt64>)
    -> Bool
  {
    areZero(
      first[0] ^ second[0], first[1] ^ second[1], first[2] ^ second[2], first[3] ^ second[3])
  }

  /// The odd factors keep the limbs from being joined into vectors; they do not change which are
  /// zero.
  @inline(__always)
  func areZero(_ l0: UInt64, _ l1: UInt64, _ l2: UInt64, _ l3: UInt64) -> Bool {
    (l0 | (l1 &* 3) | l2 | (l3 &* 5)) == 0
  }

  @inline(__always)
  func isEqual(_ word: UnsafeMutablePointer<UInt256>, _ small: UInt64) -> Bool {
    let value = word.pointee
    return areZero(value.limb0 ^ small, value.limb1, value.limb2, value.limb3)
  }

  @inline(__always)
  func isLess(_ word: UnsafeMutablePointer<UInt256>, _ small: UInt64) -> Bool {
    word.pointee < UInt256(small)
  }

  @inline(__always)
  func isGreater(_ word: UnsafeMutablePointer<UInt256>, _ small: UInt64) -> Bool {
    UInt256(small) < word.pointee
  }

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

  /// The word of the pool that the immediate names.
  @inline(__always)
  var poolWord: UInt256 {
    (UnsafeRawPointer(address) + Int(truncatingIfNeeded: pointee.immediate))
      .assumingMemoryBound(to: UInt256.self).pointee
  }

  /// The offset in the lowest bits of the immediate.
  @inline(__always)
  var third: Int16 { Int16(truncatingIfNeeded: pointee.immediate) }
}
