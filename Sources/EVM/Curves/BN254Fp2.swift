/// An element c0 + c1·u of Fp2 = Fp[u]/(u^2 + 1) over the base field of bn254.
struct BN254Fp2: TowerField {
  var c0: BN254.Fp
  var c1: BN254.Fp

  @inline(__always)
  init(_ c0: BN254.Fp, _ c1: BN254.Fp) {
    self.c0 = c0
    self.c1 = c1
  }

  @inline(__always)
  static var zero: Self { Self(.zero, .zero) }

  @inline(__always)
  static var one: Self { Self(.one, .zero) }

  @inline(__always)
  var isZero: Bool { c0.isZero && c1.isZero }

  @inline(__always)
  static func == (a: Self, b: Self) -> Bool { a.c0 == b.c0 && a.c1 == b.c1 }

  @inline(__always)
  static func + (a: Self, b: Self) -> Self { Self(a.c0 + b.c0, a.c1 + b.c1) }

  @inline(__always)
  static func - (a: Self, b: Self) -> Self { Self(a.c0 - b.c0, a.c1 - b.c1) }

  @inline(__always)
  static prefix func - (a: Self) -> Self { Self(-a.c0, -a.c1) }

  @inline(__always)
  var doubled: Self { Self(c0.doubled, c1.doubled) }

  @inline(__always)
  var halved: Self { Self(c0.halved, c1.halved) }

  @inline(never)
  static func * (a: Self, b: Self) -> Self {
    // p - c1 may be p itself, which the sum of products takes as well as 0.
    let negated = BN254.Fp(montgomery: BN254BaseParameters.modulus &- a.c1.montgomery)
    return Self(
      .sumOfProducts(a.c0, b.c0, negated, b.c1),
      .sumOfProducts(a.c0, b.c1, a.c1, b.c0))
  }

  /// (c0 + c1)·(c0 - c1) + 2·c0·c1·u.
  @inline(never)
  var squared: Self {
    // Factors stay unreduced, below 2p: 4p^2 < p·R.
    let (a, b) = (c0.montgomery, c1.montgomery)
    return Self(
      BN254.Fp(montgomery: BN254.Fp.product(a &+ b, a &+ (BN254BaseParameters.modulus &- b))),
      BN254.Fp(montgomery: BN254.Fp.product(a &+ a, b)))
  }

  /// The product with an element of Fp.
  @inline(never)
  static func * (a: Self, b: BN254.Fp) -> Self { Self(a.c0 * b, a.c1 * b) }

  /// The inverse: the conjugate over the norm. Zero for zero.
  var inverse: Self {
    let inverse = BN254.Fp.sumOfProducts(c0, c0, c1, c1).inverse
    return Self(c0 * inverse, -(c1 * inverse))
  }

  @inline(__always)
  var conjugate: Self { Self(c0, -c1) }

  /// The product with ξ = 9 + u: (9·c0 - c1) + (9·c1 + c0)·u.
  @inline(__always)
  var timesNonResidue: Self {
    let (a, b) = (c0.montgomery, c1.montgomery)
    return Self(
      Self.nineTimes(a, plus: BN254BaseParameters.modulus &- b), Self.nineTimes(b, plus: a))
  }

  /// 9a + b mod p for a below p and b at most p.
  @inline(__always)
  private static func nineTimes(_ a: UInt256, plus b: UInt256) -> BN254.Fp {
    // The sum x in five limbs, below 10p.
    let eight = UInt256(
      a.limb0 << 3, a.limb1 << 3 | a.limb0 >> 61, a.limb2 << 3 | a.limb1 >> 61,
      a.limb3 << 3 | a.limb2 >> 61)
    let (nine, carry) = UInt256.addingReportingCarry(eight, a)
    let (x, carry2) = UInt256.addingReportingCarry(nine, b)
    let x4 = a.limb3 >> 61 &+ limb(carry) &+ limb(carry2)
    // p/2^240 is between 12388 and 12389, so this quotient is at most x/p and above x/p - 1.001.
    let quotient = ((x4 << 16 | x.limb3 >> 48) &* (0x1_0000_0000 / 12389)) >> 32
    let p = BN254BaseParameters.modulus
    var high: UInt64
    let m0: UInt64
    let m1: UInt64
    let m2: UInt64
    (m0, high) = multiplyAdd(p.limb0, quotient, 0, 0)
    (m1, high) = multiplyAdd(p.limb1, quotient, high, 0)
    (m2, high) = multiplyAdd(p.limb2, quotient, high, 0)
    let m3 = p.limb3 &* quotient &+ high
    // The difference is below 2p, so the low four limbs hold it.
    return .subtractingModulusOnce(x &- UInt256(m0, m1, m2, m3), carry: 0)
  }

