import EVM

/// What accounts and slots were before a block, in the order of their keys.
///
/// The counts of accounts and slots; for each account its key and where its value ends; for each slot
/// both keys and the value in 32 bytes; the values of the accounts, empty for none.
struct ChangeRecord {
  private let bytes: UnsafeRawBufferPointer

  /// A record where the database has it.
  init(stored bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The record of a layer.
  static func bytes(_ layer: StateLayer) -> [UInt8] {
    var bytes: [UInt8] = []
    var values: [UInt8] = []
    bytes.reserveCapacity(8 + layer.accounts.count * 64 + layer.slots.count * 96)
    bytes.append(bigEndian: UInt32(layer.accounts.count))
    bytes.append(bigEndian: UInt32(layer.slots.count))
    for change in layer.accounts {
      bytes.append(word: change.key.word)
      change.before?.appendStored(to: &values)
      bytes.append(bigEndian: UInt32(values.count))
    }
    for change in layer.slots {
      bytes.append(word: change.account.word)
      bytes.append(word: change.slot.word)
      bytes.append(word: change.before)
    }
    return bytes + values
  }

  private var accountCount: Int { Int(bytes.uint32(at: 0)) }
  private var slotCount: Int { Int(bytes.uint32(at: 4)) }
  private var firstSlot: Int { 8 + accountCount * 36 }

  private func word(at offset: Int) -> UInt256 {
    UInt256(bigEndian: bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + offset)
  }

  private func accountValue(_ index: Int) -> StoredAccount? {
    let values = firstSlot + slotCount * 96
    let start = index == 0 ? 0 : Int(bytes.uint32(at: 8 + index * 36 - 4))
    let end = Int(bytes.uint32(at: 8 + index * 36 + 32))
    if start == end { return nil }
    return StoredAccount(
      stored: UnsafeRawBufferPointer(rebasing: bytes[values + start..<values + end]))
  }

  /// What an account was; `nil` where the block did not change it.
  func account(_ key: Hash256) -> StoredAccount?? {
    let index = lowerBound(accountCount) { word(at: 8 + $0 * 36) < key.word }
    guard index < accountCount, word(at: 8 + index * 36) == key.word else { return nil }
    return .some(accountValue(index))
  }

  /// What a slot was; `nil` where the block did not change it.
  func slot(_ slot: Hash256, of account: Hash256) -> UInt256? {
    let index = lowerBound(slotCount) {
      let owner = word(at: firstSlot + $0 * 96)
      return owner < account.word
        || owner == account.word && word(at: firstSlot + $0 * 96 + 32) < slot.word
    }
    guard index < slotCount, word(at: firstSlot + index * 96) == account.word,
      word(at: firstSlot + index * 96 + 32) == slot.word
    else { return nil }
    return word(at: firstSlot + index * 96 + 64)
  }

  private func lowerBound(_ count: Int, _ isBelow: (Int) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isBelow(middle) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Calls `body` with every account that the block changed.
  func forEachAccount(_ body: (Hash256, StoredAccount?) -> Void) {
    for index in 0..<accountCount { body(Hash256(word(at: 8 + index * 36)), accountValue(index)) }
  }

  /// Calls `body` with every slot that the block changed: account, slot, value.
  func forEachSlot(_ body: (Hash256, Hash256, UInt256) -> Void) {
    for index in 0..<slotCount {
      let offset = firstSlot + index * 96
      body(Hash256(word(at: offset)), Hash256(word(at: offset + 32)), word(at: offset + 64))
    }
  }
}
