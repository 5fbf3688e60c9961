package import EVM
import Ethereum

/// An account as the database has it, under the hash of its address.
package struct StoredAccount: BitwiseCopyable, Sendable, Equatable {
  /// Transactions sent, or contracts created.
  package var nonce: UInt64
  /// Wei.
  package var balance: UInt256
  /// Keccak-256 of the code.
  package var codeHash: Hash256
  /// The root of its storage.
  package var storageRoot: Hash256

  /// An account of these values.
  package init(
    nonce: UInt64 = 0, balance: UInt256 = .zero, codeHash: Hash256 = .emptyCode,
    storageRoot: Hash256 = MerklePatriciaTrie.emptyRoot
  ) {
    self.nonce = nonce
    self.balance = balance
    self.codeHash = codeHash
    self.storageRoot = storageRoot
  }
}

/// A value of a trie's leaf: as the database has it, and as the trie has it.
protocol TrieValue: BitwiseCopyable, Sendable {
  /// The table that has the values in the order of their keys.
  static var table: Table { get }
  /// Bytes of the keys in front of the trie's own 32.
  static var prefixBytes: Int { get }
  /// The place of the first change in a layer, from a place on, whose key in a trie is not below
  /// `key`; the count where there is none.
  static func first(
    notBelow key: UInt256, of owner: Hash256, in layer: StateLayer, from: Int
  ) -> Int
  /// The change at a place of a layer; `nil` when it is not of this trie, or its key does not begin with
  /// the first `depth` nibbles of `prefix`.
  static func change(
    _ place: Int, of owner: Hash256, in layer: StateLayer, below prefix: UInt256, _ depth: Int
  ) -> Entry<Self>?
  /// Reads what the database has.
  init(stored bytes: UnsafeRawBufferPointer)
  /// What the database has.
  func appendStored(to bytes: inout [UInt8])
  /// Writes what the trie has: RLP, of `leafBytes` at most. Gives how many bytes there are.
  func storeLeaf(to bytes: UnsafeMutablePointer<UInt8>) -> Int
}

/// Bytes of a leaf's value at most: those of an account.
let leafBytes = 2 + 9 + 33 + 33 + 33

extension StoredAccount: TrieValue {
  static var table: Table { .accounts }
  static var prefixBytes: Int { 0 }

  static func first(
    notBelow key: UInt256, of owner: Hash256, in layer: StateLayer, from: Int
  ) -> Int {
    layer.firstAccount(notBelow: key, from: from)
  }

  static func change(
    _ place: Int, of owner: Hash256, in layer: StateLayer, below prefix: UInt256, _ depth: Int
  ) -> Entry<StoredAccount>? {
    guard place < layer.accounts.count, layer.mayBegin(place, with: prefix, depth: depth),
      layer.accounts[place].key.word.prefix(nibbles: depth) == prefix
    else { return nil }
    return Entry(key: layer.accounts[place].key.word, value: layer.accounts[place].after)
  }

  private static let hasStorage: UInt8 = 0x80
  private static let hasCode: UInt8 = 0x40

  /// One byte with flags and the nonce's width, one with the balance's, the numbers without zeros in
  /// front, then root and code hash where they are not those of nothing.
  func appendStored(to bytes: inout [UInt8]) {
    let nonceWidth = 8 - nonce.leadingZeroBitCount / 8
    let balanceWidth = balance.byteWidth
    var flags = UInt8(nonceWidth)
    if storageRoot != MerklePatriciaTrie.emptyRoot { flags |= Self.hasStorage }
    if codeHash != .emptyCode { flags |= Self.hasCode }
    bytes.append(flags)
    bytes.append(UInt8(balanceWidth))
    for index in (0..<nonceWidth).reversed() {
      bytes.append(UInt8(truncatingIfNeeded: nonce >> UInt64(index * 8)))
    }
    for index in (32 - balanceWidth)..<32 { bytes.append(balance.bigEndianByte(index)) }
    if flags & Self.hasStorage != 0 { bytes.append(word: storageRoot.word) }
    if flags & Self.hasCode != 0 { bytes.append(word: codeHash.word) }
  }

  init(stored bytes: UnsafeRawBufferPointer) {
    self.init()
    guard bytes.count >= 2 else { return }
    let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    let flags = base[0]
    let nonceWidth = Int(flags & 0x0F)
    let balanceWidth = Int(base[1])
    var position = 2
    precondition(
      bytes.count == 2 + nonceWidth + balanceWidth + (flags & Self.hasStorage == 0 ? 0 : 32)
        + (flags & Self.hasCode == 0 ? 0 : 32), "database: an account of a wrong size")
    for index in 0..<nonceWidth { nonce = nonce << 8 | UInt64(base[position + index]) }
    position += nonceWidth
    if balanceWidth > 0 { balance = UInt256(bigEndian: base + position, count: balanceWidth) }
    position += balanceWidth
    if flags & Self.hasStorage != 0 {
      storageRoot = Hash256(bytes: base + position)
      position += 32
    }
    if flags & Self.hasCode != 0 { codeHash = Hash256(bytes: base + position) }
  }

