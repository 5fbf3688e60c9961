import EVM

/// Writes byte code at random that gets somewhere: its stack is right, its jumps arrive, its loops
/// end or run out of gas; and now and then it is wrong on purpose.
///
/// A statement leaves the stack as it found it, an expression leaves a word more. Behind the code
/// lie functions, and data for CODECOPY: initialisation code and inputs of precompiles.
struct RandomCode {
  var numbers: WorkloadNumbers
  let fork: Fork
  /// Whom the code knows: contracts, people, nobody.
  let addresses: [Address]
  /// How deep initialisation code is in initialisation code.
  private let nesting: Int

  private var bytes: [UInt8] = []
  /// Where the labels are; -1 for one that is still to come.
  private var labels: [Int] = []
  /// Where a label's position is to be written, two bytes.
  private var references: [(position: Int, label: Int)] = []
  /// What comes behind the code, by its label.
  private var data: [(label: Int, bytes: [UInt8])] = []
  private var functions: [Int] = []
  /// Statements that may still be written.
  private var statementsLeft: Int

  /// A code of about so many statements.
  init(
    _ numbers: WorkloadNumbers, fork: Fork, addresses: [Address], statements: Int,
    nesting: Int = 0
  ) {
    self.numbers = numbers
    self.fork = fork
    self.addresses = addresses
    self.nesting = nesting
    statementsLeft = statements
  }

  /// The code of a contract.
  mutating func contract() -> [UInt8] {
    block()
    end()
    return finish()
  }

  /// Code that deploys a contract; mostly.
  mutating func initialization() -> [UInt8] {
    block()
    if numbers.below(8) == 0 {
      end()
    } else {
      var inner = RandomCode(
        numbers, fork: fork, addresses: addresses, statements: 1 + numbers.below(4),
        nesting: nesting + 1)
      let code = inner.contract()
      numbers = inner.numbers
      copyData(code)
      push(UInt256(UInt64(code.count)))
      push(.zero)
      emit(Opcode.return)
    }
    return finish()
  }

  /// Writes the functions and the data, and where they are.
  private mutating func finish() -> [UInt8] {
    // Functions may call the ones behind them.
    var next = 0
    while next < functions.count {
      place(functions[next])
      emit(Opcode.jumpdest)
      statementsLeft = 1
      block()
      emit(Opcode.jump)
      next += 1
    }
    for item in data {
      place(item.label)
      bytes += item.bytes
    }
    for reference in references {
      let target = max(labels[reference.label], 0)
      bytes[reference.position] = UInt8(truncatingIfNeeded: target >> 8)
      bytes[reference.position + 1] = UInt8(truncatingIfNeeded: target)
    }
    return bytes
  }

  // MARK: Pieces

  private mutating func emit(_ opcode: UInt8) { bytes.append(opcode) }

  /// Whether the fork has an opcode; once in a long while it is used without.
  private mutating func has(_ opcode: UInt8) -> Bool {
    guard let row = OpcodeTable.row(opcode) else { return false }
    return fork >= row.since || numbers.below(400) == 0
  }

  private mutating func push(_ word: UInt256) {
    if word.isZero && fork >= .shanghai && numbers.below(4) != 0 {
      emit(Opcode.push0)
      return
    }
    let all = SolidityLayout.bytes(word)
    var digits = [UInt8](all.drop { $0 == 0 })
    if digits.isEmpty { digits = [0] }
    // Sometimes wider than need be.
    if numbers.below(16) == 0 { digits = [UInt8](all.suffix(min(32, digits.count + 2))) }
    emit(Opcode.push1 + UInt8(digits.count - 1))
    bytes += digits
  }

  private mutating func label() -> Int {
    labels.append(-1)
    return labels.count - 1
  }

  private mutating func place(_ label: Int) { labels[label] = bytes.count }

  private mutating func push(label: Int) {
    emit(Opcode.push1 + 1)
    references.append((bytes.count, label))
    bytes += [0, 0]
  }

  /// Copies data from behind the code to the beginning of memory.
  private mutating func copyData(_ content: [UInt8]) {
    let item = label()
    data.append((item, content))
    push(UInt256(UInt64(content.count)))
    push(label: item)
    push(.zero)
    emit(Opcode.codecopy)
  }

  private mutating func word() -> UInt256 {
    switch numbers.below(10) {
    case 0...3: return UInt256(UInt64(numbers.below(64)))
    case 4: return Self.power(numbers.below(256))
    case 5: return Self.power(numbers.below(256)) &- 1
    case 6: return UInt256.zero &- UInt256(UInt64(numbers.below(40)))
    case 7: return address().word
    case 8: return UInt256(numbers.next())
    default: return numbers.hash().word
    }
  }

