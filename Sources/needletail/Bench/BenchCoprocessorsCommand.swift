import ArgumentParser
import Coprocessors
import EVM
import Ethereum
import Execution
import Foundation
import GPU

struct BenchCoprocessorsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coprocessors",
    abstract: "Time batches of every coprocessor on one core and on all, after checking them.",
    discussion: """
      Each batch's results are compared with the reference's before it is timed. Times are medians of \
      wall time; `speed-up` is against one thread in the same run. keccak256 stands beside OpenSSL's \
      SHA3-256, recover and senders beside libsecp256k1's recovery, each on one core, where they are \
      installed. `state` changes accounts, or slots of their own storages, in a state that stays in \
      memory, and hashes what changed. A device has two rows: `resident` with inputs and results in \
      its memory, and the whole batch with all copies.

        needletail bench coprocessors --case recover
        needletail bench coprocessors --case state --accounts 1000000 --dirty 100000 --workers 1,16
      """)

  @Option(name: .customLong("case"), help: "Run only the cases whose name contains this.")
  var filter: String?

  @Option(help: "Threads, with commas: the first is what others are compared with.")
  var workers: String?

  @Option(help: "Samples of each time.")
  var samples = 11

  @Option(help: "Accounts of the state.")
  var accounts = 1_000_000

  @Option(help: "Accounts that change.")
  var dirty = 100_000

  @Option(help: "Devices: cpu, cuda, cuda:N, cuda:all, or auto.")
  var device = "auto"

  @Option(help: "Rows of a device's batch.")
  var deviceRows = 1 << 20

  @Flag(help: "Print the results as JSON, one object a line.")
  var json = false

  func validate() throws {
    if samples < 1 || samples > 1000 {
      throw ValidationError("--samples: \(samples) is not from 1 to 1000")
    }
    if DeviceChoice(device) == nil {
      throw ValidationError("--device: \(device) is none of cpu, cuda, cuda:N, cuda:all, auto")
    }
    if deviceRows < 1 || deviceRows > 1 << 26 {
      throw ValidationError("--device-rows: \(deviceRows) is not from 1 to 67108864")
    }
    if accounts < 1 || accounts > 50_000_000 || dirty < 1 || dirty > accounts {
      throw ValidationError("--accounts and --dirty: give 1 to 50000000, and no more dirty ones")
    }
    _ = try workerCounts()
  }

  private func workerCounts() throws -> [Int] {
    guard let workers else {
      return [1, max(2, ProcessInfo.processInfo.activeProcessorCount)]
    }
    return try workers.split(separator: ",").map {
      guard let count = Int($0), count >= 1, count <= 1024 else {
        throw ValidationError("--workers: \($0) is not from 1 to 1024")
      }
      return count
    }
  }

  func run() throws {
    var suite = CoprocessorSuite(workers: try workerCounts(), samples: samples, json: json)
    do {
      var notes: [String] = []
      let lanes = try CoprocessorSetup.lanes(DeviceChoice(device) ?? .auto, &notes)
      for note in notes { Terminal.note("needletail: \(note)") }
      for coprocessor in CoprocessorRegistry.standard where isWanted(coprocessor.name) {
        let each = try suite.run(coprocessor)
        for backEnd in lanes where backEnd.coprocessor == coprocessor.name {
          try suite.run(coprocessor, on: backEnd, rows: deviceRows, cpuEach: each)
        }
      }
      let choice = DeviceChoice(device) ?? .auto
      notes = []
      if isWanted("state accounts") {
        try suite.runAccounts(
          accounts, dirty: dirty, machines: try CoprocessorSetup.machines(choice, &notes))
      }
      if isWanted("state slots") {
        try suite.runSlots(
          accounts: accounts / 10, slots: 3,
          machines: try CoprocessorSetup.machines(choice, &notes))
      }
    } catch {
      throw ValidationError(error.message)
    }
    suite.printTable()
    if suite.wrong > 0 { throw ExitCode(1) }
  }

  private func isWanted(_ name: String) -> Bool { filter.map { name.contains($0) } ?? true }
}

/// The cases and their results.
private struct CoprocessorSuite {
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
    let requests = coprocessor.typicalRequests(rows, seed: 7)
    let results = try backEnd.run(requests)
    let sample = min(rows, 2048)
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

