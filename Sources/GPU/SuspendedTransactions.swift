import Coprocessors
import Kernels

/// The transactions of a wave that wait for answers, and the answers that they have.
struct SuspendedTransactions {
  private var questions: [UInt32: (precompile: UInt16, input: [UInt8])] = [:]
  /// The answers in words behind each other, and how many they are.
  private var answers: [UInt32: (count: UInt64, words: [UInt64])] = [:]

  /// Calls of a transaction after which it goes to the kernel that has all precompiles.
  private static let callLimit = 8

  /// Takes the questions that a launch left, by rows from the wave's first one on.
  mutating func take(_ words: [UInt64], firstRow: Int) {
    words.withUnsafeBytes { bytes in
      var place = 0
      while place < words.count {
        let row = UInt32(words[place] & 0xFFFF_FFFF) + UInt32(firstRow)
        let count = Int(words[place + 1])
        let precompile = UInt16(words[place] >> 32 & 0xFFFF)
        place += PrecompileExchange.questionWords
        questions[row] = (precompile, [UInt8](bytes[place * 8..<place * 8 + count]))
        place += (count + 7) / 8
      }
    }
  }

  /// Has the questions of some rows answered; gives the rows that can go on.
  mutating func answer(_ rows: [UInt32], by desk: PrecompileDesk) throws(CoprocessorError)
    -> [UInt32]
  {
    let rows = rows.filter { row in
      guard let question = questions[row], desk.answers(question.precompile) else { return false }
      return answers[row]?.count ?? 0 < Self.callLimit
    }
    if rows.isEmpty { return [] }
    let found = try desk.answers(to: rows.map { questions[$0]?.input ?? [] })
    for (row, words) in zip(rows, found) {
      questions[row] = nil
      var known = answers[row] ?? (0, [])
      known.count += 1
      known.words += words
      answers[row] = known
    }
    return rows
  }

  /// The answers of rows that run again, as the kernel reads them; `nil` where none has any.
  func words(_ rows: [UInt32]) -> (places: [UInt64], answers: [UInt64])? {
    if answers.isEmpty { return nil }
    var words: [UInt64] = []
    let places = rows.map { row in
      guard let known = answers[row] else { return UInt64.max }
      defer { words += [known.count] + known.words }
      return UInt64(words.count)
    }
    return words.isEmpty ? nil : (places, words)
  }
}