  private static func power(_ exponent: Int) -> UInt256 {
    var limbs: [UInt64] = [0, 0, 0, 0]
    limbs[exponent >> 6] = 1 << UInt64(exponent & 63)
    return UInt256(limbs[0], limbs[1], limbs[2], limbs[3])
  }

  private mutating func address() -> Address { addresses[numbers.below(addresses.count)] }

  /// A place in memory; once in a while one that costs a lot, or too much.
  private mutating func pushOffset() {
    switch numbers.below(240) {
    case 0: push(word())
    case 1...9: push(UInt256(UInt64(numbers.below(1 << 14))))
    default: push(UInt256(UInt64(numbers.below(8) * 32 + (numbers.below(3) == 0 ? 5 : 0))))
    }
  }

  private mutating func pushSize() {
    switch numbers.below(240) {
    case 0: push(word())
    case 1...9: push(UInt256(UInt64(numbers.below(1 << 12))))
    default: push(UInt256(UInt64(numbers.below(4) == 0 ? 0 : numbers.below(97))))
    }
  }

  /// A slot: few, so that they are met again.
  private mutating func pushKey() {
    if numbers.below(12) == 0 { push(word()) } else { push(UInt256(UInt64(numbers.below(6)))) }
  }

  // MARK: Expressions

  private mutating func expression(_ level: Int = 3) {
    if level == 0 || numbers.below(3) == 0 { return leaf() }
    switch numbers.below(24) {
    case 0...10:
      expression(level - 1)
      expression(level - 1)
      let opcode = Self.binary[numbers.below(Self.binary.count)]
      emit(has(opcode) ? opcode : Opcode.add)
    case 11:
      for _ in 0..<3 { expression(level - 1) }
      emit(numbers.below(2) == 0 ? Opcode.addmod : Opcode.mulmod)
    case 12, 13:
      expression(level - 1)
      let opcode = [Opcode.iszero, Opcode.not, Opcode.clz][numbers.below(3)]
      emit(has(opcode) ? opcode : Opcode.not)
    case 14:
      push(word())
      expression(level - 1)
      emit(Opcode.exp)
    case 15, 16:
      pushKey()
      emit(Opcode.sload)
    case 17:
      pushKey()
      emit(has(Opcode.tload) ? Opcode.tload : Opcode.sload)
    case 18:
      pushSize()
      pushOffset()
      emit(Opcode.keccak256)
    case 19:
      push(address().word)
      let opcode = [Opcode.balance, Opcode.extcodesize, Opcode.extcodehash][numbers.below(3)]
      emit(has(opcode) ? opcode : Opcode.balance)
    case 20, 21: call()
    case 22 where nesting < 2: create()
    default:
      pushOffset()
      emit(Opcode.mload)
    }
  }

  private mutating func leaf() {
    switch numbers.below(10) {
    case 0...4: push(word())
    case 5, 6:
      push(UInt256(UInt64(numbers.below(6) * 32)))
      emit(Opcode.calldataload)
    case 7:
      push(UInt256(UInt64(numbers.below(20))))
      let opcode = numbers.below(2) == 0 ? Opcode.blockhash : Opcode.blobhash
      emit(has(opcode) ? opcode : Opcode.not)
    default:
      let opcode = Self.environment[numbers.below(Self.environment.count)]
      emit(has(opcode) ? opcode : Opcode.caller)
    }
  }

  private static let binary: [UInt8] = [
    Opcode.add, Opcode.mul, Opcode.sub, Opcode.div, Opcode.sdiv, Opcode.mod, Opcode.smod,
    Opcode.signextend, Opcode.lt, Opcode.gt, Opcode.slt, Opcode.sgt, Opcode.eq, Opcode.and,
    Opcode.or, Opcode.xor, Opcode.byte, Opcode.shl, Opcode.shr, Opcode.sar,
  ]

  private static let environment: [UInt8] = [
    Opcode.address, Opcode.origin, Opcode.caller, Opcode.callvalue, Opcode.calldatasize,
    Opcode.codesize, Opcode.gasprice, Opcode.returndatasize, Opcode.coinbase, Opcode.timestamp,
    Opcode.number, Opcode.prevrandao, Opcode.gaslimit, Opcode.chainid, Opcode.selfbalance,
    Opcode.basefee, Opcode.blobbasefee, Opcode.pc, Opcode.msize, Opcode.gas,
  ]

