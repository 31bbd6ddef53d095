//! permessage-deflate (RFC 7692) for Cloverleaf
