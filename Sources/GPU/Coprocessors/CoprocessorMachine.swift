package import Coprocessors
import EVM
import Kernels

/// The kernels of the modules `coprocessors` and `precompiles`, by the names of their entry points.
package enum CoprocessorKernel: String, CaseIterable, Sendable {
  case keccakHash = "keccak_hash"
  case sha256Hash = "sha256_hash"
  case recoverTable = "recover_table"
  case recoverRead = "recover_read"
  case recoverScalars = "recover_scalars"
  case recoverCombine = "recover_combine"
  case recoverFinish = "recover_finish"
  case sendersRead = "senders_read"
  case sendersWrite = "senders_write"
  case trieEmpty = "trie_empty"
  case trieCommon = "trie_common"
  case trieCount = "trie_count"
  case trieFill = "trie_fill"
  case trieLeaves = "trie_leaves"
  case trieStart = "trie_start"
  case trieBranches = "trie_branches"
  case trieAnyCommon = "trie_any_common"
  case trieAnyCount = "trie_any_count"
  case trieAnyFill = "trie_any_fill"
  case trieAnyLeaves = "trie_any_leaves"
  case trieAnyBranches = "trie_any_branches"
  case trieProve = "trie_prove"
  case trieFind = "trie_find"
  case trieStore = "trie_store"
  case trieMove = "trie_move"
  case trieInsert = "trie_insert"
  case fieldCheck = "field_check"
  case bn254Pairing = "bn254_pairing"
  case bls12381 = "bls12381"
  case modExp = "modexp"

  /// Which module has it.
  var module: KernelModule {
    switch self {
    case .bn254Pairing, .bls12381, .modExp: .precompiles
    default: .coprocessors
    }
  }

  /// Threads of a block: as many as let the most lanes be resident.
  var threads: Int {
    switch self {
    case .recoverScalars, .recoverFinish: 64
    default: 128
    }
  }
}

/// Where coprocessors' kernels run: a device, or the host in its place.
///
/// Addresses are the machine's; what is asked for is done in order. One caller at a time.
package protocol CoprocessorMachine: AnyObject {
  /// The name of its back ends.
  var name: String { get }
  /// The modules whose kernels it has.
  var modules: Set<KernelModule> { get }
  /// Lanes of a kernel that are resident at once.
  func residentLanes(_ kernel: CoprocessorKernel) throws(CoprocessorError) -> Int
  /// Bits of a digit of the base point's table.
  var generatorWidth: Int { get }
  /// Memory that goes with the object, aligned to 256 bytes; what it holds is not set.
  func memory(bytes: Int) throws(CoprocessorError) -> any CoprocessorMemory
  /// Copies from the host, which may use its bytes again when the call returns.
  func upload(_ bytes: UnsafeRawBufferPointer, to memory: any CoprocessorMemory, at offset: Int)
    throws(CoprocessorError)
  /// Copies rows of `stride` bytes that `write` sets, each once, from several threads.
  func upload(
    rows: Int, stride: Int, to memory: any CoprocessorMemory,
    _ write: @Sendable (Int, UnsafeMutableRawPointer) -> Void
  ) throws(CoprocessorError)
  /// Waits for all that was asked for, then copies to the host.
  func download(_ memory: any CoprocessorMemory, into bytes: UnsafeMutableRawBufferPointer)
    throws(CoprocessorError)
  /// Runs lanes 0 ..< `lanes` of a kernel; it takes the arguments' address.
  func run(_ kernel: CoprocessorKernel, lanes: Int, _ arguments: UnsafeRawBufferPointer)
    throws(CoprocessorError)
  /// Waits for all that was asked for.
  func finish() throws(CoprocessorError)
  /// Bytes that were copied to it and from it so far.
  var bytesMoved: Int { get }
}

/// Memory of a machine.
package protocol CoprocessorMemory: AnyObject {
  /// Where it begins.
  var address: UInt { get }
  /// Its size.
  var bytes: Int { get }
}

extension CoprocessorMachine {
  /// Runs a kernel with a struct of arguments.
  func run<Arguments: BitwiseCopyable>(
    _ kernel: CoprocessorKernel, lanes: Int, with arguments: Arguments
  ) throws(CoprocessorError) {
    if lanes == 0 { return }
    try withUnsafeBytes(of: arguments) { bytes throws(CoprocessorError) in
      try run(kernel, lanes: lanes, bytes)
    }
  }

  /// Copies an array from the host.
  func upload<Element: BitwiseCopyable>(
    _ elements: [Element], to memory: any CoprocessorMemory
  ) throws(CoprocessorError) {
    if elements.isEmpty { return }
    try elements.withUnsafeBufferPointer { elements throws(CoprocessorError) in
      try upload(UnsafeRawBufferPointer(elements), to: memory, at: 0)
    }
  }

  /// An array of what is in memory.
  func download<Element: BitwiseCopyable>(
    _ memory: any CoprocessorMemory, count: Int, as type: Element.Type
  ) throws(CoprocessorError) -> [Element] {
    var failure: CoprocessorError?
    let elements = [Element](unsafeUninitializedCapacity: count) { target, filled in
      failure = Self.failure(of: { () throws(CoprocessorError) in
        if count == 0 { return }
        let bytes = UnsafeMutableRawBufferPointer(target)
        try download(
          memory,
          into: UnsafeMutableRawBufferPointer(
            rebasing: bytes[..<(count * MemoryLayout<Element>.stride)]))
      })
      filled = failure == nil ? count : 0
    }
    if let failure { throw failure }
    return elements
  }

  /// What a body throws, where no error may pass.
  private static func failure(of body: () throws(CoprocessorError) -> Void) -> CoprocessorError? {
    do throws(CoprocessorError) {
      try body()
      return nil
    } catch {
      return error
    }
  }
}

/// Memory of a machine that is kept from batch to batch and grows.
struct GrowingMemory {
  private var memory: (any CoprocessorMemory)?

  /// At least so many bytes, and 256 more: lanes read whole blocks of messages.
  mutating func room(_ bytes: Int, on machine: any CoprocessorMachine)
    throws(CoprocessorError) -> any CoprocessorMemory
  {
    if let memory, memory.bytes >= bytes + 256 { return memory }
    // The old goes first: both may not fit.
    memory = nil
    let new = try machine.memory(bytes: bytes + bytes / 4 + 256)
    memory = new
    return new
  }
}

extension CoprocessorMemory {
  /// The memory as pointers of the machine that reads them.
  func pointer<Element>(_ type: Element.Type) -> UnsafeMutablePointer<Element> {
    // Memory has an address: it is never empty.
    UnsafeMutablePointer(bitPattern: address)!
  }
}
