import Coprocessors
import EVM
import Ethereum
import Execution
import Foundation
import GPU

/// The cases and their results.
struct CoprocessorSuite {
  let workers: [Int]
  let samples: Int
  let json: Bool
  private(set) var wrong = 0
  private var table = TextTable([
    ("case", .left), ("back end", .left), ("threads", .right), ("rows", .right), ("time", .right),
    ("each", .right), ("rate", .right), ("speed-up", .right), ("beside it", .left),
    ("its time", .right), ("ratio", .right),
  ])

  init(workers: [Int], samples: Int, json: Bool) {
    self.workers = workers
    self.samples = samples
    self.json = json
  }

  /// Times the CPU; gives the nanoseconds of a row on the first number of threads.
  mutating func run(_ coprocessor: any Coprocessor) throws(CoprocessorError) -> Double? {
    // As many rows as take about a fifth of a second.
    var rows = 64
    let single = CPUBackEnd(coprocessor, workers: 1)
    while rows < 1 << 18 {
      let requests = coprocessor.typicalRequests(rows, seed: 7)
      if Self.nanoseconds({ _ = single.run(requests) }) > 100_000_000 { break }
      rows *= 2
    }
    let requests = coprocessor.typicalRequests(rows, seed: 7)
    let sample = requests.rows(0..<min(rows, 2048))
    let expected = coprocessor.reference(sample)
    let backEnds = workers.map { CPUBackEnd(coprocessor, workers: $0) }
    for backEnd in backEnds where backEnd.run(sample) != expected {
      refuse(coprocessor.name, "\(backEnd.workers) threads")
      return nil
    }
    let peer = Self.peer(of: coprocessor.name)
    let times = Self.medians(
      samples,
      backEnds.map { backEnd in { _ = backEnd.run(requests) } } + (peer.map { [$0.work] } ?? []))
    let beside = peer.map { (name: $0.name, each: times[backEnds.count] / Double($0.count)) }
    for (place, count) in workers.enumerated() {
      add(
        coprocessor.name, threads: count, rows: rows, time: times[place], first: times[0],
        beside: count == 1 ? beside : nil)
    }
    return times[0] / Double(rows)
  }

  /// Times a device's back end, in a batch that stays there and with all copies.
  mutating func run(
    _ coprocessor: any Coprocessor, on backEnd: LaneBackEnd, rows: Int, cpuEach: Double?
  ) throws(CoprocessorError) {
    // No more than a gigabyte, and than take about a second.
    let few = coprocessor.typicalRequests(64, seed: 7)
    var rows = min(rows, (64 << 30) / few.bytes.count)
    let trial = coprocessor.typicalRequests(min(rows, 1 << 15), seed: 7)
    _ = try backEnd.run(trial)
    let start = DispatchTime.now().uptimeNanoseconds
    _ = try backEnd.run(trial)
    let time = Double(DispatchTime.now().uptimeNanoseconds - start)
    rows = min(rows, max(trial.count, Int(1e9 / time * Double(trial.count))))
    let requests = coprocessor.typicalRequests(rows, seed: 7)
    let results = try backEnd.run(requests)
    // What takes half a second of one core.
    let sample = min(rows, 2048, max(32, Int(5e8 / (cpuEach ?? 1))))
    for part in [0..<sample, rows - sample..<rows]
    where results.rows(part) != coprocessor.reference(requests.rows(part)) {
      return refuse(coprocessor.name, backEnd.name)
    }
    let resident = try backEnd.residentTimes(requests, samples: samples)
    var whole: [Double] = []
    for _ in 0..<samples {
      let start = DispatchTime.now().uptimeNanoseconds
      _ = try backEnd.run(requests)
      whole.append(Double(DispatchTime.now().uptimeNanoseconds - start))
    }
    for (name, times) in [("\(backEnd.name) resident", resident), (backEnd.name, whole)] {
      let time = Measurement(samples: times).nanoseconds
      add(
        coprocessor.name, backEnd: name, threads: nil, rows: rows, time: time,
        first: cpuEach.map { $0 * Double(rows) } ?? time, beside: nil)
    }
  }

  func printTable() {
    if json { return }
    for line in table.lines { print(line) }
  }

  mutating func refuse(_ name: String, _ place: String) {
    wrong += 1
    Terminal.note("needletail: \(name): \(place): not the reference's results; not timed")
  }

  mutating func add(
    _ name: String, backEnd: String = "cpu", threads: Int?, rows: Int, time: Double, first: Double,
    beside: (name: String, each: Double)?
  ) {
    let each = time / Double(rows)
    if json {
      var writer = JSONWriter()
      writer.object { writer in
        writer.member("case", name)
        writer.member("backEnd", backEnd)
        if let threads { writer.member("threads", threads) }
        writer.member("rows", rows)
        for (key, value) in [
          ("nanoseconds", time), ("nanosecondsPerRow", each), ("rowsPerSecond", 1e9 / each),
          ("speedUp", first / time),
        ] {
          writer.key(key)
          writer.value(value)
        }
        if let beside {
          writer.member("peer", beside.name)
          writer.key("peerNanosecondsPerRow")
          writer.value(beside.each)
        }
      }
      print(writer.text)
      fflush(nil)
      return
    }
    table.add([
      name, backEnd, threads.map { "\($0)" } ?? "", Text.gas(rows), BlockProfile.time(UInt64(time)),
      String(format: each < 1000 ? "%.2f ns" : "%.2f us", each < 1000 ? each : each / 1000),
      "\(Text.gas(Int(1e9 / each)))/s", String(format: "%.2f", first / time), beside?.name ?? "",
      beside.map { String(format: "%.1f ns", $0.each) } ?? "",
      beside.map { String(format: "%.2f", each / $0.each) } ?? "",
    ])
  }

  // MARK: Parts

  /// Another library's way to do one request, many times over.
  private static func peer(of name: String) -> (name: String, count: Int, work: () -> Void)? {
    let count: Int
    let peer: CryptoPeer?
    switch name {
    case "keccak256":
      count = 100_000
      peer = OpenSSLPeer()?.hash("SHA3-256", of: [UInt8](repeating: 0xA5, count: 64))
    case "recover", "senders":
      count = 500
      let hash = Keccak256.hash([1])
      guard let made = Secp256k1.sign(hash: hash, secret: UInt256(7)) else { return nil }
      peer = LibSecp256k1Peer()?.recovery(
        hash: hash.bytes, r: made.r.bytes, s: made.s.bytes, yParity: made.yParity)
    default: return nil
    }
    guard case .present(let library, _, let work)? = peer else { return nil }
    return (library, count, { work(count) })
  }

  private static func medians(_ samples: Int, _ works: [() -> Void]) -> [Double] {
    var times = [[Double]](repeating: [], count: works.count)
    for _ in 0..<samples {
      for (place, work) in works.enumerated() { times[place].append(Double(nanoseconds(work))) }
    }
    return times.map { Measurement(samples: $0).nanoseconds }
  }

  static func nanoseconds(_ work: () -> Void) -> UInt64 {
    let start = DispatchTime.now().uptimeNanoseconds
    work()
    return DispatchTime.now().uptimeNanoseconds - start
  }
}
