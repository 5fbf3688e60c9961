import ArgumentParser

/// Measurements of the engine's parts, each checked before it is timed.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure the engine's parts, with other libraries beside them.",
    subcommands: [
      BenchEVMCommand.self, BenchBlockCommand.self, BenchCryptoCommand.self,
      BenchCoprocessorsCommand.self, BenchGPUCommand.self, BenchStorageCommand.self,
      BenchRPCCommand.self,
      BenchNodeCommand.self,
    ])
}
