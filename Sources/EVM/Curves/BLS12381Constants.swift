// Printed by Tools/vectors/bls12381_constants.py: values in Montgomery form. Do not edit.

extension BLS12381Fp {
  /// One.
  @inline(__always)
  static var one: BLS12381Fp {
    BLS12381Fp(
      0x7609_0000_0002_fffd, 0xebf4_000b_c40c_0002, 0x5f48_9857_53c7_58ba,
      0x77ce_5853_7052_5745, 0x5c07_1a97_a256_ec6d, 0x15f6_5ec3_fa80_e493)
  }

  /// `2^384` as an element: `2^768` modulo `p` in limbs, which brings integers into the form.
  @inline(__always)
  static var montgomerySquared: BLS12381Fp {
    BLS12381Fp(
      0xf4df_1f34_1c34_1746, 0x0a76_e6a6_09d1_04f1, 0x8de5_476c_4c95_b6d5,
      0x67eb_88a9_939d_83c0, 0x9a79_3e85_b519_952d, 0x1198_8fe5_92ca_e3aa)
  }

  /// `2^768` as an element: `2^1152` modulo `p` in limbs.
  @inline(__always)
  static var montgomeryCubed: BLS12381Fp {
    BLS12381Fp(
      0xed48_ac6b_d94c_a1e0, 0x315f_831e_03a7_adf8, 0x9a53_352a_615e_29dd,
      0x34c0_4e5e_921e_1761, 0x2512_d435_6572_4728, 0x0aa6_3460_9175_5d4d)
  }

  /// The curve's constant: `y^2 = x^3 + 4`.
  @inline(__always)
  static var curveB: BLS12381Fp {
    BLS12381Fp(
      0xaa27_0000_000c_fff3, 0x53cc_0032_fc34_000a, 0x478f_e97a_6b0a_807f,
      0xb1d3_7ebe_e6ba_24d7, 0x8ec9_733b_bf78_ab2f, 0x09d6_4551_3d83_de7e)
  }

  /// The cube root of unity for which `(x, y)` to `(beta x, y)` is `[-x^2]` on G1.
  @inline(__always)
  static var beta: BLS12381Fp {
    BLS12381Fp(
      0x30f1_361b_798a_64e8, 0xf3b8_ddab_7ece_5a2a, 0x16a8_ca3a_c615_77f7,
      0xc26a_2ff8_74fd_029b, 0x3636_b766_6070_1c6e, 0x051b_a4ab_241b_6160)
  }

  /// `(1+u)^(1 (p^2-1)/6)`.
  @inline(__always)
  static var frobeniusSquared1: BLS12381Fp {
    BLS12381Fp(
      0xecfb_361b_798d_ba3a, 0xc100_ddb8_9186_5a2c, 0x0ec0_8ff1_232b_da8e,
      0xd5c1_3cc6_f1ca_4721, 0x4722_2a47_bf7b_5c04, 0x0110_f184_e51c_5f59)
  }

  /// `(1+u)^(2 (p^2-1)/6)`.
  @inline(__always)
  static var frobeniusSquared2: BLS12381Fp {
    BLS12381Fp(
      0x30f1_361b_798a_64e8, 0xf3b8_ddab_7ece_5a2a, 0x16a8_ca3a_c615_77f7,
      0xc26a_2ff8_74fd_029b, 0x3636_b766_6070_1c6e, 0x051b_a4ab_241b_6160)
  }

  /// `(1+u)^(4 (p^2-1)/6)`.
  @inline(__always)
  static var frobeniusSquared4: BLS12381Fp {
    BLS12381Fp(
      0xcd03_c9e4_8671_f071, 0x5dab_2246_1fcd_a5d2, 0x5870_42af_d385_1b95,
      0x8eb6_0ebe_01ba_cb9e, 0x03f9_7d6e_83d0_50d2, 0x18f0_2065_5463_8741)
  }

  /// `(1+u)^(5 (p^2-1)/6)`.
  @inline(__always)
  static var frobeniusSquared5: BLS12381Fp {
    BLS12381Fp(
      0x890d_c9e4_8675_45c3, 0x2af3_2253_3285_a5d5, 0x5088_0866_309b_7e2c,
      0xa20d_1b8c_7e88_1024, 0x14e4_f04f_e2db_9068, 0x14e5_6d3f_1564_853a)
  }

  /// The x-coordinate of G1's generator.
  @inline(__always)
  static var generatorX: BLS12381Fp {
    BLS12381Fp(
      0x5cb3_8790_fd53_0c16, 0x7817_fc67_9976_fff5, 0x154f_95c7_143b_a1c1,
      0xf0ae_6acd_f3d0_e747, 0xedce_6ecc_21db_f440, 0x1201_7741_9e0b_fb75)
  }

