import CMachineForms
import EVM
import Synchronization

/// What one transaction made of a cell. Never changed once others can see it, but for the link.
struct Version: ~Copyable {
  let transaction: Int32
  let incarnation: UInt32
  /// Whether `value` is the cell's; else it is added to what was there before.
  let isAbsolute: Bool
  let value: UInt256
  let next: Atomic<UnsafeMutablePointer<Version>?>
}

/// The value after a version, all before it added up; no version where that is not known any more.
struct VersionSum {
  var version: UnsafeMutablePointer<Version>?
  var value: UInt256

  /// Forgets it where a transaction before its version does something else now.
  @inline(__always)
  mutating func forget(from transaction: Int32) {
    if let version, transaction <= version.pointee.transaction { self.version = nil }
  }
}

/// What one transaction relied on.
struct Reader {
  let transaction: Int32
  let incarnation: UInt32
  /// Whether `value` is the least that will do; else it must be just that.
  let isFloor: Bool
  let value: UInt256
  var next: UnsafeMutablePointer<Reader>?

  /// Whether what the transaction did is right when it reads this value.
  @inline(__always)
  func accepts(_ value: UInt256) -> Bool {
    // A value that large may wrap around in a sum: the answer is looked for again.
    isFloor ? value >= self.value && value.limb3 >> 63 == 0 : value == self.value
  }
}

/// One cell of the state (a slot, a nonce, a balance) with the values that the block's transactions
/// gave it.
///
/// Anybody reads without the lock, at the risk of reading what is about to change; what a transaction
/// relied on is compared and registered when its effects are published, under the lock. From then on
/// this holds: a registered reader reads what it read, or it was told that it does not.
struct Timeline: ~Copyable {
  private let lock = SpinLock()
  /// Versions that are put in before it is looked again whether they can be added up.
  private var untilSettled = Timeline.settledEach
  /// Latest transaction first.
  private let versions = Atomic<UnsafeMutablePointer<Version>?>(nil)
  /// Changed by who has the lock and those of all parts.
  private var readers: UnsafeMutablePointer<Reader>?
  /// What few have.
  private let extra = Atomic<TimelineExtra>(TimelineExtra())
  /// The value before the block.
  let base: UInt256

  init(base: UInt256) { self.base = base }

  /// Whether no transaction changes it.
  var isUnchanged: Bool { versions.load(ordering: .acquiring) == nil && parts == nil }

  /// Where those put what they add who only add, where they are many; `nil` where they are not.
  @inline(__always)
  private var parts: UnsafeMutablePointer<TimelineParts>? {
    extra.load(ordering: .acquiring).parts
  }

  /// What the versions of many transactions make together, for who has the lock.
  @inline(__always)
  private var sum: UnsafeMutablePointer<VersionSum>? { extra.load(ordering: .relaxed).sum }

  /// The value that a transaction finds. `writer` becomes the last one before it that changed the
  /// value; -1 when there is none.
  @inline(__always)
  borrowing func value(before transaction: Int32, writer: inout Int32) -> UInt256 {
    writer = -1
    let first = versions.load(ordering: .acquiring)
    if first == nil && parts == nil { return base }
    return search(first, transaction, &writer)
  }

  /// About the value that a transaction finds: without what is added more than a few versions back, or in parts.
  /// Most transactions only add to a balance; who needs the right one is told so when it publishes.
  @inline(__always)
  borrowing func roughValue(before transaction: Int32) -> UInt256 {
    let first = versions.load(ordering: .acquiring)
    if parts != nil && !base.isZero { return base }
    var sum = UInt256.zero
    var next = first
    var left = 8
    while let version = next, left > 0 {
      left -= 1
      if version.pointee.transaction < transaction {
        sum = sum &+ version.pointee.value
        if version.pointee.isAbsolute { return sum }
      }
      next = version.pointee.next.load(ordering: .acquiring)
    }
    return sum &+ base
  }

  private borrowing func search(
    _ first: UnsafeMutablePointer<Version>?, _ transaction: Int32, _ writer: inout Int32
  ) -> UInt256 {
    var sum = searchOwn(first, transaction, &writer)
    if let parts {
      for number in 0..<TimelineParts.count {
        var last: Int32 = -1
        sum = sum &+ parts.pointee[number].pointee.value(before: transaction, writer: &last)
        writer = max(writer, last)
      }
    }
    return sum
  }

