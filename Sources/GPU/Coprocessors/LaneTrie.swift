import Coprocessors
import EVM
import Kernels

/// Sorted leaves of tries on a machine, and their roots; see `TrieKernel`.
final class LaneTrie {
  private let machine: any CoprocessorMachine
  /// Leaves of all tries.
  private(set) var count = 0

  private var common = GrowingMemory()
  private var leafReferences = GrowingMemory()
  private var leafSizes = GrowingMemory()
  private var references = GrowingMemory()
  private var sizes = GrowingMemory()
  private var branches = GrowingMemory()
  private var depths = GrowingMemory()
  private var roots = GrowingMemory()
  private var proofs = ProofMemory()

  /// The branches of each depth that has some, the deepest first.
  private var levels: [(first: Int, count: Int)] = []
  private var arguments: TrieKernel.Arguments?

  init(_ machine: any CoprocessorMachine) { self.machine = machine }

  /// Takes leaves that lie sorted on the machine, in tries below `trieCount`; `lengths` are those of
  /// keys that are no hashes. All are hashed with the next root.
  func take(
    count: Int, keys: any CoprocessorMemory, tries: (any CoprocessorMemory)?,
    lengths: (any CoprocessorMemory)? = nil, trieCount: Int, values: TrieValues
  ) throws(CoprocessorError) {
    precondition(count < 1 << 31, "leaves are numbered with 31 bits")
    self.count = count
    arguments = TrieKernel.Arguments(
      count: count, keys: UnsafePointer(keys.pointer(SIMD2<UInt64>.self)),
      tries: tries.map { UnsafePointer($0.pointer(UInt32.self)) },
      lengths: lengths.map { UnsafePointer($0.pointer(UInt8.self)) }, values: values,
      common: try common.room(count + 1, on: machine).pointer(Int8.self),
      leafReferences: try leafReferences.room(count * 32, on: machine)
        .pointer(SIMD2<UInt64>.self),
      leafSizes: try leafSizes.room(count, on: machine).pointer(UInt8.self),
      references: try references.room(count * 32, on: machine).pointer(SIMD2<UInt64>.self),
      sizes: try sizes.room(count, on: machine).pointer(UInt8.self),
      branches: try branches.room(count * 4, on: machine).pointer(UInt32.self),
      depths: try depths.room(64 * 8, on: machine).pointer(UInt64.self),
      roots: try roots.room(trieCount * 32, on: machine).pointer(SIMD2<UInt64>.self),
      trieCount: trieCount)
  }

  /// The arguments of the leaves that were taken last.
  private func present() -> TrieKernel.Arguments {
    guard let arguments else { preconditionFailure("leaves are taken before they are hashed") }
    return arguments
  }

  /// Finds out how the tries look: after leaves came or went.
  func form() throws(CoprocessorError) {
    let arguments = present()
    try machine.run(.trieEmpty, lanes: arguments.trieCount, with: arguments)
    let spans = (count + TrieKernel.span - 1) / TrieKernel.span
    let depths = try self.depths.room(64 * 8, on: machine)
    let isAny = arguments.lengths != nil
    try machine.run(isAny ? .trieAnyCommon : .trieCommon, lanes: count + 1, with: arguments)
    try machine.upload([UInt64](repeating: 0, count: 64), to: depths)
    try machine.run(isAny ? .trieAnyCount : .trieCount, lanes: spans, with: arguments)
    let counts = try machine.download(depths, count: 64, as: UInt64.self)
    var starts: [UInt64] = []
    levels = []
    var next = 0
    for count in counts {
      starts.append(UInt64(next))
      if count > 0 { levels.append((next, Int(count))) }
      next += Int(count)
    }
    levels.reverse()
    try machine.upload(starts, to: depths)
    try machine.run(isAny ? .trieAnyFill : .trieFill, lanes: spans, with: arguments)
  }

  /// Hashes leaves: those whose places are in `dirty`, else all.
  func hashLeaves(_ dirty: (memory: any CoprocessorMemory, count: Int)? = nil)
    throws(CoprocessorError)
  {
    var arguments = present()
    if let dirty {
      arguments.dirty = UnsafePointer(dirty.memory.pointer(UInt32.self))
      arguments.dirtyCount = dirty.count
    }
    try machine.run(
      arguments.lengths == nil ? .trieLeaves : .trieAnyLeaves, lanes: arguments.dirtyCount,
      with: arguments)
  }

  /// Hashes all branches, level by level.
  func hashBranches() throws(CoprocessorError) {
    var arguments = present()
    try machine.run(.trieStart, lanes: count, with: arguments)
    let kernel: CoprocessorKernel = arguments.lengths == nil ? .trieBranches : .trieAnyBranches
    for level in levels {
      arguments.first = level.first
      arguments.branchCount = level.count
      try machine.run(kernel, lanes: level.count, with: arguments)
    }
  }

  /// The roots, 32 bytes for each trie; those of tries without leaves mean nothing.
  func downloadRoots(_ count: Int) throws(CoprocessorError) -> [UInt8] {
    try machine.download(
      try roots.room(count * 32, on: machine), count: count * 32, as: UInt8.self)
  }

  /// The nodes from the roots of tries to keys, or to where their paths end: after all is hashed.
  func proofs(_ keys: [(trie: UInt32, key: UInt256)]) throws(CoprocessorError) -> [[[UInt8]]] {
    try proofs.proofs(of: keys, in: present(), on: machine)
  }

  /// Where the roots lie.
  var rootsPointer: UnsafePointer<SIMD2<UInt64>> { UnsafePointer(present().roots) }
}
