/// The sizes of the memory that a transaction may use.
public struct WorkspaceSizes: BitwiseCopyable, Sendable {
  /// Stack words, all frames together.
  public var stackWords: Int
  /// Bytes of memory, all frames together, with initialisation code and scratch.
  public var memoryBytes: Int
  /// Nested frames; there is one record more, for a message that needs no frame.
  public var frames: Int
  /// Accounts touched.
  public var accounts: Int
  /// Storage slots and transient slots touched.
  public var slots: Int
  /// Changes that can be undone.
  public var undoRecords: Int
  /// Log records.
  public var logs: Int
  /// Bytes of log data.
  public var logBytes: Int
  /// Bytes of code deployed.
  public var codeBytes: Int
  /// Bytes of the largest return data.
  public var returnBytes: Int
  /// Hashes of 64 bytes to remember: a power of two. 104 bytes each.
  public var hashes = 16

  /// Sizes for a host with virtual memory: pages cost nothing until they are touched.
  ///
  /// `scale` multiplies everything that a transaction can exhaust; depth and stack are complete
  /// already at scale 1.
  public static func host(scale: Int) -> WorkspaceSizes {
    var sizes = WorkspaceSizes(
      stackWords: 1026 &* 1024, memoryBytes: (64 << 20) &* scale, frames: 1026,
      accounts: (16 << 10) &* scale, slots: (48 << 10) &* scale,
      undoRecords: (128 << 10) &* scale, logs: (32 << 10) &* scale,
      logBytes: (16 << 20) &* scale, codeBytes: (16 << 20) &* scale,
      returnBytes: (32 << 20) &* scale)
    sizes.hashes = 2048
    return sizes
  }

  /// Sizes, each as its property says.
  public init(
    stackWords: Int, memoryBytes: Int, frames: Int, accounts: Int, slots: Int, undoRecords: Int,
    logs: Int, logBytes: Int, codeBytes: Int, returnBytes: Int
  ) {
    self.stackWords = stackWords
    self.memoryBytes = memoryBytes
    self.frames = frames
    self.accounts = accounts
    self.slots = slots
    self.undoRecords = undoRecords
    self.logs = logs
    self.logBytes = logBytes
    self.codeBytes = codeBytes
    self.returnBytes = returnBytes
  }

  /// Slots of the journal's table: a power of two, at least twice the entries.
  var tableSlots: Int {
    var slots = 16
    while slots < (self.slots &+ accounts) &* 2 { slots &<<= 1 }
    return slots
  }

  /// Bytes that a workspace of these sizes takes.
  public var bytes: Int {
    func rounded(_ count: Int, _ stride: Int) -> Int { (count &* stride &+ 31) & ~15 }
    var total = rounded(stackWords, MemoryLayout<UInt256>.stride)
    total &+= rounded(memoryBytes, 1)
    total &+= rounded(frames &+ 1, MemoryLayout<Frame>.stride)
    total &+= rounded(accounts, MemoryLayout<AccountEntry>.stride)
    total &+= rounded(slots, MemoryLayout<SlotEntry>.stride)
    total &+= rounded(tableSlots &+ 1, MemoryLayout<UInt64>.stride)
    total &+= rounded(undoRecords, MemoryLayout<UndoRecord>.stride)
    total &+= rounded(logs, MemoryLayout<LogRecord>.stride)
    total &+= rounded(logBytes, 1)
    total &+= rounded(codeBytes, 1)
    total &+= rounded(returnBytes, 1)
    total &+= rounded(hashes, MemoryLayout<HashMemo.Entry>.stride)
    total &+= rounded(InstructionTable.room, MemoryLayout<InstructionCheck>.stride)
    total &+= rounded(1, MemoryLayout<Workspace.Constants>.stride)
    total &+= 512
    return total
  }
}

