import Coprocessors
import EVM
import Ethereum
import Execution
import Foundation
import GPU
import TestSupport
import Testing

/// The state roots of the public state tests by `StateTrie` and by the kernels' lanes on the host: from
/// the accounts before to those after by what differs. Not run without fixtures.
struct StateTrieSuiteTests {
  @Test(.enabled(if: Fixtures.has("eest/state_tests"), Fixtures.missing))
  func stateRootsOfStateTests() throws {
    let run = CaseRun.run(
      files: Fixtures.files("eest/state_tests"), jobs: 2, makeWorker: {},
      work: { _, path throws(FormatError) in
        var reader = try FixtureReader<StateTest>(path: path, options: StateTest.Options())
        var results: [CaseResult] = []
        while let test = try reader.next() {
          for post in test.post.flatMap(\.posts) {
            guard let after = post.state else { continue }
            let trie = StateTrie(workers: 1)
            let lanes = ResidentState(on: HostCoprocessorMachine())
            var failures: [String] = []
            for (change, expected) in [
              (changes(from: Allocation(), to: test.pre), test.pre.stateRoot),
              (changes(from: test.pre, to: after), post.stateRoot),
            ] {
              for (name, root) in [
                ("StateTrie", trie.commit(change)), ("lanes", try? lanes.commit(change)),
              ] where root != expected {
                failures.append("\(name): expected \(expected), got \(root.map { "\($0)" } ?? "-")")
              }
            }
            results.append(CaseResult(name: test.name, failures: failures))
          }
        }
        return results
      })
    print("eest/state_tests: state roots by StateTrie and lanes: \(run.summary)")
    #expect(run.passed > 20_000)
    for entry in run.failures.prefix(20) {
      Issue.record("\(entry.file): \(entry.result.name): \(entry.result.failures)")
    }
    #expect(run.failures.isEmpty)
  }
}

private func changes(from before: Allocation, to after: Allocation) -> StateChanges {
  var changes = StateChanges()
  for address in Set(before.accounts.keys).union(after.accounts.keys) {
    let key = Keccak256.hash(address)
    guard let account = after.accounts[address] else {
      changes.accounts.append(StateChanges.Account(key: key, fields: nil))
      continue
    }
    let known = before.accounts[address]
    if known == account { continue }
    let first = changes.slots.count
    let storage = known?.storage ?? [:]
    for slot in Set(storage.keys).union(account.storage.keys)
    where storage[slot] != account.storage[slot] {
      changes.slots.append((Keccak256.hash(slot), account.storage[slot] ?? .zero))
    }
    changes.accounts.append(
      StateChanges.Account(
        key: key, fields: (account.nonce, account.balance, account.codeHash),
        slots: first..<changes.slots.count))
  }
  return changes
}
