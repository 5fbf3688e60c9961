import EVM
import Ethereum

/// Puts what one incarnation of a transaction relied on and did into the cells, and takes back what
/// the one before did and this one did not.
struct Publication {
  let transaction: Int32
  let incarnation: UInt32
  let journal: UnsafePointer<Journal>
  let block: UnsafeMutablePointer<BlockInFlight>
  let record: UnsafeMutablePointer<TransactionRecord>
  let slab: UnsafeMutablePointer<Slab>
  var share: CellStore.Share

  private var isRight = true
  private var lifecyclesChanged = false
  /// The epoch of the storage that each created account begins, by place in the journal.
  private var createdEpochs: [(account: UInt32, epoch: UInt32)] = []

  init(
    transaction: Int32, incarnation: UInt32, journal: UnsafePointer<Journal>,
    block: UnsafeMutablePointer<BlockInFlight>, record: UnsafeMutablePointer<TransactionRecord>,
    slab: UnsafeMutablePointer<Slab>, share: CellStore.Share
  ) {
    self.transaction = transaction
    self.incarnation = incarnation
    self.journal = journal
    self.block = block
    self.record = record
    self.slab = slab
    self.share = share
  }

  private var rules: ExactnessRules { block.pointee.rules }

  /// Publishes; false when the transaction relied on something that is not so.
  mutating func publish() -> Bool {
    let accountCount = journal.pointee.accountCount
    let slotCount = journal.pointee.slotCount
    let oldChanges = record.pointee.changes
    let oldChangeCount = record.pointee.changeCount
    let oldAccounts = record.pointee.changedAccounts
    let oldAccountCount = record.pointee.changedAccountCount
    record.pointee.coinbaseChange = .zero
    record.pointee.readsCoinbase = false
    record.pointee.reliesOnCoinbase = false
    record.pointee.coinbaseFloor = .zero
    record.pointee.lifecycles = slab.pointee.allocate(UInt32.self, count: accountCount)
    record.pointee.lifecycleCount = 0
    record.pointee.changes = slab.pointee.allocate(
      UnsafeMutablePointer<Timeline>.self, count: accountCount * 2 + slotCount)
    record.pointee.changeCount = 0
    record.pointee.changedAccounts = nil
    record.pointee.changedAccountCount = 0

    for index in 0..<accountCount where journal.pointee.accounts[index].isLoaded {
      publish(journal.pointee.accounts + index, UInt32(index))
    }
    for index in 0..<slotCount {
      let slot = journal.pointee.slots + index
      if !slot.pointee.isTransient && slot.pointee.isLoaded { publish(slot) }
    }

    if rules.contains(.retraction) {
      for index in 0..<oldChangeCount {
        oldChanges![index].pointee.retract(
          transaction, before: incarnation, &slab.pointee, block.pointee.schedule)
      }
      for index in 0..<oldAccountCount
      where oldAccounts![index].pointee.retract(transaction, before: incarnation) {
        lifecyclesChanged = true
      }
    }
    if lifecyclesChanged {
      block.pointee.schedule.pointee.lifecycleChanges.add(1, ordering: .acquiringAndReleasing)
    }
    return isRight
  }

