/// What a position of the symbolic stack stands for: a word of the stack, by its distance in words
/// from the top at the block's entry, or a constant by its number.
struct SymbolicValue: BitwiseCopyable {
  private let raw: Int32

  @inline(__always)
  init(slot: Int) { raw = Int32(truncatingIfNeeded: slot) }
  @inline(__always)
  init(constant: Int) { raw = Int32(truncatingIfNeeded: constant &+ 1 << 20) }

  @inline(__always)
  var isConstant: Bool { raw >= 1 << 19 }
  /// The slot, when it is not a constant.
  @inline(__always)
  var slot: Int { Int(raw) }
  /// The number of the constant.
  @inline(__always)
  var constant: Int { Int(raw) &- 1 << 20 }

  @inline(__always)
  func isSlot(_ slot: Int) -> Bool { Int(raw) == slot }
}

// The symbolic stack. Position 0 is where the next push goes at the block's entry; the words below
// have negative positions. Slot and position numbers agree at the entry and after a flush.
extension Translator {
  /// Slots reach this far below and above the entry's top: byte offsets stay inside 16 bits.
  static var slotLimit: Int { 1024 }
  static var slotCount: Int { 2 &* slotLimit }

  /// Makes positions from `position` on known; untouched words stand for themselves.
  @inline(__always)
  mutating func reach(_ position: Int) {
    while lowest > position {
      lowest &-= 1
      values[lowest] = SymbolicValue(slot: lowest)
      references[lowest] = 1
    }
    while initialized <= position {
      references[initialized] = 0
      initialized &+= 1
    }
  }

  /// Takes the top value. Its reference is kept until `release`.
  mutating func pop() -> SymbolicValue {
    height &-= 1
    reach(height)
    return values[height]
  }

  mutating func push(_ value: SymbolicValue) {
    reach(height)
    values[height] = value
    retain(value)
    height &+= 1
    if height > highest { highest = height }
  }

  mutating func push(constant: UInt256) { push(self.constant(constant)) }

  mutating func retain(_ value: SymbolicValue) {
    if !value.isConstant { references[value.slot] &+= 1 }
  }

  mutating func release(_ value: SymbolicValue) {
    if !value.isConstant { references[value.slot] &-= 1 }
  }

  mutating func constant(_ word: UInt256) -> SymbolicValue {
    if constantCount == Translator.constantCapacity {
      hasFailed = true
      return SymbolicValue(constant: 0)
    }
    constants[constantCount] = word
    constantCount &+= 1
    return SymbolicValue(constant: constantCount &- 1)
  }

  /// The word of a constant; `nil` for a slot.
  @inline(__always)
  func known(_ value: SymbolicValue) -> UInt256? {
    value.isConstant ? constants[value.constant] : nil
  }

  /// The constant when it fits in 64 bits.
  @inline(__always)
  func small(_ value: SymbolicValue) -> UInt64? {
    if !value.isConstant { return nil }
    let word = constants[value.constant]
    return word.fitsUInt64 ? word.limb0 : nil
  }

  /// The first of `count` slots in a row above the stack that nothing refers to.
  mutating func freeSlots(_ count: Int) -> Int {
    var first = max(height, 0) &+ 1
    var index = 0
    while index < count {
      let slot = first &+ index
      if slot >= Translator.slotLimit &- 1 {
        hasFailed = true
        return 0
      }
      reach(slot)
      if references[slot] != 0 {
        first = slot &+ 1
        index = 0
      } else {
        index &+= 1
      }
    }
    return first
  }

  @inline(__always)
  func offset(_ slot: Int) -> Int16 { Int16(truncatingIfNeeded: slot &* 32) }

  /// Writes a value, constant or not, to a slot.
  mutating func load(_ value: SymbolicValue, into slot: Int) {
    guard let word = known(value) else {
      move(value.slot, to: slot)
      return
    }
    if word.fitsUInt64 {
      emit(Instruction(.loadSmall, d: offset(slot), immediate: word.limb0))
    } else {
      emit(Instruction(.loadWord, d: offset(slot), immediate: pooled(word)))
    }
  }

  /// Copies a slot. Up to three copies in a row are one instruction.
  private mutating func move(_ source: Int, to target: Int) {
    let from = UInt64(UInt16(bitPattern: offset(source)))
    let to = UInt64(UInt16(bitPattern: offset(target)))
    let last = instructionCount &- 1
    if last >= segmentStart && last > mark {
      if instructions[last].operation == .move {
        instructions[last].operation = .move2
        instructions[last].b = offset(source)
        instructions[last].immediate = to
        return
      }
      if instructions[last].operation == .move2 {
        instructions[last].operation = .move3
        instructions[last].immediate |= from << 16 | to << 32
        return
      }
    }
    emit(Instruction(.move, a: offset(source), d: offset(target)))
  }

