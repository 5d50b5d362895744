//! Where the addresses of environments' networks come from.

use std::fmt;
use std::net::Ipv4Addr;

/// What is taken where nothing is said: 1,024 subnets of 64 addresses.
const DEFAULT: (Subnet, u8) = (Subnet { address: 0x0ad5_0000, prefix: 16 }, 26);
/// More subnets than these of a pool are not used; no run needs them.
const MOST: u32 = 1 << 16;
/// A network that the whole Internet does not use (RFC 1918, RFC 6598).
const PRIVATE: [Subnet; 4] = [
    Subnet { address: 0x0a00_0000, prefix: 8 },
    Subnet { address: 0xac10_0000, prefix: 12 },
    Subnet { address: 0xc0a8_0000, prefix: 16 },
    Subnet { address: 0x6440_0000, prefix: 10 },
];
/// What a subnet looks like.
pub(super) const HELP: &str = "a private IPv4 network with its size, such as \"10.213.0.0/16\", or a list of such";
/// The sizes that a subnet may have: a bridge needs a few addresses, and no environment has thousands of services.
pub(super) const SIZES: std::ops::RangeInclusive<u8> = 16..=29;

/// An IPv4 network: `10.213.4.0/26`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subnet {
    address: u32,
    prefix: u8,
}

impl Subnet {
    /// The network of `address` with `prefix` bits; bits beyond those are cut off. `None` where `prefix` is over 32.
    pub fn new(address: Ipv4Addr, prefix: u8) -> Option<Self> {
        (prefix <= 32).then(|| Self { address: u32::from(address) & mask(prefix), prefix })
    }

    /// Reads `10.213.0.0/16`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let unreadable = || format!("\"{text}\" is not an IPv4 network with its size");
        let (address, prefix) = text.trim().split_once('/').ok_or_else(unreadable)?;
        let address: Ipv4Addr = address.parse().map_err(|_| unreadable())?;
        let subnet = prefix.parse().ok().and_then(|prefix| Self::new(address, prefix)).ok_or_else(unreadable)?;
        if subnet.address == u32::from(address) {
            Ok(subnet)
        } else {
            Err(format!("\"{text}\" is an address within a network: the network is {subnet}"))
        }
    }

    /// The bits that all its addresses share.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether some address belongs to both.
    pub fn overlaps(self, other: Self) -> bool {
        let mask = mask(self.prefix.min(other.prefix));
        self.address & mask == other.address & mask
    }

    fn is_within(self, other: Self) -> bool {
        self.prefix >= other.prefix && self.overlaps(other)
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.address), self.prefix)
    }
}

/// Private networks that are cut into subnets of one size, one for each environment. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetPool {
    blocks: Vec<Subnet>,
    size: u8,
}

impl Default for SubnetPool {
    fn default() -> Self {
        Self { blocks: vec![DEFAULT.0], size: DEFAULT.1 }
    }
}

impl SubnetPool {
    /// A pool of subnets with `size` bits, 26 where it is `None`. The error says what is wrong with the blocks.
    pub fn new(blocks: Vec<Subnet>, size: Option<u8>) -> Result<Self, String> {
        let size = size.unwrap_or(DEFAULT.1);
        if blocks.is_empty() {
            return Err("no network is named".to_owned());
        }
        for (index, block) in blocks.iter().enumerate() {
            if !PRIVATE.iter().any(|private| block.is_within(*private)) {
                return Err(format!("{block} is not private: others on the Internet have its addresses"));
            }
            if block.prefix > size {
                return Err(format!("{block} is smaller than one subnet of /{size}"));
            }
            if let Some(other) = blocks[..index].iter().find(|other| other.overlaps(*block)) {
                return Err(format!("{other} and {block} overlap"));
            }
        }
        Ok(Self { blocks, size })
    }

    /// This pool's blocks, cut into subnets of another size.
    pub(super) fn with_size(self, size: Option<u8>) -> Result<Self, String> {
        Self::new(self.blocks, Some(size.unwrap_or(self.size)))
    }

    /// This pool's size of subnets with other blocks, as a variable names them: separated by commas or blanks.
    pub fn with_blocks(&self, text: &str) -> Result<Self, String> {
        let words = text.split([',', ' ']).filter(|word| !word.is_empty());
        Self::new(words.map(Subnet::parse).collect::<Result<_, _>>()?, Some(self.size))
    }

