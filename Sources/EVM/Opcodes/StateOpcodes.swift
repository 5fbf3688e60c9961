// Opcodes that ask the state: accounts, storage, transient storage, blocks and blobs.
// Contract: stack checked, static gas paid, registers in the frame's record.

extension Machine {
  /// The loaded entry of an account, warmed and charged for when it was cold (EIP-2929). On `nil`
  /// the frame's exit status is set.
  ///
  /// The static gas already holds the warm price. The account is read after it is paid for, so
  /// that the read set has no account that gas did not buy.
  @inline(__always)
  mutating func access(_ frame: UnsafeMutablePointer<Frame>, _ address: Address)
    -> UnsafeMutablePointer<AccountEntry>?
  {
    guard let entry = journal.entry(address) else {
      exitStatus = journal.fault
      return nil
    }
    guard let cost = accessSurcharge(entry) else {
      exitStatus = journal.fault
      return nil
    }
    if !frame.pointee.charge(cost) {
      exitStatus = .outOfGas
      return nil
    }
    if Tracer.isEnabled && cost > 0 {
      tracer.didPayForColdAccount(gas: cost &+ schedule.warmAccess)
    }
    if !journal.load(entry, address, &view) {
      exitStatus = journal.fault
      return nil
    }
    return entry
  }

  /// Warms an account; gives what a cold access costs above a warm one. `nil` on exhaustion.
  @inline(__always)
  mutating func accessSurcharge(_ entry: UnsafeMutablePointer<AccountEntry>) -> Int64? {
    if fork < .berlin || entry.pointee.flags.contains(.warm) { return 0 }
    guard journal.warm(entry) != nil else { return nil }
    // Precompiles are warm from the start.
    return Precompile(entry.pointee.address, fork) != nil ? 0 : schedule.coldAccountSurcharge
  }

  /// BALANCE.
  mutating func balance(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    guard let entry = access(frame, Address(frame.pointee.word(0))) else { return .exit }
    entry.pointee.observed.insert(.balance)
    frame.pointee.replace(1, entry.pointee.balance)
    return .next
  }

  /// EXTCODESIZE.
  mutating func externalCodeSize(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    guard let entry = access(frame, Address(frame.pointee.word(0))) else { return .exit }
    if !journal.loadCode(entry, &view, zeros: workspace.zeros) { return fault() }
    frame.pointee.replace(1, UInt256(UInt64(entry.pointee.code.count)))
    return .next
  }

  /// EXTCODEHASH: zero for an account that is absent or empty (EIP-1052, EIP-161).
  mutating func externalCodeHash(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    guard let entry = access(frame, Address(frame.pointee.word(0))) else { return .exit }
    entry.pointee.observed.insert(.emptiness)
    frame.pointee.replace(1, entry.pointee.isEmpty ? .zero : entry.pointee.codeHash.word)
    return .next
  }

  /// BLOCKHASH: of the last 256 blocks.
  mutating func blockHash(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    let number = frame.pointee.word(0)
    var hash = Hash256.zero
    if number.fitsUInt64 && number.limb0 < block.number && block.number &- number.limb0 <= 256,
      !view.readBlockHash(number.limb0, into: &hash)
    {
      return exit(.stateUnavailable)
    }
    frame.pointee.replace(1, hash.word)
    return .next
  }

  /// BLOBHASH (EIP-4844).
  mutating func blobHash(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    let index = frame.pointee.word(0)
    var hash = UInt256.zero
    if index.fitsUInt64 && index.limb0 < UInt64(blobHashes.count) {
      hash = blobHashes[Int(index.limb0)].word
    }
    frame.pointee.replace(1, hash)
    return .next
  }

