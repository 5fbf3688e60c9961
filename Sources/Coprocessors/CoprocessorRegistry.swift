import Synchronization

/// The coprocessors with their back ends.
///
/// A back end gets in only when it gives the known answers; the CPU's is there for every
/// coprocessor.
public final class CoprocessorRegistry: Sendable {
  /// Whether a back end is in use.
  public enum Health: Hashable, Sendable, CustomStringConvertible {
    /// It gives the known answers.
    case healthy
    /// It failed and is not used.
    case unusable(CoprocessorError)

    public var description: String {
      switch self {
      case .healthy: "healthy"
      case .unusable(let error): "\(error.code.rawValue): \(error)"
      }
    }
  }

  /// A coprocessor and who does its work.
  public struct Entry: Sendable {
    /// The operation.
    public var coprocessor: any Coprocessor
    /// The back ends, the CPU's first.
    public var backEnds: [BackEnd]
  }

  /// A back end and how it does.
  public struct BackEnd: Sendable {
    /// The back end.
    public var backEnd: any CoprocessorBackEnd
    /// Whether it is in use.
    public var health: Health
  }

  private let entries: Mutex<[String: Entry]>
  private let order: [String]

  /// A registry of some coprocessors with their CPU back ends. Names are unique.
  /// - Throws: `refused` when a CPU back end fails the known answers.
  public init(_ coprocessors: [any Coprocessor], workers: Int? = nil) throws(CoprocessorError) {
    var entries: [String: Entry] = [:]
    for coprocessor in coprocessors {
      precondition(entries[coprocessor.name] == nil, "coprocessors have different names")
      let backEnd = CPUBackEnd(coprocessor, workers: workers)
      try Self.prove(backEnd, of: coprocessor)
      entries[coprocessor.name] = Entry(
        coprocessor: coprocessor, backEnds: [BackEnd(backEnd: backEnd, health: .healthy)])
    }
    order = coprocessors.map(\.name)
    self.entries = Mutex(entries)
  }

  /// All coprocessors that there are.
  public static var standard: [any Coprocessor] {
    [
      KeccakCoprocessor(), RecoverCoprocessor(), RecoverCoprocessor(gives: .publicKey),
      SendersCoprocessor(), StateRootCoprocessor(), TrieRootCoprocessor(),
      OrderedRootCoprocessor(),
    ] + PrecompileCoprocessor.all
  }

  /// All entries, in the order of registration.
  public var all: [Entry] { entries.withLock { entries in order.compactMap { entries[$0] } } }

  /// The entry of a name.
  public func entry(_ name: String) throws(CoprocessorError) -> Entry {
    guard let entry = entries.withLock({ $0[name] }) else {
      throw CoprocessorError(
        .unknownCoprocessor,
        "there is no coprocessor \(name); there are \(order.joined(separator: ", "))")
    }
    return entry
  }

  /// Adds a back end, once it has given the known answers. One that fails is kept in the list as
  /// unusable, and the error tells why.
  public func register(_ backEnd: any CoprocessorBackEnd) throws(CoprocessorError) {
    let coprocessor = try entry(backEnd.coprocessor).coprocessor
    var health = Health.healthy
    do throws(CoprocessorError) {
      try Self.prove(backEnd, of: coprocessor)
    } catch {
      health = .unusable(error)
    }
    entries.withLock { [health] entries in
      entries[backEnd.coprocessor]?.backEnds.removeAll { $0.backEnd.name == backEnd.name }
      entries[backEnd.coprocessor]?.backEnds.append(BackEnd(backEnd: backEnd, health: health))
    }
    if case .unusable(let error) = health { throw error }
  }

  /// Marks a back end as not to be used any more.
  public func retire(_ backEnd: any CoprocessorBackEnd, because error: CoprocessorError) {
    entries.withLock { entries in
      guard let backEnds = entries[backEnd.coprocessor]?.backEnds else { return }
      for index in backEnds.indices where backEnds[index].backEnd.name == backEnd.name {
        entries[backEnd.coprocessor]?.backEnds[index].health = .unusable(error)
      }
    }
  }

  /// Compares a back end with the known answers, and the reference with them too.
  static func prove(_ backEnd: any CoprocessorBackEnd, of coprocessor: any Coprocessor)
    throws(CoprocessorError)
  {
    let answers = coprocessor.knownAnswers
    let results = try backEnd.run(ByteColumn(answers.map(\.request)))
    let name = "the \(backEnd.name) back end of \(coprocessor.name)"
    guard results.count == answers.count else {
      throw CoprocessorError(
        .refused,
        "\(name) gives \(results.count) results for \(answers.count) requests; it is not used")
    }
    for (row, answer) in answers.enumerated() where results[row] != answer.result {
      throw CoprocessorError(
        .refused,
        "\(name) fails known answer \(row) (\(answer.source)): expected "
          + "\(text(answer.result)), got \(text(results[row])); it is not used")
    }
  }

  /// A result in a message.
  static func text(_ result: [UInt8]?) -> String {
    guard let result else { return "a refusal" }
    let digits = result.prefix(40).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    return "0x" + digits.joined() + (result.count > 40 ? ".. of \(result.count) bytes" : "")
  }
}
