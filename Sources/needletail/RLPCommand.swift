import ArgumentParser
import Ethereum

struct RLPCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rlp",
    abstract: "Decode RLP to JSON, or encode JSON to RLP.",
    discussion: """
      A string of bytes is a JSON string of hexadecimal digits, a list is a JSON array.

        needletail rlp 0xc883646f6783636174
        needletail rlp --encode '["0x646f67", ["0x"]]'
      """)

  @Argument(help: "RLP in hexadecimal or JSON; a file of either, or - for standard input.")
  var input: String

  @Flag(name: .shortAndLong, help: "Encode JSON to RLP.")
  var encode = false

  func run() throws {
    if encode {
      let isText = input.contains { "[\"{".contains($0) }
      let text = isText ? Array(input.utf8) : try CodeInput.contents(input)
      let tree: RLP
      do throws(FormatError) {
        tree = try RLP(json: text)
      } catch {
        var named = error
        if !isText { named.file = input }
        throw named
      }
      print(Hexadecimal.string(tree.encoded))
      return
    }
    var writer = JSONWriter(isPretty: true)
    try RLP(decoding: CodeInput.bytes(input)).write(to: &writer)
    print(writer.text)
  }
}

extension RLP {
  /// Reads a tree from JSON text.
  fileprivate init(json text: [UInt8]) throws(FormatError) {
    self = try withBytes(text) { (buffer) throws(FormatError) in
      var cursor = JSONCursor(buffer)
      let tree = try Self.read(&cursor)
      try cursor.finish()
      return tree
    }
  }

  private static func read(_ cursor: inout JSONCursor) throws(FormatError) -> RLP {
    // The reader limits the nesting, and with it this recursion.
    if try cursor.kind() == .array {
      return .list(
        try cursor.array { (cursor) throws(FormatError) in try read(&cursor) })
    }
    return .string(try cursor.hexBytes())
  }

  /// Writes the tree as JSON.
  fileprivate func write(to writer: inout JSONWriter) {
    switch self {
    case .string(let bytes): writer.value(hexadecimal: bytes)
    case .list(let items):
      writer.array { writer in
        for item in items { item.write(to: &writer) }
      }
    }
  }
}
