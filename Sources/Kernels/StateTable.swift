package import EVM

/// A world state in two open-addressed tables of whole rows, for many worlds at once: what a launch
/// reads. Nobody writes it while kernels run.
///
/// A row is found by one multiplication and, mostly, one read. The memory belongs to the host; the
/// pointers are those of the machine that reads. A table is at most half full.
package struct StateTable: BitwiseCopyable {
  /// An account of a world.
  package struct Account: BitwiseCopyable {
    package var address: Address
    /// Which world has it: instances with states of their own share a table.
    package var world: UInt32
    package var nonce: UInt64
    package var balance: UInt256
    package var codeHash: Hash256
    /// Index of the code, when the hash is not that of no code.
    package var code: UInt32
    package var isUsed: Bool
    package var exists: Bool
    package var hasStorage: Bool
    // Rows end without a gap (Documentation/Kernels.md).
    private let gap: UInt8 = 0

    /// A row of these values.
    package init(world: UInt32, address: Address, record: AccountRecord, code: UInt32) {
      self.world = world
      self.address = address
      nonce = record.nonce
      balance = record.balance
      codeHash = record.codeHash
      self.code = code
      isUsed = true
      exists = record.exists
      hasStorage = record.hasStorage
    }
  }

  /// A slot that is not zero.
  package struct Slot: BitwiseCopyable {
    package var key: UInt256
    package var value: UInt256
    /// The position of the account's row.
    package var account: UInt32
    package var isUsed: Bool
    // Rows end without a gap (Documentation/Kernels.md).
    private let gap0: UInt8 = 0
    private let gap1: UInt16 = 0

    /// A row of these values.
    package init(account: UInt32, key: UInt256, value: UInt256) {
      self.account = account
      self.key = key
      self.value = value
      isUsed = true
    }
  }

  /// `accountMask + 1` rows, a power of two.
  package var accounts: UnsafeMutablePointer<Account>
  package var accountMask: UInt32
  /// `slotMask + 1` rows, a power of two.
  package var slots: UnsafeMutablePointer<Slot>
  package var slotMask: UInt32
  /// The codes by index: padded and mapped, with programs or without.
  package var codes: UnsafePointer<Code>

  /// Tables over this memory.
  package init(
    accounts: UnsafeMutablePointer<Account>, accountMask: UInt32,
    slots: UnsafeMutablePointer<Slot>, slotMask: UInt32, codes: UnsafePointer<Code>
  ) {
    self.accounts = accounts
    self.accountMask = accountMask
    self.slots = slots
    self.slotMask = slotMask
    self.codes = codes
  }

  /// Rows of a table that is at most half full with this many.
  package static func capacity(rows: Int) -> Int {
    var capacity = 16
    while capacity < rows &* 2 { capacity &<<= 1 }
    return capacity
  }

  // MARK: Finding

  /// The position of an account's row; `AccountRecord.noPlace` when it has none.
  @inline(__always)
  package func find(_ address: Address, world: UInt32) -> UInt32 {
    var position = StateTable.hash(address, world) & accountMask
    while true {
      let row = accounts + Int(position)
      if !row.pointee.isUsed { return AccountRecord.noPlace }
      if row.pointee.address == address && row.pointee.world == world { return position }
      position = (position &+ 1) & accountMask
    }
  }

  /// The value of a slot; zero when it has no row.
  @inline(__always)
  package func value(account: UInt32, _ key: UInt256) -> UInt256 {
    var position = StateTable.hash(account, key) & slotMask
    while true {
      let row = slots + Int(position)
      if !row.pointee.isUsed { return .zero }
      if row.pointee.key == key && row.pointee.account == account { return row.pointee.value }
      position = (position &+ 1) & slotMask
    }
  }

  /// Writes the account at a position; `.absent` for `noPlace`.
  @inline(__always)
  func read(_ place: UInt32, into record: inout AccountRecord) {
    if place == AccountRecord.noPlace {
      record = .absent
      return
    }
    let row = accounts + Int(place)
    record.nonce = row.pointee.nonce
    record.balance = row.pointee.balance
    record.codeHash = row.pointee.codeHash
    record.exists = row.pointee.exists
    record.hasStorage = row.pointee.hasStorage
    record.place = place
  }

  // MARK: Filling

  /// Puts a row in, or over the row of the same account; gives its position.
  package func insert(_ account: Account) -> UInt32 {
    var position = StateTable.hash(account.address, account.world) & accountMask
    while accounts[Int(position)].isUsed
      && (accounts[Int(position)].address != account.address
        || accounts[Int(position)].world != account.world)
    {
      position = (position &+ 1) & accountMask
    }
    accounts[Int(position)] = account
    return position
  }

  /// Puts a row in, or over the row of the same slot.
  package func insert(_ slot: Slot) {
    var position = StateTable.hash(slot.account, slot.key) & slotMask
    while slots[Int(position)].isUsed
      && (slots[Int(position)].key != slot.key || slots[Int(position)].account != slot.account)
    {
      position = (position &+ 1) & slotMask
    }
    slots[Int(position)] = slot
  }

  // MARK: Hashing

  @inline(__always)
  private static func hash(_ address: Address, _ world: UInt32) -> UInt32 {
    mix(
      address.low ^ UInt64(world) &* 0x9e37_79b9_7f4a_7c15,
      address.middle ^ UInt64(address.high) << 17)
  }

  @inline(__always)
  private static func hash(_ account: UInt32, _ key: UInt256) -> UInt32 {
    mix(
      key.limb0 ^ key.limb2 &* 5 ^ UInt64(account) &* 0x9e37_79b9_7f4a_7c15,
      key.limb1 ^ key.limb3 &* 3)
  }

  /// Two multiplications, the upper half of the sum.
  @inline(__always)
  private static func mix(_ a: UInt64, _ b: UInt64) -> UInt32 {
    let sum = (a ^ a >> 32) &* 0xc2b2_ae3d_27d4_eb4f &+ (b ^ b >> 29) &* 0x1656_67b1_9e37_79f9
    return UInt32(truncatingIfNeeded: (sum ^ sum >> 29) >> 8)
  }
}
