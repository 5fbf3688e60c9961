#if canImport(CMachineForms)
  import CMachineForms
#endif
#if NEEDLETAIL_DEVICE_FIELD
  import CDevice
#endif

/// Functions in the host processor's own instructions, where it has them; bare builds have none.
///
/// Each says whether it did the work. If not it has changed nothing, and the caller takes the
/// portable form, which gives the same.
enum MachineForms {
  /// Keccak-f[1600].
  @inline(__always)
  static func permute(_ state: inout KeccakState) -> Bool {
    #if canImport(CMachineForms)
      let hasAVX512 = machine_has_keccak_avx512()
      if !hasAVX512 && !machine_has_keccak_bmi() { return false }
      withUnsafeMutableBytes(of: &state) { bytes in
        // The state is 25 fields of 64 bits, in order and without gaps.
        let lanes = bytes.assumingMemoryBound(to: UInt64.self).baseAddress
        if hasAVX512 {
          machine_keccak_permute_avx512(lanes)
        } else {
          machine_keccak_permute_bmi(lanes)
        }
      }
      return true
    #else
      return false
    #endif
  }

  /// Keccak-256 of up to eight messages side by side.
  @inline(__always)
  static func hash(
    _ messages: UnsafeBufferPointer<UnsafeRawBufferPointer>,
    into hashes: UnsafeMutablePointer<Hash256>
  ) -> Bool {
    #if canImport(CMachineForms)
      if !machine_has_keccak_avx512() { return false }
      var places = InlineArray<8, UnsafeRawPointer?>(repeating: nil)
      var counts = InlineArray<8, Int>(repeating: 0)
      for index in 0..<messages.count {
        places[index] = messages[index].baseAddress
        counts[index] = messages[index].count
      }
      var digests = InlineArray<256, UInt8>(repeating: 0)
      withUnsafePointer(to: &places) { places in
        withUnsafePointer(to: &counts) { counts in
          withUnsafeMutablePointer(to: &digests) { digests in
            let bytes = UnsafeMutableRawPointer(digests).assumingMemoryBound(to: UInt8.self)
            machine_keccak256_eight_avx512(
              UnsafeRawPointer(places).assumingMemoryBound(to: UnsafeRawPointer?.self),
              UnsafeRawPointer(counts).assumingMemoryBound(to: Int.self), Int32(messages.count),
              bytes)
            for index in 0..<messages.count {
              hashes[index] = Hash256(bytes: bytes + 32 * index)
            }
          }
        }
      }
      return true
    #else
      return false
    #endif
  }

  /// SHA-256's compression of blocks of 64 bytes, at any alignment.
  @inline(__always)
  static func compress(_ state: inout SHA256.State, _ bytes: UnsafeRawPointer, blocks: Int) -> Bool
  {
    #if canImport(CMachineForms)
      if !machine_has_sha256() { return false }
      withUnsafeMutableBytes(of: &state) { room in
        // The state is eight fields of 32 bits, in order and without gaps.
        let words = room.assumingMemoryBound(to: UInt32.self).baseAddress
        machine_sha256_compress(words, bytes, blocks)
      }
      return true
    #else
      return false
    #endif
  }
}

#if NEEDLETAIL_DEVICE_FIELD
  /// Arithmetic of `Secp256k1Field` in a GPU's own instructions; it always has them.
  extension MachineForms {
    @inline(__always)
    static func sum(_ a: Secp256k1Field, _ b: Secp256k1Field) -> Secp256k1Field {
      element(
        device_secp256k1_add(
          a.value.limb0, a.value.limb1, a.value.limb2, a.value.limb3,
          b.value.limb0, b.value.limb1, b.value.limb2, b.value.limb3))
    }

    @inline(__always)
    static func difference(_ a: Secp256k1Field, _ b: Secp256k1Field) -> Secp256k1Field {
      element(
        device_secp256k1_subtract(
          a.value.limb0, a.value.limb1, a.value.limb2, a.value.limb3,
          b.value.limb0, b.value.limb1, b.value.limb2, b.value.limb3))
    }

    @inline(__always)
    static func product(_ a: Secp256k1Field, _ b: Secp256k1Field) -> Secp256k1Field {
      element(
        device_secp256k1_multiply(
          a.value.limb0, a.value.limb1, a.value.limb2, a.value.limb3,
          b.value.limb0, b.value.limb1, b.value.limb2, b.value.limb3))
    }

    @inline(__always)
    static func square(_ a: Secp256k1Field) -> Secp256k1Field {
      element(
        device_secp256k1_square(a.value.limb0, a.value.limb1, a.value.limb2, a.value.limb3))
    }

    @inline(__always)
    static func half(_ a: Secp256k1Field) -> Secp256k1Field {
      element(device_secp256k1_halve(a.value.limb0, a.value.limb1, a.value.limb2, a.value.limb3))
    }

    @inline(__always)
    private static func element(_ residue: device_residue) -> Secp256k1Field {
      Secp256k1Field(UInt256(residue.limb0, residue.limb1, residue.limb2, residue.limb3))
    }
  }
#endif
