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
  /// The entries of a trie whose keys begin with the first `depth` nibbles of `prefix`.
  static func entries(_ reader: StateReader, _ owner: Hash256, _ prefix: UInt256, _ depth: Int)
    -> [Entry<Self>]
  /// Reads what the database has.
  init(stored bytes: UnsafeRawBufferPointer)
  /// What the database has.
  func appendStored(to bytes: inout [UInt8])
  /// What the trie has: RLP.
  func appendLeaf(to bytes: inout [UInt8])
}

extension StoredAccount: TrieValue {
  static var table: Table { .accounts }
  static var prefixBytes: Int { 0 }

  static func entries(_ reader: StateReader, _ owner: Hash256, _ prefix: UInt256, _ depth: Int)
    -> [Entry<StoredAccount>]
  {
    var list: [Entry<StoredAccount>] = []
    reader.entries(prefix, depth: depth, into: &list)
    return list
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

  func appendLeaf(to bytes: inout [UInt8]) {
    let nonceSize = nonce < 0x80 ? 1 : 9 - nonce.leadingZeroBitCount / 8
    let balanceSize = balance.fitsUInt64 && balance.limb0 < 0x80 ? 1 : balance.byteWidth + 1
    // 68 to 110 bytes.
    bytes.append(0xF8)
    bytes.append(UInt8(nonceSize + balanceSize + 66))
    bytes.append(rlp: UInt256(nonce))
    bytes.append(rlp: balance)
    bytes.append(0xA0)
    bytes.append(word: storageRoot.word)
    bytes.append(0xA0)
    bytes.append(word: codeHash.word)
  }
}

/// A slot's value; zero is none.
extension UInt256: TrieValue {
  static var table: Table { .slots }
  static var prefixBytes: Int { 32 }

  static func entries(_ reader: StateReader, _ owner: Hash256, _ prefix: UInt256, _ depth: Int)
    -> [Entry<UInt256>]
  {
    var list: [Entry<UInt256>] = []
    reader.entries(owner, prefix, depth: depth, into: &list)
    return list
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

  func appendLeaf(to bytes: inout [UInt8]) { bytes.append(rlp: self) }
}

extension [UInt8] {
  /// Appends 32 bytes.
  mutating func append(word: UInt256) {
    let start = count
    append(contentsOf: repeatElement(0, count: 32))
    withUnsafeMutableBufferPointer { word.store(bigEndian: $0.baseAddress! + start) }
  }

  /// Appends a number in RLP.
  mutating func append(rlp number: UInt256) {
    if number.fitsUInt64, number.limb0 < 0x80 {
      append(number.isZero ? 0x80 : UInt8(number.limb0))
      return
    }
    let width = number.byteWidth
    append(0x80 + UInt8(width))
    for index in (32 - width)..<32 { append(number.bigEndianByte(index)) }
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
