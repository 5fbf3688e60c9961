/// All that a transaction read and changed, in one open-addressed table.
///
/// The table *is* the warm set (EIP-2929), the original values (EIP-2200), the undo log's subject,
/// and the exported read and write sets. Entries lie densely in order of first access; the table
/// holds their numbers. Memory comes from the workspace; running out sets `fault` and gives `nil`.
public struct Journal: BitwiseCopyable {
  /// The parts of its memory, and how many entries fit.
  @usableFromInline
  struct Places: BitwiseCopyable {
    @usableFromInline let accounts: UnsafeMutablePointer<AccountEntry>
    let accountCapacity: Int
    @usableFromInline let slots: UnsafeMutablePointer<SlotEntry>
    let slotCapacity: Int
    let undo: UnsafeMutablePointer<UndoRecord>
    let undoCapacity: Int
    @usableFromInline let logs: UnsafeMutablePointer<LogRecord>
    let logCapacity: Int
    @usableFromInline let logData: UnsafeMutablePointer<UInt8>
    let logDataCapacity: Int
    /// Code that transactions set.
    let code: Arena
    /// Entry: generation in the high half (stale ones count as free), then the entry's number plus
    /// one with the top bit set for slots. One more word at the end keeps the generation, so that
    /// the next journal over the same memory goes on counting.
    let table: UnsafeMutablePointer<UInt64>
    let tableCapacity: Int
  }

  @usableFromInline let places: Lasting<Places>
  /// How many accounts there are.
  public private(set) var accountCount = 0
  /// How many slots there are.
  public private(set) var slotCount = 0
  /// How many logs there are.
  public private(set) var logCount = 0
  /// Gas to refund, before the cap. Negative only inside a transaction.
  public package(set) var refund: Int64 = 0
  /// Gas for what is new in the state (EIP-8037).
  package var stateGas = StateGas()
  /// The reason why an operation gave `nil`.
  public private(set) var fault = ExecutionStatus.workspaceExhausted

  private var undoCount = 0
  private var logDataCount = 0
  private var codeUsed = 0

  /// Whether the table was cleared; where it was not, it is when it is first used.
  private var isTableClear = false
  /// The part of the table in use is small at first, so that it stays in the nearest cache, and
  /// grows with the entries; zero while there are so few that there is no table.
  private var tableMask = 0
  private var generation: UInt32 = 0

  /// What strangers must not know where they choose the addresses and slots: keys whose positions in
  /// the table collide make every lookup a search. It decides nothing else. Change it between
  /// transactions only.
  package var seed: UInt64 = 0x243f_6a88_85a3_08d3

  /// A state of the journal to which it can go back.
  package struct Checkpoint: BitwiseCopyable {
    var undoCount: Int
    var logCount: Int
    var logDataCount: Int
    var codeUsed: Int
    var refund: Int64
    var stateGas: StateGas.Checkpoint
  }

  /// A journal out of an arena; not to be used when that is exhausted afterwards. Nothing is asked of the
  /// memory's contents: the table is cleared here where `clearTable` is called, else by its first use,
  /// which most transactions do without.
  @inline(__always)
  init(arena: inout Arena, sizes: WorkspaceSizes, at place: UnsafeMutablePointer<Places>? = nil) {
    let accounts = arena.take(AccountEntry.self, count: sizes.accounts)
    let slots = arena.take(SlotEntry.self, count: sizes.slots)
    let undo = arena.take(UndoRecord.self, count: sizes.undoRecords)
    let logs = arena.take(LogRecord.self, count: sizes.logs)
    let logData = arena.take(UInt8.self, count: sizes.logBytes)
    let code = Arena(
      base: UnsafeMutableRawPointer(arena.take(UInt8.self, count: sizes.codeBytes)),
      capacity: sizes.codeBytes)
    let table = arena.take(UInt64.self, count: sizes.tableSlots &+ 1)
    places = Lasting(
      Places(
        accounts: accounts, accountCapacity: sizes.accounts, slots: slots,
        slotCapacity: sizes.slots, undo: undo, undoCapacity: sizes.undoRecords, logs: logs,
        logCapacity: sizes.logs, logData: logData, logDataCapacity: sizes.logBytes, code: code,
        table: table, tableCapacity: sizes.tableSlots),
      at: place)
  }

