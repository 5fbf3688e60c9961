/// libsecp256k1's recovery and signatures.
final class LibSecp256k1Peer {
  private typealias Raw = UnsafeRawPointer
  private typealias Room = UnsafeMutableRawPointer
  private typealias Parse = @convention(c) (Raw, Room, Raw, Int32) -> Int32
  private typealias Recover = @convention(c) (Raw, Room, Raw, Raw) -> Int32
  private typealias Serialize =
    @convention(c) (Raw, Room, UnsafeMutablePointer<Int>, Raw, UInt32) -> Int32
  private typealias Sign = @convention(c) (Raw, Room, Raw, Raw, Raw?, Raw?) -> Int32
  private typealias SerializeSignature =
    @convention(c) (Raw, Room, UnsafeMutablePointer<Int32>, Raw) -> Int32

  private let context: Room
  private let parse: Parse
  private let recover: Recover
  private let serialize: Serialize
  private let sign: Sign
  private let serializeSignature: SerializeSignature
  /// A signature of the library (65 bytes), a key (64) and room for what is serialised (65), in
  /// that order; they live as long as the program.
  private let room = Room.allocate(byteCount: 256, alignment: 16)

  init?() {
    guard
      let library = DynamicLibrary(["libsecp256k1.so.1", "libsecp256k1.so.2", "libsecp256k1.so"]),
      let create = library.function(
        "secp256k1_context_create", as: (@convention(c) (UInt32) -> Room?).self),
      let parse = library.function(
        "secp256k1_ecdsa_recoverable_signature_parse_compact", as: Parse.self),
      let recover = library.function("secp256k1_ecdsa_recover", as: Recover.self),
      let serialize = library.function("secp256k1_ec_pubkey_serialize", as: Serialize.self),
      let sign = library.function("secp256k1_ecdsa_sign_recoverable", as: Sign.self),
      let serializeSignature = library.function(
        "secp256k1_ecdsa_recoverable_signature_serialize_compact", as: SerializeSignature.self),
      // For signing and verifying.
      let context = create(0x301)
    else { return nil }
    self.context = context
    self.parse = parse
    self.recover = recover
    self.serialize = serialize
    self.sign = sign
    self.serializeSignature = serializeSignature
  }

  /// The public key, x and y, of a signature of a hash.
  func recovery(hash: [UInt8], r: [UInt8], s: [UInt8], yParity: UInt8) -> CryptoPeer {
    let signature = r + s
    let work = { (count: Int) in
      for _ in 0..<count {
        var length = 65
        _ = self.parse(self.context, self.room, signature, Int32(yParity))
        _ = self.recover(self.context, self.room + 80, self.room, hash)
        // As an uncompressed point.
        _ = self.serialize(self.context, self.room + 144, &length, self.room + 80, 2)
      }
    }
    return .present(
      library: "libsecp256k1",
      output: {
        work(1)
        return Array(UnsafeRawBufferPointer(start: self.room + 145, count: 64))
      },
      work: work)
  }

  /// The signature of a hash: r, s and the parity of y, each as a word.
  func signature(hash: [UInt8], secret: [UInt8]) -> CryptoPeer {
    let work = { (count: Int) in
      for _ in 0..<count {
        var parity: Int32 = 0
        _ = self.sign(self.context, self.room, hash, secret, nil, nil)
        _ = self.serializeSignature(self.context, self.room + 144, &parity, self.room)
        (self.room + 208).storeBytes(of: UInt8(parity), as: UInt8.self)
      }
    }
    return .present(
      library: "libsecp256k1",
      output: {
        work(1)
        return Array(UnsafeRawBufferPointer(start: self.room + 144, count: 64))
          + [UInt8](repeating: 0, count: 31) + [(self.room + 208).load(as: UInt8.self)]
      },
      work: work)
  }
}
