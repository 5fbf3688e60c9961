package import EVM
package import Ethereum

/// A small world and some transactions on it, all made at random from one number: what every way to
/// execute has to agree on, to the last bit.
///
/// Contracts of random code (`RandomCode`) call each other, precompiles, people, delegated accounts
/// and nobody; transactions of all types have too little, enough or too much of everything. Each
/// transaction runs on the world as it is given, not on what another left.
package struct RandomTransactions: Sendable {
  /// The number that it was made from.
  package let seed: UInt64
  /// The rules: the seeds go through all forks in turn.
  package let fork: Fork
  /// The accounts.
  package let allocation: Allocation
  /// The block, its transactions, and its known hashes: all that BLOCKHASH may ask for.
  package let block: PreparedBlock

  /// What its transactions do.
  package enum Kind: String, CaseIterable, Sendable {
    /// They run random code.
    case code
    /// They call precompiles, with inputs that those accept and others (`PrecompileCalls`).
    case precompileCalls
  }

  /// Transactions in each world.
  package static let count = 8

  /// The fork of a seed.
  package static func fork(seed: UInt64) -> Fork {
    Fork.allCases[Int(seed % UInt64(Fork.allCases.count))]
  }

  /// The world of a seed.
  package init(seed: UInt64, kind: Kind = .code) {
    self.seed = seed
    fork = Self.fork(seed: seed)
    var maker = WorldMaker(seed: seed, fork: fork, kind: kind)
    allocation = maker.allocation()
    block = maker.block()
  }
}

/// Makes the parts of a world in order.
private struct WorldMaker {
  private let fork: Fork
  private let kind: RandomTransactions.Kind
  private var numbers: WorkloadNumbers
  private let contracts: [Address]
  private let people: [Address]
  /// People whose code is a delegation (EIP-7702).
  private let delegated: [Address]
  private let coinbase: Address
  /// Everybody, and some that are not there.
  private let addresses: [Address]

  private var nonces: [Address: UInt64] = [:]

  init(seed: UInt64, fork: Fork, kind: RandomTransactions.Kind) {
    self.fork = fork
    self.kind = kind
    // Neighbouring seeds have nothing in common.
    var numbers = WorkloadNumbers(seed: seed)
    numbers = WorkloadNumbers(seed: numbers.next())
    contracts = (0..<4 + numbers.below(3)).map { _ in numbers.address() }
    people = (0..<3).map { _ in numbers.address() }
    delegated = fork >= .prague ? (0..<2).map { _ in numbers.address() } : []
    coinbase = numbers.below(4) == 0 ? people[0] : numbers.address()
    // Contracts stand there twice: they are the ones to meet. An address with a number is a
    // precompile or none.
    addresses =
      contracts + contracts + people + delegated
      + [
        coinbase, numbers.address(), Address(number: UInt64(numbers.below(24))),
        Address.created(by: contracts[0], nonce: 1),
      ]
    self.numbers = numbers
  }

  mutating func allocation() -> Allocation {
    var allocation = Allocation()
    for address in contracts {
      var code = RandomCode(
        numbers, fork: fork, addresses: addresses, statements: 2 + numbers.below(14))
      var account = Allocation.Account(
        nonce: 1, balance: UInt256(UInt64(numbers.below(1000))), code: code.contract())
      numbers = code.numbers
      // Rich enough to send transactions, if contracts could.
      if numbers.below(4) == 0 { account.balance = UInt256(0, 1, 0, 0) }
      for slot in 0..<UInt64(6) where numbers.below(2) == 0 {
        account.storage[UInt256(slot)] =
          numbers.below(2) == 0 ? UInt256(UInt64(1 + numbers.below(5))) : numbers.hash().word
      }
      allocation.accounts[address] = account
    }
    if kind == .precompileCalls {
      allocation.accounts[contracts[0]]?.code = PrecompileCalls.code
    }
    for address in people {
      allocation.accounts[address] = Allocation.Account(
        nonce: UInt64(numbers.below(3)), balance: UInt256(0, 1 + UInt64(numbers.below(8)), 0, 0))
    }
    for address in delegated {
      var target = addresses[numbers.below(addresses.count)]
      if numbers.below(8) == 0 { target = address }
      allocation.accounts[address] = Allocation.Account(
        nonce: UInt64(numbers.below(3)), balance: UInt256(0, 1, 0, 0),
        code: [0xef, 0x01, 0x00] + target.bytes)
    }
    if fork < .spuriousDragon && numbers.below(4) == 0 {
      // Empty accounts were left over, once.
      allocation.accounts[numbers.address()] = Allocation.Account()
      allocation.accounts[coinbase] = allocation.accounts[coinbase] ?? Allocation.Account()
    }
    nonces = allocation.accounts.mapValues(\.nonce)
    return allocation
  }

