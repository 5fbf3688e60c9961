/// Turns byte code into a `Program`, one basic block after the other.
///
/// Within a block the stack is followed symbolically: PUSH, DUP, SWAP and POP move nothing, they
/// only change which word or constant a position stands for. An operation reads its operands where
/// they are and writes its result, where possible, to the place that it has at the end. What is not
/// in its place when the block ends is moved there. A block's static gas and stack bounds are
/// checked once, at its head; when the check fails the plain interpreter goes on from there and
/// finds the exact place and reason.
///
/// The scratch memory is the caller's. Running out of it, or code beyond the limits, gives no
/// program, and the code is interpreted plainly.
public struct Translator {
  /// Code longer than this is not translated: distances stay inside 32 bits.
  public static var codeLimit: Int { 1 << 22 }

  let code: UnsafePointer<UInt8>
  let count: Int
  let checks: UnsafePointer<InstructionCheck>
  let fork: Fork
  let jumpDestinations: UnsafePointer<UInt8>

  let instructions: UnsafeMutablePointer<Instruction>
  let instructionCapacity: Int
  var instructionCount = 0
  let pool: UnsafeMutablePointer<UInt256>
  let poolCapacity: Int
  var poolCount = 0
  /// For each byte of code the number of its block's first instruction, or 0.
  let table: UnsafeMutablePointer<UInt32>
  var hasFailed = false
  var blockCount = 0

  // The block at hand; see Translator+Stack.
  let values: UnsafeMutablePointer<SymbolicValue>
  let references: UnsafeMutablePointer<UInt16>
  let constants: UnsafeMutablePointer<UInt256>
  var constantCount = 0
  var lowest = 0
  var initialized = 0
  var height = 0
  var highest = 0
  var blockStart = 0
  var blockPosition = 0
  var blockGas: Int64 = 0

  /// Bytes of scratch memory for code of this length.
  public static func scratchBytes(_ count: Int) -> Int {
    instructionCapacity(count) &* Instruction.size &+ poolCapacity(count) &* 32 &+ count &* 4
      &+ slotCount &* 6 &+ constantCapacity &* 32
      &+ InstructionTable.room &* MemoryLayout<InstructionCheck>.stride &+ 1024
  }

  private static func instructionCapacity(_ count: Int) -> Int { count &* 4 &+ 64 }
  private static func poolCapacity(_ count: Int) -> Int { count &+ 16 }
  static var constantCapacity: Int { 2048 }

  /// A translator of mapped code for a fork; `nil` when the scratch memory is smaller than
  /// `scratchBytes` or the code is longer than the limit.
  public init?(
    _ code: Code, fork: Fork, scratch: UnsafeMutableRawPointer, capacity: Int
  ) {
    if code.count > Translator.codeLimit { return nil }
    var arena = Arena(base: scratch, capacity: capacity)
    instructionCapacity = Translator.instructionCapacity(code.count)
    poolCapacity = Translator.poolCapacity(code.count)
    guard let constants = arena.allocate(UInt256.self, count: Translator.constantCapacity),
      let pool = arena.allocate(UInt256.self, count: poolCapacity),
      let instructions = arena.allocate(Instruction.self, count: instructionCapacity),
      let checks = arena.allocate(InstructionCheck.self, count: InstructionTable.room),
      let values = arena.allocate(SymbolicValue.self, count: Translator.slotCount),
      let references = arena.allocate(UInt16.self, count: Translator.slotCount),
      let table = arena.allocate(UInt32.self, count: code.count &+ 1)
    else { return nil }
    self.code = code.bytes
    count = code.count
    jumpDestinations = code.jumpDestinations
    self.fork = fork
    self.instructions = instructions
    self.pool = pool
    self.table = table
    self.values = values + Translator.slotLimit
    self.references = references + Translator.slotLimit
    self.constants = constants
    InstructionTable.invalidate(checks)
    InstructionTable.fill(checks, schedule: GasSchedule(fork))
    self.checks = UnsafePointer(checks)
    table.update(repeating: 0, count: count &+ 1)
  }

  /// Translates; gives the bytes that the program takes, or `nil`.
  public mutating func translate() -> Int? {
    // Where invalid jumps go: the table has no other use for 0.
    emit(Instruction(.invalidJump))
    var position = 0
    var isReachable = true
    beginBlock(0)
    while position < count {
      let opcode = code[position]
      if opcode == Opcode.jumpdest {
        // A block that begins here has nothing in it yet.
        if !isReachable || blockPosition != position {
          if isReachable { fallThrough() }
          beginBlock(position)
        }
        isReachable = true
        table[position] = UInt32(truncatingIfNeeded: blockStart)
        blockGas &+= Int64(checks[Int(opcode)].gas)
        position &+= 1
        continue
      }
      if isReachable {
        if isBlockFull {
          fallThrough()
          beginBlock(position)
        }
        isReachable = translate(opcode, at: position)
        if hasFailed { return nil }
      }
      position &+= 1
      if opcode >= Opcode.push1 && opcode <= Opcode.push32 {
        position &+= Int(opcode &- Opcode.push1) &+ 1
      }
    }
    if isReachable {
      emit(Instruction(.stop))
      endBlock()
    }
    if hasFailed { return nil }
    return Program.bytes(instructions: instructionCount, pool: poolCount, code: count)
  }

