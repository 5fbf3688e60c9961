import FakeCUDA
import Testing

@testable import CUDA

extension CUDATests {
  /// What is said when there is no driver, no device, or one that is too old.
  @Suite struct DriverTests {
    init() { fake_cuda_reset() }

    @Test func aMissingLibraryIsNamed() {
      let error = FakeDriver.error { _ = try Driver(library: "libno-such-driver.so.1") }
      #expect(error?.code == .noLibrary)
      #expect(error?.description.contains("libno-such-driver.so.1") == true)
      #expect(error?.description.contains("an NVIDIA GPU and its driver are needed") == true)
    }

    @Test func aLibraryWithoutTheFunctionsIsTooOld() {
      let error = FakeDriver.error { _ = try Driver(library: "libm.so.6") }
      #expect(error?.code == .driverTooOld)
      #expect(error?.description.contains("no function cuInit") == true)
    }

    @Test func everyFunctionIsAskedForByItsExportedName() {
      for name in ["cuMemAlloc_v2", "cuMemcpyHtoDAsync_v2", "cuDevicePrimaryCtxRelease_v2"] {
        fake_cuda_reset()
        fake_cuda_hide(name)
        let error = FakeDriver.error { _ = try FakeDriver.load() }
        #expect(error?.code == .driverTooOld)
        #expect(error?.reason.contains(name) == true)
      }
    }

    @Test func anOldVersionIsRefused() {
      fake_cuda_set(12_020, 2)
      let error = FakeDriver.error { _ = try FakeDriver.load() }
      #expect(error?.code == .driverTooOld)
      #expect(
        error?.description
          == "CUDA: the NVIDIA driver supports CUDA 12.2 only: install one that supports 12.3 or "
          + "later")
      fake_cuda_set(12_030, 2)
      #expect(FakeDriver.error { _ = try FakeDriver.load() } == nil)
    }

    @Test func noDeviceIsAnError() {
      fake_cuda_set(13_000, 0)
      let error = FakeDriver.error { _ = try FakeDriver.load() }
      #expect(error?.code == .noDevice)
      #expect(error?.description.contains("CUDA_VISIBLE_DEVICES") == true)
    }

    @Test func anotherFailureOfTheStartKeepsItsNumber() {
      fake_cuda_fail("cuInit", 803)
      let error = FakeDriver.error { _ = try FakeDriver.load() }
      #expect(error == CUDAError(.callFailed, "unknown error (803)", call: "cuInit", status: 803))
    }

    @Test func devicesSayWhatTheyAre() throws {
      let driver = try FakeDriver.load()
      #expect(driver.version == 13_000)
      #expect(driver.deviceCount == 2)
      let devices = driver.devices
      #expect(try devices.map { try $0.name() } == ["Fake GPU 0", "Fake GPU 1"])
      #expect(try devices[1].uuid() == "GPU-01112131-4151-6171-8191-a1b1c1d1e1f1")
      #expect(try devices[0].totalMemory() == 1 << 30)
      #expect(try devices[0].attribute(.multiprocessorCount) == 132)
      #expect(try devices[0].computeCapability() == (9, 0))
    }

    @Test(arguments: [2, -1])
    func aDeviceThatIsNotThereIsRefused(ordinal: Int) throws {
      let driver = try FakeDriver.load()
      let error = FakeDriver.error { _ = try driver.device(ordinal) }
      #expect(error?.code == .unknownDevice)
      #expect(error?.description == "CUDA: no device \(ordinal): there are devices 0 to 1")
    }
  }
}