  /// Accounts that change in a state that stays.
  mutating func runAccounts(_ count: Int, dirty: Int, machines: [DeviceCoprocessorMachine])
    throws(CoprocessorError)
  {
    var random = RequestGenerator(seed: 21)
    let keys = (0..<count).map { _ in Hash256(random.word()) }
    let state = StateTrie(workers: workers.max() ?? 1)
    var changes = StateChanges()
    var reference = MerklePatriciaTrie(capacity: count)
    for key in keys {
      let balance = UInt256(random.next())
      changes.accounts.append(
        StateChanges.Account(key: key, fields: (1, balance, .emptyCode)))
      reference.insert(
        key: key.bytes,
        value: Allocation.Account.encoding(
          nonce: 1, balance: balance, storageRoot: MerklePatriciaTrie.emptyRoot,
          codeHash: .emptyCode))
    }
    if state.commit(changes) != reference.root { return refuse("state accounts", "building") }
    let residents = machines.map { ($0.name, ResidentState(on: $0)) }
    for (name, resident) in residents where try resident.commit(changes) != reference.root {
      return refuse("state accounts", name)
    }
    var devices = DeviceTimes(count: machines.count)
    var times = [[Double]](repeating: [], count: workers.count)
    for _ in 0..<samples {
      for (place, threads) in workers.enumerated() {
        var changes = StateChanges()
        let first = Int(random.next() % UInt64(count))
        for index in 0..<dirty {
          // Keys are random, so neighbours in the list lie anywhere.
          changes.accounts.append(
            StateChanges.Account(
              key: keys[(first + index) % count],
              fields: (2, UInt256(random.next()), .emptyCode)))
        }
        state.workers = threads
        var root = Hash256.zero
        times[place].append(Double(Self.nanoseconds { root = state.commit(changes) }))
        for (device, (name, resident)) in residents.enumerated() {
          if try devices.commit(changes, to: resident, device) != root {
            return refuse("state accounts", name)
          }
        }
      }
    }
    for (device, (name, _)) in residents.enumerated() {
      for (name, time) in devices.medians(device, name) {
        add(
          "state accounts of \(Text.gas(count))", backEnd: name, threads: nil, rows: dirty,
          time: time, first: Measurement(samples: times[0]).nanoseconds, beside: nil)
      }
    }
    for (place, threads) in workers.enumerated() {
      add(
        "state accounts of \(Text.gas(count))", threads: threads, rows: dirty,
        time: Measurement(samples: times[place]).nanoseconds,
        first: Measurement(samples: times[0]).nanoseconds, beside: nil)
    }
  }

  /// Slots of many accounts, each with a storage of its own.
  mutating func runSlots(accounts: Int, slots: Int, machines: [DeviceCoprocessorMachine])
    throws(CoprocessorError)
  {
    var random = RequestGenerator(seed: 22)
    let keys = (0..<accounts).map { _ in Hash256(random.word()) }
    let slotKeys = (0..<slots).map { _ in Hash256(random.word()) }
    let state = StateTrie(workers: 1)
    func changes() -> StateChanges {
      var changes = StateChanges()
      for key in keys {
        let first = changes.slots.count
        for slot in slotKeys { changes.slots.append((slot, UInt256(random.next() | 1))) }
        changes.accounts.append(
          StateChanges.Account(
            key: key, fields: (1, .one, .emptyCode), slots: first..<changes.slots.count))
      }
      return changes
    }
    let first = changes()
    let root = state.commit(first)
    let residents = machines.map { ($0.name, ResidentState(on: $0)) }
    for (name, resident) in residents where try resident.commit(first) != root {
      return refuse("state slots", name)
    }
    var devices = DeviceTimes(count: machines.count)
    var times = [[Double]](repeating: [], count: workers.count)
    for _ in 0..<samples {
      let next = changes()
      var roots: Set<Hash256> = []
      for (place, threads) in workers.enumerated() {
        // The same slots again: a value that is set anew is hashed anew.
        state.workers = threads
        var root = Hash256.zero
        times[place].append(Double(Self.nanoseconds { root = state.commit(next) }))
        roots.insert(root)
      }
      for (device, (_, resident)) in residents.enumerated() {
        roots.insert(try devices.commit(next, to: resident, device))
      }
      if roots.count != 1 { return refuse("state slots", "different threads") }
    }
    for (device, (name, _)) in residents.enumerated() {
      for (name, time) in devices.medians(device, name) {
        add(
          "state slots in \(Text.gas(accounts)) storages", backEnd: name, threads: nil,
          rows: accounts * slots, time: time,
          first: Measurement(samples: times[0]).nanoseconds, beside: nil)
      }
    }
    for (place, threads) in workers.enumerated() {
      add(
        "state slots in \(Text.gas(accounts)) storages", threads: threads, rows: accounts * slots,
        time: Measurement(samples: times[place]).nanoseconds,
        first: Measurement(samples: times[0]).nanoseconds, beside: nil)
    }
  }

  /// Times of states on devices: with the changes there, and with all copies.
  private struct DeviceTimes {
    private var resident: [[Double]]
    private var whole: [[Double]]

    init(count: Int) {
      resident = Array(repeating: [], count: count)
      whole = Array(repeating: [], count: count)
    }

    /// Commits changes and keeps how long it took.
    mutating func commit(_ changes: StateChanges, to state: ResidentState, _ device: Int)
      throws(CoprocessorError) -> Hash256
    {
      let start = DispatchTime.now().uptimeNanoseconds
      let prepared = try state.prepare(changes)
      try state.finishCopies()
      let copied = DispatchTime.now().uptimeNanoseconds
      let root = try state.apply(prepared)
      let end = DispatchTime.now().uptimeNanoseconds
      resident[device].append(Double(end - copied))
      whole[device].append(Double(end - start))
      return root
    }

    /// The medians by back end.
    func medians(_ device: Int, _ name: String) -> [(String, Double)] {
      [
        ("\(name) resident", Measurement(samples: resident[device]).nanoseconds),
        (name, Measurement(samples: whole[device]).nanoseconds),
      ]
    }
  }

  func printTable() {
    if json { return }
    for line in table.lines { print(line) }
  }

  private mutating func refuse(_ name: String, _ place: String) {
    wrong += 1
    Terminal.note("needletail: \(name): \(place): not the reference's results; not timed")
  }

  private mutating func add(
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

  private static func nanoseconds(_ work: () -> Void) -> UInt64 {
    let start = DispatchTime.now().uptimeNanoseconds
    work()
    return DispatchTime.now().uptimeNanoseconds - start
  }
}
