import Ethereum

/// What a peer's runner answers: its result and its times, or why there are none.
struct PeerAnswer {
  /// One way that the peer has of running code.
  struct Mode: Equatable {
    /// Its name.
    var name: String
    /// Nanoseconds an execution, the median.
    var median: Double
    /// Nanoseconds an execution in the quickest sample.
    var lowest: Double
    /// As in `Measurement`.
    var spread: Double
    /// Nanoseconds of what is done once for a code; zero when it is not apart.
    var analysis = 0.0
  }

  /// The peer with its version.
  var peer = ""
  /// Why there is no result.
  var error: String?
  /// Whether `error` is a result that differs from ours.
  var isDisagreement = false
  /// Whether execution succeeded.
  var isSuccess = false
  /// Gas in the peer's own sense.
  var gas: UInt64 = 0
  /// What it returned.
  var output: [UInt8] = []
  /// The ways of running code; the first is the peer's usual one.
  var modes: [Mode] = []

  /// The quickest mode.
  var best: Mode? { modes.min { $0.median < $1.median } }

  /// An answer without a result.
  init(error: String) {
    self.error = error
  }

  /// One answer of several builds of a machine: the modes of all, named after their programs. When
  /// one fails, or they differ, there is no result.
  init(builds: [(program: String, answer: PeerAnswer)]) {
    self = builds[0].answer
    modes = []
    for (program, answer) in builds {
      if let error = answer.error {
        self = PeerAnswer(error: "\(program): \(error)")
        return
      }
      if (answer.isSuccess, answer.gas) != (isSuccess, gas) || answer.output != output {
        self = PeerAnswer(error: "\(program): another result than \(builds[0].program)")
        return
      }
      let name = program.split(separator: "/").last.map(String.init) ?? program
      modes += answer.modes.map { mode in
        var mode = mode
        mode.name += " (\(name))"
        return mode
      }
    }
  }

  /// Reads the line of JSON.
  init(line: [UInt8]) throws(FormatError) {
    let file = FileBytes(copying: line, path: "the peer's answer")
    do throws(FormatError) {
      var cursor = JSONCursor(file.buffer)
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        switch key {
        case "peer": peer = try cursor.string().text
        case "error": error = try cursor.string().text
        case "status": isSuccess = try cursor.string().text == "success"
        case "gas": gas = try cursor.uint64()
        case "output": output = try cursor.hexBytes()
        case "modes":
          modes = try cursor.array { (cursor) throws(FormatError) in try Mode(from: &cursor) }
        default: try cursor.skipValue()
        }
      }
      try cursor.finish()
    } catch {
      throw error.inFile(file.path)
    }
    if error == nil && modes.isEmpty {
      throw FormatError(.missingField, "neither modes nor error", file: "the peer's answer")
    }
  }
}

extension PeerAnswer.Mode {
  fileprivate init(from cursor: inout JSONCursor) throws(FormatError) {
    self.init(name: "", median: 0, lowest: 0, spread: 0)
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "name": name = try cursor.string().text
      case "median": median = try Self.number(&cursor)
      case "lowest": lowest = try Self.number(&cursor)
      case "spread": spread = try Self.number(&cursor)
      case "analysis": analysis = try Self.number(&cursor)
      default: try cursor.skipValue()
      }
    }
    if name.isEmpty || median <= 0 {
      throw cursor.failure(.missingField, "a mode has a name and a median")
    }
  }

  private static func number(_ cursor: inout JSONCursor) throws(FormatError) -> Double {
    let text = try cursor.number().text
    guard let number = Double(text) else {
      throw cursor.failure(.malformedNumber, "\(text) is no number")
    }
    return number
  }
}
