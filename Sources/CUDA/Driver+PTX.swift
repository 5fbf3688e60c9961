extension Driver {
  /// The newest PTX version that the driver reads, 83 for 8.3. For a driver that is newer than the
  /// table, the table's last.
  package var ptxVersion: Int {
    Self.ptxVersions.last { $0.cuda <= version }?.ptx ?? 0
  }

  /// A PTX version as people write it: 83 is `8.3`.
  package static func ptxText(_ version: Int) -> String { "\(version / 10).\(version % 10)" }

  /// The PTX version that came with each version of CUDA (PTX ISA, "Release Notes").
  private static let ptxVersions: [(cuda: Int, ptx: Int)] = [
    (12_000, 80), (12_010, 81), (12_020, 82), (12_030, 83), (12_040, 84), (12_050, 85),
    (12_070, 86), (12_080, 87), (12_090, 88), (13_000, 90),
  ]
}
