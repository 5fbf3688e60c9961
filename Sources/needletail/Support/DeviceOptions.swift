import ArgumentParser
import GPU

/// Where to execute, for the commands that can use a GPU.
struct DeviceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where to execute: cpu, cuda, cuda:N, cuda:all, or auto.",
      discussion: """
        cuda is the first device; auto is the first device where one can be used, and else the cpu. \
        `needletail devices` lists what is there.
        """,
      valueName: "device"))
  var device: DeviceChoice = .cpu

  @Flag(help: "Make it an error when a transaction has to be run again on the CPU.")
  var strict = false

  func validate() throws {
    if strict, device == .cpu {
      throw ValidationError(
        "--strict is about what a GPU can not do: give --device cuda, cuda:N, cuda:all or auto too")
    }
  }

  /// What the choice comes to on this machine. Where `auto` comes to the CPU, a line on standard error
  /// says why.
  func resolve() throws -> DeviceChoice.Target {
    try Self.resolve(device)
  }

  /// The devices of a choice, ready to be used.
  static func resolve(_ device: DeviceChoice) throws -> DeviceChoice.Target {
    do throws(GPUError) {
      let target = try device.resolve()
      if case .cpu(.some(let reason)) = target {
        Terminal.note("needletail: --device auto: the CPU, since there is no GPU to use: \(reason)")
      }
      return target
    } catch {
      throw ValidationError("--device \(device): \(error)")
    }
  }
}

extension DeviceChoice: ExpressibleByArgument {
  /// The choice that the user names.
  init?(argument: String) { self.init(argument) }

  static var allValueStrings: [String] { ["cpu", "cuda", "cuda:N", "cuda:all", "auto"] }
}
