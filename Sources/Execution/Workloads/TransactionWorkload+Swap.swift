import EVM
import Ethereum

/// The byte code of Uniswap V3 and what it needs, as pevm's test assets have it: with addresses in
/// it that its deployment chose, which a workload replaces.
package struct SwapContracts: Sendable {
  /// `ERC20Token`.
  package var token: [UInt8]
  /// `WETH9`.
  package var wrappedEther: [UInt8]
  /// `UniswapV3Factory`.
  package var factory: [UInt8]
  /// `UniswapV3Pool`.
  package var pool: [UInt8]
  /// `SwapRouter`.
  package var router: [UInt8]
  /// `SingleSwap`: sells or buys by way of the router.
  package var singleSwap: [UInt8]

  /// The six codes.
  package init(
    token: [UInt8], wrappedEther: [UInt8], factory: [UInt8], pool: [UInt8], router: [UInt8],
    singleSwap: [UInt8]
  ) {
    self.token = token
    self.wrappedEther = wrappedEther
    self.factory = factory
    self.pool = pool
    self.router = router
    self.singleSwap = singleSwap
  }

  /// A code with some bytes, written in hexadecimal, replaced wherever they stand.
  static func replace(_ changes: [(old: String, new: [UInt8])], in code: [UInt8]) -> [UInt8] {
    var code = code
    for change in changes {
      guard let old = Hexadecimal.bytes(unprefixed: change.old), old.count == change.new.count
      else { preconditionFailure("\(change.old) is no match for its replacement") }
      var position = 0
      while position + old.count <= code.count {
        if code[position] == old[0],
          code[position..<position + old.count].elementsEqual(old)
        {
          code.replaceSubrange(position..<position + old.count, with: change.new)
          position += old.count
        } else {
          position += 1
        }
      }
    }
    return code
  }
}

/// A pool of two tokens, its router and a contract that swaps.
private struct SwapCluster {
  static let fee: UInt64 = 3000
  static let tickSpacing = 60
  /// The one position: liquidity from tick -600,000 to 600,000.
  static let liquidity = UInt256(0x56e1_90b3_8865_1605, 0x1787, 0, 0)

  var tokens: [Address]
  var pool: Address
  var singleSwap: Address
  /// Who has how much of each of the tokens.
  var balances: [Address: UInt256]

  /// Adds the contracts of a new cluster to an allocation.
  init(
    _ contracts: SwapContracts, people: [Address], numbers: inout WorkloadNumbers,
    into allocation: inout Allocation
  ) {
    tokens = [numbers.address(), numbers.address()].sorted()
    let wrappedEther = numbers.address()
    let factory = numbers.address()
    let router = numbers.address()
    singleSwap = numbers.address()
    let poolCodeHash = numbers.hash()
    let words = tokens.map { SolidityLayout.bytes($0.word) }
    // Where CREATE2 puts the pool: the router works it out (EIP-1014).
    let salt = Keccak256.hash(words[0] + words[1] + SolidityLayout.bytes(UInt256(Self.fee)))
    pool = Address(
      Keccak256.hash([0xff] + factory.bytes + salt.bytes + poolCodeHash.bytes).word)

    balances = [pool: UInt256(111_111) &* UInt256(TransactionWorkload.ether)]
    for person in people { balances[person] = UInt256(TransactionWorkload.ether) }
    for (name, token) in zip(["DAI", "USDC"], tokens) {
      var contract = TokenContract(
        name: name, symbol: name,
        supply: UInt256(222_222) &* UInt256(TransactionWorkload.ether))
      contract.balances = balances
      for person in people {
        contract.allowances.append(
          (person, singleSwap, UInt256(TransactionWorkload.ether)))
      }
      allocation.accounts[token] = contract.account(code: contracts.token)
    }
    func deploy(
      _ address: Address, _ code: [UInt8], _ changes: [(old: String, new: [UInt8])],
      _ storage: [UInt256: UInt256]
    ) {
      allocation.accounts[address] = Allocation.Account(
        nonce: 1, code: SwapContracts.replace(changes, in: code), storage: storage)
    }
    deploy(
      wrappedEther, contracts.wrappedEther, [],
      [0: SolidityLayout.string("Wrapped Ether"), 1: SolidityLayout.string("WETH"), 3: 18])
    deploy(
      factory, contracts.factory, [("0b748751e6f8b1a38c9386a19d9f8966b3593a9e", factory.bytes)],
      [
        3: numbers.address().word, SolidityLayout.slot(4, 500): 10,
        SolidityLayout.slot(4, 3000): 60, SolidityLayout.slot(4, 10000): 200,
        SolidityLayout.slot(5, tokens[0].word, tokens[1].word, UInt256(Self.fee)): pool.word,
        SolidityLayout.slot(5, tokens[1].word, tokens[0].word, UInt256(Self.fee)): pool.word,
      ])
    deploy(
      router, contracts.router,
      [
        ("6509f2a854ba7441039fce3b959d5badd2ffcfcd", wrappedEther.bytes),
        ("d787a42ee3ac477c46dd6c912e7af795d44453d5", factory.bytes),
        (
          "636fcf59d7fdf3a03833dba1c6d936c9d7c6730057c8c4c8e5059feaeab60e04",
          poolCodeHash.bytes
        ),
      ], [0: .max])
    deploy(
      singleSwap, contracts.singleSwap,
      [("e7cfcccb38ce07ba9d8d13431afe8cf6172de031", router.bytes)],
      [
        0: tokens[0].word,
        1: UInt256(
          tokens[1].word.limb0, tokens[1].word.limb1, tokens[1].word.limb2 | Self.fee << 32, 0),
      ])
    deploy(
      pool, contracts.pool,
      [
        ("261d8c5e9742e6f7f1076fa1f560894524e19cad", tokens[0].bytes),
        ("ce3478a9e0167a6bc5716dc39dbbbfac38f27623", tokens[1].bytes),
        ("cba6b9a951749b8735c603e7ffc5151849248772", factory.bytes),
        ("d495d5e5cab2567777fff988c4fcd71328b17c9d", pool.bytes),
      ], Self.poolStorage)
  }