  /// Writes the program to `target`, of as many bytes as `translate` said, aligned to 16.
  public func write(to target: UnsafeMutableRawPointer) {
    target.storeBytes(
      of: Program(
        fork: fork, codeCount: count, instructionCount: instructionCount, poolCount: poolCount,
        blockCount: blockCount),
      as: Program.self)
    let first = (target + Program.headerBytes).assumingMemoryBound(to: Instruction.self)
    var index = 0
    while index < instructionCount {
      var instruction = instructions[index]
      if instruction.operation.isStaticJump {
        let place = UInt32(truncatingIfNeeded: instruction.immediate)
        let block = Int(table[Int(place)])
        let distance = Int32(truncatingIfNeeded: (block &- index) &* Instruction.size)
        instruction.immediate =
          instruction.immediate & 0xffff_ffff_0000_0000
          | UInt64(UInt32(bitPattern: distance))
      } else if instruction.operation.readsPool {
        let place = Int(truncatingIfNeeded: instruction.immediate)
        instruction.immediate = UInt64(
          (instructionCount &- index) &* Instruction.size &+ place &* 32)
      }
      first[index] = instruction
      index &+= 1
    }
    let words = UnsafeMutableRawPointer(first + instructionCount)
      .assumingMemoryBound(to: UInt256.self)
    words.update(from: pool, count: poolCount)
    let distances = UnsafeMutableRawPointer(words + poolCount)
      .assumingMemoryBound(to: UInt32.self)
    index = 0
    while index < count {
      distances[index] = table[index] &* UInt32(Instruction.size)
      index &+= 1
    }
  }

  // MARK: Blocks

  /// Whether the block has to end before the limits of its tables are reached.
  private var isBlockFull: Bool {
    height > 900 || lowest < -900 || constantCount &+ 40 > Translator.constantCapacity
      || blockGas > 1 << 30 || instructionCount &- blockStart > 4000
  }

  mutating func beginBlock(_ position: Int) {
    blockStart = instructionCount
    blockPosition = position
    blockGas = 0
    lowest = 0
    initialized = 0
    height = 0
    highest = 0
    constantCount = 0
    blockCount &+= 1
    emit(Instruction(.block))
  }

  /// Writes the head of the block, now that it is known.
  mutating func endBlock() {
    let need = -lowest
    let range = Frame.stackLimit &- highest &- need
    let head = instructions + blockStart
    head.pointee.immediate = UInt64(blockGas) | UInt64(blockPosition) << 32
    if range < 0 {
      // No stack can do this: the plain interpreter says where it fails.
      head.pointee.a = -1
      head.pointee.b = 0
    } else {
      head.pointee.a = Int16(truncatingIfNeeded: need &* 32)
      head.pointee.b = Int16(truncatingIfNeeded: range &* 32)
    }
    var index = blockStart
    while index < instructionCount {
      switch instructions[index].operation {
      case .general, .gas, .storageLoad, .keccak:
        // They hold the block's gas up to them; what they need is the gas after them.
        instructions[index].immediate = UInt64(blockGas) &- instructions[index].immediate
      default: break
      }
      index &+= 1
    }
  }

  /// Ends the block where the code just goes on.
  mutating func fallThrough() {
    flush()
    if height != 0 { emit(Instruction(.advance, d: delta)) }
    endBlock()
  }

  /// What the block moves the top of the stack by, in bytes.
  var delta: Int16 { Int16(truncatingIfNeeded: height &* 32) }

  mutating func emit(_ instruction: Instruction) {
    if instructionCount == instructionCapacity {
      hasFailed = true
      return
    }
    instructions[instructionCount] = instruction
    instructionCount &+= 1
  }

  /// The number of a word in the pool; the last few are looked at for the same.
  mutating func pooled(_ word: UInt256) -> UInt64 {
    var index = poolCount &- 1
    while index >= 0 && index >= poolCount &- 16 {
      if pool[index] == word { return UInt64(index) }
      index &-= 1
    }
    if poolCount == poolCapacity {
      hasFailed = true
      return 0
    }
    pool[poolCount] = word
    poolCount &+= 1
    return UInt64(poolCount &- 1)
  }
}
