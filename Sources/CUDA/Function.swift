/// A kernel of a module.
package struct Function: Sendable {
  /// The module, which lives as long as its functions.
  package let module: Module
  /// The entry point's name.
  package let name: String
  /// `nonisolated(unsafe)`: a handle that never changes, and that the driver takes on any thread.
  nonisolated(unsafe) let handle: OpaquePointer?

  /// A property of a kernel, by the driver's number (`CUfunction_attribute`).
  package enum Attribute: Int32, Sendable {
    /// Threads of a block at most, as registers and shared memory allow.
    case maximumThreadsPerBlock = 0
    /// Shared memory that the code itself declares, bytes a block.
    case sharedBytes = 1
    /// Constant memory that the code declares, bytes.
    case constantBytes = 2
    /// Local memory, bytes a thread: stack frames as far as known, and spilled registers.
    case localBytes = 3
    /// Registers a thread.
    case registers = 4
    /// The PTX version it was compiled from: 83 is 8.3.
    case ptxVersion = 5
    /// The machine it was compiled for: 90 is sm_90.
    case binaryVersion = 6
  }

  /// A property of a kernel that can be set, by the driver's number (`CUfunction_attribute`).
  package enum Setting: Int32, Sendable {
    /// Shared memory that a launch may ask for, bytes a block.
    case maximumDynamicSharedBytes = 8
    /// The share of a multiprocessor's memory to use as shared memory, in per cent: 0 leaves all of
    /// it to the first-level cache.
    case preferredSharedMemoryCarveout = 9
  }

  /// What a kernel prefers where cache and shared memory are one (`CUfunc_cache`).
  package enum CachePreference: Int32, Sendable {
    case none = 0
    case shared = 1
    case firstLevel = 2
    case equal = 3
  }

  /// A property.
  package func attribute(_ attribute: Attribute) throws(CUDAError) -> Int {
    var value: Int32 = 0
    try module.context.call("cuFuncGetAttribute") {
      $0.functionGetAttribute(&value, attribute.rawValue, handle)
    }
    return Int(value)
  }

  /// Sets a property.
  package func set(_ setting: Setting, to value: Int) throws(CUDAError) {
    try module.context.call("cuFuncSetAttribute") {
      $0.functionSetAttribute(handle, setting.rawValue, Int32(value))
    }
  }

  /// Says what the kernel prefers.
  package func prefer(_ preference: CachePreference) throws(CUDAError) {
    try module.context.call("cuFuncSetCacheConfig") {
      $0.functionSetCacheConfig(handle, preference.rawValue)
    }
  }

  /// Blocks of this many threads that a multiprocessor holds at once.
  package func residentBlocks(threads: Int, sharedBytes: Int = 0) throws(CUDAError) -> Int {
    var blocks: Int32 = 0
    try module.context.call("cuOccupancyMaxActiveBlocksPerMultiprocessor") {
      $0.occupancy(&blocks, handle, Int32(threads), sharedBytes)
    }
    return Int(blocks)
  }
}
