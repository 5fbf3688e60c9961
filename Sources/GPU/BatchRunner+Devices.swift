import CUDA

extension BatchRunner {
  /// A runner on what the user's choice comes to: loads the kernels into each device.
  package convenience init(
    _ target: DeviceChoice.Target, options: Options = Options(),
    launches: DeviceExecutor.Options = DeviceExecutor.Options()
  ) throws(GPUError) {
    guard case .cuda(let found) = target else {
      self.init([], options: options)
      return
    }
    var devices: [any LaneExecutor] = []
    for (device, kernels) in found {
      let loaded: TransactionDevice
      do throws(CUDAError) {
        loaded = try TransactionDevice(Context(device), kernels)
      } catch {
        throw .cuda(error)
      }
      let desk = try PrecompileDesk(loaded.context, kernels.coprocessors)
      do throws(CUDAError) {
        devices.append(try DeviceExecutor(loaded, options: launches, desk: desk))
      } catch {
        throw .cuda(error)
      }
    }
    self.init(devices, options: options)
  }
}