  // MARK: Calls

  /// Calls somebody; leaves the status.
  private mutating func call() {
    var target = address().word
    var input: Int?
    if numbers.below(4) == 0 {
      let number = PrecompileInputs.numbers[numbers.below(PrecompileInputs.numbers.count)]
      target = UInt256(number)
      if numbers.below(4) != 0 {
        var content = PrecompileInputs.valid(number, &numbers)
        if numbers.below(4) == 0 && !content.isEmpty {
          content[numbers.below(content.count)] ^= 1 << UInt8(numbers.below(8))
        }
        if numbers.below(8) == 0 { content.removeLast(numbers.below(content.count + 1)) }
        copyData(content)
        input = content.count
      }
    }
    let kinds = [Opcode.call, Opcode.call, Opcode.callcode, Opcode.delegatecall, Opcode.staticcall]
    let wanted = kinds[numbers.below(kinds.count)]
    let kind = has(wanted) ? wanted : Opcode.call
    pushSize()
    pushOffset()
    if let input {
      push(UInt256(UInt64(input)))
      push(.zero)
    } else {
      pushSize()
      pushOffset()
    }
    if kind == Opcode.call || kind == Opcode.callcode {
      switch numbers.below(12) {
      case 0: push(word())
      case 1...3: push(UInt256(UInt64(numbers.below(4))))
      default: push(.zero)
      }
    }
    push(target)
    switch numbers.below(8) {
    case 0: push(UInt256(UInt64(numbers.below(5000))))
    case 1: push(UInt256(UInt64(numbers.below(200_000))))
    case 2 where fork >= .tangerineWhistle: push(word())
    default:
      // Before Tangerine Whistle, all gas is more than there is when the call is paid.
      if fork < .tangerineWhistle {
        push(UInt256(UInt64(numbers.below(60_000))))
      } else {
        emit(Opcode.gas)
      }
    }
    emit(kind)
  }

  /// Creates a contract; leaves its address.
  private mutating func create() {
    var inner = RandomCode(
      numbers, fork: fork, addresses: addresses, statements: numbers.below(4),
      nesting: nesting + 1)
    let code = inner.initialization()
    numbers = inner.numbers
    copyData(code)
    let isSalted = numbers.below(2) == 0 && has(Opcode.create2)
    if isSalted { push(UInt256(UInt64(numbers.below(3)))) }
    if numbers.below(16) == 0 { pushSize() } else { push(UInt256(UInt64(code.count))) }
    push(.zero)
    push(UInt256(UInt64(numbers.below(8) == 0 ? 1 : 0)))
    emit(isSalted ? Opcode.create2 : Opcode.create)
  }

  // MARK: Statements

  /// Some statements.
  private mutating func block() {
    let count = 1 + numbers.below(4)
    var written = 0
    while statementsLeft > 0 && (written < count || nesting == 0 && numbers.below(3) != 0) {
      statementsLeft -= 1
      written += 1
      statement()
    }
  }

  private mutating func statement() {
    switch numbers.below(36) {
    case 0...3: store()
    case 4, 5:
      expression()
      pushOffset()
      emit(Opcode.mstore)
    case 6:
      expression()
      pushOffset()
      emit(Opcode.mstore8)
    case 7, 8: log()
    case 9, 10: copy()
    case 11...13: branch()
    case 14, 15: loop()
    case 16: callFunction()
    case 17...19: shuffle()
    case 20...26:
      call()
      keepOrDrop()
    case 27,
      28 where nesting < 2:
      create()
      keepOrDrop()
    case 29: exitSometimes()
    case 30 where numbers.below(6) == 0: mistake()
    default:
      expression()
      keepOrDrop()
    }
  }

  /// What was found out goes to a slot, to memory, or away.
  private mutating func keepOrDrop() {
    switch numbers.below(4) {
    case 0:
      pushKey()
      emit(Opcode.sstore)
    case 1:
      pushOffset()
      emit(Opcode.mstore)
    default: emit(Opcode.pop)
    }
  }

  private mutating func store() {
    // Zeros often, for refunds.
    if numbers.below(3) == 0 { push(.zero) } else { expression(2) }
    pushKey()
    emit(numbers.below(4) == 0 && has(Opcode.tstore) ? Opcode.tstore : Opcode.sstore)
  }

