#if NEEDLETAIL_DEVICE
  import CDevice
#endif

/// An instruction on its way through the interpreter.
///
/// The host reads each field where it is used. A device has it in registers: there a load takes as long
/// as thirty instructions, and the next one can not begin before.
struct FetchedInstruction {
  let address: UnsafePointer<Instruction>
  #if NEEDLETAIL_DEVICE
    fileprivate let words: ProgramBytes

    @inline(__always)
    fileprivate init(address: UnsafePointer<Instruction>, words: ProgramBytes) {
      self.address = address
      self.words = words
    }

    @inline(__always)
    init(address: UnsafePointer<Instruction>) {
      self.init(address: address, words: ProgramBytes(UnsafeRawPointer(address)))
    }

    @inline(__always)
    var pointee: Instruction { words.instruction }
  #else
    @inline(__always)
    var pointee: Instruction { address.pointee }
  #endif

  /// The word of the pool that the immediate names.
  @inline(__always)
  var poolWord: UInt256 {
    let word = UnsafeRawPointer(address) + Int(truncatingIfNeeded: pointee.immediate)
    #if NEEDLETAIL_DEVICE
      let low = ProgramBytes(word)
      let high = ProgramBytes(word + 16)
      return UInt256(low.low, low.high, high.low, high.high)
    #else
      return word.assumingMemoryBound(to: UInt256.self).pointee
    #endif
  }
}

/// The instructions from some place on. On a device each is loaded while the one before it runs: behind
/// the last one that is a word of the program's pool or table, which nobody uses.
struct InstructionStream {
  private(set) var address: UnsafePointer<Instruction>
  #if NEEDLETAIL_DEVICE
    private var ahead: ProgramBytes
  #endif

  @inline(__always)
  init(at address: UnsafePointer<Instruction>) {
    self.address = address
    #if NEEDLETAIL_DEVICE
      ahead = ProgramBytes(UnsafeRawPointer(address))
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

  /// Goes on behind the head of a block, which is given. Both are on their way at the same time.
  @inline(__always)
  mutating func enter(_ block: UnsafePointer<Instruction>) -> FetchedInstruction {
    let head = FetchedInstruction(address: block)
    go(to: block + 1)
    return head
  }

  /// Goes on elsewhere.
  @inline(__always)
  mutating func go(to target: UnsafePointer<Instruction>) {
    address = target
    #if NEEDLETAIL_DEVICE
      ahead = ProgramBytes(UnsafeRawPointer(target))
    #endif
  }
}

#if NEEDLETAIL_DEVICE
  /// Sixteen bytes of a program, read at once, to which they are aligned: an instruction, or half of a word.
  ///
  /// All warps of a multiprocessor read the same programs, between their own words that fill the cache many
  /// times over.
  private struct ProgramBytes {
    let low: UInt64
    let high: UInt64

    @inline(__always)
    init(_ address: UnsafeRawPointer) {
      let pair = device_read_shared_pair(address)
      low = pair.low
      high = pair.high
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
