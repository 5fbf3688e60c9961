import ArgumentParser
import Coprocessors
import EVM
import Ethereum
import Execution
import GPU

struct ProfileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile",
    abstract: "Tell where the gas and the time of transactions and blocks go.",
    discussion: """
      Takes the inputs of `needletail run`: a file of state tests or batches, or the folder of a \
      main network block. Every part of the work is glue (control code) or the work of a coprocessor \
      (storage, hashes, signatures, curves, tries). Gas sums to what is used before the refund, times \
      to the time of the whole, from signed transactions to roots, on one core. `if free` is the time \
      that is left if a part took none. With --device the senders and the roots are a device's work: \
      its time and the bytes that are copied stand beside the host's (--json).

        needletail profile state_test.json
        needletail profile mainnet-blocks/8889776 --transaction 3
        needletail profile batch.json --html profile.html
        needletail profile batch.json --folded - --weight gas | flamegraph.pl > profile.svg
      """)

  @Argument(help: "Files of state tests or batches, and folders of blocks.")
  var inputs: [String]

  @Option(help: "The rules: only state tests of this fork, and batches and blocks under it.")
  var fork: String?

  @Option(help: "Only this transaction of a block or batch: its place, from 0, or its hash.")
  var transaction: String?

  @Option(help: "Runs of each kind at most, of which the fastest counts; a second is the limit.")
  var repeats = 15

  @Option(help: "Where senders are recovered and roots worked out: cpu, cuda or cuda:N.")
  var device = "cpu"

  @Flag(help: "Print one object of JSON for each case instead of tables.")
  var json = false

  @Option(help: "Write folded stacks for flame-graph tools into this file; - is standard output.")
  var folded: String?

  @Option(help: "What folded stacks count: gas or nanoseconds.")
  var weight = CallProfile.Weight.nanoseconds.rawValue

  @Option(help: "Write a page with flame graphs into this file.")
  var html: String?

  func validate() throws {
    switch DeviceChoice(device) {
    case .cpu, .cuda: break
    default: throw ValidationError("--device: \(device) is none of cpu, cuda, cuda:N")
    }
    if repeats < 1 { throw ValidationError("--repeats: \(repeats) is not 1 or more") }
    if CallProfile.Weight(rawValue: weight) == nil {
      throw ValidationError("--weight: \(weight) is neither gas nor nanoseconds")
    }
  }

  func run() throws {
    // Opened before any work, so that a path that can not be written is known at once.
    let stacks = try folded.map { path throws(FormatError) in try OutputFile(path: path) }
    let page = try html.map { path throws(FormatError) in try OutputFile(path: path) }
    let stackWeight = CallProfile.Weight(rawValue: weight) ?? .nanoseconds
    let runner = InputRunner()
    runner.fork = try fork.map { try Fork(argument: $0) }
    runner.profileRepeats = repeats
    runner.profileStages = try stages()
    var profiles: [BlockProfile] = []
    var failed = 0
    var found = false
    for input in inputs {
      try runner.run(path: input) { (report) throws(FormatError) in
        if !report.passed { failed += 1 }
        for failure in report.failures { Terminal.note("needletail: \(report.name): \(failure)") }
        guard var profile = report.blockProfile else { return }
        for executed in profile.transactions where !executed.isBalanced {
          failed += 1
          Terminal.note(
            "needletail: \(report.name): the gas of transaction \(executed.index) does not sum up")
        }
        if let transaction {
          guard let only = profile.only(transaction) else { return }
          profile = only
        }
        found = true
        try print(profile)
        for line in stacks == nil ? [] : profile.call.foldedStacks(stackWeight) {
          try stacks?.write(Array((line + "\n").utf8))
        }
        if page != nil { profiles.append(profile) }
      }
    }
    try stacks?.finish()
    try page?.write(Array(ProfilePage(profiles).text.utf8))
    try page?.finish()
    if let transaction, !found {
      throw ValidationError("--transaction: no executed transaction is \(transaction)")
    }
    if failed > 0 { throw ExitCode(1) }
  }

  /// The device's way to do the stages of a block; `nil` for the CPU.
  private func stages() throws -> DeviceStages? {
    var notes: [String] = []
    do throws(CoprocessorError) {
      let machines = try CoprocessorSetup.machines(DeviceChoice(device) ?? .cpu, &notes)
      return machines.first.map { DeviceStages($0) }
    } catch {
      throw ValidationError("--device \(device): \(error.message)")
    }
  }

  private func print(_ profile: BlockProfile) throws(FormatError) {
    if folded == "-" || html == "-" { return }
    if json {
      var writer = JSONWriter()
      profile.write(to: &writer)
      Swift.print(writer.text)
    } else {
      profile.printTable()
    }
  }
}