  private mutating func log() {
    let topics = numbers.below(5)
    for _ in 0..<topics { expression(1) }
    pushSize()
    pushOffset()
    emit(Opcode.log0 + UInt8(topics))
  }

  private mutating func copy() {
    let kinds = [
      Opcode.calldatacopy, Opcode.codecopy, Opcode.extcodecopy, Opcode.returndatacopy,
      Opcode.mcopy,
    ]
    let wanted = kinds[numbers.below(kinds.count)]
    let kind = has(wanted) ? wanted : Opcode.calldatacopy
    if kind == Opcode.returndatacopy && numbers.below(6) != 0 {
      // All that there is.
      emit(Opcode.returndatasize)
      push(.zero)
    } else {
      pushSize()
      pushOffset()
    }
    pushOffset()
    if kind == Opcode.extcodecopy { push(address().word) }
    emit(kind)
  }

  private mutating func branch() {
    let end = label()
    expression(2)
    push(label: end)
    emit(Opcode.jumpi)
    block()
    place(end)
    emit(Opcode.jumpdest)
  }

  /// A few rounds; or rounds until the gas is gone.
  private mutating func loop() {
    let isEndless = numbers.below(24) == 0
    let head = label()
    if !isEndless { push(UInt256(UInt64(1 + numbers.below(12)))) }
    place(head)
    emit(Opcode.jumpdest)
    block()
    if isEndless {
      push(label: head)
      emit(Opcode.jump)
      return
    }
    push(1)
    emit(Opcode.swap1)
    emit(Opcode.sub)
    emit(Opcode.dup1)
    push(label: head)
    emit(Opcode.jumpi)
    emit(Opcode.pop)
  }

  /// Jumps to code behind, which jumps back to where the stack says.
  private mutating func callFunction() {
    let back = label()
    let function: Int
    if functions.isEmpty || functions.count < 4 && numbers.below(2) == 0 {
      function = label()
      functions.append(function)
    } else {
      function = functions[numbers.below(functions.count)]
    }
    push(label: back)
    push(label: function)
    emit(Opcode.jump)
    place(back)
    emit(Opcode.jumpdest)
  }

  /// Words in disorder, then away with them.
  private mutating func shuffle() {
    var height = 2 + numbers.below(18)
    for _ in 0..<height { leaf() }
    for _ in 0..<numbers.below(24) {
      switch numbers.below(5) {
      case 0, 1:
        emit(Opcode.dup1 + UInt8(numbers.below(min(height, 16))))
        height += 1
      case 2 where height > 1:
        emit(Opcode.swap1 + UInt8(numbers.below(min(height - 1, 16))))
      case 3 where height > 1:
        let opcode = Self.binary[numbers.below(Self.binary.count)]
        emit(has(opcode) ? opcode : Opcode.xor)
        height -= 1
      case 4 where height > 1:
        emit(Opcode.pop)
        height -= 1
      default: emit(Opcode.not)
      }
    }
    for index in 0..<height { index == 0 ? keepOrDrop() : emit(Opcode.pop) }
  }

  // MARK: Ends

  /// Leaves the code when a condition holds.
  private mutating func exitSometimes() {
    let onward = label()
    expression(2)
    push(label: onward)
    emit(Opcode.jumpi)
    end()
    place(onward)
    emit(Opcode.jumpdest)
  }

  private mutating func end() {
    switch numbers.below(16) {
    case 0...3: emit(Opcode.stop)
    case 4,
      5 where fork >= .byzantium:
      pushSize()
      pushOffset()
      emit(Opcode.revert)
    case 6, 7:
      push(address().word)
      emit(Opcode.selfdestruct)
    case 8: emit(Opcode.invalid)
    case 9: break
    default:
      pushSize()
      pushOffset()
      emit(Opcode.return)
    }
  }

  /// Something that ends badly, in most forks.
  private mutating func mistake() {
    switch numbers.below(6) {
    case 0: emit(UInt8(truncatingIfNeeded: numbers.next()))
    case 1: emit(Opcode.add)
    case 2:
      push(word())
      emit(Opcode.jump)
    case 3:
      // More words than a stack has.
      let head = label()
      place(head)
      emit(Opcode.jumpdest)
      emit(Opcode.caller)
      push(label: head)
      emit(Opcode.jump)
    case 4: emit(Opcode.swap1 + 15)
    default:
      // Into the middle of a PUSH.
      let inside = label()
      push(label: inside)
      emit(Opcode.jump)
      emit(Opcode.push1)
      place(inside)
      emit(Opcode.jumpdest)
    }
  }
}
