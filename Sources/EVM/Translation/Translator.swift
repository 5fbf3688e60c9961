/// Turns byte code into a `Program`, one basic block after the other.
///
/// A block has one entry and many exits: it follows jumps to known places, the return from a
/// function that it called among them, and goes on behind a JUMPI where that is not taken. Within
/// it the stack is followed symbolically: PUSH, DUP, SWAP and POP move nothing, they only change
/// which word or constant a position stands for. An operation reads its operands where they are and
/// writes its result, where possible, to the place that it has at the end. What is not in its place
/// where the block is left is moved there.
///
/// The stack bounds of all of a block, and the static gas up to its first exit, are checked at its
/// head; when the check fails the plain interpreter goes on from there and finds the exact place
/// and reason. Each exit that is not taken pays for the way to the next one: when the gas does not
/// suffice for that, the frame would end before it, as everything on the way is executed. An opcode
/// that reads the state is such an exit, too, so that a frame which runs out of gas has read exactly
/// what it would have read otherwise (EIP-7928 makes that visible).
///
/// The scratch memory is the caller's. Running out of it, or code beyond the limits, gives no
/// program, and the code is interpreted plainly.
public struct Translator {
  /// Code longer than this is not translated: distances stay inside 32 bits.
  public static var codeLimit: Int { 1 << 18 }

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
  let savedValues: UnsafeMutablePointer<SymbolicValue>
  let savedReferences: UnsafeMutablePointer<UInt16>
  let constants: UnsafeMutablePointer<UInt256>
  var constantCount = 0
  var lowest = 0
  var initialized = 0
  var height = 0
  var highest = 0
  var blockStart = 0
  var blockPosition = 0
  /// The jump destinations that the blocks since the last root have run through.
  let passed: UnsafeMutablePointer<Int>
  var passedCount = 0
  var rootStart = 0

  // The way to the next exit: the instruction that pays for it, and its static gas.
  var payer = 0
  var segmentStart = 0
  /// The last instruction that is jumped over: what follows may not be joined to it.
  var mark = 0
  var segmentGas: Int64 = 0

  /// Bytes of scratch memory for code of this length.
  public static func scratchBytes(_ count: Int) -> Int {
    instructionCapacity(count) &* Instruction.size &+ poolCapacity(count) &* 32 &+ count &* 4
      &+ slotCount &* 12 &+ passedLimit &* 8 &+ constantCapacity &* 32
      &+ InstructionTable.room &* MemoryLayout<InstructionCheck>.stride &+ 1024
  }

