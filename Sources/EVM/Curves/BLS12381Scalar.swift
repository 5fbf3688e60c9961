extension BLS12381 {
  /// The field of the group order.
  typealias Fr = MontgomeryField256<BLS12381ScalarParameters>
}

/// The field of the order of BLS12-381's groups.
struct BLS12381ScalarParameters: MontgomeryParameters256 {
  @inline(__always)
  static var modulus: UInt256 {
    UInt256(
      0xffff_ffff_0000_0001, 0x53bd_a402_fffe_5bfe, 0x3339_d808_09a1_d805, 0x73ed_a753_299d_7d48)
  }

  @inline(__always)
  static var montgomeryOne: UInt256 {
    UInt256(
      0x0000_0001_ffff_fffe, 0x5884_b7fa_0003_4802, 0x998c_4fef_ecbc_4ff5, 0x1824_b159_acc5_056f)
  }

  @inline(__always)
  static var rSquared: UInt256 {
    UInt256(
      0xc999_e990_f3f2_9c6d, 0x2b6c_edcb_8792_5c23, 0x05d3_1496_7254_398f, 0x0748_d9d9_9f59_ff11)
  }

  @inline(__always)
  static var rCubed: UInt256 {
    UInt256(
      0xc62c_1807_439b_73af, 0x1b3e_0d18_8cf0_6990, 0x73d1_3c71_c7b5_f418, 0x6e2a_5bb9_c8db_33e9)
  }

  @inline(__always)
  static var negatedInverse: UInt64 { 0xffff_fffe_ffff_ffff }
}