  /// The loaded entry of a slot of the running account, and whether it was cold. On `nil` the
  /// frame's exit status is set.
  @inline(__always)
  private mutating func slot(_ frame: UnsafeMutablePointer<Frame>, _ key: UInt256, _ cost: Int64)
    -> UnsafeMutablePointer<SlotEntry>?
  {
    guard let slot = journal.slot(frame.pointee.account, key, transient: false) else {
      exitStatus = journal.fault
      return nil
    }
    if fork >= .berlin && !slot.pointee.isWarm {
      guard journal.warm(slot) != nil else {
        exitStatus = journal.fault
        return nil
      }
      if !frame.pointee.charge(cost) {
        exitStatus = .outOfGas
        return nil
      }
    }
    if !journal.load(slot, of: frame.pointee.account, &view) {
      exitStatus = journal.fault
      return nil
    }
    return slot
  }

  /// SLOAD.
  mutating func storageLoad(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    storageLoad(frame, frame.pointee.word(0), frame.pointee.stack - 1) ? .next : .exit
  }

  /// Puts the value of a slot into `result`. When it gives false the exit status is set.
  mutating func storageLoad(
    _ frame: UnsafeMutablePointer<Frame>, _ key: UInt256, _ result: UnsafeMutablePointer<UInt256>
  ) -> Bool {
    guard let slot = slot(frame, key, schedule.coldSlotSurcharge) else { return false }
    result.pointee = slot.pointee.current
    return true
  }

  /// SSTORE: yellow paper, EIP-1283, EIP-2200, EIP-2929, EIP-3529.
  mutating func storageStore(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    if frame.pointee.isStatic { return exit(.staticViolation) }
    if frame.pointee.gas <= schedule.storageSentry && schedule.storageSentry > 0 {
      return exit(.outOfGas)
    }
    let new = frame.pointee.word(1)
    // A cold slot pays the whole price of a cold load here, not the surcharge alone.
    let coldCost = schedule.coldSlotSurcharge &+ schedule.storageLoad
    guard let slot = slot(frame, frame.pointee.word(0), coldCost) else { return .exit }
    let current = slot.pointee.current
    let original = slot.pointee.original
    frame.pointee.stack -= 2

    let cost: Int64
    var refund: Int64 = 0
    switch schedule.storageRule {
    case .simple:
      cost = current.isZero && !new.isZero ? schedule.storageSet : schedule.storageReset
      if !current.isZero && new.isZero { refund = schedule.storageClearRefund }
    case .net:
      if current == new || original != current {
        cost = schedule.storageUnchanged
      } else {
        cost = original.isZero ? schedule.storageSet : schedule.storageReset
      }
      if current != new {
        if !original.isZero {
          if current.isZero {
            refund &-= schedule.storageClearRefund
          } else if new.isZero {
            refund &+= schedule.storageClearRefund
          }
        }
        if original == new {
          let first = original.isZero ? schedule.storageSet : schedule.storageReset
          refund &+= first &- schedule.storageUnchanged
        }
      }
    }
    if !frame.pointee.charge(cost) { return exit(.outOfGas) }
    if current != new && original.isZero && fork >= .amsterdam {
      if current.isZero {
        if !chargeState(frame, bytes: StateGas.slot) { return exit(.outOfGas) }
      } else if new.isZero {
        creditState(frame, bytes: StateGas.slot)
      }
    }
    journal.refund &+= refund
    if current != new && !journal.setValue(slot, new) { return fault() }
    return .next
  }

  /// TLOAD (EIP-1153).
  mutating func transientLoad(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    guard let slot = journal.slot(frame.pointee.account, frame.pointee.word(0), transient: true)
    else { return fault() }
    frame.pointee.replace(1, slot.pointee.current)
    return .next
  }

  /// TSTORE (EIP-1153).
  mutating func transientStore(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    if frame.pointee.isStatic { return exit(.staticViolation) }
    guard let slot = journal.slot(frame.pointee.account, frame.pointee.word(0), transient: true)
    else { return fault() }
    if !journal.setValue(slot, frame.pointee.word(1)) { return fault() }
    frame.pointee.stack -= 2
    return .next
  }
}
