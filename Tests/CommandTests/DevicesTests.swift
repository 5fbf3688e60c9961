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

  // MARK: devices check

  /// The serial executor and the kernels on the host agree, and the program says on what.
  @Test func randomTransactionsAgree() throws {
    let command = try Command()
    defer { command.remove() }
    let output = try command.run(
      ["devices", "check", "--count", "395", "--first", "7", "--jobs", "2", "--json"])
    #expect(output.status == 0)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(output.standardOutput.utf8)) as? [String: Any])
    #expect(object["transactions"] as? Int == 400)
    #expect(object["mismatchCount"] as? Int == 0)
    #expect((object["mismatches"] as? [Any])?.isEmpty == true)
    let endings = try #require(object["endings"] as? [String: Int])
    #expect(endings.values.reduce(0, +) == 400)
    let text = try command.run(["devices", "check", "--count", "8"])
    #expect(text.status == 0)
    #expect(text.standardOutput.contains("0 mismatches"))
  }

  @Test(arguments: [
    (["--count", "0"], "--count: 0 is not at least 1"),
    (["--jobs", "0"], "--jobs: 0 is not from 1 to 1024"),
    (["--first", "18446744073709551615"], "--first: 18446744073709551615 is too large"),
    (["--device", "cuda"], "--device cuda:0: "),
  ])
  func checksThatCanNotBeAreRefused(arguments: [String], message: String) throws {
    let command = try Command()
    defer { command.remove() }
    let output = try command.run(
      ["devices", "check"] + arguments, environment: ["CUDA_VISIBLE_DEVICES": ""])
    #expect(output.status == 2)
    #expect(output.standardError.contains(message))
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