  @inline(__always)
  func timesFrobeniusCoefficient(index: Int, power: Int) -> Self {
    switch power {
    case 1:
      switch index {
      case 1: self * Self.frobenius1Index1
      case 2: self * Self.frobenius1Index2
      case 3: self * Self.frobenius1Index3
      case 4: self * Self.frobenius1Index4
      default: self * Self.frobenius1Index5
      }
    case 2:
      // Second powers fix Fp2, so these are sixth roots of unity in Fp.
      switch index {
      case 1: self * Self.frobenius2Index1
      case 2: self * Self.frobenius2Index2
      case 3: -self
      case 4: -(self * Self.frobenius2Index1)
      default: -(self * Self.frobenius2Index2)
      }
    default:
      switch index {
      case 1: self * Self.frobenius3Index1
      case 2: self * Self.frobenius3Index2
      case 3: self * Self.frobenius3Index3
      case 4: self * Self.frobenius3Index4
      default: self * Self.frobenius3Index5
      }
    }
  }
}

// Coefficients of the p^power-Frobenius at w^index: ξ^(index·(p^power - 1)/6) in Montgomery form.
// `Tools/generators/bn254_constants.py` computes them.
extension BN254Fp2 {
  @inline(__always)
  private static var frobenius1Index1: Self {
    Self(
      BN254.Fp(
        montgomery: UInt256(
          0xaf9b_a696_3314_4907, 0xca6b_1d73_87af_b78a, 0x11bd_ed5e_f08a_2087, 0x02f3_4d75_1a1f_3a7c
        )),
      BN254.Fp(
        montgomery: UInt256(
          0xa222_ae23_4c49_2d72, 0xd00f_02a4_565d_e15b, 0xdc2f_f3a2_53df_c926, 0x10a7_5716_b389_9551
        )))
  }

  @inline(__always)
  private static var frobenius1Index2: Self {
    Self(
      BN254.Fp(
        montgomery: UInt256(
          0xb577_3b10_4563_ab30, 0x347f_91c8_a9aa_6454, 0x7a00_7127_242e_0991, 0x1956_bcd8_1182_14ec
        )),
      BN254.Fp(
        montgomery: UInt256(
          0x6e84_9f1e_a0aa_4757, 0xaa1c_7b6d_89f8_9141, 0xb6e7_13cd_fae0_ca3a, 0x2669_4fbb_4e82_ebc3
        )))
  }

  @inline(__always)
  private static var frobenius1Index3: Self {
    Self(
      BN254.Fp(
        montgomery: UInt256(
          0xe4bb_dd0c_2936_b629, 0xbb30_f162_e133_bacb, 0x31a9_d1b6_f964_5366, 0x2535_70be_a500_f8dd
        )),
      BN254.Fp(
        montgomery: UInt256(
          0xa1d7_7ce4_5ffe_77c7, 0x07af_fd11_7826_d1db, 0x6d16_bd27_bb7e_dc6b, 0x2c87_2002_85de_fecc
        )))
  }

  @inline(__always)
  private static var frobenius1Index4: Self {
    Self(
      BN254.Fp(
        montgomery: UInt256(
          0x7361_d77f_843a_be92, 0xa5bb_2bd3_2734_11fb, 0x9c94_1f31_4b3e_2399, 0x15df_9cdd_bb9f_d3ec
        )),
      BN254.Fp(
        montgomery: UInt256(
          0x5ddd_fd15_4bd8_c949, 0x62cb_29a5_a444_5b60, 0x37bc_870a_0c7d_d2b9, 0x2483_0a9d_3171_f0fd
        )))
  }

