package import EVM
package import Ethereum
package import Execution
package import Kernels

/// A state prepared for launches: accounts and slots of any number of worlds in the tables that
/// kernels read, and their code, padded, mapped and translated for one fork.
///
/// It lies in host memory; a device gets a copy of its three blocks. Built once, then only read.
package final class StateImage {
  /// The rules for which code was translated.
  package let fork: Fork
  /// Accounts of all worlds.
  package private(set) var accountCount = 0
  /// Slots of all worlds.
  package private(set) var slotCount = 0

  private let codes: CodeStore
  private var codeNumbers: [Hash256: UInt32] = [:]
  private var entries: [CodeEntry] = []
  /// Bytes of padded code, maps and programs, each at a multiple of 32.
  private var codeBytes = 0

  private(set) var accounts: UnsafeMutableBufferPointer<StateTable.Account>
  private(set) var slots: UnsafeMutableBufferPointer<StateTable.Slot>

  /// A code and where its parts lie in the code block.
  private struct CodeEntry {
    let code: Code
    let bytes: Int
    let map: Int
    let program: Int?
  }

  /// An empty image with room for so many accounts and slots.
  ///
  /// `translation` says which code gets a program: with `.always` all of it, with `.never` none.
  package init(
    fork: Fork, accounts: Int, slots: Int, translation: CodeStore.Translation = .always
  ) {
    self.fork = fork
    codes = CodeStore(translation: translation, programCapacity: .max)
    self.accounts = Self.table(StateTable.capacity(rows: accounts))
    self.slots = Self.table(StateTable.capacity(rows: slots))
  }

  /// The image of allocations, each a world; code of all of them is shared.
  package convenience init(
    _ worlds: [Allocation], fork: Fork, translation: CodeStore.Translation = .always
  ) {
    self.init(
      fork: fork, accounts: worlds.reduce(0) { $0 + $1.accounts.count },
      slots: worlds.reduce(0) {
        $0 + $1.accounts.values.reduce(0) { $0 + $1.storage.count }
      }, translation: translation)
    for (number, world) in worlds.enumerated() { add(world, as: UInt32(number)) }
  }

  deinit {
    accounts.deallocate()
    slots.deallocate()
  }

  /// Adds the accounts of a world.
  package func add(_ world: Allocation, as number: UInt32) {
    for (address, account) in world.accounts {
      let hash = codes.insert(account.code)
      let record = AccountRecord(
        nonce: account.nonce, balance: account.balance, codeHash: hash, exists: true,
        hasStorage: account.storage.values.contains { !$0.isZero })
      let place = add(address, record, to: number)
      for (key, value) in account.storage where !value.isZero {
        add(key, value: value, to: place)
      }
    }
  }

  /// Adds an account whose code, if it has any, is in the image; gives its place.
  private func add(_ address: Address, _ record: AccountRecord, to world: UInt32) -> UInt32 {
    precondition(accountCount * 2 < accounts.count, "the image was made for fewer accounts")
    accountCount += 1
    let code = record.codeHash == .emptyCode ? UInt32.max : number(of: record.codeHash)
    return hostTable.insert(
      StateTable.Account(world: world, address: address, record: record, code: code))
  }

  private func add(_ key: UInt256, value: UInt256, to place: UInt32) {
    precondition(slotCount * 2 < slots.count, "the image was made for fewer slots")
    slotCount += 1
    hostTable.insert(StateTable.Slot(account: place, key: key, value: value))
  }

  private func number(of hash: Hash256) -> UInt32 {
    if let number = codeNumbers[hash] { return number }
    guard let code = codes.executable(hash, fork: fork) else {
      preconditionFailure("code is added before its account")
    }
    let number = UInt32(entries.count)
    codeNumbers[hash] = number
    let bytes = place(code.count + Code.padding)
    let map = place(Code.mapBytes(code.count))
    entries.append(
      CodeEntry(
        code: code, bytes: bytes, map: map,
        program: code.program.map { place($0.pointee.byteCount) }))
    return number
  }

  private func place(_ count: Int) -> Int {
    let start = codeBytes
    codeBytes = (codeBytes + count + 31) & ~31
    return start
  }

  private static func table<Row>(_ capacity: Int) -> UnsafeMutableBufferPointer<Row> {
    let raw = UnsafeMutableRawBufferPointer.allocate(
      byteCount: capacity * MemoryLayout<Row>.stride, alignment: 64)
    // A row of zeros is free.
    raw.initializeMemory(as: UInt8.self, repeating: 0)
    return raw.bindMemory(to: Row.self)
  }

  /// The table without code, for filling.
  private var hostTable: StateTable {
    StateTable(
      accounts: accounts.baseAddress!, accountMask: UInt32(accounts.count - 1),
      slots: slots.baseAddress!, slotMask: UInt32(slots.count - 1),
      codes: UnsafePointer(bitPattern: 16)!)
  }
}

extension StateImage {
  /// Bytes of the code block: the table of codes, then what they point to.
  package var codeBlockBytes: Int { codeTableBytes + codeBytes }

  private var codeTableBytes: Int {
    (max(entries.count, 1) * MemoryLayout<Code>.stride + 31) & ~31
  }

  /// Bytes of all three blocks.
  package var byteCount: Int {
    accounts.count * MemoryLayout<StateTable.Account>.stride
      + slots.count * MemoryLayout<StateTable.Slot>.stride + codeBlockBytes
  }

  /// Writes the code block, whose pointers are for a copy at address `base`.
  package func writeCode(to memory: UnsafeMutableRawPointer, for base: UInt) {
    let first = base + UInt(codeTableBytes)
    func pointer<T>(_ offset: Int) -> UnsafePointer<T> {
      UnsafePointer(bitPattern: first + UInt(offset))!
    }
    let table = memory.bindMemory(to: Code.self, capacity: entries.count)
    let body = memory + codeTableBytes
    for (number, entry) in entries.enumerated() {
      let code = entry.code
      (body + entry.bytes).copyMemory(
        from: code.bytes, byteCount: code.count + Code.padding)
      (body + entry.map).copyMemory(
        from: code.jumpDestinations, byteCount: Code.mapBytes(code.count))
      if let program = entry.program, let header = code.program {
        (body + program).copyMemory(from: header, byteCount: header.pointee.byteCount)
      }
      (table + number).initialize(
        to: Code(
          bytes: pointer(entry.bytes), jumpDestinations: pointer(entry.map), count: code.count,
          program: entry.program.map { pointer($0) }))
    }
  }

  /// The table for a machine that finds the three blocks at these addresses.
  package func table(accounts: UInt, slots: UInt, code: UInt) -> StateTable {
    StateTable(
      accounts: UnsafeMutablePointer(bitPattern: accounts)!,
      accountMask: UInt32(self.accounts.count - 1),
      slots: UnsafeMutablePointer(bitPattern: slots)!, slotMask: UInt32(self.slots.count - 1),
      codes: UnsafePointer(bitPattern: code)!)
  }
}