  /// The accounts, in order of first access.
  @inlinable @inline(__always)
  public var accounts: UnsafeMutablePointer<AccountEntry> { places.value.accounts }
  /// The slots, in order of first access.
  @inlinable @inline(__always)
  public var slots: UnsafeMutablePointer<SlotEntry> { places.value.slots }
  /// The logs, in order.
  @inlinable @inline(__always)
  public var logs: UnsafeMutablePointer<LogRecord> { places.value.logs }
  /// The data of the logs.
  @inlinable @inline(__always)
  public var logData: UnsafeMutablePointer<UInt8> { places.value.logData }
  @inline(__always)
  private var undo: UnsafeMutablePointer<UndoRecord> { places.value.undo }
  @inline(__always)
  private var table: UnsafeMutablePointer<UInt64> { places.value.table }

  /// Clears the table now: for a workspace that many machines use one after the other.
  mutating func clearTable() {
    table.update(repeating: 0, count: places.value.tableCapacity &+ 1)
    isTableClear = true
  }

  /// Forgets everything, for the next transaction.
  package mutating func reset() {
    accountCount = 0
    slotCount = 0
    logCount = 0
    logDataCount = 0
    undoCount = 0
    codeUsed = 0
    refund = 0
    stateGas = StateGas()
    fault = .workspaceExhausted
    tableMask = 0
  }

  /// Empties the table.
  private mutating func nextGeneration() {
    if !isTableClear { clearTable() }
    generation = UInt32(truncatingIfNeeded: table[places.value.tableCapacity])
    if generation == UInt32.max {
      table.update(repeating: 0, count: places.value.tableCapacity)
      generation = 0
    }
    generation &+= 1
    table[places.value.tableCapacity] = UInt64(generation)
  }

  /// Begins with the table, or uses twice as much of it; its capacity is more than twice that of the
  /// entries.
  @inline(never)
  private mutating func growTable() {
    tableMask = tableMask == 0 ? min(places.value.tableCapacity, 256) &- 1 : tableMask &* 2 &+ 1
    nextGeneration()
    var index = 0
    while index < accountCount {
      insert(hash(accounts[index].address), UInt32(truncatingIfNeeded: index &+ 1))
      index &+= 1
    }
    index = 0
    while index < slotCount {
      let slot = slots[index]
      insert(
        hash(slot.account, slot.key, slot.isTransient),
        UInt32(truncatingIfNeeded: index &+ 1) | Journal.slotTag)
      index &+= 1
    }
  }

  /// Puts the number of a new entry where the search for it ended.
  @inline(__always)
  private mutating func note(_ number: UInt32, at position: Int) {
    if tableMask != 0 { table[position] = UInt64(generation) << 32 | UInt64(number) }
    if isTableFull { growTable() }
  }

  /// Writes an entry's number at the first free position from its hash on.
  private func insert(_ hash: Int, _ number: UInt32) {
    var position = hash & tableMask
    while UInt32(truncatingIfNeeded: table[position] >> 32) == generation {
      position = (position &+ 1) & tableMask
    }
    table[position] = UInt64(generation) << 32 | UInt64(number)
  }

  /// Whether another entry would fill more than half of the table in use.
  @inline(__always)
  private var isTableFull: Bool {
    if tableMask == 0 { return accountCount &+ slotCount > Journal.listed }
    return (accountCount &+ slotCount) &* 2 >= tableMask
      && tableMask &+ 1 < places.value.tableCapacity
  }

  /// Up to this many entries are searched one after the other, without the table. It costs no more
  /// than hashing, and lanes of a GPU that run the same code read the same places.
  private static var listed: Int { 12 }

  // MARK: Accounts

