/// The functions of the CUDA driver API that are used, as the driver's library exports them.
///
/// The types are those of `cuda.h` from CUDA 12 on: a handle is an `OpaquePointer`, a device an
/// `Int32`, a device address a `UInt64`, a result (`CUresult`) an `Int32`. The suffix `_v2` belongs
/// to the exported name: the plain one is an older function with other types.
///
/// `@unchecked Sendable`: addresses of C functions that may be called on any thread, never changed.
package struct DriverFunctions: @unchecked Sendable {
  typealias Handle = OpaquePointer?
  typealias Out<Value> = UnsafeMutablePointer<Value>
  typealias Text = UnsafePointer<CChar>?

  // Driver and devices.
  let initialize: @convention(c) (UInt32) -> Int32
  let driverGetVersion: @convention(c) (Out<Int32>) -> Int32
  let getErrorName: @convention(c) (Int32, Out<Text>) -> Int32
  let getErrorString: @convention(c) (Int32, Out<Text>) -> Int32
  let deviceGetCount: @convention(c) (Out<Int32>) -> Int32
  let deviceGet: @convention(c) (Out<Int32>, Int32) -> Int32
  let deviceGetName: @convention(c) (Out<CChar>, Int32, Int32) -> Int32
  let deviceGetUUID: @convention(c) (UnsafeMutableRawPointer, Int32) -> Int32
  let deviceTotalMem: @convention(c) (Out<Int>, Int32) -> Int32
  let deviceGetAttribute: @convention(c) (Out<Int32>, Int32, Int32) -> Int32

  // Contexts.
  let primaryContextRetain: @convention(c) (Out<Handle>, Int32) -> Int32
  let primaryContextRelease: @convention(c) (Int32) -> Int32
  let contextSetCurrent: @convention(c) (Handle) -> Int32
  let contextSynchronize: @convention(c) () -> Int32
  let contextSetLimit: @convention(c) (Int32, Int) -> Int32
  let contextGetLimit: @convention(c) (Out<Int>, Int32) -> Int32
  let memGetInfo: @convention(c) (Out<Int>, Out<Int>) -> Int32

  // Modules and functions.
  let moduleLoadData:
    @convention(c) (
      Out<Handle>, UnsafeRawPointer, UInt32, Out<Int32>?, Out<UnsafeMutableRawPointer?>?
    ) -> Int32
  let moduleUnload: @convention(c) (Handle) -> Int32
  let moduleGetFunction: @convention(c) (Out<Handle>, Handle, Text) -> Int32
  let moduleGetGlobal: @convention(c) (Out<UInt64>, Out<Int>, Handle, Text) -> Int32
  let functionGetAttribute: @convention(c) (Out<Int32>, Int32, Handle) -> Int32
  let functionSetAttribute: @convention(c) (Handle, Int32, Int32) -> Int32
  let functionSetCacheConfig: @convention(c) (Handle, Int32) -> Int32
  let occupancy: @convention(c) (Out<Int32>, Handle, Int32, Int) -> Int32
  let launchKernel:
    @convention(c) (
      Handle, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, Handle,
      Out<UnsafeMutableRawPointer?>?, Out<UnsafeMutableRawPointer?>?
    ) -> Int32

  // Memory.
  let memAlloc: @convention(c) (Out<UInt64>, Int) -> Int32
  let memFree: @convention(c) (UInt64) -> Int32
  let memHostAlloc: @convention(c) (Out<UnsafeMutableRawPointer?>, Int, UInt32) -> Int32
  let memFreeHost: @convention(c) (UnsafeMutableRawPointer?) -> Int32
  let copyToDevice: @convention(c) (UInt64, UnsafeRawPointer?, Int) -> Int32
  let copyToHost: @convention(c) (UnsafeMutableRawPointer?, UInt64, Int) -> Int32
  let copyToDeviceAsync: @convention(c) (UInt64, UnsafeRawPointer?, Int, Handle) -> Int32
  let copyToHostAsync: @convention(c) (UnsafeMutableRawPointer?, UInt64, Int, Handle) -> Int32
  let copyOnDeviceAsync: @convention(c) (UInt64, UInt64, Int, Handle) -> Int32
  let fillBytesAsync: @convention(c) (UInt64, UInt8, Int, Handle) -> Int32

  // Streams and events.
  let streamCreate: @convention(c) (Out<Handle>, UInt32) -> Int32
  let streamDestroy: @convention(c) (Handle) -> Int32
  let streamSynchronize: @convention(c) (Handle) -> Int32
  let streamQuery: @convention(c) (Handle) -> Int32
  let streamWaitEvent: @convention(c) (Handle, Handle, UInt32) -> Int32
  let eventCreate: @convention(c) (Out<Handle>, UInt32) -> Int32
  let eventDestroy: @convention(c) (Handle) -> Int32
  let eventRecord: @convention(c) (Handle, Handle) -> Int32
  let eventQuery: @convention(c) (Handle) -> Int32
  let eventSynchronize: @convention(c) (Handle) -> Int32
  let eventElapsedTime: @convention(c) (Out<Float>, Handle, Handle) -> Int32

  /// The functions by their exported names; `symbol` gives the address of one.
  ///
  /// The types above must be the functions' own: nothing can check them.
  package init(symbol: (String) -> UnsafeMutableRawPointer?) throws(CUDAError) {
    func find<Function>(_ name: String) throws(CUDAError) -> Function {
      guard let address = symbol(name) else {
        throw CUDAError(
          .driverTooOld,
          "the NVIDIA driver has no function \(name): install a driver of CUDA 12.3 or later")
      }
      return unsafeBitCast(address, to: Function.self)
    }
    initialize = try find("cuInit")
    driverGetVersion = try find("cuDriverGetVersion")
    getErrorName = try find("cuGetErrorName")
    getErrorString = try find("cuGetErrorString")
    deviceGetCount = try find("cuDeviceGetCount")
    deviceGet = try find("cuDeviceGet")
    deviceGetName = try find("cuDeviceGetName")
    deviceGetUUID = try find("cuDeviceGetUuid")
    deviceTotalMem = try find("cuDeviceTotalMem_v2")
    deviceGetAttribute = try find("cuDeviceGetAttribute")
    primaryContextRetain = try find("cuDevicePrimaryCtxRetain")
    primaryContextRelease = try find("cuDevicePrimaryCtxRelease_v2")
    contextSetCurrent = try find("cuCtxSetCurrent")
    contextSynchronize = try find("cuCtxSynchronize")
    contextSetLimit = try find("cuCtxSetLimit")
    contextGetLimit = try find("cuCtxGetLimit")
    memGetInfo = try find("cuMemGetInfo_v2")
    moduleLoadData = try find("cuModuleLoadDataEx")
    moduleUnload = try find("cuModuleUnload")
    moduleGetFunction = try find("cuModuleGetFunction")
    moduleGetGlobal = try find("cuModuleGetGlobal_v2")
    functionGetAttribute = try find("cuFuncGetAttribute")
    functionSetAttribute = try find("cuFuncSetAttribute")
    functionSetCacheConfig = try find("cuFuncSetCacheConfig")
    occupancy = try find("cuOccupancyMaxActiveBlocksPerMultiprocessor")
    launchKernel = try find("cuLaunchKernel")
    memAlloc = try find("cuMemAlloc_v2")
    memFree = try find("cuMemFree_v2")
    memHostAlloc = try find("cuMemHostAlloc")
    memFreeHost = try find("cuMemFreeHost")
    copyToDevice = try find("cuMemcpyHtoD_v2")
    copyToHost = try find("cuMemcpyDtoH_v2")
    copyToDeviceAsync = try find("cuMemcpyHtoDAsync_v2")
    copyToHostAsync = try find("cuMemcpyDtoHAsync_v2")
    copyOnDeviceAsync = try find("cuMemcpyDtoDAsync_v2")
    fillBytesAsync = try find("cuMemsetD8Async")
    streamCreate = try find("cuStreamCreate")
    streamDestroy = try find("cuStreamDestroy_v2")
    streamSynchronize = try find("cuStreamSynchronize")
    streamQuery = try find("cuStreamQuery")
    streamWaitEvent = try find("cuStreamWaitEvent")
    eventCreate = try find("cuEventCreate")
    eventDestroy = try find("cuEventDestroy_v2")
    eventRecord = try find("cuEventRecord")
    eventQuery = try find("cuEventQuery")
    eventSynchronize = try find("cuEventSynchronize")
    eventElapsedTime = try find("cuEventElapsedTime")
  }
}
