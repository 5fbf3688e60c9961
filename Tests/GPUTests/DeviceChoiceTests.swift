import Testing

@testable import CUDA
@testable import GPU

/// What `--device` comes to.
@Suite struct DeviceChoiceTests {
  private func resolve(
    _ choice: DeviceChoice, images: [KernelImage]
  ) throws(GPUError) -> DeviceChoice.Target {
    try choice.resolve(
      driver: { () throws(CUDAError) in try StubDriver.load() },
      images: { () throws(KernelImageError) in KernelImages(images) })
  }

  private func error(_ body: () throws(GPUError) -> DeviceChoice.Target) -> GPUError? {
    do throws(GPUError) {
      _ = try body()
      return nil
    } catch {
      return error
    }
  }

  @Test func theTextsThatAreChoices() {
    #expect(DeviceChoice("cpu") == .cpu)
    #expect(DeviceChoice("auto") == .auto)
    #expect(DeviceChoice("cuda") == .cuda(0))
    #expect(DeviceChoice("cuda:0") == .cuda(0))
    #expect(DeviceChoice("cuda:12") == .cuda(12))
    #expect(DeviceChoice("cuda:all") == .allCUDA)
    for choice: DeviceChoice in [.cpu, .auto, .cuda(3), .allCUDA] {
      #expect(DeviceChoice(choice.description) == choice)
    }
  }

  @Test(arguments: [
    "", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:+1", "cuda:x", "cuda0", "cuda: 1", "cuda:1:2",
    "cuda:99999999999999999999", "cuda:٣",
  ])
  func otherTextsAreNone(text: String) { #expect(DeviceChoice(text) == nil) }

  @Test func oneDeviceOrAll() throws {
    // PTX for sm_75 runs on both.
    let image = try SampleImage.ptx(architecture: 75)
    for (choice, ordinals) in [
      (DeviceChoice.cuda(0), [0]), (.cuda(1), [1]), (.allCUDA, [0, 1]), (.auto, [0]),
    ] {
      guard case .cuda(let devices) = try resolve(choice, images: [image]) else {
        Issue.record("\(choice) is not a device")
        continue
      }
      #expect(devices.map(\.device.ordinal) == ordinals)
      #expect(devices.allSatisfy { $0.kernels.light.form == .ptx })
    }
    guard case .cpu(instead: nil) = try resolve(.cpu, images: []) else {
      Issue.record("cpu is not the processor")
      return
    }
  }

  @Test func aDeviceThatCanNotBeUsedIsAnError() throws {
    let image = try SampleImage.machineCode()
    guard
      case .cuda(let unknown)? = error({ () throws(GPUError) in
        try resolve(.cuda(2), images: [image])
      })
    else {
      Issue.record("there is no device 2")
      return
    }
    #expect(unknown.code == .unknownDevice)
    // The second device is older than the image.
    for choice in [DeviceChoice.cuda(1), .allCUDA] {
      guard
        case .image(let unsuitable)? = error({ () throws(GPUError) in
          try resolve(choice, images: [image])
        })
      else {
        Issue.record("device 1 can not run the image")
        return
      }
      #expect(unsuitable.code == .unsuitableDevice)
    }
  }

  @Test func autoTakesTheProcessorAndSaysWhy() throws {
    let noDriver = try DeviceChoice.auto.resolve(
      driver: { () throws(CUDAError) in throw CUDAError(.noLibrary, "no driver") },
      images: { () throws(KernelImageError) in KernelImages([]) })
    guard case .cpu(instead: .cuda(let missing)) = noDriver else {
      Issue.record("without a driver there is the processor")
      return
    }
    #expect(missing.code == .noLibrary)
    guard case .cpu(instead: .image(let noImage)) = try resolve(.auto, images: []) else {
      Issue.record("without an image there is the processor")
      return
    }
    #expect(noImage.code == .noImage)
  }

  @Test func driversReadThePTXOfTheirVersion() throws {
    #expect(try StubDriver.load().ptxVersion == 90)
    #expect(try StubDriver.load(isOld: true).ptxVersion == 83)
  }
}