  /// The y-coordinate of G1's generator.
  @inline(__always)
  static var generatorY: BLS12381Fp {
    BLS12381Fp(
      0xbaac_93d5_0ce7_2271, 0x8c22_631a_7918_fd8e, 0xdd59_5f13_5707_25ce,
      0x51ac_5829_5040_5194, 0x0e1c_8c3f_ad00_59c0, 0x0bbc_3efc_5008_a26a)
  }

  /// The coefficient `A'` of the curve 11-isogenous to G1's (RFC 9380, section 8.8.1).
  @inline(__always)
  static var isogenousA: BLS12381Fp {
    BLS12381Fp(
      0x2f65_aa0e_9af5_aa51, 0x8646_4c2d_1e84_16c3, 0xb85c_e591_b7bd_31e2,
      0x27e1_1c91_b5f2_4e7c, 0x2837_6eda_6bfc_1835, 0x1554_55c3_e507_1d85)
  }

  /// The coefficient `B'` of the curve 11-isogenous to G1's.
  @inline(__always)
  static var isogenousB: BLS12381Fp {
    BLS12381Fp(
      0xfb99_6971_fe22_a1e0, 0x9aa9_3eb3_5b74_2d6f, 0x8c47_6013_de99_c5c4,
      0x873e_27c3_a221_e571, 0xca72_b5e4_5a52_d888, 0x0682_4061_418a_386b)
  }

  /// `sqrt(-Z)` for `Z = 11`.
  @inline(__always)
  static var rootOfNegatedZ: BLS12381Fp {
    BLS12381Fp(
      0xf37b_0ced_8fb7_1e24, 0xf02d_c8a4_535a_8779, 0x732e_d835_f7eb_14ea,
      0x524c_a41e_cb2b_ce0d, 0x095e_3801_e90b_5fc1, 0x0252_ad05_5472_a90e)
  }

  /// `sqrt(-N(Z)^3)` for `Z = -(2 + u)`, of norm 5.
  @inline(__always)
  static var rootOfNegatedNormCubed: BLS12381Fp {
    BLS12381Fp(
      0xe413_2bbd_838c_f70a, 0x01d7_69ac_8377_2c19, 0xa83d_d6e9_74c2_2e45,
      0xbc8e_c3e7_77b0_8dff, 0xc035_c204_2ecf_5da3, 0x0739_29e9_7f08_50bf)
  }

}