  /// The value without what the parts add.
  @inline(__always)
  private borrowing func searchOwn(
    _ first: UnsafeMutablePointer<Version>?, _ transaction: Int32, _ writer: inout Int32
  ) -> UInt256 {
    var sum = UInt256.zero
    var next = first
    while let version = next {
      if version.pointee.transaction < transaction {
        if writer < 0 { writer = version.pointee.transaction }
        sum = sum &+ version.pointee.value
        if version.pointee.isAbsolute { return sum }
      }
      next = version.pointee.next.load(ordering: .acquiring)
    }
    return sum &+ base
  }

  /// `value`, for who has the lock: the transactions of one sender follow one another, and each needs what
  /// all before it left.
  private mutating func lockedValue(
    before transaction: Int32, writer: inout Int32, _ slab: inout Slab
  ) -> UInt256 {
    var value = ownLockedValue(before: transaction, writer: &writer, &slab)
    if let parts {
      for number in 0..<TimelineParts.count {
        var last: Int32 = -1
        value =
          value
          &+ parts.pointee[number].pointee.ownLockedValue(
            before: transaction, writer: &last, &slab)
        writer = max(writer, last)
      }
    }
    return value
  }

  /// The same without what the parts add.
  private mutating func ownLockedValue(
    before transaction: Int32, writer: inout Int32, _ slab: inout Slab
  ) -> UInt256 {
    writer = -1
    var added = UInt256.zero
    var last: UnsafeMutablePointer<Version>?
    var count = 0
    var next = versions.load(ordering: .relaxed)
    while let version = next {
      if version.pointee.transaction < transaction {
        if last == nil {
          last = version
          writer = version.pointee.transaction
        }
        if let sum, sum.pointee.version == version {
          added = added &+ sum.pointee.value
          break
        }
        added = added &+ version.pointee.value
        if version.pointee.isAbsolute { break }
        count += 1
      }
      next = version.pointee.next.load(ordering: .relaxed)
    }
    if next == nil { added = added &+ base }
    if count > Self.longSum {
      let sum = sum ?? slab.allocate(VersionSum.self)
      sum.initialize(to: VersionSum(version: last, value: added))
      if parts == nil { extra.store(TimelineExtra(sum), ordering: .relaxed) }
    }
    return added
  }

  /// Versions that are added up each time anew.
  private static let longSum = 4

  /// Begins to load the last change.
  @inline(__always)
  borrowing func prefetchLast() {
    if let last = versions.load(ordering: .relaxed) { machine_prefetch(last) }
  }

  /// The value after the block.
  borrowing func finalValue() -> UInt256 {
    var writer: Int32 = -1
    return value(before: Int32.max, writer: &writer)
  }

  /// What a transaction relied on, and what it makes of the cell.
  struct Access {
    /// The value that it read, when that decided something.
    var exact: UInt256?
    /// The least value that would do, when that is more than nothing.
    var floor = UInt256.zero
    /// What it adds, or puts in place when `isAbsolute`.
    var change: UInt256?
    var isAbsolute = true
  }

  /// Takes in what a transaction did; false when it had read something else than it finds now.
  /// `isCertain` says that all before the transaction are final: what it read is right and stays so.
  mutating func publish(
    _ access: Access, by transaction: Int32, _ incarnation: UInt32, isCertain: Bool,
    notices: Bool, _ slab: inout Slab, _ schedule: UnsafeMutablePointer<TurnSchedule>
  ) -> Bool {
    if let parts, access.exact == nil && access.floor.isZero && incarnation == 1,
      let change = access.change
    {
      let part = parts.pointee[of: transaction]
      part.pointee.lock.lock()
      // Who registers as a reader has all locks. An earlier incarnation may be in another place.
      let isOnlyAdding = readers == nil
      if isOnlyAdding {
        _ = part.pointee.insert(change, false, transaction, incarnation, &slab, schedule)
      }
      part.pointee.lock.unlock()
      if isOnlyAdding { return true }
    }
    lockAll()
    defer { unlockAll() }
    let earlierReaders = readers
    var isRight = true
    if !isCertain && (access.exact != nil || !access.floor.isZero) {
      var writer: Int32 = -1
      let now = lockedValue(before: transaction, writer: &writer, &slab)
      if let exact = access.exact {
        isRight = register(
          Reader(
            transaction: transaction, incarnation: incarnation, isFloor: false, value: exact,
            next: readers), now, &slab)
      }
      if !access.floor.isZero && isRight {
        isRight = register(
          Reader(
            transaction: transaction, incarnation: incarnation, isFloor: true,
            value: access.floor, next: readers), now, &slab)
      }
      if !isRight { schedule.pointee.countConflict(transaction, writer) }
    }
    if let change = access.change {
      let isChange = put(
        change, access.isAbsolute, transaction, incarnation, &slab, schedule)
      if isChange && earlierReaders != nil && notices {
        tellReaders(above: transaction, &slab, schedule)
      }
    }
    return isRight
  }