  /// The entry of an account, made when it is new; its values may not be loaded yet, and are not
  /// written before.
  mutating func entry(_ address: Address) -> UnsafeMutablePointer<AccountEntry>? {
    var position = 0
    if tableMask == 0 {
      while position < accountCount {
        if accounts[position].address == address { return accounts + position }
        position &+= 1
      }
    } else {
      position = hash(address) & tableMask
      while true {
        let tagged = table[position]
        if UInt32(truncatingIfNeeded: tagged >> 32) != generation { break }
        let number = UInt32(truncatingIfNeeded: tagged)
        if number & Journal.slotTag == 0 {
          let entry = accounts + Int(number &- 1)
          if entry.pointee.address == address { return entry }
        }
        position = (position &+ 1) & tableMask
      }
    }
    if accountCount == places.value.accountCapacity {
      fault = .workspaceExhausted
      return nil
    }
    let entry = accounts + accountCount
    entry.pointee.address = address
    entry.pointee.flags = []
    accountCount &+= 1
    note(UInt32(truncatingIfNeeded: accountCount), at: position)
    return entry
  }

  /// The entry of an account with its values.
  mutating func loaded<View: StateView>(_ address: Address, _ view: inout View)
    -> UnsafeMutablePointer<AccountEntry>?
  {
    guard let entry = entry(address) else { return nil }
    return load(entry, address, &view) ? entry : nil
  }

  /// Makes sure that an address's entry has its values.
  @inline(__always)
  mutating func load<View: StateView>(
    _ entry: UnsafeMutablePointer<AccountEntry>, _ address: Address, _ view: inout View
  ) -> Bool {
    if entry.pointee.flags.contains(.loaded) { return true }
    return read(entry, address, &view)
  }

  /// Asks the view. The answer is written where it stays: a copy of what was just stored in other
  /// pieces has to wait for the stores.
  private mutating func read<View: StateView>(
    _ entry: UnsafeMutablePointer<AccountEntry>, _ address: Address, _ view: inout View
  ) -> Bool {
    if !view.readAccount(address, into: &entry.pointee.record) {
      fault = .stateUnavailable
      return false
    }
    entry.pointee.balanceBefore = entry.pointee.record.balance
    entry.pointee.nonceBefore = entry.pointee.record.nonce
    entry.pointee.observed = []
    entry.pointee.balanceFloor = .zero
    entry.pointee.flags.formUnion(entry.pointee.record.exists ? [.loaded, .exists] : .loaded)
    return true
  }

  /// Makes sure that a loaded account's entry has its code, with the map of jump destinations.
  @inline(__always)
  mutating func loadCode<View: StateView>(
    _ entry: UnsafeMutablePointer<AccountEntry>, _ view: inout View,
    zeros: UnsafeMutablePointer<UInt8>
  ) -> Bool {
    if entry.pointee.flags.intersection([.codeLoaded, .codeUnmapped]) == .codeLoaded {
      return true
    }
    return readCode(entry, &view, zeros)
  }

  /// Asks the view for code, or maps code that this transaction set.
  @inline(never)
  private mutating func readCode<View: StateView>(
    _ entry: UnsafeMutablePointer<AccountEntry>, _ view: inout View,
    _ zeros: UnsafeMutablePointer<UInt8>
  ) -> Bool {
    if entry.pointee.flags.contains(.codeLoaded) {
      let code = entry.pointee.code
      Code.analyze(
        code.bytes, count: code.count,
        into: UnsafeMutablePointer(mutating: code.jumpDestinations))
      entry.pointee.flags.remove(.codeUnmapped)
      return true
    }
    if entry.pointee.codeHash == .emptyCode {
      entry.pointee.code = Code(bytes: zeros, jumpDestinations: zeros, count: 0)
    } else if !view.readCode(
      entry.pointee.codeHash, of: entry.pointee.address, place: entry.pointee.record.place,
      into: &entry.pointee.code)
    {
      fault = .stateUnavailable
      return false
    }
    entry.pointee.flags.insert(.codeLoaded)
    return true
  }

  /// Marks an account as accessed; true when it was cold. `nil` on exhaustion.
  @inline(__always)
  mutating func warm(_ entry: UnsafeMutablePointer<AccountEntry>) -> Bool? {
    if entry.pointee.flags.contains(.warm) { return false }
    return setFlags(entry, entry.pointee.flags.union(.warm)) ? true : nil
  }

  /// Marks an account as accessed before the first frame begins, to which nothing goes back.
  @inline(__always)
  func begin(warm entry: UnsafeMutablePointer<AccountEntry>) {
    entry.pointee.flags.insert(.warm)
  }