extension BLS12381Fp2 {
  /// The twist's constant: `y^2 = x^3 + 4 (1 + u)`.
  @inline(__always)
  static var curveB: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0xaa27_0000_000c_fff3, 0x53cc_0032_fc34_000a, 0x478f_e97a_6b0a_807f,
        0xb1d3_7ebe_e6ba_24d7, 0x8ec9_733b_bf78_ab2f, 0x09d6_4551_3d83_de7e),
      BLS12381Fp(
        0xaa27_0000_000c_fff3, 0x53cc_0032_fc34_000a, 0x478f_e97a_6b0a_807f,
        0xb1d3_7ebe_e6ba_24d7, 0x8ec9_733b_bf78_ab2f, 0x09d6_4551_3d83_de7e))
  }

  /// `(1+u)^(1 (p-1)/6)`.
  @inline(__always)
  static var frobenius1: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0x0708_9552_b319_d465, 0xc669_5f92_b50a_8313, 0x97e8_3ccc_d117_228f,
        0xa35b_aeca_b2dc_29ee, 0x1ce3_93ea_5daa_ce4d, 0x08f2_220f_b0fb_66eb),
      BLS12381Fp(
        0xb2f6_6aad_4ce5_d646, 0x5842_a06b_fc49_7cec, 0xcf48_95d4_2599_d394,
        0xc11b_9cba_40a8_e8d0, 0x2e38_13cb_e5a0_de89, 0x110e_efda_8884_7faf))
  }

  /// `(1+u)^(2 (p-1)/6)`.
  @inline(__always)
  static var frobenius2: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000,
        0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
      BLS12381Fp(
        0xcd03_c9e4_8671_f071, 0x5dab_2246_1fcd_a5d2, 0x5870_42af_d385_1b95,
        0x8eb6_0ebe_01ba_cb9e, 0x03f9_7d6e_83d0_50d2, 0x18f0_2065_5463_8741))
  }

  /// `(1+u)^(3 (p-1)/6)`.
  @inline(__always)
  static var frobenius3: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0x7bcf_a7a2_5aa3_0fda, 0xdc17_dec1_2a92_7e7c, 0x2f08_8dd8_6b4e_bef1,
        0xd1ca_2087_da74_d4a7, 0x2da2_5966_96ce_bc1d, 0x0e2b_7eed_bbfd_87d2),
      BLS12381Fp(
        0x7bcf_a7a2_5aa3_0fda, 0xdc17_dec1_2a92_7e7c, 0x2f08_8dd8_6b4e_bef1,
        0xd1ca_2087_da74_d4a7, 0x2da2_5966_96ce_bc1d, 0x0e2b_7eed_bbfd_87d2))
  }

  /// `(1+u)^(4 (p-1)/6)`.
  @inline(__always)
  static var frobenius4: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0x890d_c9e4_8675_45c3, 0x2af3_2253_3285_a5d5, 0x5088_0866_309b_7e2c,
        0xa20d_1b8c_7e88_1024, 0x14e4_f04f_e2db_9068, 0x14e5_6d3f_1564_853a),
      BLS12381Fp(
        0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000,
        0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000))
  }

  /// `(1+u)^(5 (p-1)/6)`.
  @inline(__always)
  static var frobenius5: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0x82d8_3cf5_0dbc_e43f, 0xa281_3e53_df9d_018f, 0xc6f0_caa5_3c65_e181,
        0x7525_cf52_8d50_fe95, 0x4a85_ed50_f479_8a6b, 0x171d_a0fd_6cf8_eebd),
      BLS12381Fp(
        0x3726_c30a_f242_c66c, 0x7c2a_c1aa_d1b6_fe70, 0xa040_07fb_ba4b_14a2,
        0xef51_7c32_6634_1429, 0x0095_ba65_4ed2_226b, 0x02e3_70ec_cc86_f7dd))
  }

  /// `(1+u)^(-(p-1)/3)`: the x-coordinate's factor in the endomorphism of G2.
  @inline(__always)
  static var endomorphismX: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000,
        0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
      BLS12381Fp(
        0x890d_c9e4_8675_45c3, 0x2af3_2253_3285_a5d5, 0x5088_0866_309b_7e2c,
        0xa20d_1b8c_7e88_1024, 0x14e4_f04f_e2db_9068, 0x14e5_6d3f_1564_853a))
  }

  /// `(1+u)^(-(p-1)/2)`: the y-coordinate's factor in the endomorphism of G2.
  @inline(__always)
  static var endomorphismY: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0x3e2f_585d_a55c_9ad1, 0x4294_213d_86c1_8183, 0x3828_44c8_8b62_3732,
        0x92ad_2afd_1910_3e18, 0x1d79_4e4f_ac7c_f0b9, 0x0bd5_92fc_7d82_5ec8),
      BLS12381Fp(
        0x7bcf_a7a2_5aa3_0fda, 0xdc17_dec1_2a92_7e7c, 0x2f08_8dd8_6b4e_bef1,
        0xd1ca_2087_da74_d4a7, 0x2da2_5966_96ce_bc1d, 0x0e2b_7eed_bbfd_87d2))
  }

  /// The x-coordinate of G2's generator.
  @inline(__always)
  static var generatorX: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0xf5f2_8fa2_0294_0a10, 0xb3f5_fb26_87b4_961a, 0xa1a8_93b5_3e2a_e580,
        0x9894_999d_1a3c_aee9, 0x6f67_b763_1863_366b, 0x0581_9192_4350_bcd7),
      BLS12381Fp(
        0xa5a9_c075_9e23_f606, 0xaaa0_c59d_bccd_60c3, 0x3bb1_7e18_e286_7806,
        0x1b1a_b6cc_8541_b367, 0xc2b6_ed0e_f215_8547, 0x1192_2a09_7360_edf3))
  }

  /// The y-coordinate of G2's generator.
  @inline(__always)
  static var generatorY: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0x4c73_0af8_6049_4c4a, 0x597c_fa1f_5e36_9c5a, 0xe7e6_856c_aa0a_635a,
        0xbbef_b5e9_6e0d_495f, 0x07d3_a975_f0ef_25a2, 0x0083_fd8e_7e80_dae5),
      BLS12381Fp(
        0xadc0_fc92_df64_b05d, 0x18aa_270a_2b14_61dc, 0x86ad_ac6a_3be4_eba0,
        0x7949_5c4e_c93d_a33a, 0xe717_5850_a43c_caed, 0x0b2b_c2a1_63de_1bf2))
  }

  /// The coefficient `A'` of the curve 3-isogenous to G2's (RFC 9380, section 8.8.2).
  @inline(__always)
  static var isogenousA: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000,
        0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
      BLS12381Fp(
        0xe53a_0000_0313_5242, 0x0108_0c0f_def8_0285, 0xe788_9edb_e340_f6bd,
        0x0b51_3751_2631_0601, 0x02d6_9857_17c7_44ab, 0x1220_b4e9_79ea_5467))
  }

  /// The coefficient `B'` of the curve 3-isogenous to G2's.
  @inline(__always)
  static var isogenousB: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0x22ea_0000_0cf8_9db2, 0x6ec8_32df_7138_0aa4, 0x6e1b_9440_3db5_a66e,
        0x75bf_3c53_a794_73ba, 0x3dd3_a569_412c_0a34, 0x125c_db5e_74dc_4fd1),
      BLS12381Fp(
        0x22ea_0000_0cf8_9db2, 0x6ec8_32df_7138_0aa4, 0x6e1b_9440_3db5_a66e,
        0x75bf_3c53_a794_73ba, 0x3dd3_a569_412c_0a34, 0x125c_db5e_74dc_4fd1))
  }

  /// `Z = -(2 + u)`.
  @inline(__always)
  static var mapZ: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0x87eb_ffff_fff9_555c, 0x656f_ffe5_da8f_fffa, 0x0fd0_7493_45d3_3ad2,
        0xd951_e663_0665_76f4, 0xde29_1a3d_41e9_80d3, 0x0815_664c_7dfe_040d),
      BLS12381Fp(
        0x43f5_ffff_fffc_aaae, 0x32b7_fff2_ed47_fffd, 0x07e8_3a49_a2e9_9d69,
        0xeca8_f331_8332_bb7a, 0xef14_8d1e_a0f4_c069, 0x040a_b326_3eff_0206))
  }

  /// `-B'/A'`.
  @inline(__always)
  static var negatedRatioOfB: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0x903c_5555_5547_4fb3, 0x5f98_cc95_ce45_1105, 0x9f8e_582e_efe0_fade,
        0xc689_46b6_aebb_d062, 0x467a_4ad1_0ee6_de53, 0x0e71_46f4_83e2_3a05),
      BLS12381Fp(
        0x29c2_aaaa_aab8_5af8, 0xbf13_3368_e30e_eefa, 0xc7a2_7a72_06cf_fb45,
        0x9dee_04ce_44c9_425c, 0x04a1_5ce5_3464_ce83, 0x0b8f_caf5_b59d_ac95))
  }

  /// `B'/(Z A')`.
  @inline(__always)
  static var exceptionalX: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0xf2d8_4444_4441_4324, 0x2585_c283_93a6_9d00, 0x5dd3_5cd0_5d97_2c42,
        0xfd96_3b74_4ea8_9b53, 0x07f5_d9fd_91c1_fa91, 0x127d_b28a_3ce0_62c4),
      BLS12381Fp(
        0x5574_3333_333b_3695, 0xeb72_b871_5908_28fc, 0x1c18_6171_cb4d_5da5,
        0x34a3_3031_ee95_6644, 0xc971_692a_149d_16d0, 0x168a_1e1f_f5de_8b82))
  }

  /// The x-coordinate of `[tau]G2` of the KZG ceremony.
  @inline(__always)
  static var ceremonyX: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0x6120_a209_9b03_79f9, 0xa2df_815c_b821_0e4e, 0xcb57_be55_77bd_3d4f,
        0x62da_0ea8_9a0c_93f8, 0x02e0_ee16_968e_150d, 0x171f_09ae_a833_acd5),
      BLS12381Fp(
        0x11a3_6707_49df_d455, 0x0499_1d7b_3abf_fadc, 0x8544_6a8e_1443_7f41,
        0x2717_4e7b_4e76_e3f2, 0x7bfa_6dd3_97f6_0a20, 0x02fc_c329_ac07_080f))
  }

  /// The y-coordinate of `[tau]G2` of the KZG ceremony.
  @inline(__always)
  static var ceremonyY: BLS12381Fp2 {
    BLS12381Fp2(
      BLS12381Fp(
        0xaa13_0838_793b_2317, 0xe236_dd22_0f89_1637, 0x6502_7829_2576_0980,
        0xd05c_25f6_0557_ec89, 0x6095_767a_4406_4474, 0x1856_9391_7080_d405),
      BLS12381Fp(
        0x549f_9e17_5b03_dc0a, 0x32c0_c95a_7710_6cfe, 0x64a7_4eae_5705_d080,
        0x53de_eaf5_6659_ed9e, 0x09a1_d368_508a_fb93, 0x12cf_3a45_25b5_e9bd))
  }

}
