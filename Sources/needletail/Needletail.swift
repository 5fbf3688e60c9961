import ArgumentParser

@main
struct Needletail: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "needletail",
    abstract: "An Ethereum-compatible execution engine.",
    subcommands: [
      StateTestCommand.self, BlockTestCommand.self, TransitionTool.self, BlockBuilder.self,
    ])
}
