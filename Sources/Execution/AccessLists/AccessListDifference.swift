public import EVM
public import Ethereum

/// Where a block's access list is not what its execution gives, and how.
public struct AccessListDifference: Hashable, Sendable, CustomStringConvertible {
  /// What kind of difference it is.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// A value that is another.
    case value
    /// A value at the wrong transaction.
    case index
    /// Something that execution read or changed and the list does not have.
    case missing
    /// Something that the list has and execution neither read nor changed.
    case extra
  }

  /// What kind of difference it is.
  public var kind: Kind
  /// The account.
  public var address: Address
  /// What of the account, such as `balanceChanges` or a slot; empty for the account as a whole.
  public var place: String
  /// The transaction's index in the list's sense; `nil` where there is none.
  public var index: UInt32?
  /// What execution gave and what the list has.
  public var message: String

  init(
    _ kind: Kind, _ address: Address, place: String = "", index: UInt32? = nil, _ message: String
  ) {
    self.kind = kind
    self.address = address
    self.place = place
    self.index = index
    self.message = message
  }

  public var description: String {
    var text = "\(address)"
    if !place.isEmpty { text += " \(place)" }
    if let index { text += " at index \(index)" }
    return "\(text): \(message)"
  }
}

extension ExecutionError {
  /// A block whose access list is not what execution gives.
  init(_ difference: AccessListDifference) {
    self.init(.accessList, "blockAccessList: \(difference)")
  }
}

extension BlockAccessList {
  /// The first difference of this list, as it was received, from what execution gave; `nil` where
  /// there is none.
  public func firstDifference(from executed: BlockAccessList) -> AccessListDifference? {
    var mine = 0
    var other = 0
    while mine < accounts.count || other < executed.accounts.count {
      let got = mine < accounts.count ? accounts[mine].address : nil
      let expected = other < executed.accounts.count ? executed.accounts[other].address : nil
      if let expected, got == nil || expected.word < got!.word {
        return AccessListDifference(.missing, expected, "the block reads the account")
      }
      if let got, expected == nil || got.word < expected!.word {
        return AccessListDifference(.extra, got, "the block does not read the account")
      }
      if let difference = difference(of: mine, from: executed, other) { return difference }
      mine += 1
      other += 1
    }
    return nil
  }

  private func difference(of mine: Int, from executed: BlockAccessList, _ other: Int)
    -> AccessListDifference?
  {
    let address = accounts[mine].address
    return slotDifference(of: mine, from: executed, other)
      ?? readDifference(of: mine, from: executed, other)
      ?? Self.difference(
        address, "balanceChanges", balances[balanceRange(mine)].map { ($0.index, $0.value) },
        executed.balances[executed.balanceRange(other)].map { ($0.index, $0.value) })
      ?? Self.difference(
        address, "nonceChanges", nonces[nonceRange(mine)].map { ($0.index, $0.nonce) },
        executed.nonces[executed.nonceRange(other)].map { ($0.index, $0.nonce) })
      ?? Self.difference(
        address, "codeChanges", codes[codeRange(mine)].map { ($0.index, Code($0.code)) },
        executed.codes[executed.codeRange(other)].map { ($0.index, Code($0.code)) })
  }

  private func slotDifference(of mine: Int, from executed: BlockAccessList, _ other: Int)
    -> AccessListDifference?
  {
    let address = accounts[mine].address
    var got = slotRange(mine)
    var expected = executed.slotRange(other)
    while !got.isEmpty || !expected.isEmpty {
      let key = got.isEmpty ? nil : slots[got.lowerBound].key
      let right = expected.isEmpty ? nil : executed.slots[expected.lowerBound].key
      if let right, key == nil || right < key! {
        return AccessListDifference(
          .missing, address, place: "storageChanges", "the block changes slot \(right)")
      }
      if let key, right == nil || key < right! {
        return AccessListDifference(
          .extra, address, place: "storageChanges", "the block does not change slot \(key)")
      }
      if let difference = Self.difference(
        address, "storageChanges of slot \(slots[got.lowerBound].key)",
        slotChanges[changeRange(got.lowerBound)].map { ($0.index, $0.value) },
        executed.slotChanges[executed.changeRange(expected.lowerBound)].map {
          ($0.index, $0.value)
        })
      {
        return difference
      }
      got.removeFirst()
      expected.removeFirst()
    }
    return nil
  }

  private func readDifference(of mine: Int, from executed: BlockAccessList, _ other: Int)
    -> AccessListDifference?
  {
    let address = accounts[mine].address
    let got = reads[readRange(mine)]
    let expected = executed.reads[executed.readRange(other)]
    for (key, right) in zip(got, expected) where key != right {
      return right < key
        ? AccessListDifference(
          .missing, address, place: "storageReads", "the block reads slot \(right)")
        : AccessListDifference(
          .extra, address, place: "storageReads", "the block does not just read slot \(key)")
    }
    if got.count > expected.count {
      return AccessListDifference(
        .extra, address, place: "storageReads",
        "the block does not just read slot \(got[got.startIndex + expected.count])")
    }
    if expected.count > got.count {
      return AccessListDifference(
        .missing, address, place: "storageReads",
        "the block reads slot \(expected[expected.startIndex + got.count])")
    }
    return nil
  }

  /// The first difference of changes.
  static func difference<Value: Equatable>(
    _ address: Address, _ place: String, _ got: [(index: UInt32, value: Value)],
    _ expected: [(index: UInt32, value: Value)]
  ) -> AccessListDifference? {
    for (mine, right) in zip(got, expected) {
      if mine.index == right.index {
        if mine.value == right.value { continue }
        return AccessListDifference(
          .value, address, place: place, index: right.index,
          "execution gives \(right.value), the list has \(mine.value)")
      }
      if mine.value == right.value && got.count == expected.count {
        return AccessListDifference(
          .index, address, place: place, index: mine.index,
          "execution gives \(right.value) at index \(right.index)")
      }
      return right.index < mine.index
        ? missing(address, place, right.index, right.value)
        : extra(address, place, mine.index, mine.value)
    }
    if got.count > expected.count {
      return extra(address, place, got[expected.count].index, got[expected.count].value)
    }
    if expected.count > got.count {
      return missing(address, place, expected[got.count].index, expected[got.count].value)
    }
    return nil
  }

  private static func missing<Value>(
    _ address: Address, _ place: String, _ index: UInt32, _ value: Value
  ) -> AccessListDifference {
    AccessListDifference(
      .missing, address, place: place, index: index,
      "execution gives \(value), the list has nothing there")
  }

  private static func extra<Value>(
    _ address: Address, _ place: String, _ index: UInt32, _ value: Value
  ) -> AccessListDifference {
    AccessListDifference(
      .extra, address, place: place, index: index,
      "the list has \(value), execution changes nothing")
  }

  /// Code that is compared, and told by its length and hash.
  private struct Code: Equatable, CustomStringConvertible {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    var description: String { "code of \(bytes.count) bytes (\(Keccak256.hash(bytes)))" }
  }
}
