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
    var found: [Question] = []
    var place = 0
    while place < result.questions.count {
      let header = result.questions[place]
      let count = Int(result.questions[place + 1])
      place += PrecompileExchange.questionWords
      let words = result.questions[place..<place + (count + 7) / 8]
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
    guard case .success(let count) = outcome else { return [1 << 32] }
    return [UInt64(count)]
      + stride(from: 0, to: count, by: 8).map { start in
        (0..<8).reduce(UInt64(0)) { $0 | UInt64(output[start + $1]) << (8 * UInt64($1)) }
      }
  }

  @Test func aSuspendedTransactionGoesOnWithItsAnswers() throws {
    var launch = try Self.launch()
    let complete = launch.run()
    #expect(complete.outcomes.map(\.state) == [.done, .done, .done])
    launch.lanes = .light
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
    launch.answers = [[], [2, 1 << 32, 1 << 32], []]
    let result = launch.run()
    #expect(result.outcomes[1].state == .done)
    // All gas of both calls is gone: more than what the complete machine took.
    launch.answers = []
    launch.lanes = .complete
    #expect(result.outcomes[1].gasUsed > launch.run().outcomes[1].gasUsed)
  }

  @Test(arguments: [0, 8, 143, 144])
  func aQuestionWithoutRoomIsCounted(_ capacity: Int) throws {
    var launch = try Self.launch()
    launch.lanes = .light
    launch.questionCapacity = capacity
    let result = launch.run()
    #expect(result.outcomes[1].status == .precompileUnavailable)
    #expect(result.questionsUsed == (capacity > 0 ? 144 : 0))
    if capacity >= 144 {
      #expect(Self.questions(result).count == 1)
    } else {
      #expect(result.questions.allSatisfy { $0 == 0x5a5a })
    }
  }
}
