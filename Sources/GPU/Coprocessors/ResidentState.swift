package import Coprocessors
import Dispatch
package import EVM
import Ethereum
import Kernels

/// The state trie and all storage tries on a machine of lanes: what `StateTrie` is on the CPU.
///
/// Storage tries are numbered. One that is wiped, or whose account is deleted, leaves its leaves
/// behind, which no account names any more; they go when the state is built anew.
package final class ResidentState {
  private let machine: any CoprocessorMachine
  private let accounts: ResidentTries
  private let slots: ResidentTries
  private var storages: [Hash256: UInt32] = [:]
  private var nextStorage: UInt32 = 0

  /// An empty state on a machine that nobody else uses.
  package init(on machine: any CoprocessorMachine) {
    self.machine = machine
    accounts = ResidentTries(.account, isForest: false, on: machine)
    slots = ResidentTries(.slot, isForest: true, on: machine)
  }

  /// Changes on the machine, ready to be made.
  package struct Prepared {
    let accounts: ResidentTries.Uploaded
    let slots: ResidentTries.Uploaded?
  }

  /// Puts changes on the machine. Every slot belongs to one account, and no slot is named twice.
  package func prepare(_ changes: StateChanges) throws(CoprocessorError) -> Prepared {
    precondition(
      changes.slots.isEmpty
        || changes.accounts.reduce(0, { $0 + $1.slots.count }) == changes.slots.count,
      "every slot of a change belongs to one account")
    let hasStorages = !changes.slots.isEmpty || !storages.isEmpty
    let ids = hasStorages ? number(changes.accounts) : []
    let columns = Columns(changes, ids)
    return Prepared(
      accounts: try accounts.upload(columns.accounts),
      slots: changes.slots.isEmpty ? nil : try slots.upload(columns.slots))
  }

  /// The storage trie of each account; all bits set for none.
  private func number(_ accounts: [StateChanges.Account]) -> [UInt32] {
    // Many threads look, one adds.
    let known = storages
    var ids = Columns.filled(accounts.count) { known[accounts[$0].key] ?? ~0 }
    for (row, account) in accounts.enumerated() {
      if account.fields == nil || account.wipesStorage {
        if ids[row] != ~0 { storages[account.key] = nil }
        ids[row] = ~0
      }
      if ids[row] != ~0 || account.fields == nil || account.slots.isEmpty { continue }
      storages[account.key] = nextStorage
      ids[row] = nextStorage
      nextStorage += 1
    }
    return ids
  }

  /// Waits until all that was put on the machine is there: for measurements.
  package func finishCopies() throws(CoprocessorError) { try machine.finish() }

  /// Makes changes and gives the state root after them.
  package func apply(_ changes: Prepared) throws(CoprocessorError) -> Hash256 {
    if let prepared = changes.slots { try slots.apply(prepared, roots: nil) }
    let roots = nextStorage > 0 ? slots.rootsPointer : nil
    try accounts.apply(changes.accounts, roots: roots)
    if accounts.leafCount == 0 { return MerklePatriciaTrie.emptyRoot }
    let root = try accounts.downloadRoots(1)
    return root.withUnsafeBufferPointer { Hash256(bytes: $0.baseAddress!) }
  }

  /// Applies changes, and gives the state root after them. No slot is named twice.
  package func commit(_ changes: StateChanges) throws(CoprocessorError) -> Hash256 {
    try apply(try prepare(changes))
  }
}

/// Changes of a state as columns, written by all cores.
private struct Columns {
  var accounts = TrieChanges()
  var slots = TrieChanges()

  init(_ changes: StateChanges, _ ids: [UInt32]) {
    let rows = changes.accounts
    accounts.keys = Self.filled(rows.count) { rows[$0].key.word }
    accounts.removes = Self.filled(rows.count) { rows[$0].fields == nil ? 1 : 0 }
    accounts.storages = ids
    accounts.values = Self.filled(rows.count, width: TrieValues.wordsPerAccount) { row, words in
      let fields = rows[row].fields ?? (0, .zero, .zero)
      words[0] = fields.nonce
      Self.store(fields.balance, words + 1)
      Self.store(MerklePatriciaTrie.emptyRoot.word, words + 5)
      Self.store(fields.codeHash.word, words + 9)
    }
    if changes.slots.isEmpty { return }
    let all = changes.slots
    slots.keys = Self.filled(all.count) { all[$0].key.word }
    slots.removes = Self.filled(all.count) { all[$0].value.isZero ? 1 : 0 }
    slots.values = Self.filled(all.count, width: TrieValues.wordsPerSlot) { row, words in
      Self.store(all[row].value, words)
    }
    var tries = [UInt32](repeating: ~0, count: all.count)
    for (row, account) in rows.enumerated() {
      for slot in account.slots { tries[slot] = ids[row] }
    }
    slots.tries = tries
  }

  @inline(__always)
  private static func store(_ word: UInt256, _ place: UnsafeMutablePointer<UInt64>) {
    place[0] = word.limb0
    place[1] = word.limb1
    place[2] = word.limb2
    place[3] = word.limb3
  }

  /// An array of what `element` gives for each place.
  static func filled<Element: BitwiseCopyable & Sendable>(
    _ count: Int, _ element: @Sendable (Int) -> Element
  ) -> [Element] {
    filled(count, width: 1) { row, place in place.pointee = element(row) }
  }

  /// An array of `width` elements a row, which `write` sets.
  static func filled<Element: BitwiseCopyable & Sendable>(
    _ count: Int, width: Int, _ write: @Sendable (Int, UnsafeMutablePointer<Element>) -> Void
  ) -> [Element] {
    [Element](unsafeUninitializedCapacity: count * width) { target, filled in
      filled = count * width
      guard let base = target.baseAddress else { return }
      // Threads write different rows.
      nonisolated(unsafe) let memory = base
      let piece = 1 << 14
      DispatchQueue.concurrentPerform(iterations: (count + piece - 1) / piece) { index in
        for row in index * piece..<min(count, (index + 1) * piece) {
          write(row, memory + row * width)
        }
      }
    }
  }
}
