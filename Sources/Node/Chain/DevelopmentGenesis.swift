package import EVM
import Ethereum
import Execution

/// The genesis file of a development chain.
package enum DevelopmentGenesis {
  /// A chain under Osaka's rules with funded accounts and the system contracts.
  package static func file(
    chainID: UInt64, accounts: DevelopmentAccounts, time: UInt64, gasLimit: UInt64 = 60_000_000
  ) -> [UInt8] {
    file(chainID: chainID, funded: accounts.addresses, time: time, gasLimit: gasLimit)
  }

  /// The same with any accounts; each has ten thousand ether.
  package static func file(
    chainID: UInt64, funded: [Address], time: UInt64, gasLimit: UInt64
  ) -> [UInt8] {
    var writer = JSONWriter(isPretty: true)
    writer.object { writer in
      writer.key("config")
      writer.object { writer in
        writer.member("chainId", chainID)
        for name in [
          "homesteadBlock", "eip150Block", "eip155Block", "eip158Block", "byzantiumBlock",
          "constantinopleBlock", "petersburgBlock", "istanbulBlock", "berlinBlock", "londonBlock",
          "mergeNetsplitBlock", "terminalTotalDifficulty", "shanghaiTime", "cancunTime",
          "pragueTime", "osakaTime",
        ] { writer.member(name, 0) }
      }
      writer.member("timestamp", quantity: time)
      writer.member("gasLimit", quantity: gasLimit)
      writer.member("difficulty", "0x0")
      writer.member("baseFeePerGas", quantity: UInt64(1_000_000_000))
      writer.key("alloc")
      writer.object { writer in
        for address in funded {
          writer.key(address.description)
          writer.object { writer in
            writer.member("balance", "0x21e19e0c9bab2400000")
          }
        }
        for (address, code) in contracts {
          writer.key(address)
          writer.object { writer in
            writer.member("nonce", "0x1")
            writer.member("balance", "0x0")
            writer.member("code", code)
          }
        }
      }
    }
    return writer.takeBytes()
  }

  /// The code of the system contracts (EIP-4788, EIP-2935, EIP-7002, EIP-7251), and of the deployer
  /// at a fixed address that many tools rely on (github.com/Arachnid/deterministic-deployment-proxy).
  private static let contracts: [(address: String, code: String)] = [
    (
      "0x000f3df6d732807ef1319fb7b8bb8522d0beac02",
      "0x3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500"
    ),
    (
      "0x0000f90827f1c53a10cb7a02335b175320002935",
      "0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
    ),
    (
      "0x4e59b44847b379578588920ca78fbf26c0b4956c",
      "0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
    ),
    ("0x00000961ef480eb55e80d19ad83579a64c007002", withdrawals),
    ("0x0000bbddc7ce488642fb579f8b00f3a590007251", consolidations),
  ]

  private static let withdrawals =
    "0x3373fffffffffffffffffffffffffffffffffffffffe1460cb5760115f54807fffffffffffffff"
    + "ffffffffffffffffffffffffffffffffffffffffffffffffff146101f457600182026001905f5b5f"
    + "82111560685781019083028483029004916001019190604d565b9093900492505050366038146088"
    + "57366101f457346101f4575f5260205ff35b34106101f45760015460010160015560035480600302"
    + "6004013381556001015f35815560010160203590553360601b5f5260385f601437604c5fa0600101"
    + "600355005b6003546002548082038060101160df575060105b5f5b81811461018357828101600302"
    + "60040181604c02815460601b8152601401816001015481526020019060020154807fffffffffffff"
    + "ffffffffffffffffffff00000000000000000000000000000000168252906010019060401c908160"
    + "381c81600701538160301c81600601538160281c81600501538160201c81600401538160181c8160"
    + "0301538160101c81600201538160081c81600101535360010160e1565b9101809214610195579060"
    + "02556101a0565b90505f6002555f6003555b5f54807fffffffffffffffffffffffffffffffffffff"
    + "ffffffffffffffffffffffffffff14156101cd57505f5b6001546002828201116101e25750505f61"
    + "01e8565b01600290035b5f555f600155604c025ff35b5f5ffd"

  private static let consolidations =
    "0x3373fffffffffffffffffffffffffffffffffffffffe1460d35760115f54807fffffffffffffff"
    + "ffffffffffffffffffffffffffffffffffffffffffffffffff1461019a57600182026001905f5b5f"
    + "82111560685781019083028483029004916001019190604d565b9093900492505050366060146088"
    + "573661019a573461019a575f5260205ff35b341061019a5760015460010160015560035480600402"
    + "6004013381556001015f358155600101602035815560010160403590553360601b5f5260605f6014"
    + "3760745fa0600101600355005b6003546002548082038060021160e7575060025b5f5b8181146101"
    + "295782810160040260040181607402815460601b8152601401816001015481526020018160020154"
    + "81526020019060030154905260010160e9565b910180921461013b5790600255610146565b90505f"
    + "6002555f6003555b5f54807fffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    + "ffffffff141561017357505f5b6001546001828201116101885750505f61018e565b01600190035b"
    + "5f555f6001556074025ff35b5f5ffd"
}
