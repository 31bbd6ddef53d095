//! permessage-deflate as the judge speaks it (RFC 7692, RFC 1951).
