package import Coprocessors
import EVM
import Kernels

/// The host in place of a device: runs the lanes of coprocessors' kernels one after the other.
///
/// For tests, and to find out what a kernel does; the CPU's own back ends are faster.
package final class HostCoprocessorMachine: CoprocessorMachine {
  package let name: String
  package let modules: Set<KernelModule> = [.coprocessors, .precompiles]
  package let generatorWidth = 4
  /// An error that a kernel ends with, as on a device that is lost in mid-batch.
  package var failure: (kernel: CoprocessorKernel, error: CoprocessorError)?

  package private(set) var bytesMoved = 0

  /// A machine of a name.
  package init(name: String = "lanes") { self.name = name }

  private final class Memory: CoprocessorMemory {
    private let base: UnsafeMutableRawPointer
    let bytes: Int
    var address: UInt { UInt(bitPattern: base) }

    init(bytes: Int) {
      self.bytes = bytes
      base = .allocate(byteCount: bytes, alignment: 256)
      // What no kernel takes for zeros.
      base.initializeMemory(as: UInt8.self, repeating: 0xA5, count: bytes)
    }

    deinit { base.deallocate() }
  }

  package func residentLanes(_ kernel: CoprocessorKernel) -> Int { 3 }

  package func memory(bytes: Int) -> any CoprocessorMemory { Memory(bytes: bytes) }

  package func upload(
    _ bytes: UnsafeRawBufferPointer, to memory: any CoprocessorMemory, at offset: Int
  ) {
    precondition(offset + bytes.count <= memory.bytes, "what is copied fits")
    bytesMoved += bytes.count
    guard let base = bytes.baseAddress else { return }
    UnsafeMutableRawPointer(memory.pointer(UInt8.self) + offset).copyMemory(
      from: base, byteCount: bytes.count)
  }

  package func upload(
    rows: Int, stride: Int, to memory: any CoprocessorMemory,
    _ write: @Sendable (Int, UnsafeMutableRawPointer) -> Void
  ) {
    precondition(rows * stride <= memory.bytes, "what is copied fits")
    bytesMoved += rows * stride
    let base = UnsafeMutableRawPointer(memory.pointer(UInt8.self))
    for row in 0..<rows { write(row, base + row * stride) }
  }

  package func download(
    _ memory: any CoprocessorMemory, into bytes: UnsafeMutableRawBufferPointer
  ) {
    precondition(bytes.count <= memory.bytes, "what is copied is there")
    bytesMoved += bytes.count
    bytes.baseAddress?.copyMemory(
      from: UnsafeRawPointer(memory.pointer(UInt8.self)), byteCount: bytes.count)
  }

  package func finish() {}

  package func run(
    _ kernel: CoprocessorKernel, lanes: Int, _ arguments: UnsafeRawBufferPointer
  ) throws(CoprocessorError) {
    if let failure, failure.kernel == kernel { throw failure.error }
    guard let base = arguments.baseAddress else { return }
    // Whole blocks, as a device has them: lanes beyond the last do nothing.
    for lane in 0..<(lanes + kernel.threads - 1) / kernel.threads * kernel.threads {
      switch kernel {
      case .keccakHash:
        KeccakKernel.lane(lane, base.assumingMemoryBound(to: KeccakKernel.Arguments.self))
      case .sha256Hash:
        SHA256Kernel.lane(lane, base.assumingMemoryBound(to: KeccakKernel.Arguments.self))
      case .recoverTable:
        GeneratorTableKernel.lane(
          lane, base.assumingMemoryBound(to: GeneratorTableKernel.Arguments.self))
      case .recoverRead:
        RecoverKernel.read(lane, base.assumingMemoryBound(to: RecoverKernel.Arguments.self))
      case .recoverScalars:
        RecoverKernel.scalars(lane, base.assumingMemoryBound(to: RecoverKernel.Arguments.self))
      case .recoverCombine:
        RecoverKernel.combine(lane, base.assumingMemoryBound(to: RecoverKernel.Arguments.self))
      case .recoverFinish:
        RecoverKernel.finish(lane, base.assumingMemoryBound(to: RecoverKernel.Arguments.self))
      case .sendersRead:
        SendersKernel.read(lane, base.assumingMemoryBound(to: SendersKernel.Arguments.self))
      case .sendersWrite:
        SendersKernel.write(lane, base.assumingMemoryBound(to: SendersKernel.Arguments.self))
      case .trieCommon:
        TrieKernel.common(lane, base.assumingMemoryBound(to: TrieKernel.Arguments.self))
      case .trieCount:
        TrieKernel.count(lane, base.assumingMemoryBound(to: TrieKernel.Arguments.self))
      case .trieFill:
        TrieKernel.fill(lane, base.assumingMemoryBound(to: TrieKernel.Arguments.self))
      case .trieLeaves:
        TrieKernel.leaves(lane, base.assumingMemoryBound(to: TrieKernel.Arguments.self))
      case .trieStart:
        TrieKernel.start(lane, base.assumingMemoryBound(to: TrieKernel.Arguments.self))
      case .trieBranches:
        TrieKernel.branches(lane, base.assumingMemoryBound(to: TrieKernel.Arguments.self))
      case .trieEmpty:
        TrieKernel.empty(lane, base.assumingMemoryBound(to: TrieKernel.Arguments.self))
      case .trieAnyCommon:
        TrieKernel.anyCommon(lane, base.assumingMemoryBound(to: TrieKernel.Arguments.self))
      case .trieAnyCount:
        TrieKernel.anyCount(lane, base.assumingMemoryBound(to: TrieKernel.Arguments.self))
      case .trieAnyFill:
        TrieKernel.anyFill(lane, base.assumingMemoryBound(to: TrieKernel.Arguments.self))
      case .trieAnyLeaves:
        TrieKernel.anyLeaves(lane, base.assumingMemoryBound(to: TrieKernel.Arguments.self))
      case .trieAnyBranches:
        TrieKernel.anyBranches(lane, base.assumingMemoryBound(to: TrieKernel.Arguments.self))
      case .trieProve:
        TrieProofKernel.lane(lane, base.assumingMemoryBound(to: TrieProofKernel.Arguments.self))
      case .trieFind:
        TrieChangeKernel.find(
          lane, base.assumingMemoryBound(to: TrieChangeKernel.Arguments.self))
      case .trieStore:
        TrieChangeKernel.store(
          lane, base.assumingMemoryBound(to: TrieChangeKernel.Arguments.self))
      case .trieMove:
        TrieChangeKernel.move(
          lane, base.assumingMemoryBound(to: TrieChangeKernel.Arguments.self))
      case .trieInsert:
        TrieChangeKernel.insert(
          lane, base.assumingMemoryBound(to: TrieChangeKernel.Arguments.self))
      case .fieldCheck:
        FieldCheckKernel.lane(lane, base.assumingMemoryBound(to: FieldCheckKernel.Arguments.self))
      case .bn254Pairing:
        PrecompileKernel.bn254Pairing(
          lane, base.assumingMemoryBound(to: PrecompileKernel.Arguments.self))
      case .bls12381:
        PrecompileKernel.bls12381(
          lane, base.assumingMemoryBound(to: PrecompileKernel.Arguments.self))
      case .modExp:
        PrecompileKernel.modExp(
          lane, base.assumingMemoryBound(to: PrecompileKernel.Arguments.self))
      }
    }
  }
}