  mutating func block() -> PreparedBlock {
    // Young, so that all hashes can be given.
    let number = UInt64(1 + numbers.below(16))
    var environment = BlockEnvironment(
      number: number, timestamp: numbers.next() >> 32, gasLimit: 30_000_000, coinbase: coinbase,
      prevRandao: numbers.hash().word)
    if fork >= .london { environment.baseFeePerGas = 7 }
    if fork >= .cancun { environment.blobBaseFee = UInt256(UInt64(1 + numbers.below(3))) }
    var block = PreparedBlock(fork: fork, environment: environment)
    for number in 0..<number { block.blockHashes[number] = numbers.hash() }
    block.maxBlobs = 6 + 3 * numbers.below(2)
    block.callsSystemContracts = false
    block.isPartialState = true
    block.invalidTransactions = .reject
    block.transactions = (0..<RandomTransactions.count).map { _ in transaction() }
    return block
  }

  // MARK: Transactions

  private mutating func transaction() -> PreparedTransaction {
    var sender = people[numbers.below(people.count)]
    if !delegated.isEmpty && numbers.below(6) == 0 {
      sender = delegated[numbers.below(delegated.count)]
    }
    if numbers.below(64) == 0 { sender = addresses[numbers.below(addresses.count)] }
    var transaction = Transaction(type: type(), to: contracts[numbers.below(contracts.count)])
    if numbers.below(8) == 0 { transaction.to = addresses[numbers.below(addresses.count)] }
    if numbers.below(8) == 0 {
      transaction.to = nil
      var code = RandomCode(
        numbers, fork: fork, addresses: addresses, statements: numbers.below(8), nesting: 1)
      transaction.data = code.initialization()
      numbers = code.numbers
    } else {
      transaction.data = data()
    }
    if kind == .precompileCalls {
      transaction.to = contracts[0]
      transaction.data = PrecompileCalls.data(PrecompileCalls.random(contracts[0], &numbers))
    }
    switch numbers.below(8) {
    case 0: transaction.value = numbers.hash().word
    case 1...3: transaction.value = UInt256(UInt64(numbers.below(100)))
    default: break
    }
    if numbers.below(4) != 0 && transaction.value.limb1 != 0 { transaction.value = 1 }
    setFees(of: &transaction)
    setLists(of: &transaction)
    var prepared = PreparedTransaction(transaction, sender: sender)
    prepared.transaction.nonce = nonce(of: sender)
    if transaction.type == .setCode { authorize(&prepared) }
    prepared.transaction.gasLimit = gasLimit(of: prepared)
    return prepared
  }

  private mutating func type() -> TransactionType {
    let types = TransactionType.allCases.filter { fork >= $0.since }
    let all = numbers.below(50) == 0 ? TransactionType.allCases : types
    return all[numbers.below(all.count)]
  }

  /// Mostly the right one.
  private mutating func nonce(of sender: Address) -> UInt64 {
    let nonce = nonces[sender] ?? 0
    return switch numbers.below(64) {
    case 0: nonce + 1
    case 1: nonce &- 1
    default: nonce
    }
  }

