public import EVM

extension Fork {
  /// The fork that a test suite's or a genesis file's name means, in any of the spellings in use.
  public init?(name: String) {
    guard let fork = Self.byName[name] ?? Self.byName[name.lowercased()] else { return nil }
    self = fork
  }

  /// The name that the present test suites use.
  public var name: String {
    switch self {
    case .frontier: "Frontier"
    case .homestead: "Homestead"
    case .daoFork: "DAOFork"
    case .tangerineWhistle: "TangerineWhistle"
    case .spuriousDragon: "SpuriousDragon"
    case .byzantium: "Byzantium"
    case .constantinople: "Constantinople"
    case .petersburg: "ConstantinopleFix"
    case .istanbul: "Istanbul"
    case .muirGlacier: "MuirGlacier"
    case .berlin: "Berlin"
    case .london: "London"
    case .arrowGlacier: "ArrowGlacier"
    case .grayGlacier: "GrayGlacier"
    case .paris: "Paris"
    case .shanghai: "Shanghai"
    case .cancun: "Cancun"
    case .prague: "Prague"
    case .osaka: "Osaka"
    case .bpo1: "BPO1"
    case .bpo2: "BPO2"
    case .bpo3: "BPO3"
    case .bpo4: "BPO4"
    case .bpo5: "BPO5"
    case .amsterdam: "Amsterdam"
    }
  }

  private static let byName: [String: Fork] = {
    var names: [String: Fork] = [
      "HomesteadDao": .daoFork, "HomesteadToDao": .daoFork, "Dao": .daoFork,
      "EIP150": .tangerineWhistle, "Tangerine": .tangerineWhistle,
      "EIP158": .spuriousDragon, "EIP155": .spuriousDragon, "Spurious": .spuriousDragon,
      "Petersburg": .petersburg, "Merge": .paris, "Shapella": .shanghai, "Dencun": .cancun,
      "Pectra": .prague,
      "Fusaka": .osaka, "Glamsterdam": .amsterdam,
    ]
    for fork in Fork.allCases {
      names[fork.name] = fork
      names[fork.name.lowercased()] = fork
    }
    for (name, fork) in names { names[name.lowercased()] = fork }
    return names
  }()
}
