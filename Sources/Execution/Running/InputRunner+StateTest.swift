import EVM
public import Ethereum

extension InputRunner {
  /// Runs every form of a state test's transaction: those that `post` lists, or without `post` all
  /// of them under the fork that the test or the user names. Nothing runs when `post` has only other
  /// forks than the user's.
  public func run(_ test: StateTest, _ body: (RunReport) throws(FormatError) -> Void)
    throws(FormatError)
  {
    let pre = WorldState(test.pre)
    if test.post.isEmpty, test.unknownForks.isEmpty {
      guard let fork = fork ?? test.fork else {
        throw FormatError(
          .missingField, "the test has neither post nor fork: name one with --fork",
          path: test.name)
      }
      for indexes in test.transaction.allIndexes {
        try body(run(test, test.unnamedPost(indexes), fork, pre: pre, expectsPost: false))
      }
      return
    }
    for (fork, posts) in test.post where self.fork == nil || self.fork == fork {
      for post in posts { try body(run(test, post, fork, pre: pre, expectsPost: true)) }
    }
  }

  private func run(
    _ test: StateTest, _ post: StateTest.Post, _ fork: Fork, pre: WorldState, expectsPost: Bool
  ) -> RunReport {
    var report = RunReport(
      name: StateTestRunner.name(test, fork, post.indexes), fork: fork, state: pre)
    executor.fallbackBlockHash = StateTestRunner.blockHash
    var run: StateTestRunner.Run
    do throws(ExecutionError) {
      run = try stateTests.execute(test, post, fork, pre: pre) {
        (block, state) throws(ExecutionError) in
        var block = block
        if profileRepeats != nil { sign(&block.transactions[0].transaction, of: test, fork) }
        let outcome = try execute(
          block, into: &report,
          needsProfile: test.expectation?.breakdown.isEmpty == false)
        state = report.state
        return outcome
      }
    } catch {
      report.failures.append(error.message)
      return report
    }
    report.state = run.state
    if let transaction = try? test.transaction.transaction(at: post.indexes) {
      report.rows = [
        RunReport.Row(
          index: 0, transaction: transaction, sender: try? test.transaction.senderAddress)
      ]
    }
    if let outcome = run.outcome {
      report.record(outcome, places: [0])
    } else if !report.rows.isEmpty {
      report.rows[0].rejection = run.error?.description
    }
    report.stateRoot = report.state.stateRoot()
    if expectsPost {
      report.failures += StateTestRunner.compare(&run).failures
    } else {
      if let error = run.error { report.failures.append("the transaction is not valid: \(error)") }
      check(test.expectation, &report)
    }
    return report
  }

  /// Signs a transaction whose key the test gives, so that there is a sender to recover.
  private func sign(_ transaction: inout Transaction, of test: StateTest, _ fork: Fork) {
    guard let key = test.transaction.secretKey else { return }
    if transaction.type != .legacy || fork >= .spuriousDragon {
      transaction.chainID = test.transaction.chainID
    }
    // A number that is no key has been refused before.
    try? transaction.sign(secretKey: key)
  }

  private func check(_ expected: StateTest.Expectation?, _ report: inout RunReport) {
    guard let expected else { return }
    var comparison = Comparison()
    if let gas = expected.gasUsed {
      comparison.check("gas used", expected: gas, got: report.gasUsed)
    }
    if let root = expected.stateRoot, let got = report.stateRoot {
      comparison.check("state root", expected: root, got: got)
    }
    if let hash = expected.logsHash {
      comparison.check(
        "logs hash", expected: hash, got: Log.hash(of: report.rows.first?.receipt?.logs ?? []))
    }
    if let profile = report.profile, let transaction = report.rows.first?.transaction {
      let parts = GasBreakdown(transaction, fork: report.fork)
      for (name, gas) in expected.breakdown.sorted(by: { $0.key < $1.key }) {
        guard
          let got = parts.gas(named: name, among: expected.breakdown.keys, profile: profile)
        else {
          comparison.fail("expect.breakdown: no gas is called \(name)")
          continue
        }
        comparison.check("gas of \(name)", expected: Int64(clamping: gas), got: got)
      }
    }
    report.failures += comparison.failures
  }
}

extension StateTest.TransactionForms {
  /// Every choice from the lists.
  fileprivate var allIndexes: [StateTest.Indexes] {
    data.indices.flatMap { data in
      gasLimits.indices.flatMap { gas in
        values.indices.map { StateTest.Indexes(data: data, gas: gas, value: $0) }
      }
    }
  }
}

extension StateTest {
  /// A post of a form that nothing is expected of.
  fileprivate func unnamedPost(_ indexes: Indexes) -> Post {
    Post(indexes: indexes, stateRoot: .zero, logsHash: .zero)
  }
}
