import CUDA
import Testing

@testable import GPU

/// What only a device can show.
@Suite struct DeviceCheckTests {
  private static let driver = try? Driver.load()

  @Test(.enabled(if: driver != nil, "there is no CUDA device on this machine"))
  func everyDeviceAddsAndCopies() throws {
    for device in try #require(Self.driver).devices {
      #expect(try DeviceCheck.runSmallKernel(in: Context(device)) != nil)
    }
  }
}
