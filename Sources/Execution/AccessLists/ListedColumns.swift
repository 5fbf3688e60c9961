import EVM
import Ethereum

/// The columns of an access list where they lie, for threads that read them together.
struct ListedColumns: @unchecked Sendable {
  // Nothing writes to the list while the pointers live.
  let accounts: UnsafeBufferPointer<BlockAccessList.Account>
  let slots: UnsafeBufferPointer<BlockAccessList.Slot>
  let slotChanges: UnsafeBufferPointer<BlockAccessList.WordChange>
  let reads: UnsafeBufferPointer<UInt256>
  let balances: UnsafeBufferPointer<BlockAccessList.WordChange>
  let nonces: UnsafeBufferPointer<BlockAccessList.NonceChange>
  let codes: UnsafeBufferPointer<BlockAccessList.CodeChange>

  /// Changes of all kinds.
  var changeCount: Int {
    slotChanges.count + balances.count + nonces.count + codes.count
  }

  /// Where an account's slots are.
  @inline(__always)
  func slotRange(_ account: Int) -> Range<Int> {
    (account == 0 ? 0 : Int(accounts[account - 1].slotEnd))..<Int(accounts[account].slotEnd)
  }

  /// Where an account's balances are.
  @inline(__always)
  func balanceRange(_ account: Int) -> Range<Int> {
    (account == 0 ? 0 : Int(accounts[account - 1].balanceEnd))..<Int(accounts[account].balanceEnd)
  }

  /// Where an account's nonces are.
  @inline(__always)
  func nonceRange(_ account: Int) -> Range<Int> {
    (account == 0 ? 0 : Int(accounts[account - 1].nonceEnd))..<Int(accounts[account].nonceEnd)
  }

  /// Where an account's codes are.
  @inline(__always)
  func codeRange(_ account: Int) -> Range<Int> {
    (account == 0 ? 0 : Int(accounts[account - 1].codeEnd))..<Int(accounts[account].codeEnd)
  }

  /// Where a slot's changes are.
  @inline(__always)
  func changeRange(_ slot: Int) -> Range<Int> {
    (slot == 0 ? 0 : Int(slots[slot - 1].changeEnd))..<Int(slots[slot].changeEnd)
  }

  /// The account that a slot belongs to.
  func account(ofSlot slot: Int) -> Int { owner(of: slot) { Int(accounts[$0].slotEnd) } }

  /// The account that a slot which is only read belongs to.
  func account(ofRead read: Int) -> Int { owner(of: read) { Int(accounts[$0].readEnd) } }

  /// The first account whose part ends after a place.
  private func owner(of place: Int, _ end: (Int) -> Int) -> Int {
    var low = 0
    var high = accounts.count - 1
    while low < high {
      let middle = (low + high) / 2
      if end(middle) > place { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

extension BlockAccessList {
  /// Calls `body` with the columns, which live until it returns.
  func withColumns<Result>(_ body: (ListedColumns) -> Result) -> Result {
    accounts.withUnsafeBufferPointer { accounts in
      slots.withUnsafeBufferPointer { slots in
        slotChanges.withUnsafeBufferPointer { slotChanges in
          reads.withUnsafeBufferPointer { reads in
            balances.withUnsafeBufferPointer { balances in
              nonces.withUnsafeBufferPointer { nonces in
                codes.withUnsafeBufferPointer { codes in
                  body(
                    ListedColumns(
                      accounts: accounts, slots: slots, slotChanges: slotChanges, reads: reads,
                      balances: balances, nonces: nonces, codes: codes))
                }
              }
            }
          }
        }
      }
    }
  }
}

/// A change at an index, in whatever column.
protocol AccessListChange {
  /// Which transaction.
  var index: UInt32 { get }
}

extension BlockAccessList.WordChange: AccessListChange {}
extension BlockAccessList.NonceChange: AccessListChange {}
extension BlockAccessList.CodeChange: AccessListChange {}

extension UnsafeBufferPointer where Element: AccessListChange {
  /// The place in a range of the first change at this index or after it.
  @inline(__always)
  func first(from index: UInt32, in range: Range<Int>) -> Int {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high {
      let middle = (low &+ high) / 2
      if self[middle].index < index { low = middle &+ 1 } else { high = middle }
    }
    return low
  }
}