  /// The value in a slot: constants are loaded into one. Its reference is the caller's.
  mutating func materialize(_ value: SymbolicValue) -> SymbolicValue {
    if !value.isConstant { return value }
    let slot = freeSlots(1)
    load(value, into: slot)
    references[slot] = 1
    return SymbolicValue(slot: slot)
  }

  /// The slot for a result that will be at the top, when the operands are released.
  mutating func resultSlot(_ first: SymbolicValue, _ second: SymbolicValue) -> Int {
    reach(height)
    if references[height] == 0 { return height }
    if !first.isConstant && references[first.slot] == 0 { return first.slot }
    if !second.isConstant && references[second.slot] == 0 { return second.slot }
    return freeSlots(1)
  }

  /// Brings every value to its position.
  ///
  /// A position can be written when nothing refers to its slot any more; what then remains are
  /// cycles, which swaps undo.
  mutating func flush() {
    var position = lowest
    while position < height {
      var target = position
      while references[target] == 0 && !values[target].isConstant {
        let source = values[target].slot
        move(source, to: target)
        values[target] = SymbolicValue(slot: target)
        references[target] = 1
        references[source] &-= 1
        // The source's own position may be free to be written now.
        if source < lowest || source >= height || references[source] != 0 { break }
        target = source
      }
      position &+= 1
    }
    position = lowest
    while position < height {
      let value = values[position]
      if !value.isConstant && !value.isSlot(position) {
        let source = value.slot
        emit(Instruction(.swap, a: offset(source), d: offset(position)))
        var other = lowest
        while other < height {
          if values[other].isSlot(source) {
            values[other] = SymbolicValue(slot: position)
          } else if values[other].isSlot(position) {
            values[other] = SymbolicValue(slot: source)
          }
          other &+= 1
        }
        let count = references[source]
        references[source] = references[position]
        references[position] = count
        // The position is right now; the slot that it came from may begin another move.
      }
      position &+= 1
    }
    position = lowest
    while position < height {
      if values[position].isConstant {
        load(values[position], into: position)
        values[position] = SymbolicValue(slot: position)
        references[position] = 1
      }
      position &+= 1
    }
  }

  /// Writes what leaves the block at an exit, without changing what is known on the way on.
  mutating func exit(to target: UInt256) {
    let count = initialized &- lowest
    (savedValues + lowest).update(from: values + lowest, count: height &- lowest)
    (savedReferences + lowest).update(from: references + lowest, count: count)
    let reached = initialized
    if let position = destination(target) {
      flush()
      emit(Instruction(.jump, d: delta, immediate: UInt64(position)))
    } else {
      emit(Instruction(.invalidJump))
    }
    (values + lowest).update(from: savedValues + lowest, count: height &- lowest)
    (references + lowest).update(from: savedReferences + lowest, count: count)
    initialized = reached
  }

  /// Keeps a slot's value readable through a flush: copies it away when its place will be written.
  mutating func protect(_ value: SymbolicValue) -> SymbolicValue {
    let slot = value.slot
    if slot >= height || slot < lowest || values[slot].isSlot(slot) { return value }
    let copy = freeSlots(1)
    move(slot, to: copy)
    references[slot] &-= 1
    references[copy] = 1
    return SymbolicValue(slot: copy)
  }

  /// Brings the top `count` values to slots in a row, the top one last, and gives the first of
  /// them. `overwrites` tells that the first is written.
  mutating func arrange(_ count: Int, overwrites: Bool) -> Int {
    reach(height &- count)
    let base = height &- count
    var fits = true
    var index = 0
    while index < count {
      let position = base &+ index
      let inPlace = values[position].isSlot(position)
      let limit: UInt16 = inPlace ? (overwrites && index == 0 ? 1 : UInt16.max) : 0
      if references[position] > limit { fits = false }
      index &+= 1
    }
    let first = fits ? base : freeSlots(count)
    index = 0
    while index < count {
      let value = values[base &+ index]
      let slot = first &+ index
      if !value.isSlot(slot) {
        load(value, into: slot)
        release(value)
        values[base &+ index] = SymbolicValue(slot: slot)
        references[slot] = 1
      }
      index &+= 1
    }
    return first
  }
}
