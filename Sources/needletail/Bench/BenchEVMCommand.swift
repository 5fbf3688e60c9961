import ArgumentParser
import EVM
import Ethereum
import Execution
import Foundation

struct BenchEVMCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evm",
    abstract: "Time the virtual machine on the public benchmarks, after checking each result.",
    discussion: """
      Runs evm-benchmarks and revmc's contracts as message calls, each from the same state with \
      translated code, and blocks of token transfers and Uniswap V3 swaps as whole transactions, on \
      one thread. Gas and output are compared with known ones, and the state root \
      of the whole transaction where the file has it, before a case is timed; a case that is wrong \
      is not timed and the exit status is 1.

      --against evmone=RUNNER times evmone beside it, --against pyrevm revm: in turns by case, and \
      a result that differs from ours has no time. Benchmarks/README.md tells how to get them. \
      evmone's quickest way of running the case counts, over all runners that are named. A ratio is our median over theirs: below 1 \
      we are faster. Times are the thread's CPU time; the spread is that of the middle half of the \
      samples.

        needletail bench evm --case main/
        needletail bench evm --against evmone=.scratch/evmone-runner --against pyrevm
      """)

  @Option(
    name: .customLong("case"), help: "Run only the cases whose full name contains this text.")
  var filter: String?

  @Option(help: "A machine to time beside ours: pyrevm, or evmone=RUNNER. May be given many times.")
  var against: [String] = []

  @Option(help: "Seconds to time each case, for each machine.")
  var seconds = 0.5

  @Option(help: "The folder of the public suites. Else $NEEDLETAIL_FIXTURES, else .fixtures.")
  var fixtures: String?

  @Flag(help: "Print the results as JSON, one object a line.")
  var json = false

  @Flag(help: "Check results and name the cases; time nothing.")
  var check = false

  func validate() throws {
    if !(seconds > 0 && seconds <= 60) {
      throw ValidationError("--seconds: \(seconds) is not above 0 and up to 60")
    }
  }

  func run() throws {
    let folder =
      fixtures ?? ProcessInfo.processInfo.environment["NEEDLETAIL_FIXTURES"] ?? ".fixtures"
    let cases = try EVMSuite.cases(fixtures: folder).filter { entry in
      filter.map { entry.fullName.contains($0) } ?? true
    }
    let workloads = try WorkloadCase.all(fixtures: folder).filter { workload in
      filter.map { workload.entry.fullName.contains($0) } ?? true
    }
    guard !cases.isEmpty || !workloads.isEmpty else {
      throw ValidationError("no case contains \"\(filter ?? "")\"; run without --case to see all")
    }
    let peers = try Peer.peers(against)
    var results: [EVMResult] = []
    var wrong = 0
    let count = cases.count + workloads.count
    for (index, entry) in cases.enumerated() {
      if !json { Terminal.progress(done: index, of: count, entry.fullName) }
      do throws(ExecutionError) {
        let machine = try CaseMachine(entry)
        let outcome = try machine.outcome()
        if isRight(entry, Self.faults(entry, outcome)) {
          if !check { results.append(measured(entry, machine, outcome, peers)) }
        } else {
          wrong += 1
        }
      } catch {
        _ = isRight(entry, [error.message])
        wrong += 1
      }
    }
    for (index, workload) in workloads.enumerated() {
      if !json { Terminal.progress(done: cases.count + index, of: count, workload.entry.fullName) }
      do throws(ExecutionError) {
        if isRight(workload.entry, try workload.faults()) {
          if !check { results.append(try measured(workload, peers)) }
        } else {
          wrong += 1
        }
      } catch {
        _ = isRight(workload.entry, [error.message])
        wrong += 1
      }
    }
    wrong += results.reduce(0) { $0 + $1.answers.count { $0.answer.isDisagreement } }
    Terminal.clearProgress()
    if !check { report(results, peers.map(\.kind)) }
    if wrong > 0 { throw ExitCode(1) }
  }

  /// Tells what is wrong with a case, or, where nothing is timed, that it is right.
  private func isRight(_ entry: EVMCase, _ faults: [String]) -> Bool {
    if !faults.isEmpty {
      Terminal.clearProgress()
      Terminal.note("needletail: \(entry.fullName): \(faults.joined(separator: "; "))")
    } else if check {
      Terminal.clearProgress()
      print("\(Terminal.green("ok")) \(entry.fullName)")
    }
    return faults.isEmpty
  }

  /// What is wrong with a case's result.
  static func faults(_ entry: EVMCase, _ outcome: CaseMachine.Outcome) -> [String] {
    var faults: [String] = []
    if !outcome.status.isSuccess { faults.append("execution ended as \(outcome.status)") }
    if let known = KnownOutcome.table[entry.fullName] {
      if outcome.gas != known.gas {
        faults.append("gas used: expected \(known.gas), got \(outcome.gas)")
      }
      let hash = Keccak256.hash(outcome.output)
      if hash != known.outputHash {
        faults.append("hash of the output: expected \(known.outputHash), got \(hash)")
      }
    } else if entry.work == .messageCall {
      faults.append(
        "no outcome is known: gas \(outcome.gas), hash of the output "
          + "\(Keccak256.hash(outcome.output))")
    }
    if let test = entry.stateTest {
      for result in StateTestRunner().run(test) { faults += result.failures }
    }
    return faults
  }

  /// Half of our samples, the peers, the other half: what disturbs the machine for longer disturbs
  /// all of them.
  private func measured(
    _ entry: EVMCase, _ machine: CaseMachine, _ outcome: CaseMachine.Outcome, _ peers: [Peer]
  ) -> EVMResult {
    let half = peers.isEmpty ? seconds : seconds / 2
    var samples = machine.withWork { Measurement.samples(of: $0, time: half) }
    let answers = peers.map { peer in
      (peer.kind, peer.answer(to: entry, outcome: outcome, seconds: seconds))
    }
    if !peers.isEmpty {
      samples += machine.withWork { Measurement.samples(of: $0, time: half) }
    }
    let analysis = Measurement.samples(
      of: CaseMachine.analysis(of: entry.code, fork: entry.fork), time: seconds / 20,
      sampleTime: 0.001)
    return printed(
      EVMResult(
        entry: entry, outcome: outcome, operations: machine.operationCount(),
        own: Measurement(samples: samples), analysis: Measurement(samples: analysis),
        answers: answers))
  }

  /// A workload, a transaction of it on average; the peers time its first transaction.
  private func measured(
    _ workload: WorkloadCase, _ peers: [Peer]
  ) throws(ExecutionError) -> EVMResult {
    let machine = try CaseMachine(workload.entry)
    let outcome = try machine.outcome()
    let half = peers.isEmpty ? seconds : seconds / 2
    var samples = try workload.samples(seconds: half)
    let answers = peers.map { peer in
      (peer.kind, peer.answer(to: workload.entry, outcome: outcome, seconds: seconds))
    }
    if !peers.isEmpty { samples += try workload.samples(seconds: half) }
    let analysis = Measurement.samples(
      of: CaseMachine.analysis(of: workload.entry.code, fork: workload.entry.fork),
      time: seconds / 20, sampleTime: 0.001)
    return printed(
      EVMResult(
        entry: workload.entry, outcome: outcome, operations: machine.operationCount(),
        own: Measurement(samples: samples), analysis: Measurement(samples: analysis),
        answers: answers))
  }

  /// A result; as JSON it is printed at once.
  private func printed(_ result: EVMResult) -> EVMResult {
    if json { printJSON { result.write(to: &$0) } }
    return result
  }

  private func report(_ results: [EVMResult], _ peers: [Peer.Kind]) {
    if !json {
      var table = TextTable(EVMResult.columns(peers))
      for result in results { table.add(result.cells) }
      for line in table.lines { print(line) }
      for note in results.flatMap(\.notes) { print("  \(note)") }
    }
    for peer in peers {
      let ratios = results.compactMap { result in
        result.ratio(to: peer).map { (suite: result.entry.suite, ratio: $0) }
      }
      for line in RatioSummary.lines(ratios) {
        if json {
          printJSON { writer in
            writer.object { writer in
              writer.member("geometricMean", peer.rawValue)
              writer.member("suite", line.suite)
              writer.member("cases", line.count)
              writer.key("ratio")
              writer.value(line.mean)
            }
          }
        } else {
          let name = "geometric mean, \(line.suite)"
          print("  \(name), \(line.count) cases: \(String(format: "%.2f", line.mean)) of \(peer)")
        }
      }
    }
  }

  private func printJSON(_ body: (inout JSONWriter) -> Void) {
    var writer = JSONWriter()
    body(&writer)
    print(writer.text)
    fflush(nil)
  }
}
