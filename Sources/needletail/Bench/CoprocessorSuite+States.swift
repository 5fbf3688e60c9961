import Coprocessors
import EVM
import Ethereum
import Foundation
import GPU

extension CoprocessorSuite {
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
    try timeProofs(of: Array(keys.prefix(dirty)), in: state, residents)
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

  /// Proofs of accounts: all at once on a device, one after the other on a core.
  private mutating func timeProofs(
    of keys: [Hash256], in state: StateTrie, _ residents: [(String, ResidentState)]
  ) throws(CoprocessorError) {
    if residents.isEmpty { return }
    let keys = Array(keys.prefix(20_000))
    var expected: [[[UInt8]]] = []
    let one =
      Double(
        Self.nanoseconds { expected = keys.prefix(256).map { state.proof(ofAccount: $0) } })
      / Double(expected.count)
    for (name, resident) in residents {
      var times: [Double] = []
      for _ in 0..<samples {
        let start = DispatchTime.now().uptimeNanoseconds
        let proofs = try resident.proofs(ofAccounts: keys)
        times.append(Double(DispatchTime.now().uptimeNanoseconds - start))
        if Array(proofs.prefix(expected.count)) != expected {
          return refuse("state proofs", name)
        }
      }
      add(
        "state proofs", backEnd: name, threads: nil, rows: keys.count,
        time: Measurement(samples: times).nanoseconds, first: one * Double(keys.count), beside: nil)
    }
    add(
      "state proofs", threads: 1, rows: expected.count, time: one * Double(expected.count),
      first: one * Double(expected.count), beside: nil)
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
}