  private mutating func publish(_ entry: UnsafeMutablePointer<AccountEntry>, _ index: UInt32) {
    let place = entry.pointee.record.place
    let lifecycle = block.pointee.cells.pointee.lifecycles.base + Int(place)
    let cell = lifecycle.pointee.account
    record.pointee.lifecycles![record.pointee.lifecycleCount] = place
    record.pointee.lifecycleCount += 1

    let isDestroyed = entry.pointee.isDestroyed
    let nonce = isDestroyed ? 0 : entry.pointee.nonce
    let wei = isDestroyed ? .zero : entry.pointee.balance
    let nonceBefore = entry.pointee.nonceBefore
    let balanceBefore = entry.pointee.balanceBefore
    let hadCode = lifecycle.pointee.codeHash != .emptyCode
    var observed = entry.pointee.observed
    var floor = entry.pointee.balanceFloor
    // Nonces from before the block stay: only new lifecycles begin with none.
    let hadNonce = nonceBefore != 0 && cell.pointee.nonce.pointee.base.limb0 != 0
    if observed.contains(.emptiness) && !hadCode && !hadNonce
      && rules.contains(.emptiness)
    {
      observed.insert(.nonce)
      if nonceBefore == 0 {
        if balanceBefore.isZero {
          observed.insert(.balance)
        } else if floor.isZero {
          // Wei leave an account only once it has a nonce or code: one is enough.
          floor = 1
        }
      }
    }
    let isWeird =
      entry.pointee.record.hasStorage && nonceBefore == 0 && !hadCode
      && entry.pointee.isTouched
    // Storage without code: a touch deletes it where the account is empty, so all of that counts.
    if isWeird || isDestroyed { observed.formUnion([.nonce, .balance]) }

    publishNonce(nonce, nonceBefore, observed, cell)
    publishBalance(wei &- balanceBefore, balanceBefore, observed, floor, cell)
    publishLifecycle(
      entry, index, lifecycle, isEmptyNow: nonce == 0 && wei.isZero, isWeird: isWeird)
  }

  private mutating func publishNonce(
    _ nonce: UInt64, _ before: UInt64, _ observed: AccountEntry.Observations,
    _ cell: UnsafeMutablePointer<AccountCell>
  ) {
    if !observed.contains(.nonce) && nonce == before { return }
    var access = Timeline.Access()
    if rules.contains(.nonces) { access.exact = UInt256(before) }
    if nonce != before {
      access.change = UInt256(nonce)
      noteChange(cell)
    }
    note(cell.pointee.nonce, access)
  }

  private mutating func publishBalance(
    _ change: UInt256, _ before: UInt256, _ observed: AccountEntry.Observations,
    _ floor: UInt256, _ cell: UnsafeMutablePointer<AccountCell>
  ) {
    if cell.pointee.isCoinbase {
      record.pointee.coinbaseChange = change
      record.pointee.readsCoinbase = observed.contains(.balance)
      record.pointee.coinbaseBalance = before
      record.pointee.coinbaseFloor = floor
      record.pointee.reliesOnCoinbase = record.pointee.readsCoinbase || !floor.isZero
      return
    }
    var access = Timeline.Access()
    if observed.contains(.balance) && rules.contains(.balances) { access.exact = before }
    if rules.contains(.floors) { access.floor = floor }
    access.isAbsolute = false
    if !change.isZero {
      access.change = change
      noteChange(cell)
    }
    if access.exact == nil && access.floor.isZero && access.change == nil { return }
    note(cell.pointee.balance, access)
  }

  private mutating func publishLifecycle(
    _ entry: UnsafeMutablePointer<AccountEntry>, _ index: UInt32,
    _ seen: UnsafeMutablePointer<Lifecycle>, isEmptyNow: Bool, isWeird: Bool
  ) {
    let isDestroyed = entry.pointee.isDestroyed
    let isCreated = entry.pointee.isCreated
    let isCodeChanged = entry.pointee.isCodeChanged
    let isWiped = isWeird && isEmptyNow && !isCodeChanged
    let isTouchedEmpty =
      seen.pointee.existsEmpty && entry.pointee.isTouched && rules.contains(.emptyTouches)
    if !isDestroyed && !isCreated && !isCodeChanged && !isWiped && !isTouchedEmpty { return }
    guard let number = block.pointee.cells.pointee.takeLifecycle(&share) else {
      block.pointee.isOutOfCells.store(true, ordering: .releasing)
      block.pointee.schedule.pointee.isOver.store(true, ordering: .releasing)
      return
    }
    var codeHash = seen.pointee.codeHash
    var code = seen.pointee.code
    if isDestroyed {
      codeHash = .emptyCode
      code = nil
    } else if isCodeChanged {
      codeHash = entry.pointee.codeHash
      code = block.pointee.codes.insertShared(entry.pointee.changedCode, hash: codeHash)
    }
    let begins = (isDestroyed || isCreated || isWiped) && rules.contains(.epochs)
    let epoch = begins ? number : seen.pointee.epoch
    if isCreated && !isDestroyed { createdEpochs.append((index, epoch)) }
    let node = block.pointee.cells.pointee.lifecycles.base + Int(number)
    node.initialize(
      to: Lifecycle(
        account: seen.pointee.account, transaction: transaction, incarnation: incarnation,
        epoch: epoch, existsEmpty: false,
        hasStorage: begins ? false : seen.pointee.hasStorage, codeHash: codeHash, code: code,
        next: .init(nil)))
    seen.pointee.account.pointee.insert(node)
    noteChange(seen.pointee.account)
    lifecyclesChanged = true
    if record.pointee.changedAccounts == nil {
      record.pointee.changedAccounts = slab.pointee.allocate(
        UnsafeMutablePointer<AccountCell>.self, count: journal.pointee.accountCount)
    }
    record.pointee.changedAccounts![record.pointee.changedAccountCount] = seen.pointee.account
    record.pointee.changedAccountCount += 1
  }

