import EVM

/// Writes what a transaction read and changed as 8-byte words, little end first.
///
///     account  address low | address middle | address high 32, flags 16, parts 16
///              values     nonce, balance (4)                         if `RecordParts.values`
///              codeHash   (4)                                        if `.codeHash`
///              original   nonce, balance (4), code hash (4),
///                         existence 8, observations 8, floor (4)     if `.original`
///              code       bytes, then the code, padded               if `.code`
///     slot     account's number 32, parts 32 | key (4)
///              value (4) if `.values`, original (4) if `.original`
///     log      address low | address middle | address high 32, topics 32 | bytes of data
///              topics (4 each) | data, padded
///     output   padded
///
/// All accounts are written, in the journal's order, so that slots name them by number.
struct RecordWriter {
  /// Where the next word goes; `nil` while only counting.
  private var next: UnsafeMutablePointer<UInt64>?
  /// Words so far.
  private var words = 0

  /// What is written of the journal.
  private let accounts: UnsafeBufferPointer<AccountEntry>
  private let slots: UnsafeBufferPointer<SlotEntry>
  private let logs: UnsafeBufferPointer<LogRecord>
  private let logData: UnsafePointer<UInt8>
  private let selection: RecordSelection
  /// Where the values before are.
  private let arguments: UnsafePointer<TransactionKernel.Arguments>

  @inline(__always)
  private init(
    _ journal: UnsafePointer<Journal>, _ arguments: UnsafePointer<TransactionKernel.Arguments>,
    _ next: UnsafeMutablePointer<UInt64>?
  ) {
    accounts = UnsafeBufferPointer(
      start: journal.pointee.accounts, count: journal.pointee.accountCount)
    slots = UnsafeBufferPointer(start: journal.pointee.slots, count: journal.pointee.slotCount)
    logs = UnsafeBufferPointer(start: journal.pointee.logs, count: journal.pointee.logCount)
    logData = UnsafePointer(journal.pointee.logData)
    selection = arguments.pointee.selection
    self.arguments = arguments
    self.next = next
  }

  /// Counts the words of all records.
  @inline(never)
  static func count(
    _ journal: UnsafePointer<Journal>, _ arguments: UnsafePointer<TransactionKernel.Arguments>,
    _ output: UnsafeBufferPointer<UInt8>
  ) -> Int {
    var writer = RecordWriter(journal, arguments, nil)
    _ = writer.writeAll(output)
    return writer.words
  }

  /// Writes all records to memory with room for them; gives the number of slots.
  @inline(never)
  static func write(
    _ journal: UnsafePointer<Journal>, _ arguments: UnsafePointer<TransactionKernel.Arguments>,
    _ output: UnsafeBufferPointer<UInt8>, to memory: UnsafeMutableRawPointer
  ) -> Int {
    var writer = RecordWriter(
      journal, arguments, memory.assumingMemoryBound(to: UInt64.self))
    return writer.writeAll(output)
  }

  @inline(__always)
  private mutating func writeAll(_ output: UnsafeBufferPointer<UInt8>) -> Int {
    var slotsWritten = 0
    if !selection.isDisjoint(with: [.changes, .reads]) {
      var index = 0
      while index < accounts.count {
        write(accounts.baseAddress! + index)
        index &+= 1
      }
      index = 0
      while index < slots.count {
        if write(slots[index]) { slotsWritten &+= 1 }
        index &+= 1
      }
    }
    if selection.contains(.logs) {
      var index = 0
      while index < logs.count {
        write(logs[index])
        index &+= 1
      }
    }
    if selection.contains(.output) { put(output) }
    return slotsWritten
  }

  // What every record has of an entry is read before the first word is written: a device does not move a
  // load before a store that might change what it reads. What few have is not read for all.

