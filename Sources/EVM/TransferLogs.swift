// Logs of wei that move (EIP-7708), as an ERC-20 contract at the system's address would write them.
extension Machine {
  /// Moves wei from an account that has them, and logs it where wei change hands. False on
  /// exhaustion.
  @inline(__always)
  mutating func transfer(
    _ value: UInt256, from sender: UnsafeMutablePointer<AccountEntry>,
    to recipient: UnsafeMutablePointer<AccountEntry>
  ) -> Bool {
    if !journal.transfer(value, from: sender, to: recipient) { return false }
    return fork < .amsterdam || logTransfer(value, from: sender, to: recipient)
  }

  /// Logs that wei moved, unless there are none or they stay where they are.
  @inline(never)
  mutating func logTransfer(
    _ value: UInt256, from sender: UnsafeMutablePointer<AccountEntry>,
    to recipient: UnsafeMutablePointer<AccountEntry>
  ) -> Bool {
    if value.isZero || sender == recipient { return true }
    guard let log = appendLog(of: value, topicCount: 3) else { return false }
    // keccak256("Transfer(address,address,uint256)")
    log.pointee.topics.0 = UInt256(
      0x28f5_5a4d_f523_b3ef, 0x952b_a7f1_63c4_a116, 0x69c2_b068_fc37_8daa, 0xddf2_52ad_1be2_c89b)
    log.pointee.topics.1 = sender.pointee.address.word
    log.pointee.topics.2 = recipient.pointee.address.word
    return true
  }

  /// Logs that wei are burnt, unless there are none.
  @inline(never)
  mutating func logBurn(_ value: UInt256, of account: UnsafeMutablePointer<AccountEntry>) -> Bool {
    if value.isZero { return true }
    account.pointee.observed.insert(.balance)
    guard let log = appendLog(of: value, topicCount: 2) else { return false }
    // keccak256("Burn(address,uint256)")
    log.pointee.topics.0 = UInt256(
      0x71a0_fdb7_5d39_7ca5, 0x6cff_cc18_4412_cf7a, 0x815c_1ee0_9dbd_0673, 0xcc16_f5db_b487_3280)
    log.pointee.topics.1 = account.pointee.address.word
    return true
  }

  /// Logs what destroyed accounts still have, in the order of their addresses. False on exhaustion.
  mutating func logDestroyed() -> Bool {
    if fork < .amsterdam { return true }
    var last: Address?
    while true {
      var next: UnsafeMutablePointer<AccountEntry>?
      var index = 0
      while index < journal.accountCount {
        let account = journal.accounts + index
        index &+= 1
        if !account.pointee.isDestroyed || account.pointee.balance.isZero { continue }
        let word = account.pointee.address.word
        if let last, word <= last.word { continue }
        if let found = next, found.pointee.address.word <= word { continue }
        next = account
      }
      guard let next else { return true }
      last = next.pointee.address
      if !logBurn(next.pointee.balance, of: next) { return false }
    }
  }

  /// A log of the system's about so many wei; its topics are the caller's to write.
  private mutating func appendLog(of value: UInt256, topicCount: Int)
    -> UnsafeMutablePointer<LogRecord>?
  {
    guard
      let log = journal.appendLog(address: .system, topicCount: topicCount, dataCount: 32)
    else { return nil }
    value.store(bigEndian: journal.logData + log.pointee.dataOffset)
    return log
  }
}
