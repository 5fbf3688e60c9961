import EVM
import Testing

@testable import Kernels

/// Transactions that are suspended at a precompile, and go on with the answer.
struct PrecompileExchangeTests {
  private static let signer = Address(number: 0xaa)
  private static let contract = Address(number: 0xcc)

  /// Copies its data to memory, calls ecrecover with 128 bytes of it and puts the address over the
  /// first word, calls it again with what there is now, then `last`, and returns 96 bytes.
  private static let code: [UInt8] =
    // CALLDATASIZE PUSH0 PUSH0 CALLDATACOPY
    [0x36, 0x5f, 0x5f, 0x37]
    // PUSH1 32 PUSH0 PUSH1 128 PUSH0 PUSH0 PUSH1 1 GAS CALL POP
    + [0x60, 32, 0x5f, 0x60, 128, 0x5f, 0x5f, 0x60, 1, 0x5a, 0xf1, 0x50]
    // The same, to the third word.
    + [0x60, 32, 0x60, 64, 0x60, 128, 0x5f, 0x5f, 0x60, 1, 0x5a, 0xf1, 0x50]
    // PUSH1 96 PUSH0 RETURN
    + [0x60, 96, 0x5f, 0xf3]

  private static func launch() throws -> KernelLaunch {
    var launch = KernelLaunch()
    launch.accounts = [
      KernelLaunch.Account(address: signer, balance: UInt256(0, 1, 0, 0)),
      KernelLaunch.Account(address: contract, code: code),
    ]
    let hash = Hash256(UInt256(77))
    let made = try #require(Secp256k1.sign(hash: hash, secret: UInt256(99)))
    var transaction = TestTransaction(from: signer, to: contract)
    transaction.data = [hash.word, UInt256(UInt64(27 + made.yParity)), made.r, made.s].flatMap {
      word in (0..<32).map { word.bigEndianByte($0) }
    }
    // One that asks nothing, before and behind.
    let other = TestTransaction(from: signer, to: Address(number: 0xdd))
    launch.transactions = [other, transaction, other]
    return launch
  }

  private struct Question {
    var row: Int
    var precompile: UInt16
    var input: [UInt8]
  }

  private static func questions(_ result: KernelLaunch.Result) -> [Question] {
    questions(words: result.questions)
  }

  private static func questions(words all: [UInt64]) -> [Question] {
    var found: [Question] = []
    var place = 0
    while place < all.count {
      let header = all[place]
      let count = Int(all[place + 1])
      place += PrecompileExchange.questionWords
      let words = all[place..<place + (count + 7) / 8]
      let input = words.flatMap { word in (0..<8).map { UInt8(word >> (8 * $0) & 0xff) } }
      found.append(
        Question(
          row: Int(header & 0xffff_ffff), precompile: UInt16(header >> 32),
          input: [UInt8](input.prefix(count))))
      place += words.count
    }
    return found
  }

  private static func answer(_ question: Question) throws -> [UInt64] {
    let precompile = try #require(Precompile(rawValue: question.precompile))
    var output = [UInt8](repeating: 0, count: 256)
    let memory = TestMemory()
    var scratch = Arena(base: memory.raw(1 << 16), capacity: 1 << 16)
    let outcome = question.input.withUnsafeBufferPointer { input in
      precompile.run(input: input, output: &output, fork: .osaka, scratch: &scratch)
    }
    guard case .success(let count) = outcome else {
      return [PrecompileExchange.answer(question.precompile, bytes: nil)]
    }
    return [PrecompileExchange.answer(question.precompile, bytes: count)]
      + stride(from: 0, to: count, by: 8).map { start in
        (0..<8).reduce(UInt64(0)) { $0 | UInt64(output[start + $1]) << (8 * UInt64($1)) }
      }
  }