  @inline(__always)
  private mutating func write(_ entry: UnsafePointer<AccountEntry>) {
    let address = entry.pointee.address
    let flags = entry.pointee.flags
    var parts: RecordParts = []
    var nonce: UInt64 = 0
    var balance = UInt256.zero
    if flags.contains(.loaded) {
      nonce = entry.pointee.nonce
      balance = entry.pointee.balance
      if nonce != entry.pointee.nonceBefore || balance != entry.pointee.balanceBefore {
        parts.formUnion(.values)
      }
      if selection.contains(.reads) { parts.formUnion(.original) }
      // Nothing else changes the hash, and going back takes the flag away.
      if flags.contains(.codeChanged) {
        var original = AccountRecord.absent
        arguments.pointee.table.read(entry.pointee.record.place, into: &original)
        if entry.pointee.codeHash != original.codeHash { parts.formUnion([.codeHash, .code]) }
      }
    }
    put(address.low)
    put(address.middle)
    put(UInt64(address.high) | UInt64(flags.rawValue) << 32 | UInt64(parts.rawValue) << 48)
    if parts.contains(.values) {
      put(nonce)
      put(balance)
    }
    if parts.contains(.codeHash) { put(entry.pointee.codeHash.word) }
    if parts.contains(.original) {
      var original = AccountRecord.absent
      arguments.pointee.table.read(entry.pointee.record.place, into: &original)
      put(original.nonce)
      put(original.balance)
      put(original.codeHash.word)
      let exists: UInt64 = original.exists ? 1 : 0
      let hasStorage: UInt64 = original.hasStorage ? 2 : 0
      put(exists | hasStorage | UInt64(entry.pointee.observed.rawValue) << 8)
      put(entry.pointee.balanceFloor)
    }
    if parts.contains(.code) {
      let code = entry.pointee.changedCode
      put(UInt64(code.count))
      put(code)
    }
  }

  /// False for a slot that is left out.
  @inline(__always)
  private mutating func write(_ slot: SlotEntry) -> Bool {
    if slot.isTransient || !slot.isLoaded { return false }
    var parts: RecordParts = []
    if slot.current != slot.original { parts.formUnion(.values) }
    if selection.contains(.reads) { parts.formUnion(.original) }
    if parts.isEmpty { return false }
    put(UInt64(slot.account) | UInt64(parts.rawValue) << 32)
    put(slot.key)
    if parts.contains(.values) { put(slot.current) }
    if parts.contains(.original) { put(slot.original) }
    return true
  }

  @inline(__always)
  private mutating func write(_ log: LogRecord) {
    put(log.address.low)
    put(log.address.middle)
    put(UInt64(log.address.high) | UInt64(log.topicCount) << 32)
    put(UInt64(log.dataCount))
    if log.topicCount > 0 { put(log.topics.0) }
    if log.topicCount > 1 { put(log.topics.1) }
    if log.topicCount > 2 { put(log.topics.2) }
    if log.topicCount > 3 { put(log.topics.3) }
    put(
      UnsafeBufferPointer(
        start: logData + log.dataOffset, count: log.dataCount))
  }

  // MARK: Words

  @inline(__always)
  private mutating func put(_ word: UInt64) {
    if let next { next[words] = word }
    words &+= 1
  }

  @inline(__always)
  private mutating func put(_ word: UInt256) {
    if let next {
      next[words] = word.limb0
      next[words &+ 1] = word.limb1
      next[words &+ 2] = word.limb2
      next[words &+ 3] = word.limb3
    }
    words &+= 4
  }

  /// Bytes, padded with zeros to whole words.
  @inline(__always)
  private mutating func put(_ bytes: UnsafeBufferPointer<UInt8>) {
    if let next, let first = bytes.baseAddress {
      let raw = UnsafeRawPointer(first)
      let whole = bytes.count >> 3
      var index = 0
      // Four loads before four stores, for the same reason.
      while index &+ 4 <= whole {
        let word0 = ByteWords.loadAnywhere(raw, index &* 8)
        let word1 = ByteWords.loadAnywhere(raw, index &* 8 &+ 8)
        let word2 = ByteWords.loadAnywhere(raw, index &* 8 &+ 16)
        let word3 = ByteWords.loadAnywhere(raw, index &* 8 &+ 24)
        next[words &+ index] = word0
        next[words &+ index &+ 1] = word1
        next[words &+ index &+ 2] = word2
        next[words &+ index &+ 3] = word3
        index &+= 4
      }
      while index < whole {
        next[words &+ index] = ByteWords.loadAnywhere(raw, index &* 8)
        index &+= 1
      }
      var rest: UInt64 = 0
      var byte = whole &* 8
      while byte < bytes.count {
        rest |= UInt64(first[byte]) << UInt64((byte & 7) &* 8)
        byte &+= 1
      }
      if bytes.count & 7 != 0 { next[words &+ whole] = rest }
    }
    words &+= (bytes.count &+ 7) >> 3
  }
}

/// What follows the fixed words of a record.
package struct RecordParts: OptionSet, BitwiseCopyable, Sendable {
  package let rawValue: UInt16

  @inline(__always)
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  /// The values now, because they are others than before.
  package static var values: RecordParts { RecordParts(rawValue: 1) }
  /// The code's hash now, because it is another than before.
  package static var codeHash: RecordParts { RecordParts(rawValue: 2) }
  /// The values before.
  package static var original: RecordParts { RecordParts(rawValue: 4) }
  /// The code that the transaction set.
  package static var code: RecordParts { RecordParts(rawValue: 8) }
}
