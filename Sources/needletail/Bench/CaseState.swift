import EVM
import Ethereum
import Execution

/// The state of a case as the machine asks for it: few accounts in a list, their slots in an
/// open-addressed table, the code translated. It stays as it is: a case begins from it every time.
final class CaseState {
  private struct Slot {
    var address = Address.zero
    var key = UInt256.zero
    var value = UInt256.zero
    var isUsed = false
  }

  private let accounts: UnsafeMutableBufferPointer<(address: Address, record: AccountRecord)>
  private let slots: UnsafeMutableBufferPointer<Slot>
  private let codes: CodeStore
  /// The code of each account in the list.
  private let executables: UnsafeMutableBufferPointer<Code?>

  /// The state of an allocation, for execution under a fork.
  init(_ allocation: Allocation, fork: Fork, translation: CodeStore.Translation = .always) {
    codes = CodeStore(translation: translation)
    executables = .allocate(capacity: allocation.accounts.count)
    accounts = .allocate(capacity: allocation.accounts.count)
    var slotCount = 0
    for (index, (address, account)) in allocation.accounts.sorted(by: { $0.key < $1.key })
      .enumerated()
    {
      slotCount += account.storage.count
      var record = AccountRecord(
        nonce: account.nonce, balance: account.balance, codeHash: codes.insert(account.code),
        exists: true, hasStorage: !account.storage.isEmpty)
      record.place = UInt32(index)
      accounts.initializeElement(at: index, to: (address, record))
      executables.initializeElement(
        at: index, to: codes.executable(record.codeHash, fork: fork))
    }
    var capacity = 16
    while capacity < slotCount * 4 { capacity *= 2 }
    slots = .allocate(capacity: capacity)
    slots.initialize(repeating: Slot())
    for (address, account) in allocation.accounts {
      for (key, value) in account.storage {
        slots[place(address, key)] = Slot(address: address, key: key, value: value, isUsed: true)
      }
    }
  }

  deinit {
    accounts.deallocate()
    executables.deallocate()
    slots.deallocate()
  }

  /// Where a slot is, or would be.
  private func place(_ address: Address, _ key: UInt256) -> Int {
    let mixed = (key.limb0 ^ key.limb2 &* 31 ^ address.low) &* 0x9e37_79b9_7f4a_7c15
    var place = Int(truncatingIfNeeded: mixed >> 32) & (slots.count - 1)
    while slots[place].isUsed && (slots[place].key != key || slots[place].address != address) {
      place = (place + 1) & (slots.count - 1)
    }
    return place
  }

  @inline(__always)
  private func read(_ address: Address, into record: inout AccountRecord) {
    var index = 0
    while index < accounts.count {
      if accounts[index].address == address {
        record = accounts[index].record
        return
      }
      index += 1
    }
    record = .absent
  }

  /// The view of it; this object must outlive it.
  var view: ForeignStateView {
    ForeignStateView(
      context: Unmanaged.passUnretained(self).toOpaque(),
      account: { context, address, record in
        Unmanaged<CaseState>.fromOpaque(context)._withUnsafeGuaranteedRef {
          $0.read(
            address.assumingMemoryBound(to: Address.self).pointee,
            into: &record.assumingMemoryBound(to: AccountRecord.self).pointee)
        }
        return true
      },
      storage: { context, address, _, slot, value in
        Unmanaged<CaseState>.fromOpaque(context)._withUnsafeGuaranteedRef {
          let place = $0.place(
            address.assumingMemoryBound(to: Address.self).pointee,
            slot.assumingMemoryBound(to: UInt256.self).pointee)
          value.assumingMemoryBound(to: StorageRecord.self).pointee = StorageRecord(
            value: $0.slots[place].value)
        }
        return true
      },
      code: { context, _, _, place, code in
        Unmanaged<CaseState>.fromOpaque(context)._withUnsafeGuaranteedRef {
          guard let found = $0.executables[Int(place)] else { return false }
          code.assumingMemoryBound(to: Code.self).pointee = found
          return true
        }
      },
      // No case asks for a block's hash.
      blockHash: { _, _, _ in false })
  }
}
