import Coprocessors
import EVM
import Kernels

/// Changes of tries that stay on a machine, row by row, no leaf twice; each may be asked for from any
/// thread.
struct TrieChanges: Sendable {
  /// How many there are.
  var count = 0
  /// Above the numbers of all tries.
  var trieLimit = 1
  /// The leaf's key.
  var key: @Sendable (Int) -> UInt256
  /// Its trie.
  var trie: @Sendable (Int) -> UInt32 = { _ in 0 }
  /// Whether the leaf goes.
  var removes: @Sendable (Int) -> Bool
  /// Writes its value: 13 words for an account (nonce, balance, storage root, code hash), four for a
  /// slot, each number least significant word first. Of a leaf that goes it means nothing.
  var write: @Sendable (Int, UnsafeMutablePointer<UInt64>) -> Void
  /// For accounts: the trie of slots whose root it gets, all bits set for none.
  var storage: (@Sendable (Int) -> UInt32)?
}

/// Tries whose leaves stay on a machine from block to block.
///
/// Where all changes are of leaves that are there, these leaves alone are hashed and then all
/// branches; else all of it, after the leaves have moved. What a root costs grows with the leaves that
/// there are, by about a nanosecond for three, whatever has changed.
package final class ResidentTries {
  private let machine: any CoprocessorMachine
  private let trie: LaneTrie
  private let kind: TrieValues.Kind
  private let isForest: Bool

  /// The leaves, and the room that they move to.
  private var present = Columns()
  private var spare = Columns()
  private var count = 0
  /// Tries that have a root.
  private var trieCount = 1

  private var changeKeys = GrowingMemory()
  private var changeTries = GrowingMemory()
  private var changeValues = GrowingMemory()
  private var removes = GrowingMemory()
  private var storages = GrowingMemory()
  private var places = GrowingMemory()
  private var found = GrowingMemory()
  private var others = GrowingMemory()
  private var removed = GrowingMemory()
  private var inserted = GrowingMemory()
  private var insertedChanges = GrowingMemory()

  private struct Columns {
    var keys = GrowingMemory()
    var tries = GrowingMemory()
    var values = GrowingMemory()
  }

  /// Tries of accounts or slots; `isForest` where there are several.
  init(_ kind: TrieValues.Kind, isForest: Bool, on machine: any CoprocessorMachine) {
    self.machine = machine
    self.kind = kind
    self.isForest = isForest
    trie = LaneTrie(machine)
  }

  private var width: Int {
    kind == .account ? TrieValues.wordsPerAccount : TrieValues.wordsPerSlot
  }

  /// Where the roots lie on the machine, after a change.
  var rootsPointer: UnsafePointer<SIMD2<UInt64>> { trie.rootsPointer }

  /// Leaves of all tries.
  package var leafCount: Int { count }

  /// Puts changes on the machine: `apply` makes them.
  func upload(_ changes: TrieChanges) throws(CoprocessorError) -> Uploaded {
    let count = changes.count
    let memory = Uploaded(
      changes: changes, keys: try changeKeys.room(count * 32, on: machine),
      tries: isForest ? try changeTries.room(count * 4, on: machine) : nil,
      values: try changeValues.room(count * width * 8, on: machine),
      removes: try removes.room(count, on: machine),
      storages: changes.storage == nil ? nil : try storages.room(count * 4, on: machine))
    try machine.upload(rows: count, stride: 32, to: memory.keys) { row, place in
      place.storeBytes(of: changes.key(row), as: UInt256.self)
    }
    try machine.upload(rows: count, stride: width * 8, to: memory.values) { row, place in
      changes.write(row, place.assumingMemoryBound(to: UInt64.self))
    }
    try machine.upload(rows: count, stride: 1, to: memory.removes) { row, place in
      place.storeBytes(of: changes.removes(row) ? 1 : 0, as: UInt8.self)
    }
    if let tries = memory.tries {
      try machine.upload(rows: count, stride: 4, to: tries) { row, place in
        place.storeBytes(of: changes.trie(row), as: UInt32.self)
      }
    }
    if let storages = memory.storages, let storage = changes.storage {
      try machine.upload(rows: count, stride: 4, to: storages) { row, place in
        place.storeBytes(of: storage(row), as: UInt32.self)
      }
    }
    return memory
  }

  /// Changes on the machine.
  struct Uploaded {
    /// What was put there.
    let changes: TrieChanges
    var count: Int { changes.count }
    let keys: any CoprocessorMemory
    let tries: (any CoprocessorMemory)?
    let values: any CoprocessorMemory
    let removes: any CoprocessorMemory
    let storages: (any CoprocessorMemory)?
  }

  /// Makes changes, and hashes. `roots` are those of the accounts' storage tries.
  func apply(_ changes: Uploaded, roots: UnsafePointer<SIMD2<UInt64>>?) throws(CoprocessorError) {
    if changes.count == 0 { return }
    trieCount = max(trieCount, changes.changes.trieLimit)
    let places = try self.places.room(changes.count * 4, on: machine)
    var arguments = try columns(changes, places, roots)
    try machine.upload([0 as UInt64], to: try others.room(8, on: machine))
    try machine.run(.trieFind, lanes: changes.count, with: arguments)
    let others = try machine.download(
      try self.others.room(8, on: machine), count: 1, as: UInt64.self)[0]
    if others == 0 {
      try machine.run(.trieStore, lanes: changes.count, with: arguments)
      // An earlier change may have had fewer tries: the roots' memory stays with its leaves.
      try trie.hashLeaves((places, changes.count))
      return try trie.hashBranches()
    }
    try plan(changes, &arguments)
    let newCount = count - arguments.removedCount + arguments.insertedCount
    try machine.run(.trieMove, lanes: count, with: arguments)
    try machine.run(.trieInsert, lanes: arguments.insertedCount, with: arguments)
    try machine.run(.trieStore, lanes: changes.count, with: arguments)
    swap(&present, &spare)
    count = newCount
    let keys = try present.keys.room(count * 32, on: machine)
    let values = try present.values.room(count * width * 8, on: machine)
    try trie.take(
      count: count, keys: keys,
      tries: isForest ? try present.tries.room(count * 4, on: machine) : nil,
      trieCount: trieCount,
      values: TrieValues(kind, UnsafePointer(values.pointer(UInt64.self))))
    try trie.form()
    try trie.hashLeaves()
    try trie.hashBranches()
  }

  /// The leaves and the changes, for a change in place.
  private func columns(
    _ changes: Uploaded, _ places: any CoprocessorMemory, _ roots: UnsafePointer<SIMD2<UInt64>>?
  ) throws(CoprocessorError) -> TrieChangeKernel.Arguments {
    let keys = try present.keys.room(count * 32, on: machine)
    let values = try present.values.room(count * width * 8, on: machine)
    let tries = isForest ? try present.tries.room(count * 4, on: machine) : nil
    var arguments = TrieChangeKernel.Arguments(
      count: count, keys: keys.pointer(SIMD2<UInt64>.self), tries: tries?.pointer(UInt32.self),
      values: values.pointer(UInt64.self), width: width, changeCount: changes.count,
      changeKeys: UnsafePointer(changes.keys.pointer(SIMD2<UInt64>.self)),
      changeTries: changes.tries.map { UnsafePointer($0.pointer(UInt32.self)) },
      changeValues: UnsafePointer(changes.values.pointer(UInt64.self)),
      removes: UnsafePointer(changes.removes.pointer(UInt8.self)),
      places: places.pointer(UInt32.self),
      found: try found.room(changes.count, on: machine).pointer(UInt8.self),
      others: try others.room(8, on: machine).pointer(UInt64.self))
    if let storages = changes.storages {
      arguments.storages = UnsafePointer(storages.pointer(UInt32.self))
      arguments.roots = roots
    }
    return arguments
  }

  /// Finds out which leaves go and come, and sets where they move.
  private func plan(_ changes: Uploaded, _ arguments: inout TrieChangeKernel.Arguments)
    throws(CoprocessorError)
  {
    let places = try machine.download(
      try self.places.room(changes.count * 4, on: machine), count: changes.count, as: UInt32.self)
    let found = try machine.download(
      try self.found.room(changes.count, on: machine), count: changes.count, as: UInt8.self)
    var removed: [UInt32] = []
    var insertedChanges: [UInt32] = []
    for change in 0..<changes.count {
      switch (found[change] != 0, changes.changes.removes(change)) {
      case (true, true): removed.append(places[change])
      case (false, false): insertedChanges.append(UInt32(change))
      default: break
      }
    }
    removed.sort()
    let (key, trie) = (changes.changes.key, changes.changes.trie)
    // By the place first, which settles almost all; new neighbours by trie and key.
    insertedChanges.sort { one, other in
      let (one, other) = (Int(one), Int(other))
      if places[one] != places[other] { return places[one] < places[other] }
      if trie(one) != trie(other) { return trie(one) < trie(other) }
      return key(one) < key(other)
    }
    let inserted = insertedChanges.map { places[Int($0)] }
    let memory = (
      try self.removed.room(removed.count * 4, on: machine),
      try self.inserted.room(inserted.count * 4, on: machine),
      try self.insertedChanges.room(inserted.count * 4, on: machine)
    )
    try machine.upload(removed, to: memory.0)
    try machine.upload(inserted, to: memory.1)
    try machine.upload(insertedChanges, to: memory.2)
    arguments.removed = UnsafePointer(memory.0.pointer(UInt32.self))
    arguments.removedCount = removed.count
    arguments.inserted = UnsafePointer(memory.1.pointer(UInt32.self))
    arguments.insertedChanges = UnsafePointer(memory.2.pointer(UInt32.self))
    arguments.insertedCount = inserted.count
    let room = count - removed.count + inserted.count
    arguments.newKeys = try spare.keys.room(room * 32, on: machine).pointer(SIMD2<UInt64>.self)
    arguments.newValues = try spare.values.room(room * width * 8, on: machine)
      .pointer(UInt64.self)
    if isForest {
      arguments.newTries = try spare.tries.room(room * 4, on: machine).pointer(UInt32.self)
    }
  }

  /// The nodes from the roots of tries to keys, or to where their paths end.
  func proofs(_ keys: [(trie: UInt32, key: UInt256)]) throws(CoprocessorError) -> [[[UInt8]]] {
    count == 0 ? Array(repeating: [], count: keys.count) : try trie.proofs(keys)
  }

  /// Forgets all leaves.
  func removeAll() {
    count = 0
    trieCount = 1
  }

  /// The roots of the first tries, 32 bytes each; those of tries without leaves mean nothing.
  func downloadRoots(_ count: Int) throws(CoprocessorError) -> [UInt8] {
    try trie.downloadRoots(count)
  }
}
