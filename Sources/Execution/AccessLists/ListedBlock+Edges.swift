import EVM
import Ethereum
import Synchronization

// What comes before and after the transactions is executed as ever; its own short list is compared
// with the block's.
extension ListedBlock {
  /// Whether what came before the transactions is in the list as it should, and nothing else with
  /// index 0.
  func agrees(beforeTransactions list: BlockAccessList) -> Bool {
    var matched = 0
    return firstDifference(of: list, at: 0, &matched) == nil
      && matched == changesBefore.load(ordering: .relaxed)
  }

  /// Whether the transactions made all the changes that the list has between.
  var hasAllChanges: Bool {
    columns.changeCount
      == changesBefore.load(ordering: .relaxed) + changesMade.load(ordering: .relaxed)
      + changesAfter.load(ordering: .relaxed)
  }

  /// What of the list neither the transactions nor what came after them read or changed, or the other
  /// way round.
  func difference(afterTransactions list: BlockAccessList) -> AccessListDifference? {
    var matched = 0
    if let difference = firstDifference(of: list, at: lastIndex, &matched) { return difference }
    if matched != changesAfter.load(ordering: .relaxed) {
      return AccessListDifference(
        .extra, .zero, index: lastIndex,
        "the list has \(changesAfter.load(ordering: .relaxed)) changes after the transactions, "
          + "execution makes \(matched)")
    }
    for account in columns.accounts.indices
    where !accountMarks[account].load(ordering: .relaxed) {
      return AccessListDifference(
        .extra, columns.accounts[account].address, "the block does not read the account")
    }
    for read in columns.reads.indices where !readMarks[read].load(ordering: .relaxed) {
      return AccessListDifference(
        .extra, columns.accounts[columns.account(ofRead: read)].address, place: "storageReads",
        "the block does not just read slot \(columns.reads[read])")
    }
    return nil
  }

  /// The first thing of a short list with this index that the block's list has not; marks what both
  /// have read, and counts the changes that they share.
  private func firstDifference(
    of list: BlockAccessList, at index: UInt32, _ matched: inout Int
  ) -> AccessListDifference? {
    for account in list.accountChanges {
      let number = self.account(account.address)
      if number == IndexTable.none {
        return AccessListDifference(.missing, account.address, "the block reads the account")
      }
      accountMarks[Int(number)].store(true, ordering: .relaxed)
      for (slot, changes) in account.storageChanges {
        let found = self.slot(slot, of: number)
        if found == IndexTable.none || Int(found) >= columns.slots.count {
          return AccessListDifference(
            .missing, account.address, place: "storageChanges", "the block changes slot \(slot)")
        }
        if let difference = Self.difference(
          account.address, "storageChanges of slot \(slot)", index, changes, columns.slotChanges,
          columns.changeRange(Int(found)), \.value, &matched)
        {
          return difference
        }
      }
      for slot in account.storageReads {
        let found = self.slot(slot, of: number)
        if found == IndexTable.none {
          return AccessListDifference(
            .missing, account.address, place: "storageReads", "the block reads slot \(slot)")
        }
        if Int(found) >= columns.slots.count {
          readMarks[Int(found) - columns.slots.count].store(true, ordering: .relaxed)
        }
      }
      if let difference = Self.difference(
        account.address, "balanceChanges", index, account.balanceChanges, columns.balances,
        columns.balanceRange(Int(number)), \.value, &matched)
        ?? Self.difference(
          account.address, "nonceChanges", index, account.nonceChanges, columns.nonces,
          columns.nonceRange(Int(number)), \.nonce, &matched)
        ?? Self.difference(
          account.address, "codeChanges", index, account.codeChanges, columns.codes,
          columns.codeRange(Int(number)), \.code, &matched)
      {
        return difference
      }
    }
    return nil
  }

  /// Compares the change that execution made at an index with the list's.
  private static func difference<Change: AccessListChange, Value: Equatable>(
    _ address: Address, _ place: String, _ index: UInt32, _ made: [Change],
    _ listed: UnsafeBufferPointer<Change>, _ range: Range<Int>, _ value: KeyPath<Change, Value>,
    _ matched: inout Int
  ) -> AccessListDifference? {
    guard let change = made.first(where: { $0.index == index }) else { return nil }
    let found = listed.first(from: index, in: range)
    guard found < range.upperBound, listed[found].index == index else {
      return AccessListDifference(
        .missing, address, place: place, index: index,
        "execution gives \(change[keyPath: value]), the list has nothing there")
    }
    guard listed[found][keyPath: value] == change[keyPath: value] else {
      return AccessListDifference(
        .value, address, place: place, index: index,
        "execution gives \(change[keyPath: value]), the list has \(listed[found][keyPath: value])")
    }
    matched += 1
    return nil
  }
}
