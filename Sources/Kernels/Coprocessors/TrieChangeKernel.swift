import EVM

/// Changes of the leaves that `TrieKernel` hashes: a lane takes one change, or one leaf.
///
/// `find` looks up where each change's leaf is. Where all are there and stay, `store` writes their
/// values in place. Else `move` copies the leaves that stay to where they belong after the change,
/// `insert` adds new ones between them, and `store` writes the values of the others.
package enum TrieChangeKernel {
  /// What all launches work on.
  package struct Arguments: BitwiseCopyable {
    /// The leaves as `TrieKernel.Arguments` has them, with `width` words of value each.
    package var count: Int
    package var keys: UnsafePointer<SIMD2<UInt64>>
    package var tries: UnsafePointer<UInt32>?
    package var values: UnsafePointer<UInt64>
    package var width: Int
    /// The leaves after the change; for `store` alone the same.
    package var newKeys: UnsafeMutablePointer<SIMD2<UInt64>>
    package var newTries: UnsafeMutablePointer<UInt32>?
    package var newValues: UnsafeMutablePointer<UInt64>
    /// The changes, in any order; a flag tells which leaf goes.
    package var changeCount: Int
    package var changeKeys: UnsafePointer<SIMD2<UInt64>>
    package var changeTries: UnsafePointer<UInt32>?
    package var changeValues: UnsafePointer<UInt64>
    package var removes: UnsafePointer<UInt8>
    /// For accounts: the storage trie of each whose root goes into its value, all bits set for none.
    package var storages: UnsafePointer<UInt32>?
    package var roots: UnsafePointer<SIMD2<UInt64>>?
    /// Where the leaf of each change is, or the first one behind it; 1 where it is there.
    package var places: UnsafeMutablePointer<UInt32>
    package var found: UnsafeMutablePointer<UInt8>
    /// How many changes are no update of a leaf.
    package var others: UnsafeMutablePointer<UInt64>
    /// Places of leaves that go, and for new ones the leaf before which they come and the change:
    /// each in order.
    package var removed: UnsafePointer<UInt32>
    package var removedCount: Int
    package var inserted: UnsafePointer<UInt32>
    package var insertedChanges: UnsafePointer<UInt32>
    package var insertedCount: Int

    /// Arguments for `find` and `store` in place; the rest is set for a move.
    package init(
      count: Int, keys: UnsafeMutablePointer<SIMD2<UInt64>>,
      tries: UnsafeMutablePointer<UInt32>?, values: UnsafeMutablePointer<UInt64>, width: Int,
      changeCount: Int, changeKeys: UnsafePointer<SIMD2<UInt64>>,
      changeTries: UnsafePointer<UInt32>?, changeValues: UnsafePointer<UInt64>,
      removes: UnsafePointer<UInt8>, places: UnsafeMutablePointer<UInt32>,
      found: UnsafeMutablePointer<UInt8>, others: UnsafeMutablePointer<UInt64>
    ) {
      self.count = count
      self.keys = UnsafePointer(keys)
      self.tries = UnsafePointer(tries)
      self.values = UnsafePointer(values)
      self.width = width
      newKeys = keys
      newTries = tries
      newValues = values
      self.changeCount = changeCount
      self.changeKeys = changeKeys
      self.changeTries = changeTries
      self.changeValues = changeValues
      self.removes = removes
      storages = nil
      roots = nil
      self.places = places
      self.found = found
      self.others = others
      // Nothing goes or comes: these are not read.
      removed = UnsafePointer(places)
      removedCount = 0
      inserted = UnsafePointer(places)
      insertedChanges = UnsafePointer(places)
      insertedCount = 0
    }
  }

  /// Finds a change's leaf.
  @inline(__always)
  package static func find(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    if index >= arguments.changeCount { return }
    let key = RecoverKernel.word(arguments.changeKeys + index &* 2)
    var trie: UInt32 = 0
    if let tries = arguments.changeTries { trie = tries[index] }
    var low = 0
    var high = arguments.count
    while low < high {
      let middle = (low &+ high) >> 1
      if isBelow(middle, trie, key, arguments) { low = middle &+ 1 } else { high = middle }
    }
    var isThere = false
    if low < arguments.count {
      isThere = RecoverKernel.word(arguments.keys + low &* 2) == key
      if let tries = arguments.tries { isThere = isThere && tries[low] == trie }
    }
    arguments.places[index] = UInt32(low)
    arguments.found[index] = isThere ? 1 : 0
    if !isThere || arguments.removes[index] != 0 { _ = fetchAdd(arguments.others, 1) }
  }

  /// Whether a leaf comes before a key.
  @inline(__always)
  private static func isBelow(
    _ leaf: Int, _ trie: UInt32, _ key: UInt256, _ arguments: Arguments
  ) -> Bool {
    if let tries = arguments.tries, tries[leaf] != trie { return tries[leaf] < trie }
    return RecoverKernel.word(arguments.keys + leaf &* 2) < key
  }

  /// Writes the value of a change whose leaf was there and stays.
  @inline(__always)
  package static func store(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    if index >= arguments.changeCount { return }
    if arguments.found[index] == 0 || arguments.removes[index] != 0 { return }
    let place = newPlace(Int(arguments.places[index]), arguments)
    write(index, to: place, arguments)
  }

  /// Copies a leaf that stays to its new place.
  @inline(__always)
  package static func move(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    if index >= arguments.count { return }
    let gone = below(index, arguments.removed, arguments.removedCount)
    if gone < arguments.removedCount, Int(arguments.removed[gone]) == index { return }
    let place = newPlace(index, arguments)
    arguments.newKeys[place &* 2] = arguments.keys[index &* 2]
    arguments.newKeys[place &* 2 &+ 1] = arguments.keys[index &* 2 &+ 1]
    if let tries = arguments.tries, let newTries = arguments.newTries {
      newTries[place] = tries[index]
    }
    var word = 0
    while word < arguments.width {
      arguments.newValues[place &* arguments.width &+ word] =
        arguments.values[index &* arguments.width &+ word]
      word &+= 1
    }
  }

  /// Puts a new leaf in.
  @inline(__always)
  package static func insert(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    if index >= arguments.insertedCount { return }
    let change = Int(arguments.insertedChanges[index])
    let before = Int(arguments.inserted[index])
    let place = before &- below(before, arguments.removed, arguments.removedCount) &+ index
    arguments.newKeys[place &* 2] = arguments.changeKeys[change &* 2]
    arguments.newKeys[place &* 2 &+ 1] = arguments.changeKeys[change &* 2 &+ 1]
    if let tries = arguments.changeTries, let newTries = arguments.newTries {
      newTries[place] = tries[change]
    }
    write(change, to: place, arguments)
  }

  @inline(__always)
  private static func write(_ change: Int, to place: Int, _ arguments: Arguments) {
    let target = arguments.newValues + place &* arguments.width
    let source = arguments.changeValues + change &* arguments.width
    var word = 0
    while word < arguments.width {
      target[word] = source[word]
      word &+= 1
    }
    // The storage root is the third of an account's values; roots are kept as bytes.
    if let storages = arguments.storages, let roots = arguments.roots, storages[change] != ~0 {
      let root = roots + Int(storages[change]) &* 2
      target[5] = root[1].y.byteSwapped
      target[6] = root[1].x.byteSwapped
      target[7] = root[0].y.byteSwapped
      target[8] = root[0].x.byteSwapped
    }
  }

  /// Where a leaf that stays is after the change.
  @inline(__always)
  private static func newPlace(_ leaf: Int, _ arguments: Arguments) -> Int {
    // New leaves in front of it come before it or before an earlier one.
    leaf &- below(leaf, arguments.removed, arguments.removedCount)
      &+ below(leaf &+ 1, arguments.inserted, arguments.insertedCount)
  }

  /// How many of some places in order are below a number.
  @inline(__always)
  private static func below(_ number: Int, _ places: UnsafePointer<UInt32>, _ count: Int) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low &+ high) >> 1
      if Int(places[middle]) < number { low = middle &+ 1 } else { high = middle }
    }
    return low
  }
}
