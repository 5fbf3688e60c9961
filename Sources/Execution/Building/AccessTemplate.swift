import EVM
import Ethereum

/// What a function of a contract uses, in terms of who calls it with what: learned from one call, and
/// taken over to others.
struct AccessTemplate {
  /// A function: the code and the first four bytes of the call.
  struct Key: Hashable {
    let code: Hash256
    let selector: UInt32

    /// The function that a transaction calls; `nil` when it calls none.
    init?(_ transaction: PreparedTransaction, _ state: WorldState) {
      guard let to = transaction.transaction.to, transaction.transaction.data.count >= 4 else {
        return nil
      }
      code = state.record(to).codeHash
      if code == .emptyCode { return nil }
      selector = transaction.transaction.data.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
  }

  /// A word that differs from call to call.
  private enum Source {
    case sender
    case recipient
    /// A word of the call data behind the selector.
    case argument(Int)
  }

  private enum Owner {
    case fixed(Address)
    case word(Source)
  }

  private enum Slot {
    case fixed(UInt256)
    /// Solidity's mapping at a position: keccak(word . position).
    case mapping(Source, UInt64)
    /// A mapping of mappings: keccak(second . keccak(first . position)).
    case nested(Source, Source, UInt64)
  }

  private enum Part {
    case nonce
    case balance
    case lifecycle
    case slot(Slot)
  }

  private var entries: [(owner: Owner, part: Part, use: AccessSet.Use)] = []
  private let gasUsed: UInt64

  /// Positions of mappings, and arguments, that are tried.
  private static var positions: UInt64 { 16 }
  private static var arguments: Int { 6 }

  /// Learns from what one transaction used.
  init(of accesses: [AccessSet.Access], gasUsed: UInt64, transaction: PreparedTransaction) {
    self.gasUsed = gasUsed
    let sources = Self.sources(transaction)
    var known: [UInt256: Slot] = [:]
    for (first, word) in sources {
      for position in 0..<Self.positions {
        let inner = SolidityLayout.slot(UInt256(position), word)
        if known[inner] == nil { known[inner] = .mapping(first, position) }
        for (second, other) in sources {
          let slot = SolidityLayout.slot(inner, other)
          if known[slot] == nil { known[slot] = .nested(first, second, position) }
        }
      }
    }
    for access in accesses {
      let source = sources.first { Address($0.word) == access.address }
      let owner: Owner = source.map { .word($0.source) } ?? .fixed(access.address)
      let part: Part =
        switch access.cell {
        case .nonce: .nonce
        case .balance: .balance
        case .lifecycle: .lifecycle
        case .slot(let key): .slot(known[key] ?? .fixed(key))
        }
      entries.append((owner, part, access.use))
    }
  }

  /// What another transaction that calls the function will use.
  func prediction(for transaction: PreparedTransaction) -> AccessPrediction {
    let sources = Self.sources(transaction)
    func word(_ source: Source) -> UInt256 {
      switch source {
      case .sender: sources[0].word
      case .recipient: sources[1].word
      case .argument(let index): index + 2 < sources.count ? sources[index + 2].word : .zero
      }
    }
    let list = entries.map { entry in
      let owner: Address =
        switch entry.owner {
        case .fixed(let address): address
        case .word(let source): Address(word(source))
        }
      let cell: AccessSet.Cell =
        switch entry.part {
        case .nonce: .nonce
        case .balance: .balance
        case .lifecycle: .lifecycle
        case .slot(.fixed(let key)): .slot(key)
        case .slot(.mapping(let source, let position)):
          .slot(SolidityLayout.slot(UInt256(position), word(source)))
        case .slot(.nested(let first, let second, let position)):
          .slot(
            SolidityLayout.slot(
              SolidityLayout.slot(UInt256(position), word(first)), word(second)))
        }
      return AccessSet.Access(owner, cell, entry.use)
    }
    return AccessPrediction(
      accesses: AccessSet(list), gasUsed: min(gasUsed, transaction.transaction.gasLimit), error: nil
    )
  }

  private static func sources(_ transaction: PreparedTransaction)
    -> [(source: Source, word: UInt256)]
  {
    let data = transaction.transaction.data
    var sources: [(source: Source, word: UInt256)] = [
      (.sender, transaction.sender.word), (.recipient, (transaction.transaction.to ?? .zero).word),
    ]
    for index in 0..<arguments where data.count >= 4 + 32 * (index + 1) {
      sources.append(
        (.argument(index), SolidityLayout.word(Array(data[(4 + 32 * index)..<(36 + 32 * index)]))))
    }
    return sources
  }
}
