import ArgumentParser
import Foundation

/// The settings of a node from all places: the command line overrides the environment, the
/// environment the file that `--config` names, the file the defaults.
///
/// Settings are the options of `needletail node`, whatever they are: `--http-port` is `"http-port"` in
/// the file and `NEEDLETAIL_NODE_HTTP_PORT` in the environment. What file and environment say goes in
/// front of the command line, so that the parser checks all in the same way.
struct NodeConfiguration {
  /// Where a value comes from.
  enum Source: Equatable {
    case commandLine
    case environment(String)
    case file(String)
    case fallback

    var words: String {
      switch self {
      case .commandLine: "command line"
      case .environment(let name): name
      case .file(let path): path
      case .fallback: "default"
      }
    }
  }

  /// An option of `needletail node`.
  struct Setting {
    var name: String
    var isFlag: Bool
    var fallback: String?
    var help: String
  }

  /// What a setting is, and why.
  struct Value: Equatable {
    var text: String?
    var source: Source
  }

  static let prefix = "NEEDLETAIL_NODE_"

  /// All settings in the order of the help, but `--config` itself.
  static let settings: [Setting] = {
    struct Tool: Decodable {
      struct Name: Decodable {
        var kind: String
        var name: String
      }
      struct Argument: Decodable {
        var kind: String
        var names: [Name]?
        var defaultValue: String?
        var abstract: String?
      }
      struct Command: Decodable { var arguments: [Argument]? }
      var command: Command
    }
    guard let tool = try? JSONDecoder().decode(Tool.self, from: Data(NodeCommand._dumpHelp().utf8))
    else { preconditionFailure("the argument parser describes the node's options") }
    return (tool.command.arguments ?? []).compactMap { argument in
      guard let name = argument.names?.first(where: { $0.kind == "long" })?.name,
        !["help", "version", "config"].contains(name)
      else { return nil }
      return Setting(
        name: name, isFlag: argument.kind == "flag", fallback: argument.defaultValue,
        help: argument.abstract ?? "")
    }
  }()

  /// The value of each setting by its name.
  private(set) var values: [String: Value] = [:]
  /// What the parser of `needletail node` gets.
  private(set) var arguments: [String] = []

  /// Collects the settings; `arguments` are those after `needletail node`.
  init(arguments: [String], environment: [String: String]) throws {
    for setting in Self.settings {
      values[setting.name] = Value(
        text: setting.isFlag ? "false" : setting.fallback, source: .fallback)
    }
    if let path = Self.value(of: "config", arguments) ?? environment[Self.prefix + "CONFIG"] {
      try read(file: path)
    }
    for (variable, text) in environment.sorted(by: { $0.key < $1.key })
    where variable.hasPrefix(Self.prefix) && variable != Self.prefix + "CONFIG" {
      let name = variable.dropFirst(Self.prefix.count).lowercased()
        .replacingOccurrences(of: "_", with: "-")
      try set(name, text, .environment(variable))
    }
    let given = Set(
      arguments.filter { $0.hasPrefix("--") }
        .map { String($0.dropFirst(2).prefix { $0 != "=" }) })
    var lead: [String] = []
    for setting in Self.settings {
      guard let value = values[setting.name], value.source != .fallback else { continue }
      if given.contains(setting.name) { continue }
      if setting.isFlag {
        if value.text == "true" { lead.append("--\(setting.name)") }
      } else if let text = value.text {
        lead.append("--\(setting.name)=\(text)")
      }
    }
    for setting in Self.settings where given.contains(setting.name) {
      values[setting.name] = Value(
        text: setting.isFlag ? "true" : Self.value(of: setting.name, arguments),
        source: .commandLine)
    }
    self.arguments = lead + arguments
  }

  /// The last value that arguments give an option.
  private static func value(of name: String, _ arguments: [String]) -> String? {
    var found: String?
    for (index, argument) in arguments.enumerated() {
      if argument.hasPrefix("--\(name)=") {
        found = String(argument.dropFirst(name.count + 3))
      } else if argument == "--\(name)", index + 1 < arguments.count {
        found = arguments[index + 1]
      }
    }
    return found
  }

  private mutating func set(_ name: String, _ text: String, _ source: Source) throws {
    guard let setting = Self.settings.first(where: { $0.name == name }) else {
      throw ValidationError(
        "\(source.words): there is no setting \"\(name)\"; `needletail config` lists them")
    }
    var text = text
    if setting.isFlag {
      switch text.lowercased() {
      case "true", "1", "yes": text = "true"
      case "false", "0", "no", "": text = "false"
      default:
        throw ValidationError("\(source.words): \(name): \"\(text)\" is neither true nor false")
      }
    }
    values[name] = Value(text: text, source: source)
  }

  /// Reads a file: an object of settings by name; texts, numbers, true or false, or lists of texts.
  private mutating func read(file path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ValidationError("--config: \(path) can not be read")
    }
    let content: Any
    do { content = try JSONSerialization.jsonObject(with: data) } catch {
      let reason = (error as NSError).userInfo[NSDebugDescriptionErrorKey] ?? error
      throw ValidationError("\(path): it is not JSON: \(reason)")
    }
    guard let object = content as? [String: Any] else {
      throw ValidationError("\(path): settings are an object, such as {\"dev\": true}")
    }
    for (name, value) in object.sorted(by: { $0.key < $1.key }) {
      let text: String
      switch value {
      case is NSNull: continue
      case let value as String: text = value
      case let value as [String]: text = value.joined(separator: ",")
      // Only true and false are of this type: numbers say that they are of a wider one.
      case let value as NSNumber where String(cString: value.objCType) == "c":
        text = value.boolValue ? "true" : "false"
      case let value as NSNumber: text = value.stringValue
      default:
        throw ValidationError(
          "\(path): \(name): a setting is a text, a number, true or false, or a list of texts")
      }
      try set(name, text, .file(path))
    }
  }

  /// Where the settings come from that a message names, if not from the command line.
  func sources(in message: String) -> String {
    Self.settings.compactMap { setting -> String? in
      guard let value = values[setting.name], value.source != .fallback,
        value.source != .commandLine,
        message.contains("'--\(setting.name) ")
          || message.contains("--\(setting.name):")
      else { return nil }
      return "\n--\(setting.name) is from \(value.source.words)"
    }.joined()
  }

  /// The settings of a program's arguments, where they are those of `needletail node`.
  static func ofNode(
    _ arguments: [String], environment: [String: String]
  ) throws -> NodeConfiguration? {
    guard arguments.first == "node", !arguments.contains("--help"), !arguments.contains("-h") else {
      return nil
    }
    return try NodeConfiguration(
      arguments: Array(arguments.dropFirst()), environment: environment)
  }
}