  private mutating func data() -> [UInt8] {
    if numbers.below(4) == 0 { return [] }
    var data: [UInt8] = []
    for _ in 0..<numbers.below(6) {
      data +=
        numbers.below(3) == 0
        ? SolidityLayout.bytes(numbers.hash().word)
        : SolidityLayout.bytes(UInt256(UInt64(numbers.below(40))))
    }
    data.removeLast(min(data.count, numbers.below(8)))
    return data
  }

  private mutating func setFees(of transaction: inout Transaction) {
    if transaction.type == .legacy || transaction.type == .accessList {
      transaction.gasPrice = UInt256(UInt64(5 + numbers.below(40)))
      if numbers.below(20) != 0 { transaction.gasPrice = transaction.gasPrice &+ 2 }
    } else {
      transaction.maxFeePerGas = UInt256(UInt64(10 + numbers.below(40)))
      transaction.maxPriorityFeePerGas = UInt256(UInt64(numbers.below(11)))
      if numbers.below(50) == 0 { transaction.maxPriorityFeePerGas = numbers.hash().word }
    }
    if numbers.below(100) == 0 { transaction.maxFeePerGas = numbers.hash().word }
  }

  private mutating func setLists(of transaction: inout Transaction) {
    if transaction.type != .legacy && numbers.below(2) == 0 {
      for _ in 0..<1 + numbers.below(3) {
        transaction.accessList.append(
          AccessListEntry(
            address: addresses[numbers.below(addresses.count)],
            storageKeys: (0..<numbers.below(4)).map { _ in UInt256(UInt64(numbers.below(6))) }))
      }
    }
    if transaction.type == .blob {
      transaction.maxFeePerBlobGas = UInt256(UInt64(numbers.below(20)))
      for _ in 0..<(numbers.below(30) == 0 ? numbers.below(9) : 1 + numbers.below(6)) {
        var hash = SolidityLayout.bytes(numbers.hash().word)
        hash[0] = numbers.below(100) == 0 ? 2 : 1
        transaction.blobVersionedHashes.append(Hash256(SolidityLayout.word(hash)))
      }
    }
  }

  /// Authorisations by people, with right nonces and wrong ones; none is signed, their signers are
  /// given.
  private mutating func authorize(_ prepared: inout PreparedTransaction) {
    let authorities = people + delegated + [contracts[0], numbers.address()]
    for _ in 0..<(numbers.below(20) == 0 ? 0 : 1 + numbers.below(4)) {
      let authority = authorities[numbers.below(authorities.count)]
      var nonce = nonces[authority] ?? 0
      if authority == prepared.sender { nonce += 1 }
      if numbers.below(5) == 0 { nonce += 1 }
      var target = addresses[numbers.below(addresses.count)]
      if numbers.below(5) == 0 { target = .zero }
      prepared.transaction.authorizationList.append(
        Authorization(
          chainID: UInt256(UInt64(numbers.below(8) == 0 ? 2 : numbers.below(2))),
          address: target, nonce: nonce))
      prepared.authorities.append(numbers.below(10) == 0 ? nil : authority)
    }
  }

  /// A little more than it costs to begin, or a lot more: so that gas runs out at every depth.
  private mutating func gasLimit(of prepared: PreparedTransaction) -> UInt64 {
    let costs = prepared.withMessage {
      IntrinsicGas($0, GasSchedule(fork), blockGasLimit: BlockEnvironment().gasLimit)
    }
    let least = UInt64(max(costs.intrinsic, costs.floor))
    switch numbers.below(100) {
    case 0: return least - 1
    case 1: return least
    case 2: return numbers.next() >> UInt64(numbers.below(64))
    case 3...70 where kind == .precompileCalls: return least + numbers.next() >> 42
    default: return least + numbers.next() >> UInt64(42 + numbers.below(12))
    }
  }
}
