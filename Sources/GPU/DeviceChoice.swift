package import CUDA

/// Where to execute, as the user asks: `cpu`, `cuda`, `cuda:N`, `cuda:all` or `auto`.
package enum DeviceChoice: Hashable, Sendable {
  /// The processor.
  case cpu
  /// One device by its number.
  case cuda(Int)
  /// All devices.
  case allCUDA
  /// The first device where there is one that can be used, else the processor.
  case auto

  /// The choice that a text names; `nil` for another text.
  package init?(_ text: String) {
    switch text {
    case "cpu": self = .cpu
    case "cuda": self = .cuda(0)
    case "cuda:all": self = .allCUDA
    case "auto": self = .auto
    default:
      let digits = text.dropFirst(5)
      guard text.hasPrefix("cuda:"), !digits.isEmpty,
        digits.allSatisfy({ $0.isASCII && $0.isNumber }), let ordinal = Int(digits)
      else { return nil }
      self = .cuda(ordinal)
    }
  }

  /// What a choice comes to on this machine.
  package enum Target: Sendable {
    /// The processor; where a device was wanted but none can be used, the reason.
    case cpu(instead: GPUError?)
    /// These devices, at least one, each with the images that it runs.
    case cuda([(device: Device, kernels: TransactionKernelImages)])
  }

  /// What the choice comes to on this machine. Throws where the user asks for a device that can not be
  /// used.
  package func resolve() throws(GPUError) -> Target {
    try resolve(driver: Driver.load, images: KernelImages.find)
  }

  /// The same with a driver and images from elsewhere.
  func resolve(
    driver: () throws(CUDAError) -> Driver, images: () throws(KernelImageError) -> KernelImages
  ) throws(GPUError) -> Target {
    switch self {
    case .cpu: return .cpu(instead: nil)
    case .auto:
      do throws(GPUError) {
        return try DeviceChoice.cuda(0).resolve(driver: driver, images: images)
      } catch {
        return .cpu(instead: error)
      }
    case .cuda, .allCUDA: break
    }
    let devices: [Device]
    do throws(CUDAError) {
      let driver = try driver()
      if case .cuda(let ordinal) = self {
        devices = [try driver.device(ordinal)]
      } else {
        devices = driver.devices
      }
    } catch {
      throw .cuda(error)
    }
    let found: KernelImages
    do throws(KernelImageError) {
      found = try images()
    } catch {
      throw .image(error)
    }
    return .cuda(
      try devices.map { device throws(GPUError) in
        (device, try TransactionKernelImages(found, for: device))
      })
  }
}

extension DeviceChoice: CustomStringConvertible {
  /// The text that names the choice.
  package var description: String {
    switch self {
    case .cpu: "cpu"
    case .cuda(let ordinal): "cuda:\(ordinal)"
    case .allCUDA: "cuda:all"
    case .auto: "auto"
    }
  }
}
