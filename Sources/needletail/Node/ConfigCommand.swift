import ArgumentParser
import Ethereum
import Foundation

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Show the settings that `needletail node` would have, and where each comes from.",
    discussion: """
      Takes the options of `needletail node`, which override the environment (NEEDLETAIL_NODE_HTTP_PORT \
      for --http-port), which overrides the file that --config names, an object in JSON:

        { "dev": true, "datadir": "/var/lib/needletail", "http-port": 8545, "http-hosts": ["localhost"] }

        needletail config --config node.json --http-port 8600
      """)

  @Flag(help: "Print one object of JSON instead of a table.") var json = false
  @Argument(parsing: .captureForPassthrough, help: "Options of `needletail node`.")
  var options: [String] = []

  func run() throws {
    // What is captured includes our own flag.
    let isJSON = json || options.contains("--json")
    let options = options.filter { $0 != "--json" }
    if options.contains("--help") || options.contains("-h") {
      throw CleanExit.helpRequest(self)
    }
    let configuration = try NodeConfiguration(
      arguments: options, environment: ProcessInfo.processInfo.environment)
    show(configuration, isJSON: isJSON)
    // The parser's own checks: what is shown may start no node.
    do { _ = try NodeCommand.parse(configuration.arguments) } catch {
      throw ValidationError(
        "these settings start no node: " + NodeCommand.message(for: error)
          + configuration.sources(in: NodeCommand.message(for: error)))
    }
  }

  private func show(_ configuration: NodeConfiguration, isJSON: Bool) {
    if isJSON {
      var writer = JSONWriter(isPretty: true)
      writer.object { writer in
        for setting in NodeConfiguration.settings {
          guard let value = configuration.values[setting.name] else { continue }
          writer.key(setting.name)
          writer.object { writer in
            writer.key("value")
            if let text = value.text { writer.value(text) } else { writer.null() }
            writer.member("source", value.source.words)
          }
        }
      }
      print(writer.text)
      return
    }
    var table = TextTable([("setting", .left), ("value", .left), ("source", .left)])
    for setting in NodeConfiguration.settings {
      guard let value = configuration.values[setting.name] else { continue }
      table.add([setting.name, value.text ?? "-", value.source.words])
    }
    for line in table.lines { print(line) }
  }
}
