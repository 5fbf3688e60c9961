package import CUDA
internal import Ethereum

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The modules that kernels are compiled to; each is loaded by itself.
package enum KernelModule: String, CaseIterable, Sendable {
  /// Transactions without heavy precompiles.
  case light
  /// Transactions of all kinds.
  case complete
  /// Batches of hashes, signatures and tries.
  case coprocessors
  /// Batches of precompiles' calls.
  case precompiles

  /// The digest of the module's sources as this program was built from them.
  package var digest: String {
    switch self {
    case .light, .complete: KernelSources.transactions
    case .coprocessors: KernelSources.coprocessors
    case .precompiles: KernelSources.precompiles
    }
  }
}

/// Compiled kernels of a module, and the label that says from which sources they were made.
///
/// The compiler driver (`Tools/kernels/compile.py`) writes the label into the PTX's first line and,
/// for machine code, into a variable of the image.
package struct KernelImage: Sendable {
  /// What an image consists of.
  package enum Form: String, Hashable, Sendable {
    /// Text that the driver compiles, which takes minutes the first time, for every device of the
    /// image's architecture and later ones.
    case ptx
    /// Machine code for the devices of one major compute capability, loaded as it is.
    case machineCode
  }

  /// Where it comes from, as messages name it: `embedded light PTX`, or a file's path.
  package let name: String
  /// Which kernels it has.
  package let module: KernelModule
  /// What it consists of.
  package let form: Form
  /// The digest of the sources of its kernels.
  package let sources: String
  /// The architecture: 90 is sm_90.
  package let architecture: Int
  /// The PTX version that a driver has to read, 83 for 8.3; 0 for machine code.
  package let ptxVersion: Int
  private let storage: Storage

  /// `@unchecked Sendable`: the bytes are constant.
  private enum Storage: @unchecked Sendable {
    /// Bytes of the program.
    case program(UnsafeRawBufferPointer)
    case owned([UInt8])
  }

  /// An image in constant bytes of the program.
  init(name: String, program bytes: UnsafeRawBufferPointer) throws(KernelImageError) {
    try self.init(name: name, bytes, .program(bytes))
  }

  /// An image in some bytes.
  package init(name: String, bytes: [UInt8]) throws(KernelImageError) {
    self = try bytes.withUnsafeBufferPointer { span throws(KernelImageError) in
      try KernelImage(name: name, UnsafeRawBufferPointer(span), .owned(bytes))
    }
  }

  /// The image in a file.
  package init(path: String) throws(KernelImageError) {
    let bytes: [UInt8]
    do {
      bytes = try FileBytes(path: path).array
    } catch {
      throw KernelImageError(
        .unreadableFile,
        "\(path): \(error.reason) (NEEDLETAIL_KERNEL_IMAGE names it; without that the program uses "
          + "its own)")
    }
    try self.init(name: path, bytes: bytes)
  }

  private init(
    name: String, _ bytes: UnsafeRawBufferPointer, _ storage: Storage
  ) throws(KernelImageError) {
    guard let label = Label(in: bytes) else {
      throw KernelImageError(
        .noLabel, "\(name) does not say which kernels it has: it should be made by `make kernels`")
    }
    self.name = name
    self.storage = storage
    module = label.module
    sources = label.sources
    architecture = label.architecture
    form = bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) ? .machineCode : .ptx
    ptxVersion = form == .ptx ? Self.ptxVersion(bytes) : 0
  }

  /// Whether the image was made from other sources than this program, so that the two may not agree
  /// on anything: neither on the layout of what they share nor on the rules.
  package var isStale: Bool { sources != module.digest }

  /// Calls `body` with the bytes.
  package func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    switch storage {
    case .program(let bytes): try body(bytes)
    case .owned(let bytes):
      try bytes.withUnsafeBufferPointer { bytes throws(Failure) in
        try body(UnsafeRawBufferPointer(bytes))
      }
    }
  }

  /// Whether devices of this compute capability run it. Machine code runs within a major version, PTX
  /// on all later ones (CUDA C++ programming guide, "Binary compatibility", "PTX compatibility").
  package func runs(onComputeCapability capability: (major: Int, minor: Int)) -> Bool {
    let device = capability.major * 10 + capability.minor
    if device < architecture { return false }
    return form == .ptx || capability.major == architecture / 10
  }

  /// Loads the kernels into a context.
  package func load(
    into context: Context, options: Module.CompileOptions = Module.CompileOptions()
  ) throws(CUDAError) -> Module {
    try withBytes { bytes throws(CUDAError) in
      try Module(context, image: bytes, options: options)
    }
  }

  /// The version in the line `.version 8.3`; 0 when there is none, which the driver then reports.
  private static func ptxVersion(_ bytes: UnsafeRawBufferPointer) -> Int {
    let head = String(decoding: bytes.prefix(4096), as: UTF8.self)
    for line in head.split(separator: "\n") where line.hasPrefix(".version ") {
      let numbers = line.dropFirst(9).split(separator: ".").map { Int($0) ?? 0 }
      if numbers.count == 2 { return numbers[0] * 10 + numbers[1] }
    }
    return 0
  }
}

/// What `compile.py` says of an image: `needletail kernels MODULE, sources DIGEST, for sm_90, ...`.
private struct Label {
  private static let mark = Array("needletail kernels ".utf8)
  private static let digestCount = 32

  let module: KernelModule
  let sources: String
  let architecture: Int

  /// The first label in some bytes.
  init?(in bytes: UnsafeRawBufferPointer) {
    guard let start = Self.end(of: Self.mark, in: bytes) else { return nil }
    let text = String(decoding: bytes[start...].prefix(96), as: UTF8.self)
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count >= 3, let module = KernelModule(rawValue: String(parts[0])),
      parts[1].hasPrefix(" sources "), parts[1].count == 9 + Self.digestCount,
      parts[1].dropFirst(9).allSatisfy(\.isHexDigit),
      parts[2].hasPrefix(" for sm_"), let architecture = Int(parts[2].dropFirst(8))
    else { return nil }
    self.module = module
    sources = String(parts[1].dropFirst(9))
    self.architecture = architecture
  }

  /// Where the first copy of `mark` in some bytes ends. Machine code has it far behind its start:
  /// `memchr` passes most of the bytes.
  private static func end(of mark: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
    guard let base = bytes.baseAddress else { return nil }
    var offset = 0
    while bytes.count - offset >= mark.count {
      guard let found = memchr(base + offset, Int32(mark[0]), bytes.count - offset - mark.count + 1)
      else { return nil }
      offset = UnsafeRawPointer(found) - base
      if memcmp(found, mark, mark.count) == 0 { return offset + mark.count }
      offset += 1
    }
    return nil
  }
}
