public import EVM

/// A trie test: keys with values, and the root (ethereum/tests, "TrieTests").
public struct TrieTest: Sendable {
  /// The test's name.
  public var name: String
  /// Keys and values in the order of the file; an empty value removes the key.
  public var operations: [(key: [UInt8], value: [UInt8])]
  /// The root after all of them.
  public var root: Hash256

  /// The root of the operations, with the keys or with their hashes.
  public func computedRoot(isSecure: Bool) -> Hash256 {
    var trie = MerklePatriciaTrie(capacity: operations.count)
    for (key, value) in operations {
      if isSecure {
        trie.insert(hashing: key, value: value)
      } else {
        trie.insert(key: key, value: value)
      }
    }
    return trie.root
  }
}

extension TrieTest: FixtureCase {
  /// Reads the test whose value comes next: `in` is an object or an array of pairs.
  public static func read(
    name: String, from cursor: inout FixtureCursor, options: Void
  ) throws(FormatError) -> TrieTest {
    try TrieTest(name: name, from: &cursor.json)
  }

  package init(name: String, from cursor: inout JSONCursor) throws(FormatError) {
    var operations: [(key: [UInt8], value: [UInt8])]?
    var root: Hash256?
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "root": root = try cursor.hash()
      case "in":
        if try cursor.kind() == .object {
          var found: [(key: [UInt8], value: [UInt8])] = []
          try cursor.beginObject()
          while let key = try cursor.nextKey() {
            found.append((key.hexOrText, try cursor.trieBytes()))
          }
          operations = found
        } else {
          operations = try cursor.array { (cursor) throws(FormatError) in
            let pair = try cursor.array { (cursor) throws(FormatError) in
              try cursor.trieBytes()
            }
            guard pair.count == 2 else {
              throw cursor.failure(.unexpectedKind, "a pair of key and value should stand here")
            }
            return (pair[0], pair[1])
          }
        }
      default: try cursor.skipValue()
      }
    }
    self.name = name
    self.operations = try cursor.required(operations, "in")
    self.root = try cursor.required(root, "root")
  }
}

extension JSONCursor {
  fileprivate mutating func trieBytes() throws(FormatError) -> [UInt8] {
    try skipNull() ? [] : string().hexOrText
  }
}

extension JSONString {
  /// The bytes that `0x` and digits write, or else the text's own.
  var hexOrText: [UInt8] { Hexadecimal.bytes(text: rawBytes) ?? bytes }
}
