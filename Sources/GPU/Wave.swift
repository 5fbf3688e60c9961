import CUDA
import EVM
import Kernels

/// Memory on both sides for one part of a batch on its way through a device, and its stream.
final class Wave {
  let capacity: Int
  let stream: Stream
  private let device: TransactionDevice
  private let rows: DeviceBuffer<TransactionRow>
  private var bytes: DeviceBuffer<UInt8>
  private let outcomes: DeviceBuffer<TransactionOutcome>
  private var records: DeviceBuffer<UInt8>
  private let order: DeviceBuffer<UInt32>
  private let hostOrder: PinnedBuffer<UInt32>
  private var lanes = LaneOrder()
  private let used: DeviceBuffer<UInt64>
  /// Calls of precompiles, where somebody answers them; and the answers.
  private let questionWords: Int
  private var questions: DeviceBuffer<UInt64>
  private let questionsUsed: DeviceBuffer<UInt64>
  private var answers: DeviceBuffer<UInt64>
  private var answerPlaces: DeviceBuffer<UInt64>
  private let arguments: DeviceBuffer<TransactionKernel.Arguments>
  private let hostOutcomes: PinnedBuffer<TransactionOutcome>
  private var hostRecords: PinnedBuffer<UInt8>
  private let hostUsed: PinnedBuffer<UInt64>
  private let hostQuestionsUsed: PinnedBuffer<UInt64>
  private let hostArguments: PinnedBuffer<TransactionKernel.Arguments>
  private let start: Event
  private let end: Event
  /// The rows that are on their way.
  private(set) var range = 0..<0
  var statistics = BatchStatistics()

  /// Room for `capacity` rows with so many bytes of records each, and for at most so many bytes of
  /// questions: 0 where nobody answers.
  init(
    _ device: TransactionDevice, capacity: Int, recordBytes: Int, questionBytes: Int
  ) throws(CUDAError) {
    let context = device.context
    self.device = device
    self.capacity = capacity
    stream = try Stream(context)
    rows = try DeviceBuffer(context, count: capacity)
    bytes = try DeviceBuffer(context, count: capacity * 128)
    outcomes = try DeviceBuffer(context, count: capacity)
    records = try DeviceBuffer(context, count: max(capacity * recordBytes, 1 << 20))
    order = try DeviceBuffer(context, count: capacity)
    used = try DeviceBuffer(context, count: 1)
    questionWords = questionBytes / 8
    // A question of ECRECOVER has 18 words; more room is made when it is needed.
    questions = try DeviceBuffer(
      context, count: max(1, min(questionWords, max(capacity * 18, 1024))))
    answers = try DeviceBuffer(context, count: 1)
    answerPlaces = try DeviceBuffer(context, count: 1)
    questionsUsed = try DeviceBuffer(context, count: 1)
    hostQuestionsUsed = try PinnedBuffer(context, count: 1)
    arguments = try DeviceBuffer(context, count: 1)
    hostOrder = try PinnedBuffer(context, count: capacity)
    hostOutcomes = try PinnedBuffer(context, count: capacity)
    hostRecords = try PinnedBuffer(context, count: records.count)
    hostUsed = try PinnedBuffer(context, count: 1)
    hostArguments = try PinnedBuffer(context, count: 1)
    start = try Event(context)
    end = try Event(context)
  }

