/// Kernels, loaded into a context from PTX, which the driver compiles, or from machine code.
///
/// A class, because its functions share it: it is unloaded when the last of them goes.
package final class Module: Sendable {
  /// How the driver compiles PTX; machine code is taken as it is.
  package struct CompileOptions: Hashable, Sendable {
    /// Registers a thread may have at most.
    package var maximumRegisters: Int?
    /// 0 to 4; the driver's own choice is 4.
    package var optimizationLevel: Int?

    /// The driver's own choices, where nothing else is given.
    package init(maximumRegisters: Int? = nil, optimizationLevel: Int? = nil) {
      self.maximumRegisters = maximumRegisters
      self.optimizationLevel = optimizationLevel
    }
  }

  /// The context.
  package let context: Context
  /// What the driver's compiler said of PTX; empty for machine code.
  package let log: String
  /// `nonisolated(unsafe)`: a handle that never changes, and that the driver takes on any thread.
  private nonisolated(unsafe) let handle: OpaquePointer?

  /// Loads PTX text, or machine code (a cubin).
  ///
  /// The driver compiles PTX, which takes minutes for large kernels; it keeps the result in its own
  /// cache. What its compiler finds wrong is in the error.
  package init(
    _ context: Context, image: UnsafeRawBufferPointer, options: CompileOptions = CompileOptions()
  ) throws(CUDAError) {
    self.context = context
    var handle: OpaquePointer?
    let info = JITLog()
    let errors = JITLog()
    defer {
      info.deallocate()
      errors.deallocate()
    }
    var keys: [Int32] = [
      JITOption.infoLog, JITOption.infoLogBytes, JITOption.errorLog, JITOption.errorLogBytes,
    ]
    // Numbers are given in place of pointers.
    var values: [UnsafeMutableRawPointer?] = [
      UnsafeMutableRawPointer(info.text), UnsafeMutableRawPointer(bitPattern: JITLog.capacity),
      UnsafeMutableRawPointer(errors.text), UnsafeMutableRawPointer(bitPattern: JITLog.capacity),
    ]
    if let registers = options.maximumRegisters {
      keys.append(JITOption.maximumRegisters)
      values.append(UnsafeMutableRawPointer(bitPattern: registers))
    }
    if let level = options.optimizationLevel {
      keys.append(JITOption.optimizationLevel)
      values.append(UnsafeMutableRawPointer(bitPattern: level))
    }
    let status = try Self.withLoadable(image) { bytes in
      context.status {
        $0.moduleLoadData(&handle, bytes, UInt32(keys.count), &keys, &values)
      }
    }
    if status != Status.success {
      let error = context.device.driver.functions.failure("cuModuleLoadDataEx", status)
      throw errors.string.isEmpty ? error : error.adding("\n" + errors.string)
    }
    self.handle = handle
    log = info.string
  }

  deinit {
    // Nobody is left to tell: a failure means that the context is lost already.
    _ = context.status { $0.moduleUnload(handle) }
  }

  /// The kernel of a name.
  package func function(_ name: String) throws(CUDAError) -> Function {
    var function: OpaquePointer?
    do throws(CUDAError) {
      try context.call("cuModuleGetFunction") { $0.moduleGetFunction(&function, handle, name) }
    } catch {
      throw error.adding("; the kernel asked for is \(name)")
    }
    return Function(module: self, name: name, handle: function)
  }

  /// Where a global variable of the image lies, and its bytes.
  package func global(_ name: String) throws(CUDAError) -> (address: DeviceAddress, bytes: Int) {
    var address: UInt64 = 0
    var bytes = 0
    do throws(CUDAError) {
      try context.call("cuModuleGetGlobal_v2") {
        $0.moduleGetGlobal(&address, &bytes, handle, name)
      }
    } catch {
      throw error.adding("; the variable asked for is \(name)")
    }
    return (DeviceAddress(rawValue: address), bytes)
  }

  /// Calls `body` with bytes that the driver can read without a length: it takes that of machine
  /// code from its headers, and that of PTX from a zero byte behind it.
  private static func withLoadable<Result>(
    _ image: UnsafeRawBufferPointer, _ body: (UnsafeRawPointer) -> Result
  ) throws(CUDAError) -> Result {
    guard let base = image.baseAddress, image.count >= 64 else {
      throw CUDAError(.malformedImage, "\(image.count) bytes are neither PTX nor machine code")
    }
    if image.starts(with: [0x7F, 0x45, 0x4C, 0x46]) {
      guard elfIsWhole(image) else {
        throw CUDAError(.malformedImage, "the machine code of \(image.count) bytes is cut off")
      }
      return body(base)
    }
    guard let text = image.first(where: { $0 != 0x20 && $0 != 0x0A }), text == 0x2F || text == 0x2E
    else {
      throw CUDAError(.malformedImage, "the image is neither PTX text nor machine code (ELF)")
    }
    return (Array(image) + [0]).withUnsafeBytes { body($0.baseAddress!) }
  }

  /// Whether the tables that a 64-bit ELF header names lie within the bytes.
  private static func elfIsWhole(_ image: UnsafeRawBufferPointer) -> Bool {
    func table(offset: Int, entryBytes: Int, entries: Int) -> Bool {
      let start = image.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      let bytes = UInt64(image.loadUnaligned(fromByteOffset: entryBytes, as: UInt16.self))
      let count = UInt64(image.loadUnaligned(fromByteOffset: entries, as: UInt16.self))
      let (end, overflow) = start.addingReportingOverflow(bytes * count)
      return !overflow && end <= image.count
    }
    return table(offset: 0x20, entryBytes: 0x36, entries: 0x38)
      && table(offset: 0x28, entryBytes: 0x3A, entries: 0x3C)
  }
}

/// Options of the driver's compiler by number (`CUjit_option`).
private enum JITOption {
  static let maximumRegisters: Int32 = 0
  static let infoLog: Int32 = 3
  static let infoLogBytes: Int32 = 4
  static let errorLog: Int32 = 5
  static let errorLogBytes: Int32 = 6
  static let optimizationLevel: Int32 = 7
}

/// Memory that the driver's compiler writes a text to. The owner deallocates it.
private struct JITLog {
  /// Bytes; what is longer the driver cuts.
  static let capacity = 1 << 16

  let text: UnsafeMutablePointer<CChar>

  init() {
    text = .allocate(capacity: Self.capacity)
    text.initialize(repeating: 0, count: Self.capacity)
  }

  func deallocate() { text.deallocate() }

  /// The text up to its zero byte.
  var string: String {
    let bytes = UnsafeRawBufferPointer(start: text, count: Self.capacity)
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
