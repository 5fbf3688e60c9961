import EVM
import Ethereum
import Foundation
import Kernels
import TestSupport
import Testing

@testable import Execution
@testable import GPU

/// The public state tests on the lanes of the host: thousands in one batch, each on a world of its
/// own, every state root and logs hash as the file has it.
@Suite(.enabled(if: Fixtures.has("eest/state_tests"), Fixtures.missing))
struct StateTestLanesTests {
  /// Cases of one fork that are to be run together.
  private struct Group {
    var cases: [(name: String, post: StateTest.Post, world: UInt32)] = []
    var worlds: [Allocation] = []
    var batch = TransactionBatch()
  }

  /// What all batches gave.
  private struct Totals {
    var passed = 0
    var batches = 0
    var refusedFormats = 0
    var failures: [String] = []
  }

  /// Cases in a batch.
  private static let batchCount = 4096

  @Test func allStateTests() throws {
    var groups: [Fork: Group] = [:]
    var totals = Totals()
    var hashes: [UInt64: Hash256] = [:]
    for path in Fixtures.files("eest/state_tests") {
      var reader = try FixtureReader<StateTest>(
        path: path, options: StateTest.Options(readsExpectedState: false))
      while let test = try reader.next() {
        for (fork, posts) in test.post {
          add(test, posts, fork, to: &groups[fork, default: Group()], &totals, &hashes)
          if groups[fork]!.cases.count >= Self.batchCount {
            run(groups.removeValue(forKey: fork)!, fork, &totals)
          }
        }
      }
    }
    for (fork, group) in groups { run(group, fork, &totals) }
    print(
      "eest/state_tests on host lanes: \(totals.passed) passed, \(totals.failures.count) failed, "
        + "\(totals.refusedFormats) refused before execution, \(totals.batches) batches")
    for failure in totals.failures.prefix(20) { Issue.record("\(failure)") }
    #expect(totals.failures.isEmpty)
    #expect(totals.passed > 10_000)
    #expect(totals.refusedFormats * 100 < totals.passed)
  }

  private func add(
    _ test: StateTest, _ posts: [StateTest.Post], _ fork: Fork, to group: inout Group,
    _ totals: inout Totals, _ hashes: inout [UInt64: Hash256]
  ) {
    let block = StateTestRunner.block(test, fork)
    let number = block.environment.number
    var known = block.blockHashes
    for ancestor in (number > 256 ? number - 256 : 0)..<number where known[ancestor] == nil {
      let hash = hashes[ancestor] ?? StateTestRunner.blockHash(ancestor)
      hashes[ancestor] = hash
      known[ancestor] = hash
    }
    let environment = group.batch.append(
      block.environment, blobsAvailable: block.maxBlobs, blockHashes: known)
    let world = UInt32(group.worlds.count)
    group.worlds.append(test.pre)
    for post in posts {
      let name = StateTestRunner.name(test, fork, post.indexes)
      do throws(FormatError) {
        let prepared = PreparedTransaction(
          try test.transaction.transaction(at: post.indexes),
          sender: try test.transaction.senderAddress)
        prepared.withMessage {
          group.batch.append($0, environment: environment, world: world)
        }
        group.cases.append((name, post, world))
      } catch {
        // What is no transaction at all does not come to a lane.
        totals.refusedFormats += 1
        if post.expectedExceptions.isEmpty { totals.failures.append("\(name): \(error)") }
      }
    }
  }

  private func run(_ group: Group, _ fork: Fork, _ totals: inout Totals) {
    if group.cases.isEmpty { return }
    totals.batches += 1
    let image = StateImage(group.worlds, fork: fork)
    let outcome = HostLanesTests.run(
      group.batch, on: image, threads: ProcessInfo.processInfo.activeProcessorCount)
    for (index, entry) in group.cases.enumerated() {
      let lines = failures(
        outcome, index, entry.post, group.worlds[Int(entry.world)], fork)
      if lines.isEmpty { totals.passed += 1 }
      for line in lines { totals.failures.append("\(entry.name): \(line)") }
    }
  }

  private func failures(
    _ outcome: BatchOutcome, _ index: Int, _ post: StateTest.Post, _ pre: Allocation, _ fork: Fork
  ) -> [String] {
    let row = outcome.outcomes[index]
    guard row.state == .done else { return ["the lane: \(row.state), \(row.status)"] }
    var comparison = Comparison()
    let error = TransactionError(rawValue: row.error)
    comparison.check("invalid", expected: !post.expectedExceptions.isEmpty, got: error != nil)
    if let error, error != .typeNotSupported,
      !ExceptionNames.match(expected: post.expectedExceptions, got: error.testNames)
    {
      comparison.fail("expected \(post.expectedExceptions), got \(error)")
    }
    let records = outcome.records(index)
    var state = WorldState(pre, codes: CodeStore(translation: .never))
    records.apply(to: &state, fork: fork)
    comparison.check("state root", expected: post.stateRoot, got: state.stateRoot())
    comparison.check("logs hash", expected: post.logsHash, got: Log.hash(of: records.logs))
    return comparison.failures
  }
}
