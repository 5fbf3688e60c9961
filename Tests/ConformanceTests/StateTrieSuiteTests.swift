import Coprocessors
import EVM
import Ethereum
import Execution
import Foundation
import GPU
import Synchronization
import TestSupport
import Testing

/// The public suites of tries through every back end: the CPU's, and the kernels' lanes on the host.
/// `needletail coprocessors --fixtures` does the same on a device. Not run without fixtures.
struct StateTrieSuiteTests {
  private static func registry() throws -> CoprocessorRegistry {
    let registry = try CoprocessorRegistry(CoprocessorRegistry.standard, workers: 2)
    for backEnd in LaneBackEnd.all(on: HostCoprocessorMachine()) { try registry.register(backEnd) }
    return registry
  }

  @Test(.enabled(if: Fixtures.has("ethereum-tests/TrieTests"), Fixtures.missing))
  func rootsOfTheTrieTests() throws {
    let registry = try Self.registry()
    let requests = try RootSuites.trieTests(Fixtures.files("ethereum-tests/TrieTests"))
    #expect(requests["trieRoot"]?.count ?? 0 >= 25)
    #expect(requests["stateRoot"]?.count ?? 0 >= 10)
    for (name, requests) in requests {
      for backEnd in try registry.entry(name).backEnds {
        #expect(try RootSuites.differences(requests, backEnd.backEnd) == [])
        print("TrieTests: \(requests.count) cases by \(name) \(backEnd.backEnd.name)")
      }
    }
  }

  @Test(.enabled(if: Fixtures.has("eest/state_tests"), Fixtures.missing))
  func stateRootsOfStateTests() throws {
    let registry = try Self.registry()
    let requests = Mutex<[RootSuites.Request]>([])
    let run = CaseRun.run(
      files: Fixtures.files("eest/state_tests"), jobs: 2,
      makeWorker: { ResidentState(on: HostCoprocessorMachine()) },
      work: { lanes, path throws(FormatError) in
        let found = try RootSuites.stateTests(path, on: lanes)
        requests.withLock { $0 += found.requests }
        return found.results
      })
    print("eest/state_tests: roots and proofs by StateTrie and lanes: \(run.summary)")
    #expect(run.passed >= 23_365)
    for entry in run.failures.prefix(20) {
      Issue.record("\(entry.file): \(entry.result.name): \(entry.result.failures)")
    }
    #expect(run.failures.isEmpty)
    for backEnd in try registry.entry("stateRoot").backEnds {
      let requests = requests.withLock { $0 }
      #expect(try RootSuites.differences(requests, backEnd.backEnd).prefix(20) == [])
      print("eest/state_tests: \(requests.count) roots by stateRoot \(backEnd.backEnd.name)")
    }
  }
}