  private mutating func register(_ reader: Reader, _ now: UInt256, _ slab: inout Slab) -> Bool {
    if !reader.accepts(now) { return false }
    let node = slab.allocate(Reader.self)
    node.initialize(to: reader)
    readers = node
    return true
  }

  private borrowing func lockAll() {
    lock.lock()
    guard let parts else { return }
    for number in 0..<TimelineParts.count { parts.pointee[number].pointee.lock.lock() }
  }

  private borrowing func unlockAll() {
    if let parts {
      for number in 0..<TimelineParts.count { parts.pointee[number].pointee.lock.unlock() }
    }
    lock.unlock()
  }

  /// Puts a version into the part where it belongs; false when the transaction's earlier one was the same.
  private mutating func put(
    _ value: UInt256, _ isAbsolute: Bool, _ transaction: Int32, _ incarnation: UInt32,
    _ slab: inout Slab, _ schedule: UnsafeMutablePointer<TurnSchedule>
  ) -> Bool {
    if let parts {
      // It may be from before there were parts.
      let old = remove(transaction, before: incarnation)
      let isChange = parts.pointee[of: transaction].pointee.insert(
        value, isAbsolute, transaction, incarnation, &slab, schedule)
      return old || isChange
    }
    let left = untilSettled
    let isChange = insert(value, isAbsolute, transaction, incarnation, &slab, schedule)
    // So many have added to it and nobody reads it.
    if untilSettled > left && readers == nil { divide(&slab) }
    return isChange
  }

  /// Whether those who only add do so in different places.
  var isDivided: Bool { parts != nil }

  /// Lets those who only add do so in different places from now on.
  private borrowing func divide(_ slab: inout Slab) {
    let parts = slab.allocate(TimelineParts.self)
    parts.initialize(to: TimelineParts(sum: VersionSum(version: nil, value: .zero), &slab))
    // Who divides has all locks, and lets go of them with its own.
    for number in 0..<TimelineParts.count { parts.pointee[number].pointee.lock.lock() }
    extra.store(TimelineExtra(parts), ordering: .releasing)
  }

  /// Puts a version in its place, instead of the transaction's earlier one; false when that one was
  /// the same.
  @inline(__always)
  private mutating func insert(
    _ value: UInt256, _ isAbsolute: Bool, _ transaction: Int32, _ incarnation: UInt32,
    _ slab: inout Slab, _ schedule: UnsafeMutablePointer<TurnSchedule>
  ) -> Bool {
    var previous: UnsafeMutablePointer<Version>?
    var next = versions.load(ordering: .relaxed)
    while let version = next, version.pointee.transaction > transaction {
      previous = version
      next = version.pointee.next.load(ordering: .relaxed)
    }
    sum?.pointee.forget(from: transaction)
    var isChange = true
    if let old = next, old.pointee.transaction == transaction {
      isChange = old.pointee.value != value || old.pointee.isAbsolute != isAbsolute
      next = old.pointee.next.load(ordering: .relaxed)
    }
    let node = slab.allocate(Version.self)
    node.initialize(
      to: Version(
        transaction: transaction, incarnation: incarnation, isAbsolute: isAbsolute, value: value,
        next: Atomic(next)))
    link(previous, to: node)
    if !isAbsolute && next != nil {
      untilSettled &-= 1
      if untilSettled <= 0 { settle(from: node, &slab, schedule) }
    }
    return isChange
  }

