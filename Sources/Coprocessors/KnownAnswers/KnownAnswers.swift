import Ethereum

/// The known answers of the coprocessors, one file each.
enum KnownAnswers {
  /// Reads lines `source request result` in hexadecimal; `.` is no bytes, `-` a refusal.
  static func parsed(_ text: String) -> [KnownAnswer] {
    text.split(separator: "\n").map { line in
      let fields = line.split(separator: " ")
      guard fields.count == 3, let request = bytes(fields[1]),
        let result = fields[2] == "-" ? .some(nil) : bytes(fields[2]).map(Optional.some)
      else { preconditionFailure("a line of known answers is not as its generator writes it") }
      return KnownAnswer(source: String(fields[0]), request: request, result: result)
    }
  }

  private static func bytes(_ field: Substring) -> [UInt8]? {
    field == "." ? [] : Hexadecimal.bytes(unprefixed: String(field))
  }
}