/// The memory of one transaction at a time, carved out of one block that the caller owns.
public struct Workspace: BitwiseCopyable {
  /// The parts that a machine works in.
  struct Areas: BitwiseCopyable {
    let stack: UnsafeMutablePointer<UInt256>
    let stackEnd: UnsafeMutablePointer<UInt256>
    let memory: UnsafeMutablePointer<UInt8>
    let memoryEnd: UnsafeMutablePointer<UInt8>
    let frames: UnsafeMutablePointer<Frame>
    let frameCount: Int
    let returnData: UnsafeMutablePointer<UInt8>
    let returnCapacity: Int
    let instructions: UnsafeMutablePointer<InstructionCheck>
    let hashes: HashMemo
    /// The modulus that MULMOD met last.
    let lastModulus: UnsafeMutablePointer<LastModulus>
    /// 128 zero bytes: the code of an account without code.
    let zeros: UnsafeMutablePointer<UInt8>
  }

  /// What the lanes of a device's block share.
  package struct Constants: BitwiseCopyable {
    private var areas: Areas
    private var journal: Journal.Places

    /// Where its parts are.
    @inline(__always)
    static func places(_ constants: UnsafeMutablePointer<Constants>)
      -> (areas: UnsafeMutablePointer<Areas>, journal: UnsafeMutablePointer<Journal.Places>)
    {
      let raw = UnsafeMutableRawPointer(constants)
      return (
        raw.assumingMemoryBound(to: Areas.self),
        (raw + MemoryLayout<Areas>.stride).assumingMemoryBound(to: Journal.Places.self)
      )
    }
  }

  let areas: Lasting<Areas>
  /// How a machine's journal begins.
  var journal: Journal

  /// Carves a workspace; `nil` when the block is smaller than `sizes.bytes`.
  ///
  /// Nothing is asked of the block's contents.
  public init?(base: UnsafeMutableRawPointer, capacity: Int, sizes: WorkspaceSizes) {
    self.init(base: base, capacity: capacity, sizes: sizes, instructions: nil)
  }

  /// As above, with a table of instructions that many workspaces share: the machine must be of the
  /// fork for which it was filled.
  package init?(
    base: UnsafeMutableRawPointer, capacity: Int, sizes: WorkspaceSizes,
    instructions shared: UnsafeMutablePointer<InstructionCheck>?
  ) {
    var arena = Arena(base: base, capacity: capacity)
    self.init(carving: &arena, sizes: sizes, instructions: shared)
    if arena.isExhausted { return nil }
    journal.clearTable()
  }

  /// As above out of an arena; not to be used when that is exhausted afterwards. `constants` is memory in
  /// which all workspaces of these sizes that have it see the same; the arena's, if there is none.
  @inline(__always)
  package init(
    carving arena: inout Arena, sizes: WorkspaceSizes,
    instructions shared: UnsafeMutablePointer<InstructionCheck>?,
    constants given: UnsafeMutablePointer<Constants>? = nil
  ) {
    let constants = given ?? arena.take(Constants.self, count: 1)
    let (areaPlace, journalPlace) = Constants.places(constants)
    // What every transaction uses lies together; the stack, of which most use little, comes last.
    let frames = arena.take(Frame.self, count: sizes.frames &+ 1)
    let lastModulus = arena.take(LastModulus.self, count: 1)
    let hashes = HashMemo(
      arena.take(HashMemo.Entry.self, count: sizes.hashes), count: sizes.hashes)
    journal = Journal(arena: &arena, sizes: sizes, at: journalPlace)
    let returnData = arena.take(UInt8.self, count: sizes.returnBytes)
    let memory = arena.take(UInt8.self, count: sizes.memoryBytes)
    let instructions =
      shared ?? arena.take(InstructionCheck.self, count: InstructionTable.room)
    let stack = arena.take(UInt256.self, count: sizes.stackWords)
    areas = Lasting(
      Areas(
        stack: stack, stackEnd: stack + sizes.stackWords, memory: memory,
        memoryEnd: memory + sizes.memoryBytes, frames: frames, frameCount: sizes.frames,
        returnData: returnData, returnCapacity: sizes.returnBytes, instructions: instructions,
        hashes: hashes, lastModulus: lastModulus, zeros: InstructionTable.zeros(of: instructions)),
      at: areaPlace)
    if sizes.frames < 0 { arena.exhaust() }
    if arena.isExhausted { return }
    lastModulus.pointee.forget()
    hashes.clear()
    if shared == nil { InstructionTable.invalidate(instructions) }
  }
}