    /// How many subnets it has; what is over 65,536 is not used.
    pub fn count(&self) -> u32 {
        let counts = self.blocks.iter().map(|block| 1_u64 << (self.size - block.prefix));
        u32::try_from(counts.sum::<u64>()).unwrap_or(MOST).min(MOST)
    }

    /// The subnet at `index`, which is below [`count`](Self::count); the last one for a higher index.
    pub fn nth(&self, index: u32) -> Subnet {
        let mut index = u64::from(index);
        let mut last = DEFAULT.0;
        for block in &self.blocks {
            let count = 1_u64 << (self.size - block.prefix);
            let at = index.min(count - 1);
            let offset = u32::try_from(at << (32 - self.size)).unwrap_or(0);
            last = Subnet { address: block.address + offset, prefix: self.size };
            if index < count {
                break;
            }
            index -= count;
        }
        last
    }
}

impl fmt::Display for SubnetPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blocks: Vec<String> = self.blocks.iter().map(Subnet::to_string).collect();
        let (count, plural) = (self.count(), if self.count() == 1 { "" } else { "s" });
        write!(f, "{} ({count} subnet{plural} of /{})", blocks.join(", "), self.size)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn pool(blocks: &[&str], size: u8) -> Result<SubnetPool, String> {
        SubnetPool::new(blocks.iter().map(|text| Subnet::parse(text).unwrap()).collect(), Some(size))
    }

    #[test]
    fn the_default_pool_has_1024_subnets() {
        let pool = SubnetPool::default();
        assert_eq!(pool.to_string(), "10.213.0.0/16 (1024 subnets of /26)");
        assert_eq!(pool.nth(1000).to_string(), "10.213.250.0/26");
    }

    #[rstest]
    #[case("10.0.0.0", "\"10.0.0.0\" is not an IPv4 network with its size")]
    #[case("10.0.0.0/33", "\"10.0.0.0/33\" is not an IPv4 network with its size")]
    #[case("fd00::/8", "\"fd00::/8\" is not an IPv4 network with its size")]
    #[case("10.213.0.1/16", "\"10.213.0.1/16\" is an address within a network: the network is 10.213.0.0/16")]
    fn what_is_no_network_is_told(#[case] text: &str, #[case] message: &str) {
        assert_eq!(Subnet::parse(text), Err(message.to_owned()));
    }

    #[rstest]
    #[case(&[], 26, "no network is named")]
    #[case(&["8.8.0.0/16"], 26, "8.8.0.0/16 is not private: others on the Internet have its addresses")]
    #[case(&["0.0.0.0/0"], 26, "0.0.0.0/0 is not private: others on the Internet have its addresses")]
    #[case(&["10.1.0.0/27"], 26, "10.1.0.0/27 is smaller than one subnet of /26")]
    #[case(&["10.0.0.0/8", "10.1.0.0/16"], 26, "10.0.0.0/8 and 10.1.0.0/16 overlap")]
    fn what_makes_no_pool_is_told(#[case] blocks: &[&str], #[case] size: u8, #[case] message: &str) {
        assert_eq!(pool(blocks, size), Err(message.to_owned()));
    }

    #[test]
    fn a_variable_names_blocks_by_commas_or_blanks() {
        let pool = SubnetPool::default().with_blocks("10.1.0.0/24, 192.168.7.0/25").unwrap();
        assert_eq!(pool.to_string(), "10.1.0.0/24, 192.168.7.0/25 (6 subnets of /26)");
        assert!(SubnetPool::default().with_blocks(" ").is_err());
    }

    proptest! {
        #[test]
        fn subnets_of_a_pool_differ_and_lie_within_its_blocks(prefixes in prop::collection::vec(18_u8..=26, 1..4), size in 26_u8..=29) {
            let blocks: Vec<Subnet> = prefixes
                .iter()
                .enumerate()
                .map(|(nth, prefix)| Subnet::new(Ipv4Addr::new(10, u8::try_from(nth).unwrap(), 0, 0), *prefix).unwrap())
                .collect();
            let pool = SubnetPool::new(blocks.clone(), Some(size)).unwrap();
            let all: Vec<Subnet> = (0..pool.count()).map(|index| pool.nth(index)).collect();
            prop_assert_eq!(all.iter().map(Subnet::to_string).collect::<HashSet<_>>().len(), all.len());
            prop_assert!(all.iter().all(|subnet| blocks.iter().any(|block| subnet.is_within(*block))));
        }
    }
}
