/// An instruction on its way through the interpreter.
///
/// The host reads each field where it is used. A device has it in registers: there a load takes as long
/// as thirty instructions, and the next one can not begin before.
struct FetchedInstruction {
  let address: UnsafePointer<Instruction>
  #if NEEDLETAIL_DEVICE
    fileprivate let words: InstructionWords

    @inline(__always)
    var pointee: Instruction { words.instruction }
  #else
    @inline(__always)
    var pointee: Instruction { address.pointee }
  #endif
}

/// The instructions from some place on. On a device each is loaded while the one before it runs: behind
/// the last one that is a word of the program's pool or table, which nobody uses.
struct InstructionStream {
  private(set) var address: UnsafePointer<Instruction>
  #if NEEDLETAIL_DEVICE
    private var ahead: InstructionWords
  #endif

  @inline(__always)
  init(at address: UnsafePointer<Instruction>) {
    self.address = address
    #if NEEDLETAIL_DEVICE
      ahead = InstructionWords(address)
    #endif
  }

  /// The next instruction.
  @inline(__always)
  mutating func take() -> FetchedInstruction {
    #if NEEDLETAIL_DEVICE
      let instruction = FetchedInstruction(address: address, words: ahead)
    #else
      let instruction = FetchedInstruction(address: address)
    #endif
    go(to: address + 1)
    return instruction
  }

  /// Goes on elsewhere.
  @inline(__always)
  mutating func go(to target: UnsafePointer<Instruction>) {
    address = target
    #if NEEDLETAIL_DEVICE
      ahead = InstructionWords(target)
    #endif
  }
}

#if NEEDLETAIL_DEVICE
  /// An instruction's sixteen bytes.
  private struct InstructionWords {
    private let low: UInt64
    private let high: UInt64

    @inline(__always)
    init(_ address: UnsafePointer<Instruction>) {
      // Sixteen bytes at once: instructions are aligned to that.
      let words = UnsafeRawPointer(address).load(as: SIMD2<UInt64>.self)
      low = words[0]
      high = words[1]
    }

    @inline(__always)
    var instruction: Instruction {
      Instruction(
        unsafeBitCast(UInt8(truncatingIfNeeded: low), to: Operation.self),
        extra: UInt8(truncatingIfNeeded: low >> 8), a: Int16(truncatingIfNeeded: low >> 16),
        b: Int16(truncatingIfNeeded: low >> 32), d: Int16(truncatingIfNeeded: low >> 48),
        immediate: high)
    }
  }
#endif