  @inline(__always)
  private static var frobenius1Index5: Self {
    Self(
      BN254.Fp(
        montgomery: UInt256(
          0xc970_692f_4169_0fe7, 0xe240_3421_2769_4b0b, 0x32be_e66b_83c4_59e8, 0x12aa_bced_0ab0_8841
        )),
      BN254.Fp(
        montgomery: UInt256(
          0x0d48_5d23_40ae_bfa9, 0x0519_3418_ab2f_cc57, 0xd3b0_a40b_8a49_10f5, 0x2f21_ebb5_35d2_925a
        )))
  }

  @inline(__always)
  static var frobenius2Index1: BN254.Fp {
    BN254.Fp(
      montgomery: UInt256(
        0xca8d_8005_00fa_1bf2, 0xf0c5_d614_68b3_9769, 0x0e20_1271_ad0d_4418, 0x0429_0f65_bad8_56e6))
  }

  @inline(__always)
  static var frobenius2Index2: BN254.Fp {
    BN254.Fp(
      montgomery: UInt256(
        0x3350_c88e_13e8_0b9c, 0x7dce_557c_db5e_56b9, 0x6001_b4b8_b615_564a, 0x2682_e617_0202_17e0))
  }

  @inline(__always)
  private static var frobenius3Index1: Self {
    Self(
      BN254.Fp(
        montgomery: UInt256(
          0x3653_1618_4e46_d97d, 0x0af7_129e_d4c9_6d9f, 0x659d_a72f_ca10_09b5, 0x0811_6d89_83a2_0d23
        )),
      BN254.Fp(
        montgomery: UInt256(
          0xb1df_4af7_c39c_1939, 0x3d9f_0287_8a73_bf7f, 0x9b22_2092_8caf_0ae0, 0x2668_4515_eff0_54a6
        )))
  }

  @inline(__always)
  private static var frobenius3Index2: Self {
    Self(
      BN254.Fp(
        montgomery: UInt256(
          0xc9af_22f7_16ad_6bad, 0xb311_782a_4aa6_62b2, 0x19ee_af64_e248_c7f4, 0x2027_3e77_e343_9f82
        )),
      BN254.Fp(
        montgomery: UInt256(
          0xacc0_2860_f7ce_93ac, 0x3933_d581_7ba7_6b4c, 0x69e6_188b_446c_8467, 0x0a46_036d_4417_cc55
        )))
  }

  @inline(__always)
  private static var frobenius3Index3: Self {
    Self(
      BN254.Fp(
        montgomery: UInt256(
          0x5764_af0a_af46_471e, 0xdc50_792e_873e_0fc1, 0x86a6_73ff_881d_04f6, 0x0b2e_ddb4_3c30_a74c
        )),
      BN254.Fp(
        montgomery: UInt256(
          0x9a49_0f32_787e_8580, 0x8fd1_6d7f_f04a_f8b1, 0x4b39_888e_c602_7bf2, 0x03dd_2e70_5b52_a15d
        )))
  }

  @inline(__always)
  private static var frobenius3Index4: Self {
    Self(
      BN254.Fp(
        montgomery: UInt256(
          0x448a_93a5_7b67_62df, 0xbfd6_2df5_28fd_eadf, 0xd858_f5d0_0e9b_d47a, 0x06b0_3d4d_3476_ec58
        )),
      BN254.Fp(
        montgomery: UInt256(
          0x2b19_daf4_bcc9_36d1, 0xa1a5_4e7a_56f4_299f, 0xb533_eee0_5ade_aef1, 0x170c_812b_84dd_a0b2
        )))
  }

  @inline(__always)
  private static var frobenius3Index5: Self {
    Self(
      BN254.Fp(
        montgomery: UInt256(
          0xe0bc_4b22_75cf_559f, 0xc238_b945_c154_e60f, 0x8039_82a5_929a_7d5e, 0x15ce_052d_f7e4_a37e
        )),
      BN254.Fp(
        montgomery: UInt256(
          0x2d28_efbd_bf37_99a7, 0x9b09_7e3c_1ad6_0773, 0x982d_4113_af4a_535b, 0x24e1_8991_e305_6063
        )))
  }
}
