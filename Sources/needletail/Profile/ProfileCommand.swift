import ArgumentParser
import EVM
import Ethereum
import Execution

struct ProfileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile",
    abstract: "Tell where the gas and the time of transactions and blocks go.",
    discussion: """
      Takes the inputs of `needletail run`: a file of state tests or batches, or the folder of a \
      main network block. Every part of the work is glue (control code) or the work of a coprocessor \
      (storage, hashes, signatures, curves, tries). Gas sums to what is used before the refund, times \
      to the time of the whole, from signed transactions to roots, on one core. `if free` is the time \
      that is left if a part took none.

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

  @Flag(help: "Print one object of JSON for each case instead of tables.")
  var json = false

  @Option(help: "Write folded stacks for flame-graph tools into this file; - is standard output.")
  var folded: String?

  @Option(help: "What folded stacks count: gas or nanoseconds.")
  var weight = CallProfile.Weight.nanoseconds.rawValue

  @Option(help: "Write a page with flame graphs into this file.")
  var html: String?

  func validate() throws {
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