  /// Sets flags so that they can be undone.
  mutating func setFlags(
    _ entry: UnsafeMutablePointer<AccountEntry>, _ flags: AccountEntry.Flags
  ) -> Bool {
    let old = entry.pointee.flags
    if old == flags { return true }
    guard let undone = record(.accountFlags, UnsafePointer(entry) - UnsafePointer(accounts))
    else { return false }
    undone.pointee.value.limb0 = UInt64(old.rawValue)
    entry.pointee.flags = flags
    return true
  }

  /// Touches an account: from Spurious Dragon on it is deleted at the end when it is empty; before,
  /// it comes to exist.
  mutating func touch(_ entry: UnsafeMutablePointer<AccountEntry>) -> Bool {
    setFlags(entry, entry.pointee.flags.union([.touched, .exists]))
  }

  /// Sets a balance in wei; touches the account.
  mutating func setBalance(_ entry: UnsafeMutablePointer<AccountEntry>, _ balance: UInt256)
    -> Bool
  {
    if !touch(entry) { return false }
    guard let undone = record(.balance, UnsafePointer(entry) - UnsafePointer(accounts))
    else { return false }
    undone.pointee.value = entry.pointee.balance
    entry.pointee.record.balance = balance
    return true
  }

  /// Moves wei; the sender has them. Both accounts are touched.
  mutating func transfer(
    _ value: UInt256, from sender: UnsafeMutablePointer<AccountEntry>,
    to recipient: UnsafeMutablePointer<AccountEntry>
  ) -> Bool {
    if value.isZero { return touch(recipient) }
    return setBalance(sender, sender.pointee.balance &- value)
      && setBalance(recipient, recipient.pointee.balance &+ value)
  }

  /// Whether an account has so many wei. The answer depends on the balance before only as far as
  /// `balanceFloor` says.
  @inline(__always)
  func has(_ wei: UInt256, _ entry: UnsafeMutablePointer<AccountEntry>) -> Bool {
    if wei.isZero { return true }
    if entry.pointee.balance < wei {
      entry.pointee.observed.insert(.balance)
      return false
    }
    let before = entry.pointee.balanceBefore
    let all = before.limb3 | entry.pointee.balance.limb3 | wei.limb3
    if all >> 63 != 0 {
      // Sums might wrap around.
      entry.pointee.observed.insert(.balance)
      return true
    }
    let floor = wei &+ before
    if floor > entry.pointee.balance {
      let needed = floor &- entry.pointee.balance
      if needed > entry.pointee.balanceFloor { entry.pointee.balanceFloor = needed }
    }
    return true
  }

  /// Sets a nonce; touches the account.
  mutating func setNonce(_ entry: UnsafeMutablePointer<AccountEntry>, _ nonce: UInt64) -> Bool {
    entry.pointee.observed.insert(.nonce)
    if !touch(entry) { return false }
    guard let undone = record(.nonce, UnsafePointer(entry) - UnsafePointer(accounts))
    else { return false }
    undone.pointee.value.limb0 = entry.pointee.nonce
    entry.pointee.record.nonce = nonce
    return true
  }

  /// Gives an account new code, copied from `bytes`, with this hash.
  mutating func setCode(
    _ entry: UnsafeMutablePointer<AccountEntry>, _ bytes: UnsafePointer<UInt8>, count: Int,
    hash: Hash256
  ) -> Bool {
    // The undo record keeps the hash alone, the code is asked for again by it; it comes before the
    // flags' record, so that going back clears `codeLoaded` last.
    var code = places.value.code
    code.used = codeUsed
    guard
      let copy = code.allocate(
        UInt8.self, count: count &+ Code.padding &+ Code.mapBytes(count)),
      let undone = record(.code, UnsafePointer(entry) - UnsafePointer(accounts)),
      setFlags(
        entry,
        entry.pointee.flags.union([.codeLoaded, .codeChanged, .codeUnmapped, .exists, .touched]))
    else {
      fault = .workspaceExhausted
      return false
    }
    codeUsed = code.used
    undone.pointee.value = entry.pointee.codeHash.word
    UnsafeMutableRawPointer(copy).copyMemory(from: bytes, byteCount: count)
    (copy + count).update(repeating: 0, count: Code.padding)
    entry.pointee.code = Code(
      bytes: copy, jumpDestinations: copy + count + Code.padding, count: count)
    entry.pointee.record.codeHash = hash
    return true
  }

