import EVM
import Ethereum

extension EVMCase {
  /// The cases of a file of evm-benchmarks: a state test, of which each `data` is a case that its
  /// label in `_info` names.
  static func stateTests(path: String, suite: String) throws(FormatError) -> [EVMCase] {
    var reader = try FixtureReader<StateTest>(path: path, options: StateTest.Options())
    let labels = try self.labels(path: path)
    var cases: [EVMCase] = []
    while let test = try reader.next() {
      for (fork, posts) in test.post {
        for post in posts {
          let transaction = try test.transaction.transaction(at: post.indexes)
          guard let recipient = transaction.to, let sender = test.transaction.sender else {
            throw FormatError(
              .missingField, "a benchmark names its sender and calls a contract", path: test.name,
              file: path)
          }
          var one = test
          one.post = [(fork, [post])]
          cases.append(
            EVMCase(
              suite: suite,
              name: test.name + "/" + (labels[post.indexes.data] ?? "\(post.indexes.data)"),
              work: .messageCall, fork: fork,
              environment: BlockEnvironment(test.environment, fork: fork), pre: test.pre,
              sender: sender, recipient: recipient, value: transaction.value,
              gas: transaction.gasLimit, gasPrice: transaction.maxFeePerGas,
              data: transaction.data, stateTest: one))
        }
      }
    }
    return cases
  }

  /// The cases of a file of revmc's benchmarks: a list of transactions that are not signed, under
  /// the newest rules; there is no expectation.
  static func transactionLists(path: String, suite: String) throws(FormatError) -> [EVMCase] {
    let file = try FileBytes(path: path)
    do throws(FormatError) {
      var cursor = JSONCursor(file.buffer)
      var cases: [EVMCase] = []
      try cursor.beginObject()
      while let name = try cursor.nextKey() {
        cases += try transactionList(&cursor, suite: suite, name: name.text)
      }
      return cases
    } catch {
      throw error.inFile(path)
    }
  }

  private static func transactionList(
    _ cursor: inout JSONCursor, suite: String, name: String
  ) throws(FormatError) -> [EVMCase] {
    var environment: TestEnvironment?
    var pre: Allocation?
    var transactions: [DescribedTransaction] = []
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "env": environment = try TestEnvironment(from: &cursor)
      case "pre": pre = try cursor.allocation()
      case "transaction":
        transactions = try cursor.array { (cursor) throws(FormatError) in
          try cursor.describedTransaction()
        }
      default: try cursor.skipValue()
      }
    }
    let given = try cursor.required(environment, "env")
    let accounts = try cursor.required(pre, "pre")
    var cases: [EVMCase] = []
    for (index, described) in transactions.enumerated() {
      let transaction = described.transaction
      cases.append(
        EVMCase(
          suite: suite, name: transactions.count == 1 ? name : "\(name)/\(index)",
          work: .messageCall, fork: .osaka,
          environment: BlockEnvironment(given, fork: .osaka), pre: accounts,
          sender: try cursor.required(described.sender, "sender"),
          recipient: try cursor.required(transaction.to, "to"), value: transaction.value,
          gas: min(transaction.gasLimit, UInt64(Int64.max)), gasPrice: transaction.maxFeePerGas,
          data: transaction.data))
    }
    return cases
  }

  /// `_info.labels` of the file's tests: names by the place in `data`.
  private static func labels(path: String) throws(FormatError) -> [Int: String] {
    let file = try FileBytes(path: path)
    do throws(FormatError) {
      var cursor = JSONCursor(file.buffer)
      var labels: [Int: String] = [:]
      try cursor.beginObject()
      while try cursor.nextKey() != nil {
        try cursor.beginObject()
        while let key = try cursor.nextKey() {
          guard key == "_info" else {
            try cursor.skipValue()
            continue
          }
          try cursor.beginObject()
          while let key = try cursor.nextKey() {
            guard key == "labels" else {
              try cursor.skipValue()
              continue
            }
            try cursor.beginObject()
            while let index = try cursor.nextKey() {
              let label = try cursor.string().text
              if let index = Int(index.text) { labels[index] = label }
            }
          }
        }
      }
      return labels
    } catch {
      throw error.inFile(path)
    }
  }
}

extension BlockEnvironment {
  /// The block that a test's environment describes.
  init(_ given: TestEnvironment, fork: Fork) {
    self.init(
      number: given.number, timestamp: given.timestamp, gasLimit: given.gasLimit,
      coinbase: given.coinbase)
    prevRandao =
      fork >= .paris
      ? given.prevRandao?.word ?? given.difficulty ?? .zero : given.difficulty ?? .zero
    if fork >= .london { baseFeePerGas = given.baseFeePerGas ?? .zero }
  }
}
