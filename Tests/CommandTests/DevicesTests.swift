import ArgumentParser
import Foundation
import GPU
import Testing

@testable import needletail

/// `needletail devices`, and the options that choose a device.
@Suite struct DevicesTests {
  private func devices(_ environment: [String: String]) throws -> (Int, [String: Any]) {
    let command = try Command()
    defer { command.remove() }
    let output = try command.run(["devices", "--json"], environment: environment)
    let object = try JSONSerialization.jsonObject(with: Data(output.standardOutput.utf8))
    return (output.status, try #require(object as? [String: Any]))
  }

  /// The variable hides all devices of a machine that has some.
  @Test func noDeviceIsAnEmptyListAndAReason() throws {
    let (status, object) = try devices(["CUDA_VISIBLE_DEVICES": ""])
    #expect(status == 0)
    #expect((object["devices"] as? [Any])?.isEmpty == true)
    #expect((object["deviceError"] as? String)?.hasPrefix("CUDA: ") == true)
    #expect(object["images"] is [Any])
  }

  @Test func anImageThatCanNotBeReadIsReported() throws {
    let (status, object) = try devices(["NEEDLETAIL_KERNEL_IMAGE": "/nonexistent.cubin"])
    #expect(status == 0)
    #expect((object["images"] as? [Any])?.isEmpty == true)
    #expect((object["imageError"] as? String)?.contains("/nonexistent.cubin") == true)
  }

  @Test func theTextSaysWhatToDo() throws {
    let command = try Command()
    defer { command.remove() }
    let output = try command.run(["devices"], environment: ["CUDA_VISIBLE_DEVICES": ""])
    #expect(output.status == 0)
    #expect(output.standardOutput.contains("no device: CUDA: "))
    let check = try command.run(["devices", "--check"], environment: ["CUDA_VISIBLE_DEVICES": ""])
    #expect(check.status == 1)
  }

  @Test func optionsBecomeAChoice() throws {
    #expect(try DeviceOptions.parse([]).device == .cpu)
    #expect(try DeviceOptions.parse(["--device", "cuda:1"]).device == .cuda(1))
    #expect(try DeviceOptions.parse(["--device", "auto", "--strict"]).strict)
  }

  @Test(arguments: [
    (["--device", "gpu"], "'cpu', 'cuda', 'cuda:N', 'cuda:all' or 'auto'"),
    (["--strict"], "--strict is about what a GPU can not do"),
    (["--device", "cpu", "--strict"], "--strict is about what a GPU can not do"),
  ])
  func optionsThatMakeNoSenseAreRefused(arguments: [String], message: String) {
    do {
      _ = try DeviceOptions.parse(arguments)
      Issue.record("accepted")
    } catch {
      #expect(DeviceOptions.message(for: error).contains(message))
    }
  }
}