  /// Begins with a range of a batch's rows: uploads them, and launches.
  func begin(_ job: DeviceJob, _ range: Range<Int>, shape: LaunchShape) throws(CUDAError) {
    self.range = range
    statistics = BatchStatistics()
    statistics.transactions = range.count
    let part = job.columns.byteRange(range)
    if part.count > bytes.count {
      bytes = try DeviceBuffer(device.context, count: part.count * 5 / 4)
    }
    let source = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: job.columns.rows[range]))
    try stream.upload(source, to: rows.address)
    try stream.upload(
      UnsafeRawBufferPointer(rebasing: job.columns.bytes[part]), to: bytes.address)
    statistics.bytesUp += source.count + part.count
    try stream.fill(
      outcomes.address, bytes: range.count * MemoryLayout<TransactionOutcome>.stride)
    var values = arguments(job, part: part)
    if lanes.sort(job.columns, range) {
      _ = hostOrder.elements.update(fromContentsOf: lanes.positions)
      try stream.upload(hostOrder, count: range.count, to: order)
      values.order = UnsafePointer(order.pointer)
      statistics.bytesUp += range.count * 4
    }
    try launch(device.light, shape, values)
    try fetch()
  }

  /// Runs some rows of the range again, with these answers: with all precompiles in these workspaces, or
  /// as at first. Lanes that have all precompiles do `small` ones themselves where that is said.
  func rerun(
    _ job: DeviceJob, _ numbers: [UInt32], _ workspaces: DeviceWorkspaces?,
    _ known: (places: [UInt64], answers: [UInt64])?, small: UInt32, shape: LaunchShape
  ) throws(CUDAError) {
    for (index, number) in numbers.enumerated() {
      hostOrder[index] = number - UInt32(range.lowerBound)
    }
    try stream.upload(hostOrder, count: numbers.count, to: order)
    var values = arguments(job, part: job.columns.byteRange(range))
    values.order = UnsafePointer(order.pointer)
    values.count = numbers.count
    if let known {
      if answerPlaces.count < known.places.count {
        answerPlaces = try DeviceBuffer(device.context, count: known.places.count * 2)
      }
      if answers.count < known.answers.count {
        answers = try DeviceBuffer(device.context, count: known.answers.count * 2)
      }
      try upload(known.places, to: answerPlaces.address)
      try upload(known.answers, to: answers.address)
      values.exchange.places = UnsafePointer(answerPlaces.pointer)
      values.exchange.answers = UnsafePointer(answers.pointer)
      values.exchange.smallPrecompiles = small
    }
    guard let workspaces else {
      try launch(device.light, shape, values)
      return try fetch()
    }
    values.laneCount = min(numbers.count, workspaces.lanes)
    values.sizes = workspaces.size.sizes
    values.workspaces = workspaces.memory.address.pointer
    try launch(
      try device.complete(), LaunchShape(lanes: values.laneCount, threads: 32), values)
    try fetch()
  }

  /// Makes room for what the last launch claimed, with as much again to spare.
  func growRecords() throws(CUDAError) {
    let count = Int(clamping: hostUsed[0]) * 2
    records = try DeviceBuffer(device.context, count: count)
    hostRecords = try PinnedBuffer(device.context, count: count)
  }

  private func arguments(_ job: DeviceJob, part: Range<Int>) -> TransactionKernel.Arguments {
    var values = TransactionKernel.Arguments(
      fork: job.state.image.fork, selection: job.selection, laneCount: 0, count: range.count,
      rows: rows.pointer!,
      // Offsets are from the beginning of all bytes.
      bytes: UnsafeRawPointer(
        bitPattern: UInt(bytes.address.rawValue) &- UInt(part.lowerBound))!,
      environments: job.environments.pointer!, hashes: job.hashes.pointer!,
      table: job.state.table, instructions: job.state.instructionTable,
      outcomes: outcomes.pointer!, records: UnsafeMutableRawPointer(records.pointer!),
      recordCapacity: UInt64(records.count), recordsUsed: used.pointer!,
      sizes: TransactionKernel.localSizes)
    values.budget = job.budget
    if questionWords > 0 {
      values.exchange.questions = questions.pointer
      values.exchange.capacity = UInt64(questions.count * 8)
      values.exchange.used = questionsUsed.pointer
    }
    return values
  }

  private func upload(_ words: [UInt64], to address: DeviceAddress) throws(CUDAError) {
    if words.isEmpty { return }
    try words.withUnsafeBufferPointer { words throws(CUDAError) in
      try stream.upload(UnsafeRawBufferPointer(words), to: address)
    }
    statistics.bytesUp += words.count * 8
  }

  /// Launches, timed.
  private func launch(
    _ function: Function, _ shape: LaunchShape, _ given: TransactionKernel.Arguments
  ) throws(CUDAError) {
    var values = given
    if values.laneCount == 0 { values.laneCount = shape.threads }
    hostArguments[0] = values
    try stream.upload(hostArguments, count: 1, to: arguments)
    try stream.fill(used)
    try stream.fill(questionsUsed)
    try start.record(on: stream)
    try stream.launch(function, shape, arguments.address)
    try end.record(on: stream)
    statistics.launches += 1
  }

  private func fetch() throws(CUDAError) {
    try stream.download(used, count: 1, into: hostUsed)
    try stream.download(questionsUsed, count: 1, into: hostQuestionsUsed)
    try stream.download(outcomes, count: range.count, into: hostOutcomes)
    statistics.bytesDown += range.count * MemoryLayout<TransactionOutcome>.stride
  }

  /// Waits for the launch, fetches the records, and hands over what is done.
  func finish(_ numbers: OutcomePiece.Numbers, _ take: (OutcomePiece) -> Void)
    throws(CUDAError)
  {
    try stream.synchronize()
    statistics.kernelTime += try end.elapsed(since: start)
    let count = Int(min(hostUsed[0], UInt64(records.count)))
    try stream.download(records, count: count, into: hostRecords)
    try stream.synchronize()
    statistics.bytesDown += count
    take(
      OutcomePiece(
        numbers: numbers, outcomes: UnsafePointer(hostOutcomes.elements.baseAddress!),
        firstRow: range.lowerBound,
        records: UnsafeRawBufferPointer(hostRecords.slice(0, count))))
  }

  /// The questions of the last launch, after `finish`, and whether another launch has room for what this
  /// one had none for; see `PrecompileExchange`.
  func takeQuestions() throws(CUDAError) -> (words: [UInt64], isShort: Bool) {
    let claimed = questionWords > 0 ? Int(clamping: hostQuestionsUsed[0]) / 8 : 0
    if claimed == 0 { return ([], false) }
    let count = min(claimed, questions.count)
    var failure: CUDAError?
    var words = [UInt64](unsafeUninitializedCapacity: count) { target, filled in
      do throws(CUDAError) {
        try stream.download(
          questions.address,
          into: UnsafeMutableRawBufferPointer(
            UnsafeMutableBufferPointer(rebasing: target[..<count])))
        try stream.synchronize()
        filled = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    statistics.bytesDown += count * 8
    if claimed <= questions.count { return (words, false) }
    var end = 0
    while end < count, words[end] != PrecompileExchange.noRoom {
      end += PrecompileExchange.questionWords + (Int(words[end + 1]) + 7) / 8
    }
    words.removeSubrange(end...)
    // Where the memory is short, what there is has to do.
    if questions.count < questionWords,
      let larger = try? DeviceBuffer<UInt64>(
        device.context, count: min(questionWords, claimed + claimed / 4))
    {
      questions = larger
      return (words, true)
    }
    return (words, end > 0)
  }

  /// The rows of the range that are not done, with why.
  func unfinished(_ numbers: [UInt32]?) -> [(number: UInt32, outcome: TransactionOutcome)] {
    var found: [(number: UInt32, outcome: TransactionOutcome)] = []
    func visit(_ number: Int) {
      let outcome = hostOutcomes.elements[number - range.lowerBound]
      if outcome.state != .done { found.append((UInt32(number), outcome)) }
    }
    if let numbers {
      for number in numbers { visit(Int(number)) }
    } else {
      for number in range { visit(number) }
    }
    return found
  }
}