  func storeLeaf(to bytes: UnsafeMutablePointer<UInt8>) -> Int {
    // 68 to 110 bytes in the list, whose header takes two.
    var end = 2
    UInt256(nonce).store(rlp: bytes, &end)
    balance.store(rlp: bytes, &end)
    bytes[end] = 0xA0
    storageRoot.store(bytes: bytes + end + 1)
    bytes[end + 33] = 0xA0
    codeHash.store(bytes: bytes + end + 34)
    end += 66
    bytes[0] = 0xF8
    bytes[1] = UInt8(end - 2)
    return end
  }
}

/// A slot's value; zero is none.
extension UInt256: TrieValue {
  static var table: Table { .slots }
  static var prefixBytes: Int { 32 }

  static func first(
    notBelow key: UInt256, of owner: Hash256, in layer: StateLayer, from: Int
  ) -> Int {
    gallop(from, layer.slots.count) {
      let account = layer.slots[$0].account
      return account < owner || account == owner && layer.slots[$0].slot.word < key
    }
  }

  static func change(
    _ place: Int, of owner: Hash256, in layer: StateLayer, below prefix: UInt256, _ depth: Int
  ) -> Entry<UInt256>? {
    guard place < layer.slots.count, layer.slots[place].account == owner,
      layer.slots[place].slot.word.prefix(nibbles: depth) == prefix
    else { return nil }
    let value = layer.slots[place].after
    return Entry(key: layer.slots[place].slot.word, value: value.isZero ? nil : value)
  }

  func appendStored(to bytes: inout [UInt8]) {
    for index in (32 - byteWidth)..<32 { bytes.append(bigEndianByte(index)) }
  }

  init(stored bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress, bytes.count > 0 else {
      self = .zero
      return
    }
    self = UInt256(bigEndian: base.assumingMemoryBound(to: UInt8.self), count: bytes.count)
  }

  func storeLeaf(to bytes: UnsafeMutablePointer<UInt8>) -> Int {
    var end = 0
    store(rlp: bytes, &end)
    return end
  }

  /// Writes the number in RLP at `end`, which moves behind it.
  @inline(__always)
  fileprivate func store(rlp bytes: UnsafeMutablePointer<UInt8>, _ end: inout Int) {
    if fitsUInt64, limb0 < 0x80 {
      bytes[end] = isZero ? 0x80 : UInt8(limb0)
      end &+= 1
      return
    }
    let width = byteWidth
    bytes[end] = 0x80 + UInt8(width)
    end &+= 1
    for index in (32 - width)..<32 {
      bytes[end] = bigEndianByte(index)
      end &+= 1
    }
  }
}

/// The first place from `start` on, in a column whose places below some are `isBelow`; few steps when
/// it is near.
@inline(__always)
func gallop(_ start: Int, _ count: Int, _ isBelow: (Int) -> Bool) -> Int {
  var low = start
  var step = 1
  while low + step <= count, isBelow(low + step - 1) {
    low += step
    step *= 2
  }
  var high = min(count, low + step - 1)
  while low < high {
    let middle = (low + high) / 2
    if isBelow(middle) { low = middle + 1 } else { high = middle }
  }
  return low
}

extension [UInt8] {
  /// Appends 32 bytes.
  mutating func append(word: UInt256) {
    let start = count
    append(contentsOf: repeatElement(0, count: 32))
    withUnsafeMutableBufferPointer { word.store(bigEndian: $0.baseAddress! + start) }
  }

  /// Appends eight bytes, the highest first.
  mutating func append(bigEndian number: UInt64) {
    for index in (0..<8).reversed() {
      append(UInt8(truncatingIfNeeded: number >> UInt64(index * 8)))
    }
  }

  /// Appends four bytes, the highest first.
  mutating func append(bigEndian number: UInt32) {
    for index in (0..<4).reversed() {
      append(UInt8(truncatingIfNeeded: number >> UInt32(index * 8)))
    }
  }
}

extension UnsafeRawBufferPointer {
  /// The eight bytes at a place, the highest first.
  func uint64(at offset: Int) -> UInt64 {
    UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// The four bytes at a place, the highest first.
  func uint32(at offset: Int) -> UInt32 {
    UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}
