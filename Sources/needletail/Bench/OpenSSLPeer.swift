/// OpenSSL's hashes and its verification over P-256.
struct OpenSSLPeer {
  private typealias Raw = UnsafeRawPointer
  private typealias Room = UnsafeMutableRawPointer
  private typealias Make = @convention(c) () -> Room?
  private let library: DynamicLibrary

  init?() {
    guard let library = DynamicLibrary(["libcrypto.so.3", "libcrypto.so"]) else { return nil }
    self.library = library
  }

  /// The hash of a name, of bytes; `nil` where the library does not have it.
  func hash(_ name: String, of bytes: [UInt8]) -> CryptoPeer? {
    guard
      let fetch = library.function(
        "EVP_MD_fetch",
        as: (@convention(c) (Raw?, UnsafePointer<CChar>, Raw?) -> Room?).self),
      let make = library.function("EVP_MD_CTX_new", as: Make.self),
      let begin = library.function(
        "EVP_DigestInit_ex", as: (@convention(c) (Room, Raw, Raw?) -> Int32).self),
      let update = library.function(
        "EVP_DigestUpdate", as: (@convention(c) (Room, Raw, Int) -> Int32).self),
      let finish = library.function(
        "EVP_DigestFinal_ex",
        as: (@convention(c) (Room, Room, UnsafeMutablePointer<UInt32>) -> Int32).self),
      // Both live as long as the program.
      let kind = fetch(nil, name, nil), let context = make()
    else { return nil }
    let digest = Room.allocate(byteCount: 64, alignment: 16)
    let input = Room.allocate(byteCount: max(bytes.count, 1), alignment: 16)
    input.copyMemory(from: bytes, byteCount: bytes.count)
    let work = { (count: Int) in
      for _ in 0..<count {
        var length: UInt32 = 0
        _ = begin(context, kind, nil)
        _ = update(context, input, bytes.count)
        _ = finish(context, digest, &length)
      }
    }
    return .present(
      library: name == "SHA3-256" ? "OpenSSL SHA3-256" : "OpenSSL",
      output: {
        work(1)
        return Array(UnsafeRawBufferPointer(start: digest, count: name == "RIPEMD160" ? 20 : 32))
      },
      work: work)
  }

  /// Whether (r, s) signs a hash by the key (x, y): the word 1 or 0. The key is decoded before.
  func verification(hash: [UInt8], r: [UInt8], s: [UInt8], x: [UInt8], y: [UInt8]) -> CryptoPeer? {
    guard
      let makeKey = library.function(
        "EC_KEY_new_by_curve_name", as: (@convention(c) (Int32) -> Room?).self),
      let setKey = library.function(
        "EC_KEY_set_public_key_affine_coordinates",
        as: (@convention(c) (Room, Raw, Raw) -> Int32).self),
      let number = library.function(
        "BN_bin2bn", as: (@convention(c) (Raw, Int32, Raw?) -> Room?).self),
      let makeSignature = library.function("ECDSA_SIG_new", as: Make.self),
      let setSignature = library.function(
        "ECDSA_SIG_set0", as: (@convention(c) (Room, Room, Room) -> Int32).self),
      let verify = library.function(
        "ECDSA_do_verify", as: (@convention(c) (Raw, Int32, Raw, Room) -> Int32).self),
      // NID_X9_62_prime256v1
      let key = makeKey(415), let signature = makeSignature(),
      let numberX = number(x, 32, nil), let numberY = number(y, 32, nil),
      let numberR = number(r, 32, nil), let numberS = number(s, 32, nil),
      setKey(key, numberX, numberY) == 1, setSignature(signature, numberR, numberS) == 1
    else { return nil }
    return .present(
      library: "OpenSSL",
      output: {
        [UInt8](repeating: 0, count: 31) + [UInt8(verify(hash, 32, signature, key) == 1 ? 1 : 0)]
      },
      work: { count in for _ in 0..<count { _ = verify(hash, 32, signature, key) } })
  }
}