  // MARK: Slots

  /// The entry of a storage slot, made when it is new; its value may not be loaded yet.
  mutating func slot(
    _ account: UnsafeMutablePointer<AccountEntry>, _ key: UInt256, transient: Bool
  ) -> UnsafeMutablePointer<SlotEntry>? {
    let index = UInt32(
      truncatingIfNeeded: UnsafePointer(account) - UnsafePointer(accounts))
    var position = 0
    if tableMask == 0 {
      while position < slotCount {
        let entry = slots + position
        if entry.pointee.key == key && entry.pointee.account == index
          && entry.pointee.isTransient == transient
        {
          return entry
        }
        position &+= 1
      }
    } else {
      position = hash(index, key, transient) & tableMask
      while true {
        let tagged = table[position]
        if UInt32(truncatingIfNeeded: tagged >> 32) != generation { break }
        let number = UInt32(truncatingIfNeeded: tagged)
        if number & Journal.slotTag != 0 {
          let entry = slots + Int((number & ~Journal.slotTag) &- 1)
          if entry.pointee.key == key && entry.pointee.account == index
            && entry.pointee.isTransient == transient
          {
            return entry
          }
        }
        position = (position &+ 1) & tableMask
      }
    }
    if slotCount == places.value.slotCapacity {
      fault = .workspaceExhausted
      return nil
    }
    let entry = slots + slotCount
    entry.initialize(
      to: SlotEntry(
        key: key, original: .zero, current: .zero, account: index,
        place: AccountRecord.noPlace, isTransient: transient, isWarm: false,
        isLoaded: transient))
    slotCount &+= 1
    note(UInt32(truncatingIfNeeded: slotCount) | Journal.slotTag, at: position)
    return entry
  }

  /// Makes sure that a slot has its value.
  @inline(__always)
  mutating func load<View: StateView>(
    _ slot: UnsafeMutablePointer<SlotEntry>, of account: UnsafeMutablePointer<AccountEntry>,
    _ view: inout View
  ) -> Bool {
    if slot.pointee.isLoaded { return true }
    var record = StorageRecord(value: .zero)
    // A contract created by this transaction began with empty storage.
    if !account.pointee.flags.contains(.created),
      !view.readStorage(
        account.pointee.address, place: account.pointee.record.place, slot: slot.pointee.key,
        into: &record)
    {
      fault = .stateUnavailable
      return false
    }
    slot.pointee.original = record.value
    slot.pointee.current = record.value
    slot.pointee.place = record.place
    slot.pointee.isLoaded = true
    return true
  }

  /// Marks a slot as accessed; true when it was cold. `nil` on exhaustion.
  @inline(__always)
  mutating func warm(_ slot: UnsafeMutablePointer<SlotEntry>) -> Bool? {
    if slot.pointee.isWarm { return false }
    if record(.slotWarm, UnsafePointer(slot) - UnsafePointer(slots)) == nil { return nil }
    slot.pointee.isWarm = true
    return true
  }

  /// Sets the value of a loaded slot.
  @inline(__always)
  mutating func setValue(_ slot: UnsafeMutablePointer<SlotEntry>, _ value: UInt256) -> Bool {
    guard let undone = record(.slotValue, UnsafePointer(slot) - UnsafePointer(slots))
    else { return false }
    undone.pointee.value = slot.pointee.current
    slot.pointee.current = value
    return true
  }

  // MARK: Logs

  /// Room for a log with `dataCount` bytes of data, which the caller writes through
  /// `logData + dataOffset`. `nil` on exhaustion.
  mutating func appendLog(address: Address, topicCount: Int, dataCount: Int)
    -> UnsafeMutablePointer<LogRecord>?
  {
    if logCount == places.value.logCapacity
      || dataCount > places.value.logDataCapacity &- logDataCount
    {
      fault = .workspaceExhausted
      return nil
    }
    let record = logs + logCount
    record.initialize(
      to: LogRecord(
        address: address, topicCount: topicCount, topics: (.zero, .zero, .zero, .zero),
        dataOffset: logDataCount, dataCount: dataCount))
    logCount &+= 1
    logDataCount &+= dataCount
    return record
  }

