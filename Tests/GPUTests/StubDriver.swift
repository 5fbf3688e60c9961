@testable import CUDA

/// A driver of two devices, the first of sm_90 and the second of sm_75, that answers what one asks
/// before any work. Other calls end the process.
enum StubDriver {
  /// The driver; CUDA 13.0, or an older one that reads PTX 8.3 at most.
  static func load(isOld: Bool = false) throws(CUDAError) -> Driver {
    let initialize: @convention(c) (UInt32) -> Int32 = { _ in 0 }
    let newVersion: @convention(c) (UnsafeMutablePointer<Int32>) -> Int32 = {
      $0.pointee = 13_000
      return 0
    }
    let oldVersion: @convention(c) (UnsafeMutablePointer<Int32>) -> Int32 = {
      $0.pointee = 12_030
      return 0
    }
    let count: @convention(c) (UnsafeMutablePointer<Int32>) -> Int32 = {
      $0.pointee = 2
      return 0
    }
    let device: @convention(c) (UnsafeMutablePointer<Int32>, Int32) -> Int32 = {
      $0.pointee = $1
      return 0
    }
    let attribute: @convention(c) (UnsafeMutablePointer<Int32>, Int32, Int32) -> Int32 = {
      switch ($1, $2) {
      case (75, 0): $0.pointee = 9
      case (75, 1): $0.pointee = 7
      case (76, 0): $0.pointee = 0
      case (76, 1): $0.pointee = 5
      default: return 1
      }
      return 0
    }
    let other: @convention(c) () -> Int32 = {
      fatalError("the stub of the driver has no such call")
    }
    return try Driver(
      functions: DriverFunctions { name in
        switch name {
        case "cuInit": unsafeBitCast(initialize, to: UnsafeMutableRawPointer.self)
        case "cuDriverGetVersion":
          unsafeBitCast(isOld ? oldVersion : newVersion, to: UnsafeMutableRawPointer.self)
        case "cuDeviceGetCount": unsafeBitCast(count, to: UnsafeMutableRawPointer.self)
        case "cuDeviceGet": unsafeBitCast(device, to: UnsafeMutableRawPointer.self)
        case "cuDeviceGetAttribute": unsafeBitCast(attribute, to: UnsafeMutableRawPointer.self)
        default: unsafeBitCast(other, to: UnsafeMutableRawPointer.self)
        }
      })
  }
}
