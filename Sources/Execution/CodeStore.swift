public import EVM

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Byte code by hash, padded and mapped once, kept for as long as the store lives; and the programs
/// that code which is run often is translated to, kept within a bound.
///
/// The machine holds pointers into it: code is never moved or freed before the store is, programs
/// only between transactions (`beginTransaction`).
public final class CodeStore {
  /// When code is translated.
  public enum Translation: Sendable {
    /// When it has been asked for so often that translating it pays.
    case whenHot
    /// At once.
    case always
    /// Never: all code is interpreted plainly.
    case never

    /// What the environment variable `NEEDLETAIL_TRANSLATION` says (`always` or `never`), else
    /// `whenHot`.
    public static let standard: Translation =
      switch getenv("NEEDLETAIL_TRANSLATION").map({ String(cString: $0) }) {
      case "always": .always
      case "never": .never
      default: .whenHot
      }
  }

  private struct Entry {
    let code: Code
    var program: TranslatedProgram?
    /// How often it was asked for since its program, if it had one, was dropped.
    var uses = 0
    /// The transaction that asked last.
    var lastUse = 0
    /// The fork for which translation was tried without success.
    var refusedFork: Fork?
  }

  private var entries: [Hash256: Entry] = [:]
  private let translation: Translation
  private let programCapacity: Int
  private var transaction = 0
  /// Bytes of code held.
  public private(set) var byteCount = 0
  /// Bytes of programs held.
  public private(set) var programByteCount = 0

  /// An empty store. `programCapacity` bounds the bytes of programs between transactions.
  public init(
    translation: Translation = .standard, programCapacity: Int = 256 << 20
  ) {
    self.translation = translation
    self.programCapacity = programCapacity
  }

  deinit {
    for entry in entries.values {
      UnsafeMutablePointer(mutating: entry.code.bytes).deallocate()
      entry.program?.deallocate()
    }
  }

  /// The code with this hash, without a program.
  public subscript(hash: Hash256) -> Code? { entries[hash]?.code }

  /// The code with this hash for execution under a fork: with its program, if it is hot.
  public func executable(_ hash: Hash256, fork: Fork) -> Code? {
    guard let index = entries.index(forKey: hash) else { return nil }
    return prepare(&entries.values[index], fork)
  }

  /// Tells that no machine runs: the programs that were not used for the longest are dropped when
  /// there are too many.
  public func beginTransaction() {
    transaction += 1
    if programByteCount > programCapacity { dropPrograms() }
  }

  /// The bytes of the code with this hash; empty for the hash of no code.
  public func bytes(_ hash: Hash256) -> [UInt8] {
    guard let code = entries[hash]?.code else { return [] }
    return [UInt8](UnsafeBufferPointer(start: code.bytes, count: code.count))
  }

  /// Adds code whose hash is known to be `hash`.
  public func insert(_ bytes: UnsafeBufferPointer<UInt8>, hash: Hash256) {
    if entries[hash] != nil || bytes.isEmpty { return }
    let count = bytes.count
    let memory = UnsafeMutablePointer<UInt8>.allocate(
      capacity: count + Code.padding + Code.mapBytes(count))
    memory.update(from: bytes.baseAddress!, count: count)
    (memory + count).update(repeating: 0, count: Code.padding)
    let map = memory + count + Code.padding
    Code.analyze(memory, count: count, into: map)
    entries[hash] = Entry(code: Code(bytes: memory, jumpDestinations: map, count: count))
    byteCount += count
  }

  /// Adds code; gives its hash.
  @discardableResult
  public func insert(_ bytes: [UInt8]) -> Hash256 {
    if bytes.isEmpty { return .emptyCode }
    return bytes.withUnsafeBufferPointer { buffer in
      let hash = Keccak256.hash(buffer)
      insert(buffer, hash: hash)
      return hash
    }
  }

  // MARK: Programs

  /// Uses of code after which it is translated: translation takes about as long as this many plain
  /// executions save.
  static func hotUses(_ codeCount: Int) -> Int { 8 + codeCount / 64 }

  private func prepare(_ entry: inout Entry, _ fork: Fork) -> Code {
    let isInUse = entry.lastUse == transaction
    entry.lastUse = transaction
    if let program = entry.program {
      if program.fork == fork { return entry.code.with(program) }
      // A program of another fork may only go when nothing can be running it.
      if isInUse { return entry.code }
      drop(&entry)
    }
    entry.uses += 1
    let isHot =
      switch translation {
      case .always: true
      case .never: false
      case .whenHot: entry.uses > Self.hotUses(entry.code.count)
      }
    if !isHot || entry.refusedFork == fork { return entry.code }
    guard let program = TranslatedProgram(entry.code, fork: fork) else {
      entry.refusedFork = fork
      return entry.code
    }
    entry.program = program
    programByteCount += program.byteCount
    return entry.code.with(program)
  }

  private func drop(_ entry: inout Entry) {
    guard let program = entry.program else { return }
    programByteCount -= program.byteCount
    program.deallocate()
    entry.program = nil
  }

  private func dropPrograms() {
    let held = entries.indices.filter { entries.values[$0].program != nil }
      .sorted { entries.values[$0].lastUse < entries.values[$1].lastUse }
    for index in held where programByteCount > programCapacity / 4 * 3 {
      drop(&entries.values[index])
      entries.values[index].uses = 0
    }
  }
}
