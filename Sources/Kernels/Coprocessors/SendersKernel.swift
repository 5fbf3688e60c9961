import EVM

/// Senders and hashes of signed transactions as a block holds them: a lane takes one.
///
/// `read` decodes a transaction of any type, hashes it and what its sender signed, and writes the
/// signature into a row of `RecoverKernel`, whose launches follow; authorisations (EIP-7702) get rows
/// behind those of the senders, in any order. `write` puts the results together. What `read` does not
/// take for a whole transaction is the host's, which decides.
package enum SendersKernel {
  /// What both launches work on.
  package struct Arguments: BitwiseCopyable {
    /// Transactions as `KeccakKernel.Arguments` has messages.
    package var bytes: UnsafePointer<UInt8>
    package var ends: UnsafePointer<Int>
    package var count: Int
    /// The rows and states of signatures: one each transaction, and `capacity` more for
    /// authorisations.
    package var rows: UnsafeMutablePointer<SIMD2<UInt64>>
    package var states: UnsafeMutablePointer<UInt8>
    /// How many rows authorisations have, from zero.
    package var extra: UnsafeMutablePointer<UInt64>
    package var capacity: Int
    /// Receives for each transaction the first row of its authorisations, from `count` on, and how
    /// many it has: in the low and the high half of a word.
    package var authorizations: UnsafeMutablePointer<UInt64>
    /// What `RecoverKernel` gives: 20 bytes a row.
    package var addresses: UnsafePointer<UInt32>
    /// Receives sender and hash: `wordsPerResult` words a transaction.
    package var results: UnsafeMutablePointer<UInt32>

    /// Arguments from their parts.
    package init(
      bytes: UnsafePointer<UInt8>, ends: UnsafePointer<Int>, count: Int,
      rows: UnsafeMutablePointer<SIMD2<UInt64>>, states: UnsafeMutablePointer<UInt8>,
      extra: UnsafeMutablePointer<UInt64>, capacity: Int,
      authorizations: UnsafeMutablePointer<UInt64>, addresses: UnsafePointer<UInt32>,
      results: UnsafeMutablePointer<UInt32>
    ) {
      self.bytes = bytes
      self.ends = ends
      self.count = count
      self.rows = rows
      self.states = states
      self.extra = extra
      self.capacity = capacity
      self.authorizations = authorizations
      self.addresses = addresses
      self.results = results
    }
  }

  /// Words of 32 bits in a result: an address and a hash.
  package static var wordsPerResult: Int { 13 }

  /// Decodes and hashes a transaction.
  @inline(__always)
  package static func read(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    if index >= arguments.count { return }
    let start = index == 0 ? 0 : arguments.ends[index &- 1]
    let end = arguments.ends[index]
    arguments.authorizations[index] = 0
    guard let fields = Fields(arguments.bytes, start, end) else {
      arguments.states[index] = RecoverKernel.State.host
      return
    }
    let hash = LaneKeccak.hash(arguments.bytes + start, count: end &- start)
    let result = arguments.results + index &* wordsPerResult + 5
    var place = 0
    while place < 8 {
      result[place] = (hash.word.bigEndianWord(place)).bigEndian
      place &+= 1
    }
    if fields.authorizationCount > 0 {
      let count = fields.authorizationCount
      let first = Int(fetchAdd(arguments.extra, UInt64(count)))
      // The rows are counted in any case: those beyond the memory mean nothing.
      if first &+ count > arguments.capacity {
        arguments.states[index] = RecoverKernel.State.host
        return
      }
      arguments.authorizations[index] = UInt64(arguments.count &+ first) | UInt64(count) << 32
      readAuthorizations(fields, arguments, row: arguments.count &+ first)
    }
    let signingHash = LaneKeccak.hash(
      prefix: fields.prefix, arguments.bytes + fields.start, count: fields.end &- fields.start,
      suffix: fields.suffix)
    write(
      index, arguments, hash: signingHash, fields.r, fields.s, parity: fields.parity)
  }

  /// Signatures of authorisations, whose list is known to be whole.
  private static func readAuthorizations(_ fields: Fields, _ arguments: Arguments, row: Int) {
    var row = row
    var list = LaneRLP(arguments.bytes, fields.authorizations, fields.authorizationsEnd)
    while list.next(isList: true) {
      var tuple = list.items
      let start = tuple.position
      _ = tuple.next(isList: false)
      _ = tuple.next(isList: false)
      _ = tuple.next(isList: false)
      let end = tuple.position
      _ = tuple.next(isList: false)
      let parity = UInt8(truncatingIfNeeded: tuple.value.limb0)
      _ = tuple.next(isList: false)
      let r = tuple.value
      _ = tuple.next(isList: false)
      var prefix = ShortBytes()
      prefix.append(5)
      prefix.appendListHeader(end &- start)
      let hash = LaneKeccak.hash(
        prefix: prefix, arguments.bytes + start, count: end &- start, suffix: ShortBytes())
      write(row, arguments, hash: hash, r, tuple.value, parity: parity)
      row &+= 1
    }
  }

  /// Fills a row of a signature; high s are refused (EIP-2, EIP-7702).
  @inline(__always)
  private static func write(
    _ row: Int, _ arguments: Arguments, hash: Hash256, _ r: UInt256, _ s: UInt256, parity: UInt8
  ) {
    let pairs = arguments.rows + row &* RecoverKernel.pairsPerRow
    RecoverKernel.store(hash.word, to: pairs)
    RecoverKernel.store(r, to: pairs + 2)
    RecoverKernel.store(s, to: pairs + 4)
    arguments.states[row] =
      parity <= 1 && s <= Secp256k1.halfOrder ? parity : RecoverKernel.State.refused
  }

  /// Puts the sender in front of the hash.
  @inline(__always)
  package static func write(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    let arguments = arguments.pointee
    if index >= arguments.count { return }
    let source = arguments.addresses + index &* 5
    let target = arguments.results + index &* wordsPerResult
    var place = 0
    while place < 5 {
      target[place] = source[place]
      place &+= 1
    }
  }

  /// A transaction's parts that its hashes need.
  private struct Fields {
    /// What is signed, but for its header: from the first field to the last before the signature.
    let start: Int
    private(set) var end = 0
    /// What is signed before and behind that.
    private(set) var prefix = ShortBytes()
    private(set) var suffix = ShortBytes()
    private(set) var parity: UInt8 = 0
    private(set) var r = UInt256.zero
    private(set) var s = UInt256.zero
    /// The list of authorisations.
    private(set) var authorizations = 0
    private(set) var authorizationsEnd = 0
    private(set) var authorizationCount = 0

    /// The fields of the transaction at some bytes; `nil` for what is not clearly one, as
    /// `Transaction(decoding:)` of the module Ethereum defines it.
    init?(_ bytes: UnsafePointer<UInt8>, _ first: Int, _ last: Int) {
      if first == last { return nil }
      let type = bytes[first] < 0xC0 ? Int(bytes[first]) : 0
      if type > 4 || (type == 0 && bytes[first] < 0xC0) { return nil }
      var outer = LaneRLP(bytes, type == 0 ? first : first &+ 1, last)
      if !outer.next(isList: true) || !outer.isAtEnd { return nil }
      var fields = outer.items
      start = fields.position
      if type != 0, !fields.number(8) { return nil }
      // Nonce, one price or two, gas limit.
      if !fields.number(8) || !fields.number(32) { return nil }
      if type > 1, !fields.number(32) { return nil }
      if !fields.number(8) { return nil }
      // Only the first three types create contracts.
      if !fields.next(isList: false) { return nil }
      if fields.length != 20, fields.length != 0 || type > 2 { return nil }
      // Value and data.
      if !fields.number(32) || !fields.next(isList: false) { return nil }
      if type > 0, !Self.readAccessList(&fields) { return nil }
      if type == 3, !Self.readBlobs(&fields) { return nil }
      if type == 4, !readAuthorizations(&fields) { return nil }
      end = fields.position
      if !fields.number(type == 0 ? 32 : 1) { return nil }
      let v = fields.value
      if !fields.number(32) { return nil }
      r = fields.value
      if !fields.number(32) || !fields.isAtEnd { return nil }
      s = fields.value
      if type != 0 {
        if v.limb0 > 1 { return nil }
        parity = UInt8(truncatingIfNeeded: v.limb0)
        prefix.append(UInt64(type))
      } else if !takeLegacy(v) {
        return nil
      }
      prefix.appendListHeader(end &- start &+ suffix.count)
    }

    /// Chain and parity out of `v`: 27 or 28, or from 35 on (EIP-155).
    @inline(__always)
    private mutating func takeLegacy(_ v: UInt256) -> Bool {
      // Chains of 2^32 and more are the host's.
      if !v.fitsUInt64 || v.limb0 >= 1 << 33 { return false }
      if v.limb0 == 27 || v.limb0 == 28 {
        parity = UInt8(truncatingIfNeeded: v.limb0 &- 27)
        return true
      }
      if v.limb0 < 35 { return false }
      let rest = v.limb0 &- 35
      parity = UInt8(truncatingIfNeeded: rest & 1)
      suffix.appendNumber(rest >> 1)
      suffix.append(0x80)
      suffix.append(0x80)
      return true
    }

    @inline(__always)
    private static func readAccessList(_ fields: inout LaneRLP) -> Bool {
      if !fields.next(isList: true) { return false }
      var entries = fields.items
      while !entries.isAtEnd {
        if !entries.next(isList: true) { return false }
        var entry = entries.items
        if !entry.fixed(20) || !entry.next(isList: true) || !entry.isAtEnd { return false }
        var keys = entry.items
        while !keys.isAtEnd {
          if !keys.fixed(32) { return false }
        }
      }
      return true
    }

    @inline(__always)
    private static func readBlobs(_ fields: inout LaneRLP) -> Bool {
      if !fields.number(32) || !fields.next(isList: true) { return false }
      var hashes = fields.items
      while !hashes.isAtEnd {
        if !hashes.fixed(32) { return false }
      }
      return true
    }

    @inline(__always)
    private mutating func readAuthorizations(_ fields: inout LaneRLP) -> Bool {
      if !fields.next(isList: true) { return false }
      var tuples = fields.items
      authorizations = tuples.position
      authorizationsEnd = tuples.end
      while !tuples.isAtEnd {
        if !tuples.next(isList: true) { return false }
        var tuple = tuples.items
        // Chain, address, nonce, parity, r, s.
        if !tuple.number(32) || !tuple.fixed(20) || !tuple.number(8) || !tuple.number(1)
          || !tuple.number(32) || !tuple.number(32) || !tuple.isAtEnd
        {
          return false
        }
        authorizationCount &+= 1
      }
      return true
    }
  }
}

extension UInt256 {
  /// Bits of a word of 32, counted from the most significant (0) to the least (7).
  @inline(__always)
  fileprivate func bigEndianWord(_ index: Int) -> UInt32 {
    let limb = index < 4 ? (index < 2 ? limb3 : limb2) : (index < 6 ? limb1 : limb0)
    return UInt32(truncatingIfNeeded: index & 1 == 0 ? limb >> 32 : limb)
  }
}