  // MARK: Undo

  /// The present state, to go back to.
  @inline(__always)
  package var checkpoint: Checkpoint {
    Checkpoint(
      undoCount: undoCount, logCount: logCount, logDataCount: logDataCount,
      codeUsed: codeUsed, refund: refund, stateGas: stateGas.checkpoint)
  }

  /// Goes back to a checkpoint: values, warm sets, logs, refund, deployed code, and what
  /// new state took.
  package mutating func revert(to checkpoint: Checkpoint) {
    while undoCount > checkpoint.undoCount {
      undoCount &-= 1
      let record = undo + undoCount
      let index = Int(record.pointee.index)
      switch record.pointee.kind {
      case .accountFlags:
        let old = AccountEntry.Flags(
          rawValue: UInt16(truncatingIfNeeded: record.pointee.value.limb0))
        // What was read from the view stays known. The RIPEMD-160 precompile's account stays
        // touched: block 2675119 deleted it although the call ran out of gas, and every client
        // does so since.
        var kept = accounts[index].flags.intersection(.loaded)
        if !kept.isEmpty && !old.contains(.loaded) && accounts[index].record.exists {
          kept.insert(.exists)
        }
        if accounts[index].address == Address(number: 3) {
          kept.formUnion(accounts[index].flags.intersection(.touched))
        }
        accounts[index].flags = old.union(kept)
      case .balance:
        accounts[index].record.balance = record.pointee.value
      case .nonce:
        accounts[index].record.nonce = record.pointee.value.limb0
      case .code:
        accounts[index].record.codeHash = Hash256(record.pointee.value)
        accounts[index].flags.remove(.codeLoaded)
      case .slotValue:
        slots[index].current = record.pointee.value
      case .slotWarm:
        slots[index].isWarm = false
      }
    }
    logCount = checkpoint.logCount
    logDataCount = checkpoint.logDataCount
    codeUsed = checkpoint.codeUsed
    refund = checkpoint.refund
    stateGas.revert(to: checkpoint.stateGas)
  }

  /// A record whose value the caller writes. `nil` on exhaustion.
  @inline(__always)
  private mutating func record(_ kind: UndoRecord.Kind, _ index: Int)
    -> UnsafeMutablePointer<UndoRecord>?
  {
    if undoCount == places.value.undoCapacity {
      fault = .workspaceExhausted
      return nil
    }
    let record = undo + undoCount
    record.pointee.kind = kind
    record.pointee.index = UInt32(truncatingIfNeeded: index)
    undoCount &+= 1
    return record
  }

  // MARK: Hashing: multiply and fold, as wyhash does; the seed is in every factor

  private static var slotTag: UInt32 { 1 << 31 }

  @inline(__always)
  private func hash(_ address: Address) -> Int {
    // The upper half of a product depends on every bit of its factors.
    let low = Journal.fold(address.low ^ seed, address.middle ^ (seed ^ 0x1319_8a2e_0370_7345))
    return Int(truncatingIfNeeded: low ^ (UInt64(address.high) &* (seed | 1)) >> 32)
  }

  @inline(__always)
  private func hash(_ account: UInt32, _ key: UInt256, _ transient: Bool) -> Int {
    let low = Journal.fold(key.limb0 ^ seed, key.limb1 ^ (seed ^ 0xa409_3822_299f_31d1))
    let high = Journal.fold(
      key.limb2 ^ (seed ^ 0x4528_21e6_38d0_1377), key.limb3 ^ (seed ^ 0x082e_fa98_ec4e_6c89))
    return Journal.position(
      low ^ high &+ UInt64(account) &* 2 &+ (transient ? 1 : 0), seed)
  }

  /// Spreads a value over the low end, which picks the position.
  @inline(__always)
  private static func position(_ value: UInt64, _ seed: UInt64) -> Int {
    Int(truncatingIfNeeded: fold(value ^ seed, seed | 1))
  }

  /// Both halves of the product, folded.
  @inline(__always)
  private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }
}
