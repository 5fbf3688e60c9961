package import Coprocessors
package import EVM
package import Ethereum
package import Execution

/// The public suites of tries through the coprocessors' back ends: roots are compared with those that
/// the suites name.
package enum RootSuites {
  // MARK: TrieTests

  /// A request whose root a suite knows.
  package struct Request: Sendable {
    package var name: String
    package var request: [UInt8]
    package var root: Hash256
  }

  /// The cases of the files in ethereum/tests' folder TrieTests as requests, by coprocessor. Those with
  /// keys that are hashed are requests of `stateRoot` and of `trieRoot`, others of the latter alone.
  /// `trietestnextprev.json` has no roots and is left out.
  package static func trieTests(_ files: [String]) throws(FormatError) -> [String: [Request]] {
    var requests: [String: [Request]] = [:]
    for file in files where !file.hasSuffix("trietestnextprev.json") {
      let isSecure = file.lowercased().contains("secure")
      for test in try TrieTest.cases(path: file) {
        let entries = test.operations.map { key, value in
          (key: isSecure ? Keccak256.hash(key).bytes : key, value: value)
        }
        requests["trieRoot", default: []].append(
          Request(
            name: test.name, request: TrieRootCoprocessor.request(entries), root: test.root))
        guard isSecure else { continue }
        requests["stateRoot", default: []].append(
          Request(
            name: test.name,
            request: StateRootCoprocessor.request(
              entries.map { (key: UInt256(bigEndian: $0.key), value: $0.value) }),
            root: test.root))
      }
    }
    return requests
  }

  /// What a back end gives another root for than the suite, in words.
  package static func differences(_ requests: [Request], _ backEnd: any CoprocessorBackEnd)
    throws(CoprocessorError) -> [String]
  {
    let results = try backEnd.run(ByteColumn(requests.map(\.request)))
    return zip(requests.indices, requests).compactMap { row, request in
      results[row] == request.root.bytes
        ? nil
        : "\(backEnd.coprocessor) \(backEnd.name): \(request.name): expected root \(request.root)"
    }
  }

  // MARK: State tests

  /// Checks the cases of one file of state tests: the roots of the accounts before and after, from
  /// nothing and by what changes, and proofs of what there is after; in `StateTrie` and on a machine.
  /// The accounts after also become requests of `stateRoot`.
  package static func stateTests(
    _ path: String, on lanes: ResidentState
  ) throws(FormatError) -> (results: [CaseResult], requests: [Request]) {
    var reader = try FixtureReader<StateTest>(path: path, options: StateTest.Options())
    var results: [CaseResult] = []
    var requests: [Request] = []
    while let test = try reader.next() {
      for (fork, posts) in test.post {
        for post in posts {
          var result = CaseResult(name: StateTestRunner.name(test, fork, post.indexes))
          if let after = post.state {
            result.failures = failures(from: test.pre, to: after, post.stateRoot, on: lanes)
            requests.append(request(result.name, after, post.stateRoot))
          } else {
            result.failures = ["it does not tell the accounts after"]
          }
          results.append(result)
        }
      }
    }
    return (results, requests)
  }

  /// The requests alone.
  package static func stateRequests(_ path: String) throws(FormatError) -> [Request] {
    var reader = try FixtureReader<StateTest>(path: path, options: StateTest.Options())
    var requests: [Request] = []
    while let test = try reader.next() {
      for (fork, posts) in test.post {
        for post in posts {
          guard let after = post.state else { continue }
          let name = StateTestRunner.name(test, fork, post.indexes)
          requests.append(request(name, after, post.stateRoot))
        }
      }
    }
    return requests
  }

  private static func request(_ name: String, _ state: Allocation, _ root: Hash256) -> Request {
    let entries = state.accounts.map { (key: Keccak256.hash($0.key).word, value: $0.value.encoded) }
    return Request(name: name, request: StateRootCoprocessor.request(entries), root: root)
  }

  private static func failures(
    from before: Allocation, to after: Allocation, _ root: Hash256, on lanes: ResidentState
  ) -> [String] {
    do throws(CoprocessorError) {
      var comparison = StateComparison(lanes)
      try comparison.commit(
        changes(from: Allocation(), to: before), expected: before.stateRoot, "before")
      try comparison.commit(changes(from: before, to: after), expected: root, "after")
      // All that is there, and what is not.
      let none = Hash256(UInt256(1))
      var slots: [(account: Hash256, slot: Hash256)] = []
      for (address, account) in after.accounts where !account.storage.isEmpty {
        let key = Keccak256.hash(address)
        slots.append((key, none))
        for slot in account.storage.keys.prefix(8) { slots.append((key, Keccak256.hash(slot))) }
      }
      try comparison.prove(
        after.accounts.keys.prefix(16).map { Keccak256.hash($0) } + [none], slots, "after")
      return comparison.differences
    } catch {
      return [error.message]
    }
  }

  /// What differs between two allocations.
  package static func changes(from before: Allocation, to after: Allocation) -> StateChanges {
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
}
