//! Ranges of addresses, and those of proxies that are believed.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

/// A range of IP addresses as CIDR writes it: `10.0.0.0/8`, `2001:db8::/32`, or one address alone
/// (RFC 4632 §3.1, RFC 4291 §2.3). Bits behind the prefix do not count.
///
/// ```
/// use cloverleaf_proto::handshake::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert!(network.contains("10.20.30.40".parse()?));
/// assert!(!network.contains("11.0.0.1".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether the address is one of them. An IPv4 address may be written as IPv6 (RFC 4291
    /// §2.5.5.2), as systems do whose sockets serve both.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differs = network.to_bits() ^ address.to_bits();
                differs.leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differs = network.to_bits() ^ address.to_bits();
                differs.leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }
}

impl From<IpAddr> for Network {
    /// This address alone.
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { address, prefix }
    }
}

impl FromStr for Network {
    type Err = MalformedNetwork;

    fn from_str(text: &str) -> Result<Self, MalformedNetwork> {
        let malformed = || MalformedNetwork(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| malformed())?;
        let whole = Self::from(address);
        let Some(prefix) = prefix else {
            return Ok(whole);
        };
        // `u8::from_str` would let a plus sign pass.
        if !prefix.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(malformed());
        }
        let prefix: u8 = prefix.parse().map_err(|_| malformed())?;
        // An IPv4 address in IPv6 has 96 bits before its own.
        let before = if address.is_ipv4() {
            0
        } else {
            128 - whole.prefix
        };
        match prefix.checked_sub(before) {
            Some(prefix) if prefix <= whole.prefix => Ok(Self {
                address: whole.address,
                prefix,
            }),
            _ => Err(malformed()),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// A text that is no [`Network`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedNetwork(String);

impl fmt::Display for MalformedNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no range of addresses; write one like 10.0.0.0/8, 2001:db8::/32 or 127.0.0.1",
            self.0
        )
    }
}

impl core::error::Error for MalformedNetwork {}

/// The addresses of proxies whose word on where a request comes from is taken. Nobody's, by default.
///
/// ```
/// use cloverleaf_proto::handshake::TrustedProxies;
///
/// let proxies: TrustedProxies = "127.0.0.1, ::1, 10.0.0.0/8".parse()?;
/// assert!(proxies.contains("10.1.2.3".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// Nobody.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// These addresses too.
    #[must_use]
    pub fn with(mut self, network: impl Into<Network>) -> Self {
        self.0.push(network.into());
        self
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this address is a trusted proxy's.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// Ranges, with commas or spaces in between.
impl FromStr for TrustedProxies {
    type Err = MalformedNetwork;

    fn from_str(text: &str) -> Result<Self, MalformedNetwork> {
        text.split([',', ' '])
            .filter(|one| !one.is_empty())
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(text: &str) -> Network {
        text.parse().expect(text)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    #[test]
    fn a_range_contains_what_has_its_prefix() {
        for (range, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("10.0.0.1/8", "10.9.9.9", "9.255.255.255"),
            ("192.0.2.128/25", "192.0.2.128", "192.0.2.127"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.7/32", "::ffff:192.0.2.7", "::192.0.2.7"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
            ("::1", "::1", "::2"),
            ("2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"),
            ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
        ] {
            assert!(network(range).contains(ip(inside)), "{range} {inside}");
            assert!(!network(range).contains(ip(outside)), "{range} {outside}");
        }
    }

    #[test]
    fn what_is_no_range() {
        for text in [
            "",
            "/",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "10.0.0/8",
            "10.0.0.0/8/8",
            "::/129",
            "::/256",
            "::ffff:10.0.0.0/95",
            "::ffff:10.0.0.0/129",
            "a",
            "[::1]",
            "10.0.0.0 /8",
            "010.0.0.1",
        ] {
            let error = text.parse::<Network>().expect_err(text);
            assert!(error.to_string().contains("10.0.0.0/8"), "{error}");
        }
    }

    #[test]
    fn a_list_of_ranges_is_empty_or_all_of_them_are_right() {
        let list = |text: &str| text.parse::<TrustedProxies>();
        assert_eq!(list(" , "), Ok(TrustedProxies::none()));
        let two = list("10.0.0.0/8,::1 ").expect("a list");
        assert_eq!(
            two,
            TrustedProxies::none()
                .with(network("10.0.0.0/8"))
                .with(ip("::1"))
        );
        assert!(list("10.0.0.0/8, x").is_err());
        assert!(!TrustedProxies::none().contains(ip("127.0.0.1")));
    }

    /// Bit by bit.
    fn naive(network: Network, address: IpAddr) -> bool {
        let bits = |address: IpAddr| -> Vec<bool> {
            let octets = match address {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            };
            let of = |octet: u8| (0..8).rev().map(move |bit| octet >> bit & 1 == 1);
            octets.into_iter().flat_map(of).collect()
        };
        let (network_bits, bits) = (bits(network.address), bits(address));
        let prefix = usize::from(network.prefix);
        network_bits.len() == bits.len() && network_bits[..prefix] == bits[..prefix]
    }

    proptest! {
        #[test]
        fn the_quick_way_agrees_with_the_slow_one(
            base in any::<u32>(), flip in 0_u32..32, prefix in 0_u8..=32, shared in any::<u128>(),
        ) {
            let (a, b) = (IpAddr::V4(base.into()), IpAddr::V4((base ^ (1 << flip)).into()));
            let network = Network { address: a, prefix };
            prop_assert_eq!(network.contains(b), naive(network, b));
            let (a, b) = (shared | 1 << 127, (shared | 1 << 127) ^ (1 << (flip * 3)));
            let network = Network { address: IpAddr::V6(a.into()), prefix: prefix * 4 };
            prop_assert_eq!(network.contains(IpAddr::V6(b.into())), naive(network, IpAddr::V6(b.into())));
        }

        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<Network>();
        }
    }
}
