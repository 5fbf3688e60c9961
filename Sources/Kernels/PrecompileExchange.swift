import EVM

/// Calls of precompiles for coprocessors to do in batches.
///
/// A lane that meets such a call writes it down as a *question* and ends the transaction as
/// `precompileUnavailable`: the transaction is suspended, and the lane takes the next one. The host has
/// the questions of all lanes answered together and runs the transactions again from the start, each
/// with the answers to its calls so far. What a transaction does until a call does not depend on when
/// it runs, so the answers are in the order of its calls.
///
///     question   row 32, precompile 16 | bytes of input | input, padded to words
///     answers    their number, then for each: bytes of output 32, precompile 16, failure 1 | output,
///                padded
///
/// Questions lie one behind the other. The first one that finds no room puts `noRoom` where it would
/// begin, where that is inside; nothing lies behind it.
package struct PrecompileExchange: BitwiseCopyable {
  /// Receives questions; `nil` where nobody answers any.
  package var questions: UnsafeMutablePointer<UInt64>?
  /// Bytes, a multiple of 8.
  package var capacity: UInt64 = 0
  /// Bytes claimed; beyond the capacity when some found no room, whose calls nobody answers.
  package var used: UnsafeMutablePointer<UInt64>?
  /// A word for each transaction to run: where its answers begin, in words, or `noAnswers`; and in the
  /// two highest bits its `OwnCalls`. `nil` where no transaction has any and all ask.
  package var places: UnsafePointer<UInt64>?
  package var answers: UnsafePointer<UInt64>?
  /// The precompiles that lanes which have them do themselves for a transaction with `OwnCalls.small`:
  /// a set of `bit(_:)`.
  package var smallPrecompiles: UInt32 = 0

  /// Nobody answers.
  package init() {}

  /// Which calls that have no answer yet a transaction's lane does itself, where it can.
  package enum OwnCalls: UInt8, BitwiseCopyable, Sendable {
    case none
    /// Those of `smallPrecompiles`.
    case small
    case all
  }

  /// Words of a question in front of its input.
  package static var questionWords: Int { 2 }
  /// What stands in place of a question that found no room.
  package static var noRoom: UInt64 { ~0 }
  /// The place of no answers.
  package static var noAnswers: UInt64 { 1 << 62 &- 1 }

  /// The word of `places`.
  package static func place(_ place: UInt64, _ own: OwnCalls) -> UInt64 {
    place | UInt64(own.rawValue) << 62
  }

  /// The first word of an answer; `nil` bytes for a call that failed.
  package static func answer(_ precompile: UInt16, bytes: Int?) -> UInt64 {
    UInt64(precompile) << 32 | (bytes.map { UInt64($0) } ?? 1 << 48)
  }

  /// The member of a set that stands for a precompile: their numbers differ in the lowest five bits.
  package static func bit(_ precompile: UInt16) -> UInt32 { 1 << UInt32(precompile & 31) }
}

/// The calls of the transaction that a lane runs.
struct PrecompileCalls: BitwiseCopyable {
  private let exchange: PrecompileExchange
  private var row: UInt32 = 0
  /// The precompiles that the lane does itself, where it can.
  private var own: UInt32 = 0
  private var next: UnsafePointer<UInt64>?
  private var left: UInt64 = 0

  @inline(__always)
  init(_ exchange: PrecompileExchange) { self.exchange = exchange }

  /// Begins with a transaction, by its row and its place among those to run.
  @inline(__always)
  mutating func begin(row: Int, place: Int) {
    self.row = UInt32(truncatingIfNeeded: row)
    left = 0
    own = 0
    guard let places = exchange.places else { return }
    let word = places[place]
    switch word >> 62 {
    case 0: own = 0
    case 1: own = exchange.smallPrecompiles
    default: own = ~0
    }
    let first = word & PrecompileExchange.noAnswers
    guard let answers = exchange.answers, first != PrecompileExchange.noAnswers else { return }
    left = answers[Int(truncatingIfNeeded: first)]
    next = answers + Int(truncatingIfNeeded: first &+ 1)
  }

  /// Whether the next call, which is of this precompile, has an answer. A call that the lane has done
  /// itself has none: what is next then is the answer to a later call, of a precompile that it does not
  /// do itself.
  @inline(__always)
  private func isAnswered(_ precompile: UInt16) -> Bool {
    guard left > 0, let next else { return false }
    return next.pointee >> 32 & 0xFFFF == UInt64(precompile)
  }

  /// Whether a call is answered by others, or asked; else the lane does it, if it can.
  @inline(never)
  func isHandedOver(_ precompile: UInt16) -> Bool {
    isAnswered(precompile)
      || exchange.questions != nil && own & PrecompileExchange.bit(precompile) == 0
  }

  /// The answer to the next call; a question where there is none yet.
  @inline(never)
  mutating func outcome(
    _ precompile: UInt16, _ input: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>
  ) -> PrecompileOutcome? {
    guard isAnswered(precompile), let answer = next else {
      ask(precompile, input)
      return nil
    }
    left &-= 1
    let count = Int(answer.pointee & 0xFFFF_FFFF)
    next = answer + (1 &+ (count &+ 7) >> 3)
    if answer.pointee >> 48 != 0 { return .failure }
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
    if place >= exchange.capacity { return }
    let question = questions + Int(truncatingIfNeeded: place >> 3)
    if bytes > exchange.capacity &- place {
      question[0] = PrecompileExchange.noRoom
      return
    }
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
