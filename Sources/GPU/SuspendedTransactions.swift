import Coprocessors
import EVM
import Kernels

/// The transactions of a wave that wait for answers, and the answers that they have; a place for each row
/// of the wave.
struct SuspendedTransactions {
  typealias OwnCalls = PrecompileExchange.OwnCalls

  private let firstRow: Int
  private let count: Int
  private let fork: Fork
  /// The questions of the last launches, and where each row's lies; -1 for none.
  private var questions: [UInt64] = []
  private var places: [Int] = []
  /// Whether rows without a question may find room for one in the next launch: one of those that they come
  /// from was short of it.
  private var isShort = false
  /// Each row's number of answers and its last one, whose entry names the one before; -1 for none.
  private var counts: [UInt32] = []
  private var lasts: [Int32] = []
  private var entries: [(words: Range<Int>, previous: Int32)] = []
  /// All answers.
  private var answers: [UInt64] = []
  /// Which calls each row's lane does itself from now on, where it can.
  private var own: [OwnCalls] = []

  /// Words of all answers, beyond which rows do their calls themselves: 512 MiB.
  static let answerLimit = 1 << 26

  /// No transaction of these rows waits.
  init(_ rows: Range<Int>, fork: Fork) {
    firstRow = rows.lowerBound
    count = rows.count
    self.fork = fork
  }

  /// Takes the questions that a launch left, by rows from the wave's first one on; `isShort` where the next
  /// launch may have room for one that this one had none for.
  mutating func take(_ words: [UInt64], isShort: Bool) {
    self.isShort = self.isShort || isShort
    if words.isEmpty { return }
    begin()
    // Rows of launches before may still wait: those that ran since had no room for their records.
    let start = questions.count
    questions += words
    var place = 0
    while place < words.count {
      places[Int(words[place] & 0xFFFF_FFFF)] = start + place
      place += PrecompileExchange.questionWords + (Int(words[place + 1]) + 7) / 8
    }
  }

  private mutating func begin() {
    if !places.isEmpty { return }
    places = Array(repeating: -1, count: count)
    counts = Array(repeating: 0, count: count)
    lasts = Array(repeating: -1, count: count)
    own = Array(repeating: .none, count: count)
  }

  /// What came of rows that wait.
  struct Progress {
    /// The rows that can run again in the same kernel, in their order.
    var rows: [UInt32] = []
    /// How many were answered, by coprocessor.
    var answered: [String: Int] = [:]
  }

  /// What becomes of a row.
  private enum Decision {
    /// Its call is done by a coprocessor.
    case ask
    /// Its question found no room: it asks again.
    case again
    /// Its lane does calls itself.
    case own(OwnCalls)
  }

  private func decide(_ row: Int, _ desk: PrecompileDesk, hasAll: Bool) -> Decision {
    // It waits for a kernel that has what it is to do.
    if own[row] != .none, !hasAll { return .own(own[row]) }
    if places[row] < 0 { return isShort ? .again : .own(.all) }
    let question = questions[places[row]]
    guard let route = desk.route(UInt16(truncatingIfNeeded: question >> 32)),
      (route.request?.bytes ?? Int(questions[places[row] + 1])) <= route.coprocessor.requestLimit,
      answers.count <= Self.answerLimit
    else { return .own(.all) }
    if counts[row] < route.callLimit { return .ask }
    return .own(route.isSmall ? .small : .all)
  }

  /// Has the calls of some rows answered, which are in their order. `hasAll` where the kernel that they
  /// are in has all precompiles: else those that do their own calls from here on are not to go on there.
  mutating func answer(_ numbers: [UInt32], by desk: PrecompileDesk, hasAll: Bool)
    throws(CoprocessorError) -> Progress
  {
    begin()
    var progress = Progress()
    var asked: [UInt32] = []
    for number in numbers {
      let row = Int(number) - firstRow
      switch decide(row, desk, hasAll: hasAll) {
      case .ask: asked.append(number)
      case .again: break
      case .own(let calls):
        own[row] = calls
        if !hasAll { continue }
      }
      progress.rows.append(number)
    }
    if !asked.isEmpty {
      let found = try desk.answers(
        to: questions, at: asked.map { places[Int($0) - firstRow] }, fork: fork)
      let start = answers.count
      answers += found.words
      entries.reserveCapacity(entries.count + asked.count)
      for (index, number) in asked.enumerated() {
        let row = Int(number) - firstRow
        entries.append((start + found.starts[index]..<start + found.starts[index + 1], lasts[row]))
        lasts[row] = Int32(entries.count - 1)
        counts[row] += 1
      }
      progress.answered = found.counts
    }
    forget(numbers)
    return progress
  }

  /// Has some rows do all of their calls themselves, as nobody else can.
  mutating func giveUp(_ numbers: [UInt32]) {
    begin()
    for number in numbers { own[Int(number) - firstRow] = .all }
    forget(numbers)
  }

  /// Whether a row's lane does all calls itself.
  func isAlone(_ number: UInt32) -> Bool {
    own.isEmpty ? false : own[Int(number) - firstRow] == .all
  }

  private mutating func forget(_ numbers: [UInt32]) {
    for number in numbers { places[Int(number) - firstRow] = -1 }
    questions = []
    isShort = false
  }

  /// What rows that run again know, as the kernel reads it; `nil` where none has any answer, and all ask.
  func words(_ numbers: [UInt32]) -> (places: [UInt64], answers: [UInt64])? {
    if own.isEmpty { return nil }
    var places: [UInt64] = []
    places.reserveCapacity(numbers.count)
    var words: [UInt64] = []
    var chain: [Int32] = []
    for number in numbers {
      let row = Int(number) - firstRow
      if counts[row] == 0 {
        places.append(PrecompileExchange.place(PrecompileExchange.noAnswers, own[row]))
        continue
      }
      places.append(PrecompileExchange.place(UInt64(words.count), own[row]))
      words.append(UInt64(counts[row]))
      chain.removeAll(keepingCapacity: true)
      var entry = lasts[row]
      while entry >= 0 {
        chain.append(entry)
        entry = entries[Int(entry)].previous
      }
      for entry in chain.reversed() { words += answers[entries[Int(entry)].words] }
    }
    return (places, words)
  }
}
