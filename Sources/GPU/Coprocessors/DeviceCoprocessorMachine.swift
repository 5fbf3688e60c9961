package import CUDA
package import Coprocessors
import Dispatch
import Kernels

/// A GPU with the module `coprocessors`, and with `precompiles` where its image is at hand.
package final class DeviceCoprocessorMachine: CoprocessorMachine {
  package let name: String
  /// 16 bits a digit: a table of 32 MiB, which the second-level cache holds.
  package let generatorWidth = 16
  private let context: Context
  private let stream: Stream
  package let modules: Set<KernelModule>
  private let functions: [CoprocessorKernel: Function]
  /// Memory through which copies of many bytes go, one half after the other.
  private let staging: [StagingBuffer]

  /// Arguments of launches that may still run, one after the other in a ring.
  private let arguments: DeviceBuffer<UInt8>
  private var nextArguments = 0
  package private(set) var bytesMoved = 0

  /// Bytes of a launch's arguments.
  private static let argumentRoom = 256
  private static let argumentCount = 64

  /// A machine on a device, with its images of the modules.
  package init(_ context: Context, _ images: [KernelImage]) throws(CUDAError) {
    let ordinal = context.device.ordinal
    name = ordinal == 0 ? "gpu" : "gpu:\(ordinal)"
    self.context = context
    stream = try Stream(context)
    var functions: [CoprocessorKernel: Function] = [:]
    for image in images {
      let module = try image.load(into: context)
      for kernel in CoprocessorKernel.allCases where kernel.module == image.module {
        functions[kernel] = try module.function(kernel.rawValue)
      }
    }
    self.functions = functions
    modules = Set(images.map(\.module))
    arguments = try DeviceBuffer(context, count: Self.argumentRoom * Self.argumentCount)
    staging = [try StagingBuffer(context), try StagingBuffer(context)]
  }

  /// Pinned memory, and where in the stream it was used last.
  private final class StagingBuffer {
    static let bytes = 16 << 20

    let memory: PinnedBuffer<UInt8>
    let used: Event

    init(_ context: Context) throws(CUDAError) {
      memory = try PinnedBuffer(context, count: Self.bytes)
      used = try Event(context, isTimed: false)
    }
  }

  /// Copies bytes of the host by several cores.
  private static func copy(
    _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ bytes: Int
  ) {
    nonisolated(unsafe) let (source, target) = (source, target)
    let piece = 1 << 20
    DispatchQueue.concurrentPerform(iterations: (bytes + piece - 1) / piece) { index in
      let start = index * piece
      (target + start).copyMemory(from: source + start, byteCount: min(piece, bytes - start))
    }
  }

  /// Pieces of a copy: where each begins, and its bytes.
  private static func pieces(_ bytes: Int) -> [(start: Int, bytes: Int)] {
    stride(from: 0, to: bytes, by: StagingBuffer.bytes).map {
      ($0, min(StagingBuffer.bytes, bytes - $0))
    }
  }

  private final class Memory: CoprocessorMemory {
    private let buffer: DeviceBuffer<UInt8>
    let bytes: Int
    var address: UInt { UInt(buffer.address.rawValue) }

    init(_ context: Context, bytes: Int) throws(CUDAError) {
      self.bytes = bytes
      buffer = try DeviceBuffer(context, count: max(bytes, 1))
    }
  }

  package func residentLanes(_ kernel: CoprocessorKernel) throws(CoprocessorError) -> Int {
    try translated { () throws(CUDAError) in
      let blocks = try functions[kernel]!.residentBlocks(threads: kernel.threads)
      return try blocks * kernel.threads * context.device.attribute(.multiprocessorCount)
    }
  }

  package func memory(bytes: Int) throws(CoprocessorError) -> any CoprocessorMemory {
    try translated { () throws(CUDAError) in try Memory(context, bytes: bytes) }
  }

  package func upload(
    _ bytes: UnsafeRawBufferPointer, to memory: any CoprocessorMemory, at offset: Int
  ) throws(CoprocessorError) {
    precondition(offset + bytes.count <= memory.bytes, "what is copied fits")
    bytesMoved += bytes.count
    guard let source = bytes.baseAddress else { return }
    try translated { () throws(CUDAError) in
      let target = UInt64(memory.address) + UInt64(offset)
      if bytes.count < 1 << 20 {
        // Plain bytes: the driver has copied them when the call returns.
        return try stream.upload(bytes, to: DeviceAddress(rawValue: target))
      }
      for (index, piece) in Self.pieces(bytes.count).enumerated() {
        let buffer = staging[index & 1]
        try buffer.used.synchronize()
        let pinned = UnsafeMutableRawPointer(buffer.memory.elements.baseAddress!)
        Self.copy(source + piece.start, to: pinned, piece.bytes)
        try stream.upload(
          UnsafeRawBufferPointer(start: pinned, count: piece.bytes),
          to: DeviceAddress(rawValue: target + UInt64(piece.start)))
        try buffer.used.record(on: stream)
      }
    }
  }

  package func upload(
    rows: Int, stride: Int, to memory: any CoprocessorMemory,
    _ write: @Sendable (Int, UnsafeMutableRawPointer) -> Void
  ) throws(CoprocessorError) {
    precondition(rows * stride <= memory.bytes, "what is copied fits")
    bytesMoved += rows * stride
    let share = StagingBuffer.bytes / stride
    try translated { () throws(CUDAError) in
      for (index, start) in Swift.stride(from: 0, to: rows, by: share).enumerated() {
        let count = min(share, rows - start)
        let buffer = staging[index & 1]
        try buffer.used.synchronize()
        nonisolated(unsafe) let pinned = UnsafeMutableRawPointer(
          buffer.memory.elements.baseAddress!)
        let piece = 1 << 13
        DispatchQueue.concurrentPerform(iterations: (count + piece - 1) / piece) { index in
          for row in index * piece..<min(count, (index + 1) * piece) {
            write(start + row, pinned + row * stride)
          }
        }
        try stream.upload(
          UnsafeRawBufferPointer(start: pinned, count: count * stride),
          to: DeviceAddress(rawValue: UInt64(memory.address) + UInt64(start * stride)))
        try buffer.used.record(on: stream)
      }
    }
  }

  package func download(
    _ memory: any CoprocessorMemory, into bytes: UnsafeMutableRawBufferPointer
  ) throws(CoprocessorError) {
    precondition(bytes.count <= memory.bytes, "what is copied is there")
    bytesMoved += bytes.count
    guard let target = bytes.baseAddress else { return }
    try translated { () throws(CUDAError) in
      if bytes.count < 1 << 20 {
        try stream.download(DeviceAddress(rawValue: UInt64(memory.address)), into: bytes)
        return try stream.synchronize()
      }
      // While one piece is copied by the host, the next comes from the device.
      let pieces = Self.pieces(bytes.count)
      for index in 0...pieces.count {
        if index < pieces.count {
          let buffer = staging[index & 1]
          let pinned = UnsafeMutableRawPointer(buffer.memory.elements.baseAddress!)
          try stream.download(
            DeviceAddress(rawValue: UInt64(memory.address) + UInt64(pieces[index].start)),
            into: UnsafeMutableRawBufferPointer(start: pinned, count: pieces[index].bytes))
          try buffer.used.record(on: stream)
        }
        if index > 0 {
          let buffer = staging[(index - 1) & 1]
          try buffer.used.synchronize()
          Self.copy(
            UnsafeRawPointer(buffer.memory.elements.baseAddress!),
            to: target + pieces[index - 1].start, pieces[index - 1].bytes)
        }
      }
    }
  }

  package func run(
    _ kernel: CoprocessorKernel, lanes: Int, _ bytes: UnsafeRawBufferPointer
  ) throws(CoprocessorError) {
    precondition(bytes.count <= Self.argumentRoom, "arguments of a kernel fit their place")
    try translated { () throws(CUDAError) in
      // The ring is long: a launch that used this place before has passed when it comes round.
      if nextArguments == Self.argumentCount {
        try stream.synchronize()
        nextArguments = 0
      }
      let place = arguments.address(of: nextArguments * Self.argumentRoom, count: bytes.count)
      nextArguments += 1
      try stream.upload(bytes, to: place)
      try stream.launch(
        functions[kernel]!, LaunchShape(lanes: lanes, threads: kernel.threads), place)
    }
  }

  /// Loses the context, as a kernel does that reads where nothing is.
  package func loseContext() throws(CoprocessorError) {
    guard let nowhere = UnsafeMutableRawPointer(bitPattern: 16) else { return }
    try run(
      .keccakHash, lanes: 1,
      with: KeccakKernel.Arguments(
        bytes: UnsafeRawPointer(nowhere),
        ends: UnsafePointer(nowhere.assumingMemoryBound(to: Int.self)),
        order: nil, count: 1, hashes: nowhere.assumingMemoryBound(to: SIMD2<UInt64>.self)))
  }

  package func finish() throws(CoprocessorError) {
    try translated { () throws(CUDAError) in try stream.synchronize() }
  }

  /// Calls the driver; its error becomes a coprocessor's.
  private func translated<Result>(
    _ body: () throws(CUDAError) -> Result
  ) throws(CoprocessorError) -> Result {
    do throws(CUDAError) {
      return try body()
    } catch {
      throw CoprocessorError(
        error.isOutOfMemory ? .memoryExhausted : .deviceLost, "\(name): \(error)")
    }
  }
}