  /// The pool at price 1, unlocked, with room for one observation.
  private static var poolStorage: [UInt256: UInt256] {
    var storage: [UInt256: UInt256] = [
      // sqrtPriceX96 = 2^96, tick 0, observation 0 of 1 of 1, no protocol fee, unlocked.
      0: UInt256(0, 1 << 32, 0, 0x0001_0000_0100_0100),
      4: liquidity,
      // The observation of second 1.
      8: UInt256(1, 0, 0, 0x0100_0000_0000_0000),
    ]
    var words: [UInt256: UInt256] = [:]
    for (tick, isUpper) in [(-600_000, false), (600_000, true)] {
      let info = SolidityLayout.slot(5, word(tick))
      // liquidityNet (negative at the upper end) above liquidityGross.
      let net = isUpper ? UInt256.zero &- liquidity : liquidity
      storage[info] = UInt256(liquidity.limb0, liquidity.limb1, net.limb0, net.limb1)
      // Initialised; the lower one was crossed in second 1.
      storage[info &+ 3] = UInt256(0, 0, 0, isUpper ? 0x0100_0000_0000_0000 : 0x0100_0000_0100_0000)
      let index = tick / tickSpacing
      words[SolidityLayout.slot(6, word(index >> 8)), default: .zero] = bit(index & 255)
    }
    storage.merge(words) { old, _ in old }
    return storage
  }

  private static func bit(_ index: Int) -> UInt256 {
    var limbs: [UInt64] = [0, 0, 0, 0]
    limbs[index >> 6] = 1 << UInt64(index & 63)
    return UInt256(limbs[0], limbs[1], limbs[2], limbs[3])
  }

  /// A signed number in two's complement.
  private static func word(_ number: Int) -> UInt256 {
    let high: UInt64 = number < 0 ? ~0 : 0
    return UInt256(UInt64(bitPattern: Int64(number)), high, high, high)
  }
}

extension TransactionWorkload {
  /// Swaps in a Uniswap V3 pool, through `SingleSwap` and the router: each of `people` sells or buys
  /// for each round (sell token 0, sell token 1, buy 0, buy 1, and again), in each of `clusters`
  /// pools.
  ///
  /// One person and one round is pevm's `Independent Uniswap`; each cluster has byte code of its
  /// own then.
  package static func swaps(
    _ contracts: SwapContracts, clusters: Int = 1, people: Int, rounds: Int
  ) -> TransactionWorkload {
    var numbers = WorkloadNumbers(seed: 3)
    var allocation = Allocation([Address(number: 0xfee): .init(balance: 1)])
    var block = block()
    var expected: [Expectation] = []
    var ledger = TokenLedger()
    for _ in 0..<clusters {
      let addresses = (0..<people).map { _ in numbers.address() }
      let cluster = SwapCluster(
        contracts, people: addresses, numbers: &numbers, into: &allocation)
      for address in addresses {
        allocation.accounts[address] = .init(balance: UInt256(4_567) &* UInt256(ether))
      }
      for token in cluster.tokens { ledger.balances[token] = cluster.balances }
      for round in 0..<rounds {
        for sender in addresses {
          let data =
            switch round % 4 {
            case 0: SolidityLayout.call(0xc92b_0891, 2000)
            case 1: SolidityLayout.call(0x6b05_5260, 2000)
            case 2: SolidityLayout.call(0x8dc3_3f82, 1000, 2000)
            default: SolidityLayout.call(0xb2db_18a2, 1000, 2000)
            }
          block.transactions.append(
            transaction(sender, UInt64(round), cluster.singleSwap, data))
          // Three tenths of a percent are the pool's, and it rounds in its favour.
          let isSale = round % 4 < 2
          let paid: UInt256 = isSale ? 2000 : 1005
          let bought: UInt256 = isSale ? 1993 : 1000
          expected.append(
            Expectation(
              gasUsed: nil, output: SolidityLayout.bytes(isSale ? bought : paid), logs: nil))
          let source = isSale ? round % 2 : 1 - round % 2
          ledger.move(paid, of: cluster.tokens[source], from: sender, to: cluster.pool)
          ledger.move(bought, of: cluster.tokens[1 - source], from: cluster.pool, to: sender)
        }
      }
    }
    return TransactionWorkload(
      name: "uniswap-v3-swap", allocation: allocation, block: block, expected: expected,
      slots: ledger.slots,
      receiptsRoot: receiptsRoots[[clusters, people, rounds]])
  }

  /// The receipts' roots, by the sizes of the workload: they hold all gas and all logs.
  private static var receiptsRoots: [[Int]: Hash256] {
    [
      [1, 10, 4]: "0x5ca642f7c0ea93aa6cb1f872d93dfc5c148350590949248c920f17be2dcb95a0",
      [40, 1, 1]: "0xda6e9cea79d71b1f858adf2ef36b441aa73976bee18323e5f23d27a2b521b256",
    ].compactMapValues { Hash256(hexadecimal: $0) }
  }
}