  private mutating func publish(_ slot: UnsafeMutablePointer<SlotEntry>) {
    let entry = journal.pointee.accounts + Int(slot.pointee.account)
    let isWrite = slot.pointee.current != slot.pointee.original && !entry.pointee.isDestroyed
    var access = Timeline.Access()
    if slot.pointee.place != AccountRecord.noPlace {
      let cell = block.pointee.cells.pointee.slots.base + Int(slot.pointee.place)
      if rules.contains(.slots) { access.exact = slot.pointee.original }
      if isWrite && !entry.pointee.isCreated { access.change = slot.pointee.current }
      if access.change != nil { noteChange(cell) }
      if access.exact != nil || access.change != nil { note(Self.timeline(of: cell), access) }
      access.exact = nil
    }
    guard isWrite && entry.pointee.isCreated,
      let epoch = createdEpochs.last(where: { $0.account == slot.pointee.account })?.epoch
    else { return }
    // A created account's storage began empty: the view was not asked.
    let account = (block.pointee.cells.pointee.lifecycles.base + Int(entry.pointee.record.place))
      .pointee.account
    guard
      let cell = block.pointee.cells.pointee.slot(
        slot.pointee.key, of: account, epoch: epoch, &share)
    else {
      block.pointee.isOutOfCells.store(true, ordering: .releasing)
      block.pointee.schedule.pointee.isOver.store(true, ordering: .releasing)
      return
    }
    access.change = slot.pointee.current
    noteChange(cell)
    note(Self.timeline(of: cell), access)
  }

  /// Notes that an account is to be taken into the state in the end.
  @inline(__always)
  private mutating func noteChange(_ cell: UnsafeMutablePointer<AccountCell>) {
    share.changedAccounts.appendOnce(cell, cell.pointee.isListed, &slab.pointee)
  }

  /// The same of a slot.
  @inline(__always)
  private mutating func noteChange(_ cell: UnsafeMutablePointer<SlotCell>) {
    share.changedSlots.appendOnce(cell, cell.pointee.isListed, &slab.pointee)
  }

  /// Publishes one access.
  @inline(__always)
  private mutating func note(
    _ timeline: UnsafeMutablePointer<Timeline>, _ access: Timeline.Access
  ) {
    if access.change != nil {
      record.pointee.changes![record.pointee.changeCount] = timeline
      record.pointee.changeCount += 1
    }
    if !timeline.pointee.publish(
      access, by: transaction, incarnation, isCertain: record.pointee.ranLast,
      notices: rules.contains(.notices), &slab.pointee, block.pointee.schedule)
    {
      isRight = false
    }
  }

  @inline(__always)
  private static func timeline(of cell: UnsafeMutablePointer<SlotCell>)
    -> UnsafeMutablePointer<Timeline>
  {
    UnsafeMutableRawPointer(cell).assumingMemoryBound(to: Timeline.self)
  }
}
