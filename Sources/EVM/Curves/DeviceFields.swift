#if NEEDLETAIL_DEVICE_MONTGOMERY
  import CDevice

  /// The base field of bn254 in a GPU's own instructions, which give the same as the portable form.
  enum DeviceBN254 {
    @inline(__always)
    static func sum(_ a: UInt256, _ b: UInt256) -> UInt256 {
      number(
        device_bn254_add(
          a.limb0, a.limb1, a.limb2, a.limb3, b.limb0, b.limb1, b.limb2, b.limb3))
    }

    @inline(__always)
    static func difference(_ a: UInt256, _ b: UInt256) -> UInt256 {
      number(
        device_bn254_subtract(
          a.limb0, a.limb1, a.limb2, a.limb3, b.limb0, b.limb1, b.limb2, b.limb3))
    }

    /// a·b/R mod p, for factors of which the first plus p is below 2^256.
    @inline(__always)
    static func product(_ a: UInt256, _ b: UInt256) -> UInt256 {
      number(
        device_bn254_multiply(
          a.limb0, a.limb1, a.limb2, a.limb3, b.limb0, b.limb1, b.limb2, b.limb3))
    }

    /// (a·b + c·d)/R mod p.
    @inline(__always)
    static func sumOfProducts(_ a: UInt256, _ b: UInt256, _ c: UInt256, _ d: UInt256) -> UInt256 {
      number(
        device_bn254_multiply_add(
          a.limb0, a.limb1, a.limb2, a.limb3, b.limb0, b.limb1, b.limb2, b.limb3,
          c.limb0, c.limb1, c.limb2, c.limb3, d.limb0, d.limb1, d.limb2, d.limb3))
    }

    @inline(__always)
    private static func number(_ limbs: device_bn254) -> UInt256 {
      UInt256(limbs.limb0, limbs.limb1, limbs.limb2, limbs.limb3)
    }
  }

  /// The base field of BLS12-381 likewise.
  enum DeviceBLS12381 {
    @inline(__always)
    static func sum(_ a: BLS12381Fp, _ b: BLS12381Fp) -> BLS12381Fp {
      element(
        device_bls12381_add(
          a.limb0, a.limb1, a.limb2, a.limb3, a.limb4, a.limb5,
          b.limb0, b.limb1, b.limb2, b.limb3, b.limb4, b.limb5))
    }

    @inline(__always)
    static func difference(_ a: BLS12381Fp, _ b: BLS12381Fp) -> BLS12381Fp {
      element(
        device_bls12381_subtract(
          a.limb0, a.limb1, a.limb2, a.limb3, a.limb4, a.limb5,
          b.limb0, b.limb1, b.limb2, b.limb3, b.limb4, b.limb5))
    }

    /// The product, for a first factor below 2p.
    @inline(__always)
    static func product(_ a: BLS12381Fp, _ b: BLS12381Fp) -> BLS12381Fp {
      element(
        device_bls12381_multiply(
          a.limb0, a.limb1, a.limb2, a.limb3, a.limb4, a.limb5,
          b.limb0, b.limb1, b.limb2, b.limb3, b.limb4, b.limb5))
    }

    /// `a b + c d`, for first factors of at most p.
    @inline(__always)
    static func sumOfProducts(
      _ a: BLS12381Fp, _ b: BLS12381Fp, _ c: BLS12381Fp, _ d: BLS12381Fp
    ) -> BLS12381Fp {
      element(
        device_bls12381_multiply_add(
          a.limb0, a.limb1, a.limb2, a.limb3, a.limb4, a.limb5,
          b.limb0, b.limb1, b.limb2, b.limb3, b.limb4, b.limb5,
          c.limb0, c.limb1, c.limb2, c.limb3, c.limb4, c.limb5,
          d.limb0, d.limb1, d.limb2, d.limb3, d.limb4, d.limb5))
    }

    @inline(__always)
    private static func element(_ limbs: device_bls12381) -> BLS12381Fp {
      BLS12381Fp(limbs.limb0, limbs.limb1, limbs.limb2, limbs.limb3, limbs.limb4, limbs.limb5)
    }
  }

  extension MontgomeryField256 {
    /// Whether this is the field of `DeviceBN254`; known where code is specialised.
    @inline(__always)
    static var isDeviceField: Bool { P.modulus == BN254BaseParameters.modulus }
  }
#endif
