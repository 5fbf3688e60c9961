package import EVM

extension StateTest: FixtureCase {
  /// Reads the test whose value comes next.
  public static func read(
    name: String, from cursor: inout FixtureCursor, options: Options
  ) throws(FormatError) -> StateTest {
    try StateTest(name: name, from: &cursor.json, options: options)
  }

  package init(
    name: String, from cursor: inout JSONCursor, options: Options
  ) throws(FormatError) {
    var environment: TestEnvironment?
    var pre: Allocation?
    var forms: TransactionForms?
    var post: [(fork: Fork, posts: [Post])]?
    var unknown: [String] = []
    var chainID: UInt64 = 1
    var schedule = BlobSchedule.testNetworks
    var comment = ""
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "env": environment = try TestEnvironment(from: &cursor)
      case "pre": pre = try cursor.allocation()
      case "transaction": forms = try TransactionForms(from: &cursor)
      case "post":
        post = try Self.posts(from: &cursor, unknown: &unknown, options: options)
      case "fork": fork = try cursor.fork()
      case "expect": expectation = try Expectation(from: &cursor)
      case "config": try cursor.chainConfiguration(&chainID, &schedule)
      case "_info": comment = try cursor.fixtureComment()
      default: try cursor.skipValue()
      }
    }
    self.name = name
    self.environment = try cursor.required(environment, "env")
    self.pre = try cursor.required(pre, "pre")
    transaction = try cursor.required(forms, "transaction")
    transaction.chainID = chainID
    // A test that is to be run and not compared names its fork instead.
    if let post {
      self.post = post
    } else if fork != nil || expectation != nil {
      self.post = []
    } else {
      self.post = try cursor.required(post, "post")
    }
    unknownForks = unknown
    blobSchedule = schedule
    self.comment = comment
  }

  private static func posts(
    from cursor: inout JSONCursor, unknown: inout [String], options: Options
  ) throws(FormatError) -> [(fork: Fork, posts: [Post])] {
    var result: [(fork: Fork, posts: [Post])] = []
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      let name = key.text
      guard let fork = Fork(name: name) else {
        unknown.append(name)
        try cursor.skipValue()
        continue
      }
      let posts = try cursor.array { (cursor) throws(FormatError) in
        try Post(from: &cursor, options: options)
      }
      result.append((fork, posts))
    }
    return result
  }
}

extension StateTest.Expectation {
  fileprivate init(from cursor: inout JSONCursor) throws(FormatError) {
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "gasUsed": gasUsed = try cursor.uint64()
      case "stateRoot", "hash": stateRoot = try cursor.hash()
      case "logs", "logsHash": logsHash = try cursor.hash()
      case "breakdown":
        try cursor.beginObject()
        while let key = try cursor.nextKey() { breakdown[key.text] = try cursor.uint64() }
      default: try cursor.skipValue()
      }
    }
  }
}

extension StateTest.Post {
  fileprivate init(
    from cursor: inout JSONCursor, options: StateTest.Options
  ) throws(FormatError) {
    var indexes: StateTest.Indexes?
    var root: Hash256?
    var logs: Hash256?
    transactionBytes = nil
    expectedExceptions = []
    state = nil
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "hash": root = try cursor.hash()
      case "logs": logs = try cursor.hash()
      case "txbytes": transactionBytes = try cursor.hexBytes()
      case "expectException":
        if try cursor.skipNull() { continue }
        expectedExceptions = try cursor.exceptions()
      case "state":
        if options.readsExpectedState {
          state = try cursor.allocation()
        } else {
          try cursor.skipValue()
        }
      case "indexes":
        var found = StateTest.Indexes(data: 0, gas: 0, value: 0)
        try cursor.beginObject()
        while let key = try cursor.nextKey() {
          switch key {
          case "data": found.data = try cursor.index()
          case "gas": found.gas = try cursor.index()
          case "value": found.value = try cursor.index()
          default: try cursor.skipValue()
          }
        }
        indexes = found
      default: try cursor.skipValue()
      }
    }
    self.indexes = try cursor.required(indexes, "indexes")
    stateRoot = try cursor.required(root, "hash")
    logsHash = try cursor.required(logs, "logs")
  }
}

extension JSONCursor {
  /// A fork's name.
  package mutating func fork() throws(FormatError) -> Fork {
    let text = try string()
    guard let fork = Fork(name: text.text) else {
      throw failure(
        .unknownFork, "no fork has the name \(text.text)", at: offset(of: text))
    }
    return fork
  }

  /// A number that counts elements.
  package mutating func index() throws(FormatError) -> Int {
    let value = try uint64()
    guard let index = Int(exactly: value) else {
      throw failure(.valueOutOfRange, "the number is too large for an index")
    }
    return index
  }
}

extension StateTest.TransactionForms {
  fileprivate init(from cursor: inout JSONCursor) throws(FormatError) {
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "nonce":
        let value = try cursor.optionalUInt256()
        nonce = value.flatMap { $0.fitsUInt64 ? $0.limb0 : nil }
      case "gasPrice": gasPrice = try number(&cursor, "gasPrice")
      case "maxFeePerGas": maxFeePerGas = try number(&cursor, "maxFeePerGas")
      case "maxPriorityFeePerGas":
        maxPriorityFeePerGas = try number(&cursor, "maxPriorityFeePerGas")
      case "maxFeePerBlobGas": maxFeePerBlobGas = try number(&cursor, "maxFeePerBlobGas")
      case "gasLimit":
        gasLimits = try cursor.array { (cursor) throws(FormatError) in
          let value = try cursor.optionalUInt256()
          return value.flatMap { $0.fitsUInt64 ? $0.limb0 : nil }
        }
      case "value":
        values = try cursor.array { (cursor) throws(FormatError) in
          try cursor.optionalUInt256()
        }
      case "data":
        data = try cursor.array { (cursor) throws(FormatError) in try cursor.hexBytes() }
      case "to": to = try cursor.optionalAddress()
      case "accessLists":
        if try cursor.skipNull() { continue }
        accessLists = try cursor.array { (cursor) throws(FormatError) in
          if try cursor.skipNull() { return nil }
          return try cursor.accessList()
        }
      case "blobVersionedHashes":
        if try cursor.skipNull() { continue }
        blobVersionedHashes = try cursor.array { (cursor) throws(FormatError) in
          try cursor.hash()
        }
      case "authorizationList":
        if try cursor.skipNull() { continue }
        var hasOverflow = false
        authorizationList = try cursor.authorizationList(&hasOverflow)
        if hasOverflow { overflowingFields.append("authorizationList") }
      case "sender": sender = try cursor.optionalAddress()
      case "secretKey": secretKey = try cursor.uint256()
      default: try cursor.skipValue()
      }
    }
  }

  private mutating func number(
    _ cursor: inout JSONCursor, _ field: String
  ) throws(FormatError) -> UInt256? {
    if try cursor.skipNull() { return nil }
    if let value = try cursor.optionalUInt256() { return value }
    overflowingFields.append(field)
    return .max
  }
}
