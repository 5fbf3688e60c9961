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
    return Prepared(
      accounts: try accounts.upload(Self.accountChanges(changes, ids)),
      slots: changes.slots.isEmpty
        ? nil : try slots.upload(Self.slotChanges(changes, ids, limit: Int(nextStorage))))
  }

  private static func accountChanges(_ changes: StateChanges, _ ids: [UInt32]) -> TrieChanges {
    let rows = changes.accounts
    var result = TrieChanges(
      count: rows.count, key: { rows[$0].key.word }, removes: { rows[$0].fields == nil },
      write: { row, words in
        let fields = rows[row].fields ?? (0, .zero, .zero)
        words[0] = fields.nonce
        store(fields.balance, words + 1)
        store(MerklePatriciaTrie.emptyRoot.word, words + 5)
        store(fields.codeHash.word, words + 9)
      })
    if !ids.isEmpty { result.storage = { ids[$0] } }
    return result
  }

  private static func slotChanges(_ changes: StateChanges, _ ids: [UInt32], limit: Int)
    -> TrieChanges
  {
    let rows = changes.slots
    var tries = [UInt32](repeating: ~0, count: rows.count)
    for (row, account) in changes.accounts.enumerated() {
      for slot in account.slots { tries[slot] = ids[row] }
    }
    return TrieChanges(
      count: rows.count, trieLimit: limit, key: { rows[$0].key.word },
      trie: { [tries] in tries[$0] }, removes: { rows[$0].value.isZero },
      write: { store(rows[$0].value, $1) })
  }

  private static func store(_ word: UInt256, _ place: UnsafeMutablePointer<UInt64>) {
    place[0] = word.limb0
    place[1] = word.limb1
    place[2] = word.limb2
    place[3] = word.limb3
  }

  /// The storage trie of each account; all bits set for none.
  private func number(_ accounts: [StateChanges.Account]) -> [UInt32] {
    // Many threads look, one adds.
    let known = storages
    var ids = [UInt32](repeating: ~0, count: accounts.count)
    ids.withUnsafeMutableBufferPointer { ids in
      nonisolated(unsafe) let ids = ids
      let piece = 1 << 12
      DispatchQueue.concurrentPerform(iterations: (ids.count + piece - 1) / piece) { index in
        for row in index * piece..<min(ids.count, (index + 1) * piece) {
          ids[row] = known[accounts[row].key] ?? ~0
        }
      }
    }
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

  /// Forgets all accounts; the memory stays.
  package func removeAll() {
    accounts.removeAll()
    slots.removeAll()
    storages = [:]
    nextStorage = 0
  }

  // MARK: Proofs

  /// The nodes from the state root to accounts, or to where their paths end: what `StateTrie` gives,
  /// for many accounts at once.
  package func proofs(ofAccounts keys: [Hash256]) throws(CoprocessorError) -> [[[UInt8]]] {
    try accounts.proofs(keys.map { (0, $0.word) })
  }

  /// The nodes from accounts' storage roots to slots; none for an account without storage.
  package func proofs(ofSlots keys: [(account: Hash256, slot: Hash256)])
    throws(CoprocessorError) -> [[[UInt8]]]
  {
    // No trie has the number of none.
    try slots.proofs(keys.map { (storages[$0.account] ?? ~0, $0.slot.word) })
  }
}
