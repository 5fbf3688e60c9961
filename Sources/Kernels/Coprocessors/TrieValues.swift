import EVM

/// What the leaves of a trie hold: accounts, slots, or any bytes.
package struct TrieValues: BitwiseCopyable {
  /// What a value is.
  package enum Kind: UInt8, BitwiseCopyable {
    /// Bytes as they are.
    case bytes
    /// A storage slot: a number that is not zero.
    case slot
    /// An account: nonce, balance, storage root and code hash (yellow paper, section 4.1).
    case account
  }

  private let kind: Kind
  /// `wordsPerSlot` or `wordsPerAccount` for each leaf, or all bytes.
  private let base: UnsafePointer<UInt64>
  /// For bytes: where the value of each leaf begins and how many it has, in the low and the high half
  /// of a word.
  private let places: UnsafePointer<UInt64>?

  /// A slot: a number of four words.
  package static var wordsPerSlot: Int { 4 }
  /// An account: the nonce, then three numbers of four words.
  package static var wordsPerAccount: Int { 13 }

  /// Values of a kind of fixed size.
  package init(_ kind: Kind, _ base: UnsafePointer<UInt64>) {
    self.kind = kind
    self.base = base
    places = nil
  }

  /// Strings of bytes.
  package init(bytes: UnsafePointer<UInt8>, places: UnsafePointer<UInt64>) {
    kind = .bytes
    base = UnsafeRawPointer(bytes).assumingMemoryBound(to: UInt64.self)
    self.places = places
  }

  @inline(__always)
  private func number(_ leaf: Int, _ stride: Int, _ word: Int) -> UInt256 {
    let words = base + (leaf &* stride &+ word)
    return UInt256(words[0], words[1], words[2], words[3])
  }

  @inline(__always)
  private static func byteCount(_ number: UInt256) -> Int {
    32 &- number.leadingZeroBitCount >> 3
  }

  /// The bytes of a number's RLP.
  @inline(__always)
  private static func encodedSize(_ number: UInt256) -> Int {
    number.fitsUInt64 && number.limb0 < 0x80 ? 1 : byteCount(number) &+ 1
  }

  /// Bytes of a leaf's value; those of an account within its list.
  @inline(__always)
  func size(_ leaf: Int) -> Int {
    switch kind {
    case .bytes: return Int(places![leaf] >> 32)
    case .slot: return Self.encodedSize(number(leaf, Self.wordsPerSlot, 0))
    case .account:
      let nonce = UInt256(base[leaf &* Self.wordsPerAccount])
      return Self.encodedSize(nonce) &+ 66
        &+ Self.encodedSize(number(leaf, Self.wordsPerAccount, 1))
    }
  }

  /// Bytes of the string that holds it, with all headers.
  @inline(__always)
  func encodedSize(_ leaf: Int, _ size: Int) -> Int {
    switch kind {
    case .bytes:
      if size == 1, firstByte(leaf) < 0x80 { return 1 }
      return size &+ Self.headerSize(size)
    // A number below 0x80 is its own string.
    case .slot: return size == 1 ? 1 : size &+ 1
    // The list has 68 to 109 bytes: a header of two, and so has the string.
    case .account: return size &+ 4
    }
  }

  @inline(__always)
  private static func headerSize(_ size: Int) -> Int {
    size < 56 ? 1 : size < 0x100 ? 2 : size < 0x1_0000 ? 3 : 4
  }

  @inline(__always)
  private func firstByte(_ leaf: Int) -> UInt8 {
    let start = Int(places![leaf] & 0xFFFF_FFFF)
    return UnsafeRawPointer(base).load(fromByteOffset: start, as: UInt8.self)
  }

  /// Writes the string.
  @inline(__always)
  func write(_ leaf: Int, _ size: Int, to sink: inout some NodeOutput) {
    switch kind {
    case .bytes: writeBytes(leaf, size, to: &sink)
    case .slot:
      let value = number(leaf, Self.wordsPerSlot, 0)
      if size > 1 { sink.append(0x80 &+ UInt64(size)) }
      sink.append(number: value, count: Self.byteCount(value))
    case .account:
      sink.append(0xB8)
      sink.append(UInt64(size &+ 2))
      sink.append(0xF8)
      sink.append(UInt64(size))
      let nonce = UInt256(base[leaf &* Self.wordsPerAccount])
      sink.append(number: nonce, count: Self.byteCount(nonce))
      let balance = number(leaf, Self.wordsPerAccount, 1)
      sink.append(number: balance, count: Self.byteCount(balance))
      sink.append(0xA0)
      sink.append(number(leaf, Self.wordsPerAccount, 5), count: 32)
      sink.append(0xA0)
      sink.append(number(leaf, Self.wordsPerAccount, 9), count: 32)
    }
  }

  private func writeBytes(_ leaf: Int, _ size: Int, to sink: inout some NodeOutput) {
    if size == 1, firstByte(leaf) < 0x80 { return sink.append(UInt64(firstByte(leaf))) }
    if size < 56 {
      sink.append(0x80 &+ UInt64(size))
    } else {
      let width = Self.headerSize(size) &- 1
      sink.append(0xB7 &+ UInt64(width))
      var place = width
      while place > 0 {
        place &-= 1
        sink.append(UInt64(size) &>> (UInt64(place) &* 8))
      }
    }
    let start = Int(places![leaf] & 0xFFFF_FFFF)
    var words = MessageWords(UnsafeRawPointer(base) + start)
    var left = size
    while left > 0 {
      let taken = left < 8 ? left : 8
      let word = words.word()
      sink.append(
        little: taken == 8 ? word : word & ((1 &<< (UInt64(taken) &* 8)) &- 1), count: taken)
      left &-= taken
    }
  }
}