  /// In a kernel that lacks the precompile, and in one that has it and hands it over.
  @Test(arguments: [KernelLaunch.Lanes.light, .all])
  func aSuspendedTransactionGoesOnWithItsAnswers(_ lanes: KernelLaunch.Lanes) throws {
    var launch = try Self.launch()
    let complete = launch.run()
    #expect(complete.outcomes.map(\.state) == [.done, .done, .done])
    launch.lanes = lanes
    launch.questionCapacity = 4096
    var answers: [UInt64] = []
    for call in 0..<2 {
      launch.answers = call == 0 ? [] : [[], [UInt64(call)] + answers, []]
      let result = launch.run()
      #expect(result.outcomes.map(\.state) == [.done, .faulted, .done])
      #expect(result.outcomes[1].status == .precompileUnavailable)
      let questions = Self.questions(result)
      let question = try #require(questions.first)
      #expect(questions.count == 1)
      #expect(question.row == 1)
      #expect(question.precompile == 1)
      #expect((question.input == launch.transactions[1].data) == (call == 0))
      answers += try Self.answer(question)
    }
    // Alone, as the second of a list to run: the answers go by places, the questions by rows.
    launch.order = [2, 1]
    launch.answers = [[], [2] + answers]
    let resumed = launch.run()
    #expect(resumed.questionsUsed == 0)
    #expect(resumed.outcomes[1].state == .done)
    #expect(resumed.outcomes[1].gasUsed == complete.outcomes[1].gasUsed)
    #expect(resumed.records(1) == complete.records(1))
  }

  @Test func aFailedCallIsAnAnswerToo() throws {
    var launch = try Self.launch()
    launch.lanes = .light
    let failure = PrecompileExchange.answer(1, bytes: nil)
    launch.answers = [[], [2, failure, failure], []]
    let result = launch.run()
    #expect(result.outcomes[1].state == .done)
    // All gas of both calls is gone: more than what the complete machine took.
    launch.answers = []
    launch.lanes = .complete
    #expect(result.outcomes[1].gasUsed > launch.run().outcomes[1].gasUsed)
  }

  /// ECRECOVER, then the identity, which each kernel has, then a sum in bn254.
  @Test func aLaneDoesSomeCallsItself() throws {
    var launch = try Self.launch()
    launch.transactions.removeFirst()
    // PUSH1 32 PUSH0 PUSH1 128 PUSH0 PUSH0 PUSH1 n GAS CALL POP
    func call(_ precompile: UInt8) -> [UInt8] {
      [0x60, 32, 0x5f, 0x60, 128, 0x5f, 0x5f, 0x60, precompile, 0x5a, 0xf1, 0x50]
    }
    launch.accounts[1].code =
      [0x36, 0x5f, 0x5f, 0x37] + call(1) + call(6) + call(1) + [0x60, 96, 0x5f, 0xf3]
    launch.transactions[0].message.gasLimit = 300_000
    let complete = launch.run()
    launch.lanes = .all
    launch.questionCapacity = 4096
    launch.smallPrecompiles = PrecompileExchange.bit(1)
    // All of them, all but ECRECOVER, which has no answer though a later call has, and none.
    launch.ownCalls = [.all, .none]
    launch.answers = [[], []]
    #expect(launch.run().questionsUsed == 0)
    #expect(launch.run().records(0) == complete.records(0))
    launch.ownCalls = [.small, .none]
    let question = try #require(Self.questions(launch.run()).first)
    #expect(question.precompile == 6)
    launch.answers = [[1] + (try Self.answer(question)), []]
    let resumed = launch.run()
    #expect(resumed.questionsUsed == 0)
    #expect(resumed.outcomes[0].gasUsed == complete.outcomes[0].gasUsed)
    #expect(resumed.records(0) == complete.records(0))
    launch.ownCalls = []
    launch.answers = [[], []]
    #expect(Self.questions(launch.run()).map(\.precompile) == [1])
  }

  @Test(arguments: [0, 8, 136, 144, 152, 280, 288])
  func aQuestionWithoutRoomIsCounted(_ capacity: Int) throws {
    var launch = try Self.launch()
    launch.lanes = .light
    launch.transactions[2] = launch.transactions[1]
    launch.questionCapacity = capacity
    let result = launch.run()
    #expect(result.outcomes[1].status == .precompileUnavailable)
    #expect(result.questionsUsed == (capacity > 0 ? 288 : 0))
    // Those that fit lie at the beginning; behind them is the mark, if there is a word for it.
    let fitting = capacity / 144
    let end = result.questions.firstIndex(of: PrecompileExchange.noRoom)
    #expect(end == (capacity % 144 == 0 ? nil : fitting * 18))
    let whole = end.map { Array(result.questions[..<$0]) } ?? result.questions
    #expect(whole.count == fitting * 18)
    for (row, question) in zip(1..., Self.questions(words: whole)) {
      #expect(question.row == row)
      #expect(question.input == launch.transactions[row].data)
    }
  }
}
