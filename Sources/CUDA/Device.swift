/// A GPU that the driver offers.
package struct Device: Sendable {
  /// The driver that offers it.
  package let driver: Driver
  /// Its number from 0, as `cuda:N` names it.
  package let ordinal: Int
  /// The driver's own handle.
  let handle: Int32

  /// A property of a device that is a number, by the driver's number (`CUdevice_attribute`).
  package enum Attribute: Int32, Sendable {
    case maximumThreadsPerBlock = 1
    case warpSize = 10
    /// Peak clock of the multiprocessors, kHz.
    case clockRate = 13
    case multiprocessorCount = 16
    /// Peak clock of the memory, kHz.
    case memoryClockRate = 36
    /// Width of the memory bus, bits.
    case memoryBusWidth = 37
    /// Second-level cache, bytes.
    case secondLevelCacheSize = 38
    case maximumThreadsPerMultiprocessor = 39
    /// Engines that copy while kernels run: 2 copy both ways at once.
    case copyEngineCount = 40
    case computeCapabilityMajor = 75
    case computeCapabilityMinor = 76
    /// Shared memory of a multiprocessor, bytes.
    case sharedMemoryPerMultiprocessor = 81
    /// 32-bit registers of a multiprocessor.
    case registersPerMultiprocessor = 82
    /// Shared memory that a block can ask for, bytes.
    case maximumSharedMemoryPerBlock = 97
  }

  /// A property.
  package func attribute(_ attribute: Attribute) throws(CUDAError) -> Int {
    var value: Int32 = 0
    try driver.functions.check(
      "cuDeviceGetAttribute",
      driver.functions.deviceGetAttribute(&value, attribute.rawValue, handle))
    return Int(value)
  }

  /// The product's name.
  package func name() throws(CUDAError) -> String {
    var bytes = [CChar](repeating: 0, count: 256)
    let status = bytes.withUnsafeMutableBufferPointer {
      // The last byte stays zero whatever the driver writes.
      driver.functions.deviceGetName($0.baseAddress!, Int32($0.count - 1), handle)
    }
    try driver.functions.check("cuDeviceGetName", status)
    return String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The identifier of the card, as `nvidia-smi -L` prints it.
  package func uuid() throws(CUDAError) -> String {
    var bytes = [UInt8](repeating: 0, count: 16)
    let status = bytes.withUnsafeMutableBytes {
      driver.functions.deviceGetUUID($0.baseAddress!, handle)
    }
    try driver.functions.check("cuDeviceGetUuid", status)
    var text = "GPU-"
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text += "-" }
      text += String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }
    return text
  }

  /// All memory of the card, bytes.
  package func totalMemory() throws(CUDAError) -> Int {
    var bytes = 0
    try driver.functions.check(
      "cuDeviceTotalMem_v2", driver.functions.deviceTotalMem(&bytes, handle))
    return bytes
  }

  /// The compute capability: 9 and 0 is what PTX calls `sm_90`.
  package func computeCapability() throws(CUDAError) -> (major: Int, minor: Int) {
    (try attribute(.computeCapabilityMajor), try attribute(.computeCapabilityMinor))
  }
}
