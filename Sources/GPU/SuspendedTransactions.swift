import Coprocessors
import Kernels

/// The transactions of a wave that wait for answers, and the answers that they have; in columns, a
/// place for each row of the wave.
struct SuspendedTransactions {
  private let firstRow: Int
  private let count: Int
  /// The questions of the last launches, and where each row's lies; -1 for none.
  private var questions: [UInt64] = []
  private var places: [Int]
  /// How many answers each row has, and the answers to all first calls, all second ones, and so on.
  private var counts: [UInt8]
  private var answers: [[UInt64]] = []

  /// Calls of a transaction after which it goes to the kernel that has all precompiles.
  private static let callLimit = 8

  /// No transaction of these rows waits.
  init(_ rows: Range<Int>) {
    firstRow = rows.lowerBound
    places = []
    counts = []
    count = rows.count
  }

  /// Takes the questions that a launch left, by rows from the wave's first one on.
  mutating func take(_ words: [UInt64]) {
    if words.isEmpty { return }
    if places.isEmpty {
      places = Array(repeating: -1, count: count)
      counts = Array(repeating: 0, count: count)
    }
    let start = questions.count
    questions += words
    var place = 0
    while place < words.count {
      places[Int(words[place] & 0xFFFF_FFFF)] = start + place
      place += PrecompileExchange.questionWords + (Int(words[place + 1]) + 7) / 8
    }
  }

  /// Has the questions of some rows answered; gives the rows that can go on, in their order.
  mutating func answer(_ numbers: [UInt32], by desk: PrecompileDesk) throws(CoprocessorError)
    -> [UInt32]
  {
    if questions.isEmpty { return [] }
    let rows = numbers.filter { number in
      let row = Int(number) - firstRow
      return places[row] >= 0 && counts[row] < Self.callLimit
        && desk.answers(UInt16(truncatingIfNeeded: questions[places[row]] >> 32))
    }
    let found =
      rows.isEmpty
      ? [] : try desk.answers(to: questions, at: rows.map { places[Int($0) - firstRow] })
    let size = PrecompileDesk.wordsPerAnswer
    for (index, number) in rows.enumerated() {
      let row = Int(number) - firstRow
      let call = Int(counts[row])
      if call == answers.count { answers.append(Array(repeating: 0, count: count * size)) }
      for word in 0..<size { answers[call][row * size + word] = found[index * size + word] }
      counts[row] += 1
      places[row] = -1
    }
    // What is left has no answer: those rows run elsewhere.
    for number in numbers { places[Int(number) - firstRow] = -1 }
    questions = []
    return rows
  }

  /// The answers of rows that run again, as the kernel reads them; `nil` where none has any.
  func words(_ numbers: [UInt32]) -> (places: [UInt64], answers: [UInt64])? {
    if answers.isEmpty { return nil }
    let size = PrecompileDesk.wordsPerAnswer
    var words: [UInt64] = []
    words.reserveCapacity(numbers.count * (size + 1))
    let places = numbers.map { number in
      let row = Int(number) - firstRow
      if counts[row] == 0 { return UInt64.max }
      let place = UInt64(words.count)
      words.append(UInt64(counts[row]))
      for call in 0..<Int(counts[row]) {
        // An answer without output is its first word alone.
        let answer = answers[call][row * size] == 0 ? 1 : size
        words += answers[call][row * size..<row * size + answer]
      }
      return place
    }
    return words.isEmpty ? nil : (places, words)
  }
}
