package import EVM
package import Ethereum

/// A random block and the state before it: everything at once that makes parallel execution differ
/// where a rule is missing.
package struct RandomBlock: Sendable {
  /// The block.
  package var block: PreparedBlock
  /// The state before it.
  package var allocation: Allocation

  /// Byte code of small contracts; their call data are words.
  package enum Contract: UInt64, CaseIterable, Sendable {
    /// Adds one to the slot that the first word names.
    case bump = 0xb0
    /// Stores the balance of the account that the first word names, under its number.
    case look
    /// Stores the code hash and the code size of that account.
    case hash
    /// Sends the second word's wei to that account and stores whether that worked.
    case pay
    /// Creates a contract by CREATE2 with the first word as salt and the second's wei.
    case factory
    /// Calls the account of the first word with the rest of the call data, whatever comes of it.
    case relay
    /// Adds one to a slot, then reverts when the second word is not zero.
    case flip
    /// Destroys itself in favour of the account of the first word.
    case destroy
    /// Runs out of gas.
    case loop
    /// Stores its own balance in the slot of the first word.
    case own

    /// Where it lies.
    package var address: Address { Address(number: rawValue << 8) }

    var code: [UInt8] {
      switch self {
      case .bump: Self.bytes("600035805460010190550000")
      case .look: Self.bytes("60003580319055")
      case .hash: Self.bytes("600035803f9055600035803b9060010155")
      case .pay: Self.bytes("600060006000600060203560003 55af160003555")
      case .factory: Self.factoryCode
      case .relay:
        Self.bytes(
          "60203603602060003760006000602036036000600060003 55af160003555600554600101600555")
      case .flip: Self.bytes("600035805460010190556020356012575b005b60006000fd")
      case .destroy: Self.bytes("600035ff")
      case .loop: Self.bytes("5b600056")
      case .own: Self.bytes("4760003555")
      }
    }

    /// Without call data the child adds one to its slot 1; else it destroys itself. Its creation puts
    /// the value into slot 1.
    package static let child = bytes("36600e57600154600101600155005b600035ff")
    static let childCreation = bytes("34600155") + [0x72] + child + bytes("6000526013600df3")
    private static let factoryCode: [UInt8] =
      [0x7f] + childCreation + bytes("600052") + bytes("6000356020600060203 5f560003555")

    static func bytes(_ text: String) -> [UInt8] {
      Hexadecimal.bytes(unprefixed: text.filter { $0 != " " })!
    }
  }

  /// Where the factory puts its child for a salt.
  package static func child(salt: UInt64) -> Address {
    Contract.childCreation.withUnsafeBufferPointer {
      Address.created(by: Contract.factory.address, salt: UInt256(salt), initCode: $0)
    }
  }

  /// A given block on a given state.
  package init(block: PreparedBlock, allocation: Allocation) {
    self.block = block
    self.allocation = allocation
  }

  /// The block of a seed, of at most so many transactions.
  package init(seed: UInt64, largest: Int = 60) {
    var random = WorkloadNumbers(seed: seed)
    func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    func chance(_ oneIn: Int) -> Bool { pick(oneIn) == 0 }
    let forks: [Fork] = [
      .byzantium, .istanbul, .berlin, .london, .paris, .shanghai, .cancun, .prague, .osaka,
      .spuriousDragon,
    ]
    let fork = forks[pick(forks.count)]
    let senders = (0..<(1 + pick(max(12, largest / 20)))).map {
      Address(number: UInt64(0x1000 + $0))
    }
    let strangers = (0..<3).map { Address(number: UInt64(0x2000 + $0)) }
    let salts: [UInt64] = [1, 2]
    var others = strangers + senders + Contract.allCases.map(\.address)
    others += salts.map { Self.child(salt: $0) }
    let storageAlone = Address(number: 0x3000)
    others += [Address(number: 3), Address(number: 4), storageAlone]

    allocation = Allocation([:])
    for sender in senders {
      // Some can pay for one or two transactions only, unless others send them wei.
      let wei = chance(4) ? 3_000_000 + random.next() % 3_000_000 : 1 << 40
      allocation.accounts[sender] = .init(nonce: random.next() % 3, balance: UInt256(wei))
    }
    for contract in Contract.allCases {
      allocation.accounts[contract.address] = .init(
        nonce: 1, balance: UInt256(random.next() % 1000), code: contract.code,
        storage: chance(2) ? [1: 5, 2: 6] : [:])
    }
    if chance(3) { allocation.accounts[strangers[0]] = .init(balance: 7) }
    // An account that exists although it is empty, and one with storage and nothing else.
    if chance(3) { allocation.accounts[strangers[1]] = .init() }
    let hasStorageAlone = chance(4)
    if hasStorageAlone { allocation.accounts[storageAlone] = .init(storage: [1: 1]) }
    if chance(4) { allocation.accounts[Self.child(salt: 1)] = .init(balance: 3) }

    let coinbases = [
      Address(number: 0xfee), senders[0], Contract.bump.address, Contract.pay.address,
      Contract.destroy.address, strangers[1], Self.child(salt: 1), Address(number: 0xfee),
    ]
    let coinbase = coinbases[pick(coinbases.count)]
    let baseFee: UInt64 = fork >= .london ? 7 : 0
    var environment = BlockEnvironment(
      number: 1, timestamp: 1000, gasLimit: 1 << 40, coinbase: coinbase,
      baseFeePerGas: UInt256(baseFee))
    environment.blobBaseFee = 1
    block = PreparedBlock(fork: fork, environment: environment)
    block.callsSystemContracts = false
    // Else its receipts hold state roots.
    block.isPartialState = fork < .byzantium
    block.maxBlobs = 6
    block.invalidTransactions = chance(5) ? .failBlock : .reject
    if chance(4) {
      block.withdrawals = [Withdrawal(index: 0, validatorIndex: 0, address: coinbase, amount: 1)]
    }

    var nonces: [Address: UInt64] = [:]
    for sender in senders { nonces[sender] = allocation.accounts[sender]!.nonce }
    let count = 1 + pick(largest)
    let isCalm = chance(2)
    for _ in 0..<count {
      let sender = senders[chance(3) ? 0 : pick(senders.count)]
      var transaction = Transaction(nonce: nonces[sender]!)
      if !isCalm && chance(40) { transaction.nonce &+= 1 } else { nonces[sender]! += 1 }
      let price = UInt256(baseFee + random.next() % 5)
      transaction.maxFeePerGas = price
      transaction.maxPriorityFeePerGas = price
      transaction.gasLimit = [21_000, 60_000, 120_000, 250_000][pick(4)]
      if transaction.gasLimit == 21_000 || chance(4) {
        transaction.to = (strangers + senders + [coinbase])[pick(4 + senders.count)]
        transaction.value = UInt256(chance(6) ? 1 << 39 : random.next() % 5_000_000)
        if chance(5) { transaction.value = .zero }
        if chance(10) { transaction.to = sender }
        if hasStorageAlone && chance(4) {
          transaction.to = storageAlone
          if chance(2) { transaction.value = .zero }
        }
      } else if chance(15) {
        transaction.to = nil
        transaction.data = Contract.childCreation
      } else {
        let contract = Contract.allCases[pick(Contract.allCases.count)]
        transaction.to = chance(5) ? others[pick(others.count)] : contract.address
        let target = others[pick(others.count)].word
        // A few slots are hot, most are not: the n-th as often as 1 / n.
        let slot = UInt256(
          UInt64(40) / (1 + random.next() % 40) - 1 + (chance(2) ? 0 : random.next() % 40))
        switch contract {
        case .bump, .own: transaction.data = Self.words(slot)
        case .flip: transaction.data = Self.words(slot, UInt256(random.next() % 2))
        case .factory:
          transaction.data = Self.words(
            UInt256(salts[pick(salts.count)]), UInt256(random.next() % 3))
        case .pay: transaction.data = Self.words(target, UInt256(random.next() % 400))
        case .relay:
          let inner = Contract.allCases[pick(Contract.allCases.count)]
          let word = inner == .bump || inner == .flip ? slot : target
          let called = chance(3) ? Self.child(salt: salts[pick(salts.count)]) : inner.address
          transaction.data =
            chance(4)
            ? Self.words(called.word)
            : Self.words(called.word, word, UInt256(random.next() % 300))
        default: transaction.data = Self.words(target)
        }
        if chance(3) { transaction.value = UInt256(random.next() % 300) }
      }
      var prepared = PreparedTransaction(transaction, sender: sender)
      if fork >= .prague && chance(6) && transaction.to != nil {
        prepared.transaction.type = .setCode
        for _ in 0...pick(2) {
          let authority = chance(3) ? sender : senders[pick(senders.count)]
          let delegate = [Contract.bump.address, Contract.pay.address, .zero, strangers[0]][pick(4)]
          prepared.transaction.authorizationList.append(
            Authorization(
              chainID: 0, address: delegate, nonce: nonces[authority]! &- (chance(6) ? 1 : 0)))
          prepared.authorities.append(authority)
          if !chance(4) { nonces[authority]! += 1 }
        }
        prepared.transaction.gasLimit += 100_000
      } else if fork >= .cancun && chance(12) && transaction.to != nil {
        prepared.transaction.type = .blob
        prepared.transaction.maxFeePerBlobGas = 1
        var hash = UInt256(random.next())
        hash.limb3 = 1 << 56
        prepared.transaction.blobVersionedHashes = [Hash256](
          repeating: Hash256(hash), count: 1 + pick(3))
      }
      block.transactions.append(prepared)
    }
    if chance(3) { limitGas(&random) }
  }

  /// Lets the block end in the middle; sometimes a transaction just fits, or just does not.
  private mutating func limitGas(_ random: inout WorkloadNumbers) {
    let place = random.below(block.transactions.count)
    let limits = block.transactions.map(\.transaction.gasLimit)
    if random.below(2) == 0 {
      let part = limits[...place].reduce(0, +)
      block.environment.gasLimit = part * UInt64(2 + random.below(3)) / 4
      return
    }
    var tried = self
    tried.block.invalidTransactions = .reject
    guard let outcome = tried.run(SerialExecutor()).outcome else { return }
    let used = outcome.transactions.reduce(UInt64(0)) { $0 + ($1.index < place ? $1.gasUsed : 0) }
    block.environment.gasLimit = used + limits[place] - UInt64(random.below(2))
  }

  static func words(_ words: UInt256...) -> [UInt8] { words.flatMap { Hash256($0).bytes } }
}