  private borrowing func link(
    _ previous: UnsafeMutablePointer<Version>?, to node: UnsafeMutablePointer<Version>?
  ) {
    if let previous {
      previous.pointee.next.store(node, ordering: .releasing)
    } else {
      versions.store(node, ordering: .releasing)
    }
  }

  private static var settledEach: Int32 { 16 }

  /// Adds up what can not change any more when it has become long: reading would take ever longer.
  private mutating func settle(
    from node: UnsafeMutablePointer<Version>, _ slab: inout Slab,
    _ schedule: UnsafeMutablePointer<TurnSchedule>
  ) {
    untilSettled = Self.settledEach
    let frontier = schedule.pointee.frontier.load(ordering: .acquiring)
    var previous = node
    var count = 0
    var first: UnsafeMutablePointer<Version>?
    var next = node.pointee.next.load(ordering: .relaxed)
    while let version = next {
      if version.pointee.transaction < frontier {
        if first == nil { first = version }
        count += 1
        if version.pointee.isAbsolute { break }
      } else {
        previous = version
      }
      next = version.pointee.next.load(ordering: .relaxed)
    }
    guard let first, count >= 16 else { return }
    var writer: Int32 = -1
    let value = ownLockedValue(before: first.pointee.transaction + 1, writer: &writer, &slab)
    let sum = slab.allocate(Version.self)
    sum.initialize(
      to: Version(
        transaction: first.pointee.transaction, incarnation: first.pointee.incarnation,
        isAbsolute: true, value: value, next: Atomic(nil)))
    previous.pointee.next.store(sum, ordering: .releasing)
  }

  /// Takes back what an earlier incarnation did and the present one does not do.
  mutating func retract(
    _ transaction: Int32, before incarnation: UInt32, _ slab: inout Slab,
    _ schedule: UnsafeMutablePointer<TurnSchedule>
  ) {
    lockAll()
    defer { unlockAll() }
    var isGone = remove(transaction, before: incarnation)
    if let parts, parts.pointee[of: transaction].pointee.remove(transaction, before: incarnation) {
      isGone = true
    }
    if isGone && readers != nil { tellReaders(above: transaction, &slab, schedule) }
  }

  /// Takes an earlier incarnation's version out; false when there is none.
  private borrowing func remove(_ transaction: Int32, before incarnation: UInt32) -> Bool {
    var previous: UnsafeMutablePointer<Version>?
    var next = versions.load(ordering: .relaxed)
    while let version = next, version.pointee.transaction > transaction {
      previous = version
      next = version.pointee.next.load(ordering: .relaxed)
    }
    guard let version = next, version.pointee.transaction == transaction,
      version.pointee.incarnation != incarnation
    else { return false }
    sum?.pointee.forget(from: transaction)
    link(previous, to: version.pointee.next.load(ordering: .relaxed))
    return true
  }

  /// Tells the later readers that read something else now. Forgets those that are final.
  private mutating func tellReaders(
    above transaction: Int32, _ slab: inout Slab, _ schedule: UnsafeMutablePointer<TurnSchedule>
  ) {
    // Who comes after the next one that puts a value in its place finds that one.
    var last = Int32.max
    var later = versions.load(ordering: .relaxed)
    while let version = later, version.pointee.transaction > transaction {
      if version.pointee.isAbsolute { last = version.pointee.transaction }
      later = version.pointee.next.load(ordering: .relaxed)
    }
    let frontier = schedule.pointee.frontier.load(ordering: .acquiring)
    var previous: UnsafeMutablePointer<Reader>?
    var next = readers
    while let reader = next {
      next = reader.pointee.next
      var isOver = reader.pointee.transaction < frontier
      var writer: Int32 = -1
      if reader.pointee.transaction > transaction && reader.pointee.transaction <= last
        && !reader.pointee.accepts(
          lockedValue(before: reader.pointee.transaction, writer: &writer, &slab))
      {
        schedule.pointee.invalidate(
          reader.pointee.transaction, reader.pointee.incarnation, by: transaction)
        isOver = true
      }
      if isOver {
        if let previous { previous.pointee.next = next } else { readers = next }
      } else {
        previous = reader
      }
    }
  }
}