  private static func instructionCapacity(_ count: Int) -> Int { count &* 8 &+ 1024 }
  private static func poolCapacity(_ count: Int) -> Int { count &+ 64 }
  /// Jump destinations that a block may run through.
  private static var passedLimit: Int { 32 }
  /// How often a block may run through one of them: a loop's body, or a function that it calls.
  private static var repeatLimit: Int { 3 }
  /// Instructions from a root on after which a block ends at the next jump destination.
  private static var rootLimit: Int { 100 }
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
      let savedValues = arena.allocate(SymbolicValue.self, count: Translator.slotCount),
      let savedReferences = arena.allocate(UInt16.self, count: Translator.slotCount),
      let passed = arena.allocate(Int.self, count: Translator.passedLimit),
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
    self.savedValues = savedValues + Translator.slotLimit
    self.savedReferences = savedReferences + Translator.slotLimit
    self.passed = passed
    self.constants = constants
    InstructionTable.invalidate(checks)
    InstructionTable.fill(checks, fork: fork)
    self.checks = UnsafePointer(checks)
    table.update(repeating: 0, count: count &+ 1)
  }

  /// Translates; gives the bytes that the program takes, or `nil`.
  public mutating func translate() -> Int? {
    // The table has no other use for 0, so that the entry's block is the second instruction.
    emit(Instruction(.invalidJump))
    translate(root: 0)
    var position = 0
    while position < count && !hasFailed {
      if isJumpDestination(position) && table[position] == 0 { translate(root: position) }
      position &+= 1
    }
    if hasFailed { return nil }
    return Program.bytes(instructions: instructionCount, pool: poolCount, code: count)
  }

  func isJumpDestination(_ position: Int) -> Bool {
    (jumpDestinations[position >> 3] >> UInt8(position & 7)) & 1 != 0
  }

  /// Translates from the code's beginning or a jump destination on, until nothing can follow or
  /// another root goes on.
  private mutating func translate(root: Int) {
    rootStart = instructionCount
    passedCount = 0
    beginBlock(root)
    if root < count && code[root] == Opcode.jumpdest {
      table[root] = UInt32(truncatingIfNeeded: instructionCount &- 1)
    }
    var position = root
    while !hasFailed {
      if position >= count {
        emit(Instruction(.stop))
        endBlock()
        return
      }
      let opcode = code[position]
      if opcode == Opcode.jumpdest {
        if position != root || passedCount > 0 {
          if mustEnd(at: position) {
            flush()
            emit(Instruction(.jump, d: delta, immediate: UInt64(position)))
            endBlock()
            return
          }
        }
        if passedCount < Translator.passedLimit {
          passed[passedCount] = position
          passedCount &+= 1
        }
        segmentGas &+= Int64(checks[Int(opcode)].gas)
        position &+= 1
        continue
      }
      // A block reaches 1,024 words down at most, and DUPN and its like 235 at once.
      if isBlockFull || (StackOperand.follows(opcode) && lowest < -700) {
        fallThrough()
        beginBlock(position)
      }
      switch translate(opcode, at: position) {
      case .next:
        position &+= 1
        if opcode >= Opcode.push1 && opcode <= Opcode.push32 {
          position &+= Int(opcode &- Opcode.push1) &+ 1
        } else if StackOperand.follows(opcode) {
          position &+= 1
        }
      case .jump(let target):
        position = target
      case .end:
        return
      }
    }
  }

  /// Whether a block has to end where it comes to a jump destination, instead of running on.
  private func mustEnd(at position: Int) -> Bool {
    if passedCount == Translator.passedLimit { return true }
    if instructionCount &- rootStart > Translator.rootLimit { return true }
    // Blocks that end at every jump destination take less than four instructions a byte.
    if instructionCount > count &* 4 { return true }
    var repeats = 0
    var index = 0
    while index < passedCount {
      if passed[index] == position { repeats &+= 1 }
      index &+= 1
    }
    return repeats >= Translator.repeatLimit
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
      if instruction.operation == .jump {
        let block = Int(table[Int(instruction.immediate)])
        instruction.immediate = UInt64(
          UInt32(bitPattern: Int32(truncatingIfNeeded: (block &- index) &* Instruction.size)))
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
      || segmentGas > 30000 || instructionCount &- blockStart > 4000
  }

  mutating func beginBlock(_ position: Int) {
    blockStart = instructionCount
    blockPosition = position
    lowest = 0
    initialized = 0
    height = 0
    highest = 0
    constantCount = 0
    blockCount &+= 1
    beginSegment(paidBy: instructionCount)
    emit(Instruction(.block))
  }

  /// Begins the way to the next exit.
  mutating func beginSegment(paidBy payer: Int) {
    self.payer = payer
    segmentStart = instructionCount
    mark = instructionCount &- 1
    segmentGas = 0
  }

  /// Ends a way: its payer and those who want to know the exact gas learn its static gas.
  mutating func endSegment() {
    switch instructions[payer].operation {
    case .block:
      instructions[payer].immediate = UInt64(segmentGas) | UInt64(blockPosition) << 32
    case .access, .storageLoad:
      instructions[payer].immediate = UInt64(segmentGas)
    default:
      instructions[payer].d = Int16(truncatingIfNeeded: segmentGas)
    }
    var index = segmentStart
    while index < instructionCount {
      switch instructions[index].operation {
      case .general, .gas, .keccak:
        // They hold the gas of the way up to them; what they need is the gas after them.
        instructions[index].immediate = UInt64(segmentGas) &- instructions[index].immediate
      default: break
      }
      index &+= 1
    }
  }

  /// Writes the head of the block, now that it is known.
  mutating func endBlock() {
    endSegment()
    let need = -lowest
    let range = Frame.stackLimit &- highest &- need
    let head = instructions + blockStart
    if range < 0 {
      // No stack can do this: the plain interpreter says where it fails.
      head.pointee.a = -1
      head.pointee.b = 0
    } else {
      head.pointee.a = Int16(truncatingIfNeeded: need &* 32)
      head.pointee.b = Int16(truncatingIfNeeded: range &* 32)
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
