import CUDA

extension DeviceCoprocessorMachine {
  /// The machines of a choice of devices; none for the CPU. With `auto` a machine without a device
  /// that can be used has none, and `instead` gets the reason.
  package static func all(
    on choice: DeviceChoice, instead: inout GPUError?
  ) throws(GPUError) -> [DeviceCoprocessorMachine] {
    switch choice {
    case .cpu: return []
    case .auto:
      do throws(GPUError) {
        return try all(on: .cuda(0), instead: &instead)
      } catch {
        instead = error
        return []
      }
    case .cuda, .allCUDA: break
    }
    let devices: [Device]
    do throws(CUDAError) {
      let driver = try Driver.load()
      if case .cuda(let ordinal) = choice {
        devices = [try driver.device(ordinal)]
      } else {
        devices = driver.devices
      }
    } catch {
      throw .cuda(error)
    }
    let images: KernelImages
    do throws(KernelImageError) {
      images = try KernelImages.find()
    } catch {
      throw .image(error)
    }
    var machines: [DeviceCoprocessorMachine] = []
    for device in devices {
      let coprocessors = try images.image(of: .coprocessors, for: device)
      // Who names a folder without it has none of its back ends.
      let precompiles =
        images.images.contains { $0.module == .precompiles }
        ? try images.image(of: .precompiles, for: device) : nil
      do throws(CUDAError) {
        machines.append(
          try DeviceCoprocessorMachine(
            Context(device), [coprocessors, precompiles].compactMap(\.self)))
      } catch {
        throw .cuda(error)
      }
    }
    return machines
  }
}
