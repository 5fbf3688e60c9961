/// What a JSON file holds, told by the keys of its first case.
public enum InputKind: String, Sendable, CaseIterable {
  /// State tests: `env`, `pre`, `transaction`.
  case stateTest
  /// Blockchain tests: `genesisBlockHeader`, `blocks`.
  case blockchainTest
  /// Transaction tests: `txbytes`, `result`.
  case transactionTest
  /// Batches, or one without a name: `pre`, `transactions`.
  case batch
  /// A block of the JSON-RPC interface: `parentHash`, `transactions`.
  case block
  /// A genesis file: `alloc`, `difficulty` or `gasLimit`.
  case genesis

  /// The kind of the file at `path`; `nil` for one that is none of them. A folder with a
  /// `block.json` is a block.
  public static func detect(path: String) throws(FormatError) -> InputKind? {
    if FileBytes.exists(path + "/block.json") { return .block }
    return try detect(FileBytes(path: path))
  }

  /// The kind of a file that is open already.
  public static func detect(_ file: borrowing FileBytes) throws(FormatError) -> InputKind? {
    do throws(FormatError) {
      var cursor = JSONCursor(file.buffer)
      var outer: Set<String> = []
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        outer.insert(key.text)
        if outer.contains("parentHash"), outer.contains("transactions") { return .block }
        if outer.contains("alloc"), outer.contains("gasLimit") || outer.contains("difficulty") {
          return .genesis
        }
        if outer.contains("pre") || outer.contains("alloc"),
          outer.contains("transactions") || outer.contains("txs")
        {
          return .batch
        }
        guard try cursor.kind() == .object else {
          try cursor.skipValue()
          continue
        }
        var inner: Set<String> = []
        try cursor.beginObject()
        while let key = try cursor.nextKey() {
          inner.insert(key.text)
          if let kind = Self(keys: inner) { return kind }
          try cursor.skipValue()
        }
      }
      return nil
    } catch { throw error.inFile(file.path) }
  }

  private init?(keys: Set<String>) {
    if keys.contains("genesisBlockHeader") {
      self = .blockchainTest
    } else if keys.contains("txbytes"), keys.contains("result") {
      self = .transactionTest
    } else if !keys.isDisjoint(with: ["pre", "alloc", "env", "fork", "expect"]) {
      // One of its other fields may be missing: reading the case tells which.
      if keys.contains("transactions") || keys.contains("txs") {
        self = .batch
      } else if keys.contains("transaction") {
        self = .stateTest
      } else {
        return nil
      }
    } else {
      return nil
    }
  }
}
