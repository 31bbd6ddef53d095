//! Names for the groups of Autobahn's cases.

/// What the cases of a group are about, for the groups of Autobahn's suite.
///
/// `None` for any other group: a group with a name, such as `handshake`, speaks for itself.
pub fn group_title(group: &str) -> Option<&'static str> {
    Some(match group {
        "1" => "Framing",
        "2" => "Pings and pongs",
        "3" => "Reserved bits",
        "4" => "Opcodes",
        "5" => "Fragmentation",
        "6" => "UTF-8 handling",
        "7" => "Closing handshake",
        "9" => "Limits and performance",
        "10" => "Automatic fragmentation",
        "12" => "Compression: payloads",
        "13" => "Compression: parameters",
        _ => return None,
    })
}
