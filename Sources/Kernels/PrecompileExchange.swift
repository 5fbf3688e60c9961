import EVM

/// Calls of precompiles that a kernel lacks, for coprocessors to do in batches.
///
/// A lane that meets such a call writes it down as a *question* and ends the transaction as
/// `precompileUnavailable`: the transaction is suspended, and the lane takes the next one. The host has
/// the questions of all lanes answered together and runs the transactions again from the start, each
/// with the answers to its calls so far. What a transaction does until a call does not depend on when
/// it runs, so the answers are in the order of its calls.
///
///     question   row 32, precompile 16 | bytes of input | input, padded to words
///     answers    their number, then for each: bytes of output 32, failure 1 | output, padded
package struct PrecompileExchange: BitwiseCopyable {
  /// Receives questions; `nil` where nobody answers any.
  package var questions: UnsafeMutablePointer<UInt64>?
  /// Bytes.
  package var capacity: UInt64 = 0
  /// Bytes claimed; beyond the capacity when some found no room, whose calls nobody answers.
  package var used: UnsafeMutablePointer<UInt64>?
  /// Where the answers of each transaction to run begin, in words; all bits set for none. `nil` where
  /// no transaction has any.
  package var places: UnsafePointer<UInt64>?
  package var answers: UnsafePointer<UInt64>?

  /// Nobody answers.
  package init() {}

  /// Words of a question in front of its input.
  package static var questionWords: Int { 2 }
}

/// The calls of the transaction that a lane runs.
struct PrecompileCalls: BitwiseCopyable {
  private let exchange: PrecompileExchange
  private var row: UInt32 = 0
  private var next: UnsafePointer<UInt64>?
  private var left: UInt64 = 0

  @inline(__always)
  init(_ exchange: PrecompileExchange) { self.exchange = exchange }

  /// Begins with a transaction, by its row and its place among those to run.
  @inline(__always)
  mutating func begin(row: Int, place: Int) {
    self.row = UInt32(truncatingIfNeeded: row)
    left = 0
    guard let places = exchange.places, let answers = exchange.answers, places[place] != ~0 else {
      return
    }
    let first = answers + Int(truncatingIfNeeded: places[place])
    left = first.pointee
    next = first + 1
  }

  /// The answer to the next call; a question where there is none yet.
  @inline(never)
  mutating func outcome(
    _ precompile: UInt16, _ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>
  ) -> PrecompileOutcome? {
    guard left > 0, let answer = next else {
      ask(precompile, input)
      return nil
    }
    left &-= 1
    let count = Int(answer.pointee & 0xFFFF_FFFF)
    next = answer + (1 &+ (count &+ 7) >> 3)
    if answer.pointee >> 32 != 0 { return .failure }
    var index = 0
    while index < count {
      let word = answer[1 &+ index >> 3]
      output[index] = UInt8(truncatingIfNeeded: word >> UInt64((index & 7) &* 8))
      index &+= 1
    }
    return .success(count: count)
  }

  private func ask(_ precompile: UInt16, _ input: UnsafeBufferPointer<UInt8>) {
    guard let questions = exchange.questions, let used = exchange.used else { return }
    let words = PrecompileExchange.questionWords &+ (input.count &+ 7) >> 3
    let bytes = UInt64(words &* 8)
    let place = fetchAdd(used, bytes)
    if bytes > exchange.capacity || place > exchange.capacity &- bytes { return }
    let question = questions + Int(truncatingIfNeeded: place >> 3)
    question[0] = UInt64(row) | UInt64(precompile) << 32
    question[1] = UInt64(input.count)
    var index = 0
    while index < input.count {
      var word: UInt64 = 0
      var byte = 0
      while byte < 8, index &+ byte < input.count {
        word |= UInt64(input[index &+ byte]) << UInt64(byte &* 8)
        byte &+= 1
      }
      question[PrecompileExchange.questionWords &+ index >> 3] = word
      index &+= 8
    }
  }
}
